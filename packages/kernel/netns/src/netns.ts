/**
 * A network namespace: devices, addresses, routes, neighbours, sockets, and two doors: `receive` from
 * a device and `ip4.output` / `ip6.output` from a socket. Its verbs and their failures are iproute2's.
 *
 * Invariant: whatever a route lookup depends on moves `generation` when it changes, so a remembered
 * destination (`dst.ts`) is never stale.
 */
import type { Engine } from "@podwire/engine"
import {
  Bridge, type CarrierListener, DETACHED, DropReason, Errno, type Frame, type FramePool, Loopback, type NetDevice,
  PacketType, type RxHandler
} from "@podwire/netdev"
import { HookTable } from "@podwire/netfilter"
import { broadcast, type Cidr, contains, network } from "@podwire/wire/cidr"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import { equal, family, type Ip, isLinkLocal, isLoopback, isMulticast, linkLocalFromMac } from "@podwire/wire/ip"
import { Address, type AddressOptions, type Scope } from "./address.ts"
import { Arp } from "./arp.ts"
import { replaced } from "./conf.ts"
import { Fib, type FibOwner, type Route, type RouteProtocol, type RouteType, TABLE_LOCAL, TABLE_MAIN } from "./fib.ts"
import { Icmp4 } from "./icmp4.ts"
import { Icmp6 } from "./icmp6.ts"
import { Ip4 } from "./ip4.ts"
import { Ip6 } from "./ip6.ts"
import { LinkTable } from "./link-table.ts"
import { Mld } from "./mld.ts"
import { Ndp } from "./ndp.ts"
import { NeighTable } from "./neigh.ts"
import { Redirect6 } from "./redirect6.ts"
import { RouterDiscovery } from "./router-discovery.ts"
import type { PingSocket, UdpSocket } from "./socket.ts"
import { SocketTable } from "./socket-table.ts"
import { type SysctlListener, SysctlTable } from "./sysctl.ts"

export interface RouteSpec {
  readonly dst: Cidr
  readonly via?: Ip
  readonly dev?: NetDevice
  readonly src?: Ip
  readonly metric?: number
  readonly type?: RouteType
  readonly table?: number
  readonly scope?: Scope | "nowhere"
  readonly protocol?: RouteProtocol
  /** The gateway is on the link even if no address says so. */
  readonly onlink?: boolean
  readonly mtu?: number
}

export const DEFAULT4: Cidr = { ip: new Int32Array(1), bits: 0 }
export const DEFAULT6: Cidr = { ip: new Int32Array(4), bits: 0 }
const LOOPBACK_NET4: Cidr = { ip: Int32Array.of(0x7f000001), bits: 8 }
const LOOPBACK_NET6: Cidr = { ip: Int32Array.of(0, 0, 0, 1), bits: 128 }
const GROUPS6: Cidr = { ip: Int32Array.of(0xff000000, 0, 0, 0), bits: 8 }
const METRIC6 = 1024
const METRIC6_KERNEL = 256

export class Netns implements RxHandler, CarrierListener, FibOwner, SysctlListener {
  readonly name: string
  readonly engine: Engine
  readonly pool: FramePool
  readonly lo: Loopback
  readonly links: LinkTable
  readonly sysctl: SysctlTable
  readonly fib4 = new Fib(4, this)
  readonly fib6 = new Fib(6, this)
  readonly hooks4 = new HookTable()
  readonly hooks6 = new HookTable()
  readonly arp: Arp
  readonly ndp: Ndp
  readonly mld: Mld
  readonly routers: RouterDiscovery
  readonly redirect6: Redirect6
  readonly neigh4: NeighTable
  readonly neigh6: NeighTable
  readonly icmp4: Icmp4
  readonly icmp6: Icmp6
  readonly ip4: Ip4
  readonly ip6: Ip6
  readonly sockets: SocketTable
  /** Moves with links, addresses, routes and neighbours that went away. */
  generation = 1
  #addresses: Array<Address> = []
  /** Devices that have had a carrier since they went up: IPv6 works on them (IF_READY). */
  #ready: Set<NetDevice> | null = null

