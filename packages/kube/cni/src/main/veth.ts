/**
 * The pair that ties a pod to its node (pkg/ip/link_linux.go): made in the pod, its other end on the host and
 * up at once, under a drawn name. Deleting the pod's end takes both ends out of their namespaces.
 */
import { Errno, Veth } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import * as mac from "@podwire/wire/mac"
import { CniError } from "../error.ts"
import { goQuote } from "../json.ts"
import type { Call, Host } from "../plugin.ts"
import { errorText } from "./interface.ts"

const NAMES_TRIED = 10
const ETH_MTU_MIN = 68

export interface Pair {
  readonly inside: Veth
  readonly outside: Veth
}

/** SetupVeth. `address` is a MAC as text, empty for a drawn one. */
export function setupVeth(call: Call, netns: Netns, mtu: number, address: string): Pair | CniError {
  const { host, ifName } = call
  const wanted = address === "" ? null : mac.parse(address)
  if (wanted === null && address !== "") return failed(`address ${address}: invalid MAC address`)
  const name = freeName(host)
  if (name === null) return CniError.internal("failed to find a unique veth name")
  if (netns.links.byName(ifName) !== null) {
    const what = `container veth name (${goQuote(ifName)}) peer provided (${goQuote(name)})`
    return CniError.internal(`${what} already exists`)
  }
  if (mtu !== 0 && mtu < ETH_MTU_MIN) return failed(errorText(Errno.EINVAL))
  const owner = `${netns.name}/${ifName}`
  const insideMac = wanted ?? host.macFor(owner)
  const outsideMac = host.macFor(`${host.netns.name}/${name}`)
  const [inside, outside] = Veth.pair(host.engine, host.pool, ifName, insideMac, name, outsideMac)
  netns.attach(inside)
  host.netns.attach(outside)
  if (mtu !== 0) {
    netns.setMtu(inside, mtu)
    host.netns.setMtu(outside, mtu)
  }
  if (host.quiet) {
    netns.sysctl.set(`net/ipv6/conf/${ifName}/accept_dad`, "0")
    // IN6_ADDR_GEN_MODE_NONE: a thousand ports' link-local addresses are what nobody asks for.
    host.netns.sysctl.set(`net/ipv6/conf/${name}/addr_gen_mode`, "1")
  }
  host.netns.setUp(outside)
  host.netns.sysctl.set(`net/ipv6/conf/${name}/accept_ra`, "0")
  return { inside, outside }
}

function failed(cause: string): CniError {
  return CniError.internal(`failed to make veth pair: ${cause}`)
}

function freeName(host: Host): string | null {
  for (let i = 0; i < NAMES_TRIED; i++) {
    const name = host.vethName()
    if (host.netns.links.byName(name) === null) return name
  }
  return null
}

/**
 * DEL: the pod's end by its name; without the pod's namespace, whatever end of it the host still has. A pair
 * whose other end went away with its namespace is gone in Linux, so it goes here too.
 */
export function deleteVeth(call: Call): void {
  const { host, netns, ifName, prevResult } = call
  const inside = netns === null ? null : netns.links.byName(ifName)
  if (netns !== null && inside !== null) {
    const peer = inside instanceof Veth ? inside.peer : null
    netns.detach(inside)
    if (peer !== null && host.netns.links.byName(peer.name) === peer) host.netns.detach(peer)
    inside.destroy()
    return
  }
  for (const { name, sandbox } of prevResult?.interfaces ?? []) {
    const dev = sandbox === "" ? host.netns.links.byName(name) : null
    if (!(dev instanceof Veth) || (netns !== null && dev.peer !== null)) continue
    host.netns.detach(dev)
    dev.destroy()
  }
  if (prevResult === null) sweep(host)
}

/** Nothing says which end it was: every end without another is nobody's. */
function sweep(host: Host): void {
  for (const dev of host.netns.links.list()) {
    if (!(dev instanceof Veth) || dev.peer !== null) continue
    host.netns.detach(dev)
    dev.destroy()
  }
}
