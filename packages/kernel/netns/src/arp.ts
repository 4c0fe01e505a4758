/**
 * ARP (net/ipv4/arp.c): asking and answering for IPv4 neighbours, for ourselves and, with proxy_arp, for
 * those behind us.
 * Not supported: RARP, published entries (`ip neigh add proxy`), arp_filter, private VLAN proxies.
 */
import { type Ns, Timer } from "@podwire/engine"
import {
  DropReason, type Frame, type NetDevice, PacketType
} from "@podwire/netdev"
import * as arp from "@podwire/wire/arp"
import { mask4 } from "@podwire/wire/cidr"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as icmp from "@podwire/wire/icmp"
import { family, v4 } from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import { type Neighbour, NudState, Override, type Resolver } from "./neigh.ts"
import type { Netns } from "./netns.ts"

/** USER_HZ is 100. */
const CENTISECOND = 10_000_000
/** Proxied requests that wait (proxy_qlen). */
const PROXY_QUEUE_MAX = 64

export class Arp implements Resolver {
  readonly #ns: Netns
  #proxied: Set<ProxyReply> | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  /** Who has it? From the waiting packet's own source where that is ours (arp_announce=0). */
  solicit(neigh: Neighbour, unicast: boolean): void {
    const { dev } = neigh
    const target = neigh.ip[0]!
    const { ip4, sysctl } = this.#ns
    let source = 0
    if (neigh.first !== null && neigh.first.protocol === ethertype.IPV4) {
      const candidate = ipv4.src(neigh.first.bytes, neigh.first.l3)
      const announce = Math.max(ip4.conf(dev).arp_announce, sysctl.all4.arp_announce)
      if (ip4.isLocal(candidate) && (announce === 0 || (announce === 1 && this.#onLink(candidate, target)))) {
        source = candidate
      }
    }
    if (source === 0) source = ip4.selectSource(dev, target)
    if (source === 0) return
    this.#send(dev, arp.REQUEST, source, target, unicast ? neigh.macHi : -1, neigh.macLo, 0, 0)
  }

  /** Host unreachable, to whoever sent the packet that waited (arp_error_report). */
  unreachable(_neigh: Neighbour, frame: Frame): void {
    this.#ns.icmp4.error(frame, icmp.DEST_UNREACH, icmp.HOST_UNREACH, 0)
  }

  /** Gratuitous ARP for every address of a device, or for one (arp_notify). */
  announce(dev: NetDevice, only = 0): void {
    for (const { cidr } of this.#ns.addresses(dev)) {
      if (family(cidr.ip) !== 4 || (only !== 0 && cidr.ip[0] !== only)) continue
      this.#send(dev, arp.REQUEST, cidr.ip[0]!, cidr.ip[0]!, -1, 0, 0, 0)
    }
  }

  /** Proxied requests that a device was asked are forgotten with it. */
  stop(dev: NetDevice): void {
    for (const reply of this.#proxied ?? []) {
      if (reply.dev !== dev) continue
      this.#ns.engine.disarm(reply)
      this.#proxied!.delete(reply)
    }
  }

  /** arp_rcv and arp_process. Consumes. */
  receive(dev: NetDevice, frame: Frame): void {
    const { pool, ip4, sysctl } = this.#ns
    const { bytes, l3, packetType } = frame
    if (packetType === PacketType.OtherHost || dev.loopback) {
      return pool.drop(frame, DropReason.OTHERHOST, dev)
    }
    const fault = arp.check(bytes, l3, frame.tail)
    const op = fault === arp.Fault.None ? arp.operation(bytes, l3) : 0
    if (op !== arp.REQUEST && op !== arp.REPLY) return pool.drop(frame, DropReason.INVALID_PROTO, dev)
    const source = arp.senderIp(bytes, l3)
    const target = arp.targetIp(bytes, l3)
    const localnet = ip4.conf(dev).route_localnet !== 0 || sysctl.all4.route_localnet !== 0
    if ((target >>> 24 === 127 && !localnet) || target >>> 28 === 14) {
      return pool.drop(frame, DropReason.ARP_IGNORED, dev)
    }
    if (source === target && (ip4.conf(dev).drop_gratuitous_arp | sysctl.all4.drop_gratuitous_arp) !== 0) {
      return pool.drop(frame, DropReason.ARP_IGNORED, dev)
    }
    const hi = arp.senderHi(bytes, l3)
    const lo = arp.senderLo(bytes, l3)
    const toUs = packetType === PacketType.Host
    if (op === arp.REQUEST && this.#request(dev, source, target, hi, lo, toUs)) return pool.free(frame)
    if (source !== 0) {
      const same = op === arp.REQUEST || (arp.targetHi(bytes, l3) === hi && arp.targetLo(bytes, l3) === lo) ||
        (arp.targetHi(bytes, l3) === 0 && arp.targetLo(bytes, l3) === 0)
      this.#update(dev, op, source, hi, lo, toUs, source === target && same)
    }
    pool.free(frame)
  }

  /** Answer, or decide not to. True: nothing more is to be learnt from it. */
  #request(dev: NetDevice, source: number, target: number, hi: number, lo: number, toUs: boolean): boolean {
    const { ip4, sysctl } = this.#ns
    const local = ip4.isLocal(target)
    // A probe (RFC 5227) is answered and teaches nothing.
    if (source === 0) {
      if (local && !this.#ignores(dev, source, target)) this.#send(dev, arp.REPLY, target, 0, hi, lo, hi, lo)
      return true
    }
    if (!ip4.believes(dev, source, target)) return false
    if (local) {
      if (!this.#ignores(dev, source, target) && this.#learn(dev, source, hi, lo)) {
        this.#send(dev, arp.REPLY, target, source, hi, lo, hi, lo)
      }
      return true
    }
    if (ip4.conf(dev).forwarding === 0 || (ip4.conf(dev).proxy_arp | sysctl.all4.proxy_arp) === 0) return false
    const way = ip4.route(target)
    if (way.type !== "unicast" || way.dev === dev) return false
    if (this.#learn(dev, source, hi, lo)) this.#proxy(dev, source, target, hi, lo, toUs)
    return true
  }

  /** At once to a unicast request, after a random while to a broadcast one (pneigh_enqueue). */
  #proxy(dev: NetDevice, source: number, target: number, hi: number, lo: number, toUs: boolean): void {
    const { engine, name, sysctl } = this.#ns
    const delayNs = sysctl.neigh4.of(dev.ifindex).proxy_delay * CENTISECOND
    if (toUs || delayNs <= 0) return this.#send(dev, arp.REPLY, target, source, hi, lo, hi, lo)
    this.#proxied ??= new Set()
    if (this.#proxied.size >= PROXY_QUEUE_MAX) return
    const reply = new ProxyReply(this, dev, source, target, hi, lo)
    this.#proxied.add(reply)
    engine.arm(reply, engine.prng(`proxy_arp:${name}`).below(delayNs))
  }

  /** A proxied answer is due. */
  proxied(reply: ProxyReply): void {
    this.#proxied!.delete(reply)
    this.#send(
      reply.dev, arp.REPLY, reply.target, reply.source, reply.macHi, reply.macLo, reply.macHi, reply.macLo
    )
  }

  #ignores(dev: NetDevice, source: number, target: number): boolean {
    const ignore = Math.max(this.#ns.ip4.conf(dev).arp_ignore, this.#ns.sysctl.all4.arp_ignore)
    if (ignore === 0 || (ignore > 3 && ignore < 8)) return false
    if (ignore >= 8) return true
    for (const { cidr, dev: on, scope } of this.#ns.addresses()) {
      if (cidr.ip.length !== 1 || cidr.ip[0] !== target) continue
      if (ignore === 3) return scope === "host"
      // A probe has no sender whose subnet could be wrong.
      const near = ignore === 1 || source === 0 || ((target ^ source) & mask4(cidr.bits)) === 0
      if (on === dev && near) return false
    }
    return true
  }

  /** An address of ours and another one are in one of our subnets (inet_addr_onlink). */
  #onLink(own: number, other: number): boolean {
    return this.#ns.addresses().some(({ cidr }) =>
      cidr.ip.length === 1 && cidr.ip[0] === own && ((own ^ other) & mask4(cidr.bits)) === 0)
  }

  #learn(dev: NetDevice, ip: number, hi: number, lo: number): boolean {
    const neigh = this.#ns.neigh4.obtain(dev, v4(ip))
    if (neigh !== null) this.#ns.neigh4.update(neigh, hi, lo, NudState.STALE, Override.Yes)
    return neigh !== null
  }

