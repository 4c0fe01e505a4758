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
import type { Conf4 } from "./conf.ts"
import { Dst, DstCache } from "./dst.ts"
import { Exceptions } from "./exception.ts"
import type { Route } from "./fib.ts"
import { fragment4 } from "./fragment4.ts"
import * as options from "./ip-options.ts"
import { Mib } from "./mib.ts"
import type { Netns } from "./netns.ts"
import { type FragmentOwner, Reassembly } from "./reassembly.ts"

const LIMITED_BROADCAST = -1
const ALL_HOSTS = 0xe0000001 | 0
/** Scratch for a lookup that keeps nothing. */
const PROBE = v4(0)

export class Ip4 implements FragmentOwner {
  readonly #ns: Netns
  readonly #cache = new DstCache()
  readonly #fault = new options.Fault()
  #exceptions: Exceptions | null = null
  #reassembly: Reassembly | null = null
  #mib: Mib | null = null
  #id = -1

  constructor(ns: Netns) {
    this.#ns = ns
  }

  get mib(): Mib {
    return this.#mib ??= new Mib()
  }

  /** A device's settings. */
  conf(dev: NetDevice): Conf4 {
    return this.#ns.sysctl.conf4.of(dev.ifindex)
  }

  /** Datagrams that wait for their fragments. */
  get reassembling(): number {
    return this.#reassembly === null ? 0 : this.#reassembly.waiting
  }

  destroy(): void {
    this.#reassembly?.destroy()
    this.#cache.clear()
  }

  // Routes

