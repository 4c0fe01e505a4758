/** The loopback plugin (plugins/main/loopback): `lo` comes up and goes down; what ran before is handed on. */
import type { NetDevice } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import { family, isLoopback } from "@podwire/wire/ip"
import * as cidr from "@podwire/wire/cidr"
import { CniError } from "../error.ts"
import { goQuote } from "../json.ts"
import type { Plugin } from "../plugin.ts"
import { type IpConfig, NO_DNS } from "../result.ts"
import { noNetns } from "./interface.ts"

const NAME = "lo"

export const loopback: Plugin<Record<never, never>> = {
  type: "loopback",
  keys: new Set(),
  load: () => ({}),
  notModelled: () => [],

  add(call) {
    const { netns } = call
    if (netns === null) return noNetns(call.netnsPath)
    netns.setUp(netns.lo)
    const wrong = netns.addresses(netns.lo).find((one) => !isLoopback(one.cidr.ip))
    if (wrong !== undefined) {
      const text = goQuote(cidr.format(wrong.cidr))
      return CniError.internal(`loopback interface found with non-loopback address ${text}`)
    }
    if (call.prevResult !== null) return call.prevResult
    return {
      interfaces: [{ name: NAME, mac: "00:00:00:00:00:00", mtu: 0, sandbox: call.netnsPath }],
      ips: [...first(netns, netns.lo, 4), ...first(netns, netns.lo, 6)], routes: [], dns: NO_DNS
    }
  },

  del({ netns }) {
    if (netns !== null) netns.setDown(netns.lo)
    return null
  },

  check(call) {
    if (call.netns === null) return noNetns(call.netnsPath)
    return call.netns.lo.up ? null : CniError.internal("loopback interface is down")
  },

  gc: () => null,
  status: () => null
}

function first(netns: Netns, dev: NetDevice, version: 4 | 6): ReadonlyArray<IpConfig> {
  const found = netns.addresses(dev).find((one) => family(one.cidr.ip) === version)
  return found === undefined ? [] : [{ address: found.cidr, gateway: null, interface: 0 }]
}
