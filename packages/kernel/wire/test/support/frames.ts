/**
 * Frames of every kind that the codecs know, made with the codecs themselves: the corpus of the print goldens,
 * of the fuzzers and of the comparison with tcpdump. Every checksum is right unless the name says otherwise.
 */
import * as arp from "@podwire/wire/arp"
import { set16, set32 } from "@podwire/wire/bytes"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import * as ip from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as ext from "@podwire/wire/ipv6-ext"
import * as mac from "@podwire/wire/mac"
import * as mld from "@podwire/wire/mld"
import * as ndp from "@podwire/wire/ndp"
import * as sctp from "@podwire/wire/sctp"
import * as tcp from "@podwire/wire/tcp"
import * as tcpOptions from "@podwire/wire/tcp-options"
import * as udp from "@podwire/wire/udp"
import * as vlan from "@podwire/wire/vlan"

export interface NamedFrame {
  readonly name: string
  readonly bytes: Uint8Array
}

const A = mac.parse("02:00:00:00:00:0a")!
const B = mac.parse("02:00:00:00:00:0b")!
const A4 = ip.parse("10.0.0.10")![0]!
const B4 = ip.parse("10.0.0.11")![0]!
const A6 = ip.parse("fd00::a")!
const B6 = ip.parse("fd00::b")!

/** Writes at `at` and returns how many bytes; a header's length is only known when its payload is. */
type Writer = (bytes: Uint8Array, at: number) => number

const data = (count: number): Writer => (bytes, at) => {
  for (let i = 0; i < count; i++) bytes[at + i] = i
  return count
}

function ether(etherType: number, payload: Writer, dst = B, src = A): Uint8Array {
  const bytes = new Uint8Array(2048)
  eth.write(bytes, 0, { dst, src, etherType })
  return bytes.slice(0, eth.HEADER_BYTES + payload(bytes, eth.HEADER_BYTES))
}

/** An upper layer finishes itself when it is told where its IP header is and where it ends. */
type Upper = (bytes: Uint8Array, at: number, ipAt: number) => number

interface Packet4 {
  readonly options?: ReadonlyArray<number>
  readonly flags?: number
  readonly cut?: readonly [number, number]
}

function packet4(protocol: number, upper: Upper, { options = [], flags = 0, cut }: Packet4 = {}): Writer {
  return (bytes, at) => {
    const header = ipv4.HEADER_BYTES_MIN + options.length
    bytes.set(options, at + ipv4.HEADER_BYTES_MIN)
    ipv4.writeHeader(bytes, at, 0, header, 0x1234, flags, 64, protocol, A4, B4)
    let length = upper(bytes, at + header, at)
    if (cut !== undefined) {
      bytes.copyWithin(at + header, at + header + cut[0], at + header + cut[1])
      length = cut[1] - cut[0]
    }
    bytes[at] = 0x40 | (header >> 2)
    ipv4.setTotalLength(bytes, at, header + length)
    ipv4.updateChecksum(bytes, at)
    return header + length
  }
}

function packet6(next: number, upper: Upper, src = A6, dst = B6, hops = 64): Writer {
  return (bytes, at) => {
    ipv6.writeHeader(bytes, at, 0, 0x12345, 0, next, hops, src, dst)
    const length = upper(bytes, at + ipv6.HEADER_BYTES, at)
    ipv6.setPayloadLength(bytes, at, length)
    return ipv6.HEADER_BYTES + length
  }
}

function finish(bytes: Uint8Array, at: number, end: number, ipAt: number, protocol: number): void {
  const four = bytes[ipAt]! >>> 4 === 4
  const src = ipv4.src(bytes, ipAt)
  const dst = ipv4.dst(bytes, ipAt)
  if (protocol === ipproto.UDP) {
    if (four) udp.finishChecksum4(bytes, at, end, src, dst)
    else udp.finishChecksum6(bytes, at, end, ipAt)
  } else if (four) tcp.finishChecksum4(bytes, at, end, src, dst)
  else tcp.finishChecksum6(bytes, at, end, ipAt)
}

const datagram = (count: number, src = 40000, dst = 40001): Upper => (bytes, at, ipAt) => {
  udp.writeHeader(bytes, at, src, dst, 8 + count)
  data(count)(bytes, at + 8)
  finish(bytes, at, at + 8 + count, ipAt, ipproto.UDP)
  return 8 + count
}

