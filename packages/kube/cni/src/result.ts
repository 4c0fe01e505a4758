/**
 * What ADD answers, as plain records, and its JSON in every version of the specification. From 1.0.0 on the
 * Go library sorts the keys and leaves an empty `dns` out; before, it writes them in the order of its structs
 * and `dns` always. 0.1.0 and 0.2.0 know one address of a family (`ip4`, `ip6`).
 */
import * as cidr from "@podwire/wire/cidr"
import type { Cidr } from "@podwire/wire/cidr"
import { family, format, type Ip } from "@podwire/wire/ip"
import { Decoder, type Path } from "./decode.ts"
import { isObject, type Json, type JsonObject } from "./json.ts"
import { atLeast } from "./version.ts"

export interface Interface {
  readonly name: string
  readonly mac: string
  /** 0 is: not said. */
  readonly mtu: number
  /** Path of the namespace; empty for the host's. */
  readonly sandbox: string
  readonly socketPath?: string
  readonly pciID?: string
}

export interface IpConfig {
  readonly address: Cidr
  readonly gateway: Ip | null
  /** Position in `interfaces`. */
  readonly interface: number | null
}

export interface ResultRoute {
  readonly dst: Cidr
  readonly gw: Ip | null
  readonly mtu: number
  readonly advmss: number
  readonly priority: number
  readonly table: number | null
  readonly scope: number | null
}

export interface Dns {
  readonly nameservers: ReadonlyArray<string>
  readonly domain: string
  readonly search: ReadonlyArray<string>
  readonly options: ReadonlyArray<string>
}

export interface Result {
  readonly interfaces: ReadonlyArray<Interface>
  readonly ips: ReadonlyArray<IpConfig>
  readonly routes: ReadonlyArray<ResultRoute>
  readonly dns: Dns
}

export const NO_DNS: Dns = { nameservers: [], domain: "", search: [], options: [] }

export function dnsIsSet(dns: Dns): boolean {
  return dns.domain !== "" || dns.nameservers.length + dns.search.length + dns.options.length > 0
}

/** A route with nothing but where to and through whom. */
export function routeTo(dst: Cidr, gw: Ip | null): ResultRoute {
  return { dst, gw, mtu: 0, advmss: 0, priority: 0, table: null, scope: null }
}

/** As the Go library would print it for that version; a text when it has no form there. */
export function resultJson(result: Result, cniVersion: string): Json | string {
  const version = cniVersion === "" ? "0.1.0" : cniVersion
  if (!atLeast(version, "0.3.0")) return resultJson020(result, version)
  const modern = atLeast(version, "1.0.0")
  const dns = dnsJson(result.dns)
  const parts: Array<readonly [string, Json]> = [["cniVersion", version]]
  if (modern && dnsIsSet(result.dns)) parts.push(["dns", sorted(dns)])
  if (result.interfaces.length > 0) {
    parts.push(["interfaces", result.interfaces.map((one) => interfaceJson(one, modern))])
  }
  if (result.ips.length > 0) parts.push(["ips", result.ips.map((one) => ipJson(one, modern))])
  if (result.routes.length > 0) {
    parts.push(["routes", result.routes.map((route) => modern ? sorted(routeJson(route)) : routeJson(route))])
  }
  if (!modern) parts.push(["dns", dns])
  return Object.fromEntries(parts)
}

/** A result from JSON (prevResult, a delegate's answer), or what is wrong with it. */
export function decodeResult(json: Json, at: Path, decoder: Decoder): Result | undefined {
  if (!isObject(json)) return decoder.element(json, at) as undefined
  const before = decoder.problems.length
  const interfaces = list(json, "interfaces", at, decoder, (item, path) => ({
    name: decoder.string(item, "name", path) ?? "",
    mac: decoder.string(item, "mac", path) ?? "",
    mtu: decoder.integer(item, "mtu", path) ?? 0,
    sandbox: decoder.string(item, "sandbox", path) ?? "",
    ...optional("socketPath", decoder.string(item, "socketPath", path)),
    ...optional("pciID", decoder.string(item, "pciID", path))
  }))
  const ips = list(json, "ips", at, decoder, (item, path) => {
    const address = requiredCidr(item, "address", path, decoder)
    const gateway = decoder.ip(item, "gateway", path) ?? null
    const index = decoder.integer(item, "interface", path) ?? null
    return address === undefined ? undefined : { address, gateway, interface: index }
  })
  const routes = decodeRoutes(json, at, decoder)
  const dns = decodeDns(json, at, decoder)
  return decoder.problems.length > before ? undefined : { interfaces, ips, routes, dns }
}

