/**
 * Neighbour discovery of one namespace (net/ipv6/ndisc.c, addrconf.c): asking, answering, and making
 * sure that a new address is nobody else's (DAD, RFC 4862).
 * Routers are `router-discovery.ts`' business, redirects `redirect6.ts`', group reports `mld.ts`'.
 * Not supported: proxies, anycast, optimistic DAD, untracked advertisements (RFC 9131).
 */
import { MILLISECOND, SECOND, Timer } from "@podwire/engine"
import { DropReason, type Frame, type NetDevice } from "@podwire/netdev"
import { get16, get32, set16, set32 } from "@podwire/wire/bytes"
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
import { type Neighbour, NudState, Override, type Resolver } from "./neigh.ts"
import type { Netns } from "./netns.ts"

/** A redirect quotes up to 1280 bytes; all else is far below. */
const MESSAGE_BYTES_MAX = ipv6.MTU_MIN - ipv6.HEADER_BYTES

export class Ndp implements Resolver {
  readonly #ns: Netns
  #probes: Map<Address, DadProbe> | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  // Asking

  solicit(neigh: Neighbour, unicast: boolean): void {
    const source = this.#sourceFor(neigh)
    if (source === null) return
    const { dev } = neigh
    this.send(dev, source, unicast ? neigh.ip : solicitedNode(neigh.ip), unicast ? neigh : null, (bytes, at) =>
      wire.writeSolicitation(bytes, at, neigh.ip, dev.mac))
  }

  unreachable(neigh: Neighbour, frame: Frame): void {
    this.#ns.ip6.neighbourFailed(neigh.ip)
    this.#ns.icmp6.error(frame, icmp6.DEST_UNREACH, icmp6.ADDR_UNREACH, 0)
  }

  /** The waiting packet's own source if it is that device's, else the link-local address, else silence. */
  #sourceFor(neigh: Neighbour): Ip | null {
    const { first, dev } = neigh
    if (first !== null && first.protocol === ethertype.IPV6) {
      const source = read6(first.bytes, first.l3 + ipv6.SRC)
      const own = this.#own(dev, source)
      if (own !== null && own.usable) return source
    }
    return this.#ns.ip6.linkLocal(dev)
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
    const group = ipv6.isMulticastDst(bytes, l3)
    const sourceMac = wire.optionMac(bytes, l4, tail, wire.OPTION_SOURCE_MAC)
    const address = this.#own(dev, target)
    if (isMulticast(target) || (probe && (sourceMac >= 0 || !isSolicitedNode(bytes, l3 + ipv6.DST)))) {
      return pool.drop(frame, DropReason.IPV6_NDISC_BAD_OPTIONS, dev)
    }
    if (address === null) return pool.drop(frame, DropReason.IPV6_NDISC_NS_OTHERHOST, dev)
    if (address.tentative) {
      // Somebody else tries for the address that we try for, unless it is our own probe come back.
      if (probe && !this.#isOwnNonce(address, bytes, l4, tail)) this.#conflict(address)
      return pool.free(frame)
    }
    if (address.dadFailed) return pool.free(frame)
    const router = ip6.conf(dev).forwarding !== 0 ? wire.FLAG_ROUTER : 0
    if (probe) {
      this.send(dev, target, ALL_NODES6, null, (to, at) =>
        wire.writeAdvertisement(to, at, target, dev.mac, router | wire.FLAG_OVERRIDE))
      return pool.free(frame)
    }
    // Who asks by unicast knows our address: the answer has neither the option nor the override flag.
    const neigh = group && sourceMac < 0 ? neigh6.find(dev, source) : neigh6.obtain(dev, source)
    if (neigh !== null) {
      if (sourceMac >= 0) {
        neigh6.update(neigh, mac.hi(sourceMac), mac.lo(sourceMac), NudState.STALE, Override.Yes)
      }
      const flags = router | wire.FLAG_SOLICITED | (group ? wire.FLAG_OVERRIDE : 0)
      this.send(dev, target, source, neigh, (to, at) =>
        wire.writeAdvertisement(to, at, target, group ? dev.mac : -1, flags))
    }
    pool.free(frame)
  }

