/**
 * IPv6 of one namespace (net/ipv6/ip6_input.c, ip6_output.c, route.c), the twin of `ip4.ts`.
 * Only the sender fragments. Link-local destinations need a device (`routeVia`).
 * Not supported: multicast forwarding and MLD, routing headers, IPsec, router advertisements.
 */
import type { Prng } from "@podwire/engine"
import { DropReason, Errno, type Frame, type NetDevice, PacketType } from "@podwire/netdev"
import { FORWARD, INPUT, OUTPUT, POSTROUTING, PREROUTING, Verdict } from "@podwire/netfilter"
import { get32 } from "@podwire/wire/bytes"
import { contains, mask4 } from "@podwire/wire/cidr"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as icmp6 from "@podwire/wire/icmp6"
import { ALL_NODES6, ALL_ROUTERS6, equal, type Ip, isLinkLocal, isMulticast, read6, solicitedNode } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv6 from "@podwire/wire/ipv6"
import * as ext from "@podwire/wire/ipv6-ext"
import { Dst, DstCache } from "./dst.ts"
import type { Netns } from "./netns.ts"
import { PathMtu } from "./path-mtu.ts"
import { Reassembly } from "./reassembly.ts"
import type { Conf6 } from "./sysctl.ts"

export class Ip6 {
  readonly pathMtu: PathMtu
  readonly #ns: Netns
  readonly #cache = new DstCache()
  readonly #confs: Array<Conf6 | undefined> = []
  readonly #upper = new ext.Upper()
  readonly #reassembly: Reassembly
  readonly #ids: Prng

