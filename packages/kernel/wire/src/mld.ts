/**
 * Multicast listener discovery (RFC 2710; RFC 3810): where things stand in its messages, and the report that
 * a host sends when it joins or leaves one group. `at` is the ICMPv6 header.
 * Not supported: source lists, other than reading past them.
 */
import { get16, set16 } from "./bytes.ts"
import * as icmp6 from "./icmp6.ts"
import { type Ip, write as writeIp } from "./ip.ts"

/** A version 1 message, whose length tells it from a version 2 query. */
export const MESSAGE_BYTES = 24
export const QUERY2_BYTES_MIN = 28
/** The group of a query and of version 1's reports. */
export const GROUP = 8
export const RECORD_BYTES = 20

export const Record = {
  IsInclude: 1, IsExclude: 2, ToInclude: 3, ToExclude: 4, AllowSources: 5, BlockSources: 6
} as const

export function maxResponseDelay(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 4)
}

/** How many group records a version 2 report has. */
export function records(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 6)
}

/** A version 2 report about one group, without sources. */
export function writeReport2(bytes: Uint8Array, at: number, record: number, group: Ip): number {
  icmp6.writeHeader(bytes, at, icmp6.MLD2_REPORT, 0, 1)
  bytes[at + 8] = record
  bytes[at + 9] = 0
  set16(bytes, at + 10, 0)
  writeIp(bytes, at + 12, group)
  return 8 + RECORD_BYTES
}
