/**
 * ICMP of one namespace (net/ipv4/icmp.c): echo and timestamp answers, errors made and errors heard.
 * Errors have tos 0xc0, TTL 64, no DF, at most 576 bytes, and the source that the way back chooses.
 * Not supported: address mask, router discovery, source quench (ignored).
 */
import { DropReason, type Frame, type NetDevice, PacketType } from "@podwire/netdev"
import { get32, set32 } from "@podwire/wire/bytes"
import { mask4 } from "@podwire/wire/cidr"
import * as icmp from "@podwire/wire/icmp"
import { v4 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import type { Dst } from "./dst.ts"
import type { Netns } from "./netns.ts"
import { RateLimit } from "./rate-limit.ts"

const ERROR_BYTES_MAX = 576
const TOS_INTERNETCONTROL = 0xc0
const MS_PER_DAY = 86_400_000

export class Icmp4 {
  readonly #ns: Netns
  readonly #limit: RateLimit
  readonly #redirectLimit: RateLimit

  constructor(ns: Netns) {
    this.#ns = ns
    this.#limit = new RateLimit(ns.engine)
    this.#redirectLimit = new RateLimit(ns.engine)
  }

  /** A message for this host, at frame.l4. Consumes. */
  receive(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l4, tail } = frame
    const fault = icmp.check(bytes, l4, tail)
    if (fault !== icmp.Fault.None) {
      const why = fault === icmp.Fault.Checksum ? DropReason.ICMP_CSUM : DropReason.PKT_TOO_SMALL
      return pool.drop(frame, why, dev)
    }
    const type = icmp.type(bytes, l4)
    const unicast = frame.packetType === PacketType.Host &&
      this.#ns.ip4.isLocal(ipv4.dst(bytes, frame.l3))
    if (type === icmp.ECHO_REQUEST && unicast) return this.#echo(dev, frame, icmp.ECHO_REPLY)
    if (type === icmp.TIMESTAMP && unicast && tail - l4 >= 20) {
      return this.#echo(dev, frame, icmp.TIMESTAMP_REPLY)
    }
    if (type === icmp.ECHO_REPLY) return this.#ns.sockets.receiveEchoReply4(dev, frame)
    if (icmp.isError(type)) this.#heard(frame)
    else return pool.drop(frame, DropReason.INVALID_PROTO, dev)
    pool.free(frame)
  }

  /** An error about `frame`, which stays the caller's. `info` is the message's second word. */
  error(frame: Frame, type: number, code: number, info: number): void {
    const { bytes, l3 } = frame
    if (!this.#mayAnswer(frame)) return
    const to = ipv4.src(bytes, l3)
    const way = this.#ns.ip4.route(to)
    if (way.dev === null || way.src === null || way.type === "none") return
    const limited = type !== icmp.DEST_UNREACH || code !== icmp.FRAG_NEEDED
    const masked = (this.#ns.sysctl.number("net/ipv4/icmp_ratemask") & (1 << type)) !== 0
    if (limited && masked && !way.dev.loopback) {
      if (!this.#limit.allow(to, this.#ns.sysctl.number("net/ipv4/icmp_ratelimit"))) return
    }
    const room = ERROR_BYTES_MAX - ipv4.HEADER_BYTES_MIN - icmp.HEADER_BYTES
    const quoted = Math.min(frame.tail - l3, room)
    // An error about a packet to ourselves comes from the address it was sent to.
    const source = this.#ns.ip4.isLocal(ipv4.dst(bytes, l3)) ? ipv4.dst(bytes, l3) : way.src[0]!
    this.#send(way, source, to, TOS_INTERNETCONTROL, type, code, info, bytes, l3, quoted)
  }

  /** There is a shorter way on the link that it came from (ip_rt_send_redirect). */
  redirect(dev: NetDevice, frame: Frame, way: Dst): void {
    const { bytes, l3 } = frame
    const to = ipv4.src(bytes, l3)
    const onLink = this.#ns.addresses(dev).some(({ cidr }) =>
      cidr.ip.length === 1 && ((cidr.ip[0]! ^ to) & mask4(cidr.bits)) === 0 &&
      ((cidr.ip[0]! ^ way.nextHop[0]!) & mask4(cidr.bits)) === 0
    )
    if (!onLink || !this.#redirectLimit.allow(to, 1000)) return
    const back = this.#ns.ip4.route(to)
    if (back.dev === null || back.src === null) return
    const quoted = Math.min(frame.tail - l3, ERROR_BYTES_MAX - ipv4.HEADER_BYTES_MIN - icmp.HEADER_BYTES)
    this.#send(
      back, back.src[0]!, to, TOS_INTERNETCONTROL, icmp.REDIRECT, 1, way.nextHop[0]!, bytes, l3, quoted
    )
  }

  /** Never about errors, later fragments, groups, or what did not come to us alone (RFC 1122, 3.2.2). */
  #mayAnswer(frame: Frame): boolean {
    const { bytes, l3 } = frame
    if (frame.packetType !== PacketType.Host) return false
    if (ipv4.fragmentOffsetBytes(bytes, l3) !== 0) return false
    const src = ipv4.src(bytes, l3)
    const dst = ipv4.dst(bytes, l3)
    if (src === 0 || src === -1 || src >>> 28 === 14 || dst >>> 28 === 14 || dst === -1) return false
    if (this.#ns.ip4.route(dst).type === "broadcast") return false
    if (ipv4.protocol(bytes, l3) !== ipproto.ICMP) return true
    const l4 = l3 + ipv4.headerBytes(bytes, l3)
    return l4 < frame.tail && !icmp.isError(bytes[l4]!)
  }

  #echo(dev: NetDevice, frame: Frame, reply: number): void {
    const { bytes, l3, l4, tail } = frame
    const { pool } = this.#ns
    if (this.#ns.sysctl.number("net/ipv4/icmp_echo_ignore_all") !== 0 && reply === icmp.ECHO_REPLY) {
      return pool.drop(frame, DropReason.SOCKET_FILTER, dev)
    }
    const to = ipv4.src(bytes, l3)
    const from = ipv4.dst(bytes, l3)
    const way = this.#ns.ip4.route(to)
    if (way.dev === null) return pool.drop(frame, DropReason.IP_OUTNOROUTES, dev)
    this.#send(
      way, from, to, ipv4.tos(bytes, l3), reply, 0, get32(bytes, l4 + 4), bytes,
      l4 + icmp.HEADER_BYTES, tail - l4 - icmp.HEADER_BYTES
    )
    pool.free(frame)
  }

  #send(
    way: Dst, src: number, dst: number, tos: number, type: number, code: number, info: number,
    from: Uint8Array, fromAt: number, count: number
  ): void {
    const { ip4 } = this.#ns
    const answer = ip4.alloc(icmp.HEADER_BYTES + count)
    if (answer === null) return
    const { bytes, l3, l4 } = answer
    answer.l4Protocol = ipproto.ICMP
    icmp.writeHeader(bytes, l4, type, code, info)
    for (let i = 0; i < count; i++) bytes[l4 + icmp.HEADER_BYTES + i] = from[fromAt + i]!
    if (type === icmp.TIMESTAMP_REPLY) {
      const ms = Math.floor(this.#ns.engine.nowNs / 1_000_000) % MS_PER_DAY
      set32(bytes, l4 + 12, ms)
      set32(bytes, l4 + 16, ms)
    }
    icmp.finishChecksum(bytes, l4, answer.tail)
    ipv4.writeHeader(
      bytes, l3, tos, answer.tail - l3, ip4.nextId(), 0, this.#ns.sysctl.defaultTtl, ipproto.ICMP, src, dst
    )
    ip4.output(answer, way)
  }

  /** Somebody reports a problem with a packet of ours: path MTU, redirect, and the socket's error. */
  #heard(frame: Frame): void {
    const { bytes, l4, tail } = frame
    const inner = l4 + icmp.HEADER_BYTES
    if (tail - inner < ipv4.HEADER_BYTES_MIN || bytes[inner]! >>> 4 !== 4) return
    const innerL4 = inner + ipv4.headerBytes(bytes, inner)
    if (tail - innerL4 < 8) return
    const type = icmp.type(bytes, l4)
    const code = icmp.code(bytes, l4)
    if (type === icmp.SOURCE_QUENCH) return
    const to = ipv4.dst(bytes, inner)
    if (type === icmp.REDIRECT) return this.#redirected(frame, to)
    if (type === icmp.DEST_UNREACH && code === icmp.FRAG_NEEDED) {
      const mtu = icmp.word(bytes, l4) & 0xffff
      if (mtu >= 68) this.#ns.ip4.pathMtu.set(v4(to), Math.max(mtu, this.#ns.sysctl.number("net/ipv4/route/min_pmtu")))
    }
    this.#ns.sockets.error4(frame, inner, innerL4, type, code, icmp.word(bytes, l4))
  }

  /** Obeyed by hosts only, from the router in use, towards a neighbour (__ip_do_redirect). */
  #redirected(frame: Frame, to: number): void {
    const dev = frame.dev
    if (dev === null || this.#ns.ip4.conf(dev).forwarding !== 0) return
    if (this.#ns.ip4.conf(dev).accept_redirects === 0) return
    const way = this.#ns.ip4.route(to)
    const gateway = icmp.word(frame.bytes, frame.l4)
    if (!way.gatewayed || way.nextHop[0] !== ipv4.src(frame.bytes, frame.l3) || way.dev !== dev) return
    const near = this.#ns.ip4.route(gateway)
    const known = this.#ns.neigh4.find(dev, v4(gateway))
    if (near.gatewayed || near.dev !== dev || known === null || !known.valid) return
    this.#ns.addRoute({ dst: { ip: v4(to), bits: 32 }, via: v4(gateway), dev, protocol: "kernel" })
  }
}
