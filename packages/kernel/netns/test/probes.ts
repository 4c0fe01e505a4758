/**
 * What is put to the kernel and to the emulator alike. The namespace has tap0 (10.0.0.1, fd00::1) and tap1
 * (10.0.1.1, fd01::1, MTU 1400), addresses on lo, routes that lead nowhere, and known neighbours A behind
 * tap0 and B behind tap1.
 */
import {
  arp, concat, count, echo, ether, fragment6, icmp4, icmpv6, ip4, type Ip4Options, ip6, type Ip6Options, macOption,
  nd, tcpSegment, udp4, udp6
} from "./frames.ts"

export const TAP0 = "02:00:00:00:00:01"
export const TAP1 = "02:00:00:00:01:01"
export const A = "02:00:00:00:00:02"
export const B = "02:00:00:00:01:02"
export const C = "02:00:00:00:00:03"
export const ALL = "ff:ff:ff:ff:ff:ff"
/** tap0's own link-local address. */
export const LL = "fe80::ff:fe00:1"

export interface Probe {
  readonly name: string
  readonly frames: ReadonlyArray<readonly [string, Uint8Array]>
  readonly ms: number
}

const US = "10.0.0.1"
const US6 = "fd00::1"
const PEER = "10.0.0.2"
const PEER6 = "fd00::2"

const probes: Array<Probe> = []
const probe = (name: string, ...frames: ReadonlyArray<Uint8Array>): void => {
  probes.push({ name, frames: frames.map((bytes) => ["tap0", bytes] as const), ms: 8 })
}
const v4 = (payload: Uint8Array, protocol: number, o: Ip4Options & { src?: string; dst?: string; to?: string } = {}) =>
  ether(o.to ?? TAP0, A, 0x0800, ip4(o.src ?? PEER, o.dst ?? US, protocol, payload, o))
const v6 = (payload: Uint8Array, next: number, o: Ip6Options & { src?: string; dst?: string; to?: string } = {}) =>
  ether(o.to ?? TAP0, A, 0x86dd, ip6(o.src ?? PEER6, o.dst ?? US6, next, payload, o))
const ping = echo(8, 0, 5, 1, count(16))
const ping6 = (src = PEER6, dst = US6, code = 0) => icmpv6(src, dst, 128, code, 0x50001, count(16))
const closed = (src = PEER, dst = US) => udp4(src, dst, 5000, 9, count(12))
const closed6 = (src = PEER6, dst = US6) => udp6(src, dst, 5000, 9, count(12))