  /** The way to an address, remembered. `type` "none" is no route at all. */
  route(address: number): Dst {
    const generation = this.#ns.generation
    const known = this.#cache.find4(address, generation)
    if (known !== null && (known.untilNs === Infinity || known.untilNs > this.#ns.engine.nowNs)) return known
    const dst = this.#lookup(address, null)
    this.#cache.put(dst, generation)
    return dst
  }

  /** The way to an address out of one device; not remembered. */
  routeVia(address: number, oif: NetDevice): Dst {
    return this.#lookup(address, oif)
  }

  isLocal(address: number): boolean {
    return !this.#ns.fib4.isForeign4(address) && this.#glance(address)?.type === "local"
  }

  /** What `route` would say of its type and device, without remembering it: broadcasts bring addresses by the hundred. */
  #glance(address: number): Dst | Route | null {
    const known = this.#cache.find4(address, this.#ns.generation)
    if (known !== null) return known
    if (address === LIMITED_BROADCAST || address >>> 28 === 14) return null
    PROBE[0] = address
    return this.#ns.fib4.lookup(PROBE, null)
  }

  /** The device's address that fits a destination, else its first, else the first global one of any (inet_select_addr). */
  selectSource(dev: NetDevice | null, address: number): number {
    let first = 0
    for (const { cidr, dev: on, secondary, scope } of this.#ns.addresses()) {
      if (cidr.ip.length !== 1 || on !== dev || scope === "host" || secondary) continue
      if (((cidr.ip[0]! ^ address) & mask4(cidr.bits)) === 0) return cidr.ip[0]!
      if (first === 0) first = cidr.ip[0]!
    }
    if (first !== 0) return first
    let lowest = Infinity
    for (const { cidr, dev: on, scope, secondary } of this.#ns.addresses()) {
      if (cidr.ip.length !== 1 || scope !== "global" || secondary || on.ifindex >= lowest) continue
      lowest = on.ifindex
      first = cidr.ip[0]!
    }
    return first
  }

  /** The MTU towards a destination for our own packets: what was learnt, the route's, or the device's. */
  mtu(dst: Dst): number {
    const base = dst.routeMtu > 0 ? dst.routeMtu : dst.dev!.mtu
    return dst.learntMtu > 0 && dst.learntMtu < base && dst.learntUntilNs > this.#ns.engine.nowNs
      ? dst.learntMtu
      : base
  }

  /** Our packets to there may not say "do not fragment" (rt_mtu_locked). */
  mtuLocked(dst: Dst): boolean {
    return dst.mtuLocked && dst.learntUntilNs > this.#ns.engine.nowNs
  }

  /** A router says how much fits (__ip_rt_update_pmtu). */
  learnMtu(address: number, mtu: number): void {
    const { globals } = this.#ns.sysctl
    const way = this.route(address)
    if (way.dev === null) return
    const old = this.mtu(way)
    if (old < mtu || this.mtuLocked(way)) return
    const locked = mtu < globals.min_pmtu
    this.#exceptions ??= new Exceptions(this.#ns.engine)
    this.#exceptions.learnMtu(way.ip, locked ? Math.min(old, globals.min_pmtu) : mtu, locked, globals.mtu_expires)
    this.#ns.changed()
  }

  /** A router says that another one is nearer to there. */
  redirect(address: number, gateway: number, untilNs: number): void {
    this.#exceptions ??= new Exceptions(this.#ns.engine)
    this.#exceptions.redirect(v4(address), v4(gateway), untilNs)
    this.#ns.changed()
  }

  /** A packet like that would be taken in: what ARP asks of a request's addresses too. */
  believes(dev: NetDevice, src: number, dst: number): boolean {
    return this.#martian(dev, src, dst, false) === DropReason.NOT_SPECIFIED
  }

  // Up

  /** A packet from a device, at frame.l3. Consumes. */
  input(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l3 } = frame
    if (frame.packetType === PacketType.OtherHost) return pool.drop(frame, DropReason.OTHERHOST, dev)
    const { mib } = this
    mib.InReceives++
    mib.InOctets += frame.tail - l3
    const fault = ipv4.check(bytes, l3, frame.tail)
    if (fault !== ipv4.Fault.None) {
      mib.InHdrErrors++
      const why = fault === ipv4.Fault.Checksum ? DropReason.IP_CSUM : DropReason.IP_INHDR
      return pool.drop(frame, why, dev)
    }
    mib.countEcn(ipv4.tos(bytes, l3) & 3)
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
    const why = this.#martian(dev, src, dst, true)
    if (why !== DropReason.NOT_SPECIFIED) {
      this.mib.InAddrErrors++
      return this.#ns.pool.drop(frame, why, dev)
    }
    if (dst === LIMITED_BROADCAST || (dst >>> 28 === 14 && dst === ALL_HOSTS)) {
      if (dst === ALL_HOSTS) this.mib.countInMulticast(frame.tail - l3)
      else this.mib.countInBroadcast(frame.tail - l3)
      if (frame.l4 - l3 > ipv4.HEADER_BYTES_MIN && !this.#options(dev, frame, null)) return
      return this.#deliver(dev, frame)
    }
    if (dst >>> 28 === 14) return this.#ns.pool.drop(frame, DropReason.IP_INVALID_DEST, dev)
    const way = this.route(dst)
    const local = way.type === "local" || way.type === "broadcast"
    if (way.type === "broadcast") this.mib.countInBroadcast(frame.tail - l3)
    // Without forwarding, what is not ours ends here and its options are nobody's business (ip_error).
    if (!local && this.conf(dev).forwarding === 0) {
      this.mib.InAddrErrors++
      return this.#ns.pool.drop(frame, DropReason.FORWARDING_DISABLED, dev)
    }
    if (frame.l4 - l3 > ipv4.HEADER_BYTES_MIN && !this.#options(dev, frame, way)) return
    if (local) return this.#deliver(dev, frame)
    if (frame.packetType !== PacketType.Host) {
      return this.#ns.pool.drop(frame, DropReason.UNICAST_IN_L2_MULTICAST, dev)
    }
    this.#forward(dev, frame, way)
  }

  /** Addresses that cannot be right, and reverse path filtering (ip_route_input_slow, fib_validate_source). */
  #martian(dev: NetDevice, src: number, dst: number, remember: boolean): DropReason {
    const conf = this.conf(dev)
    const { all4 } = this.#ns.sysctl
    if (src >>> 28 === 14 || src === LIMITED_BROADCAST) return DropReason.IP_INVALID_SOURCE
    if (src === 0 && dst === LIMITED_BROADCAST) return DropReason.NOT_SPECIFIED
    if (src >>> 24 === 0) return DropReason.IP_INVALID_SOURCE
    if (dst >>> 24 === 0) return DropReason.IP_INVALID_DEST
    if (dev.loopback) return DropReason.NOT_SPECIFIED
    const localnet = (conf.route_localnet | all4.route_localnet) !== 0
    if (!localnet && (src >>> 24 === 127 || dst >>> 24 === 127)) return DropReason.IP_LOCALNET
    const filter = Math.max(conf.rp_filter, all4.rp_filter)
    const local = (conf.accept_local | all4.accept_local) !== 0
    if (!remember && filter === 0) {
      return !local && this.isLocal(src) ? DropReason.IP_INVALID_SOURCE : DropReason.NOT_SPECIFIED
    }
    const back = remember ? this.route(src) : this.#glance(src)
    if (back === null) return filter === 0 ? DropReason.NOT_SPECIFIED : DropReason.IP_RPFILTER
    if (back.type === "local" && !local) return DropReason.IP_INVALID_SOURCE
    if (filter === 0) return DropReason.NOT_SPECIFIED
    if (back.type !== "unicast") return back.type === "local" ? DropReason.NOT_SPECIFIED : DropReason.IP_RPFILTER
    return filter === 1 && back.dev !== dev ? DropReason.IP_RPFILTER : DropReason.NOT_SPECIFIED
  }

  /** Source routes are refused, malformed options answered with a parameter problem. False: consumed. */
  #options(dev: NetDevice, frame: Frame, way: Dst | null): boolean {
    const { bytes, l3 } = frame
    const { pool, sysctl, icmp4, engine } = this.#ns
    const from = way === null || way.type === "broadcast" ? this.selectSource(dev, ipv4.src(bytes, l3)) : way.type === "local"
      ? ipv4.dst(bytes, l3)
      : this.selectSource(dev, ipv4.src(bytes, l3))
    const fault = this.#fault
    if (!options.stamp(bytes, l3, from, engine.nowNs, (address) => this.isLocal(address), fault)) {
      this.mib.InHdrErrors++
      icmp4.error(frame, icmp.PARAMETER_PROBLEM, 0, fault.at << 24)
      pool.drop(frame, DropReason.IP_INHDR, dev)
      return false
    }
    if (!fault.sourceRoute) return true
    // Supported is only to refuse: a router that would obey them is none that anybody runs.
    if (sysctl.all4.accept_source_route === 0 || this.conf(dev).accept_source_route === 0 || way?.type !== "local") {
      pool.drop(frame, DropReason.IP_INHDR, dev)
      return false
    }
    return true
  }

