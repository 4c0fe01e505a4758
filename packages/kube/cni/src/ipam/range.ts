/**
 * A range of addresses that host-local draws from (plugins/ipam/host-local/backend/allocator/range.go):
 * a subnet, optionally narrowed, with the gateway left out. `canonicalize` fills the defaults in and
 * refuses what the real plugin refuses.
 */
import * as cidr from "@podwire/wire/cidr"
import { compare, family, format, type Ip, next } from "@podwire/wire/ip"

export interface Range {
  readonly subnet: cidr.Cidr
  readonly start: Ip
  readonly end: Ip
  readonly gateway: Ip
}

export interface RangeConfig {
  readonly subnet: cidr.Cidr
  readonly rangeStart?: Ip
  readonly rangeEnd?: Ip
  readonly gateway?: Ip
}

/** The range, or why it cannot be one. */
export function canonicalize(config: RangeConfig): Range | string {
  const { subnet } = config
  const text = cidr.format(subnet)
  const width = 32 * subnet.ip.length
  if (subnet.bits >= width - 1) return `Network ${text} too small to allocate from`
  if (cidr.hostBitsSet(subnet)) {
    const masked = cidr.format({ ip: cidr.network(subnet), bits: subnet.bits })
    return `Network has host bits set. For a subnet mask of length ${subnet.bits} the network address is ${masked}`
  }
  const gateway = config.gateway ?? next(subnet.ip, 1)
  const start = config.rangeStart ?? next(subnet.ip, 1)
  const last = cidr.broadcast(subnet)
  // IPv4's last address is the broadcast address; IPv6 has none.
  const end = config.rangeEnd ?? (family(subnet.ip) === 4 ? next(last, -1) : last)
  if (!cidr.contains(subnet, start)) return `RangeStart ${format(start)} not in network ${text}`
  if (!cidr.contains(subnet, end)) return `RangeEnd ${format(end)} not in network ${text}`
  if (compare(start, end) > 0) return `RangeStart ${format(start)} is behind RangeEnd ${format(end)}`
  return { subnet, start, end, gateway }
}

export function includes(range: Range, ip: Ip): boolean {
  return family(ip) === family(range.start) && compare(range.start, ip) <= 0 && compare(ip, range.end) <= 0
}

export function formatSet(set: ReadonlyArray<Range>): string {
  return set.map((range) => `${format(range.start)}-${format(range.end)}`).join(",")
}
