/** TCP's header (RFC 9293, section 3.1). Options are in `tcp-options.ts`. */
import { get16, get32, set16, set32 } from "./bytes.ts"
import { finish, pseudo4, pseudo6, sum } from "./checksum.ts"
import * as ipproto from "./ipproto.ts"
import * as ipv6 from "./ipv6.ts"

export const HEADER_BYTES_MIN = 20
export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const PSH = 0x08
export const ACK = 0x10
export const URG = 0x20
export const ECE = 0x40
export const CWR = 0x80

export const Fault = { None: 0, Truncated: 1, DataOffset: 2, Checksum: 3 } as const
export type Fault = (typeof Fault)[keyof typeof Fault]

export interface Fields {
  readonly srcPort: number
  readonly dstPort: number
  readonly seq: number
  readonly ack: number
  readonly headerBytes: number
  readonly flags: number
  readonly window: number
  readonly checksum: number
  readonly urgentPointer: number
}

/** Lengths only; the checksum needs addresses: `check4`, `check6`. */
export function check(bytes: Uint8Array, at: number, end: number): Fault {
  if (end - at < HEADER_BYTES_MIN) return Fault.Truncated
  const header = dataOffsetBytes(bytes, at)
  return header < HEADER_BYTES_MIN || header > end - at ? Fault.DataOffset : Fault.None
}

export function check4(
  bytes: Uint8Array, at: number, end: number, src: number, dst: number, words?: Int32Array
): Fault {
  const fault = check(bytes, at, end)
  if (fault !== Fault.None) return fault
  return finish(sum(bytes, at, end, pseudo4(src, dst, ipproto.TCP, end - at), words)) === 0
    ? Fault.None
    : Fault.Checksum
}

export function check6(bytes: Uint8Array, at: number, end: number, ipAt: number, words?: Int32Array): Fault {
  const fault = check(bytes, at, end)
  if (fault !== Fault.None) return fault
  const pseudo = pseudo6(bytes, ipAt + ipv6.SRC, ipAt + ipv6.DST, ipproto.TCP, end - at, words)
  return finish(sum(bytes, at, end, pseudo, words)) === 0 ? Fault.None : Fault.Checksum
}

export function srcPort(bytes: Uint8Array, at: number): number {
  return get16(bytes, at)
}

export function dstPort(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 2)
}

/** Sequence numbers are signed words: compare by difference. */
export function seq(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 4)
}

export function ack(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 8)
}

export function dataOffsetBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at + 12]! >>> 4) << 2
}

export function flags(bytes: Uint8Array, at: number): number {
  return bytes[at + 13]!
}

export function window(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 14)
}

export function checksum(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 16)
}

export function urgentPointer(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 18)
}

export function writeHeader(
  bytes: Uint8Array, at: number, src: number, dst: number, sequence: number, acknowledge: number,
  headerBytes: number, flagBits: number, windowField: number
): number {
  set16(bytes, at, src)
  set16(bytes, at + 2, dst)
  set32(bytes, at + 4, sequence)
  set32(bytes, at + 8, acknowledge)
  bytes[at + 12] = (headerBytes >>> 2) << 4
  bytes[at + 13] = flagBits
  set16(bytes, at + 14, windowField)
  set32(bytes, at + 16, 0)
  return headerBytes
}

export function finishChecksum4(
  bytes: Uint8Array, at: number, end: number, src: number, dst: number, words?: Int32Array
): void {
  set16(bytes, at + 16, 0)
  set16(bytes, at + 16, finish(sum(bytes, at, end, pseudo4(src, dst, ipproto.TCP, end - at), words)))
}

export function finishChecksum6(
  bytes: Uint8Array, at: number, end: number, ipAt: number, words?: Int32Array
): void {
  set16(bytes, at + 16, 0)
  const pseudo = pseudo6(bytes, ipAt + ipv6.SRC, ipAt + ipv6.DST, ipproto.TCP, end - at, words)
  set16(bytes, at + 16, finish(sum(bytes, at, end, pseudo, words)))
}

export function read(bytes: Uint8Array, at: number): Fields {
  return {
    srcPort: srcPort(bytes, at),
    dstPort: dstPort(bytes, at),
    seq: seq(bytes, at),
    ack: ack(bytes, at),
    headerBytes: dataOffsetBytes(bytes, at),
    flags: flags(bytes, at),
    window: window(bytes, at),
    checksum: checksum(bytes, at),
    urgentPointer: urgentPointer(bytes, at)
  }
}