  receiveAdvertisement(dev: NetDevice, frame: Frame): void {
    const { pool, neigh6 } = this.#ns
    const { bytes, l3, l4, tail } = frame
    const why = invalid(frame, wire.MESSAGE_BYTES)
    if (why !== DropReason.NOT_SPECIFIED) return pool.drop(frame, why, dev)
    const target = read6(bytes, l4 + wire.TARGET)
    const flags = wire.flags(bytes, l4)
    const solicited = (flags & wire.FLAG_SOLICITED) !== 0
    if (isMulticast(target) || (solicited && ipv6.isMulticastDst(bytes, l3))) {
      return pool.drop(frame, DropReason.IPV6_NDISC_BAD_OPTIONS, dev)
    }
    if (!solicited && this.#ns.ip6.conf(dev).drop_unsolicited_na !== 0) {
      return pool.drop(frame, DropReason.IPV6_NDISC_BAD_CODE, dev)
    }
    const address = this.#own(dev, target)
    if (address !== null) {
      if (address.tentative) this.#conflict(address)
      return pool.free(frame)
    }
    const neigh = neigh6.find(dev, target)
    if (neigh !== null && neigh.state !== NudState.FAILED) {
      const option = wire.optionMac(bytes, l4, tail, wire.OPTION_TARGET_MAC)
      if (option >= 0 || neigh.valid) {
        const there = option >= 0 ? option : neigh.mac
        const override = (flags & wire.FLAG_OVERRIDE) !== 0 ? Override.Yes : Override.Weak
        const wasRouter = neigh.isRouter
        neigh.isRouter = (flags & wire.FLAG_ROUTER) !== 0
        neigh6.update(neigh, mac.hi(there), mac.lo(there), solicited ? NudState.REACHABLE : NudState.STALE, override)
        // No router any more: nothing goes through it (rt6_clean_tohost).
        if (wasRouter && !neigh.isRouter) {
          this.#ns.fib6.flush((route) => route.protocol === "ra" && route.via !== null && equal(route.via, target))
        }
      }
    }
    pool.free(frame)
  }

