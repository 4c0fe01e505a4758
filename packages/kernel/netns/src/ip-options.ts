/**
 * IPv4 options that a host or router on the way acts on (net/ipv4/ip_options.c): record route and
 * timestamp are filled in, source routes recognised. `stamp` is ip_options_compile for a packet that
 * came in, `restamp` ip_forward_options, `echo` ip_options_echo for an answer.
 * Not supported: source routes (a packet with one is refused), CIPSO and security (passed on untouched).
 */
import { get32, set32 } from "@podwire/wire/bytes"
import * as ipv4 from "@podwire/wire/ipv4"

const TIMESTAMP_ONLY = 0
const TIMESTAMP_AND_ADDRESS = 1
const TIMESTAMP_PRESPECIFIED = 3
const MS_PER_DAY = 86_400_000
const { End, NoOperation, RecordRoute, Timestamp, LooseSourceRoute, StrictSourceRoute } = ipv4.Option

export class Fault {
  /** Offset of what is wrong, from the start of the header. */
  at = 0
  sourceRoute = false
}

/**
 * Checks the options and writes `address` and the time where they ask for it; false when they are
 * malformed. The header checksum is made whole again.
 */
export function stamp(
  bytes: Uint8Array, l3: number, address: number, nowNs: number, isLocal: (address: number) => boolean,
  fault: Fault
): boolean {
  const end = l3 + ipv4.headerBytes(bytes, l3)
  fault.sourceRoute = false
  let changed = false
  for (let i = l3 + ipv4.HEADER_BYTES_MIN; i < end;) {
    const kind = bytes[i]!
    if (kind === End) break
    if (kind === NoOperation) {
      i++
      continue
    }
    fault.at = i - l3
    const length = i + 1 < end ? bytes[i + 1]! : 0
    if (length < 2 || i + length > end) return false
    if (kind === RecordRoute || kind === LooseSourceRoute || kind === StrictSourceRoute) {
      fault.at = i + 1 - l3
      if (length < 3) return false
      const pointer = bytes[i + 2]!
      fault.at = i + 2 - l3
      if (pointer < 4) return false
      if (kind !== RecordRoute) fault.sourceRoute = true
      else if (pointer <= length) {
        if (pointer + 3 > length) return false
        set32(bytes, i + pointer - 1, address)
        bytes[i + 2] = pointer + 4
        changed = true
      }
    } else if (kind === Timestamp) {
      const bad = timestamp(bytes, i, length, address, nowNs, isLocal)
      if (bad >= 0) {
        fault.at = i + bad - l3
        return false
      }
      changed = true
    }
    i += length
  }
  if (changed) ipv4.updateChecksum(bytes, l3)
  return true
}

/** A forwarded packet shows the address that it leaves by, in the place that `stamp` has just filled. */
export function restamp(bytes: Uint8Array, l3: number, address: number): void {
  const route = ipv4.findOption(bytes, l3, RecordRoute)
  const time = ipv4.findOption(bytes, l3, Timestamp)
  if (route >= 0) {
    const pointer = bytes[route + 2]!
    if (pointer >= 8 && pointer - 1 <= bytes[route + 1]!) set32(bytes, route + pointer - 5, address)
  }
  if (time >= 0 && (bytes[time + 3]! & 15) === TIMESTAMP_AND_ADDRESS) {
    const pointer = bytes[time + 2]!
    if (pointer >= 13 && pointer - 1 <= bytes[time + 1]!) set32(bytes, time + pointer - 9, address)
  }
  if (route >= 0 || time >= 0) ipv4.updateChecksum(bytes, l3)
}

/** How many bytes of options an answer to this packet has. */
export function echoBytes(bytes: Uint8Array, l3: number): number {
  let count = 0
  for (const kind of [RecordRoute, Timestamp]) {
    const at = ipv4.findOption(bytes, l3, kind)
    if (at >= 0) count += bytes[at + 1]!
  }
  return (count + 3) & ~3
}

/** Write them behind the fixed header at `to`, with our own address added; the checksum is the caller's. */
export function echo(
  bytes: Uint8Array, l3: number, out: Uint8Array, to: number, address: number, nowNs: number
): void {
  let at = to + ipv4.HEADER_BYTES_MIN
  const start = at
  for (const kind of [RecordRoute, Timestamp]) {
    const from = ipv4.findOption(bytes, l3, kind)
    if (from < 0) continue
    const length = bytes[from + 1]!
    for (let i = 0; i < length; i++) out[at + i] = bytes[from + i]!
    const pointer = out[at + 2]!
    if (kind === RecordRoute && pointer + 3 <= length) {
      set32(out, at + pointer - 1, address)
      out[at + 2] = pointer + 4
    } else if (kind === Timestamp) timestamp(out, at, length, address, nowNs, () => false)
    at += length
  }
  while (((at - start) & 3) !== 0) out[at++] = End
  out[to] = 0x40 | ((ipv4.HEADER_BYTES_MIN + at - start) >>> 2)
}

/** The offset of what is wrong, or -1. */
function timestamp(
  bytes: Uint8Array, at: number, length: number, address: number, nowNs: number, isLocal: (address: number) => boolean
): number {
  if (length < 4) return 1
  const pointer = bytes[at + 2]!
  if (pointer < 5) return 2
  const flag = bytes[at + 3]! & 15
  if (pointer > length) {
    const overflow = bytes[at + 3]! >>> 4
    if (overflow === 15) return 3
    bytes[at + 3] = ((overflow + 1) << 4) | flag
    return -1
  }
  if (pointer + 3 > length) return 2
  const ms = Math.floor(nowNs / 1_000_000) % MS_PER_DAY
  if (flag === TIMESTAMP_ONLY) {
    set32(bytes, at + pointer - 1, ms)
    bytes[at + 2] = pointer + 4
    return -1
  }
  if (flag !== TIMESTAMP_AND_ADDRESS && flag !== TIMESTAMP_PRESPECIFIED) return 3
  if (pointer + 7 > length) return 2
  if (flag === TIMESTAMP_AND_ADDRESS) set32(bytes, at + pointer - 1, address)
  else if (!isLocal(get32(bytes, at + pointer - 1))) return -1
  set32(bytes, at + pointer + 3, ms)
  bytes[at + 2] = pointer + 8
  return -1
}
