/**
 * ARP (net/ipv4/arp.c): asking and answering for IPv4 neighbours.
 * Not supported: proxy_arp's random delay (it answers at once), RARP.
 */
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
import { type Neighbour, NudState, type Resolver } from "./neigh.ts"
import type { Netns } from "./netns.ts"

/** A reply that contradicts a fresh entry is ignored for this long (neigh locktime). */
const LOCKTIME_NS = 1_000_000_000
const IPV4_LOCALHOST = 127

export class Arp implements Resolver {
  readonly #ns: Netns

  constructor(ns: Netns) {
    this.#ns = ns
  }

  /** Who has it? From the waiting packet's own source where that is ours (arp_announce=0). */
  solicit(neigh: Neighbour, unicast: boolean): void {
    const { dev } = neigh
    const target = neigh.ip[0]!
    let source = 0
    if (neigh.first !== null && neigh.first.protocol === ethertype.IPV4) {
      const candidate = ipv4.src(neigh.first.bytes, neigh.first.l3)
      const announce = Math.max(this.#ns.ip4.conf(dev).arp_announce, this.#ns.sysctl.all4.arp_announce)
      if (this.#ns.ip4.isLocal(candidate) && announce < 2) source = candidate
    }
    if (source === 0) source = this.#ns.ip4.selectSource(dev, target)
    this.#send(dev, arp.REQUEST, source, target, unicast ? neigh.macHi : -1, neigh.macLo, 0, 0)
  }

  /** Host unreachable, to whoever sent the packet that waited (facts of arp_error_report). */
  unreachable(_neigh: Neighbour, frame: Frame): void {
    this.#ns.icmp4.error(frame, icmp.DEST_UNREACH, icmp.HOST_UNREACH, 0)
  }

  /** Gratuitous ARP for every address of a device (arp_notify). */
  announce(dev: NetDevice): void {
    for (const { cidr } of this.#ns.addresses(dev)) {
      if (family(cidr.ip) !== 4) continue
      this.#send(dev, arp.REQUEST, cidr.ip[0]!, cidr.ip[0]!, -1, 0, 0, 0)
    }
  }

  /** arp_rcv and arp_process. Consumes. */
  receive(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l3 } = frame
    if (frame.packetType === PacketType.OtherHost || dev.loopback) {
      return pool.drop(frame, DropReason.OTHERHOST, dev)
    }
    const fault = arp.check(bytes, l3, frame.tail)
    const op = fault === arp.Fault.None ? arp.operation(bytes, l3) : 0
    if (op !== arp.REQUEST && op !== arp.REPLY) return pool.drop(frame, DropReason.INVALID_PROTO, dev)
    const source = arp.senderIp(bytes, l3)
    const target = arp.targetIp(bytes, l3)
    if (target >>> 24 === IPV4_LOCALHOST || target >>> 28 === 14 || source >>> 28 === 14) {
      return pool.drop(frame, DropReason.ARP_IGNORED, dev)
    }
    const hi = arp.senderHi(bytes, l3)
    const lo = arp.senderLo(bytes, l3)
    if (op === arp.REQUEST && this.#answers(dev, source, target)) {
      // A request aimed at us teaches us who asks; a probe (sender 0) has nothing to teach.
      if (source !== 0) this.#learn(dev, source, hi, lo)
      this.#send(dev, arp.REPLY, target, source, hi, lo, hi, lo)
      return pool.free(frame)
    }
    this.#update(dev, op, source, hi, lo, frame.packetType === PacketType.Host)
    pool.free(frame)
  }

  #answers(dev: NetDevice, source: number, target: number): boolean {
    const conf = this.#ns.ip4.conf(dev)
    const ignore = Math.max(conf.arp_ignore, this.#ns.sysctl.all4.arp_ignore)
    if (source !== 0 && this.#ns.ip4.isLocal(source)) return false
    if (this.#ns.ip4.isLocal(target)) {
      if (ignore === 8) return false
      if (ignore === 0) return true
      return this.#ns.addresses(dev).some(({ cidr }) =>
        cidr.ip.length === 1 && cidr.ip[0] === target &&
        (ignore === 1 || ((cidr.ip[0]! ^ source) & mask4(cidr.bits)) === 0)
      )
    }
    const proxy = conf.proxy_arp !== 0 || this.#ns.sysctl.all4.proxy_arp !== 0
    if (!proxy || conf.forwarding === 0) return false
    const way = this.#ns.fib4.lookup(v4(target), null)
    return way !== null && way.type === "unicast" && way.dev !== dev
  }

  #learn(dev: NetDevice, ip: number, hi: number, lo: number): void {
    const neigh = this.#ns.neigh4.obtain(dev, v4(ip))
    if (neigh !== null) this.#ns.neigh4.update(neigh, hi, lo, NudState.STALE, true)
  }

  /** Only entries that exist are touched: bystanders learn nothing, gratuitous ARP creates nothing. */
  #update(dev: NetDevice, op: number, ip: number, hi: number, lo: number, toUs: boolean): void {
    const neigh = this.#ns.neigh4.find(dev, v4(ip))
    if (neigh === null) {
      if (this.#ns.ip4.conf(dev).arp_accept !== 0) this.#learn(dev, ip, hi, lo)
      return
    }
    const gratuitous = !toUs
    const override = gratuitous || this.#ns.engine.nowNs - neigh.updatedNs > LOCKTIME_NS || !neigh.valid
    const state = op === arp.REPLY && toUs ? NudState.REACHABLE : NudState.STALE
    const same = neigh.macHi === hi && neigh.macLo === lo
    if (neigh.valid && !same && !override) return
    this.#ns.neigh4.update(neigh, hi, lo, state, override)
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
