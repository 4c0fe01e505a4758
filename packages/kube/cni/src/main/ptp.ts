/**
 * The ptp plugin (plugins/main/ptp/ptp.go): no bridge; the pod reaches everything, its own subnet too,
 * through the gateway's address on the host's end of its veth pair; the host has a route to the pod alone.
 * IPAM comes first here, and its lease goes back when anything behind it fails.
 */
import { Errno, Veth } from "@podwire/netdev"
import type { Netns, RouteSpec } from "@podwire/netns"
import * as cidr from "@podwire/wire/cidr"
import { family, format } from "@podwire/wire/ip"
import * as mac from "@podwire/wire/mac"
import { Decoder, type Problem } from "../decode.ts"
import { CniError } from "../error.ts"
import { goQuote, type JsonObject } from "../json.ts"
import { type Call, isProblems, type Plugin } from "../plugin.ts"
import { decodeDns, type Dns, dnsIsSet, type Result } from "../result.ts"
import { enableForward } from "./bridge.ts"
import { IP_MASQ_REASON } from "./bridge-conf.ts"
import { configure, errorText, noNetns, validateIps, validateRoutes } from "./interface.ts"
import { type Ipam, loadIpam, pluginNotFound } from "./ipam.ts"
import { deleteVeth, setupVeth } from "./veth.ts"

interface PtpConf {
  readonly mtu: number
  readonly ipMasq: boolean
  readonly dns: Dns
  readonly ipam: Ipam
}

export const ptp: Plugin<PtpConf> = {
  type: "ptp",
  keys: new Set(["ipMasq", "ipMasqBackend", "mtu"]),
  load,
  notModelled: (conf) => conf.ipMasq ? [{ key: "ipMasq", reason: IP_MASQ_REASON }] : [],

  add(call, conf) {
    const got = conf.ipam.add(call)
    if (got instanceof CniError) return got
    const result = connect(call, conf, got)
    if (result instanceof CniError) conf.ipam.del(call)
    return result
  },

  del(call, conf) {
    const failed = conf.ipam.del(call)
    deleteVeth(call)
    return failed
  },

  check: (call, conf) => conf.ipam.check(call) ?? checkPtp(call),
  gc: (call, conf, valid) => conf.ipam.gc(call, valid),
  status: (call, conf) => conf.ipam.status(call)
}

function load(conf: JsonObject): PtpConf | ReadonlyArray<Problem> {
  const decoder = new Decoder()
  const made = {
    mtu: decoder.integer(conf, "mtu", []) ?? 0,
    ipMasq: decoder.boolean(conf, "ipMasq", []) ?? false,
    dns: decodeDns(conf, [], decoder)
  }
  decoder.string(conf, "ipMasqBackend", [])
  const ipam = loadIpam(conf, decoder)
  if (isProblems(ipam)) return [...decoder.problems, ...ipam]
  if (ipam === null) return [...decoder.problems, { path: ["ipam", "type"], message: pluginNotFound("") }]
  return decoder.problems.length > 0 ? decoder.problems : { ...made, ipam }
}

function connect(call: Call, conf: PtpConf, got: Result): Result | CniError {
  const { host, netns } = call
  if (got.ips.length === 0) return CniError.internal("IPAM plugin returned missing IP config")
  for (const { address } of got.ips) enableForward(host.netns, family(address.ip))
  if (netns === null) return noNetns(call.netnsPath).within("failed to open netns " + goQuote(call.netnsPath))
  const pair = setupVeth(call, netns, conf.mtu, "")
  if (pair instanceof CniError) return pair
  const { inside, outside } = pair
  const result: Result = {
    interfaces: [
      { name: outside.name, mac: mac.format(outside.mac), mtu: 0, sandbox: "" },
      { name: inside.name, mac: mac.format(inside.mac), mtu: 0, sandbox: call.netnsPath }
    ],
    ips: got.ips.map((one) => ({ ...one, interface: 1 })),
    routes: got.routes,
    dns: dnsIsSet(conf.dns) ? conf.dns : got.dns
  }
  return configure(netns, inside, result, host.quiet) ?? viaGateway(netns, inside, result) ??
    serve(host.netns, outside, result, host.quiet) ?? result
}

/** The connected route gives way to one to the gateway alone and one to the subnet through it. */
function viaGateway(netns: Netns, dev: Veth, result: Result): CniError | null {
  for (const { address, gateway } of result.ips) {
    const subnet = { ip: cidr.network(address), bits: address.bits }
    const errno = netns.delRoute({ dst: subnet, dev })
    if (errno !== Errno.OK) {
      return CniError.internal(`failed to delete route ${cidr.format(subnet)}: ${errorText(errno)}`)
    }
    const host = { ip: gateway!, bits: 32 * gateway!.length }
    const routes: ReadonlyArray<RouteSpec> = [
      { dst: host, dev, scope: "link", src: address.ip },
      { dst: subnet, dev, scope: "global", via: gateway!, src: address.ip }
    ]
    for (const route of routes) {
      const errno = netns.addRoute(route)
      if (errno === Errno.OK) continue
      return CniError.internal(`failed to add route ${cidr.format(route.dst)}: ${errorText(errno)}`)
    }
  }
  return null
}

/** The host's end: the gateway's address, and the way to the pod. */
function serve(netns: Netns, dev: Veth, result: Result, quiet: boolean): CniError | null {
  for (const { address, gateway } of result.ips) {
    const bits = 32 * address.ip.length
    const added = netns.addAddress(dev, { ip: gateway!, bits }, { nodad: quiet })
    if (added !== Errno.OK) {
      return CniError.internal(`failed to add IP addr (${format(gateway!)}) to veth: ${errorText(added)}`)
    }
    const errno = netns.addRoute({ dst: { ip: address.ip, bits }, dev, scope: "host" })
    if (errno !== Errno.OK && errno !== Errno.EEXIST) {
      return CniError.internal(`failed to add route on host: ${errorText(errno)}`)
    }
  }
  return null
}

function checkPtp(call: Call): CniError | null {
  const { netns, netnsPath, ifName, prevResult } = call
  if (netns === null) return noNetns(netnsPath).within("failed to open netns " + goQuote(netnsPath))
  if (prevResult === null) return CniError.internal("ptp: Required prevResult missing")
  const one = prevResult.interfaces.find(({ name, sandbox }) => name === ifName && sandbox === netnsPath)
  if (one === undefined) {
    return CniError.internal(`Sandbox in prevResult  doesn't match configured netns: ${netnsPath}`)
  }
  const dev = netns.links.byName(ifName)
  if (dev === null) {
    return CniError.internal(`ptp: Container Interface name in prevResult: ${ifName} not found`)
  }
  if (!(dev instanceof Veth)) {
    return CniError.internal(`Error: Container interface ${ifName} not of type veth/p2p`)
  }
  if (one.mac !== "" && one.mac !== mac.format(dev.mac)) {
    const found = mac.format(dev.mac)
    return CniError.internal(`ptp: Interface ${ifName} Mac ${one.mac} doesn't match container Mac: ${found}`)
  }
  return validateIps(netns, ifName, prevResult) ?? validateRoutes(netns, prevResult)
}
