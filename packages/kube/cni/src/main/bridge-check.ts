/** CHECK of the bridge plugin: the three interfaces of the result are there and belong together. */
import { Bridge, Veth } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import * as mac from "@podwire/wire/mac"
import { CniError } from "../error.ts"
import { goQuote } from "../json.ts"
import type { Call } from "../plugin.ts"
import type { Interface } from "../result.ts"
import type { BridgeConf } from "./bridge-conf.ts"
import { noNetns, validateIps, validateRoutes } from "./interface.ts"

const NOBODY: Interface = { name: "", mac: "", mtu: 0, sandbox: "" }

export function checkBridge(call: Call, conf: BridgeConf): CniError | null {
  const { host, netns, netnsPath, ifName, prevResult } = call
  if (netns === null) return noNetns(netnsPath).within("failed to open netns " + goQuote(netnsPath))
  if (prevResult === null) return CniError.internal("Required prevResult missing")
  const { interfaces } = prevResult
  const isBridge = (one: Interface) => one.name === conf.bridge
  const bridgeSide = interfaces.find(isBridge) ?? NOBODY
  const podSide = interfaces.find((one) =>
    !isBridge(one) && one.name === ifName && one.sandbox === netnsPath) ?? NOBODY
  const br = bridgeOf(host.netns, bridgeSide)
  if (br instanceof CniError) return br
  if (podSide.sandbox !== netnsPath) {
    const what = `Sandbox in prevResult ${podSide.sandbox}`
    return CniError.internal(`${what} doesn't match configured netns: ${netnsPath}`)
  }
  const inside = containerOf(netns, podSide)
  if (inside instanceof CniError) return inside
  const hostSide = interfaces.find((one) => {
    if (one.name === bridgeSide.name || one.name === podSide.name) return false
    const dev = host.netns.links.byName(one.name)
    return dev instanceof Veth && dev === inside.peer && dev.master === br
  })
  const stray = interfaces.find((one) =>
    one.name !== bridgeSide.name && one.name !== podSide.name && host.netns.links.byName(one.name) === null)
  if (stray !== undefined) return CniError.internal(`Interface name ${stray.name} not found`)
  if (hostSide === undefined) {
    return CniError.internal(`CNI veth created for bridge ${conf.bridge} was not found`)
  }
  if (hostSide.mac !== "" && hostSide.mac !== mac.format(inside.peer!.mac)) {
    return CniError.internal(`Interface ${hostSide.name} Mac doesn't match: ${hostSide.mac} not found`)
  }
  return validateIps(netns, ifName, prevResult) ?? validateRoutes(netns, prevResult)
}

function bridgeOf(netns: Netns, one: Interface): Bridge | CniError {
  if (one.name === "") return CniError.internal("Interface name missing ")
  const dev = netns.links.byName(one.name)
  if (dev === null) return CniError.internal(`Interface name ${one.name} not found`)
  if (one.sandbox !== "") return CniError.internal(`Interface ${one.name} should not be in sandbox`)
  if (!(dev instanceof Bridge)) {
    return CniError.internal(`Interface ${one.name} does not have link type of bridge`)
  }
  if (one.mac !== "" && one.mac !== mac.format(dev.mac)) {
    return CniError.internal(`Bridge interface ${one.name} Mac doesn't match: ${one.mac}`)
  }
  return dev
}

function containerOf(netns: Netns, one: Interface): Veth | CniError {
  if (one.name === "") return CniError.internal("Interface name missing ")
  const dev = netns.links.byName(one.name)
  if (dev === null) return CniError.internal(`Interface name ${one.name} not found`)
  if (one.sandbox === "") return CniError.internal(`Interface ${one.name} is expected to be in a sandbox`)
  if (!(dev instanceof Veth)) {
    return CniError.internal(`Error: Container interface ${one.name} not of type veth`)
  }
  if (one.mac !== "" && one.mac !== mac.format(dev.mac)) {
    const found = mac.format(dev.mac)
    return CniError.internal(`Interface ${one.name} Mac ${one.mac} doesn't match container Mac: ${found}`)
  }
  return dev
}