interface Segment {
  readonly flags: number
  readonly seq?: number
  readonly ack?: number
  readonly count?: number
  readonly options?: (options: tcpOptions.Options) => void
  readonly raw?: ReadonlyArray<number>
  readonly back?: boolean
  readonly ports?: readonly [number, number]
}

const segment = ({ flags, seq = 1000, ack = 0, count = 0, options, raw, back = false, ports }: Segment): Upper =>
  (bytes, at, ipAt) => {
    const chosen = new tcpOptions.Options()
    options?.(chosen)
    const length = raw?.length ?? tcpOptions.write(bytes, at + 20, chosen)
    if (raw !== undefined) bytes.set(raw, at + 20)
    const [src, dst] = ports ?? (back ? [8000, 40000] : [40000, 8000])
    tcp.writeHeader(bytes, at, src, dst, seq, ack, 20 + length, flags, 64240)
    data(count)(bytes, at + 20 + length)
    if (back && bytes[ipAt]! >>> 4 === 4) {
      ipv4.setSrc(bytes, ipAt, B4)
      ipv4.setDst(bytes, ipAt, A4)
    }
    finish(bytes, at, at + 20 + length + count, ipAt, ipproto.TCP)
    return 20 + length + count
  }

const message = (type: number, code: number, word: number, rest: Writer = () => 0): Upper => (bytes, at) => {
  icmp.writeHeader(bytes, at, type, code, word)
  const length = 8 + rest(bytes, at + 8)
  icmp.finishChecksum(bytes, at, at + length)
  return length
}

const message6 = (write: Writer): Upper => (bytes, at, ipAt) => {
  const length = write(bytes, at)
  icmp6.finishChecksum(bytes, at, at + length, ipAt)
  return length
}

const error6 = (type: number, code: number, word: number, quoted: Writer) => message6((bytes, at) =>
  icmp6.writeHeader(bytes, at, type, code, word) + quoted(bytes, at + 8))

/** An extension header with only padding, in front of `inner`. */
const extension = (next: number, inner: Upper): Upper => (bytes, at, ipAt) => {
  bytes.set([next, 0, 1, 4, 0, 0, 0, 0], at)
  return 8 + inner(bytes, at + 8, ipAt)
}

const arpFrame = (operation: number, targetMac: number, dst: number) =>
  ether(ethertype.ARP, (bytes, at) =>
    arp.write(bytes, at, { operation, senderMac: A, senderIp: A4, targetMac, targetIp: B4 }), dst)

const four = (protocol: number, upper: Upper, options: Packet4 = {}) =>
  ether(ethertype.IPV4, packet4(protocol, upper, options))
const six = (next: number, upper: Upper, src = A6, dst = B6, hops = 64) =>
  ether(ethertype.IPV6, packet6(next, upper, src, dst, hops))

const quoted4 = packet4(ipproto.UDP, datagram(4))
const quoted4Tcp = packet4(ipproto.TCP, segment({ flags: tcp.SYN }))
const quoted6 = packet6(ipproto.UDP, datagram(4))
const quoted6Tcp = packet6(ipproto.TCP, segment({ flags: tcp.SYN }))
const LINK6 = ip.linkLocalFromMac(A)

function neighbours(): Array<NamedFrame> {
  const solicited = ip.solicitedNode(B6)
  return [
    { name: "arp request", bytes: arpFrame(arp.REQUEST, 0, mac.BROADCAST) },
    { name: "arp unicast request", bytes: arpFrame(arp.REQUEST, B, B) },
    { name: "arp reply", bytes: arpFrame(arp.REPLY, B, B) },
    { name: "neighbour solicitation", bytes: six(58, message6((b, at) => ndp.writeSolicitation(b, at, B6, A)), LINK6, solicited, 255) },
    { name: "DAD probe with a nonce", bytes: six(58, message6((b, at) => ndp.writeSolicitation(b, at, A6, -1, 1, 2)), ip.ANY6, ip.solicitedNode(A6), 255) },
    { name: "neighbour advertisement", bytes: six(58, message6((b, at) => ndp.writeAdvertisement(b, at, B6, B, ndp.FLAG_SOLICITED)), B6, A6, 255) },
    { name: "router solicitation", bytes: six(58, message6((b, at) => icmp6.writeHeader(b, at, icmp6.ROUTER_SOLICITATION, 0, 0)), LINK6, ip.ALL_ROUTERS6, 255) },
    { name: "router advertisement", bytes: six(58, message6((b, at) => icmp6.writeHeader(b, at, icmp6.ROUTER_ADVERTISEMENT, 0, 0x40000708) + 8), LINK6, ip.ALL_NODES6, 255) },
    { name: "redirect6", bytes: six(58, message6((b, at) => {
      icmp6.writeHeader(b, at, icmp6.REDIRECT, 0, 0)
      ip.write(b, at + 8, LINK6)
      ip.write(b, at + 24, B6)
      return 40
    }), LINK6, A6, 255) },
    { name: "MLDv2 report", bytes: six(0, extension(58, message6((b, at) => mld.writeReport2(b, at, mld.Record.ToExclude, solicited))), LINK6, ip.ALL_MLDV2_ROUTERS6, 1) },
    { name: "MLDv1 report", bytes: six(0, extension(58, message6((b, at) => {
      icmp6.writeHeader(b, at, icmp6.MLD_REPORT, 0, 0)
      ip.write(b, at + 8, solicited)
      return 24
    })), LINK6, solicited, 1) },
    { name: "MLDv2 query", bytes: six(0, extension(58, message6((b, at) => {
      icmp6.writeHeader(b, at, icmp6.MLD_QUERY, 0, 0x03e80000)
      return 28
    })), LINK6, ip.ALL_NODES6, 1) }
  ]
}