// IPv4 to the host itself
probe("echo", v4(ping, 1))
probe("echo with TOS and DF", v4(ping, 1, { tos: 0xb8, flags: 0x4000 }))
probe("echo with code 7", v4(echo(8, 7, 5, 1, count(4)), 1))
probe("echo with TTL 1", v4(ping, 1, { ttl: 1 }))
probe("echo with TTL 0", v4(ping, 1, { ttl: 0 }))
probe("echo with a bad ICMP checksum", v4(concat(ping.slice(0, 3), [ping[3]! ^ 1], ping.slice(4)), 1))
probe("echo with a bad header checksum", v4(ping, 1, { checksumError: 1 }))
probe("echo, total length beyond the frame", v4(ping, 1, { lengthError: 9 }))
probe("echo, total length short of the frame", v4(concat(ping, count(9)), 1, { lengthError: -9 }))
probe("echo with version 5", v4(ping, 1, { version: 5 }))
probe("echo with a header of 16 octets", v4(ping, 1, { headerWords: 4 }))
probe("echo with a header longer than the packet", v4(new Uint8Array(0), 1, { headerWords: 9 }))
probe("echo of nothing", v4(echo(8, 0, 5, 1, new Uint8Array(0)), 1))
probe("echo of four octets of ICMP", v4(ping.slice(0, 4), 1))
probe("echo to the address on lo", v4(ping, 1, { dst: "10.0.7.7" }))
probe("echo to the far side's address", v4(ping, 1, { dst: "10.0.1.1" }))
probe("echo to a secondary address", v4(ping, 1, { dst: "10.0.0.11" }))
probe("echo to the subnet's broadcast address", v4(ping, 1, { dst: "10.0.0.255", to: ALL }))
probe("echo to 255.255.255.255", v4(ping, 1, { dst: "255.255.255.255", to: ALL }))
probe("echo to 224.0.0.1", v4(ping, 1, { dst: "224.0.0.1", to: "01:00:5e:00:00:01" }))
probe("echo to 224.0.0.9", v4(ping, 1, { dst: "224.0.0.9", to: "01:00:5e:00:00:09" }))
probe("echo in a broadcast frame", v4(ping, 1, { to: ALL }))
probe("echo in somebody else's frame", v4(ping, 1, { to: B }))
probe("echo to 127.0.0.1", v4(ping, 1, { dst: "127.0.0.1" }))
probe("echo to 0.0.0.0", v4(ping, 1, { dst: "0.0.0.0" }))
probe("echo from an off-link address", v4(ping, 1, { src: "10.0.1.2" }))
for (const src of ["127.0.0.5", "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.5", "10.0.0.1", "10.0.7.7", "240.0.0.1", "10.0.0.255", "192.0.2.9"]) {
  probe(`echo from ${src}`, v4(ping, 1, { src }))
}
probe("closed UDP port from a broadcast address", v4(closed("10.0.0.255"), 17, { src: "10.0.0.255" }))
probe("timestamp", v4(icmp4(13, 0, 0x50001, concat(count(4), new Uint8Array(8))), 1))
probe("short timestamp", v4(icmp4(13, 0, 0x50001, count(4)), 1))
probe("too short a timestamp", v4(icmp4(13, 0, 0x50001, count(3)), 1))
probe("address mask request", v4(icmp4(17, 0, 0x50001, count(4)), 1))
probe("information request", v4(icmp4(15, 0, 0x50001, count(4)), 1))
probe("ICMP type 42", v4(icmp4(42, 0, 0x50001, count(4)), 1))
probe("record route, three places", v4(ping, 1, { options: [7, 15, 4, ...new Array(12).fill(0), 0] }))
probe("record route, one place", v4(ping, 1, { options: [7, 7, 4, 0, 0, 0, 0, 0] }))
probe("record route, full", v4(ping, 1, { options: [7, 7, 8, 1, 2, 3, 4, 0] }))
probe("record route, bad pointer", v4(ping, 1, { options: [7, 7, 3, 1, 2, 3, 4, 0] }))
probe("record route, pointer in the middle", v4(ping, 1, { options: [7, 11, 6, ...new Array(8).fill(0), 0] }))
probe("timestamp option", v4(ping, 1, { options: [68, 12, 5, 0, ...new Array(8).fill(0)] }))
probe("timestamp and address option", v4(ping, 1, { options: [68, 20, 5, 1, ...new Array(16).fill(0)] }))
probe("timestamp option, full", v4(ping, 1, { options: [68, 8, 9, 0, 1, 2, 3, 4] }))
probe("timestamp option, overflow full", v4(ping, 1, { options: [68, 8, 9, 0xf0, 1, 2, 3, 4] }))
probe("loose source route", v4(ping, 1, { options: [131, 7, 4, 10, 0, 0, 9, 0] }))
probe("strict source route", v4(ping, 1, { options: [137, 7, 4, 10, 0, 0, 9, 0] }))
probe("no-ops", v4(ping, 1, { options: [1, 1, 1, 0] }))
probe("router alert", v4(ping, 1, { options: [148, 4, 0, 0] }))
probe("unknown option", v4(ping, 1, { options: [94, 4, 9, 9] }))
probe("option of length 1", v4(ping, 1, { options: [94, 1, 9, 9] }))
probe("option over the end", v4(ping, 1, { options: [94, 9, 9, 9] }))
probe("closed UDP port with record route", v4(closed(), 17, { options: [7, 11, 4, ...new Array(8).fill(0), 0] }))
probe("closed UDP port", v4(closed(), 17))
probe("closed UDP port with TOS", v4(closed(), 17, { tos: 0x3c }))
probe("closed UDP port, checksum zero", v4(concat(closed().slice(0, 6), [0, 0], closed().slice(8)), 17))
probe("closed UDP port, bad checksum", v4(concat(closed().slice(0, 6), [1, 2], closed().slice(8)), 17))
probe("closed UDP port, length beyond", v4(concat(closed().slice(0, 4), [0, 99], closed().slice(6)), 17))
probe("closed UDP port, length 7", v4(concat(closed().slice(0, 4), [0, 7], closed().slice(6)), 17))
probe("UDP port 0", v4(udp4(PEER, US, 5000, 0, count(4)), 17))
probe("UDP of four octets", v4(count(4), 17))
probe("closed UDP port, 1200 octets", v4(udp4(PEER, US, 5000, 9, count(1200)), 17))
probe("closed UDP port by broadcast", v4(udp4(PEER, "10.0.0.255", 5000, 9, count(4)), 17, { dst: "10.0.0.255", to: ALL }))
probe("protocol 253", v4(count(20), 253))
probe("protocol 253 to a group", v4(count(20), 253, { dst: "224.0.0.1", to: "01:00:5e:00:00:01" }))
probe("protocol 0", v4(count(20), 0))
for (const [name, flags] of [
  ["SYN", 2], ["ACK", 16], ["SYN ACK", 18], ["FIN", 1], ["FIN ACK", 17], ["RST", 4], ["RST ACK", 20], ["none", 0],
  ["SYN FIN", 3], ["SYN RST", 6], ["all", 63], ["URG PSH", 40]
] as const) probe(`TCP ${name}`, v4(tcpSegment(PEER, US, flags, 1000, 77), 6, { tos: 0x10 }))
probe("TCP SYN with data", v4(tcpSegment(PEER, US, 2, 1000, 0, count(10)), 6))
probe("TCP SYN, bad checksum", v4(concat(tcpSegment(PEER, US, 2, 1, 0).slice(0, 16), [1, 2, 0, 0]), 6))
probe("TCP of ten octets", v4(count(10), 6))
probe("TCP SYN, data offset 4", v4(concat(tcpSegment(PEER, US, 2, 1, 0).slice(0, 12), [0x40], tcpSegment(PEER, US, 2, 1, 0).slice(13)), 6))
probe("TCP SYN by broadcast", v4(tcpSegment(PEER, "10.0.0.255", 2, 1, 0), 6, { dst: "10.0.0.255", to: ALL }))
probe("TCP SYN in a broadcast frame", v4(tcpSegment(PEER, US, 2, 1, 0), 6, { to: ALL }))
probe("UDP in a broadcast frame", v4(closed(), 17, { to: ALL }))
probe("an error about an unknown flow", v4(icmp4(3, 3, 0, ip4(US, PEER, 17, closed(US, PEER))), 1))
probe("closed UDP port about an error", v4(icmp4(3, 3, 0, count(4)), 1))

