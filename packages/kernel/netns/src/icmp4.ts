/**
 * ICMP of one namespace (net/ipv4/icmp.c): echo and timestamp answers, errors made and errors heard.
 * Errors have precedence 6 and the offender's TOS bits, TTL 64, no DF, at most 576 bytes, and the source that the way back chooses.
 * Not supported: address mask, router discovery, source quench (ignored).
 */
import { completeWired, DropReason, type Frame, type NetDevice, PacketType } from "@podwire/netdev"
import { get32, set32 } from "@podwire/wire/bytes"
import { mask4 } from "@podwire/wire/cidr"
import * as icmp from "@podwire/wire/icmp"
import { v4 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import type { Dst } from "./dst.ts"
import { REDIRECT_NS } from "./exception.ts"
import * as options from "./ip-options.ts"
import type { Netns } from "./netns.ts"
import { GlobalLimit, RateLimit } from "./rate-limit.ts"

const ERROR_BYTES_MAX = 576
const TOS_INTERNETCONTROL = 0xc0
/** IPTOS_TOS_MASK: what of the offender's TOS its error keeps. */
const TOS_MASK = 0x1e
const MS_PER_DAY = 86_400_000

export class Icmp4 {
  readonly #ns: Netns
  #peers: RateLimit | null = null
  #all: GlobalLimit | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  /** A message for this host, at frame.l4. Consumes. */
  receive(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l4, tail } = frame
    const { mib } = this.#ns.ip4
    mib.IcmpInMsgs++
    const fault = icmp.check(bytes, l4, tail, frame.words)
    if (fault !== icmp.Fault.None) {
      mib.IcmpInErrors++
      if (fault === icmp.Fault.Checksum) mib.IcmpInCsumErrors++
      const why = fault === icmp.Fault.Checksum ? DropReason.ICMP_CSUM : DropReason.PKT_TOO_SMALL
      return pool.drop(frame, why, dev)
    }
    const type = icmp.type(bytes, l4)
    mib.countIcmpIn(type)
    const { globals } = this.#ns.sysctl
    const group = !this.#ns.ip4.isLocal(ipv4.dst(bytes, frame.l3))
    const silent = group && globals.icmp_echo_ignore_broadcasts !== 0
    if (type === icmp.ECHO_REQUEST && !silent && globals.icmp_echo_ignore_all === 0) {
      return this.#echo(dev, frame, icmp.ECHO_REPLY)
    }
    if (type === icmp.TIMESTAMP && !silent && tail - l4 >= icmp.HEADER_BYTES + 4) {
      return this.#echo(dev, frame, icmp.TIMESTAMP_REPLY)
    }
    if (type === icmp.ECHO_REPLY && !group) return this.#ns.sockets.ping.receive4(dev, frame)
    if (!icmp.isError(type) || group) return pool.drop(frame, DropReason.INVALID_PROTO, dev)
    this.#heard(frame)
    pool.free(frame)
  }

  /** An error about `frame`, which stays the caller's. `info` is the message's second word. */
  error(frame: Frame, type: number, code: number, info: number): void {
    const { bytes, l3 } = frame
    if (!this.#mayAnswer(frame)) return
    const to = ipv4.src(bytes, l3)
    const way = this.#ns.ip4.route(to)
    if (way.dev === null || way.src === null || way.type === "none") return
    const { sysctl, ip4 } = this.#ns
    const limited = (type !== icmp.DEST_UNREACH || code !== icmp.FRAG_NEEDED) && !way.dev.loopback &&
      (sysctl.globals.icmp_ratemask & (1 << type)) !== 0
    if (limited && !this.#allow(to)) return
    // An error about a packet to ourselves comes from the address it was sent to.
    const source = ip4.isLocal(ipv4.dst(bytes, l3)) ? ipv4.dst(bytes, l3) : way.src[0]!
    this.#quote(way, source, to, type, code, info, frame)
  }

  /** By destination. */
  get limits(): RateLimit {
    return this.#peers ??= new RateLimit(this.#ns.engine)
  }

  /** Of both families together. */
  get limitOfAll(): GlobalLimit {
    return this.#all ??= new GlobalLimit(this.#ns.engine)
  }

  #allow(to: number): boolean {
    const { sysctl, ip4 } = this.#ns
    const { icmp_msgs_per_sec, icmp_msgs_burst, icmp_ratelimit } = sysctl.globals
    if (!this.limitOfAll.hasCredit(icmp_msgs_per_sec, icmp_msgs_burst)) {
      ip4.mib.IcmpOutRateLimitGlobal++
      return false
    }
    if (!this.limits.allow(to, icmp_ratelimit)) {
      ip4.mib.IcmpOutRateLimitHost++
      return false
    }
    this.limitOfAll.consume()
    return true
  }

  /** There is a shorter way on the link that it came from (ip_rt_send_redirect). */
  redirect(dev: NetDevice, frame: Frame, way: Dst): void {
    const { ip4, sysctl } = this.#ns
    const to = ipv4.src(frame.bytes, frame.l3)
    const back = ip4.route(to)
    if (back.dev !== dev || back.gatewayed || back.src === null || !this.#mayAnswer(frame)) return
    if ((ip4.conf(dev).shared_media | sysctl.all4.shared_media) === 0) {
      const near = this.#ns.addresses(dev).some(({ cidr }) =>
        cidr.ip.length === 1 && ((cidr.ip[0]! ^ to) & mask4(cidr.bits)) === 0 &&
        ((cidr.ip[0]! ^ way.nextHop[0]!) & mask4(cidr.bits)) === 0)
      if (!near) return
    }
    if (frame.l4 - frame.l3 > ipv4.HEADER_BYTES_MIN &&
      ipv4.findOption(frame.bytes, frame.l3, ipv4.Option.LooseSourceRoute) >= 0) return
    if (!this.limits.allowRedirect(to)) return
    this.#quote(back, back.src[0]!, to, icmp.REDIRECT, 1, way.nextHop[0]!, frame)
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

  /** The answer has the request's code, TOS and options; a group's is sent from our own address. */
  #echo(dev: NetDevice, frame: Frame, reply: number): void {
    const { bytes, l3, l4, tail } = frame
    const { pool, ip4 } = this.#ns
    const to = ipv4.src(bytes, l3)
    const asked = ipv4.dst(bytes, l3)
    const way = ip4.route(to)
    if (way.dev === null || way.type === "broadcast" || way.type === "multicast") {
      return pool.drop(frame, DropReason.IP_OUTNOROUTES, dev)
    }
    const from = ip4.isLocal(asked) ? asked : ip4.selectSource(dev, to)
    const body = reply === icmp.TIMESTAMP_REPLY ? 12 : tail - l4 - icmp.HEADER_BYTES
    const answer = this.#message(
      way, from, to, ipv4.tos(bytes, l3), reply, icmp.code(bytes, l4), get32(bytes, l4 + 4), frame,
      l4 + icmp.HEADER_BYTES, body
    )
    if (answer !== null) {
      if (reply === icmp.TIMESTAMP_REPLY) {
        const ms = Math.floor(this.#ns.engine.nowNs / 1_000_000) % MS_PER_DAY
        set32(answer.bytes, answer.l4 + 12, ms)
        set32(answer.bytes, answer.l4 + 16, ms)
      }
      this.#finish(answer, way)
    }
    pool.free(frame)
  }

  #quote(way: Dst, source: number, to: number, type: number, code: number, info: number, about: Frame): void {
    completeWired(about)
    const { bytes, l3, tail } = about
    const extra = about.l4 - l3 > ipv4.HEADER_BYTES_MIN ? options.echoBytes(bytes, l3) : 0
    const room = ERROR_BYTES_MAX - ipv4.HEADER_BYTES_MIN - extra - icmp.HEADER_BYTES
    const tos = (ipv4.tos(bytes, l3) & TOS_MASK) | TOS_INTERNETCONTROL
    const answer = this.#message(way, source, to, tos, type, code, info, about, l3, Math.min(tail - l3, room))
    if (answer !== null) this.#finish(answer, way)
  }

  /** A message with `count` bytes of `about` from `fromAt`, and the options that it calls for. */
  #message(
    way: Dst, src: number, dst: number, tos: number, type: number, code: number, info: number, about: Frame,
    fromAt: number, count: number
  ): Frame | null {
    const { ip4, engine, sysctl } = this.#ns
    const extra = about.l4 - about.l3 > ipv4.HEADER_BYTES_MIN ? options.echoBytes(about.bytes, about.l3) : 0
    const answer = ip4.alloc(icmp.HEADER_BYTES + count, extra)
    if (answer === null) return null
    const { bytes, l3, l4 } = answer
    answer.l4Protocol = ipproto.ICMP
    answer.mark = 0
    icmp.writeHeader(bytes, l4, type, code, info)
    bytes.set(about.bytes.subarray(fromAt, fromAt + count), l4 + icmp.HEADER_BYTES)
    ipv4.writeHeader(
      bytes, l3, tos, answer.tail - l3, ip4.nextId(), 0, sysctl.globals.ip_default_ttl, ipproto.ICMP, src, dst
    )
    if (extra > 0) {
      options.echo(about.bytes, about.l3, bytes, l3, way.src === null ? src : way.src[0]!, engine.nowNs)
      ipv4.updateChecksum(bytes, l3)
    }
    return answer
  }

  #finish(answer: Frame, way: Dst): void {
    icmp.finishChecksum(answer.bytes, answer.l4, answer.tail, answer.words)
    this.#ns.ip4.mib.countIcmpOut(icmp.type(answer.bytes, answer.l4))
    this.#ns.ip4.output(answer, way)
  }

  /** Somebody reports a problem with a packet of ours: path MTU, redirect, and the socket's error. */
  #heard(frame: Frame): void {
    const { bytes, l4, tail } = frame
    const inner = l4 + icmp.HEADER_BYTES
    const { mib } = this.#ns.ip4
    if (tail - inner < ipv4.HEADER_BYTES_MIN || bytes[inner]! >>> 4 !== 4) return void mib.IcmpInErrors++
    const innerL4 = inner + ipv4.headerBytes(bytes, inner)
    if (tail - innerL4 < 8) return void mib.IcmpInErrors++
    const type = icmp.type(bytes, l4)
    const code = icmp.code(bytes, l4)
    if (type === icmp.SOURCE_QUENCH) return
    const to = ipv4.dst(bytes, inner)
    if (type === icmp.REDIRECT) return this.#redirected(frame, to)
    const info = icmp.word(bytes, l4)
    const known = this.#ns.sockets.error4(frame, inner, innerL4, type, code, info)
    if (known === false && ipv4.protocol(bytes, inner) !== ipproto.ICMP) mib.IcmpInErrors++
    if (known === true && type === icmp.DEST_UNREACH && code === icmp.FRAG_NEEDED) {
      if (this.#ns.sysctl.globals.ip_no_pmtu_disc === 0) this.#ns.ip4.learnMtu(to, info & 0xffff)
      if (ipv4.protocol(bytes, inner) === ipproto.TCP) this.#ns.sockets.tcp.pathChanged4(bytes, inner, innerL4)
    }
  }

  /** Obeyed from the router in use, towards a neighbour that is known already (__ip_do_redirect). */
  #redirected(frame: Frame, to: number): void {
    const { ip4, neigh4, sysctl, engine } = this.#ns
    const dev = frame.dev
    const code = icmp.code(frame.bytes, frame.l4)
    if (dev === null || code > 3) return
    const conf = ip4.conf(dev)
    const { all4 } = sysctl
    const accepts = conf.forwarding !== 0
      ? (conf.accept_redirects & all4.accept_redirects) !== 0
      : (conf.accept_redirects | all4.accept_redirects) !== 0
    const gateway = icmp.word(frame.bytes, frame.l4)
    const way = ip4.route(to)
    if (!accepts || way.nextHop[0] !== ipv4.src(frame.bytes, frame.l3) || way.dev !== dev) return
    if (way.nextHop[0] === gateway || gateway >>> 28 === 14 || gateway === -1 || gateway >>> 24 === 0) return
    const near = ip4.route(gateway)
    if (near.type !== "unicast" || (near.gatewayed && (conf.shared_media | all4.shared_media) === 0)) return
    const neigh = neigh4.obtain(dev, v4(gateway))
    if (neigh === null) return
    // Not known yet: ask, and leave things as they are until the next redirect.
    if (!neigh.valid) neigh4.ask(neigh)
    else ip4.redirect(to, gateway, engine.nowNs + REDIRECT_NS)
  }
}