  #deliver(dev: NetDevice, frame: Frame): void {
    let packet: Frame | null = frame
    if (ipv4.isFragment(frame.bytes, frame.l3)) {
      packet = this.#reassemble(dev, frame)
      if (packet === null) return
    }
    if (this.#ns.hooks4.run(INPUT, packet, dev, null) !== Verdict.Accept) return
    this.mib.InDelivers++
    const protocol = packet.l4Protocol
    if (protocol === ipproto.ICMP) return this.#ns.icmp4.receive(dev, packet)
    if (protocol === ipproto.UDP) return this.#ns.sockets.udp.receive4(dev, packet)
    if (protocol === ipproto.TCP) return this.#ns.sockets.tcp.receive4(dev, packet)
    this.mib.InUnknownProtos++
    this.#ns.icmp4.error(packet, icmp.DEST_UNREACH, icmp.PROT_UNREACH, 0)
    this.#ns.pool.drop(packet, DropReason.IP_NOPROTO, dev)
  }

  #reassemble(dev: NetDevice, frame: Frame): Frame | null {
    const { bytes, l3 } = frame
    const { globals } = this.#ns.sysctl
    this.mib.ReasmReqds++
    this.#reassembly ??= new Reassembly(this.#ns, this)
    this.#reassembly.highBytes = globals.ipfrag_high_thresh
    this.#reassembly.seconds = globals.ipfrag_time
    // Fragments of one datagram may take different ways, but a device of each way keeps its own (vif).
    const key = `${ipv4.src(bytes, l3)} ${ipv4.dst(bytes, l3)} ${ipv4.protocol(bytes, l3)} ${ipv4.id(bytes, l3)}`
    const offset = ipv4.fragmentOffsetBytes(bytes, l3)
    frame.dev = dev
    const whole = this.#reassembly.add(key, frame, frame.l4, offset, ipv4.moreFragments(bytes, l3))
    if (whole === null) return null
    if (whole.tail - whole.l3 > 65_535) {
      this.#ns.pool.drop(whole, DropReason.FRAG_TOO_FAR, dev)
      return null
    }
    this.mib.ReasmOKs++
    ipv4.setTotalLength(whole.bytes, whole.l3, whole.tail - whole.l3)
    ipv4.setFlagsAndOffset(whole.bytes, whole.l3, 0)
    ipv4.updateChecksum(whole.bytes, whole.l3)
    whole.l4Protocol = ipv4.protocol(whole.bytes, whole.l3)
    return whole
  }

  /** Time ran out (ip_expire): the sender of a first fragment is told. */
  timedOut(first: Frame | null): void {
    this.mib.ReasmTimeout++
    this.mib.ReasmFails++
    if (first !== null) this.#ns.icmp4.error(first, icmp.TIME_EXCEEDED, icmp.EXC_FRAGTIME, 0)
  }

  /** Not ours: send it on (ip_forward). */
  #forward(dev: NetDevice, frame: Frame, way: Dst): void {
    const { pool, icmp4, sysctl } = this.#ns
    const { bytes, l3 } = frame
    if (way.type !== "unicast") return this.#noWay(dev, frame, way)
    if (ipv4.ttl(bytes, l3) <= 1) {
      this.mib.InHdrErrors++
      icmp4.error(frame, icmp.TIME_EXCEEDED, icmp.EXC_TTL, 0)
      return pool.drop(frame, DropReason.NET_TTL_EXPIRED, dev)
    }
    // A router goes by its links; what its own sockets learnt is theirs (ip_forward_use_pmtu=0).
    const mtu = sysctl.globals.ip_forward_use_pmtu !== 0 ? this.mtu(way)
      : way.routeMtu > 0 ? way.routeMtu : way.dev!.mtu
    if (frame.tail - l3 > mtu && ipv4.dontFragment(bytes, l3)) {
      this.mib.FragFails++
      icmp4.error(frame, icmp.DEST_UNREACH, icmp.FRAG_NEEDED, mtu)
      return pool.drop(frame, DropReason.PKT_TOO_BIG, dev)
    }
    ipv4.decrementTtl(bytes, l3)
    if (way.dev === dev && (this.conf(dev).send_redirects | sysctl.all4.send_redirects) !== 0) {
      icmp4.redirect(dev, frame, way)
    }
    if (this.#ns.hooks4.run(FORWARD, frame, dev, way.dev) !== Verdict.Accept) return
    this.mib.ForwDatagrams++
    if (frame.l4 - l3 > ipv4.HEADER_BYTES_MIN) {
      options.restamp(bytes, l3, way.src === null ? 0 : way.src[0]!)
    }
    this.#finish(frame, way, mtu)
  }

  #noWay(dev: NetDevice, frame: Frame, way: Dst): void {
    const { pool, icmp4 } = this.#ns
    this.mib.InNoRoutes++
    if (way.type === "blackhole") return pool.drop(frame, DropReason.IP_BLACKHOLE, dev)
    const code = way.type === "unreachable" ? icmp.HOST_UNREACH
      : way.type === "prohibit" ? icmp.PKT_FILTERED : icmp.NET_UNREACH
    if (icmp4.limits.allowRouteError(ipv4.src(frame.bytes, frame.l3))) {
      icmp4.error(frame, icmp.DEST_UNREACH, code, 0)
    }
    pool.drop(frame, code === icmp.NET_UNREACH ? DropReason.IP_INNOROUTES : DropReason.IP_UNREACHABLE, dev)
  }

  // Down

  /** A frame with room for an IPv4 packet of that payload; l3 and l4 are set, the header is not. */
  alloc(payloadBytes: number, optionBytes = 0): Frame | null {
    const header = ipv4.HEADER_BYTES_MIN + optionBytes
    const frame = this.#ns.pool.alloc(eth.HEADER_BYTES + header + payloadBytes)
    if (frame === null) return null
    frame.l3 = frame.head + eth.HEADER_BYTES
    frame.l4 = frame.l3 + header
    frame.tail = frame.l4 + payloadBytes
    frame.protocol = ethertype.IPV4
    return frame
  }

  /** An identification for a packet that may be fragmented, or that Linux would number. */
  nextId(): number {
    if (this.#id < 0) this.#id = this.#ns.engine.prng(`ipid:${this.#ns.name}`).below(0x10000)
    this.#id = (this.#id + 1) & 0xffff
    return this.#id === 0 ? (this.#id = 1) : this.#id
  }

  /** A complete local packet (its header written) goes out by `way`. Consumes; the answer is the sender's errno. */
  output(frame: Frame, way: Dst): Errno {
    this.mib.OutRequests++
    if (this.#ns.hooks4.run(OUTPUT, frame, null, way.dev) !== Verdict.Accept) return Errno.EPERM
    return this.#finish(frame, way, this.mtu(way))
  }

  /** POSTROUTING, fragments, neighbour (ip_finish_output). */
  #finish(frame: Frame, way: Dst, mtu: number): Errno {
    const dev = way.dev!
    frame.dev = dev
    if (this.#ns.hooks4.run(POSTROUTING, frame, null, dev) !== Verdict.Accept) return Errno.EPERM
    // What was put together here is cut again as it came (ip_fragment, frag_max_size).
    if (frame.tail - frame.l3 <= mtu && frame.fragMax === 0) return this.transmit(frame, way)
    if (ipv4.dontFragment(frame.bytes, frame.l3) && frame.tail - frame.l3 > mtu) {
      this.mib.FragFails++
      this.#ns.pool.drop(frame, DropReason.PKT_TOO_BIG, dev)
      return Errno.EMSGSIZE
    }
    const most = frame.fragMax > 0 && frame.fragMax < mtu ? frame.fragMax : mtu
    return fragment4(this.#ns.pool, frame, most, this, way)
  }

  /** Behind POSTROUTING: the link-layer header, and away. Consumes. */
  transmit(frame: Frame, way: Dst): Errno {
    this.mib.countTransmit(frame.tail - frame.l3, way.type)
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
      const src = found === null ? null : v4(this.selectSource(found, 0))
      return new Dst(ip, found === null ? "none" : type, found, ip, false, src, 0)
    }
    const route = this.#ns.fib4.lookup(ip, oif)
    if (route === null) return new Dst(ip, "none", null, ip, false, null, 0)
    if (route.type === "local") {
      return new Dst(ip, "local", this.#ns.lo, ip, false, route.src ?? ip, 0)
    }
    const learnt = this.#exceptions === null ? null : this.#exceptions.get(ip)
    const gateway = learnt === null || learnt.gateway === null ? route.via : learnt.gateway
    const nextHop = gateway ?? ip
    const src = route.src ?? (route.dev === null ? null : v4(this.selectSource(route.dev, (route.via ?? ip)[0]!)))
    const dst = new Dst(
      ip, route.type, route.dev, nextHop, gateway !== null, src, route.mtu, route.dst.bits
    )
    if (learnt !== null) {
      dst.learntMtu = learnt.mtu
      dst.learntUntilNs = learnt.mtuUntilNs
      dst.mtuLocked = learnt.mtuLocked
      if (learnt.gateway !== null) dst.untilNs = learnt.gatewayUntilNs
    }
    return dst
  }
}