  #own(dev: NetDevice, ip: Ip): Address | null {
    for (const address of this.#ns.addresses()) {
      if (address.dev === dev && equal(address.cidr.ip, ip)) return address
    }
    return null
  }

  // Duplicate address detection

  /** An address is on a device that is up: its group is joined and its test begun (addrconf_dad_begin). */
  begin(address: Address, skip: boolean): void {
    const { dev, cidr } = address
    if (dev.loopback) return
    const { ip6, mld } = this.#ns
    if (!address.joined) {
      address.joined = true
      mld.joinSolicited(dev, cidr.ip)
    }
    const conf = ip6.conf(dev)
    if (skip || !this.tests(dev)) {
      address.tentative = false
      return this.#completed(address)
    }
    address.tentative = true
    this.#ns.changed()
    const prng = this.#ns.engine.prng(`dad:${this.#ns.name}`)
    const probe = new DadProbe(this, address, conf.dad_transmits)
    probe.nonceHi = prng.below(0x10000)
    probe.nonceLo = prng.u32() | 0
    ;(this.#probes ??= new Map()).set(address, probe)
    this.#ns.engine.arm(probe, conf.dad_transmits === 0 ? 0 : prng.below(SECOND))
  }

  /** New addresses of the device are tested, because it or all devices say so (accept_dad). */
  tests(dev: NetDevice): boolean {
    return this.#ns.ip6.conf(dev).accept_dad > 0 || this.#ns.sysctl.all6.accept_dad > 0
  }

  addressRemoved(address: Address): void {
    this.#forget(address)
    if (!address.dev.loopback && address.joined) {
      address.joined = false
      this.#ns.mld.leaveSolicited(address.dev, address.cidr.ip)
    }
  }

  stop(dev: NetDevice): void {
    for (const address of [...this.#probes?.keys() ?? []]) if (address.dev === dev) this.#forget(address)
  }

  /** Sent, or the time to hear from a rival is over. */
  probed(probe: DadProbe): void {
    const { address } = probe
    const { engine, sysctl } = this.#ns
    if (probe.left-- > 0) {
      this.send(address.dev, ANY6, solicitedNode(address.cidr.ip), null, (bytes, at) =>
        wire.writeSolicitation(bytes, at, address.cidr.ip, -1, probe.nonceHi, probe.nonceLo))
      engine.arm(probe, Math.max(1, sysctl.neigh6.of(address.dev.ifindex).retrans_time_ms) * MILLISECOND)
      return
    }
    this.#probes?.delete(address)
    address.tentative = false
    this.#ns.changed()
    this.#completed(address)
  }

  /** It is ours: reports come from it, routers are looked for, and with ndisc_notify all are told. */
  #completed(address: Address): void {
    const { dev, cidr, scope } = address
    const { ip6, mld, routers, sysctl } = this.#ns
    if (scope === "link" && ip6.linkLocal(dev) === cidr.ip) {
      mld.dadComplete(dev)
      routers.start(dev)
    }
    if ((ip6.conf(dev).ndisc_notify | sysctl.all6.ndisc_notify) === 0) return
    const router = ip6.conf(dev).forwarding !== 0 ? wire.FLAG_ROUTER : 0
    this.send(dev, cidr.ip, ALL_NODES6, null, (bytes, at) =>
      wire.writeAdvertisement(bytes, at, cidr.ip, dev.mac, router | wire.FLAG_OVERRIDE))
  }

  #forget(address: Address): void {
    const probe = this.#probes?.get(address)
    if (probe === undefined) return
    this.#ns.engine.disarm(probe)
    this.#probes!.delete(address)
  }

  #isOwnNonce(address: Address, bytes: Uint8Array, l4: number, tail: number): boolean {
    const option = wire.findOption(bytes, l4 + wire.MESSAGE_BYTES, tail, wire.OPTION_NONCE)
    const probe = this.#probes?.get(address)
    return option >= 0 && probe !== undefined && get16(bytes, option + 2) === probe.nonceHi &&
      get32(bytes, option + 4) === probe.nonceLo
  }

  /** It stays on the device, tentative and failed, and is not used (`dadfailed tentative`). */
  #conflict(address: Address): void {
    const { dev } = address
    this.#forget(address)
    address.dadFailed = true
    this.#ns.changed()
    // accept_dad=2: without its own link-local address the device has no IPv6 at all.
    if (this.#ns.ip6.conf(dev).accept_dad > 1 && address.scope === "link" && address.kernel) {
      this.#ns.sysctl.set(`net/ipv6/conf/${dev.name}/disable_ipv6`, "1")
    }
  }

  // Sending

  /** A message of neighbour discovery, as `write` writes it. */
  send(
    dev: NetDevice, source: Ip, to: Ip, neigh: Neighbour | null,
    write: (bytes: Uint8Array, at: number) => number
  ): void {
    const { ip6 } = this.#ns
    const frame = ip6.alloc(MESSAGE_BYTES_MAX)
    if (frame === null) return
    const { bytes, l3, l4 } = frame
    frame.tail = l4 + write(bytes, l4)
    frame.l4Protocol = ipproto.ICMPV6
    ipv6.writeHeader(bytes, l3, 0, 0, frame.tail - l4, ipproto.ICMPV6, wire.HOP_LIMIT, source, to)
    icmp6.finishChecksum(bytes, l4, frame.tail, l3)
    const group = isMulticast(to)
    const way = new Dst(to, group ? "multicast" : "unicast", dev, to, false, source, 0)
    way.neigh = group ? null : neigh ?? this.#ns.neigh6.obtain(dev, to)
    ip6.mib.countIcmpOut(bytes[l4]!)
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
export function invalid(frame: Frame, least: number): DropReason {
  const { bytes, l3, l4, tail } = frame
  if (ipv6.hopLimit(bytes, l3) !== wire.HOP_LIMIT) return DropReason.IPV6_NDISC_HOP_LIMIT
  if (icmp6.code(bytes, l4) !== 0) return DropReason.IPV6_NDISC_BAD_CODE
  if (tail - l4 < least) return DropReason.PKT_TOO_SMALL
  if (!wire.optionsValid(bytes, l4 + least, tail)) return DropReason.IPV6_NDISC_BAD_OPTIONS
  return DropReason.NOT_SPECIFIED
}

/** An option of type and six octets: link-layer addresses. */
export function writeMacOption(bytes: Uint8Array, at: number, type: number, address: number): number {
  bytes[at] = type
  bytes[at + 1] = 1
  set16(bytes, at + 2, mac.hi(address))
  set32(bytes, at + 4, mac.lo(address))
  return 8
}

/** ff02::1:ff00:0/104 */
function isSolicitedNode(bytes: Uint8Array, at: number): boolean {
  return get32(bytes, at) === (0xff020000 | 0) && get32(bytes, at + 4) === 0 && get32(bytes, at + 8) === 1 &&
    bytes[at + 12] === 0xff
}
