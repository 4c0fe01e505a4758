/**
 * ICMPv6 of one namespace (net/ipv6/icmp.c): echo answers, errors made and errors heard, and the door
 * to neighbour discovery. Errors quote up to 1,280 bytes in all.
 * Not supported: MLD queries, node information queries.
 */
import { completeWired, DropReason, type Frame, type NetDevice, PacketType } from "@podwire/netdev"
import { get32 } from "@podwire/wire/bytes"
import * as icmp6 from "@podwire/wire/icmp6"
import { format, type Ip, isLinkLocal, read6 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv6 from "@podwire/wire/ipv6"
import * as ext from "@podwire/wire/ipv6-ext"
import type { Dst } from "./dst.ts"
import type { Netns } from "./netns.ts"
import { RateLimit } from "./rate-limit.ts"

/** Scratch for one walk over a quoted packet's extension headers. */
const UPPER = new ext.Upper()

export class Icmp6 {
  readonly #ns: Netns
  #peers: RateLimit | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  /** A message for this host, at frame.l4. Consumes. */
  receive(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l3, l4, tail } = frame
    const { mib } = this.#ns.ip6
    mib.IcmpInMsgs++
    const fault = icmp6.check(bytes, l4, tail, l3, frame.words)
    if (fault !== icmp6.Fault.None || tail - l4 < icmp6.HEADER_BYTES) {
      mib.IcmpInErrors++
      if (fault === icmp6.Fault.Checksum) mib.IcmpInCsumErrors++
      const why = fault === icmp6.Fault.Checksum ? DropReason.ICMP_CSUM : DropReason.PKT_TOO_SMALL
      return pool.drop(frame, why, dev)
    }
    const type = icmp6.type(bytes, l4)
    mib.countIcmpIn(type)
    if (type === icmp6.ECHO_REQUEST) return this.#echo(dev, frame)
    if (type === icmp6.ECHO_REPLY) return this.#ns.sockets.ping.receive6(dev, frame)
    if (type === icmp6.NEIGHBOR_SOLICITATION) return this.#ns.ndp.receiveSolicitation(dev, frame)
    if (type === icmp6.NEIGHBOR_ADVERTISEMENT) return this.#ns.ndp.receiveAdvertisement(dev, frame)
    if (type === icmp6.ROUTER_ADVERTISEMENT) return this.#ns.routers.receive(dev, frame)
    if (type === icmp6.REDIRECT) return this.#ns.redirect6.receive(dev, frame)
    if (icmp6.isError(type)) this.#heard(frame)
    pool.free(frame)
  }

  /** An error about `frame`, which stays the caller's. `info` is MTU or pointer. */
  error(frame: Frame, type: number, code: number, info: number): void {
    const { bytes, l3 } = frame
    if (!this.#mayAnswer(frame, type, code)) return
    const to = read6(bytes, l3 + ipv6.SRC)
    const way = isLinkLocal(to) && frame.dev !== null
      ? this.#ns.ip6.routeVia(to, frame.dev)
      : this.#ns.ip6.route(to)
    if (way.dev === null || way.src === null) return
    if (type !== icmp6.PACKET_TOO_BIG && !way.dev.loopback && !this.#allow(to)) return
    const target = read6(bytes, l3 + ipv6.DST)
    const own = this.#ns.findAddress(target, isLinkLocal(target) ? frame.dev : null)
    const source = own !== null && own.usable ? target : way.src
    completeWired(frame)
    const quoted = Math.min(frame.tail - l3, ipv6.MTU_MIN - ipv6.HEADER_BYTES - icmp6.HEADER_BYTES)
    this.#send(way, source, to, 0, type, code, info, bytes, l3, quoted)
  }

  /** By destination. */
  get limits(): RateLimit {
    return this.#peers ??= new RateLimit(this.#ns.engine)
  }

  #allow(to: Ip): boolean {
    const { sysctl, ip6, icmp4 } = this.#ns
    const { icmp_msgs_per_sec, icmp_msgs_burst, icmp6_ratelimit } = sysctl.globals
    if (!icmp4.limitOfAll.hasCredit(icmp_msgs_per_sec, icmp_msgs_burst)) {
      ip6.mib.IcmpOutRateLimitGlobal++
      return false
    }
    if (!this.limits.allow(format(to), icmp6_ratelimit)) {
      ip6.mib.IcmpOutRateLimitHost++
      return false
    }
    icmp4.limitOfAll.consume()
    return true
  }

  /** RFC 4443, section 2.4 (e). */
  #mayAnswer(frame: Frame, type: number, code: number): boolean {
    const { bytes, l3 } = frame
    const aboutGroups = type === icmp6.PACKET_TOO_BIG || (type === icmp6.PARAMETER_PROBLEM && code === 2)
    if (!aboutGroups && (frame.packetType !== PacketType.Host || ipv6.isMulticastDst(bytes, l3))) return false
    if (ipv6.isMulticastSrc(bytes, l3) || ipv6.isUnspecified(bytes, l3 + ipv6.SRC)) return false
    const upper = UPPER
    ext.walk(bytes, l3, frame.tail, upper)
    if (upper.fragmentAt >= 0 && ext.fragmentOffsetBytes(bytes, upper.fragmentAt) > 0) return false
    if (upper.protocol !== ipproto.ICMPV6 || upper.at >= frame.tail) return true
    return !icmp6.isError(bytes[upper.at]!) && bytes[upper.at] !== icmp6.REDIRECT
  }

  #echo(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4, tail } = frame
    const { pool, ip6 } = this.#ns
    const { icmp6_echo_ignore_all, icmp6_echo_ignore_multicast } = this.#ns.sysctl.globals
    const group = ipv6.isMulticastDst(bytes, l3)
    if (icmp6_echo_ignore_all !== 0 || (group && icmp6_echo_ignore_multicast !== 0)) {
      return pool.drop(frame, DropReason.SOCKET_FILTER, dev)
    }
    const to = read6(bytes, l3 + ipv6.SRC)
    const way = isLinkLocal(to) ? ip6.routeVia(to, dev) : ip6.route(to)
    const asked = read6(bytes, l3 + ipv6.DST)
    const from = group ? way.src : asked
    if (way.dev === null || from === null) return pool.drop(frame, DropReason.IP_OUTNOROUTES, dev)
    this.#send(
      way, from, to, ipv6.trafficClass(bytes, l3), icmp6.ECHO_REPLY, icmp6.code(bytes, l4), get32(bytes, l4 + 4), bytes,
      l4 + icmp6.HEADER_BYTES, tail - l4 - icmp6.HEADER_BYTES
    )
    pool.free(frame)
  }

  #send(
    way: Dst, src: Ip, dst: Ip, trafficClass: number, type: number, code: number, info: number,
    from: Uint8Array, fromAt: number, count: number
  ): void {
    const { ip6 } = this.#ns
    const answer = ip6.alloc(icmp6.HEADER_BYTES + count)
    if (answer === null) return
    const { bytes, l3, l4, tail } = answer
    answer.l4Protocol = ipproto.ICMPV6
    ipv6.writeHeader(bytes, l3, trafficClass, 0, tail - l4, ipproto.ICMPV6, ip6.conf(way.dev!).hop_limit, src, dst)
    icmp6.writeHeader(bytes, l4, type, code, info)
    bytes.set(from.subarray(fromAt, fromAt + count), l4 + icmp6.HEADER_BYTES)
    icmp6.finishChecksum(bytes, l4, tail, l3, answer.words)
    ip6.mib.countIcmpOut(type)
    ip6.output(answer, way)
  }

  #heard(frame: Frame): void {
    const { bytes, l4, tail } = frame
    const inner = l4 + icmp6.HEADER_BYTES
    const { mib } = this.#ns.ip6
    if (tail - inner < ipv6.HEADER_BYTES || bytes[inner]! >>> 4 !== 6) return void mib.IcmpInErrors++
    const type = icmp6.type(bytes, l4)
    const info = icmp6.word(bytes, l4)
    const upper = UPPER
    if (ext.walk(bytes, inner, tail, upper) !== ext.Fault.None || upper.at + 8 > tail) {
      return void mib.IcmpInErrors++
    }
    const known = this.#ns.sockets.error6(
      frame, inner, upper.at, upper.protocol, type, icmp6.code(bytes, l4), info
    )
    if (known === false) mib.IcmpInErrors++
    if (known === true && type === icmp6.PACKET_TOO_BIG) {
      this.#ns.ip6.learnMtu(read6(bytes, inner + ipv6.DST), info >>> 0)
      if (upper.protocol === ipproto.TCP) this.#ns.sockets.tcp.pathChanged6(bytes, inner, upper.at)
    }
  }
}
