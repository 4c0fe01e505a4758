/** What the bridge plugin reads (plugins/main/bridge, NetConf), and what of it is not carried out. */
import { Decoder, type Problem } from "../decode.ts"
import type { JsonObject } from "../json.ts"
import { isProblems } from "../plugin.ts"
import { decodeDns, type Dns } from "../result.ts"
import { type Ipam, loadIpam } from "./ipam.ts"

export interface BridgeConf {
  readonly bridge: string
  readonly isGateway: boolean
  readonly isDefaultGateway: boolean
  readonly forceAddress: boolean
  readonly ipMasq: boolean
  readonly mtu: number
  readonly hairpinMode: boolean
  readonly promiscMode: boolean
  readonly vlan: number
  readonly vlanTrunk: boolean
  readonly preserveDefaultVlan: boolean
  readonly macspoofchk: boolean
  readonly enabledad: boolean
  readonly portIsolation: boolean
  readonly disableContainerInterface: boolean
  /** From `args.cni.mac` or the `mac` capability; empty for none. */
  readonly mac: string
  readonly dns: Dns
  readonly ipam: Ipam | null
}

export const BRIDGE_KEYS: ReadonlySet<string> = new Set([
  "bridge", "isGateway", "isDefaultGateway", "forceAddress", "ipMasq", "ipMasqBackend", "mtu", "hairpinMode",
  "promiscMode", "vlan", "vlanTrunk", "preserveDefaultVlan", "macspoofchk", "enabledad", "portIsolation",
  "disableContainerInterface"
])

const VLAN_MAX = 4094

export function loadBridge(conf: JsonObject): BridgeConf | ReadonlyArray<Problem> {
  const decoder = new Decoder()
  const flag = (key: string) => decoder.boolean(conf, key, []) ?? false
  const isDefaultGateway = flag("isDefaultGateway")
  const vlan = decoder.integer(conf, "vlan", []) ?? 0
  if (vlan < 0 || vlan > VLAN_MAX) {
    decoder.fail(["vlan"], `invalid VLAN ID ${vlan} (must be between 0 and ${VLAN_MAX})`)
  }
  const made = {
    bridge: decoder.string(conf, "bridge", []) ?? "cni0",
    isDefaultGateway,
    isGateway: flag("isGateway") || isDefaultGateway,
    forceAddress: flag("forceAddress"),
    ipMasq: flag("ipMasq"),
    mtu: decoder.integer(conf, "mtu", []) ?? 0,
    hairpinMode: flag("hairpinMode"),
    promiscMode: flag("promiscMode"),
    vlan,
    vlanTrunk: readTrunk(conf, decoder),
    preserveDefaultVlan: flag("preserveDefaultVlan"),
    macspoofchk: flag("macspoofchk"),
    enabledad: flag("enabledad"),
    portIsolation: flag("portIsolation"),
    disableContainerInterface: flag("disableContainerInterface"),
    mac: readMac(conf, decoder),
    dns: decodeDns(conf, [], decoder)
  }
  decoder.string(conf, "ipMasqBackend", [])
  const ipam = loadIpam(conf, decoder)
  const problems = [...decoder.problems, ...(isProblems(ipam) ? ipam : [])]
  if (isProblems(ipam) || problems.length > 0) return problems
  if (ipam !== null && made.disableContainerInterface) {
    const message = "cannot use IPAM when DisableContainerInterface flag is set"
    return [{ path: ["disableContainerInterface"], message }]
  }
  if (made.hairpinMode && made.promiscMode) {
    const message = "cannot set hairpin mode and promiscuous mode at the same time"
    return [{ path: ["promiscMode"], message }]
  }
  return { ...made, ipam }
}

/** The capability beats `args`, and both beat CNI_ARGS. */
function readMac(conf: JsonObject, decoder: Decoder): string {
  const args = decoder.object(conf, "args", []) ?? {}
  const cni = decoder.object(args, "cni", ["args"]) ?? {}
  const runtime = decoder.object(conf, "runtimeConfig", []) ?? {}
  const wanted = decoder.string(cni, "mac", ["args", "cni"]) ?? ""
  return decoder.string(runtime, "mac", ["runtimeConfig"]) || wanted
}

/** collectVlanTrunk: seen for its mistakes only. */
function readTrunk(conf: JsonObject, decoder: Decoder): boolean {
  const items = decoder.array(conf, "vlanTrunk", []) ?? []
  for (const [i, item] of items.entries()) {
    const path = ["vlanTrunk", i]
    const trunk = decoder.element(item, path)
    if (trunk === undefined) continue
    const id = decoder.integer(trunk, "id", path)
    const least = decoder.integer(trunk, "minID", path)
    const most = decoder.integer(trunk, "maxID", path)
    const wrong = (value: number | undefined) => value !== undefined && (value <= 0 || value > VLAN_MAX)
    const together = "minID and maxID should be configured simultaneously"
    if (least === undefined && most !== undefined) decoder.fail(path, `${together}, minID is missing`)
    else if (least !== undefined && most === undefined) decoder.fail(path, `${together}, maxID is missing`)
    else if (wrong(least)) decoder.fail([...path, "minID"], "incorrect trunk minID parameter")
    else if (wrong(most)) decoder.fail([...path, "maxID"], "incorrect trunk maxID parameter")
    else if (least! > most!) decoder.fail(path, "minID is greater than maxID in trunk parameter")
    if (wrong(id)) decoder.fail([...path, "id"], "incorrect trunk id parameter")
  }
  return items.length > 0
}

export function bridgeNotModelled(
  conf: BridgeConf
): ReadonlyArray<{ readonly key: string; readonly reason: string }> {
  const vlan = "the bridge does not filter VLANs"
  const all: ReadonlyArray<readonly [boolean, string, string]> = [
    [conf.ipMasq, "ipMasq", IP_MASQ_REASON],
    [conf.promiscMode, "promiscMode", "the bridge takes what is for others as a bridge does, and no more"],
    [conf.vlan !== 0, "vlan", vlan],
    [conf.vlanTrunk, "vlanTrunk", vlan],
    [conf.preserveDefaultVlan, "preserveDefaultVlan", vlan],
    [conf.macspoofchk, "macspoofchk", "there is no bridge family of nftables"]
  ]
  return all.filter(([set]) => set).map(([, key, reason]) => ({ key, reason }))
}

export const IP_MASQ_REASON = "pods reach the outside with their own addresses; nothing is masqueraded"
