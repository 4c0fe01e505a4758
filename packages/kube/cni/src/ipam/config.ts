/**
 * The configuration of host-local (allocator/config.go): range sets from the runtime first, then the old form
 * with one subnet, then `ranges`; one address comes from each. Everything the real plugin refuses is refused
 * in its words, with the place.
 */
import type { Ip } from "@podwire/wire/ip"
import { family, parse as parseIp, unmapped } from "@podwire/wire/ip"
import * as cidr from "@podwire/wire/cidr"
import { Decoder, type Path, type Problem, unknownKeys } from "../decode.ts"
import { isObject, type JsonObject } from "../json.ts"
import { decodeRoutes, type ResultRoute } from "../result.ts"
import { atLeast } from "../version.ts"
import { canonicalRange, overlaps, type Range, type RangeSet, setProblem } from "./range.ts"

export interface HostLocalConf {
  readonly network: string
  readonly dataDir: string
  readonly resolvConf: string
  readonly sets: ReadonlyArray<RangeSet>
  readonly routes: ReadonlyArray<ResultRoute>
  /** From `args.cni.ips` and the `ips` capability; CNI_ARGS come with the call. */
  readonly requested: ReadonlyArray<Ip>
}

const RANGE_KEYS = new Set(["subnet", "rangeStart", "rangeEnd", "gateway"])
const HOST_LOCAL_KEYS: ReadonlySet<string> =
  new Set([...RANGE_KEYS, "type", "ranges", "routes", "resolvConf", "dataDir"])

/** A set as written, and where. */
interface RawSet {
  readonly ranges: ReadonlyArray<{ readonly object: JsonObject; readonly at: Path }>
  readonly at: Path
}

export function loadHostLocal(conf: JsonObject, at: Path = []): HostLocalConf | ReadonlyArray<Problem> {
  const decoder = new Decoder()
  const ipam = decoder.object(conf, "ipam", at)
  const raw = rawSets(conf, ipam ?? {}, at, decoder)
  const requested = requestedIps(conf, at, decoder)
  const sets = raw.map((set) => decodeSet(set, decoder))
  const path = [...at, "ipam"]
  const network = decoder.string(conf, "name", at) ?? ""
  const version = decoder.string(conf, "cniVersion", at) ?? ""
  const dataDir = decoder.string(ipam ?? {}, "dataDir", path) ?? ""
  const resolvConf = decoder.string(ipam ?? {}, "resolvConf", path) ?? ""
  const routes = decodeRoutes(ipam ?? {}, path, decoder)
  if (decoder.problems.length > 0) return decoder.problems
  if (ipam === undefined) return [{ path, message: "IPAM config missing 'ipam' key" }]
  if (raw.length === 0) return [{ path, message: "no IP ranges specified" }]
  const ready: Array<RangeSet> = []
  for (const [i, configs] of sets.entries()) {
    const made = canonicalSet(configs, raw[i]!, i)
    if ("message" in made) return [made]
    ready.push(made)
  }
  const why = setsProblem(ready, version)
  if (why !== null) return [{ path: raw[why.set]!.at, message: why.message }]
  return { network, dataDir, resolvConf, sets: ready, routes, requested }
}

/** Keys below `ipam` that nobody reads. */
export function unknownIpamKeys(ipam: JsonObject): ReadonlyArray<Path> {
  const paths: Array<Path> = unknownKeys(ipam, HOST_LOCAL_KEYS).map((key) => [key])
  const { ranges } = ipam
  if (!Array.isArray(ranges)) return paths
  for (const [i, set] of ranges.entries()) {
    for (const [j, range] of (Array.isArray(set) ? set : []).entries()) {
      if (isObject(range)) paths.push(...unknownKeys(range, RANGE_KEYS).map((key) => ["ranges", i, j, key]))
    }
  }
  return paths
}