function messages(): Array<NamedFrame> {
  const unreachable = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16].map((code) => (
    { name: `unreachable ${code}`, bytes: four(1, message(icmp.DEST_UNREACH, code, 0, quoted4)) }))
  const unreachable6 = [0, 1, 2, 3, 4].map((code) => (
    { name: `unreachable6 ${code}`, bytes: six(58, error6(icmp6.DEST_UNREACH, code, 0, quoted6)) }))
  return [
    { name: "echo request", bytes: four(1, message(icmp.ECHO_REQUEST, 0, (7 << 16) | 1, data(56))) },
    { name: "echo reply", bytes: four(1, message(icmp.ECHO_REPLY, 0, (7 << 16) | 1, data(56))) },
    ...unreachable,
    { name: "port unreachable of TCP", bytes: four(1, message(icmp.DEST_UNREACH, 3, 0, quoted4Tcp)) },
    { name: "frag needed", bytes: four(1, message(icmp.DEST_UNREACH, icmp.FRAG_NEEDED, 1400, quoted4)) },
    { name: "frag needed without MTU", bytes: four(1, message(icmp.DEST_UNREACH, icmp.FRAG_NEEDED, 0, quoted4)) },
    { name: "time exceeded", bytes: four(1, message(icmp.TIME_EXCEEDED, 0, 0, quoted4)) },
    { name: "reassembly time exceeded", bytes: four(1, message(icmp.TIME_EXCEEDED, 1, 0, quoted4)) },
    { name: "redirect", bytes: four(1, message(icmp.REDIRECT, 1, A4, quoted4)) },
    { name: "parameter problem", bytes: four(1, message(icmp.PARAMETER_PROBLEM, 0, 20 << 24, quoted4)) },
    { name: "source quench", bytes: four(1, message(icmp.SOURCE_QUENCH, 0, 0, quoted4)) },
    { name: "timestamp", bytes: four(1, message(icmp.TIMESTAMP, 0, (7 << 16) | 1, data(12))) },
    { name: "timestamp reply", bytes: four(1, message(icmp.TIMESTAMP_REPLY, 0, (7 << 16) | 1, (b, at) => {
      for (const i of [0, 1, 2]) set32(b, at + 4 * i, 3_723_004 * (i + 1))
      return 12
    })) },
    { name: "echo6 request", bytes: six(58, message6((b, at) => icmp6.writeHeader(b, at, icmp6.ECHO_REQUEST, 0, (7 << 16) | 1) + data(56)(b, at + 8))) },
    { name: "echo6 reply", bytes: six(58, message6((b, at) => icmp6.writeHeader(b, at, icmp6.ECHO_REPLY, 0, (7 << 16) | 1) + data(56)(b, at + 8))) },
    ...unreachable6,
    { name: "port unreachable6 of TCP", bytes: six(58, error6(icmp6.DEST_UNREACH, 4, 0, quoted6Tcp)) },
    { name: "packet too big", bytes: six(58, error6(icmp6.PACKET_TOO_BIG, 0, 1280, quoted6)) },
    { name: "time exceeded6", bytes: six(58, error6(icmp6.TIME_EXCEEDED, 0, 0, quoted6)) },
    { name: "reassembly6", bytes: six(58, error6(icmp6.TIME_EXCEEDED, 1, 0, quoted6)) },
    { name: "parameter problem6", bytes: six(58, error6(icmp6.PARAMETER_PROBLEM, 1, 40, quoted6)) }
  ]
}

