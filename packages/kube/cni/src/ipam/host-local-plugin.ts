/**
 * The verbs of host-local (plugins/ipam/host-local/main.go). GC and STATUS do what the specification says:
 * the real plugin, up to 1.9, leaves both to do and answers success.
 */
import type { Ip } from "@podwire/wire/ip"
import { loadArgs } from "../cni-args.ts"
import { CniError, ErrorCode } from "../error.ts"
import type { IpamCall, IpamPlugin } from "../plugin.ts"
import { type Dns, NO_DNS, type Result } from "../result.ts"
import { type HostLocalConf, loadHostLocal, parseAddress } from "./config.ts"
import { HostLocal } from "./host-local.ts"
import { formatSet } from "./range.ts"

export const hostLocal: IpamPlugin<HostLocalConf> = {
  type: "host-local",
  load: (conf) => loadHostLocal(conf),

  add(call, conf) {
    const wanted = requested(call, conf)
    if (typeof wanted === "string") return CniError.internal(wanted)
    const dns = conf.resolvConf === "" ? NO_DNS : resolvConf(call, conf.resolvConf)
    if (typeof dns === "string") return CniError.internal(dns)
    const ipam = open(call, conf)
    if (ipam instanceof CniError) return ipam
    const got = ipam.add(call.containerId, call.ifName, wanted)
    if (typeof got === "string") return CniError.internal(got)
    const ips = got.map(({ ip, range }) => ({
      address: { ip, bits: range.subnet.bits }, gateway: range.gateway, interface: null
    }))
    return { interfaces: [], ips, routes: conf.routes, dns } satisfies Result
  },

  del(call, conf) {
    const wanted = requested(call, conf)
    if (typeof wanted === "string") return CniError.internal(wanted)
    const ipam = open(call, conf)
    if (ipam instanceof CniError) return ipam
    ipam.del(call.containerId, call.ifName)
    return null
  },

  check(call, conf) {
    const wanted = requested(call, conf)
    if (typeof wanted === "string") return CniError.internal(wanted)
    const ipam = open(call, conf)
    if (ipam instanceof CniError) return ipam
    if (ipam.check(call.containerId, call.ifName)) return null
    return CniError.internal(`host-local: Failed to find address added by container ${call.containerId}`)
  },

  gc(call, conf, valid) {
    const ipam = open(call, conf)
    if (ipam instanceof CniError) return ipam
    ipam.gc(valid)
    return null
  },

  status(call, conf) {
    const ipam = open(call, conf)
    if (ipam instanceof CniError) return new CniError(ErrorCode.PLUGIN_NOT_AVAILABLE, ipam.msg)
    const set = ipam.exhausted()
    if (set === null) return null
    const msg = `no IP addresses available in range set: ${formatSet(set)}`
    return new CniError(ErrorCode.PLUGIN_NOT_AVAILABLE, msg)
  }
}

function open(call: IpamCall, conf: HostLocalConf): HostLocal | CniError {
  const store = call.stores.leases(conf.network, conf.dataDir)
  return typeof store === "string" ? CniError.internal(store) : new HostLocal(conf.sets, store)
}

/** CNI_ARGS first, then what the configuration brings. */
function requested(call: IpamCall, conf: HostLocalConf): ReadonlyArray<Ip> | string {
  if (call.args === "") return conf.requested
  const args = loadArgs(call.args, { IP: judgeIp })
  if (typeof args === "string") return args
  const text = args.get("IP") ?? ""
  return text === "" ? conf.requested : [parseAddress(text)!, ...conf.requested]
}

function judgeIp(text: string): string | null {
  return text === "" || parseAddress(text) !== null ? null : `invalid IP address ${text}`
}

/** parseResolvConf: the last `domain` wins, the rest adds up. */
function resolvConf(call: IpamCall, path: string): Dns | string {
  const file = call.stores.readFile(path)
  if (typeof file === "string") return file
  const nameservers: Array<string> = []
  const search: Array<string> = []
  const options: Array<string> = []
  let domain = ""
  for (const line of file.text.split("\n")) {
    const fields = line.trim().split(/\s+/)
    const [key, value] = fields
    if (value === undefined || key!.startsWith("#") || key!.startsWith(";")) continue
    if (key === "nameserver") nameservers.push(value)
    else if (key === "domain") domain = value
    else if (key === "search") search.push(...fields.slice(1))
    else if (key === "options") options.push(...fields.slice(1))
  }
  return { nameservers, domain, search, options }
}
