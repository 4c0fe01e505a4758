/**
 * Neighbour discovery of one namespace (net/ipv6/ndisc.c, addrconf.c): asking, answering, and making
 * sure that a new address is nobody else's (DAD, RFC 4862).
 * Not supported: MLD reports and router solicitations (Linux sends some when a link comes up), router
 * advertisements, redirects, proxies, optimistic DAD.
 */
import { SECOND, Timer } from "@podwire/engine"
import { DropReason, type Frame, type NetDevice, PacketType } from "@podwire/netdev"
import { get16, get32 } from "@podwire/wire/bytes"
import * as ethertype from "@podwire/wire/ethertype"
import * as icmp6 from "@podwire/wire/icmp6"
import {
  ALL_NODES6, ANY6, equal, type Ip, isMulticast, read6, solicitedNode
} from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv6 from "@podwire/wire/ipv6"
import * as mac from "@podwire/wire/mac"
import * as wire from "@podwire/wire/ndp"
import type { Address } from "./address.ts"
import { Dst } from "./dst.ts"
import { type Neighbour, NudState, type Resolver } from "./neigh.ts"
import type { Netns } from "./netns.ts"

const RETRANS_NS = SECOND

export class Ndp implements Resolver {
  readonly #ns: Netns
  readonly #probes = new Map<Address, DadProbe>()

  constructor(ns: Netns) {
    this.#ns = ns
  }

  // Asking