  constructor(engine: Engine, pool: FramePool, name: string) {
    this.name = name
    this.engine = engine
    this.pool = pool
    this.links = new LinkTable()
    this.sysctl = new SysctlTable(this.links, this)
    this.arp = new Arp(this)
    this.ndp = new Ndp(this)
    this.mld = new Mld(this)
    this.routers = new RouterDiscovery(this)
    this.redirect6 = new Redirect6(this)
    this.neigh4 = new NeighTable(this, 4, this.arp)
    this.neigh6 = new NeighTable(this, 6, this.ndp)
    this.icmp4 = new Icmp4(this)
    this.icmp6 = new Icmp6(this)
    this.ip4 = new Ip4(this)
    this.ip6 = new Ip6(this)
    this.sockets = new SocketTable(this)
    this.lo = new Loopback(engine, pool)
    this.attach(this.lo)
  }

  /** Something a route result depends on has changed. */
  changed(): void {
    this.generation = (this.generation + 1) & 0x3fffffff
  }

  // Links

  /** ip link set DEV netns NAME: it arrives down. EEXIST when the name is taken. */
  attach(dev: NetDevice): Errno {
    if (this.links.byName(dev.name) !== null) return Errno.EEXIST
    this.links.add(dev)
    dev.ns = this.name
    dev.handler = this
    dev.up = false
    dev.listener = this
    this.links.onAttach?.(dev)
    return Errno.OK
  }

  /** It leaves, and its addresses, routes and neighbours with it. */
  detach(dev: NetDevice): Errno {
    if (this.links.byName(dev.name) !== dev) return Errno.ENODEV
    this.links.onDetach?.(dev)
    if (dev.master instanceof Bridge) dev.master.removePort(dev, DETACHED)
    this.#takeDown(dev)
    for (const address of this.addresses(dev)) this.#drop(address)
    this.fib4.flush((route) => route.dev === dev)
    const { ifindex } = dev
    dev.listener = null
    this.links.remove(dev)
    this.sysctl.removeDevice(ifindex)
    dev.ns = ""
    dev.handler = DETACHED
    this.changed()
    return Errno.OK
  }

  /** ip link set DEV up. IPv6 gets its link-local address, `lo` its own addresses. */
  setUp(dev: NetDevice): Errno {
    if (this.links.byName(dev.name) !== dev) return Errno.ENODEV
    if (dev.up) return Errno.OK
    // What its carrier brings is done here, after its routes.
    dev.listener = null
    dev.up = true
    dev.listener = this
    this.changed()
    if (dev.loopback) {
      this.addAddress(dev, LOOPBACK_NET4, { scope: "host", kernel: true })
      if (this.ip6.enabled(dev)) this.addAddress(dev, LOOPBACK_NET6, { scope: "host", kernel: true })
      for (const address of this.addresses(dev)) this.#addRoutes(address)
      return Errno.OK
    }
    for (const address of this.addresses(dev)) this.#addRoutes(address)
    if (dev.carrier) this.#ready6(dev)
    // A bridge without an address of its own has one since its first port came.
    const { master } = dev
    if (master !== null && master.up && master.carrier && this.links.byName(master.name) === master) {
      this.#ready6(master)
    }
    if ((this.ip4.conf(dev).arp_notify | this.sysctl.all4.arp_notify) !== 0) this.arp.announce(dev)
    return Errno.OK
  }

  /** The other end came or went. Routes and addresses stay, who answered is forgotten (neigh_carrier_down). */
  carrierChanged(dev: NetDevice): void {
    if (!dev.up) return
    if (dev.carrier) return this.#ready6(dev)
    this.neigh4.flush(dev, true)
    this.neigh6.flush(dev, true)
  }

