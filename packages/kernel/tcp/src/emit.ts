/**
 * From a connection's numbers to a frame (__tcp_transmit_skb, tcp_options_write): header, options in
 * Linux's order, payload from the ring, IP header, and away. The checksum holds the pseudo header's sum
 * only: the packet has not left its host (CHECKSUM_PARTIAL).
 */
import { Checksum, Errno, type Frame, type NetDevice } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import { hops6 } from "@podwire/netns/send"
import type { Dst } from "@podwire/netns/dst"
import { refusal } from "@podwire/netns/errno"
import { set16, set32 } from "@podwire/wire/bytes"
import { pseudo4, pseudo6 } from "@podwire/wire/checksum"
import { type Ip, isLinkLocal } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import { Options, byteLength, write as writeOptions } from "@podwire/wire/tcp-options"
import type { Connection } from "./connection.ts"
import { after } from "./seq.ts"

const NOP_NOP_TIMESTAMP = 0x0101080a
const NOP_NOP_SACK = 0x01010500
/** Beside a timestamp there is room for three blocks, without one for four. */
const OPTION_BYTES_MAX = 40

/** The way to the peer; link-local peers are behind the device that the connection is bound to. */
export function route(ns: Netns, remote: Ip, dev: NetDevice | null): Dst {
  if (remote.length === 1) return ns.ip4.route(remote[0]!)
  return dev !== null && isLinkLocal(remote) ? ns.ip6.routeVia(remote, dev) : ns.ip6.route(remote)
}

/** What has 127.0.0.1 does not leave, but where that is allowed (__mkroute_output). */
export function loopbackMayLeave(ns: Netns, dev: NetDevice): boolean {
  return dev.loopback || (ns.ip4.conf(dev).route_localnet | ns.sysctl.all4.route_localnet) !== 0
}

/** Whoever is next on the way has not been found yet, and what we sent is in its queue. */
export function waitsForNeighbour(c: Connection): boolean {
  const { neigh } = route(c.tcp.ns, c.remote, c.dev)
  return neigh !== null && neigh.queuedBytes > 0
}

/** tcp_established_options: how long the options of a segment are that carries what we have to report. */
export function optionBytes(c: Connection): number {
  const stamps = c.tstampOk ? 12 : 0
  const { queue } = c
  const blocks = queue.sackCount + (queue.dsack ? 1 : 0)
  if (blocks === 0) return stamps
  const room = (OPTION_BYTES_MAX - stamps - 4) >> 3
  return stamps + 4 + 8 * Math.min(blocks, room)
}

/**
 * A segment of an established connection: `count` octets of the ring from `seq` on. Errno of the way down.
 */
export function emit(
  c: Connection, seq: number, count: number, flags: number, window: number, ecn: number
): Errno {
  const { ns } = c.tcp
  const way = route(ns, c.remote, c.dev)
  // What is sent again is counted elsewhere.
  const length = count + (flags & tcp.FIN)
  if (length === 0 || after((seq + length) | 0, c.sndNxt)) c.tcp.mib.TcpOutSegs++
  if (noWay(c, way) !== Errno.OK) return unroutable(c, way)
  const optionsLength = optionBytes(c)
  const header = tcp.HEADER_BYTES_MIN + optionsLength
  const frame = c.version === 4 ? ns.ip4.alloc(header + count) : ns.ip6.alloc(header + count)
  if (frame === null) return Errno.ENOBUFS
  const { bytes, l4 } = frame
  tcp.writeHeader(bytes, l4, c.localPort, c.remotePort, seq, c.rcvNxt, header, flags, window)
  if (optionsLength > 0) writeEstablished(c, bytes, l4 + tcp.HEADER_BYTES_MIN, optionsLength)
  if (count > 0) c.ring.read(seq, bytes, l4 + header, count)
  c.segsOut++
  return send(c, frame, way, ecn)
}

/** A SYN or SYN-ACK of a connection (not of a request): all that we can do is offered, agreed or not. */
export function emitSyn(c: Connection, flags: number, window: number): Errno {
  const { ns } = c.tcp
  const way = route(ns, c.remote, c.dev)
  if (noWay(c, way) !== Errno.OK) return unroutable(c, way)
  const options = c.tcp.scratch.clear()
  const { globals } = ns.sysctl
  const answer = (flags & tcp.ACK) !== 0
  if (!answer && c.retransmits === 0) c.tcp.mib.TcpOutSegs++
  options.maxSegment = c.advmss
  options.hasTimestamps = globals.tcp_timestamps !== 0
  options.tsValue = c.timestamp
  options.tsEcho = c.tsRecent
  options.sackPermitted = globals.tcp_sack !== 0
  options.windowScale = globals.tcp_window_scaling !== 0 ? c.rcvWscale : -1
  const frame = synFrame(ns, c, options, c.iss, answer ? c.rcvNxt : 0, flags, window)
  if (frame === null) return Errno.ENOBUFS
  c.segsOut++
  return send(c, frame, way, 0)
}

