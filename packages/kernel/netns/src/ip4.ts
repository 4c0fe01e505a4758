/**
 * IPv4 of one namespace: input, forwarding and output (net/ipv4/ip_input.c, ip_forward.c, ip_output.c,
 * route.c). One road down and one road up:
 *
 *   input: check -> PREROUTING -> where to? -> INPUT -> ICMP, sockets
 *                                          `-> forward: TTL, MTU -> FORWARD -> POSTROUTING -> device
 *   output: OUTPUT -> POSTROUTING -> fragments if need be -> neighbour -> device
 *
 * A known destination costs no allocation. Not supported: source routes (refused), multicast
 * forwarding, policy routing, IPsec.
 */
import {
  DropReason, Errno, type Frame, type NetDevice, PacketType
} from "@podwire/netdev"
import { FORWARD, INPUT, OUTPUT, POSTROUTING, PREROUTING, Verdict } from "@podwire/netfilter"
import { mask4 } from "@podwire/wire/cidr"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as icmp from "@podwire/wire/icmp"
import { v4 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import type { Prng } from "@podwire/engine"
import { Dst, DstCache } from "./dst.ts"
import { fragment4 } from "./fragment4.ts"
import type { Netns } from "./netns.ts"
import { PathMtu } from "./path-mtu.ts"
import { Reassembly } from "./reassembly.ts"
import type { Conf4 } from "./sysctl.ts"

const LIMITED_BROADCAST = -1
const ALL_HOSTS = 0xe0000001 | 0

export class Ip4 {
  readonly pathMtu: PathMtu
  readonly #ns: Netns
  readonly #cache = new DstCache()
  readonly #confs: Array<Conf4 | undefined> = []
  readonly #reassembly: Reassembly
  readonly #ids: Prng
  #id = -1

  constructor(ns: Netns) {
    this.#ns = ns
    this.pathMtu = new PathMtu(ns.engine)
    this.#ids = ns.engine.prng(`ipid:${ns.name}`)
    this.#reassembly = new Reassembly(ns, {
      timedOut: (first) => ns.icmp4.error(first, icmp.TIME_EXCEEDED, icmp.EXC_FRAGTIME, 0)
    }, { time: "net/ipv4/ipfrag_time", high: "net/ipv4/ipfrag_high_thresh" })
  }

  addDevice(dev: NetDevice, conf: Conf4): void {
    this.#confs[dev.ifindex] = conf
  }

  /** A device's settings. */
  conf(dev: NetDevice): Conf4 {
    return this.#confs[dev.ifindex] ?? this.#ns.sysctl.default4
  }

  destroy(): void {
    this.#reassembly.destroy()
    this.#cache.clear()
  }

  // Routes

  /** The way to an address, remembered. `type` "none" is no route at all. */
  route(address: number): Dst {
    const generation = this.#ns.generation
    const known = this.#cache.find4(address, generation)
    if (known !== null) return known
    const dst = this.#lookup(address, null)
    this.#cache.put(dst, generation)
    return dst
  }

  /** The way to an address out of one device; not remembered. */
  routeVia(address: number, oif: NetDevice): Dst {
    return this.#lookup(address, oif)
  }

  isLocal(address: number): boolean {
    return this.route(address).type === "local"
  }

  /** The device's address that fits a destination, else any global one (inet_select_addr). */
  selectSource(dev: NetDevice | null, address: number): number {
    let first = 0
    for (const { cidr, dev: on, secondary, scope } of this.#ns.addresses()) {
      if (cidr.ip.length !== 1 || on !== dev || scope === "host" || secondary) continue
      if (((cidr.ip[0]! ^ address) & mask4(cidr.bits)) === 0) return cidr.ip[0]!
      if (first === 0) first = cidr.ip[0]!
    }
    if (first !== 0) return first
    for (const { cidr, scope } of this.#ns.addresses()) {
      if (cidr.ip.length === 1 && scope === "global") return cidr.ip[0]!
    }
    return 0
  }

  /** The MTU towards a destination: what was learnt on the way, or the device's. */
  mtu(dst: Dst): number {
    const base = dst.routeMtu > 0 ? dst.routeMtu : dst.dev!.mtu
    const learnt = this.pathMtu.get(dst.ip)
    return learnt > 0 && learnt < base ? learnt : base
  }

  // Up

  /** A packet from a device, at frame.l3. Consumes. */
  input(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l3 } = frame
    if (frame.packetType === PacketType.OtherHost) return pool.drop(frame, DropReason.OTHERHOST, dev)
    const fault = ipv4.check(bytes, l3, frame.tail)
    if (fault !== ipv4.Fault.None) {
      const why = fault === ipv4.Fault.Checksum ? DropReason.IP_CSUM : DropReason.IP_INHDR
      return pool.drop(frame, why, dev)
    }
    frame.tail = l3 + ipv4.totalLength(bytes, l3)
    frame.l4 = l3 + ipv4.headerBytes(bytes, l3)
    frame.l4Protocol = ipv4.protocol(bytes, l3)
    if (this.#ns.hooks4.run(PREROUTING, frame, dev, null) !== Verdict.Accept) return
    this.#inputFinish(dev, frame)
  }

  #inputFinish(dev: NetDevice, frame: Frame): void {
    const { bytes, l3 } = frame
    const src = ipv4.src(bytes, l3)
    const dst = ipv4.dst(bytes, l3)
    const why = this.#martian(dev, src, dst)
    if (why !== DropReason.NOT_SPECIFIED) return this.#ns.pool.drop(frame, why, dev)
    if (frame.l4 - l3 > ipv4.HEADER_BYTES_MIN && !this.#options(dev, frame)) return
    if (dst === LIMITED_BROADCAST) return this.#deliver(dev, frame)
    if (dst >>> 28 === 14) {
      if (dst === ALL_HOSTS) return this.#deliver(dev, frame)
      return this.#ns.pool.drop(frame, DropReason.IP_INVALID_DEST, dev)
    }
    const way = this.route(dst)
    if (way.type === "local" || way.type === "broadcast") return this.#deliver(dev, frame)
    if (frame.packetType !== PacketType.Host) {
      return this.#ns.pool.drop(frame, DropReason.UNICAST_IN_L2_MULTICAST, dev)
    }
    this.#forward(dev, frame, way)
  }

  /** Addresses that cannot be right, and reverse path filtering (ip_route_input_slow, fib_validate_source). */
  #martian(dev: NetDevice, src: number, dst: number): DropReason {
    const conf = this.conf(dev)
    if (src >>> 28 === 14 || src === LIMITED_BROADCAST) return DropReason.IP_INVALID_SOURCE
    if (dst === 0 || (src >>> 24 === 0 && dst !== LIMITED_BROADCAST && src !== 0)) return DropReason.MARTIAN
    if (src === 0) return dst === LIMITED_BROADCAST ? DropReason.NOT_SPECIFIED : DropReason.IP_INVALID_SOURCE
    if (dev.loopback) return DropReason.NOT_SPECIFIED
    const localnet = conf.route_localnet !== 0 || this.#ns.sysctl.all4.route_localnet !== 0
    if (!localnet && (src >>> 24 === 127 || dst >>> 24 === 127)) return DropReason.IP_LOCALNET
    const back = this.route(src)
    if (back.type === "local" && conf.accept_local === 0) return DropReason.IP_INVALID_SOURCE
    const filter = Math.max(conf.rp_filter, this.#ns.sysctl.all4.rp_filter)
    if (filter === 0) return DropReason.NOT_SPECIFIED
    if (back.type !== "unicast" || (filter === 1 && back.dev !== dev)) return DropReason.IP_RPFILTER
    return DropReason.NOT_SPECIFIED
  }

  /** Source routes are refused, malformed options answered with a parameter problem. False: consumed. */
  #options(dev: NetDevice, frame: Frame): boolean {
    const { bytes, l3 } = frame
    const loose = ipv4.findOption(bytes, l3, ipv4.Option.LooseSourceRoute)
    const strict = ipv4.findOption(bytes, l3, ipv4.Option.StrictSourceRoute)
    if (loose === -2) {
      this.#ns.icmp4.error(frame, icmp.PARAMETER_PROBLEM, 0, ipv4.HEADER_BYTES_MIN << 24)
    }
    if (loose === -1 && strict === -1) return true
    this.#ns.pool.drop(frame, DropReason.IP_INHDR, dev)
    return false
  }

  #deliver(dev: NetDevice, frame: Frame): void {
    let packet: Frame | null = frame
    if (ipv4.isFragment(frame.bytes, frame.l3)) {
      packet = this.#reassemble(frame)
      if (packet === null) return
    }
    if (this.#ns.hooks4.run(INPUT, packet, dev, null) !== Verdict.Accept) return
    const protocol = packet.l4Protocol
    if (protocol === ipproto.ICMP) return this.#ns.icmp4.receive(dev, packet)
    if (protocol === ipproto.UDP) return this.#ns.sockets.receiveUdp4(dev, packet)
    if (protocol === ipproto.TCP) return this.#ns.sockets.receiveTcp4(dev, packet)
    this.#ns.icmp4.error(packet, icmp.DEST_UNREACH, icmp.PROT_UNREACH, 0)
    this.#ns.pool.drop(packet, DropReason.IP_NOPROTO, dev)
  }

  #reassemble(frame: Frame): Frame | null {
    const { bytes, l3 } = frame
    const key = `${ipv4.src(bytes, l3)} ${ipv4.dst(bytes, l3)} ${ipv4.protocol(bytes, l3)} ${ipv4.id(bytes, l3)}`
    const offset = ipv4.fragmentOffsetBytes(bytes, l3)
    const whole = this.#reassembly.add(key, frame, frame.l4, offset, ipv4.moreFragments(bytes, l3))
    if (whole === null) return null
    ipv4.setTotalLength(whole.bytes, whole.l3, whole.tail - whole.l3)
    ipv4.setFlagsAndOffset(whole.bytes, whole.l3, 0)
    ipv4.updateChecksum(whole.bytes, whole.l3)
    whole.l4Protocol = ipv4.protocol(whole.bytes, whole.l3)
    return whole
  }

  /** Not ours: send it on (ip_forward). */
  #forward(dev: NetDevice, frame: Frame, way: Dst): void {
    const { pool, icmp4 } = this.#ns
    const { bytes, l3 } = frame
    if (this.conf(dev).forwarding === 0) return pool.drop(frame, DropReason.FORWARDING_DISABLED, dev)
    if (way.type !== "unicast") return this.#noWay(dev, frame, way)
    if (ipv4.ttl(bytes, l3) <= 1) {
      icmp4.error(frame, icmp.TIME_EXCEEDED, icmp.EXC_TTL, 0)
      return pool.drop(frame, DropReason.NET_TTL_EXPIRED, dev)
    }
    const mtu = this.mtu(way)
    if (frame.tail - l3 > mtu && ipv4.dontFragment(bytes, l3)) {
      icmp4.error(frame, icmp.DEST_UNREACH, icmp.FRAG_NEEDED, mtu)
      return pool.drop(frame, DropReason.PKT_TOO_BIG, dev)
    }
    if (way.dev === dev && this.conf(dev).send_redirects !== 0) icmp4.redirect(dev, frame, way)
    ipv4.decrementTtl(bytes, l3)
    if (this.#ns.hooks4.run(FORWARD, frame, dev, way.dev) !== Verdict.Accept) return
    this.#finish(frame, way, mtu)
  }

  #noWay(dev: NetDevice, frame: Frame, way: Dst): void {
    const { pool, icmp4 } = this.#ns
    if (way.type === "blackhole") return pool.drop(frame, DropReason.IP_BLACKHOLE, dev)
    const code = way.type === "unreachable" ? icmp.HOST_UNREACH
      : way.type === "prohibit" ? icmp.PKT_FILTERED : icmp.NET_UNREACH
    icmp4.error(frame, icmp.DEST_UNREACH, code, 0)
    pool.drop(frame, code === icmp.NET_UNREACH ? DropReason.IP_INNOROUTES : DropReason.IP_UNREACHABLE, dev)
  }

  // Down

  /** A frame with room for an IPv4 packet of that payload; l3 and l4 are set, the header is not. */
  alloc(payloadBytes: number): Frame | null {
    const frame = this.#ns.pool.alloc(eth.HEADER_BYTES + ipv4.HEADER_BYTES_MIN + payloadBytes)
    if (frame === null) return null
    frame.l3 = frame.head + eth.HEADER_BYTES
    frame.l4 = frame.l3 + ipv4.HEADER_BYTES_MIN
    frame.tail = frame.l4 + payloadBytes
    frame.protocol = ethertype.IPV4
    return frame
  }

  /** An identification for a packet that may be fragmented, or that Linux would number. */
  nextId(): number {
    if (this.#id < 0) this.#id = this.#ids.below(0x10000)
    this.#id = (this.#id + 1) & 0xffff
    return this.#id === 0 ? (this.#id = 1) : this.#id
  }

  /** A complete local packet (its header written) goes out by `way`. Consumes; the answer is the sender's errno. */
  output(frame: Frame, way: Dst): Errno {
    if (this.#ns.hooks4.run(OUTPUT, frame, null, way.dev) !== Verdict.Accept) return Errno.EPERM
    return this.#finish(frame, way, this.mtu(way))
  }

  /** POSTROUTING, fragments, neighbour (ip_finish_output). */
  #finish(frame: Frame, way: Dst, mtu: number): Errno {
    const dev = way.dev!
    frame.dev = dev
    if (this.#ns.hooks4.run(POSTROUTING, frame, null, dev) !== Verdict.Accept) return Errno.EPERM
    if (frame.tail - frame.l3 <= mtu) return this.#transmit(frame, way)
    if (ipv4.dontFragment(frame.bytes, frame.l3)) {
      this.#ns.pool.drop(frame, DropReason.PKT_TOO_BIG, dev)
      return Errno.EMSGSIZE
    }
    return fragment4(this.#ns.pool, frame, mtu, (piece) => this.#transmit(piece, way))
  }

  #transmit(frame: Frame, way: Dst): Errno {
    const dev = way.dev!
    if (way.type === "unicast" && !dev.loopback) {
      let neigh = way.neigh
      if (neigh === null) {
        neigh = this.#ns.neigh4.obtain(dev, way.nextHop)
        way.neigh = neigh
        if (neigh === null) {
          this.#ns.pool.drop(frame, DropReason.NEIGH_CREATEFAIL, dev)
          return Errno.ENOBUFS
        }
      }
      return this.#ns.neigh4.output(neigh, frame, ethertype.IPV4)
    }
    const at = frame.l3 - eth.HEADER_BYTES
    frame.head = at
    const destination = ipv4.dst(frame.bytes, frame.l3)
    if (dev.loopback) eth.setDst(frame.bytes, at, 0, 0)
    else if (way.type === "broadcast") eth.setDst(frame.bytes, at, 0xffff, -1)
    else eth.setDst(frame.bytes, at, 0x0100, 0x5e000000 | (destination & 0x7fffff))
    eth.setSrc(frame.bytes, at, dev.macHi, dev.macLo)
    eth.setEtherType(frame.bytes, at, ethertype.IPV4)
    dev.xmit(frame)
    return Errno.OK
  }

  #lookup(address: number, oif: NetDevice | null): Dst {
    const ip = v4(address)
    if (address === LIMITED_BROADCAST || address >>> 28 === 14) {
      const type = address === LIMITED_BROADCAST ? "broadcast" : "multicast"
      const found = oif ?? this.#ns.fib4.lookup(ip, null)?.dev ?? null
      const src = found === null ? null : v4(this.selectSource(found, address))
      return new Dst(ip, found === null ? "none" : type, found, ip, false, src, 0)
    }
    const route = this.#ns.fib4.lookup(ip, oif)
    if (route === null) return new Dst(ip, "none", null, ip, false, null, 0)
    if (route.type === "local") {
      return new Dst(ip, "local", this.#ns.lo, ip, false, route.src ?? ip, 0)
    }
    const nextHop = route.via ?? ip
    const src = route.src ?? (route.dev === null ? null : v4(this.selectSource(route.dev, nextHop[0]!)))
    return new Dst(ip, route.type, route.dev, nextHop, route.via !== null, src, route.mtu)
  }
}
