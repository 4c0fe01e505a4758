/**
 * How a host finds its routers (RFC 4861, section 6.3; net/ipv6/ndisc.c, addrconf.c): solicitations when a
 * link-local address has passed its test, and what an advertisement brings: default route, hop limit,
 * MTU, prefixes and addresses made from them (RFC 4862), for as long as it says. A forwarding namespace
 * neither asks nor listens (accept_ra=2 does both).
 * Not supported: route information and preferences, DNS options, temporary addresses (use_tempaddr is
 * accepted and means nothing), sending advertisements (a router is a program, not the kernel).
 */
import { type Ns, SECOND, Timer } from "@podwire/engine"
import { DropReason, type Frame, type NetDevice } from "@podwire/netdev"
import { get16, get32 } from "@podwire/wire/bytes"
import { type Cidr, mask4, network } from "@podwire/wire/cidr"
import * as icmp6 from "@podwire/wire/icmp6"
import { ALL_ROUTERS6, ANY6, equal, type Ip, isLinkLocal, isMulticast, linkLocalFromMac, read6 } from "@podwire/wire/ip"
import * as ipv6 from "@podwire/wire/ipv6"
import * as mac from "@podwire/wire/mac"
import * as wire from "@podwire/wire/ndp"
import { replaced } from "./conf.ts"
import { NudState, Override } from "./neigh.ts"
import { invalid, writeMacOption } from "./ndp.ts"
import type { Netns } from "./netns.ts"

const ADVERTISEMENT_BYTES = 16
const PREFIX_BYTES = 32
const FLAG_ON_LINK = 0x80
const FLAG_AUTONOMOUS = 0x40
const FOREVER = 0xffffffff
const METRIC_DEFAULT = 1024
const METRIC_PREFIX = 256
const DEFAULT6: Cidr = { ip: ANY6, bits: 0 }