// Forwarding
probe("forward", v4(ping, 1, { dst: "10.0.1.2" }))
probe("forward with TTL 2", v4(ping, 1, { dst: "10.0.1.2", ttl: 2 }))
probe("forward with TTL 1", v4(ping, 1, { dst: "10.0.1.2", ttl: 1 }))
probe("forward with TTL 0", v4(ping, 1, { dst: "10.0.1.2", ttl: 0 }))
probe("forward an error with TTL 1", v4(icmp4(3, 3, 0, ip4("10.0.1.2", PEER, 17, closed("10.0.1.2"))), 1, { dst: "10.0.1.2", ttl: 1 }))
probe("forward an unknown ICMP type with TTL 1", v4(icmp4(77, 3, 0, count(4)), 1, { dst: "10.0.1.2", ttl: 1 }))
probe("forward a later fragment with TTL 1", v4(count(16), 17, { dst: "10.0.1.2", ttl: 1, offset: 64 }))
probe("forward a bad UDP checksum", v4(concat(closed().slice(0, 6), [1, 2], closed().slice(8)), 17, { dst: "10.0.1.2" }))
probe("forward padding", concat(v4(ping, 1, { dst: "10.0.1.2" }), count(11)))
probe("forward 1400", v4(count(1380), 17, { dst: "10.0.1.2", flags: 0x4000 }))
probe("forward 1401 with DF", v4(count(1381), 17, { dst: "10.0.1.2", flags: 0x4000 }))
probe("forward 1401", v4(count(1381), 17, { dst: "10.0.1.2" }))
probe("forward 1500 with options", v4(count(1460), 17, { dst: "10.0.1.2", options: [148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0, 68, 8, 5, 0, 0, 0, 0, 0] }))
probe("forward 1500 of a fragment", v4(count(1480), 17, { dst: "10.0.1.2", flags: 0x2000, offset: 1480 }))
probe("forward record route", v4(ping, 1, { dst: "10.0.1.2", options: [7, 11, 4, ...new Array(8).fill(0), 0] }))
probe("forward record route with TTL 1", v4(ping, 1, { dst: "10.0.1.2", ttl: 1, options: [7, 11, 4, ...new Array(8).fill(0), 0] }))
probe("forward a source route", v4(ping, 1, { dst: "10.0.1.2", options: [131, 7, 4, 10, 0, 0, 9, 0] }))
probe("forward a malformed option", v4(ping, 1, { dst: "10.0.1.2", options: [94, 1, 9, 9] }))
probe("forward in a broadcast frame", v4(ping, 1, { dst: "10.0.1.2", to: ALL }))
probe("forward to the far broadcast address", v4(ping, 1, { dst: "10.0.1.255" }))
probe("forward to a group", v4(ping, 1, { dst: "239.1.1.1", to: "01:00:5e:01:01:01" }))
for (const dst of ["192.0.2.1", "10.9.1.1", "10.9.2.1", "10.9.3.1", "10.9.5.1", "240.0.0.9", "127.0.0.9", "0.0.0.9"]) {
  probe(`forward to ${dst}`, v4(ping, 1, { dst }))
  probe(`forward to ${dst} with TTL 1`, v4(ping, 1, { dst, ttl: 1 }))
}
probe("forward from 127.0.0.9", v4(ping, 1, { src: "127.0.0.9", dst: "10.0.1.2" }))
probe("forward from our address", v4(ping, 1, { src: "10.0.1.1", dst: "10.0.1.2" }))
probe("forward from the far net", v4(ping, 1, { src: "10.0.1.9", dst: "10.0.1.2" }))
probe("redirect", v4(ping, 1, { dst: "10.9.4.1", tos: 0x10 }))

