/**
 * The answer to a segment for a port that nobody has (tcp_v4_send_reset, RFC 9293 section 3.10.7.1):
 *
 *   with ACK          RST, seq = its ack
 *   without           RST|ACK, seq 0, ack = its seq + its length (SYN and FIN count one each)
 *   RST               nothing
 *
 * 40 bytes, id 0, DF, window 0, the asker's TOS.
 */
import type { Frame, NetDevice } from "@podwire/netdev"
import { isLinkLocal, read6 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import type { Netns } from "./netns.ts"

/** Does not consume. */
export function answer4(ns: Netns, frame: Frame): void {
  const { bytes, l3, l4 } = frame
  if ((tcp.flags(bytes, l4) & tcp.RST) !== 0) return
  const { ip4 } = ns
  const src = ipv4.dst(bytes, l3)
  const dst = ipv4.src(bytes, l3)
  const way = ip4.route(dst)
  const answer = way.dev === null ? null : ip4.alloc(tcp.HEADER_BYTES_MIN)
  if (answer === null) return
  answer.l4Protocol = ipproto.TCP
  writeReset(answer, frame)
  ipv4.writeHeader(
    answer.bytes, answer.l3, ipv4.tos(bytes, l3), answer.tail - answer.l3, 0, ipv4.DF,
    ns.sysctl.globals.ip_default_ttl, ipproto.TCP, src, dst
  )
  tcp.finishChecksum4(answer.bytes, answer.l4, answer.tail, src, dst)
  count(ns)
  ip4.output(answer, way)
}

export function answer6(ns: Netns, frame: Frame, dev: NetDevice): void {
  const { bytes, l3, l4 } = frame
  if ((tcp.flags(bytes, l4) & tcp.RST) !== 0) return
  const { ip6 } = ns
  const dst = read6(bytes, l3 + ipv6.SRC)
  const way = isLinkLocal(dst) ? ip6.routeVia(dst, dev) : ip6.route(dst)
  const answer = way.dev === null ? null : ip6.alloc(tcp.HEADER_BYTES_MIN)
  if (answer === null) return
  answer.l4Protocol = ipproto.TCP
  writeReset(answer, frame)
  ipv6.writeHeader(
    answer.bytes, answer.l3, ipv6.trafficClass(bytes, l3), 0, tcp.HEADER_BYTES_MIN, ipproto.TCP,
    ip6.conf(way.dev!).hop_limit, read6(bytes, l3 + ipv6.DST), dst
  )
  tcp.finishChecksum6(answer.bytes, answer.l4, answer.tail, answer.l3)
  count(ns)
  ip6.output(answer, way)
}

function count({ sockets: { tcpMib } }: Netns): void {
  tcpMib.TcpOutSegs++
  tcpMib.TcpOutRsts++
}

function writeReset(answer: Frame, frame: Frame): void {
  const { bytes, l4, tail } = frame
  const flags = tcp.flags(bytes, l4)
  const hasAck = (flags & tcp.ACK) !== 0
  const length = tail - l4 - tcp.dataOffsetBytes(bytes, l4) +
    ((flags & tcp.SYN) !== 0 ? 1 : 0) + ((flags & tcp.FIN) !== 0 ? 1 : 0)
  tcp.writeHeader(
    answer.bytes, answer.l4, tcp.dstPort(bytes, l4), tcp.srcPort(bytes, l4),
    hasAck ? tcp.ack(bytes, l4) : 0, hasAck ? 0 : (tcp.seq(bytes, l4) + length) | 0,
    tcp.HEADER_BYTES_MIN, hasAck ? tcp.RST : tcp.RST | tcp.ACK, 0
  )
}
