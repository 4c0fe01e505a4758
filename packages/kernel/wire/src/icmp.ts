/** ICMP for IPv4 (RFC 792). The checksum covers the whole message. */
import { get16, get32, set16, set32 } from "./bytes.ts"
import { finish, sum } from "./checksum.ts"

export const HEADER_BYTES = 8
export const ECHO_REPLY = 0
export const DEST_UNREACH = 3
export const SOURCE_QUENCH = 4
export const REDIRECT = 5
export const ECHO_REQUEST = 8
export const TIME_EXCEEDED = 11
export const PARAMETER_PROBLEM = 12
export const TIMESTAMP = 13
export const TIMESTAMP_REPLY = 14

export const NET_UNREACH = 0
export const HOST_UNREACH = 1
export const PROT_UNREACH = 2
export const PORT_UNREACH = 3
export const FRAG_NEEDED = 4
export const SR_FAILED = 5
export const PKT_FILTERED = 13
export const EXC_TTL = 0
export const EXC_FRAGTIME = 1

export const Fault = { None: 0, Truncated: 1, Checksum: 2 } as const
export type Fault = (typeof Fault)[keyof typeof Fault]

export function check(bytes: Uint8Array, at: number, end: number, words?: Int32Array): Fault {
  if (end - at < HEADER_BYTES) return Fault.Truncated
  return finish(sum(bytes, at, end, 0, words)) === 0 ? Fault.None : Fault.Checksum
}

export interface Fields {
  readonly type: number
  readonly code: number
  readonly checksum: number
  readonly word: number
}

export function type(bytes: Uint8Array, at: number): number {
  return bytes[at]!
}

export function code(bytes: Uint8Array, at: number): number {
  return bytes[at + 1]!
}

export function checksum(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 2)
}

export function echoId(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 4)
}

export function echoSeq(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 6)
}

/** The second word: identifier and sequence, next-hop MTU, pointer or gateway, by type. */
export function word(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 4)
}

export function writeHeader(bytes: Uint8Array, at: number, kind: number, sub: number, rest: number): number {
  bytes[at] = kind
  bytes[at + 1] = sub
  set16(bytes, at + 2, 0)
  set32(bytes, at + 4, rest)
  return HEADER_BYTES
}

export function finishChecksum(bytes: Uint8Array, at: number, end: number, words?: Int32Array): void {
  set16(bytes, at + 2, 0)
  set16(bytes, at + 2, finish(sum(bytes, at, end, 0, words)))
}

export function read(bytes: Uint8Array, at: number): Fields {
  return {
    type: type(bytes, at), code: code(bytes, at), checksum: checksum(bytes, at), word: word(bytes, at)
  }
}

/** An error about another packet, which it quotes; such a message is never answered by an error. */
export function isError(kind: number): boolean {
  return kind === DEST_UNREACH || kind === SOURCE_QUENCH || kind === REDIRECT ||
    kind === TIME_EXCEEDED || kind === PARAMETER_PROBLEM
}