  solicit(neigh: Neighbour, unicast: boolean): void {
    const source = this.#sourceFor(neigh)
    if (source === null) return
    const { dev } = neigh
    this.#send(dev, source, unicast ? neigh.ip : solicitedNode(neigh.ip), unicast ? neigh : null, (bytes, at) =>
      wire.writeSolicitation(bytes, at, neigh.ip, dev.mac))
  }

  unreachable(_neigh: Neighbour, frame: Frame): void {
    this.#ns.icmp6.error(frame, icmp6.DEST_UNREACH, icmp6.ADDR_UNREACH, 0)
  }

  /** The waiting packet's own source if it is ours on that device, else the link-local address. */
  #sourceFor(neigh: Neighbour): Ip | null {
    const { first, dev } = neigh
    if (first !== null && first.protocol === ethertype.IPV6) {
      const source = read6(first.bytes, first.l3 + ipv6.SRC)
      const own = this.#ns.findAddress(source)
      if (own !== null && own.usable) return source
    }
    return this.#ns.ip6.linkLocal(dev) ??
      (this.#ns.ip6.conf(dev).forwarding === 0 ? this.#ns.ip6.selectSource(dev, neigh.ip) : null)
  }

  // Answering

  receiveSolicitation(dev: NetDevice, frame: Frame): void {
    const { pool, ip6, neigh6 } = this.#ns
    const { bytes, l3, l4, tail } = frame
    const why = invalid(frame, wire.MESSAGE_BYTES)
    if (why !== DropReason.NOT_SPECIFIED) return pool.drop(frame, why, dev)
    const target = read6(bytes, l4 + wire.TARGET)
    const source = read6(bytes, l3 + ipv6.SRC)
    const probe = equal(source, ANY6)
    const sourceMac = wire.optionMac(bytes, l4, tail, wire.OPTION_SOURCE_MAC)
    const address = this.#own(dev, target)
    if (isMulticast(target) || (probe && sourceMac >= 0)) {
      return pool.drop(frame, DropReason.IPV6_NDISC_BAD_OPTIONS, dev)
    }
    if (address === null) {
      if (frame.packetType === PacketType.Host && !probe && sourceMac >= 0) {
        this.#refresh(dev, source, sourceMac)
      }
      return pool.free(frame)
    }
    if (address.tentative) {
      // Somebody else tries for the address that we try for, unless it is our own probe come back.
      if (probe && !this.#isOwnNonce(address, bytes, l4, tail)) this.#conflict(address)
      return pool.free(frame)
    }
    if (address.dadFailed) return pool.free(frame)
    const router = ip6.conf(dev).forwarding !== 0 ? wire.FLAG_ROUTER : 0
    if (probe) {
      this.#send(dev, target, ALL_NODES6, null, (to, at) =>
        wire.writeAdvertisement(to, at, target, dev.mac, router | wire.FLAG_OVERRIDE))
      return pool.free(frame)
    }
    const neigh = neigh6.obtain(dev, source)
    if (neigh !== null && sourceMac >= 0) {
      neigh6.update(neigh, mac.hi(sourceMac), mac.lo(sourceMac), NudState.STALE, true)
    }
    // A unicast probe is answered with neither option nor override: the asker knows the address.
    const unicast = frame.packetType === PacketType.Host
    const flags = router | wire.FLAG_SOLICITED | (unicast ? 0 : wire.FLAG_OVERRIDE)
    this.#send(dev, target, source, neigh, (to, at) =>
      wire.writeAdvertisement(to, at, target, unicast ? -1 : dev.mac, flags))
    pool.free(frame)
  }

  receiveAdvertisement(dev: NetDevice, frame: Frame): void {
    const { pool, neigh6 } = this.#ns
    const { bytes, l4, tail } = frame
    const why = invalid(frame, wire.MESSAGE_BYTES)
    if (why !== DropReason.NOT_SPECIFIED) return pool.drop(frame, why, dev)
    const target = read6(bytes, l4 + wire.TARGET)
    const address = this.#own(dev, target)
    if (address !== null) {
      if (address.tentative) this.#conflict(address)
      return pool.free(frame)
    }
    const neigh = neigh6.find(dev, target)
    if (neigh !== null) {
      const flags = wire.flags(bytes, l4)
      const option = wire.optionMac(bytes, l4, tail, wire.OPTION_TARGET_MAC)
      const address48 = option >= 0 ? option : neigh.mac
      if (option >= 0 || neigh.valid) {
        const solicited = (flags & wire.FLAG_SOLICITED) !== 0
        neigh.isRouter = (flags & wire.FLAG_ROUTER) !== 0
        neigh6.update(
          neigh, mac.hi(address48), mac.lo(address48), solicited ? NudState.REACHABLE : NudState.STALE,
          (flags & wire.FLAG_OVERRIDE) !== 0
        )
      }
    }
    pool.free(frame)
  }

  /** The entry of a node that asked us about itself being reachable: kept fresh, never created. */
  #refresh(dev: NetDevice, source: Ip, sourceMac: number): void {
    const neigh = this.#ns.neigh6.find(dev, source)
    if (neigh !== null) {
      this.#ns.neigh6.update(neigh, mac.hi(sourceMac), mac.lo(sourceMac), NudState.STALE, true)
    }
  }

  #own(dev: NetDevice, ip: Ip): Address | null {
    for (const address of this.#ns.addresses()) {
      if (address.dev === dev && equal(address.cidr.ip, ip)) return address
    }
    return null
  }

  // Duplicate address detection

  addressAdded(address: Address, skip: boolean): void {
    const { dev } = address
    const conf = this.#ns.ip6.conf(dev)
    if (skip || dev.loopback || conf.accept_dad === 0 || conf.dad_transmits === 0) return
    address.tentative = true
    this.#ns.changed()
    if (dev.up) this.#start(address)
  }

  addressRemoved(address: Address): void {
    const probe = this.#probes.get(address)
    if (probe === undefined) return
    this.#ns.engine.disarm(probe)
    this.#probes.delete(address)
  }

  stop(dev: NetDevice): void {
    for (const address of [...this.#probes.keys()]) if (address.dev === dev) this.addressRemoved(address)
  }

  /** Sent, or the time to hear from a rival is over. */
  probed(probe: DadProbe): void {
    const { address } = probe
    const { engine } = this.#ns
    if (probe.left-- > 0) {
      this.#send(address.dev, ANY6, solicitedNode(address.cidr.ip), null, (bytes, at) =>
        wire.writeSolicitation(bytes, at, address.cidr.ip, -1, probe.nonceHi, probe.nonceLo))
      engine.arm(probe, RETRANS_NS)
      return
    }
    this.#probes.delete(address)
    address.tentative = false
    this.#ns.changed()
  }

  #start(address: Address): void {
    const prng = this.#ns.engine.prng(`dad:${this.#ns.name}`)
    const probe = new DadProbe(this, address, this.#ns.ip6.conf(address.dev).dad_transmits)
    probe.nonceHi = prng.below(0x10000)
    probe.nonceLo = prng.u32() | 0
    this.#probes.set(address, probe)
    this.#ns.engine.arm(probe, prng.below(SECOND))
  }

  #isOwnNonce(address: Address, bytes: Uint8Array, l4: number, tail: number): boolean {
    const option = wire.findOption(bytes, l4 + wire.MESSAGE_BYTES, tail, wire.OPTION_NONCE)
    const probe = this.#probes.get(address)
    return option >= 0 && probe !== undefined && get16(bytes, option + 2) === probe.nonceHi &&
      get32(bytes, option + 4) === probe.nonceLo
  }

  /** It stays on the device, tentative and failed, and is not used (`dadfailed tentative`). */
  #conflict(address: Address): void {
    this.addressRemoved(address)
    address.dadFailed = true
    this.#ns.changed()
  }

  // Sending

  #send(
    dev: NetDevice, source: Ip, to: Ip, neigh: Neighbour | null,
    write: (bytes: Uint8Array, at: number) => number
  ): void {
    const { ip6 } = this.#ns
    const frame = ip6.alloc(64)
    if (frame === null) return
    const { bytes, l3, l4 } = frame
    frame.tail = l4 + write(bytes, l4)
    frame.l4Protocol = ipproto.ICMPV6
    ipv6.writeHeader(bytes, l3, 0, 0, frame.tail - l4, ipproto.ICMPV6, wire.HOP_LIMIT, source, to)
    icmp6.finishChecksum(bytes, l4, frame.tail, l3)
    const group = isMulticast(to)
    const way = new Dst(to, group ? "multicast" : "unicast", dev, to, false, source, 0)
    way.neigh = group ? null : neigh ?? this.#ns.neigh6.obtain(dev, to)
    ip6.output(frame, way)
  }
}

export class DadProbe extends Timer {
  readonly address: Address
  readonly #ndp: Ndp
  left: number
  nonceHi = 0
  nonceLo = 0

  constructor(ndp: Ndp, address: Address, transmits: number) {
    super()
    this.#ndp = ndp
    this.address = address
    this.left = transmits
  }

  override fire(): void {
    this.#ndp.probed(this)
  }
}

/** RFC 4861, sections 7.1.1 and 7.1.2: from this link, code 0, whole, with sound options. */
function invalid(frame: Frame, least: number): DropReason {
  const { bytes, l3, l4, tail } = frame
  if (ipv6.hopLimit(bytes, l3) !== wire.HOP_LIMIT) return DropReason.IPV6_NDISC_HOP_LIMIT
  if (icmp6.code(bytes, l4) !== 0) return DropReason.IPV6_NDISC_BAD_CODE
  if (tail - l4 < least) return DropReason.PKT_TOO_SMALL
  if (!wire.optionsValid(bytes, l4 + least, tail)) return DropReason.IPV6_NDISC_BAD_OPTIONS
  return DropReason.NOT_SPECIFIED
}