function segments(): Array<NamedFrame> {
  const syn = (o: tcpOptions.Options) => {
    o.maxSegment = 1460
    o.sackPermitted = o.hasTimestamps = true
    o.tsValue = 0xfffffff0 | 0
    o.windowScale = 7
  }
  const stamps = (o: tcpOptions.Options) => {
    o.hasTimestamps = true
    o.tsValue = 5
    o.tsEcho = 9
  }
  const sack = (o: tcpOptions.Options) => {
    stamps(o)
    o.sackCount = 2
    o.sack.set([2400, 2500, 2600, 2700])
  }
  const list: Array<readonly [string, Segment]> = [
    ["SYN", { flags: tcp.SYN, options: syn }],
    ["SYN-ACK", { flags: tcp.SYN | tcp.ACK, seq: 2000, ack: 1001, options: syn, back: true }],
    ["ACK", { flags: tcp.ACK, seq: 1001, ack: 2001, options: stamps }],
    ["data", { flags: tcp.ACK | tcp.PSH, seq: 1001, ack: 2001, count: 100, options: stamps }],
    ["data back", { flags: tcp.ACK | tcp.PSH, seq: 2001, ack: 1101, count: 7, back: true }],
    ["selective acknowledgement", { flags: tcp.ACK, seq: 1101, ack: 2008, options: sack }],
    ["urgent, ECE, CWR", { flags: tcp.ACK | tcp.URG | tcp.ECE | tcp.CWR, seq: 1101, ack: 2008, count: 1 }],
    ["FIN", { flags: tcp.FIN | tcp.ACK, seq: 1102, ack: 2008 }],
    ["RST", { flags: tcp.RST, seq: 1103, ack: 0 }],
    ["joined in the middle", { flags: tcp.ACK | tcp.PSH, seq: 5001, ack: 7001, count: 10, ports: [40002, 8000] }],
    ["answer to it", { flags: tcp.ACK, seq: 7001, ack: 5011, back: true, options: sack, ports: [8000, 40002] }],
    ["more from there", { flags: tcp.ACK, seq: 5011, ack: 7001, count: 3, options: sack, ports: [40002, 8000] }],
    ["same ports at both ends", { flags: tcp.ACK | tcp.PSH, seq: 1, ack: 2, count: 1, ports: [9000, 9000] }],
    ["same ports, back", { flags: tcp.ACK | tcp.PSH, seq: 2, ack: 2, count: 1, back: true, ports: [9000, 9000] }],
    ["no flags", { flags: 0 }],
    ["unknown option", { flags: tcp.ACK, raw: [200, 4, 1, 2, 201, 2, 1, 1] }],
    ["end of options", { flags: tcp.ACK, raw: [1, 0, 0, 0] }],
    ["option over the end", { flags: tcp.ACK, raw: [1, 1, 2, 9] }],
    ["option without length", { flags: tcp.ACK, raw: [2, 0, 1, 1] }],
    ["odd sack", { flags: tcp.ACK, raw: [5, 7, 1, 2, 3, 4, 5, 1] }],
    ["short mss", { flags: tcp.ACK, raw: [2, 3, 5, 1] }]
  ]
  return list.flatMap(([name, what]) => [
    { name, bytes: four(ipproto.TCP, segment(what)) },
    { name: `${name}, IPv6`, bytes: what.back === true ? six(ipproto.TCP, segment(what), B6, A6) : six(ipproto.TCP, segment(what)) }
  ])
}

