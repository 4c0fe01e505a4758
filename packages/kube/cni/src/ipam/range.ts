/**
 * A range of addresses that host-local draws from (plugins/ipam/host-local/backend/allocator/range.go):
 * a subnet, optionally narrowed, with the gateway left out. `canonicalize` fills the defaults in and
 * refuses what the real plugin refuses, in its words; the gateway may lie anywhere, as there.
 */
import * as cidr from "@podwire/wire/cidr"
import { compare, family, format, type Ip, next, unmapped } from "@podwire/wire/ip"

export interface Range {
  readonly subnet: cidr.Cidr
  readonly start: Ip
  readonly end: Ip
  readonly gateway: Ip
}

export interface RangeConfig {
  readonly subnet?: cidr.Cidr | undefined
  readonly rangeStart?: Ip | undefined
  readonly rangeEnd?: Ip | undefined
  readonly gateway?: Ip | undefined
}

export type RangeSet = ReadonlyArray<Range>

/** The range, or why it cannot be one. */
export function canonicalize(config: RangeConfig): Range | string {
  const made = canonicalRange(config)
  return "message" in made ? made.message : made
}

interface RangeProblem {
  readonly key: "subnet" | "rangeStart" | "rangeEnd"
  readonly message: string
}

export function canonicalRange(config: RangeConfig): Range | RangeProblem {
  if (config.subnet === undefined) return { key: "subnet", message: "IP <nil> not v4 nor v6" }
  const why = subnetProblem(config.subnet)
  if (why !== null) return { key: "subnet", message: why }
  const { subnet, rangeStart = null, rangeEnd = null } = config
  const text = cidr.format(subnet)
  const first = next(subnet.ip, 1)
  if (rangeStart !== null && !within(rangeStart, subnet, rangeStart, rangeEnd)) {
    return { key: "rangeStart", message: `RangeStart ${format(rangeStart)} not in network ${text}` }
  }
  const start = rangeStart ?? first
  if (rangeEnd !== null && !within(rangeEnd, subnet, start, rangeEnd)) {
    return { key: "rangeEnd", message: `RangeEnd ${format(rangeEnd)} not in network ${text}` }
  }
  const last = cidr.broadcast(subnet)
  // IPv4's last address is the broadcast address; IPv6 has none.
  const end = rangeEnd ?? (family(subnet.ip) === 4 ? next(last, -1) : last)
  return { subnet, start, end, gateway: config.gateway ?? first }
}

function subnetProblem({ ip, bits }: cidr.Cidr): string | null {
  const bare = unmapped(ip)
  const mapped = bare.length !== ip.length
  if (bits > 32 * ip.length - 2) {
    const text = cidr.format({ ip: bare, bits: mapped ? bits - 96 : bits })
    return `Network ${text} too small to allocate from`
  }
  if (mapped) return "IPNet IP and Mask version mismatch"
  if (!cidr.hostBitsSet({ ip, bits })) return null
  const network = format(cidr.network({ ip, bits }))
  return `Network has host bits set. For a subnet mask of length ${bits} the network address is ${network}`
}

/** Range.Contains: a bound of the other family bounds nothing from above and everything from below. */
function within(ip: Ip, subnet: cidr.Cidr, start: Ip | null, end: Ip | null): boolean {
  if (!cidr.contains(subnet, ip)) return false
  if (start !== null && (start.length !== ip.length || compare(ip, start) < 0)) return false
  return end === null || end.length !== ip.length || compare(ip, end) <= 0
}

export function includes(range: Range, ip: Ip): boolean {
  return within(ip, range.subnet, range.start, range.end)
}

export function overlaps(a: Range, b: Range): boolean {
  return includes(a, b.start) || includes(a, b.end) || includes(b, a.start) || includes(b, a.end)
}

/** Why the ranges cannot be one set: one address is drawn from all of them. */
export function setProblem(set: RangeSet): string | null {
  if (set.length === 0) return "empty range set"
  if (set.some((range) => range.start.length !== set[0]!.start.length)) return "mixed address families"
  for (const [i, a] of set.entries()) {
    for (const b of set.slice(i + 1)) {
      if (overlaps(a, b)) return `subnets ${formatRange(a)} and ${formatRange(b)} overlap`
    }
  }
  return null
}

function formatRange(range: Range): string {
  return `${format(range.start)}-${format(range.end)}`
}

export function formatSet(set: RangeSet): string {
  return set.map(formatRange).join(",")
}

/** How many addresses a set can give, gateways left out; beyond 2^53 the count is rounded. */
export function capacity(set: RangeSet): number {
  let total = 0
  for (const range of set) {
    const { start, end } = range
    let count = 0
    for (let i = 0; i < start.length; i++) count = count * 2 ** 32 + (end[i]! >>> 0) - (start[i]! >>> 0)
    total += count + 1
    // Every range skips its own gateway only.
    if (includes(range, range.gateway)) total--
  }
  return total
}
