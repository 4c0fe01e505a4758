/** UDP (RFC 768). In IPv4 a checksum of zero means none; in IPv6 it is required (RFC 8200, 8.1). */
import { get16, set16 } from "./bytes.ts"
import { finish, pseudo4, pseudo6, sum } from "./checksum.ts"
import * as ipproto from "./ipproto.ts"
import * as ipv6 from "./ipv6.ts"

export const HEADER_BYTES = 8

export const Fault = { None: 0, Truncated: 1, Length: 2, Checksum: 3 } as const
export type Fault = (typeof Fault)[keyof typeof Fault]

export interface Fields {
  readonly srcPort: number
  readonly dstPort: number
  readonly length: number
  readonly checksum: number
}

/** The length field only; the checksum needs addresses: `check4`, `check6`. */
export function check(bytes: Uint8Array, at: number, end: number): Fault {
  if (end - at < HEADER_BYTES) return Fault.Truncated
  const bytesInField = length(bytes, at)
  return bytesInField < HEADER_BYTES || bytesInField > end - at ? Fault.Length : Fault.None
}

export function check4(
  bytes: Uint8Array, at: number, end: number, src: number, dst: number, words?: Int32Array
): Fault {
  const fault = check(bytes, at, end)
  if (fault !== Fault.None || checksum(bytes, at) === 0) return fault
  const count = length(bytes, at)
  return finish(sum(bytes, at, at + count, pseudo4(src, dst, ipproto.UDP, count), words)) === 0
    ? Fault.None
    : Fault.Checksum
}

export function check6(bytes: Uint8Array, at: number, end: number, ipAt: number, words?: Int32Array): Fault {
  const fault = check(bytes, at, end)
  if (fault !== Fault.None) return fault
  if (checksum(bytes, at) === 0) return Fault.Checksum
  const count = length(bytes, at)
  const pseudo = pseudo6(bytes, ipAt + ipv6.SRC, ipAt + ipv6.DST, ipproto.UDP, count, words)
  return finish(sum(bytes, at, at + count, pseudo, words)) === 0 ? Fault.None : Fault.Checksum
}

export function srcPort(bytes: Uint8Array, at: number): number {
  return get16(bytes, at)
}

export function dstPort(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 2)
}

export function length(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 4)
}

export function checksum(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 6)
}

export function setChecksum(bytes: Uint8Array, at: number, value: number): void {
  set16(bytes, at + 6, value)
}

export function writeHeader(bytes: Uint8Array, at: number, src: number, dst: number, count: number): number {
  set16(bytes, at, src)
  set16(bytes, at + 2, dst)
  set16(bytes, at + 4, count)
  set16(bytes, at + 6, 0)
  return HEADER_BYTES
}

export function finishChecksum4(
  bytes: Uint8Array, at: number, end: number, src: number, dst: number, words?: Int32Array
): void {
  setChecksum(bytes, at, 0)
  const value = finish(sum(bytes, at, end, pseudo4(src, dst, ipproto.UDP, end - at), words))
  setChecksum(bytes, at, value === 0 ? 0xffff : value)
}

export function finishChecksum6(
  bytes: Uint8Array, at: number, end: number, ipAt: number, words?: Int32Array
): void {
  setChecksum(bytes, at, 0)
  const pseudo = pseudo6(bytes, ipAt + ipv6.SRC, ipAt + ipv6.DST, ipproto.UDP, end - at, words)
  const value = finish(sum(bytes, at, end, pseudo, words))
  setChecksum(bytes, at, value === 0 ? 0xffff : value)
}

export function read(bytes: Uint8Array, at: number): Fields {
  return {
    srcPort: srcPort(bytes, at),
    dstPort: dstPort(bytes, at),
    length: length(bytes, at),
    checksum: checksum(bytes, at)
  }
}
