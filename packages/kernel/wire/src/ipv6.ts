/** IPv6's fixed header (RFC 8200, section 3). Extension headers are in `ipv6-ext.ts`. */
import { copy, get16, get32, set16, set32 } from "./bytes.ts"
import { type Ip, write as writeIp } from "./ip.ts"

export const HEADER_BYTES = 40
/** The smallest MTU of any link (section 5). */
export const MTU_MIN = 1280
const PAYLOAD_LENGTH = 4
const NEXT_HEADER = 6
const HOP_LIMIT = 7
/** Offsets of the addresses in the header. */
export const SRC = 8
export const DST = 24

export const Fault = { None: 0, Truncated: 1, Version: 2, PayloadLength: 3 } as const
export type Fault = (typeof Fault)[keyof typeof Fault]

export interface Fields {
  readonly trafficClass: number
  readonly flowLabel: number
  readonly payloadLength: number
  readonly nextHeader: number
  readonly hopLimit: number
  readonly src: Ip
  readonly dst: Ip
}

/** Bytes behind the payload are padding, not a fault. Jumbograms are not supported. */
export function check(bytes: Uint8Array, at: number, end: number): Fault {
  if (end - at < HEADER_BYTES) return Fault.Truncated
  if (bytes[at]! >>> 4 !== 6) return Fault.Version
  return payloadLength(bytes, at) > end - at - HEADER_BYTES ? Fault.PayloadLength : Fault.None
}

export function trafficClass(bytes: Uint8Array, at: number): number {
  return (get16(bytes, at) >>> 4) & 0xff
}

export function flowLabel(bytes: Uint8Array, at: number): number {
  return get32(bytes, at) & 0xfffff
}

export function payloadLength(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + PAYLOAD_LENGTH)
}

export function nextHeader(bytes: Uint8Array, at: number): number {
  return bytes[at + NEXT_HEADER]!
}

export function hopLimit(bytes: Uint8Array, at: number): number {
  return bytes[at + HOP_LIMIT]!
}

/** Word `i` (0 to 3) of an address. */
export function srcWord(bytes: Uint8Array, at: number, i: number): number {
  return get32(bytes, at + SRC + 4 * i)
}

export function dstWord(bytes: Uint8Array, at: number, i: number): number {
  return get32(bytes, at + DST + 4 * i)
}

export function isMulticastDst(bytes: Uint8Array, at: number): boolean {
  return bytes[at + DST] === 0xff
}

export function isMulticastSrc(bytes: Uint8Array, at: number): boolean {
  return bytes[at + SRC] === 0xff
}

export function isUnspecified(bytes: Uint8Array, addressAt: number): boolean {
  return get32(bytes, addressAt) === 0 && get32(bytes, addressAt + 4) === 0 &&
    get32(bytes, addressAt + 8) === 0 && get32(bytes, addressAt + 12) === 0
}

export function setPayloadLength(bytes: Uint8Array, at: number, value: number): void {
  set16(bytes, at + PAYLOAD_LENGTH, value)
}

export function setNextHeader(bytes: Uint8Array, at: number, value: number): void {
  bytes[at + NEXT_HEADER] = value
}

export function setHopLimit(bytes: Uint8Array, at: number, value: number): void {
  bytes[at + HOP_LIMIT] = value
}

export function writeHeader(
  bytes: Uint8Array, at: number, tclass: number, flow: number, payload: number, next: number,
  hops: number, source: Ip, destination: Ip
): number {
  set32(bytes, at, 0x60000000 | (tclass << 20) | (flow & 0xfffff))
  set16(bytes, at + PAYLOAD_LENGTH, payload)
  bytes[at + NEXT_HEADER] = next
  bytes[at + HOP_LIMIT] = hops
  writeIp(bytes, at + SRC, source)
  writeIp(bytes, at + DST, destination)
  return HEADER_BYTES
}

/** The header of an answer: addresses of `from`'s header at `fromAt`, swapped. */
export function copySwapped(bytes: Uint8Array, at: number, from: Uint8Array, fromAt: number): void {
  copy(bytes, at + SRC, from, fromAt + DST, 16)
  copy(bytes, at + DST, from, fromAt + SRC, 16)
}

export function read(bytes: Uint8Array, at: number): Fields {
  const address = (from: number) => Int32Array.of(0, 1, 2, 3).map((i) => get32(bytes, from + 4 * i))
  return {
    trafficClass: trafficClass(bytes, at),
    flowLabel: flowLabel(bytes, at),
    payloadLength: payloadLength(bytes, at),
    nextHeader: nextHeader(bytes, at),
    hopLimit: hopLimit(bytes, at),
    src: address(at + SRC),
    dst: address(at + DST)
  }
}

export function write(bytes: Uint8Array, at: number, fields: Fields): number {
  return writeHeader(
    bytes, at, fields.trafficClass, fields.flowLabel, fields.payloadLength, fields.nextHeader,
    fields.hopLimit, fields.src, fields.dst
  )
}