export function decodeRoutes(from: JsonObject, at: Path, decoder: Decoder): ReadonlyArray<ResultRoute> {
  return list(from, "routes", at, decoder, (item, path) => {
    const dst = requiredCidr(item, "dst", path, decoder)
    const route = {
      gw: decoder.ip(item, "gw", path) ?? null,
      mtu: decoder.integer(item, "mtu", path) ?? 0,
      advmss: decoder.integer(item, "advmss", path) ?? 0,
      priority: decoder.integer(item, "priority", path) ?? 0,
      table: decoder.integer(item, "table", path) ?? null,
      scope: decoder.integer(item, "scope", path) ?? null
    }
    return dst === undefined ? undefined : { dst, ...route }
  })
}

function requiredCidr(from: JsonObject, key: string, at: Path, decoder: Decoder): Cidr | undefined {
  const found = from[key] !== undefined && from[key] !== null
  return found ? decoder.cidr(from, key, at)
    : decoder.fail([...at, key], "Required value: an address with its prefix length")
}

export function decodeDns(from: JsonObject, at: Path, decoder: Decoder): Dns {
  const dns = decoder.object(from, "dns", at)
  if (dns === undefined) return NO_DNS
  const path = [...at, "dns"]
  return {
    nameservers: decoder.strings(dns, "nameservers", path),
    domain: decoder.string(dns, "domain", path) ?? "",
    search: decoder.strings(dns, "search", path),
    options: decoder.strings(dns, "options", path)
  }
}

function list<A>(
  from: JsonObject, key: string, at: Path, decoder: Decoder,
  one: (item: JsonObject, path: Path) => A | undefined
): ReadonlyArray<A> {
  return (decoder.array(from, key, at) ?? []).flatMap((item, i) => {
    const path = [...at, key, i]
    const object = decoder.element(item, path)
    const value = object === undefined ? undefined : one(object, path)
    return value === undefined ? [] : [value]
  })
}

function optional<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return (value === undefined || value === "" ? {} : { [key]: value }) as { [P in K]?: string }
}

function interfaceJson(one: Interface, modern: boolean): Json {
  const { name, mac, mtu, sandbox } = one
  if (!modern) return { name, ...text("mac", mac), ...text("sandbox", sandbox) }
  return {
    ...text("mac", mac), ...count("mtu", mtu), name, ...text("pciID", one.pciID ?? ""),
    ...text("sandbox", sandbox), ...text("socketPath", one.socketPath ?? "")
  }
}

function ipJson(one: IpConfig, modern: boolean): Json {
  const address = cidr.format(one.address)
  const gateway = one.gateway === null ? {} : { gateway: format(one.gateway) }
  const index = one.interface === null ? {} : { interface: one.interface }
  if (modern) return { address, ...gateway, ...index }
  return { version: String(family(one.address.ip)), ...index, address, ...gateway }
}

function routeJson(route: ResultRoute): JsonObject {
  return {
    dst: cidr.format(route.dst), ...(route.gw === null ? {} : { gw: format(route.gw) }),
    ...count("mtu", route.mtu), ...count("advmss", route.advmss), ...count("priority", route.priority),
    ...(route.table === null ? {} : { table: route.table }),
    ...(route.scope === null ? {} : { scope: route.scope })
  }
}

function dnsJson(dns: Dns): JsonObject {
  const some = (key: string, values: ReadonlyArray<string>) => values.length === 0 ? {} : { [key]: values }
  return {
    ...some("nameservers", dns.nameservers), ...text("domain", dns.domain),
    ...some("search", dns.search), ...some("options", dns.options)
  }
}

function resultJson020(result: Result, version: string): Json | string {
  const parts: Array<readonly [string, Json]> = [["cniVersion", version]]
  for (const [key, wanted] of [["ip4", 4], ["ip6", 6]] as const) {
    const one = result.ips.find(({ address }) => family(address.ip) === wanted)
    if (one === undefined) continue
    const routes = result.routes.filter(({ dst }) => family(dst.ip) === wanted)
      .map(({ dst, gw }) => routeJson(routeTo(dst, gw)))
    parts.push([key, {
      ip: cidr.format(one.address), ...(one.gateway === null ? {} : { gateway: format(one.gateway) }),
      ...(routes.length === 0 ? {} : { routes })
    }])
  }
  if (parts.length === 1) return "cannot convert: no valid IP addresses"
  return Object.fromEntries([...parts, ["dns", dnsJson(result.dns)]])
}

function text(key: string, value: string): JsonObject {
  return value === "" ? {} : { [key]: value }
}

function count(key: string, value: number): JsonObject {
  return value === 0 ? {} : { [key]: value }
}

function sorted(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
}