// Fragments for us
const whole = echo(8, 0, 5, 9, count(40))
const piece = (id: number, from: number, to: number, more: boolean, o: Ip4Options = {}) =>
  v4(whole.slice(from, to), 1, { id, offset: from, flags: more ? 0x2000 : 0, ...o })
probe("fragments in order", piece(101, 0, 24, true), piece(101, 24, 48, false))
probe("fragments in reverse", piece(102, 24, 48, false), piece(102, 0, 24, true))
probe("three fragments, middle last", piece(103, 0, 16, true), piece(103, 32, 48, false), piece(103, 16, 32, true))
probe("a fragment twice", piece(104, 0, 24, true), piece(104, 0, 24, true), piece(104, 24, 48, false))
probe("a part of a fragment again", piece(105, 0, 24, true), piece(105, 8, 16, true), piece(105, 24, 48, false))
probe("a part over two fragments again", piece(106, 0, 16, true), piece(106, 16, 32, true), piece(106, 8, 24, true), piece(106, 32, 48, false))
probe("over two that came out of order", piece(116, 16, 32, true), piece(116, 0, 16, true), piece(116, 8, 24, true), piece(116, 32, 48, false))
probe("overlap", piece(107, 0, 24, true), piece(107, 16, 48, false))
probe("overlap, then again without", piece(108, 0, 24, true), piece(108, 16, 48, false), piece(108, 0, 24, true), piece(108, 24, 48, false))
probe("two ends", piece(109, 24, 48, false), piece(109, 16, 40, false), piece(109, 0, 24, true))
probe("data beyond the end", piece(110, 0, 24, false), piece(110, 24, 48, true))
probe("a middle of 20 octets", piece(111, 0, 20, true), piece(111, 16, 48, false))
probe("an empty fragment", piece(112, 0, 0, true), piece(112, 0, 24, true), piece(112, 24, 48, false))
probe("fragments with DF", piece(113, 0, 24, true, { flags: 0x6000 }), piece(113, 24, 48, false, { flags: 0x4000 }))
probe("fragments with different TOS", piece(114, 0, 24, true, { tos: 4 }), piece(114, 24, 48, false, { tos: 8 }))
probe("fragments with options", piece(115, 0, 24, true, { options: [148, 4, 0, 0] }), piece(115, 24, 48, false))
probe("a closed UDP port in fragments", v4(closed().slice(0, 8), 17, { id: 117, flags: 0x2000 }), v4(closed().slice(8), 17, { id: 117, offset: 8 }))
probe("a fragment far out", v4(count(1000), 17, { id: 118, offset: 65_528 }))
probe("a whole of 64 KiB and more", ...Array.from({ length: 46 }, (_, i) =>
  v4(count(1440), 17, { id: 119, offset: i * 1440, flags: i === 45 ? 0 : 0x2000 })))

