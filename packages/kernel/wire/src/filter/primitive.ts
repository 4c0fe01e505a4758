/**
 * What the words of a filter ask of an Ethernet frame (libpcap's gencode.c): `l3` is where the network header
 * stands, 14 and four more for each `vlan` before. Order of the questions is libpcap's: it decides what a cut
 * frame answers. Extension headers of IPv6 are not followed but for one fragment header behind the fixed one.
 */
import { get16 } from "../bytes.ts"
import * as ethertype from "../ethertype.ts"
import type { Ip } from "../ip.ts"
import * as ipproto from "../ipproto.ts"
import { and, byteIs, CUT, halfIs, NO, not, or, type Test, wordIs, YES } from "./test.ts"

export type Side = "src" | "dst" | "either" | "both"
const RARP = 0x8035
const ETHERTYPE_STAG_OLD = 0x9100
/** What stands right behind the link header. */
export const NETWORK_TYPES: Readonly<Record<string, number>> = {
  ip: ethertype.IPV4, ip6: ethertype.IPV6, arp: ethertype.ARP, rarp: RARP
}
/** What stands behind IP and can be looked into; `only4` where libpcap knows it behind IPv4 alone. */
export const TRANSPORTS: Readonly<Record<string, { readonly id: number; readonly only4: boolean }>> = {
  tcp: { id: ipproto.TCP, only4: false }, udp: { id: ipproto.UDP, only4: false },
  sctp: { id: ipproto.SCTP, only4: false }, pim: { id: 103, only4: false },
  icmp: { id: ipproto.ICMP, only4: true }, igmp: { id: ipproto.IGMP, only4: true },
  vrrp: { id: 112, only4: true }
}
const PORTED = [ipproto.SCTP, ipproto.TCP, ipproto.UDP]

export function sided(side: Side, src: Test, dst: Test): Test {
  return side === "src" ? src : side === "dst" ? dst : side === "both" ? and(src, dst) : or(src, dst)
}

export function type(l3: number, value: number): Test {
  return halfIs(l3 - 2, value)
}

export function proto4(l3: number, protocol: number): Test {
  return and(type(l3, ethertype.IPV4), byteIs(l3 + 9, protocol))
}

export function proto6(l3: number, protocol: number): Test {
  const behindFragment = and(byteIs(l3 + 6, ipproto.FRAGMENT), byteIs(l3 + 40, protocol))
  return and(type(l3, ethertype.IPV6), or(byteIs(l3 + 6, protocol), behindFragment))
}

export function proto(l3: number, protocol: number): Test {
  return or(proto4(l3, protocol), proto6(l3, protocol))
}

/** Not a later fragment: only the first has a transport header. */
export function first4(l3: number): Test {
  return halfIs(l3 + 6, 0, 0x1fff)
}

export function host4(l3: number, side: Side, address: number, mask: number, only: number | null): Test {
  const families = [[ethertype.IPV4, 12, 16], [ethertype.ARP, 14, 24], [RARP, 14, 24]] as const
  const tests = families.filter(([id]) => only === null || only === id).map(([id, src, dst]) =>
    and(type(l3, id), sided(side, wordIs(l3 + src, address, mask), wordIs(l3 + dst, address, mask))))
  return or(tests[0]!, ...tests.slice(1))
}

export function host6(l3: number, side: Side, address: Ip, mask: Ip): Test {
  const at = (offset: number) => {
    const words = [0, 1, 2, 3].map((i) => wordIs(l3 + offset + 4 * i, address[i]!, mask[i]!))
    return and(words[0]!, ...words.slice(1))
  }
  return and(type(l3, ethertype.IPV6), sided(side, at(8), at(24)))
}

export function mac(side: Side, high: number, low: number): Test {
  const at = (offset: number) => and(wordIs(offset + 2, low), halfIs(offset, high))
  return sided(side, at(6), at(0))
}

/** Multicast and broadcast: the group bit. */
export function group(): Test {
  return not(byteIs(0, 0, 1))
}

export function ports(l3: number, side: Side, from: number, to: number, only: number | null): Test {
  const protocols = only === null ? PORTED : [only]
  const within = (value: number) => value >= from && value <= to ? YES : NO
  const fixed = (offset: number): Test => (bytes, at, end) =>
    at + offset + 2 > end ? CUT : within(get16(bytes, at + offset))
  const behind4 = (offset: number): Test => (bytes, at, end) => {
    if (at + l3 >= end) return CUT
    const place = at + l3 + (bytes[at + l3]! & 15) * 4 + offset
    return place + 2 > end ? CUT : within(get16(bytes, place))
  }
  const six = protocols.map((id) => and(byteIs(l3 + 6, id), sided(side, fixed(l3 + 40), fixed(l3 + 42))))
  const four = protocols.map((id) => and(byteIs(l3 + 9, id), first4(l3), sided(side, behind4(0), behind4(2))))
  return or(
    and(type(l3, ethertype.IPV6), or(six[0]!, ...six.slice(1))),
    and(type(l3, ethertype.IPV4), or(four[0]!, ...four.slice(1)))
  )
}

export function vlan(l3: number, id: number | null): Test {
  const tagged = or(type(l3, ethertype.VLAN), type(l3, ethertype.QINQ), type(l3, ETHERTYPE_STAG_OLD))
  return id === null ? tagged : and(tagged, halfIs(l3, id, 0x0fff))
}
