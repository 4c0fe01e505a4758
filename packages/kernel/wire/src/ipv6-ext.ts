/**
 * IPv6 extension headers (RFC 8200, section 4): hop-by-hop and destination options, routing,
 * fragment, authentication. `walk` goes from the fixed header to the upper one and stops at a
 * non-first fragment, at ESP, at "no next header", or at a fault.
 * Not supported: looking inside ESP.
 */
import { get16, get32, set16, set32 } from "./bytes.ts"
import * as ipproto from "./ipproto.ts"
import * as ipv6 from "./ipv6.ts"

export const FRAGMENT_BYTES = 8
/** No extension header is shorter. */
export const HEADER_BYTES_MIN = 8
/** More headers than this are refused: nobody sends them, and a walk must end. */
const HEADERS_MAX = 8

export const Fault = {
  None: 0, Truncated: 1, HopByHopNotFirst: 2, TooMany: 3, RoutingHeader: 4, Option: 5
} as const
export type Fault = (typeof Fault)[keyof typeof Fault]

/** What a walk found; one scratch object serves a namespace. */
export class Upper {
  /** The upper protocol, and where it starts. */
  protocol = 0
  at = 0
  /** The fragment header, or -1. */
  fragmentAt = -1
  /** The octet that names the upper protocol: what a parameter problem points at. */
  nextHeaderAt = 0
  /** The hop-by-hop options header, or -1. */
  hopByHopAt = -1
  /** Where the fault is, and what ICMPv6 says of it: code of a parameter problem, or -1 for silence. */
  faultAt = 0
  faultCode = -1
}

export function walk(bytes: Uint8Array, at: number, end: number, into: Upper): Fault {
  into.fragmentAt = -1
  into.hopByHopAt = -1
  into.nextHeaderAt = at + 6
  into.protocol = ipv6.nextHeader(bytes, at)
  into.at = at + ipv6.HEADER_BYTES
  into.faultCode = -1
  for (let count = 0; count <= HEADERS_MAX; count++) {
    const kind = into.protocol
    if (!isExtension(kind)) return Fault.None
    const start = into.at
    if (kind === ipproto.HOPOPTS && count > 0) {
      into.faultAt = into.nextHeaderAt
      into.faultCode = 1
      return Fault.HopByHopNotFirst
    }
    if (start + HEADER_BYTES_MIN > end) return truncated(into, start)
    const length = headerBytes(bytes, start, kind)
    if (start + length > end) return truncated(into, start)
    if (kind === ipproto.HOPOPTS) into.hopByHopAt = start
    if (kind === ipproto.HOPOPTS || kind === ipproto.DSTOPTS) {
      const fault = options(bytes, start + 2, start + length, into)
      if (fault !== Fault.None) return fault
    }
    if (kind === ipproto.ROUTING && bytes[start + 3]! > 0) {
      // Segments left: type 0 is deprecated (RFC 5095) and no other type is known here.
      into.faultAt = start + 2
      into.faultCode = 0
      return Fault.RoutingHeader
    }
    into.protocol = bytes[start]!
    into.nextHeaderAt = start
    into.at = start + length
    if (kind === ipproto.FRAGMENT) {
      into.fragmentAt = start
      if (fragmentOffsetBytes(bytes, start) > 0) return Fault.None
    }
  }
  into.faultAt = into.nextHeaderAt
  return Fault.TooMany
}

/** In front of the upper header, and with a length that can be skipped. */
export function isExtension(kind: number): boolean {
  return kind === ipproto.HOPOPTS || kind === ipproto.ROUTING || kind === ipproto.FRAGMENT ||
    kind === ipproto.DSTOPTS || kind === ipproto.AH
}

/** How long the header is that `kind` announced; its first octets must be there. */
export function headerBytes(bytes: Uint8Array, at: number, kind: number): number {
  if (kind === ipproto.FRAGMENT) return FRAGMENT_BYTES
  return kind === ipproto.AH ? (bytes[at + 1]! + 2) * 4 : (bytes[at + 1]! + 1) * 8
}

export function nextHeader(bytes: Uint8Array, at: number): number {
  return bytes[at]!
}

export function fragmentOffsetBytes(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 2) & 0xfff8
}

export function moreFragments(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + 3]! & 1) !== 0
}

export function fragmentId(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 4)
}

export function writeFragment(
  bytes: Uint8Array, at: number, next: number, offsetBytes: number, more: boolean, id: number
): number {
  bytes[at] = next
  bytes[at + 1] = 0
  set16(bytes, at + 2, offsetBytes | (more ? 1 : 0))
  set32(bytes, at + 4, id)
  return FRAGMENT_BYTES
}

/** Options that nobody knows act as their two high bits say (section 4.2). */
function options(bytes: Uint8Array, from: number, end: number, into: Upper): Fault {
  for (let i = from; i < end;) {
    const type = bytes[i]!
    if (type === 0) {
      i++
      continue
    }
    const length = i + 1 < end ? bytes[i + 1]! + 2 : end
    if (i + length > end) {
      into.faultAt = i
      into.faultCode = 0
      return Fault.Option
    }
    const known = type === 1 || type === 5 || type === 0xc2 || type === 0xc9
    if (!known && type >>> 6 !== 0) {
      into.faultAt = i
      into.faultCode = type >>> 6 === 1 ? -1 : type >>> 6 === 2 ? 2 : 3
      return Fault.Option
    }
    i += length
  }
  return Fault.None
}

function truncated(into: Upper, at: number): Fault {
  into.faultAt = at
  into.faultCode = -1
  return Fault.Truncated
}
