/** Ethernet II (IEEE 802.3, clause 3). The caller knows that HEADER_BYTES are there. */
import { get16, get32, set16, set32 } from "./bytes.ts"
import * as mac from "./mac.ts"

export const HEADER_BYTES = 14
/** Without the frame check sequence, which no tap on Linux shows. */
export const FRAME_BYTES_MIN = 60
const DST = 0
const SRC = 6
const TYPE = 12

export const Fault = { None: 0, Truncated: 1 } as const
export type Fault = (typeof Fault)[keyof typeof Fault]

export interface Fields {
  readonly dst: number
  readonly src: number
  readonly etherType: number
}

export function check(_bytes: Uint8Array, at: number, end: number): Fault {
  return end - at < HEADER_BYTES ? Fault.Truncated : Fault.None
}

export function etherType(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + TYPE)
}

export function setEtherType(bytes: Uint8Array, at: number, type: number): void {
  set16(bytes, at + TYPE, type)
}

export function dstHi(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + DST)
}

export function dstLo(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + DST + 2)
}

export function srcHi(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + SRC)
}

export function srcLo(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + SRC + 2)
}

export function dst(bytes: Uint8Array, at: number): number {
  return mac.of(dstHi(bytes, at), dstLo(bytes, at))
}

export function src(bytes: Uint8Array, at: number): number {
  return mac.of(srcHi(bytes, at), srcLo(bytes, at))
}

export function setDst(bytes: Uint8Array, at: number, hi: number, lo: number): void {
  set16(bytes, at + DST, hi)
  set32(bytes, at + DST + 2, lo)
}

export function setSrc(bytes: Uint8Array, at: number, hi: number, lo: number): void {
  set16(bytes, at + SRC, hi)
  set32(bytes, at + SRC + 2, lo)
}

/** The destination's group bit: multicast or broadcast. */
export function isGroup(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + DST]! & 1) !== 0
}

export function isBroadcast(bytes: Uint8Array, at: number): boolean {
  return dstHi(bytes, at) === 0xffff && dstLo(bytes, at) === -1
}

export function read(bytes: Uint8Array, at: number): Fields {
  return { dst: dst(bytes, at), src: src(bytes, at), etherType: etherType(bytes, at) }
}

export function write(bytes: Uint8Array, at: number, fields: Fields): number {
  setDst(bytes, at, mac.hi(fields.dst), mac.lo(fields.dst))
  setSrc(bytes, at, mac.hi(fields.src), mac.lo(fields.src))
  setEtherType(bytes, at, fields.etherType)
  return HEADER_BYTES
}