function datagrams(): Array<NamedFrame> {
  const big = datagram(1400)
  const fragment6 = (offset: number, count: number, more: boolean): Upper => (bytes, at, ipAt) => {
    const whole = new Uint8Array(2048)
    whole.set(bytes.subarray(0, at))
    big(whole, at, ipAt)
    ext.writeFragment(bytes, at, ipproto.UDP, offset, more, 7)
    bytes.set(whole.subarray(at + offset, at + offset + count), at + 8)
    return 8 + count
  }
  const route = [ipv4.Option.RecordRoute, 7, 4, 0, 0, 0, 0, 1]
  const bad = four(ipproto.UDP, datagram(10))
  bad[bad.length - 1]! ^= 1
  const short = four(ipproto.UDP, datagram(10))
  set16(short, 14 + 20 + 4, 60)
  return [
    { name: "UDP", bytes: four(ipproto.UDP, datagram(5)) },
    { name: "UDP, IPv6", bytes: six(ipproto.UDP, datagram(5)) },
    { name: "UDP, empty", bytes: four(ipproto.UDP, datagram(0)) },
    { name: "UDP, wrong checksum", bytes: bad },
    { name: "UDP, wrong length", bytes: short },
    { name: "first fragment", bytes: four(ipproto.UDP, big, { flags: ipv4.MF, cut: [0, 800] }) },
    { name: "last fragment", bytes: four(ipproto.UDP, big, { flags: 100, cut: [800, 1408] }) },
    { name: "first fragment6", bytes: six(ipproto.FRAGMENT, fragment6(0, 1232, true)) },
    { name: "last fragment6", bytes: six(ipproto.FRAGMENT, fragment6(1232, 176, false)) },
    { name: "record route", bytes: four(ipproto.UDP, datagram(5), { options: route }) },
    { name: "UDP behind destination options", bytes: six(ipproto.DSTOPTS, extension(ipproto.UDP, datagram(5))) },
    { name: "TCP behind hop-by-hop options", bytes: six(0, extension(ipproto.TCP, segment({ flags: tcp.SYN }))) },
    { name: "no next header", bytes: six(ipproto.NONE, () => 0) },
    { name: "ESP", bytes: four(ipproto.ESP, (b, at) => data(40)(b, at)) },
    { name: "AH", bytes: four(ipproto.AH, (b, at, ipAt) => {
      bytesOf(b, at, [ipproto.UDP, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
      return 24 + datagram(5)(b, at + 24, ipAt)
    }) },
    { name: "unknown protocol", bytes: four(253, (b, at) => data(20)(b, at)) },
    { name: "unknown protocol, IPv6", bytes: six(253, (b, at) => data(20)(b, at)) },
    { name: "SCTP", bytes: four(ipproto.SCTP, (b, at) => {
      sctp.writeHeader(b, at, 40000, 38412, 0x01020304)
      bytesOf(b, at + 12, [10, 0, 0, 8, 1, 2, 3, 4])
      sctp.finishChecksum(b, at, at + 20)
      return 20
    }) },
    { name: "IPv4 in IPv4", bytes: four(ipproto.IPIP, (b, at) => quoted4(b, at)) },
    { name: "IPv6 in IPv4", bytes: four(ipproto.IPV6, (b, at) => quoted6(b, at)) },
    { name: "IPv4 in IPv6", bytes: six(ipproto.IPIP, (b, at) => quoted4(b, at)) }
  ]
}

function links(): Array<NamedFrame> {
  const plain = four(ipproto.UDP, datagram(5))
  const tagged = (...tags: ReadonlyArray<readonly [number, number]>) => {
    const bytes = new Uint8Array(64 + plain.length)
    bytes.set(plain, 64)
    let at = 64
    for (const [tpid, tci] of tags) at = vlan.insert(bytes, at, tpid, tci)
    return bytes.slice(at)
  }
  const padded = new Uint8Array(60)
  padded.set(arpFrame(arp.REQUEST, 0, mac.BROADCAST))
  const bpdu = new Uint8Array(60)
  eth.write(bpdu, 0, { dst: mac.parse("01:80:c2:00:00:00")!, src: A, etherType: 38 })
  bpdu.set([0x42, 0x42, 3], 14)
  return [
    { name: "802.1Q", bytes: tagged([ethertype.VLAN, vlan.control(3, false, 10)]) },
    { name: "802.1Q, drop eligible", bytes: tagged([ethertype.VLAN, vlan.control(0, true, 4094)]) },
    { name: "QinQ", bytes: tagged([ethertype.VLAN, 10], [ethertype.QINQ, vlan.control(1, false, 200)]) },
    { name: "padded ARP", bytes: padded },
    { name: "STP", bytes: bpdu },
    { name: "LLDP", bytes: ether(ethertype.LLDP, data(20), mac.parse("01:80:c2:00:00:0e")!) },
    { name: "local experimental EtherType", bytes: ether(0x88b5, data(20)) }
  ]
}

function bytesOf(bytes: Uint8Array, at: number, values: ReadonlyArray<number>): void {
  bytes.set(values, at)
}

export const FRAMES: ReadonlyArray<NamedFrame> = [
  ...neighbours(), ...messages(), ...segments(), ...datagrams(), ...links()
]
