/**
 * What a packet says of its flow: addresses, protocol and what the protocol tells flows apart by (struct
 * nf_conntrack_tuple). A tuple is ten words of an Int32Array:
 *
 *   src[0..3]  dst[4..7]  KEY  META
 *
 * IPv4 has its address in the first word and zeros behind it. KEY is both ports, source first; of ICMP and
 * ICMPv6 the identifier, then type and code; zero where a protocol has neither. META is the family and the
 * protocol.
 *
 * Not supported: zones; GRE's call identifiers (all GRE between two hosts is one flow, as in Linux without
 * the PPTP helper).
 */
import { get16, get32 } from "@podwire/wire/bytes"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as ext from "@podwire/wire/ipv6-ext"

export const WORDS = 10
export const SRC = 0
export const DST = 4
export const KEY = 8
export const META = 9

export const UDPLITE = 136
export const DCCP = 33
export const GRE = 47

export type Family = 4 | 6

const OFFSET_MASK = 0x1fff

/** Where a packet's parts are; one scratch object serves a namespace. */
export class Place {
  family: Family = 4
  protocol = 0
  /** The transport header, and the end of the packet as IP says it. */
  l4 = 0
  end = 0
}

export function create(): Int32Array {
  return new Int32Array(WORDS)
}

export function meta(family: Family, protocol: number): number {
  return (family << 8) | protocol
}

export function family(tuple: Int32Array): Family {
  return tuple[META]! >>> 8 === 6 ? 6 : 4
}

export function protocol(tuple: Int32Array): number {
  return tuple[META]! & 0xff
}

export function hasPorts(proto: number): boolean {
  return proto === ipproto.TCP || proto === ipproto.UDP || proto === ipproto.SCTP || proto === UDPLITE
}

/**
 * Finds the transport header of the IP packet at `l3` (get_l4proto): false for a fragment that is not the
 * first and for headers that run over the end. `end` is the end of the bytes; padding behind the packet is
 * left out.
 */
export function locate(bytes: Uint8Array, l3: number, end: number, into: Place): boolean {
  if (end - l3 < ipv4.HEADER_BYTES_MIN) return false
  if (bytes[l3]! >>> 4 === 4) {
    if ((ipv4.flagsAndOffset(bytes, l3) & OFFSET_MASK) !== 0) return false
    const stop = l3 + ipv4.totalLength(bytes, l3)
    into.family = 4
    into.protocol = ipv4.protocol(bytes, l3)
    into.l4 = l3 + ipv4.headerBytes(bytes, l3)
    into.end = stop < end ? stop : end
    return into.l4 <= into.end
  }
  if (bytes[l3]! >>> 4 !== 6 || end - l3 < ipv6.HEADER_BYTES) return false
  const stop = l3 + ipv6.HEADER_BYTES + ipv6.payloadLength(bytes, l3)
  into.family = 6
  into.end = stop < end ? stop : end
  return upper6(bytes, l3, into)
}

/** Steps over extension headers and nothing else (ipv6_skip_exthdr). */
function upper6(bytes: Uint8Array, l3: number, into: Place): boolean {
  let next = ipv6.nextHeader(bytes, l3)
  let at = l3 + ipv6.HEADER_BYTES
  while (ext.isExtension(next)) {
    if (at + ext.HEADER_BYTES_MIN > into.end) return false
    if (next === ipproto.FRAGMENT && ext.fragmentOffsetBytes(bytes, at) !== 0) return false
    const length = ext.headerBytes(bytes, at, next)
    next = bytes[at]!
    at += length
  }
  into.protocol = next
  into.l4 = at
  return next !== ipproto.NONE && at <= into.end
}

/** The tuple of the packet at `l3`; false when its transport header is cut short (nf_ct_get_tuple). */
export function read(bytes: Uint8Array, l3: number, place: Place, into: Int32Array): boolean {
  const { family, protocol, l4, end } = place
  into[META] = (family << 8) | protocol
  if (family === 4) {
    into[0] = ipv4.src(bytes, l3)
    into[4] = ipv4.dst(bytes, l3)
    into[1] = into[2] = into[3] = into[5] = into[6] = into[7] = 0
  } else for (let i = 0; i < 8; i++) into[i] = get32(bytes, l3 + ipv6.SRC + 4 * i)
  into[KEY] = 0
  if (hasPorts(protocol)) {
    if (l4 + 4 > end) return false
    into[KEY] = get32(bytes, l4)
  } else if (protocol === ipproto.ICMP || protocol === ipproto.ICMPV6) {
    if (l4 + icmp.HEADER_BYTES > end) return false
    into[KEY] = (get16(bytes, l4 + 4) << 16) | get16(bytes, l4)
  }
  return true
}

/** What the answer looks like; false for a message that has none (nf_ct_invert_tuple). */
export function invert(tuple: Int32Array, into: Int32Array): boolean {
  const key = tuple[KEY]!
  const meta = tuple[META]!
  const proto = meta & 0xff
  let answer = (key << 16) | (key >>> 16)
  if (proto === ipproto.ICMP || proto === ipproto.ICMPV6) {
    const type = proto === ipproto.ICMP ? icmpAnswer((key >>> 8) & 0xff) : icmp6Answer((key >>> 8) & 0xff)
    if (type < 0) return false
    answer = (key & 0xffff_00ff) | (type << 8)
  }
  for (let i = 0; i < 4; i++) {
    const src = tuple[i]!
    into[i] = tuple[i + 4]!
    into[i + 4] = src
  }
  into[KEY] = answer
  into[META] = meta
  return true
}

/** The type that answers this one, in either direction; -1 for types that are not one of a pair. */
export function icmpAnswer(type: number): number {
  switch (type) {
    case icmp.ECHO_REQUEST: return icmp.ECHO_REPLY
    case icmp.ECHO_REPLY: return icmp.ECHO_REQUEST
    case icmp.TIMESTAMP: case 15: case 17: return type + 1
    case icmp.TIMESTAMP_REPLY: case 16: case 18: return type - 1
    default: return -1
  }
}

/** Echo, and node information (RFC 4620). */
export function icmp6Answer(type: number): number {
  switch (type) {
    case icmp6.ECHO_REQUEST: case 139: return type + 1
    case icmp6.ECHO_REPLY: case 140: return type - 1
    default: return -1
  }
}

export function equal(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < WORDS; i++) if (a[i] !== b[i]) return false
  return true
}

/** Mixes four words; a full avalanche, as neighbouring addresses and ports are what there is. */
export function mix(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) ^ Math.imul(c, 0xc2b2ae3d)
  h = Math.imul(h ^ (h >>> 13), 0x297a2d39) ^ d
  h = Math.imul(h ^ (h >>> 16), 0x27d4eb2f)
  return h ^ (h >>> 15)
}

export function hash(tuple: Int32Array): number {
  const head = mix(tuple[0]!, tuple[4]!, tuple[KEY]!, tuple[META]!)
  if (tuple[META]! >>> 8 !== 6) return head
  return mix(head, mix(tuple[1]!, tuple[2]!, tuple[3]!, 0), mix(tuple[5]!, tuple[6]!, tuple[7]!, 0), 6)
}