// ARP
const ask = (sender: string, senderIp: string, target: string, to = ALL) => ether(to, sender, 0x0806, arp(1, sender, senderIp, "00:00:00:00:00:00", target))
probe("ARP request", ask(A, PEER, US))
probe("ARP request by unicast", ask(A, PEER, US, TAP0))
probe("ARP request to somebody else", ask(A, PEER, US, B))
probe("ARP request for the address on lo", ask(A, PEER, "10.0.7.7"))
probe("ARP request for the far side's address", ask(A, PEER, "10.0.1.1"))
probe("ARP request for a neighbour", ask(A, PEER, "10.0.0.99"))
probe("ARP request for a far neighbour", ask(A, PEER, "10.0.1.2"))
probe("ARP probe", ask(A, "0.0.0.0", US))
probe("ARP probe for a neighbour", ask(A, "0.0.0.0", "10.0.0.99"))
for (const senderIp of ["192.0.2.7", US, "10.0.7.7", "224.0.0.5", "127.0.0.5", "255.255.255.255", "10.0.0.255", "0.1.2.3", "10.0.1.77"]) {
  probe(`ARP request from ${senderIp}`, ask("02:00:00:00:00:77", senderIp, US))
}
for (const target of ["127.0.0.1", "10.0.0.255", "255.255.255.255", "224.0.0.1", "0.0.0.0", "10.0.0.11"]) {
  probe(`ARP request for ${target}`, ask(A, PEER, target))
}
probe("ARP reply nobody asked for", ether(TAP0, A, 0x0806, arp(2, A, "10.0.0.55", TAP0, US)))
probe("gratuitous ARP", ask(A, "10.0.0.56", "10.0.0.56"))
probe("gratuitous ARP for our address", ask(A, US, US))
probe("ARP of operation 3", ether(ALL, A, 0x0806, arp(3, A, PEER, TAP0, US)))
probe("ARP for another hardware", ether(ALL, A, 0x0806, concat([0, 9], arp(1, A, PEER, TAP0, US).slice(2))))
probe("ARP for IEEE 802 hardware", ether(ALL, A, 0x0806, concat([0, 6], arp(1, A, PEER, TAP0, US).slice(2))))
probe("ARP cut short", ask(A, PEER, US).slice(0, 40))
probe("ARP whose sender differs from the frame's", ether(ALL, A, 0x0806, arp(1, C, "10.0.0.57", "00:00:00:00:00:00", US)))

