/**
 * IPv6 of one namespace (net/ipv6/ip6_input.c, ip6_output.c, route.c), the twin of `ip4.ts`.
 * Only the sender fragments. Link-local destinations need a device (`routeVia`).
 * Not supported: multicast forwarding, routing headers, jumbograms, IPsec, flow labels (they are zero,
 * where Linux fills in a hash).
 */
import { completeChecksum, DropReason, Errno, type Frame, type NetDevice, PacketType } from "@podwire/netdev"
import { FORWARD, INPUT, OUTPUT, POSTROUTING, PREROUTING, Verdict } from "@podwire/netfilter"
import { get32 } from "@podwire/wire/bytes"
import { contains, mask4 } from "@podwire/wire/cidr"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as icmp6 from "@podwire/wire/icmp6"
import { equal, type Ip, isLinkLocal, isLoopback, isMulticast, read6 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv6 from "@podwire/wire/ipv6"
import * as ext from "@podwire/wire/ipv6-ext"
import type { Conf6 } from "./conf.ts"
import { Dst, DstCache } from "./dst.ts"
import { Exceptions } from "./exception.ts"
import { Mib } from "./mib.ts"
import type { Netns } from "./netns.ts"
import { type FragmentOwner, Reassembly } from "./reassembly.ts"

/** Codes of a parameter problem (RFC 4443, 7112). */
const UNKNOWN_HEADER = 1
const INCOMPLETE_CHAIN = 3
/** Scratch for one walk over extension headers: nobody keeps it over a call. */
const UPPER = new ext.Upper()

export class Ip6 implements FragmentOwner {
  readonly #ns: Netns
  readonly #cache = new DstCache()
  #exceptions: Exceptions | null = null
  #reassembly: Reassembly | null = null
  #mib: Mib | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  get mib(): Mib {
    return this.#mib ??= new Mib()
  }

  conf(dev: NetDevice): Conf6 {
    return this.#ns.sysctl.conf6.of(dev.ifindex)
  }

  /** The namespace routes; IPv6 has no switch for a single device (ip6_forward). */
  get forwards(): boolean {
    return this.#ns.sysctl.all6.forwarding !== 0
  }

  /** Datagrams that wait for their fragments. */
  get reassembling(): number {
    return this.#reassembly === null ? 0 : this.#reassembly.waiting
  }

  enabled(dev: NetDevice): boolean {
    return this.conf(dev).disable_ipv6 === 0
  }

  destroy(): void {
    this.#reassembly?.destroy()
    this.#cache.clear()
  }

  // Routes

  route(ip: Ip): Dst {
    return this.#routeWords(ip[0]!, ip[1]!, ip[2]!, ip[3]!)
  }

  /** The way out of one device: what link-local and group addresses need; not remembered. */
  routeVia(ip: Ip, oif: NetDevice): Dst {
    return this.#lookup(ip, oif)
  }

  isLocal(ip: Ip): boolean {
    return this.route(ip).type === "local"
  }

  /**
   * RFC 6724, section 5, as ipv6_dev_get_saddr has it: the same address, the narrowest scope that is wide
   * enough, not deprecated, of the outgoing device, of the destination's label, the longest common prefix.
   * Of equals the newest wins: a device's list begins with it.
   */
  selectSource(dev: NetDevice | null, to: Ip): Ip | null {
    const reach = scopeOf(to)
    const label = labelOf(to)
    // What stays on the link starts from an address of that link.
    const near = reach <= SCOPE_LINK || isMulticast(to)
    let best: Ip | null = null
    let bestOn: NetDevice | null = null
    let bestRank = -1
    for (const { cidr, dev: on, usable, deprecated } of this.#ns.addresses()) {
      const { ip, bits } = cidr
      if (ip.length !== 4 || !usable || (near && dev !== null && on !== dev)) continue
      if (isLoopback(ip) && dev !== null && !dev.loopback) continue
      if (equal(ip, to)) return ip
      const scope = scopeOf(ip)
      const fits = scope >= reach ? 128 - scope : scope
      const rank = fits * 2048 + (deprecated ? 0 : 1024) + (on === dev ? 512 : 0) +
        (labelOf(ip) === label ? 256 : 0) + Math.min(commonBits(ip, to), bits)
      if (rank < bestRank || (rank === bestRank && on !== bestOn)) continue
      best = ip
      bestOn = on
      bestRank = rank
    }
    return best
  }

  /** The device's link-local address, once it may be used. */
  linkLocal(dev: NetDevice): Ip | null {
    for (const { cidr, dev: on, usable } of this.#ns.addresses()) {
      if (on === dev && cidr.ip.length === 4 && usable && isLinkLocal(cidr.ip)) return cidr.ip
    }
    return null
  }

  /** What was learnt, the route's, what a router advertised, or the device's. */
  mtu(dst: Dst): number {
    let base = dst.routeMtu > 0 ? dst.routeMtu : dst.dev!.mtu
    if (dst.routeMtu === 0) {
      const advertised = this.conf(dst.dev!).mtu
      if (advertised > 0 && advertised < base) base = advertised
    }
    return dst.learntMtu > 0 && dst.learntMtu < base && dst.learntUntilNs > this.#ns.engine.nowNs
      ? dst.learntMtu
      : base
  }

  /** A router says how much fits (rt6_do_update_pmtu): never more than now, never less than 1280. */
  learnMtu(to: Ip, mtu: number): void {
    const way = this.route(to)
    if (way.dev === null || mtu < ipv6.MTU_MIN || mtu >= this.mtu(way)) return
    this.#exceptions ??= new Exceptions(this.#ns.engine)
    this.#exceptions.learnMtu(way.ip, mtu, false, this.#ns.sysctl.globals.mtu_expires_6)
    this.#ns.changed()
  }

  /** A router says that another one, or the destination itself, is nearer (rt6_do_redirect). */
  redirect(to: Ip, gateway: Ip): void {
    this.#exceptions ??= new Exceptions(this.#ns.engine)
    this.#exceptions.redirect(to, gateway.slice(), Infinity)
    this.#ns.changed()
  }

  /** A neighbour does not answer: no redirect leads to it any more. */
  neighbourFailed(ip: Ip): void {
    if (this.#exceptions !== null && this.#exceptions.forgetGateway(ip)) this.#ns.changed()
  }

  // Up

  input(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l3 } = frame
    if (frame.packetType === PacketType.OtherHost) return pool.drop(frame, DropReason.OTHERHOST, dev)
    const { mib } = this
    mib.InReceives++
    mib.InOctets += frame.tail - l3
    if (!this.enabled(dev)) return pool.drop(frame, DropReason.IPV6DISABLED, dev)
    if (ipv6.check(bytes, l3, frame.tail) !== ipv6.Fault.None) {
      mib.InHdrErrors++
      return pool.drop(frame, DropReason.IP_INHDR, dev)
    }
    mib.countEcn(ipv6.trafficClass(bytes, l3) & 3)
    if (ipv6.isMulticastSrc(bytes, l3)) return pool.drop(frame, DropReason.IP_INVALID_SOURCE, dev)
    if (!dev.loopback && !this.#mayCome(bytes, l3)) return pool.drop(frame, DropReason.IP_LOCALNET, dev)
    frame.tail = l3 + ipv6.HEADER_BYTES + ipv6.payloadLength(bytes, l3)
    frame.l4 = l3 + ipv6.HEADER_BYTES
    frame.l4Protocol = ipv6.nextHeader(bytes, l3)
    if (frame.l4Protocol === ipproto.HOPOPTS && !this.#hopByHop(dev, frame)) return
    if (this.#ns.hooks6.run(PREROUTING, frame, dev, null) !== Verdict.Accept) return
    if (ipv6.isMulticastDst(bytes, l3)) return this.#inputGroup(dev, frame)
    // A link-local address means one thing on each link.
    const way = linkScopeAt(bytes, l3 + ipv6.DST)
      ? this.#lookup(read6(bytes, l3 + ipv6.DST), dev)
      : this.#routeWords(
        ipv6.dstWord(bytes, l3, 0), ipv6.dstWord(bytes, l3, 1), ipv6.dstWord(bytes, l3, 2),
        ipv6.dstWord(bytes, l3, 3)
      )
    if (way.type === "local") return this.#deliver(dev, frame)
    if (frame.packetType !== PacketType.Host) {
      return pool.drop(frame, DropReason.UNICAST_IN_L2_MULTICAST, dev)
    }
    this.#forward(dev, frame, way)
  }

  /** Addresses that must not be seen on a wire (ip6_rcv_core). */
  #mayCome(bytes: Uint8Array, l3: number): boolean {
    if (isLoopbackAt(bytes, l3 + ipv6.SRC) || isLoopbackAt(bytes, l3 + ipv6.DST)) return false
    // Reserved and interface-local groups.
    return !ipv6.isMulticastDst(bytes, l3) || (bytes[l3 + ipv6.DST + 1]! & 15) > 1
  }

  /** Hop-by-hop options are everybody's business, not only the receiver's. False: consumed. */
  #hopByHop(dev: NetDevice, frame: Frame): boolean {
    const { bytes, l3 } = frame
    const upper = UPPER
    const fault = ext.walk(bytes, l3, frame.tail, upper)
    const end = l3 + ipv6.HEADER_BYTES + (bytes[l3 + ipv6.HEADER_BYTES + 1]! + 1) * 8
    if (fault === ext.Fault.None || (upper.faultAt >= end && end <= frame.tail)) return true
    this.mib.InHdrErrors++
    this.#faulty(dev, frame, fault)
    return false
  }

  /** The parameter problem that a bad extension header deserves, and its end. */
  #faulty(dev: NetDevice, frame: Frame, _fault: ext.Fault): void {
    const { faultAt, faultCode } = UPPER
    if (faultCode >= 0) {
      // Code 3 of a walk: an option that multicast does not excuse, or does (section 4.2).
      const silent = faultCode === 3 && ipv6.isMulticastDst(frame.bytes, frame.l3)
      const code = faultCode === 3 ? 2 : faultCode
      if (!silent) this.#ns.icmp6.error(frame, icmp6.PARAMETER_PROBLEM, code, faultAt - frame.l3)
    }
    this.#ns.pool.drop(frame, DropReason.IPV6_BAD_EXTHDR, dev)
  }

  /** Only groups that this host is in; others end here without being anybody's loss (ip6_mc_input). */
  #inputGroup(dev: NetDevice, frame: Frame): void {
    const { bytes, l3 } = frame
    this.mib.countInMulticast(frame.tail - l3)
    const member = this.#ns.mld.isMemberAt(
      dev, ipv6.dstWord(bytes, l3, 0), ipv6.dstWord(bytes, l3, 1), ipv6.dstWord(bytes, l3, 2), ipv6.dstWord(bytes, l3, 3)
    )
    if (member) this.#deliver(dev, frame)
    else this.#ns.pool.free(frame)
  }

  #deliver(dev: NetDevice, frame: Frame): void {
    const { pool, icmp6: errors } = this.#ns
    let packet = frame
    const upper = UPPER
    let fault = ext.walk(packet.bytes, packet.l3, packet.tail, upper)
    if (fault !== ext.Fault.None && !(fault === ext.Fault.Truncated && upper.fragmentAt >= 0)) {
      return this.#faulty(dev, packet, fault)
    }
    if (upper.fragmentAt >= 0 && !isAtomic(packet.bytes, upper.fragmentAt)) {
      const whole = this.#reassemble(dev, packet, upper.fragmentAt)
      if (whole === null) return
      packet = whole
      fault = ext.walk(packet.bytes, packet.l3, packet.tail, upper)
      if (fault !== ext.Fault.None) return this.#faulty(dev, packet, fault)
      if (upper.fragmentAt >= 0) return pool.drop(packet, DropReason.IPV6_BAD_EXTHDR, dev)
    } else if (fault !== ext.Fault.None) return this.#faulty(dev, packet, fault)
    packet.l4 = upper.at
    packet.l4Protocol = upper.protocol
    const nextHeaderAt = upper.nextHeaderAt
    if (this.#ns.hooks6.run(INPUT, packet, dev, null) !== Verdict.Accept) return
    this.mib.InDelivers++
    if (packet.l4Protocol === ipproto.ICMPV6) return errors.receive(dev, packet)
    if (packet.l4Protocol === ipproto.UDP) return this.#ns.sockets.udp.receive6(dev, packet)
    if (packet.l4Protocol === ipproto.TCP) return this.#ns.sockets.tcp.receive6(dev, packet)
    if (packet.l4Protocol === ipproto.NONE) return pool.free(packet)
    this.mib.InUnknownProtos++
    errors.error(packet, icmp6.PARAMETER_PROBLEM, UNKNOWN_HEADER, nextHeaderAt - packet.l3)
    pool.drop(packet, DropReason.IP_NOPROTO, dev)
  }

  #reassemble(dev: NetDevice, frame: Frame, at: number): Frame | null {
    const { bytes, l3, tail } = frame
    const { pool, icmp6: errors, sysctl } = this.#ns
    this.mib.ReasmReqds++
    const offset = ext.fragmentOffsetBytes(bytes, at)
    const more = ext.moreFragments(bytes, at)
    const dataAt = at + ext.FRAGMENT_BYTES
    const end = offset + tail - dataAt
    let problem = -1
    if (end > 65_535) problem = at + 2 - l3
    else if (more && (end & 7) !== 0) problem = 4
    if (problem >= 0) {
      errors.error(frame, icmp6.PARAMETER_PROBLEM, 0, problem)
      pool.drop(frame, DropReason.FRAG_TOO_FAR, dev)
      return null
    }
    if (offset === 0 && more && this.#truncatedChain(bytes, l3, tail)) {
      errors.error(frame, icmp6.PARAMETER_PROBLEM, INCOMPLETE_CHAIN, 0)
      pool.drop(frame, DropReason.IPV6_BAD_EXTHDR, dev)
      return null
    }
    this.#reassembly ??= new Reassembly(this.#ns, this)
    this.#reassembly.highBytes = sysctl.globals.ip6frag_high_thresh
    this.#reassembly.seconds = sysctl.globals.ip6frag_time
    let key = `${ext.fragmentId(bytes, at)}`
    for (let i = 0; i < 4; i++) key += ` ${ipv6.srcWord(bytes, l3, i)} ${ipv6.dstWord(bytes, l3, i)}`
    // Link-local addresses mean something on their own link only.
    if (linkScopeAt(bytes, l3 + ipv6.SRC)) key += ` ${dev.ifindex}`
    const headers = at - l3
    frame.dev = dev
    const whole = this.#reassembly.add(key, frame, dataAt, offset, more)
    if (whole === null) return null
    // The fragment header goes: what follows it moves up, and what named it names its successor.
    const from = whole.l3 + headers
    const next = ext.nextHeader(whole.bytes, from)
    const payload = whole.tail - ext.FRAGMENT_BYTES - whole.l3 - ipv6.HEADER_BYTES
    if (payload > 65_535) {
      pool.drop(whole, DropReason.FRAG_TOO_FAR, dev)
      return null
    }
    whole.bytes.copyWithin(from, from + ext.FRAGMENT_BYTES, whole.tail)
    whole.tail -= ext.FRAGMENT_BYTES
    whole.bytes[lastNextHeader(whole.bytes, whole.l3, from)] = next
    ipv6.setPayloadLength(whole.bytes, whole.l3, payload)
    this.mib.ReasmOKs++
    return whole
  }

  /** A first fragment has all headers up to the upper one (RFC 7112, ipv6frag_thdr_truncated). */
  #truncatedChain(bytes: Uint8Array, l3: number, tail: number): boolean {
    const upper = UPPER
    const fault = ext.walk(bytes, l3, tail, upper)
    if (fault === ext.Fault.Truncated) return true
    const least = upper.protocol === ipproto.TCP ? 20 : upper.protocol === ipproto.UDP ? 8
      : upper.protocol === ipproto.ICMPV6 ? 1 : 1
    return upper.at + least > tail
  }

  /** Time ran out (ip6frag_expire_frag_queue). */
  timedOut(first: Frame | null): void {
    this.mib.ReasmTimeout++
    this.mib.ReasmFails++
    if (first !== null) this.#ns.icmp6.error(first, icmp6.TIME_EXCEEDED, icmp6.EXC_FRAGTIME, 0)
  }

  #forward(dev: NetDevice, frame: Frame, way: Dst): void {
    const { pool, icmp6: errors } = this.#ns
    const { bytes, l3 } = frame
    if (way.type !== "unicast") return this.#noWay(dev, frame, way)
    if (!this.forwards) return pool.drop(frame, DropReason.FORWARDING_DISABLED, dev)
    if (ipv6.hopLimit(bytes, l3) <= 1) {
      this.mib.InHdrErrors++
      errors.error(frame, icmp6.TIME_EXCEEDED, icmp6.EXC_HOPLIMIT, 0)
      return pool.drop(frame, DropReason.NET_TTL_EXPIRED, dev)
    }
    if (way.dev === dev) this.#ns.redirect6.send(dev, frame, way)
    else if (ipv6.isUnspecified(bytes, l3 + ipv6.SRC)) {
      return pool.drop(frame, DropReason.IP_INVALID_SOURCE, dev)
    } else if (linkScopeAt(bytes, l3 + ipv6.SRC)) {
      errors.error(frame, icmp6.DEST_UNREACH, icmp6.BEYOND_SCOPE, 0)
      return pool.drop(frame, DropReason.IP_INVALID_SOURCE, dev)
    }
    const mtu = Math.max(this.mtu(way), ipv6.MTU_MIN)
    if (frame.tail - l3 > mtu) {
      this.mib.FragFails++
      errors.error(frame, icmp6.PACKET_TOO_BIG, 0, mtu)
      return pool.drop(frame, DropReason.PKT_TOO_BIG, dev)
    }
    ipv6.setHopLimit(bytes, l3, ipv6.hopLimit(bytes, l3) - 1)
    if (this.#ns.hooks6.run(FORWARD, frame, dev, way.dev) !== Verdict.Accept) return
    this.mib.ForwDatagrams++
    frame.dev = way.dev
    if (this.#ns.hooks6.run(POSTROUTING, frame, null, way.dev) !== Verdict.Accept) return
    this.#transmit(frame, way)
  }

  /** Without a route even a host that does not forward says so (ip6_pkt_discard). */
  #noWay(dev: NetDevice, frame: Frame, way: Dst): void {
    const { pool, icmp6: errors } = this.#ns
    this.mib.InNoRoutes++
    if (way.type === "blackhole") return pool.drop(frame, DropReason.IP_BLACKHOLE, dev)
    const code = way.type === "prohibit" ? icmp6.ADM_PROHIBITED : icmp6.NO_ROUTE
    errors.error(frame, icmp6.DEST_UNREACH, code, 0)
    pool.drop(frame, code === icmp6.NO_ROUTE ? DropReason.IP_INNOROUTES : DropReason.IP_UNREACHABLE, dev)
  }

  // Down

  alloc(payloadBytes: number): Frame | null {
    const frame = this.#ns.pool.alloc(eth.HEADER_BYTES + ipv6.HEADER_BYTES + payloadBytes)
    if (frame === null) return null
    frame.l3 = frame.head + eth.HEADER_BYTES
    frame.l4 = frame.l3 + ipv6.HEADER_BYTES
    frame.tail = frame.l4 + payloadBytes
    frame.protocol = ethertype.IPV6
    return frame
  }

  output(frame: Frame, way: Dst): Errno {
    this.mib.OutRequests++
    if (this.#ns.hooks6.run(OUTPUT, frame, null, way.dev) !== Verdict.Accept) return Errno.EPERM
    frame.dev = way.dev
    if (this.#ns.hooks6.run(POSTROUTING, frame, null, way.dev) !== Verdict.Accept) return Errno.EPERM
    const mtu = Math.max(this.mtu(way), ipv6.MTU_MIN)
    return frame.tail - frame.l3 <= mtu ? this.#transmit(frame, way) : this.#fragment(frame, way, mtu)
  }

  /** The sender cuts behind the fixed header (ip6_fragment). */
  #fragment(frame: Frame, way: Dst, mtu: number): Errno {
    const { bytes, l3, l4 } = frame
    const step = (mtu - ipv6.HEADER_BYTES - ext.FRAGMENT_BYTES) & ~7
    completeChecksum(frame)
    const total = frame.tail - l4
    const id = this.#ns.engine.prng(`ip6id:${this.#ns.name}`).u32() | 0
    this.mib.FragOKs++
    for (let at = 0; at < total; at += step) {
      const count = Math.min(step, total - at)
      const piece = this.alloc(ext.FRAGMENT_BYTES + count)
      if (piece === null) break
      piece.bytes.set(bytes.subarray(l3, l4), piece.l3)
      piece.bytes.set(bytes.subarray(l4 + at, l4 + at + count), piece.l4 + ext.FRAGMENT_BYTES)
      ext.writeFragment(piece.bytes, piece.l4, frame.l4Protocol, at, at + count < total, id)
      ipv6.setNextHeader(piece.bytes, piece.l3, ipproto.FRAGMENT)
      ipv6.setPayloadLength(piece.bytes, piece.l3, ext.FRAGMENT_BYTES + count)
      piece.mark = frame.mark
      this.mib.FragCreates++
      piece.dev = frame.dev
      this.#transmit(piece, way)
    }
    this.#ns.pool.free(frame)
    return Errno.OK
  }

  #transmit(frame: Frame, way: Dst): Errno {
    this.mib.countTransmit(frame.tail - frame.l3, way.type)
    const dev = way.dev!
    if (way.type === "unicast" && !dev.loopback) {
      let neigh = way.neigh
      if (neigh === null) {
        neigh = this.#ns.neigh6.obtain(dev, way.nextHop)
        way.neigh = neigh
        if (neigh === null) {
          this.#ns.pool.drop(frame, DropReason.NEIGH_CREATEFAIL, dev)
          return Errno.ENOBUFS
        }
      }
      return this.#ns.neigh6.output(neigh, frame, ethertype.IPV6)
    }
    const at = frame.l3 - eth.HEADER_BYTES
    frame.head = at
    if (dev.loopback) eth.setDst(frame.bytes, at, 0, 0)
    else eth.setDst(frame.bytes, at, 0x3333, ipv6.dstWord(frame.bytes, frame.l3, 3))
    eth.setSrc(frame.bytes, at, dev.macHi, dev.macLo)
    eth.setEtherType(frame.bytes, at, ethertype.IPV6)
    dev.xmit(frame)
    return Errno.OK
  }

  #routeWords(w0: number, w1: number, w2: number, w3: number): Dst {
    const generation = this.#ns.generation
    const known = this.#cache.find6(w0, w1, w2, w3, generation)
    if (known !== null && (known.untilNs === Infinity || known.untilNs > this.#ns.engine.nowNs)) return known
    const dst = this.#lookup(Int32Array.of(w0, w1, w2, w3), null)
    this.#cache.put(dst, generation)
    return dst
  }

  #lookup(ip: Ip, oif: NetDevice | null): Dst {
    if (isMulticast(ip)) {
      const dev = oif ?? this.#ns.fib6.lookup(ip, null)?.dev ?? null
      return new Dst(ip, dev === null ? "none" : "multicast", dev, ip, false, this.selectSource(dev, ip), 0)
    }
    const route = this.#ns.fib6.lookup(ip, oif)
    if (route === null) return new Dst(ip, "none", null, ip, false, null, 0)
    if (route.type === "local") {
      const address = oif === null || !isLinkLocal(ip) ? this.#ns.findAddress(ip) : this.#ns.findAddress(ip, oif)
      // An address that is not yet known to be ours is nobody's.
      if (address !== null && !address.usable) return new Dst(ip, "none", null, ip, false, null, 0)
      return new Dst(ip, "local", this.#ns.lo, ip, false, ip, 0, route.dst.bits)
    }
    const learnt = this.#exceptions === null ? null : this.#exceptions.get(ip)
    const gateway = learnt === null || learnt.gateway === null ? route.via : learnt.gateway
    const src = route.src ?? this.selectSource(route.dev, ip)
    const dst = new Dst(
      ip, route.type, route.dev, gateway ?? ip, gateway !== null, src, route.mtu, route.dst.bits
    )
    if (learnt !== null) {
      dst.learntMtu = learnt.mtu
      dst.learntUntilNs = learnt.mtuUntilNs
    }
    return dst
  }
}