function rawSets(conf: JsonObject, ipam: JsonObject, at: Path, decoder: Decoder): ReadonlyArray<RawSet> {
  const runtime = decoder.object(conf, "runtimeConfig", at) ?? {}
  const sets = (from: JsonObject, key: string, path: Path) =>
    (decoder.array(from, key, path) ?? []).map((item, i): RawSet => {
      const place = [...path, key, i]
      if (item === null) return { ranges: [], at: place }
      if (!Array.isArray(item)) {
        decoder.fail(place, "found no list, expected a range set: a list of ranges")
        return { ranges: [], at: place }
      }
      const ranges = item.flatMap((range, j) => {
        const object = decoder.element(range ?? {}, [...place, j])
        return object === undefined ? [] : [{ object, at: [...place, j] }]
      })
      return { ranges, at: place }
    })
  const path = [...at, "ipam"]
  // The old form counts only when it names a subnet.
  const old = decoder.string(ipam, "subnet", path) === undefined ? []
    : [{ ranges: [{ object: ipam, at: path }], at: path }]
  return [...sets(runtime, "ipRanges", [...at, "runtimeConfig"]), ...old, ...sets(ipam, "ranges", path)]
}

function decodeSet({ ranges }: RawSet, decoder: Decoder) {
  return ranges.map(({ object, at }) => ({
    subnet: decoder.cidr(object, "subnet", at),
    rangeStart: decoder.ip(object, "rangeStart", at),
    rangeEnd: decoder.ip(object, "rangeEnd", at),
    gateway: decoder.ip(object, "gateway", at)
  }))
}

function canonicalSet(configs: ReturnType<typeof decodeSet>, raw: RawSet, index: number): RangeSet | Problem {
  const set: Array<Range> = []
  for (const [i, config] of configs.entries()) {
    const made = canonicalRange(config)
    if ("message" in made) {
      const path = [...raw.ranges[i]!.at, made.key]
      return { path, message: `invalid range set ${index}: ${made.message}` }
    }
    set.push(made)
    if (made.start.length !== set[0]!.start.length) break
  }
  const why = setProblem(set)
  return why === null ? set : { path: raw.at, message: `invalid range set ${index}: ${why}` }
}

function setsProblem(
  sets: ReadonlyArray<RangeSet>, version: string
): { readonly set: number; readonly message: string } | null {
  for (const wanted of [4, 6]) {
    const of = [...sets.keys()].filter((i) => family(sets[i]![0]!.start) === wanted)
    if (of.length < 2 || atLeast(version, "0.3.0")) continue
    const message = `CNI version ${version} does not support more than 1 address per family`
    return { set: of[1]!, message }
  }
  for (const [i, a] of sets.entries()) {
    for (let j = i + 1; j < sets.length; j++) {
      if (!a.some((one) => sets[j]!.some((other) => overlaps(one, other)))) continue
      return { set: j, message: `range set ${i} overlaps with ${j}` }
    }
  }
  return null
}

function requestedIps(conf: JsonObject, at: Path, decoder: Decoder): ReadonlyArray<Ip> {
  const args = decoder.object(conf, "args", at) ?? {}
  const cni = decoder.object(args, "cni", [...at, "args"]) ?? {}
  const runtime = decoder.object(conf, "runtimeConfig", at) ?? {}
  const lists = [[cni, [...at, "args", "cni"]], [runtime, [...at, "runtimeConfig"]]] as const
  return lists.flatMap(([from, path]) => decoder.strings(from, "ips", path).flatMap((text, i) => {
    const ip = parseAddress(text)
    if (ip === null) decoder.fail([...path, "ips", i], `invalid IP address ${text}`)
    return ip === null ? [] : [ip]
  }))
}

/** ip.ParseIP: an address, or one with a prefix length that nobody looks at. */
export function parseAddress(text: string): Ip | null {
  const ip = text.includes("/") ? cidr.parse(text)?.ip ?? null : parseIp(text)
  return ip === null ? null : unmapped(ip)
}