// IPv6 to the host itself
probe("echo6", v6(ping6(), 58))
probe("echo6 with class", v6(ping6(), 58, { trafficClass: 0xb8 }))
probe("echo6 with code 7", v6(ping6(PEER6, US6, 7), 58))
probe("echo6 with hop limit 0", v6(ping6(), 58, { hopLimit: 0 }))
probe("echo6 with a bad checksum", v6(ping6(PEER6, "fd00::9"), 58))
probe("echo6, payload beyond the frame", v6(ping6(), 58, { lengthError: 4 }))
probe("echo6, payload short of the frame", v6(concat(ping6(), count(5)), 58, { lengthError: -5 }))
probe("echo6 with version 4", v6(ping6(), 58, { version: 4 }))
probe("echo6 to the address on lo", v6(ping6(PEER6, "fd07::7"), 58, { dst: "fd07::7" }))
probe("echo6 to the far side's address", v6(ping6(PEER6, "fd01::1"), 58, { dst: "fd01::1" }))
probe("echo6 to the link-local address", v6(ping6(PEER6, LL), 58, { dst: LL }))
probe("echo6 to another link-local address", v6(ping6(PEER6, "fe80::77"), 58, { dst: "fe80::77" }))
probe("echo6 to all nodes", v6(ping6(PEER6, "ff02::1"), 58, { dst: "ff02::1", to: "33:33:00:00:00:01" }))
probe("echo6 to all routers", v6(ping6(PEER6, "ff02::2"), 58, { dst: "ff02::2", to: "33:33:00:00:00:02" }))
probe("echo6 to the solicited-node group", v6(ping6(PEER6, "ff02::1:ff00:1"), 58, { dst: "ff02::1:ff00:1", to: "33:33:ff:00:00:01" }))
probe("echo6 to another group", v6(ping6(PEER6, "ff02::99"), 58, { dst: "ff02::99", to: "33:33:00:00:00:99" }))
probe("echo6 to a group of interface scope", v6(ping6(PEER6, "ff01::1"), 58, { dst: "ff01::1", to: "33:33:00:00:00:01" }))
probe("echo6 to a group of scope 0", v6(ping6(PEER6, "ff00::1"), 58, { dst: "ff00::1", to: "33:33:00:00:00:01" }))
probe("echo6 in a multicast frame", v6(ping6(), 58, { to: "33:33:00:00:00:01" }))
probe("echo6 to ::1", v6(ping6(PEER6, "::1"), 58, { dst: "::1" }))
probe("echo6 to ::", v6(ping6(PEER6, "::"), 58, { dst: "::" }))
for (const src of ["::1", "::", "ff02::5", US6, "fd07::7", "fd01::2"]) probe(`echo6 from ${src}`, v6(ping6(src), 58, { src }))
probe("closed UDP6 port", v6(closed6(), 17))
probe("closed UDP6 port with class", v6(closed6(), 17, { trafficClass: 0x3c }))
probe("closed UDP6 port, checksum zero", v6(concat(closed6().slice(0, 6), [0, 0], closed6().slice(8)), 17))
probe("closed UDP6 port, bad checksum", v6(concat(closed6().slice(0, 6), [1, 2], closed6().slice(8)), 17))
probe("closed UDP6 port at the link-local address", v6(closed6(PEER6, LL), 17, { dst: LL }))
probe("closed UDP6 port at all nodes", v6(closed6(PEER6, "ff02::1"), 17, { dst: "ff02::1", to: "33:33:00:00:00:01" }))
probe("closed UDP6 port in a multicast frame", v6(closed6(), 17, { to: "33:33:00:00:00:01" }))
probe("closed UDP6 port, 1400 octets", v6(udp6(PEER6, US6, 5000, 9, count(1400)), 17))
probe("next header 253", v6(count(20), 253))
probe("no next header", v6(count(8), 59))
probe("an unknown ICMPv6 type", v6(icmpv6(PEER6, US6, 200, 0, 0, count(4)), 58))
probe("an unknown ICMPv6 error", v6(icmpv6(PEER6, US6, 100, 0, 0, count(4)), 58))
for (const [name, flags] of [["SYN", 2], ["ACK", 16], ["FIN", 1], ["RST", 4], ["none", 0], ["SYN FIN", 3]] as const) {
  probe(`TCP6 ${name}`, v6(tcpSegment(PEER6, US6, flags, 1000, 77), 6, { trafficClass: 0x10 }))
}
probe("TCP6 SYN to all nodes", v6(tcpSegment(PEER6, "ff02::1", 2, 1, 0), 6, { dst: "ff02::1", to: "33:33:00:00:00:01" }))

