/**
 * IPv4 (RFC 791). Addresses are signed words. `check` is the door: behind it the accessors trust the
 * header. `setSrc`, `setDst` and `decrementTtl` keep the header checksum by difference (RFC 1624);
 * the plain setters leave it to `updateChecksum`.
 */
import { get16, get32, set16, set32 } from "./bytes.ts"
import { finish, replace16, replace32, sum } from "./checksum.ts"

export const HEADER_BYTES_MIN = 20
export const HEADER_BYTES_MAX = 60
export const RESERVED = 0x8000
export const DF = 0x4000
export const MF = 0x2000
const OFFSET_MASK = 0x1fff

const TOS = 1
const TOTAL_LENGTH = 2
const ID = 4
const FRAGMENT = 6
const TTL = 8
const PROTOCOL = 9
const CHECKSUM = 10
const SRC = 12
const DST = 16

export const Fault = {
  None: 0, Truncated: 1, Version: 2, HeaderLength: 3, TotalLength: 4, Checksum: 5
} as const
export type Fault = (typeof Fault)[keyof typeof Fault]

export interface Fields {
  readonly tos: number
  readonly totalLength: number
  readonly id: number
  readonly flagsAndOffset: number
  readonly ttl: number
  readonly protocol: number
  readonly src: number
  readonly dst: number
}

/** What ip_rcv refuses, in its order. Bytes behind the total length are padding, not a fault. */
export function check(bytes: Uint8Array, at: number, end: number): Fault {
  if (end - at < HEADER_BYTES_MIN) return Fault.Truncated
  if (bytes[at]! >>> 4 !== 4) return Fault.Version
  const header = headerBytes(bytes, at)
  if (header < HEADER_BYTES_MIN) return Fault.HeaderLength
  if (end - at < header) return Fault.Truncated
  if (finish(sum(bytes, at, at + header)) !== 0) return Fault.Checksum
  const total = totalLength(bytes, at)
  return total < header || total > end - at ? Fault.TotalLength : Fault.None
}

export function headerBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at]! & 15) << 2
}

export function tos(bytes: Uint8Array, at: number): number {
  return bytes[at + TOS]!
}

export function totalLength(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + TOTAL_LENGTH)
}

export function id(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + ID)
}

export function flagsAndOffset(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + FRAGMENT)
}

export function dontFragment(bytes: Uint8Array, at: number): boolean {
  return (flagsAndOffset(bytes, at) & DF) !== 0
}

export function moreFragments(bytes: Uint8Array, at: number): boolean {
  return (flagsAndOffset(bytes, at) & MF) !== 0
}

export function fragmentOffsetBytes(bytes: Uint8Array, at: number): number {
  return (flagsAndOffset(bytes, at) & OFFSET_MASK) << 3
}

export function isFragment(bytes: Uint8Array, at: number): boolean {
  return (flagsAndOffset(bytes, at) & (MF | OFFSET_MASK)) !== 0
}

export function ttl(bytes: Uint8Array, at: number): number {
  return bytes[at + TTL]!
}

export function protocol(bytes: Uint8Array, at: number): number {
  return bytes[at + PROTOCOL]!
}

export function checksum(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + CHECKSUM)
}

export function src(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + SRC)
}

export function dst(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + DST)
}

export function setTos(bytes: Uint8Array, at: number, value: number): void {
  bytes[at + TOS] = value
}

export function setTotalLength(bytes: Uint8Array, at: number, value: number): void {
  set16(bytes, at + TOTAL_LENGTH, value)
}

export function setId(bytes: Uint8Array, at: number, value: number): void {
  set16(bytes, at + ID, value)
}

export function setFlagsAndOffset(bytes: Uint8Array, at: number, value: number): void {
  set16(bytes, at + FRAGMENT, value)
}

export function setTtl(bytes: Uint8Array, at: number, value: number): void {
  bytes[at + TTL] = value
}

export function setProtocol(bytes: Uint8Array, at: number, value: number): void {
  bytes[at + PROTOCOL] = value
}

/** The TTL must be above zero. */
export function decrementTtl(bytes: Uint8Array, at: number): void {
  const before = get16(bytes, at + TTL)
  set16(bytes, at + TTL, before - 0x100)
  set16(bytes, at + CHECKSUM, replace16(checksum(bytes, at), before, before - 0x100))
}

export function setSrc(bytes: Uint8Array, at: number, address: number): void {
  setAddress(bytes, at, SRC, address)
}

export function setDst(bytes: Uint8Array, at: number, address: number): void {
  setAddress(bytes, at, DST, address)
}

export function updateChecksum(bytes: Uint8Array, at: number): void {
  set16(bytes, at + CHECKSUM, 0)
  set16(bytes, at + CHECKSUM, finish(sum(bytes, at, at + headerBytes(bytes, at))))
}

/** A header without options, its checksum filled in. Returns its length. */
export function writeHeader(
  bytes: Uint8Array, at: number, typeOfService: number, total: number, identification: number,
  fragment: number, timeToLive: number, upper: number, source: number, destination: number
): number {
  bytes[at] = 0x45
  bytes[at + TOS] = typeOfService
  set16(bytes, at + TOTAL_LENGTH, total)
  set16(bytes, at + ID, identification)
  set16(bytes, at + FRAGMENT, fragment)
  bytes[at + TTL] = timeToLive
  bytes[at + PROTOCOL] = upper
  set32(bytes, at + SRC, source)
  set32(bytes, at + DST, destination)
  updateChecksum(bytes, at)
  return HEADER_BYTES_MIN
}

export function read(bytes: Uint8Array, at: number): Fields {
  return {
    tos: tos(bytes, at),
    totalLength: totalLength(bytes, at),
    id: id(bytes, at),
    flagsAndOffset: flagsAndOffset(bytes, at),
    ttl: ttl(bytes, at),
    protocol: protocol(bytes, at),
    src: src(bytes, at),
    dst: dst(bytes, at)
  }
}

export function write(bytes: Uint8Array, at: number, fields: Fields): number {
  return writeHeader(
    bytes, at, fields.tos, fields.totalLength, fields.id, fields.flagsAndOffset, fields.ttl,
    fields.protocol, fields.src, fields.dst
  )
}

/** Option types (the whole octet: copied flag, class, number). */
export const Option = {
  End: 0, NoOperation: 1, RecordRoute: 7, Timestamp: 68, LooseSourceRoute: 131,
  StrictSourceRoute: 137, RouterAlert: 148
} as const

/** The offset of the first option of that type, or -1; -2 when the options are malformed. */
export function findOption(bytes: Uint8Array, at: number, type: number): number {
  const end = at + headerBytes(bytes, at)
  for (let i = at + HEADER_BYTES_MIN; i < end;) {
    const kind = bytes[i]!
    if (kind === Option.End) return -1
    if (kind === Option.NoOperation) {
      i++
      continue
    }
    const length = i + 1 < end ? bytes[i + 1]! : 0
    if (length < 2 || i + length > end) return -2
    if (kind === type) return i
    i += length
  }
  return -1
}

function setAddress(bytes: Uint8Array, at: number, field: number, address: number): void {
  const before = get32(bytes, at + field)
  set32(bytes, at + field, address)
  set16(bytes, at + CHECKSUM, replace32(checksum(bytes, at), before, address))
}
