/**
 * IPv4 options (RFC 791, section 3.1; RFC 2113): what a router and a host do with record route, timestamp,
 * router alert and source routes. `check` is ip_options_compile: it names the first fault and the octet that
 * a parameter problem points at; the other functions trust it. Types are `ipv4.Option`, places come from
 * `ipv4.findOption`. Whoever fills in an address or a time sums the header again (`ipv4.updateChecksum`).
 * Not supported: security and stream identifier options (passed over), CIPSO.
 */
import { get32, set32 } from "./bytes.ts"
import * as ipv4 from "./ipv4.ts"

const POINTER = 2
const TIMESTAMP_FLAGS = 3
/** Where the first slot is, counted from 1: the least that a pointer may say. */
const ROUTE_POINTER_MIN = 4
const TIMESTAMP_POINTER_MIN = 5
const SOURCE_ROUTE = 4

/** Flags of a timestamp option (its low four bits). */
export const Timestamp = { Only: 0, WithAddress: 1, Prespecified: 3 } as const

export const Fault = {
  None: 0,
  /** An option runs over the header, or is shorter than its type allows. */
  Length: 1,
  /** A pointer that points at no slot. */
  Pointer: 2,
  /** The same option twice, where once is meant. */
  Repeated: 3,
  /** A timestamp option that has counted all the overflow it can. */
  Overflow: 4
} as const
export type Fault = (typeof Fault)[keyof typeof Fault]

/** What a check found: the fault, and the octet of the header that it is in. */
export class Verdict {
  fault: Fault = Fault.None
  pointer = 0

  say(fault: Fault, pointer: number): Fault {
    this.fault = fault
    this.pointer = pointer
    return fault
  }
}

/** Every option of the header at `at`, in the order of ip_options_compile's tests. */
export function check(bytes: Uint8Array, at: number, into: Verdict): Fault {
  const end = at + ipv4.headerBytes(bytes, at)
  let seen = 0
  into.say(Fault.None, 0)
  for (let i = at + ipv4.HEADER_BYTES_MIN; i < end;) {
    const type = bytes[i]!
    if (type === ipv4.Option.End) break
    if (type === ipv4.Option.NoOperation) {
      i++
      continue
    }
    const length = i + 1 < end ? bytes[i + 1]! : 0
    if (length < 2 || i + length > end) return into.say(Fault.Length, i - at)
    const bit = kindBit(type)
    const repeated = bit !== 0 && (seen & bit) !== 0
    seen |= bit
    // Linux looks at a second source route's own fields first, and at no other's.
    if (repeated && bit !== SOURCE_ROUTE) return into.say(Fault.Repeated, i - at)
    if (checkOne(bytes, at, i, type, length, into) !== Fault.None) return into.fault
    if (repeated) return into.say(Fault.Repeated, i - at)
    i += length
  }
  return into.say(Fault.None, 0)
}

/** The address in slot `n` (from 0) of a route option at `option`. */
export function routeAddress(bytes: Uint8Array, option: number, n: number): number {
  return get32(bytes, option + ROUTE_POINTER_MIN - 1 + 4 * n)
}

/**
 * How many slots of a route option are behind its pointer: filled (record route) or used up (source route).
 */
export function routeUsed(bytes: Uint8Array, option: number): number {
  return (bytes[option + POINTER]! - ROUTE_POINTER_MIN) >> 2
}

/** No whole slot is left. A source route then says that its end is reached. */
export function isFull(bytes: Uint8Array, option: number): boolean {
  return bytes[option + POINTER]! + 3 > bytes[option + 1]!
}

/** Writes the address into the next slot of a route option; false when it was full (ip_forward_options). */
export function record(bytes: Uint8Array, option: number, address: number): boolean {
  if (isFull(bytes, option)) return false
  set32(bytes, option + bytes[option + POINTER]! - 1, address)
  bytes[option + POINTER]! += 4
  return true
}

/** The address that a source route names next; only when it is not at its end. */
export function nextHop(bytes: Uint8Array, option: number): number {
  return get32(bytes, option + bytes[option + POINTER]! - 1)
}

/**
 * Stamps a timestamp option with milliseconds since midnight. Without room the overflow count goes up, and a
 * prespecified slot of somebody else stays as it is. True when something was written.
 */
export function stamp(bytes: Uint8Array, option: number, address: number, milliseconds: number): boolean {
  const flags = bytes[option + TIMESTAMP_FLAGS]! & 15
  const slotBytes = flags === Timestamp.Only ? 4 : 8
  const pointer = bytes[option + POINTER]!
  if (pointer + slotBytes - 1 > bytes[option + 1]!) {
    if (flags === Timestamp.Prespecified || bytes[option + TIMESTAMP_FLAGS]! >>> 4 === 15) return false
    bytes[option + TIMESTAMP_FLAGS]! += 0x10
    return true
  }
  let at = option + pointer - 1
  if (flags === Timestamp.Prespecified && get32(bytes, at) !== address) return false
  if (slotBytes === 8) {
    set32(bytes, at, address)
    at += 4
  }
  set32(bytes, at, milliseconds)
  bytes[option + POINTER]! += slotBytes
  return true
}

/** Copied into every fragment (the high bit of the type). */
export function isCopied(type: number): boolean {
  return (type & 0x80) !== 0
}

function checkOne(
  bytes: Uint8Array, at: number, i: number, type: number, length: number, into: Verdict
): Fault {
  const pointer = length > POINTER ? bytes[i + POINTER]! : 0
  switch (type) {
    case ipv4.Option.RecordRoute:
    case ipv4.Option.LooseSourceRoute:
    case ipv4.Option.StrictSourceRoute:
      if (length < 3) return into.say(Fault.Length, i + 1 - at)
      if (pointer < ROUTE_POINTER_MIN) return into.say(Fault.Pointer, i + 2 - at)
      return type === ipv4.Option.RecordRoute && pointer <= length && pointer + 3 > length
        ? into.say(Fault.Pointer, i + 2 - at)
        : Fault.None
    case ipv4.Option.Timestamp:
      return checkTimestamp(bytes, at, i, length, pointer, into)
    case ipv4.Option.RouterAlert:
      return length < 4 ? into.say(Fault.Length, i + 1 - at) : Fault.None
    default:
      return Fault.None
  }
}

function checkTimestamp(
  bytes: Uint8Array, at: number, i: number, length: number, pointer: number, into: Verdict
): Fault {
  if (length < 4) return into.say(Fault.Length, i + 1 - at)
  if (pointer < TIMESTAMP_POINTER_MIN) return into.say(Fault.Pointer, i + 2 - at)
  const flags = bytes[i + TIMESTAMP_FLAGS]! & 15
  if (pointer > length) {
    const full = flags !== Timestamp.Prespecified && bytes[i + TIMESTAMP_FLAGS]! >>> 4 === 15
    return full ? into.say(Fault.Overflow, i + 3 - at) : Fault.None
  }
  const { Only, WithAddress, Prespecified } = Timestamp
  const known = flags === Only || flags === WithAddress || flags === Prespecified
  return known && pointer + (flags === Timestamp.Only ? 3 : 7) > length
    ? into.say(Fault.Pointer, i + 2 - at)
    : Fault.None
}

/** Options that may stand once; both source routes count as one. */
function kindBit(type: number): number {
  if (type === ipv4.Option.RecordRoute) return 1
  if (type === ipv4.Option.Timestamp) return 2
  return type === ipv4.Option.LooseSourceRoute || type === ipv4.Option.StrictSourceRoute ? SOURCE_ROUTE : 0
}