export class RouterDiscovery {
  readonly #ns: Netns
  #solicitors: Map<NetDevice, Solicitor> | null = null
  /** What was learnt for a while, by a text that names it. */
  #leases: Map<string, Lease> | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  accepts(dev: NetDevice): boolean {
    const conf = this.#ns.ip6.conf(dev)
    return conf.accept_ra === 2 || (conf.accept_ra === 1 && conf.forwarding === 0)
  }

  /** A link-local address may be used: ask who routes, at once and then ever more rarely (RFC 7559). */
  start(dev: NetDevice): void {
    const conf = this.#ns.ip6.conf(dev)
    if (dev.loopback || !this.accepts(dev) || conf.router_solicitations === 0) return
    this.stop(dev)
    const solicitor = new Solicitor(this, dev, conf.router_solicitations)
    ;(this.#solicitors ??= new Map()).set(dev, solicitor)
    this.solicit(solicitor)
  }

  stop(dev: NetDevice): void {
    const solicitor = this.#solicitors?.get(dev)
    if (solicitor === undefined) return
    this.#ns.engine.disarm(solicitor)
    this.#solicitors!.delete(dev)
  }

  /** What routers taught about a device is forgotten with it. */
  forget(dev: NetDevice): void {
    this.stop(dev)
    for (const [name, lease] of this.#leases ?? []) {
      if (lease.dev !== dev) continue
      this.#ns.engine.disarm(lease)
      this.#leases!.delete(name)
    }
  }

  /** Send one, and plan the next: four seconds, doubled each time, give or take a tenth (RFC 3315, 14). */
  solicit(solicitor: Solicitor): void {
    const { dev } = solicitor
    const { engine, ip6, ndp, name } = this.#ns
    const source = ip6.linkLocal(dev)
    if (source !== null) {
      ndp.send(dev, source, ALL_ROUTERS6, null, (bytes, at) => {
        icmp6.writeHeader(bytes, at, icmp6.ROUTER_SOLICITATION, 0, 0)
        return icmp6.HEADER_BYTES + writeMacOption(bytes, at + icmp6.HEADER_BYTES, wire.OPTION_SOURCE_MAC, dev.mac)
      })
    }
    if (solicitor.left > 0 && --solicitor.left === 0) return this.stop(dev)
    const conf = ip6.conf(dev)
    const baseNs = solicitor.intervalNs === 0
      ? conf.router_solicitation_interval * SECOND
      : solicitor.intervalNs * 2
    const mostNs = conf.router_solicitation_max_interval * SECOND
    const tenths = 900_000 + engine.prng(`rs:${name}`).below(200_001)
    const around = Math.min(baseNs, mostNs)
    solicitor.intervalNs = Math.floor((around / 1_000_000) * tenths)
    engine.arm(solicitor, solicitor.intervalNs)
  }

  /** ndisc_router_discovery. Consumes. */
  receive(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l3 } = frame
    const why = invalid(frame, ADVERTISEMENT_BYTES)
    if (why !== DropReason.NOT_SPECIFIED) return pool.drop(frame, why, dev)
    const router = read6(bytes, l3 + ipv6.SRC)
    if (!isLinkLocal(router)) return pool.drop(frame, DropReason.INVALID_PROTO, dev)
    if (this.accepts(dev) && this.#ns.findAddress(router) === null) {
      this.stop(dev)
      this.#learnRouter(dev, frame, router)
      this.#learnOptions(dev, frame, router)
    }
    pool.free(frame)
  }

  #learnRouter(dev: NetDevice, frame: Frame, router: Ip): void {
    const { ip6, sysctl } = this.#ns
    const { bytes, l4 } = frame
    const conf = ip6.conf(dev)
    const hopLimit = bytes[l4 + 4]!
    if (hopLimit > 0 && hopLimit !== conf.hop_limit) {
      sysctl.conf6.set(dev.ifindex, replaced(conf, "hop_limit", hopLimit))
    }
    if (conf.accept_ra_defrtr === 0) return
    const seconds = get16(bytes, l4 + 6)
    const route = { dst: DEFAULT6, via: router, dev, metric: METRIC_DEFAULT, protocol: "ra" } as const
    if (seconds === 0) this.#ns.delRoute(route)
    else this.#ns.addRoute(route)
    this.#lease(`route ${dev.ifindex} ${router.join(" ")}`, dev, seconds, () => this.#ns.delRoute(route))
  }

  #learnOptions(dev: NetDevice, frame: Frame, router: Ip): void {
    const { neigh6, sysctl, ip6 } = this.#ns
    const { bytes, l4, tail } = frame
    for (let at = l4 + ADVERTISEMENT_BYTES; at + 8 <= tail; at += bytes[at + 1]! * 8) {
      const type = bytes[at]!
      if (type === wire.OPTION_SOURCE_MAC) {
        const address = mac.of(get16(bytes, at + 2), get32(bytes, at + 4))
        const neigh = neigh6.obtain(dev, router)
        if (neigh === null) continue
        neigh6.update(neigh, mac.hi(address), mac.lo(address), NudState.STALE, Override.Yes)
        neigh.isRouter = true
      } else if (type === wire.OPTION_MTU && ip6.conf(dev).accept_ra_mtu !== 0) {
        const mtu = get32(bytes, at + 4) >>> 0
        if (mtu >= ipv6.MTU_MIN && mtu <= dev.mtu) {
          sysctl.conf6.set(dev.ifindex, replaced(ip6.conf(dev), "mtu", mtu))
          this.#ns.changed()
        }
      } else if (type === wire.OPTION_PREFIX && bytes[at + 1] === PREFIX_BYTES / 8) {
        if (ip6.conf(dev).accept_ra_pinfo !== 0) this.#learnPrefix(dev, bytes, at)
      }
    }
  }

  /** addrconf_prefix_rcv: on-link prefixes become routes, autonomous ones addresses. */
  #learnPrefix(dev: NetDevice, bytes: Uint8Array, at: number): void {
    const bits = bytes[at + 2]!
    const flags = bytes[at + 3]!
    const valid = get32(bytes, at + 4) >>> 0
    const preferred = get32(bytes, at + 8) >>> 0
    const read: Cidr = { ip: read6(bytes, at + 16), bits }
    if (bits > 128 || preferred > valid || isMulticast(read.ip) || isLinkLocal(read.ip)) return
    const prefix: Cidr = { ip: network(read), bits }
    if ((flags & FLAG_ON_LINK) !== 0) {
      const route = { dst: prefix, dev, metric: METRIC_PREFIX, protocol: "kernel" } as const
      if (valid > 0) this.#ns.addRoute(route)
      this.#lease(`prefix ${dev.ifindex} ${prefix.ip.join(" ")}/${bits}`, dev, valid, () => this.#ns.delRoute(route))
    }
    if ((flags & FLAG_AUTONOMOUS) === 0 || this.#ns.ip6.conf(dev).autoconf === 0 || bits !== 64) return
    const own = linkLocalFromMac(dev.mac)
    own[0] = prefix.ip[0]!
    own[1] = prefix.ip[1]! & mask4(32)
    const cidr: Cidr = { ip: own, bits }
    const known = this.#ns.addresses(dev).find((address) => equal(address.cidr.ip, own))
    if (known === undefined) {
      if (valid === 0) return
      // Its route comes from the on-link flag alone.
      this.#ns.addAddress(dev, cidr, { noprefixroute: true })
    }
    // An unauthenticated advertisement takes at most two hours' notice (RFC 4862, 5.5.3 e).
    const seconds = known === undefined || valid > 7200 ? valid : 7200
    this.#lease(`address ${dev.ifindex} ${own.join(" ")}`, dev, seconds, () => this.#ns.delAddress(dev, cidr))
    this.#lease(`preferred ${dev.ifindex} ${own.join(" ")}`, dev, preferred, () => {
      const address = this.#ns.addresses(dev).find((other) => equal(other.cidr.ip, own))
      if (address !== undefined) address.deprecated = true
      this.#ns.changed()
    })
  }

  /** Undo something when its time is over, unless an advertisement renews it first. */
  #lease(name: string, dev: NetDevice, seconds: number, undo: () => void): void {
    const { engine } = this.#ns
    const leases = (this.#leases ??= new Map())
    const old = leases.get(name)
    if (old !== undefined) engine.disarm(old)
    leases.delete(name)
    if (seconds === 0 && name.startsWith("prefix")) undo()
    if (seconds === 0 || seconds === FOREVER) return
    const lease = new Lease(this, name, dev, undo)
    leases.set(name, lease)
    engine.arm(lease, seconds * SECOND)
  }

  expired(lease: Lease): void {
    this.#leases!.delete(lease.name)
    lease.undo()
  }
}

class Solicitor extends Timer {
  readonly dev: NetDevice
  readonly #owner: RouterDiscovery
  /** Solicitations left; below zero there is no end. */
  left: number
  intervalNs: Ns = 0

  constructor(owner: RouterDiscovery, dev: NetDevice, left: number) {
    super()
    this.#owner = owner
    this.dev = dev
    this.left = left
  }

  override fire(): void {
    this.#owner.solicit(this)
  }
}

class Lease extends Timer {
  readonly name: string
  readonly dev: NetDevice
  readonly undo: () => void
  readonly #owner: RouterDiscovery

  constructor(owner: RouterDiscovery, name: string, dev: NetDevice, undo: () => void) {
    super()
    this.#owner = owner
    this.name = name
    this.dev = dev
    this.undo = undo
  }

  override fire(): void {
    this.#owner.expired(this)
  }
}