/**
 * Why nothing leaves for the peer any more, if so. Of IPv4 also that our address is gone: a route is asked for
 * with its source (ip_route_output_key).
 */
export function noWay(c: Connection, way: Dst): Errno {
  const refused = refusal(way)
  if (refused !== Errno.OK || c.version === 6) return refused
  const { ns } = c.tcp
  if (c.localAsOf !== ns.generation) {
    c.localAsOf = ns.generation
    c.localGone = !ns.ip4.isLocal(c.local[0]!)
  }
  return c.localGone ? Errno.EINVAL : Errno.OK
}

/** No way to the peer any more: IPv6 remembers why (inet6_csk_xmit), IPv4 does not (__ip_queue_xmit). */
function unroutable(c: Connection, way: Dst): Errno {
  if (c.version === 6) c.softError = noWay(c, way)
  return Errno.EHOSTUNREACH
}

interface Ends {
  readonly version: 4 | 6
  readonly localPort: number
  readonly remotePort: number
}

/** A frame with TCP header and options, IP's still to come. */
export function synFrame(
  ns: Netns, ends: Ends, options: Options, seq: number, ack: number, flags: number, window: number
): Frame | null {
  const header = tcp.HEADER_BYTES_MIN + byteLength(options)
  const frame = ends.version === 4 ? ns.ip4.alloc(header) : ns.ip6.alloc(header)
  if (frame === null) return null
  const { bytes, l4 } = frame
  tcp.writeHeader(bytes, l4, ends.localPort, ends.remotePort, seq, ack, header, flags, window)
  writeOptions(bytes, l4 + tcp.HEADER_BYTES_MIN, options)
  return frame
}

/** IP header and checksum, and down. What belongs to a socket is numbered, the rest has number 0. */
export function sendIp(
  ns: Netns, frame: Frame, way: Dst, local: Ip, remote: Ip, ipId: number, ttl: number, tos: number
): Errno {
  const { bytes, l3, l4, tail } = frame
  frame.l4Protocol = ipproto.TCP
  frame.csum = Checksum.Partial
  if (remote.length === 1) {
    const df = ns.sysctl.globals.ip_no_pmtu_disc === 0 && !ns.ip4.mtuLocked(way)
    const hops = ttl || ns.sysctl.globals.ip_default_ttl
    ipv4.writeHeader(
      bytes, l3, tos, tail - l3, df ? ipId : ns.ip4.nextId(), df ? ipv4.DF : 0, hops, ipproto.TCP, local[0]!,
      remote[0]!
    )
    set16(bytes, l4 + 16, pseudo4(local[0]!, remote[0]!, ipproto.TCP, tail - l4))
    return ns.ip4.output(frame, way)
  }
  ipv6.writeHeader(bytes, l3, tos, 0, tail - l4, ipproto.TCP, ttl || hops6(ns, way, UNSET), local, remote)
  set16(bytes, l4 + 16, pseudo6(bytes, l3 + ipv6.SRC, l3 + ipv6.DST, ipproto.TCP, tail - l4))
  return ns.ip6.output(frame, way)
}

const UNSET = { ttl: 0, df: null }

function send(c: Connection, frame: Frame, way: Dst, ecn: number): Errno {
  const id = c.ipId
  c.ipId = (id + 1) & 0xffff
  return sendIp(c.tcp.ns, frame, way, c.local, c.remote, id, c.options.ttl, c.options.tos & ~3 | ecn)
}

/** NOP NOP TS, NOP NOP SACK with the duplicate first. */
function writeEstablished(c: Connection, bytes: Uint8Array, from: number, length: number): void {
  let at = from
  if (c.tstampOk) {
    set32(bytes, at, NOP_NOP_TIMESTAMP)
    set32(bytes, at + 4, c.timestamp)
    set32(bytes, at + 8, c.tsRecent)
    at += 12
  }
  const blocks = (from + length - at - 4) >> 3
  if (blocks <= 0) return
  const { queue } = c
  set32(bytes, at, NOP_NOP_SACK | (2 + 8 * blocks))
  at += 4
  let left = blocks
  if (queue.dsack) {
    set32(bytes, at, queue.dsackStart)
    set32(bytes, at + 4, queue.dsackEnd)
    at += 8
    left--
  }
  for (let i = 0; i < left; i++, at += 8) {
    set32(bytes, at, queue.sack[2 * i]!)
    set32(bytes, at + 4, queue.sack[2 * i + 1]!)
  }
}
