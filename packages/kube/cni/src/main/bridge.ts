/**
 * The bridge plugin (plugins/main/bridge/bridge.go): a bridge on the host, a veth pair for the pod with one
 * end in the bridge, addresses from IPAM, and with isGateway the gateway's address on the bridge itself.
 * Steps come in the real plugin's order. The bridge outlives its pods, also when ADD fails.
 *
 * `mtu` is the ports': the bridge takes the smallest of theirs, and 1500 again when the last one has left.
 * What it is created with does not pin it, in Linux either. A gateway's bridge keeps the MAC that it was made
 * with: the real plugin sets it when it adds the address, so that it does not follow the ports.
 */
import { Bridge, Errno } from "@podwire/netdev"
import { DEFAULT4, DEFAULT6, type Netns } from "@podwire/netns"
import * as cidr from "@podwire/wire/cidr"
import { equal, family, type Ip, next } from "@podwire/wire/ip"
import * as mac from "@podwire/wire/mac"
import { loadArgs } from "../cni-args.ts"
import { CniError } from "../error.ts"
import { goQuote } from "../json.ts"
import type { Call, Host, Plugin } from "../plugin.ts"
import {
  dnsIsSet, type Interface, type IpConfig, NO_DNS, type Result, type ResultRoute, routeTo
} from "../result.ts"
import { BRIDGE_KEYS, type BridgeConf, bridgeNotModelled, loadBridge } from "./bridge-conf.ts"
import { checkBridge } from "./bridge-check.ts"
import { configure, errorText, noNetns } from "./interface.ts"
import { deleteVeth, type Pair, setupVeth } from "./veth.ts"

export const bridge: Plugin<BridgeConf> = {
  type: "bridge",
  keys: BRIDGE_KEYS,
  load: loadBridge,
  notModelled: bridgeNotModelled,
  add,

  del(call, conf) {
    deleteVeth(call)
    return conf.ipam === null ? null : conf.ipam.del(call)
  },

  check(call, conf) {
    // The real plugin runs whatever IPAM the configuration names, and fails when it names none.
    return conf.ipam?.check(call) ?? checkBridge(call, conf)
  },

  gc: (call, conf, valid) => conf.ipam?.gc(call, valid) ?? null,
  status: (call, conf) => conf.ipam?.status(call) ?? null
}

function add(call: Call, conf: BridgeConf): Result | CniError {
  const { host, netns } = call
  const wanted = wantedMac(call, conf)
  if (wanted instanceof CniError) return wanted
  const br = ensureBridge(host, conf)
  if (br instanceof CniError) return br
  const bridgeMac = br.mac
  if (netns === null) return noNetns(call.netnsPath).within("failed to open netns " + goQuote(call.netnsPath))
  const pair = setupVeth(call, netns, conf.mtu, wanted)
  if (pair instanceof CniError) return pair
  const why = join(br, pair, conf)
  if (why !== null) return why
  let result: Result = {
    interfaces: [UNKNOWN, describe(pair.outside, ""), describe(pair.inside, call.netnsPath)],
    ips: [], routes: [], dns: NO_DNS
  }
  if (conf.ipam !== null) {
    const got = conf.ipam.add(call)
    if (got instanceof CniError) return got
    result = addGateways({ ...got, interfaces: result.interfaces }, conf)
    const failed = result.ips.length === 0 ? CniError.internal("IPAM plugin returned missing IP config")
      : setAddresses(call, conf, netns, br, bridgeMac, pair, result)
    if (failed !== null) {
      conf.ipam.del(call)
      return failed
    }
  } else if (!conf.disableContainerInterface) netns.setUp(pair.inside)
  // The bridge may have taken another MAC with its first port.
  const interfaces = [describe(br, ""), ...result.interfaces.slice(1)]
  return { ...result, interfaces, dns: dnsIsSet(conf.dns) ? conf.dns : result.dns }
}

/** The bridge's place in the result, until its MAC is known. */
const UNKNOWN: Interface = { name: "", mac: "", mtu: 0, sandbox: "" }

function wantedMac(call: Call, conf: BridgeConf): string | CniError {
  if (call.args === "") return conf.mac
  const args = loadArgs(call.args, { MAC: () => null })
  if (typeof args === "string") return CniError.internal(args)
  return conf.mac === "" ? args.get("MAC") ?? "" : conf.mac
}

function describe(dev: { readonly name: string; readonly mac: number }, sandbox: string): Interface {
  return { name: dev.name, mac: mac.format(dev.mac), mtu: 0, sandbox }
}

