/**
 * Neighbour discovery (RFC 4861): solicitations and advertisements, their options, and the nonce that
 * tells one's own looped-back DAD probe from a rival's (RFC 7527). `at` is the ICMPv6 header.
 */
import { get16, get32, set16, set32 } from "./bytes.ts"
import * as icmp6 from "./icmp6.ts"
import { type Ip, write as writeIp } from "./ip.ts"
import * as mac from "./mac.ts"

/** Offset of the target address in NS, NA and redirect. */
export const TARGET = 8
export const MESSAGE_BYTES = 24
export const FLAG_ROUTER = 0x80000000 | 0
export const FLAG_SOLICITED = 0x40000000
export const FLAG_OVERRIDE = 0x20000000
export const OPTION_SOURCE_MAC = 1
export const OPTION_TARGET_MAC = 2
export const OPTION_PREFIX = 3
export const OPTION_MTU = 5
export const OPTION_NONCE = 14
/** Every message of neighbour discovery comes with this hop limit, or from afar. */
export const HOP_LIMIT = 255

export function flags(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 4)
}

/** False when an option has length zero or runs over the end: then the whole message is dropped. */
export function optionsValid(bytes: Uint8Array, from: number, end: number): boolean {
  let i = from
  while (i + 8 <= end) {
    const length = bytes[i + 1]! * 8
    if (length === 0) return false
    i += length
  }
  return i === end
}

/** The offset of an option's type octet, or -1. */
export function findOption(bytes: Uint8Array, from: number, end: number, type: number): number {
  for (let i = from; i + 8 <= end;) {
    const length = bytes[i + 1]! * 8
    if (length === 0 || i + length > end) return -1
    if (bytes[i] === type) return i
    i += length
  }
  return -1
}

/** A link-layer address option of an NS or NA at `at`, or -1. */
export function optionMac(bytes: Uint8Array, at: number, end: number, type: number): number {
  const option = findOption(bytes, at + MESSAGE_BYTES, end, type)
  return option < 0 ? -1 : mac.of(get16(bytes, option + 2), get32(bytes, option + 4))
}

/** A nonce option has six octets here; both halves are zero when there is none. */
export function writeSolicitation(
  bytes: Uint8Array, at: number, target: Ip, source: number, nonceHi = -1, nonceLo = 0
): number {
  icmp6.writeHeader(bytes, at, icmp6.NEIGHBOR_SOLICITATION, 0, 0)
  writeIp(bytes, at + TARGET, target)
  let length = MESSAGE_BYTES
  if (source >= 0) {
    length += option(bytes, at + length, OPTION_SOURCE_MAC, mac.hi(source), mac.lo(source))
  }
  if (nonceHi >= 0) length += option(bytes, at + length, OPTION_NONCE, nonceHi, nonceLo)
  return length
}

export function writeAdvertisement(
  bytes: Uint8Array, at: number, target: Ip, source: number, flagBits: number
): number {
  icmp6.writeHeader(bytes, at, icmp6.NEIGHBOR_ADVERTISEMENT, 0, flagBits)
  writeIp(bytes, at + TARGET, target)
  if (source < 0) return MESSAGE_BYTES
  return MESSAGE_BYTES +
    option(bytes, at + MESSAGE_BYTES, OPTION_TARGET_MAC, mac.hi(source), mac.lo(source))
}

function option(bytes: Uint8Array, at: number, type: number, hi: number, lo: number): number {
  bytes[at] = type
  bytes[at + 1] = 1
  set16(bytes, at + 2, hi)
  set32(bytes, at + 4, lo)
  return 8
}