  /** ip link set DEV down: routes over it go, its IPv4 addresses stay. */
  setDown(dev: NetDevice): Errno {
    if (this.links.byName(dev.name) !== dev) return Errno.ENODEV
    if (dev.up) this.#takeDown(dev)
    return Errno.OK
  }

  /** Also for a device whose other end has gone and taken it down already. */
  #takeDown(dev: NetDevice): void {
    dev.up = false
    this.#ready?.delete(dev)
    this.arp.stop(dev)
    this.ndp.stop(dev)
    this.mld.stop(dev)
    this.routers.forget(dev)
    this.fib4.flush((route) => route.dev === dev && (route.type !== "local" || !dev.loopback))
    this.fib6.flush((route) => route.dev === dev)
    this.neigh4.flush(dev)
    this.neigh6.flush(dev)
    const keep = this.ip6.conf(dev).keep_addr_on_down > 0 || this.sysctl.all6.keep_addr_on_down > 0
    for (const address of this.addresses(dev)) {
      if (family(address.cidr.ip) !== 6) continue
      address.joined = false
      if (!keep || address.kernel) this.#drop(address)
    }
    this.changed()
  }

  setMtu(dev: NetDevice, bytes: number): Errno {
    if (bytes < 68 || bytes > 65_535 + 1) return Errno.EINVAL
    dev.mtu = bytes
    const conf6 = this.ip6.conf(dev)
    // Whatever was advertised or written before is over (addrconf_notify, NETDEV_CHANGEMTU).
    if (conf6.mtu !== 0) this.sysctl.conf6.set(dev.ifindex, replaced(conf6, "mtu", 0))
    this.changed()
    return Errno.OK
  }

  // Addresses

  /** ip address add CIDR dev DEV, with the routes that the kernel adds for it. */
  addAddress(dev: NetDevice, cidr: Cidr, options: AddressOptions = {}): Errno {
    if (this.links.byName(dev.name) !== dev) return Errno.ENODEV
    const { ip } = cidr
    if (isMulticast(ip)) return Errno.EINVAL
    if (family(ip) === 6 && !this.ip6.enabled(dev)) return Errno.EACCES
    const same = this.#addresses.find((other) => other.dev === dev && equal(other.cidr.ip, ip))
    if (same !== undefined) return Errno.EEXIST
    const scope = options.scope ??
      (isLoopback(ip) ? "host" : isLinkLocal(ip) && family(ip) === 6 ? "link" : "global")
    const address = new Address(dev, cidr, scope, options)
    address.secondary = family(ip) === 4 && this.#primary(address) !== undefined
    this.#addresses.push(address)
    this.changed()
    if (family(ip) === 6 && !dev.loopback) {
      address.tentative = !address.nodad && this.ndp.tests(dev)
    }
    // An address by hand brings the groups' route even where there is no carrier yet (addrconf_add_dev).
    if (family(ip) === 6 && dev.up && !dev.loopback) this.#addGroupRoute(dev)
    if (dev.up) this.#addRoutes(address)
    if (family(ip) === 6 && dev.up && (this.#ready?.has(dev) || address.nodad)) this.ndp.begin(address, address.nodad)
    if (family(ip) === 4 && dev.up && !dev.loopback &&
      (this.ip4.conf(dev).arp_notify | this.sysctl.all4.arp_notify) !== 0) this.arp.announce(dev, ip[0]!)
    return Errno.OK
  }

  /** addrconf_add_mroute; the second time changes nothing. */
  #addGroupRoute(dev: NetDevice): void {
    this.fib6.add({
      dst: GROUPS6, type: "multicast", table: TABLE_LOCAL, via: null, dev, src: null,
      metric: METRIC6_KERNEL, scope: "link", protocol: "kernel", onlink: false, mtu: 0
    }, true)
  }

  delAddress(dev: NetDevice, cidr: Cidr): Errno {
    const address = this.#addresses.find((other) =>
      other.dev === dev && equal(other.cidr.ip, cidr.ip) && other.cidr.bits === cidr.bits
    )
    if (address === undefined) return Errno.EADDRNOTAVAIL
    const followers = this.#addresses.filter((other) => other.secondary && this.#primary(other) === address)
    this.#drop(address)
    // Its secondaries go with it, or one of them takes its place (promote_secondaries).
    const promoted = (this.ip4.conf(dev).promote_secondaries | this.sysctl.all4.promote_secondaries) !== 0
    for (const other of followers) this.#drop(other)
    if (promoted) {
      for (const [i, other] of followers.entries()) {
        other.secondary = i > 0
        this.#addresses.push(other)
        if (dev.up) this.#addRoutes(other)
      }
      this.changed()
    }
    return Errno.OK
  }

  /** In order of adding: all of them, or a device's. */
  addresses(dev?: NetDevice): ReadonlyArray<Address> {
    return dev === undefined ? this.#addresses : this.#addresses.filter((a) => a.dev === dev)
  }

  /** Whose address that is; `dev` says which link's, where link-local ones repeat. */
  findAddress(ip: Ip, dev: NetDevice | null = null): Address | null {
    const all = this.#addresses
    for (let i = 0; i < all.length; i++) {
      const address = all[i]!
      if ((dev === null || address.dev === dev) && equal(address.cidr.ip, ip)) return address
    }
    return null
  }

  // Routes

  /** ip route add: ENETUNREACH for a gateway that is on no link, ENODEV, EEXIST, EINVAL. */
  addRoute(spec: RouteSpec): Errno {
    const version = family(spec.dst.ip)
    const type = spec.type ?? "unicast"
    const via = spec.via ?? null
    let dev = spec.dev ?? null
    if (!equal(network(spec.dst), spec.dst.ip)) return Errno.EINVAL
    if (type === "unicast") {
      if (via !== null && family(via) !== version) return Errno.EINVAL
      if (via !== null && spec.onlink !== true) {
        if (this.findAddress(via) !== null) return Errno.EINVAL
        const way = (version === 4 ? this.fib4 : this.fib6).lookup(via, dev)
        if (way === null || way.type !== "unicast" || way.via !== null) return Errno.ENETUNREACH
        dev ??= way.dev
      }
      if (dev === null) return Errno.ENODEV
      if (!dev.up) return Errno.ENETDOWN
    } else if (type !== "local" && type !== "broadcast" && version === 6) dev = this.lo
    if (spec.src !== undefined && this.findAddress(spec.src) === null) return Errno.EINVAL
    const route: Route = {
      dst: spec.dst,
      type,
      table: spec.table ?? (type === "local" || type === "broadcast" ? TABLE_LOCAL : TABLE_MAIN),
      via,
      dev: type === "unicast" || type === "local" || type === "broadcast" || version === 6 ? dev : null,
      src: spec.src ?? null,
      metric: spec.metric ?? (version === 6 ? METRIC6 : 0),
      scope: spec.scope ?? (type === "local" ? "host" : via === null && type === "unicast" ? "link" : "global"),
      protocol: spec.protocol ?? "boot",
      onlink: spec.onlink ?? false,
      mtu: spec.mtu ?? 0
    }
    const ours = route.protocol === "kernel" || route.protocol === "ra"
    return (version === 4 ? this.fib4 : this.fib6).add(route, ours)
  }

  /** ip route del: the first route that fits; ESRCH when none does. */
  delRoute(spec: RouteSpec): Errno {
    const fib = family(spec.dst.ip) === 4 ? this.fib4 : this.fib6
    return fib.remove(
      (route) =>
        (spec.via === undefined || (route.via !== null && equal(route.via, spec.via))) &&
        (spec.dev === undefined || route.dev === spec.dev) &&
        (spec.metric === undefined || route.metric === spec.metric) &&
        (spec.type === undefined || route.type === spec.type),
      spec.dst, spec.table ?? TABLE_MAIN
    )
  }

  routes(version: 4 | 6, table = TABLE_MAIN): ReadonlyArray<Route> {
    return (version === 4 ? this.fib4 : this.fib6).list(table)
  }

  // Doors

  /** Up: from a device (netif_receive_skb). Consumes. */
  receive(dev: NetDevice, frame: Frame): void {
    const { bytes, head } = frame
    if (frame.tail - head < eth.HEADER_BYTES) {
      return this.pool.drop(frame, DropReason.PKT_TOO_SMALL, dev)
    }
    frame.l3 = head + eth.HEADER_BYTES
    frame.packetType = packetType(dev, bytes, head)
    const protocol = eth.etherType(bytes, head)
    frame.protocol = protocol
    if (protocol === ethertype.IPV4) this.ip4.input(dev, frame)
    else if (protocol === ethertype.IPV6) this.ip6.input(dev, frame)
    else if (protocol === ethertype.ARP) this.arp.receive(dev, frame)
    else this.pool.drop(frame, DropReason.UNHANDLED_PROTO, dev)
  }

  udp(version: 4 | 6): UdpSocket {
    return this.sockets.udp.socket(version)
  }

  ping(version: 4 | 6): PingSocket {
    return this.sockets.ping.socket(version)
  }

  /** ip netns del: sockets close, timers stop, waiting frames end, devices go. */
  destroy(): void {
    this.sockets.close()
    this.ip4.destroy()
    this.ip6.destroy()
    for (const dev of [...this.links.list()].reverse()) {
      this.detach(dev)
      dev.destroy()
    }
  }

  /** Connected and local routes of an address (fib_add_ifaddr, addrconf_prefix_route). */
  #addRoutes(address: Address): void {
    const { dev, cidr, scope } = address
    const version = family(cidr.ip)
    const fib = version === 4 ? this.fib4 : this.fib6
    const base = {
      via: null, dev, src: version === 4 ? cidr.ip : null, metric: version === 4 ? 0 : METRIC6_KERNEL,
      protocol: "kernel", onlink: false, mtu: 0
    } as const
    const host = { ip: cidr.ip, bits: 32 * cidr.ip.length }
    const local = { ...base, metric: 0, type: "local", table: TABLE_LOCAL, scope: "host" } as const
    // Packets to a secondary address start, like all, from the primary one.
    const src = address.secondary ? this.#primary(address)!.cidr.ip : base.src
    fib.add({ ...local, src, dst: host }, true)
    const subnet = { ip: network(cidr), bits: cidr.bits }
    if (dev.loopback && version === 4) {
      if (cidr.bits < 32) fib.add({ ...local, dst: subnet }, true)
      if (cidr.bits < 31) this.#addBroadcast(address)
      return
    }
    if (address.noprefixroute || address.secondary || (version === 4 ? cidr.bits === 32 : isLoopback(cidr.ip))) return
    fib.add({
      ...base, dst: subnet, type: "unicast", table: TABLE_MAIN, scope: scope === "host" ? "host" : "link"
    }, true)
    if (version === 4 && cidr.bits < 31) this.#addBroadcast(address)
  }

  #addBroadcast({ cidr, dev }: Address): void {
    this.fib4.add({
      dst: { ip: broadcast(cidr), bits: 32 }, type: "broadcast", table: TABLE_LOCAL, via: null, dev,
      src: cidr.ip, metric: 0, scope: "link", protocol: "kernel", onlink: false, mtu: 0
    }, true)
  }

  /** The first address of its subnet on its device (inet_ifa_byprefix), if that is another one. */
  #primary({ dev, cidr }: Address): Address | undefined {
    return this.#addresses.find((other) =>
      other.dev === dev && !other.secondary && !equal(other.cidr.ip, cidr.ip) &&
      family(other.cidr.ip) === 4 && other.cidr.bits === cidr.bits && contains(other.cidr, cidr.ip)
    )
  }

  /** Addresses, and routes that only they justified. */
  #drop(address: Address): void {
    const { dev, cidr } = address
    this.ndp.addressRemoved(address)
    this.#addresses = this.#addresses.filter((other) => other !== address)
    const fib = family(cidr.ip) === 4 ? this.fib4 : this.fib6
    const others = this.#addresses.filter((other) => other.dev === dev && other.cidr.bits === cidr.bits)
    const shared = others.some((other) => equal(network(other.cidr), network(cidr)))
    const last = broadcast(cidr)
    fib.flush((route) =>
      route.dev === dev && route.protocol === "kernel" && (
        (route.type === "local" && equal(route.dst.ip, cidr.ip)) ||
        (!shared && route.dst.bits === cidr.bits && equal(route.dst.ip, network(cidr))) ||
        (!shared && route.type === "broadcast" && equal(route.dst.ip, last))
      )
    )
    fib.flush((route) => route.src !== null && route.protocol !== "kernel" && equal(route.src, cidr.ip))
    this.changed()
  }

  /** The device has a carrier: groups, link-local address, and the tests of what was added before. */
  #ready6(dev: NetDevice): void {
    if (!this.ip6.enabled(dev) || dev.loopback) return
    ;(this.#ready ??= new Set()).add(dev)
    this.#addGroupRoute(dev)
    if (this.ip6.conf(dev).forwarding !== 0) this.mld.routers(dev, true)
    if (dev.mac !== 0 && this.ip6.conf(dev).addr_gen_mode === 0) {
      const cidr = { ip: linkLocalFromMac(dev.mac), bits: 64 }
      if (this.findAddress(cidr.ip, dev) === null) this.addAddress(dev, cidr, { scope: "link", kernel: true })
    }
    for (const address of this.#addresses) {
      if (address.dev !== dev || family(address.cidr.ip) !== 6 || address.joined) continue
      this.ndp.begin(address, address.nodad)
    }
  }

  disable6Changed(ifindex: number, disabled: boolean): void {
    const dev = this.links.byIndex(ifindex)
    if (dev === null) return
    if (!disabled) {
      if (dev.up && dev.loopback) this.addAddress(dev, LOOPBACK_NET6, { scope: "host", kernel: true })
      else if (dev.up && dev.carrier) this.#ready6(dev)
      return
    }
    this.ndp.stop(dev)
    this.routers.forget(dev)
    for (const address of this.addresses(dev)) if (family(address.cidr.ip) === 6) this.#drop(address)
    this.mld.stop(dev)
    this.fib6.flush((route) => route.dev === dev)
    this.neigh6.flush(dev)
  }

  /** A router listens to other groups, and no longer to other routers (dev_forward_change). */
  forwarding6Changed(ifindex: number, forwarding: boolean): void {
    const dev = this.links.byIndex(ifindex)
    if (dev === null || dev.loopback || !dev.up || !this.ip6.enabled(dev)) return
    if (dev.carrier) this.mld.routers(dev, forwarding)
    if (!forwarding || this.routers.accepts(dev)) return
    this.routers.forget(dev)
    this.fib6.flush((route) => route.protocol === "ra" && route.dev === dev)
  }
}

/** For whom the destination MAC says it is (eth_type_trans). */
function packetType(dev: NetDevice, bytes: Uint8Array, head: number): number {
  if (dev.loopback) return PacketType.Host
  if ((bytes[head]! & 1) !== 0) {
    return eth.isBroadcast(bytes, head) ? PacketType.Broadcast : PacketType.Multicast
  }
  return eth.dstLo(bytes, head) === dev.macLo && eth.dstHi(bytes, head) === dev.macHi
    ? PacketType.Host
    : PacketType.OtherHost
}
