/**
 * SCTP's common header (RFC 9260, section 3.1) and its checksum, CRC-32c over the packet with the checksum
 * field zero (appendix A), least significant octet first. Enough to count, route and translate packets.
 * Not supported: associations; chunks are walked by type and length only.
 */
import { get16, get32, set16, set32 } from "./bytes.ts"

export const HEADER_BYTES = 12
export const CHUNK_HEADER_BYTES = 4
const CHECKSUM = 8

export const Fault = { None: 0, Truncated: 1, Checksum: 2 } as const
export type Fault = (typeof Fault)[keyof typeof Fault]

export interface Fields {
  readonly srcPort: number
  readonly dstPort: number
  readonly verificationTag: number
  readonly checksum: number
}

export function check(bytes: Uint8Array, at: number, end: number): Fault {
  if (end - at < HEADER_BYTES) return Fault.Truncated
  return crc(bytes, at, end) === checksum(bytes, at) ? Fault.None : Fault.Checksum
}

export function srcPort(bytes: Uint8Array, at: number): number {
  return get16(bytes, at)
}

export function dstPort(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 2)
}

export function verificationTag(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 4)
}

/** As it stands in the header, a signed word. */
export function checksum(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + CHECKSUM)
}

export function chunkType(bytes: Uint8Array, at: number): number {
  return bytes[at]!
}

/** With its header and without its padding. */
export function chunkLength(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 2)
}

export function writeHeader(bytes: Uint8Array, at: number, src: number, dst: number, tag: number): number {
  set16(bytes, at, src)
  set16(bytes, at + 2, dst)
  set32(bytes, at + 4, tag)
  set32(bytes, at + CHECKSUM, 0)
  return HEADER_BYTES
}

/** Whoever changes a port sums again: a CRC is not updated by difference here. */
export function finishChecksum(bytes: Uint8Array, at: number, end: number): void {
  set32(bytes, at + CHECKSUM, crc(bytes, at, end))
}

export function read(bytes: Uint8Array, at: number): Fields {
  return {
    srcPort: srcPort(bytes, at),
    dstPort: dstPort(bytes, at),
    verificationTag: verificationTag(bytes, at),
    checksum: checksum(bytes, at)
  }
}

/** CRC-32c by octets: 256 words of table, made once. */
const TABLE = (() => {
  const table = new Int32Array(256)
  for (let n = 0; n < 256; n++) {
    let c = n
    for (let k = 0; k < 8; k++) c = (c & 1) !== 0 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
    table[n] = c
  }
  return table
})()

function crc(bytes: Uint8Array, at: number, end: number): number {
  let c = -1
  for (let i = at; i < end; i++) {
    const octet = i - at >= CHECKSUM && i - at < CHECKSUM + 4 ? 0 : bytes[i]!
    c = (c >>> 8) ^ TABLE[(c ^ octet) & 255]!
  }
  c = ~c
  return ((c & 255) << 24) | ((c & 0xff00) << 8) | ((c >>> 8) & 0xff00) | (c >>> 24)
}