// Extension headers
const options = (next: number, ...bytes: ReadonlyArray<number>) => concat([next, 0], bytes)
const PAD = [1, 4, 0, 0, 0, 0] as const
probe("hop-by-hop options", v6(concat(options(58, ...PAD), ping6()), 0))
probe("destination options", v6(concat(options(58, ...PAD), ping6()), 60))
probe("hop-by-hop behind destination options", v6(concat(options(0, ...PAD), options(58, ...PAD), ping6()), 60))
for (const type of [0x1e, 0x5e, 0x9e, 0xde]) {
  const bytes = [type, 4, 0, 0, 0, 0]
  probe(`hop-by-hop option ${type.toString(16)}`, v6(concat(options(58, ...bytes), ping6()), 0))
  probe(`destination option ${type.toString(16)}`, v6(concat(options(58, ...bytes), ping6()), 60))
  probe(`forward hop-by-hop option ${type.toString(16)}`, v6(concat(options(58, ...bytes), ping6(PEER6, "fd01::2")), 0, { dst: "fd01::2" }))
  probe(`forward destination option ${type.toString(16)}`, v6(concat(options(58, ...bytes), ping6(PEER6, "fd01::2")), 60, { dst: "fd01::2" }))
  probe(`destination option ${type.toString(16)} to all nodes`, v6(concat(options(58, ...bytes), ping6(PEER6, "ff02::1")), 60, { dst: "ff02::1", to: "33:33:00:00:00:01" }))
}
probe("option over the end of its header", v6(concat(options(58, 0x1e, 9, 0, 0, 0, 0), ping6()), 60))
probe("hop-by-hop header over the end", v6(concat([58, 9], PAD, ping6()), 0, {}))
probe("destination options over the end", v6(concat([58, 99], PAD, ping6()), 60, {}))
for (const [type, left] of [[0, 0], [0, 1], [2, 0], [2, 1], [4, 1], [9, 0], [9, 1]] as const) {
  probe(`routing header ${type}, ${left} left`, v6(concat([58, 0, type, left, 0, 0, 0, 0], ping6()), 43))
}
probe("authentication header", v6(concat([58, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1], ping6()), 51))
probe("ESP", v6(count(24), 50))
probe("unknown header behind options", v6(concat(options(253, ...PAD), count(8)), 60))

// IPv6 fragments
const whole6 = icmpv6(PEER6, US6, 128, 0, 0x50009, count(40))
const piece6 = (id: number, from: number, to: number, more: boolean) =>
  v6(concat(fragment6(58, from, more, id), whole6.slice(from, to)), 44)
probe("fragments6 in order", piece6(1, 0, 24, true), piece6(1, 24, 48, false))
probe("fragments6 in reverse", piece6(2, 24, 48, false), piece6(2, 0, 24, true))
probe("fragment6 twice", piece6(3, 0, 24, true), piece6(3, 0, 24, true), piece6(3, 24, 48, false))
probe("overlap6", piece6(4, 0, 24, true), piece6(4, 16, 48, false), piece6(4, 24, 48, false))
probe("atomic fragment", v6(concat(fragment6(58, 0, false, 5), whole6), 44))
probe("fragment6 of 20 octets", piece6(6, 0, 20, true))
probe("fragment6 far out", v6(concat(fragment6(58, 65_528, false, 7), count(64)), 44))
probe("empty fragment6", v6(fragment6(58, 0, true, 8), 44))
probe("first fragment6 without upper header", v6(concat(fragment6(60, 0, true, 9), [58, 3, 1, 4, 0, 0, 0, 0]), 44))
probe("first fragment6 with half a UDP header", v6(concat(fragment6(17, 0, true, 11), [58, 3, 1, 4, 0, 0, 0, 0].slice(0, 0)), 44))
probe("fragments6 behind options", v6(concat(options(44, ...PAD), fragment6(58, 0, true, 10), whole6.slice(0, 24)), 60), v6(concat(options(44, ...PAD), fragment6(58, 24, false, 10), whole6.slice(24)), 60))
probe("fragment header cut short", v6(count(4), 44))