  constructor(ns: Netns) {
    this.#ns = ns
    this.pathMtu = new PathMtu(ns.engine)
    this.#ids = ns.engine.prng(`ip6id:${ns.name}`)
    this.#reassembly = new Reassembly(ns, {
      timedOut: (first) => ns.icmp6.error(first, icmp6.TIME_EXCEEDED, icmp6.EXC_FRAGTIME, 0)
    }, { time: "net/ipv6/ip6frag_time", high: "net/ipv6/ip6frag_high_thresh" })
  }

  addDevice(dev: NetDevice, conf: Conf6): void {
    this.#confs[dev.ifindex] = conf
  }

  conf(dev: NetDevice): Conf6 {
    return this.#confs[dev.ifindex] ?? this.#ns.sysctl.default6
  }

  enabled(dev: NetDevice): boolean {
    return this.conf(dev).disable_ipv6 === 0
  }

  destroy(): void {
    this.#reassembly.destroy()
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

  /** RFC 6724, the rules that matter here: same address, scope, usable, longest matching prefix. */
  selectSource(dev: NetDevice | null, to: Ip): Ip | null {
    let best: Ip | null = null
    let bestRank = -1
    for (const { cidr, dev: on, usable, deprecated } of this.#ns.addresses()) {
      if (cidr.ip.length !== 4 || !usable || (on.loopback && dev !== null && !dev.loopback)) continue
      if (equal(cidr.ip, to)) return cidr.ip
      const sameScope = linkScope(cidr.ip) === linkScope(to)
      // A link-local address is no source for what leaves the link, nor any device's but its own.
      if (linkScope(cidr.ip) && (on !== dev || !linkScope(to))) {
        if (!(on === dev && isMulticast(to))) continue
      }
      const rank = (sameScope ? 4096 : 0) + (deprecated ? 0 : 2048) + (on === dev ? 1024 : 0) +
        commonBits(cidr.ip, to)
      if (rank > bestRank) {
        best = cidr.ip
        bestRank = rank
      }
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

  mtu(dst: Dst): number {
    const base = dst.routeMtu > 0 ? dst.routeMtu : dst.dev!.mtu
    const learnt = this.pathMtu.get(dst.ip)
    return learnt > 0 && learnt < base ? learnt : base
  }

  // Up

  input(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l3 } = frame
    if (frame.packetType === PacketType.OtherHost) return pool.drop(frame, DropReason.OTHERHOST, dev)
    if (!this.enabled(dev)) return pool.drop(frame, DropReason.IPV6DISABLED, dev)
    if (ipv6.check(bytes, l3, frame.tail) !== ipv6.Fault.None) {
      return pool.drop(frame, DropReason.IP_INHDR, dev)
    }
    if (ipv6.isMulticastSrc(bytes, l3)) return pool.drop(frame, DropReason.IP_INVALID_SOURCE, dev)
    if (!dev.loopback && (isLoopbackAt(bytes, l3 + ipv6.SRC) || isLoopbackAt(bytes, l3 + ipv6.DST))) {
      return pool.drop(frame, DropReason.IP_LOCALNET, dev)
    }
    frame.tail = l3 + ipv6.HEADER_BYTES + ipv6.payloadLength(bytes, l3)
    frame.l4 = l3 + ipv6.HEADER_BYTES
    frame.l4Protocol = ipv6.nextHeader(bytes, l3)
    if (this.#ns.hooks6.run(PREROUTING, frame, dev, null) !== Verdict.Accept) return
    if (ipv6.isMulticastDst(bytes, l3)) return this.#inputGroup(dev, frame)
    const way = this.#routeWords(
      ipv6.dstWord(bytes, l3, 0), ipv6.dstWord(bytes, l3, 1), ipv6.dstWord(bytes, l3, 2),
      ipv6.dstWord(bytes, l3, 3)
    )
    if (way.type === "local") return this.#deliver(dev, frame)
    if (frame.packetType !== PacketType.Host) {
      return pool.drop(frame, DropReason.UNICAST_IN_L2_MULTICAST, dev)
    }
    this.#forward(dev, frame, way)
  }

  /** Only groups that this host is in; others end here without being anybody's loss (ip6_mc_input). */
  #inputGroup(dev: NetDevice, frame: Frame): void {
    const group = read6(frame.bytes, frame.l3 + ipv6.DST)
    if (this.isMember(dev, group)) this.#deliver(dev, frame)
    else this.#ns.pool.free(frame)
  }

  isMember(dev: NetDevice, group: Ip): boolean {
    if (equal(group, ALL_NODES6)) return true
    if (equal(group, ALL_ROUTERS6)) return this.conf(dev).forwarding !== 0
    return this.#ns.addresses().some((address) =>
      address.dev === dev && address.cidr.ip.length === 4 && equal(solicitedNode(address.cidr.ip), group)
    )
  }

  #deliver(dev: NetDevice, frame: Frame): void {
    const { pool, icmp6: errors } = this.#ns
    let packet = frame
    const upper = this.#upper
    const fault = ext.walk(packet.bytes, packet.l3, packet.tail, upper)
    if (fault !== ext.Fault.None) {
      if (upper.faultCode >= 0) {
        errors.error(packet, icmp6.PARAMETER_PROBLEM, upper.faultCode === 3 ? 2 : upper.faultCode, upper.faultAt - packet.l3)
      }
      return pool.drop(packet, DropReason.IPV6_BAD_EXTHDR, dev)
    }
    if (upper.fragmentAt >= 0) {
      const whole = this.#reassemble(packet, upper.fragmentAt)
      if (whole === null) return
      packet = whole
      if (ext.walk(packet.bytes, packet.l3, packet.tail, upper) !== ext.Fault.None || upper.fragmentAt >= 0) {
        return pool.drop(packet, DropReason.IPV6_BAD_EXTHDR, dev)
      }
    }
    packet.l4 = upper.at
    packet.l4Protocol = upper.protocol
    const nextHeaderAt = upper.nextHeaderAt
    if (this.#ns.hooks6.run(INPUT, packet, dev, null) !== Verdict.Accept) return
    if (packet.l4Protocol === ipproto.ICMPV6) return errors.receive(dev, packet)
    if (packet.l4Protocol === ipproto.UDP) return this.#ns.sockets.receiveUdp6(dev, packet)
    if (packet.l4Protocol === ipproto.TCP) return this.#ns.sockets.receiveTcp6(dev, packet)
    if (packet.l4Protocol === ipproto.NONE) return pool.free(packet)
    errors.error(packet, icmp6.PARAMETER_PROBLEM, 1, nextHeaderAt - packet.l3)
    pool.drop(packet, DropReason.IP_NOPROTO, dev)
  }

  #reassemble(frame: Frame, at: number): Frame | null {
    const { bytes, l3 } = frame
    const key = `${[0, 1, 2, 3].map((i) => `${ipv6.srcWord(bytes, l3, i)} ${ipv6.dstWord(bytes, l3, i)}`).join(" ")} ` +
      ext.fragmentId(bytes, at)
    const headers = at - l3
    const next = ext.nextHeader(bytes, at)
    const offset = ext.fragmentOffsetBytes(bytes, at)
    const whole = this.#reassembly.add(key, frame, at + ext.FRAGMENT_BYTES, offset, ext.moreFragments(bytes, at))
    if (whole === null) return null
    // The fragment header goes: what follows it moves up, and what named it names its successor.
    const from = whole.l3 + headers
    whole.bytes.copyWithin(from, from + ext.FRAGMENT_BYTES, whole.tail)
    whole.tail -= ext.FRAGMENT_BYTES
    const upper = this.#upper
    whole.bytes[lastNextHeader(whole.bytes, whole.l3, from)] = next
    ipv6.setPayloadLength(whole.bytes, whole.l3, whole.tail - whole.l3 - ipv6.HEADER_BYTES)
    upper.fragmentAt = -1
    return whole
  }

  #forward(dev: NetDevice, frame: Frame, way: Dst): void {
    const { pool, icmp6: errors } = this.#ns
    const { bytes, l3 } = frame
    if (this.conf(dev).forwarding === 0) return pool.drop(frame, DropReason.FORWARDING_DISABLED, dev)
    if (linkScopeAt(bytes, l3 + ipv6.DST)) return pool.drop(frame, DropReason.IP_INVALID_DEST, dev)
    if (way.type !== "unicast") {
      if (way.type === "blackhole") return pool.drop(frame, DropReason.IP_BLACKHOLE, dev)
      const code = way.type === "prohibit" ? icmp6.ADM_PROHIBITED
        : way.type === "unreachable" ? icmp6.ADDR_UNREACH : icmp6.NO_ROUTE
      errors.error(frame, icmp6.DEST_UNREACH, code, 0)
      return pool.drop(frame, DropReason.IP_INNOROUTES, dev)
    }
    if (ipv6.hopLimit(bytes, l3) <= 1) {
      errors.error(frame, icmp6.TIME_EXCEEDED, icmp6.EXC_HOPLIMIT, 0)
      return pool.drop(frame, DropReason.NET_TTL_EXPIRED, dev)
    }
    if (linkScopeAt(bytes, l3 + ipv6.SRC)) {
      errors.error(frame, icmp6.DEST_UNREACH, icmp6.BEYOND_SCOPE, 0)
      return pool.drop(frame, DropReason.IP_INVALID_SOURCE, dev)
    }
    const mtu = this.mtu(way)
    if (frame.tail - l3 > mtu) {
      errors.error(frame, icmp6.PACKET_TOO_BIG, 0, mtu)
      return pool.drop(frame, DropReason.PKT_TOO_BIG, dev)
    }
    ipv6.setHopLimit(bytes, l3, ipv6.hopLimit(bytes, l3) - 1)
    if (this.#ns.hooks6.run(FORWARD, frame, dev, way.dev) !== Verdict.Accept) return
    frame.dev = way.dev
    if (this.#ns.hooks6.run(POSTROUTING, frame, null, way.dev) !== Verdict.Accept) return
    this.#transmit(frame, way)
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
    const total = frame.tail - l4
    const id = this.#ids.u32() | 0
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
      piece.dev = frame.dev
      this.#transmit(piece, way)
    }
    this.#ns.pool.free(frame)
    return Errno.OK
  }

  #transmit(frame: Frame, way: Dst): Errno {
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
    if (known !== null) return known
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
      const address = this.#ns.findAddress(ip)
      // An address that is not yet known to be ours is nobody's.
      if (address !== null && !address.usable) return new Dst(ip, "none", null, ip, false, null, 0)
      return new Dst(ip, "local", this.#ns.lo, ip, false, ip, 0)
    }
    const nextHop = route.via ?? ip
    const src = route.src ?? this.selectSource(route.dev, ip)
    return new Dst(ip, route.type, route.dev, nextHop, route.via !== null, src, route.mtu)
  }
}

const LINK_LOCAL = { ip: Int32Array.of(0xfe800000, 0, 0, 0), bits: 10 }

/** Does not leave the link: link-local unicast, or a group of link or interface scope. */
function linkScope(ip: Ip): boolean {
  return contains(LINK_LOCAL, ip) || (isMulticast(ip) && ((ip[0]! >>> 16) & 15) <= 2)
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