function ensureBridge(host: Host, conf: BridgeConf): Bridge | CniError {
  const { netns } = host
  const name = conf.bridge
  const failed = (cause: string) => CniError.internal(`failed to create bridge ${goQuote(name)}: ${cause}`)
  let dev = netns.links.byName(name)
  if (dev === null) {
    const address = conf.isGateway ? host.macFor(`${netns.name}/${name}`) : 0
    dev = new Bridge(host.engine, host.pool, name, address)
    netns.attach(dev)
    if (host.quiet) netns.sysctl.set(`net/ipv6/conf/${name}/accept_dad`, "0")
  }
  if (!(dev instanceof Bridge)) return failed(`${goQuote(name)} already exists but is not a bridge`)
  netns.sysctl.set(`net/ipv6/conf/${name}/accept_ra`, "0")
  const errno = netns.setUp(dev)
  return errno === Errno.OK ? dev : failed(errorText(errno))
}

function join(br: Bridge, { outside }: Pair, conf: BridgeConf): CniError | null {
  const errno = br.addPort(outside)
  if (errno !== Errno.OK) {
    const what = `failed to connect ${goQuote(outside.name)} to bridge ${br.name}`
    return CniError.internal(`${what}: ${errorText(errno)}`)
  }
  const port = br.portByNumber(outside.masterPort)!
  port.hairpin = conf.hairpinMode
  port.isolated = conf.portIsolation
  return null
}

/** calcGateways: what IPAM left open, and a default route of each family that has none with a gateway. */
function addGateways(result: Result, conf: BridgeConf): Result {
  const routes: Array<ResultRoute> = [...result.routes]
  const served = new Set<number>()
  const ips = result.ips.map((one): IpConfig => {
    const { address } = one
    const gateway = one.gateway ?? (conf.isGateway ? firstOf(address) : null)
    const version = family(address.ip)
    if (conf.isDefaultGateway && !served.has(version)) {
      served.add(version)
      const dst = version === 4 ? DEFAULT4 : DEFAULT6
      const there = routes.some((route) =>
        route.gw !== null && route.dst.bits === 0 && equal(route.dst.ip, dst.ip))
      if (!there) routes.push(routeTo(dst, gateway))
    }
    return { address, gateway, interface: 2 }
  })
  return { ...result, ips, routes }
}

function firstOf(address: cidr.Cidr): Ip {
  return next(cidr.network(address), 1)
}

function setAddresses(
  call: Call, conf: BridgeConf, netns: Netns, br: Bridge, bridgeMac: number, { inside }: Pair, result: Result
): CniError | null {
  const { host, ifName } = call
  const set = (key: string, value: string) => netns.sysctl.set(key, value)
  if (conf.enabledad) set(`net/ipv6/conf/${ifName}/enhanced_dad`, "1")
  set(`net/ipv6/conf/${ifName}/accept_dad`, conf.enabledad && !host.quiet ? "1" : "0")
  if (!host.quiet) set(`net/ipv4/conf/${ifName}/arp_notify`, "1")
  const failed = configure(netns, inside, result, host.quiet)
  if (failed !== null || !conf.isGateway) return failed
  for (const version of [4, 6] as const) {
    const mine = result.ips.filter(({ address }) => family(address.ip) === version)
    for (const { address, gateway } of mine) {
      const wanted = { ip: gateway!, bits: address.bits }
      const why = ensureAddress(host, br, bridgeMac, wanted, conf.forceAddress)
      if (why !== null) return CniError.internal(`failed to set bridge addr: ${why}`)
    }
    if (mine.length > 0) enableForward(host.netns, version)
  }
  return null
}

/** ensureAddr: IPv4 has one address, IPv6 one of every network that overlaps with no other. */
function ensureAddress(
  host: Host, br: Bridge, bridgeMac: number, wanted: cidr.Cidr, force: boolean
): string | null {
  const version = family(wanted.ip)
  for (const { cidr: there } of host.netns.addresses(br)) {
    if (family(there.ip) !== version) continue
    if (equal(there.ip, wanted.ip) && there.bits === wanted.bits) return null
    if (version === 6 && !cidr.overlaps(there, wanted)) continue
    if (!force) return `${goQuote(br.name)} already has an IP address different from ${cidr.format(wanted)}`
    host.netns.delAddress(br, there)
  }
  const errno = host.netns.addAddress(br, wanted, { nodad: host.quiet })
  if (errno !== Errno.OK && errno !== Errno.EEXIST) {
    return `could not add IP address ${cidr.format(wanted)} to ${goQuote(br.name)}: ${errorText(errno)}`
  }
  // Else the bridge would go on following the lowest MAC of its ports.
  if (bridgeMac !== 0) br.setMac(bridgeMac)
  return null
}

export function enableForward(netns: Netns, version: 4 | 6): void {
  const key = version === 4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding"
  if (netns.sysctl.get(key) !== "1") netns.sysctl.set(key, "1")
}