// IPv6 forwarding
probe("forward6", v6(ping6(PEER6, "fd01::2"), 58, { dst: "fd01::2" }))
probe("forward6 with hop limit 1", v6(ping6(PEER6, "fd01::2"), 58, { dst: "fd01::2", hopLimit: 1 }))
probe("forward6 1400", v6(count(1360), 17, { dst: "fd01::2" }))
probe("forward6 1401", v6(count(1361), 17, { dst: "fd01::2" }))
probe("forward6 in a multicast frame", v6(ping6(PEER6, "fd01::2"), 58, { dst: "fd01::2", to: "33:33:00:00:00:01" }))
probe("forward6 from a link-local address", v6(ping6("fe80::2", "fd01::2"), 58, { src: "fe80::2", dst: "fd01::2" }))
probe("forward6 from ::", v6(ping6("::", "fd01::2"), 58, { src: "::", dst: "fd01::2" }))
probe("forward6 from our address", v6(ping6(US6, "fd01::2"), 58, { src: US6, dst: "fd01::2" }))
probe("forward6 an error with hop limit 1", v6(icmpv6(PEER6, "fd01::2", 1, 4, 0, ip6("fd01::2", PEER6, 17, count(8))), 58, { dst: "fd01::2", hopLimit: 1 }))
probe("forward6 an unknown type with hop limit 1", v6(icmpv6(PEER6, "fd01::2", 200, 4, 0, count(8)), 58, { dst: "fd01::2", hopLimit: 1 }))
for (const dst of ["2001:db8::1", "fd09:1::1", "fd09:2::1", "fd09:3::1"]) probe(`forward6 to ${dst}`, v6(ping6(PEER6, dst), 58, { dst }))
probe("redirect6", v6(ping6(PEER6, "fd09:4::1"), 58, { dst: "fd09:4::1" }))
probe("redirect6 on the link", v6(ping6(PEER6, "fd00::3"), 58, { dst: "fd00::3" }))

// Neighbour discovery
const solicit = (target: string, o: { src?: string; dst?: string; options?: ReadonlyArray<number>; hopLimit?: number; code?: number; to?: string } = {}) => {
  const src = o.src ?? PEER6
  const dst = o.dst ?? "ff02::1:ff00:1"
  return ether(o.to ?? "33:33:ff:00:00:01", A, 0x86dd, ip6(src, dst, 58, nd(src, dst, 135, 0, target, o.options ?? macOption(1, A), o.code), { hopLimit: o.hopLimit ?? 255 }))
}
probe("NS", solicit(US6))
probe("NS by unicast", solicit(US6, { dst: US6, to: TAP0 }))
probe("NS by unicast without option", solicit(US6, { dst: US6, to: TAP0, options: [] }))
probe("NS without option from a known neighbour", solicit(US6, { options: [] }))
probe("NS without option from an unknown neighbour", solicit(US6, { src: "fd00::77", options: [] }))
probe("NS for the link-local address", solicit(LL))
probe("NS for the address on lo", solicit("fd07::7"))
probe("NS for the far side's address", solicit("fd01::1"))
probe("NS for a neighbour", solicit("fd00::99"))
probe("NS for a group", solicit("ff02::1:ff00:1"))
probe("NS with hop limit 64", solicit(US6, { hopLimit: 64 }))
probe("NS with code 1", solicit(US6, { code: 1 }))
probe("NS with an empty option", solicit(US6, { options: [1, 0, 2, 0, 0, 0, 0, 2] }))
probe("NS with an unknown option", solicit(US6, { options: [99, 1, 2, 0, 0, 0, 0, 2, ...macOption(1, A)] }))
probe("NS with an option cut short", solicit(US6, { options: [1, 2, 2, 0, 0, 0, 0, 2] }))
probe("DAD probe for our address", solicit(US6, { src: "::", options: [] }))
probe("DAD probe with nonce", solicit(US6, { src: "::", options: [14, 1, 1, 2, 3, 4, 5, 6] }))
probe("DAD probe with a source option", solicit(US6, { src: "::" }))
probe("DAD probe by unicast", solicit(US6, { src: "::", dst: US6, to: TAP0, options: [] }))
probe("NS from our own address", solicit(US6, { src: US6 }))
probe("NS from off the link", solicit(US6, { src: "fd01::77" }))
probe("NS to all nodes", solicit(US6, { dst: "ff02::1", to: "33:33:00:00:00:01" }))
probe("NA nobody asked for", ether(TAP0, A, 0x86dd, ip6(PEER6, US6, 58, nd(PEER6, US6, 136, 0x60000000, "fd00::88", macOption(2, A)), { hopLimit: 255 })))
probe("router solicitation", ether("33:33:00:00:00:02", A, 0x86dd, ip6("fe80::2", "ff02::2", 58, icmpv6("fe80::2", "ff02::2", 133, 0, 0, Uint8Array.from(macOption(1, A))), { hopLimit: 255 })))

export const PROBES: ReadonlyArray<Probe> = probes