  /** Entries that exist are touched; with arp_accept, announcements and answers make new ones. */
  #update(dev: NetDevice, op: number, ip: number, hi: number, lo: number, toUs: boolean, gratuitous: boolean): void {
    const { engine, ip4, neigh4, sysctl } = this.#ns
    let neigh = neigh4.find4(dev, ip)
    if (neigh === null) {
      const accept = Math.max(ip4.conf(dev).arp_accept, sysctl.all4.arp_accept)
      if (accept === 0 || (!gratuitous && op !== arp.REPLY) || ip4.route(ip).type !== "unicast") return
      neigh = neigh4.obtain(dev, v4(ip))
      if (neigh === null) return
    }
    const lockedNs = sysctl.neigh4.of(dev.ifindex).locktime * CENTISECOND
    const settled = engine.nowNs - neigh.updatedNs > lockedNs
    const state = op === arp.REPLY && toUs ? NudState.REACHABLE : NudState.STALE
    neigh4.update(neigh, hi, lo, state, settled || gratuitous ? Override.Yes : Override.No)
  }

  #send(
    dev: NetDevice, op: number, source: number, target: number, toHi: number, toLo: number,
    targetHi: number, targetLo: number
  ): void {
    const frame = this.#ns.pool.alloc()
    if (frame === null) return
    const { bytes, head } = frame
    if (toHi < 0) eth.setDst(bytes, head, 0xffff, -1)
    else eth.setDst(bytes, head, toHi, toLo)
    eth.setSrc(bytes, head, dev.macHi, dev.macLo)
    eth.setEtherType(bytes, head, ethertype.ARP)
    frame.l3 = head + eth.HEADER_BYTES
    frame.protocol = ethertype.ARP
    frame.tail = frame.l3 + arp.writeWords(
      bytes, frame.l3, op, dev.macHi, dev.macLo, source, targetHi, targetLo, target
    )
    dev.xmit(frame)
  }
}

/** An answer for somebody behind us that waits for its turn. */
class ProxyReply extends Timer {
  readonly dev: NetDevice
  readonly source: number
  readonly target: number
  readonly macHi: number
  readonly macLo: number
  readonly #arp: Arp

  constructor(owner: Arp, dev: NetDevice, source: number, target: number, macHi: number, macLo: number) {
    super()
    this.#arp = owner
    this.dev = dev
    this.source = source
    this.target = target
    this.macHi = macHi
    this.macLo = macLo
  }

  override fire(_nowNs: Ns): void {
    this.#arp.proxied(this)
  }
}