/** First and last fragment in one: a whole packet with a header too much (RFC 6946). */
function isAtomic(bytes: Uint8Array, at: number): boolean {
  return ext.fragmentOffsetBytes(bytes, at) === 0 && !ext.moreFragments(bytes, at)
}

const LINK_LOCAL = { ip: Int32Array.of(0xfe800000, 0, 0, 0), bits: 10 }

const SCOPE_LINK = 2
const SCOPE_GLOBAL = 14

/** How far an address reaches, as the scope of a group is written (ipv6_addr_src_scope). */
function scopeOf(ip: Ip): number {
  if (isMulticast(ip)) return (ip[0]! >>> 16) & 15
  return contains(LINK_LOCAL, ip) || isLoopback(ip) ? SCOPE_LINK : SCOPE_GLOBAL
}

/** The kernel's own policy table (net/ipv6/addrlabel.c), longest prefixes first. */
function labelOf(ip: Ip): number {
  const [first = 0, second = 0, third = 0, last = 0] = ip
  if (first === 0 && second === 0 && third === 0) return last === 1 ? 0 : 3
  if (first === 0 && second === 0 && third === 0xffff) return 4
  if (first >>> 4 === 0x2001001) return 7
  if (first === 0x20010000) return 6
  if (first >>> 16 === 0x2002) return 2
  return first >>> 25 === 0xfc >>> 1 ? 5 : 1
}

function linkScopeAt(bytes: Uint8Array, at: number): boolean {
  return get32(bytes, at) >>> 22 === 0x3fa
}

function isLoopbackAt(bytes: Uint8Array, at: number): boolean {
  return get32(bytes, at + 12) === 1 && get32(bytes, at) === 0 && get32(bytes, at + 4) === 0 &&
    get32(bytes, at + 8) === 0
}

function commonBits(a: Ip, b: Ip): number {
  for (let i = 0; i < 128; i++) {
    const mask = mask4((i & 31) + 1)
    if (((a[i >>> 5]! ^ b[i >>> 5]!) & mask) !== 0) return i
  }
  return 128
}

/** The octet that names what starts at `end`, walking from the fixed header. */
function lastNextHeader(bytes: Uint8Array, l3: number, end: number): number {
  let nameAt = l3 + 6
  for (let at = l3 + ipv6.HEADER_BYTES; at < end;) {
    nameAt = at
    at += (bytes[at + 1]! + 1) * 8
  }
  return nameAt
}
