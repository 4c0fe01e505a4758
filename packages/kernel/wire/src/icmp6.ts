/**
 * ICMPv6 (RFC 4443). Its checksum covers the pseudo header too, so the IPv6 header's place is an argument.
 */
import { get16, get32, set16, set32 } from "./bytes.ts"
import { finish, pseudo6, sum } from "./checksum.ts"
import * as ipproto from "./ipproto.ts"
import * as ipv6 from "./ipv6.ts"

export const HEADER_BYTES = 8
export const DEST_UNREACH = 1
export const PACKET_TOO_BIG = 2
export const TIME_EXCEEDED = 3
export const PARAMETER_PROBLEM = 4
export const ECHO_REQUEST = 128
export const ECHO_REPLY = 129
export const MLD_QUERY = 130
export const MLD_REPORT = 131
export const MLD_DONE = 132
export const ROUTER_SOLICITATION = 133
export const ROUTER_ADVERTISEMENT = 134
export const NEIGHBOR_SOLICITATION = 135
export const NEIGHBOR_ADVERTISEMENT = 136
export const REDIRECT = 137
export const MLD2_REPORT = 143

export const NO_ROUTE = 0
export const ADM_PROHIBITED = 1
export const BEYOND_SCOPE = 2
export const ADDR_UNREACH = 3
export const PORT_UNREACH = 4
export const EXC_HOPLIMIT = 0
export const EXC_FRAGTIME = 1

export const Fault = { None: 0, Truncated: 1, Checksum: 2 } as const
export type Fault = (typeof Fault)[keyof typeof Fault]

export function check(bytes: Uint8Array, at: number, end: number, ipAt: number, words?: Int32Array): Fault {
  if (end - at < 4) return Fault.Truncated
  return finish(sum(bytes, at, end, pseudo(bytes, at, end, ipAt, words), words)) === 0 ? Fault.None : Fault.Checksum
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

/** The second word: identifier and sequence, MTU or pointer, by type. */
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

export function finishChecksum(
  bytes: Uint8Array, at: number, end: number, ipAt: number, words?: Int32Array
): void {
  set16(bytes, at + 2, 0)
  set16(bytes, at + 2, finish(sum(bytes, at, end, pseudo(bytes, at, end, ipAt, words), words)))
}

export function read(bytes: Uint8Array, at: number): Fields {
  return {
    type: type(bytes, at), code: code(bytes, at), checksum: checksum(bytes, at), word: word(bytes, at)
  }
}

/** Types below 128 are errors. */
export function isError(kind: number): boolean {
  return kind < 128
}

function pseudo(bytes: Uint8Array, at: number, end: number, ipAt: number, words?: Int32Array): number {
  return pseudo6(bytes, ipAt + ipv6.SRC, ipAt + ipv6.DST, ipproto.ICMPV6, end - at, words)
}
