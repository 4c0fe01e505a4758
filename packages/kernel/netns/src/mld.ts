/**
 * Which IPv6 groups the devices of a namespace are in, and MLDv2's reports of changes (net/ipv6/mcast.c,
 * RFC 3810): twice for each change, from `::` until there is a link-local address, and all groups again
 * when that address has passed its test. Groups are derived: the solicited-node group of each address,
 * and all routers where the namespace forwards. ff02::1 is never reported.
 * Not supported: queries (nobody asks here), source filters, MLDv1, groups that sockets join.
 */
import { MILLISECOND, type Ns, SECOND, Timer } from "@podwire/engine"
import type { NetDevice } from "@podwire/netdev"
import { set16 } from "@podwire/wire/bytes"
import * as icmp6 from "@podwire/wire/icmp6"
import {
  ALL_MLDV2_ROUTERS6, ALL_NODES6, ALL_ROUTERS6, ANY6, equal, type Ip, solicitedNode, write as writeIp
} from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv6 from "@podwire/wire/ipv6"
import { Dst } from "./dst.ts"
import type { Netns } from "./netns.ts"

/** Robustness variable and unsolicited report interval of version 2. */
const ROBUSTNESS = 2
const INTERVAL_NS = SECOND
/** mld_ifc_start_work(…, 1): two ticks of 4 ms. */
const FIRST_NS = 8 * MILLISECOND
const CHANGE_TO_INCLUDE = 3
const CHANGE_TO_EXCLUDE = 4
const SITE_ROUTERS6: Ip = Int32Array.of(0xff050000, 0, 0, 2)
/** Hop-by-hop: router alert (RFC 2711) and a PadN. */
const HOP_BY_HOP = [ipproto.ICMPV6, 0, 5, 2, 0, 0, 1, 0] as const
const HEADER_BYTES = 8
const RECORD_BYTES = 20
/** As many records as fit 1280 bytes; what is left waits for the next report. */
const RECORDS_MAX = Math.floor((ipv6.MTU_MIN - ipv6.HEADER_BYTES - HOP_BY_HOP.length - HEADER_BYTES) / RECORD_BYTES)

interface Group {
  readonly ip: Ip
  users: number
  /** Reports that still have to mention the change. */
  left: number
}

export class Mld {
  readonly #ns: Netns
  /** By ifindex; a device without IPv6 has none. */
  #devices: Array<Membership | undefined> | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  isMember(dev: NetDevice, group: Ip): boolean {
    return this.isMemberAt(dev, group[0]!, group[1]!, group[2]!, group[3]!)
  }

  /** The same by words: nothing is made for a group packet, of which most are for somebody else. */
  isMemberAt(dev: NetDevice, w0: number, w1: number, w2: number, w3: number): boolean {
    if (w3 === 1 && w0 === ALL_NODES6[0] && (w1 | w2) === 0) return true
    const devices = this.#devices
    const membership = devices === null ? undefined : devices[dev.ifindex]
    return membership !== undefined && membership.has(w0, w1, w2, w3)
  }

  /** The groups of a device, newest first. */
  groups(dev: NetDevice): ReadonlyArray<Ip> {
    return this.#devices?.[dev.ifindex]?.groups.map((group) => group.ip) ?? []
  }

  join(dev: NetDevice, ip: Ip): void {
    if (dev.loopback) return
    const devices = (this.#devices ??= [])
    const membership = (devices[dev.ifindex] ??= new Membership(this, dev))
    const group = membership.find(ip)
    if (group !== undefined) {
      group.users++
      return
    }
    const back = membership.gone.findIndex((other) => equal(other.ip, ip))
    if (back >= 0) membership.gone.splice(back, 1)
    membership.groups.unshift({ ip, users: 1, left: ROBUSTNESS })
    membership.refilter()
    this.#changed(membership)
  }

  leave(dev: NetDevice, ip: Ip): void {
    const membership = this.#devices?.[dev.ifindex]
    const group = membership?.find(ip)
    if (membership === undefined || group === undefined || --group.users > 0) return
    membership.groups.splice(membership.groups.indexOf(group), 1)
    membership.refilter()
    if (!dev.up) return
    membership.gone.unshift({ ip, users: 0, left: ROBUSTNESS })
    this.#changed(membership)
  }

  joinSolicited(dev: NetDevice, ip: Ip): void {
    this.join(dev, solicitedNode(ip))
  }

  leaveSolicited(dev: NetDevice, ip: Ip): void {
    this.leave(dev, solicitedNode(ip))
  }

  /** Routers listen where hosts do not (dev_forward_change). */
  routers(dev: NetDevice, forwarding: boolean): void {
    for (const group of [ALL_ROUTERS6, SITE_ROUTERS6]) {
      const member = this.isMember(dev, group)
      if (forwarding && !member) this.join(dev, group)
      else if (!forwarding && member) this.leave(dev, group)
    }
  }

  /** The link-local address may be used: everything once more, from it (ipv6_mc_dad_complete). */
  dadComplete(dev: NetDevice): void {
    const membership = this.#devices?.[dev.ifindex]
    if (membership === undefined) return
    membership.all.left = ROBUSTNESS - 1
    this.#report(membership, true)
    this.#arm(membership.all, this.#random(INTERVAL_NS))
  }

  /** The device is going down, and nothing more can be said over it. */
  stop(dev: NetDevice): void {
    const membership = this.#devices?.[dev.ifindex]
    if (membership === undefined) return
    this.#ns.engine.disarm(membership.changes)
    this.#ns.engine.disarm(membership.all)
    this.#devices![dev.ifindex] = undefined
  }

  due(timer: ReportTimer): void {
    const { membership } = timer
    this.#report(membership, timer.everything)
    if (--timer.left > 0) this.#arm(timer, FIRST_NS + this.#random(INTERVAL_NS))
  }

  #changed(membership: Membership): void {
    if (!membership.dev.up) return
    membership.changes.left = ROBUSTNESS
    this.#arm(membership.changes, FIRST_NS)
  }

  #arm(timer: ReportTimer, delayNs: Ns): void {
    this.#ns.engine.arm(timer, delayNs)
  }

  #random(range: Ns): Ns {
    return this.#ns.engine.prng(`mld:${this.#ns.name}`).below(range)
  }

  #report(membership: Membership, everything: boolean): void {
    const records: Array<readonly [number, Ip]> = []
    if (!everything) {
      for (const group of membership.gone) {
        if (records.length < RECORDS_MAX && group.left-- > 0) records.push([CHANGE_TO_INCLUDE, group.ip])
      }
      membership.gone = membership.gone.filter((group) => group.left > 0)
    }
    for (const group of membership.groups) {
      if (records.length >= RECORDS_MAX) break
      if (everything) records.push([CHANGE_TO_EXCLUDE, group.ip])
      else if (group.left > 0) {
        group.left--
        records.push([CHANGE_TO_EXCLUDE, group.ip])
      }
    }
    if (records.length > 0) this.#send(membership.dev, records)
  }

  #send(dev: NetDevice, records: ReadonlyArray<readonly [number, Ip]>): void {
    const { ip6 } = this.#ns
    const payload = HOP_BY_HOP.length + HEADER_BYTES + RECORD_BYTES * records.length
    const frame = ip6.alloc(payload)
    if (frame === null) return
    const source = ip6.linkLocal(dev) ?? ANY6
    const { bytes, l3 } = frame
    ipv6.writeHeader(bytes, l3, 0, 0, payload, ipproto.HOPOPTS, 1, source, ALL_MLDV2_ROUTERS6)
    for (let i = 0; i < HOP_BY_HOP.length; i++) bytes[frame.l4 + i] = HOP_BY_HOP[i]!
    frame.l4 += HOP_BY_HOP.length
    frame.l4Protocol = ipproto.ICMPV6
    icmp6.writeHeader(bytes, frame.l4, icmp6.MLD2_REPORT, 0, records.length)
    let at = frame.l4 + HEADER_BYTES
    for (const [type, ip] of records) {
      bytes[at] = type
      bytes[at + 1] = 0
      set16(bytes, at + 2, 0)
      writeIp(bytes, at + 4, ip)
      at += RECORD_BYTES
    }
    icmp6.finishChecksum(bytes, frame.l4, frame.tail, l3)
    ip6.mib.countIcmpOut(icmp6.MLD2_REPORT)
    ip6.output(frame, new Dst(ALL_MLDV2_ROUTERS6, "multicast", dev, ALL_MLDV2_ROUTERS6, false, source, 0))
  }
}

/** What one device is in, what it has left, and the two series of reports about it. */
class Membership {
  readonly dev: NetDevice
  /** Newest first, as Linux lists and reports them. */
  readonly groups: Array<Group> = []
  gone: Array<Group> = []
  /** A bit for each group, as network cards have it: most packets for other groups end here. */
  #filter = 0
  readonly changes: ReportTimer
  readonly all: ReportTimer

  constructor(mld: Mld, dev: NetDevice) {
    this.dev = dev
    this.changes = new ReportTimer(mld, this, false)
    this.all = new ReportTimer(mld, this, true)
  }

  refilter(): void {
    this.#filter = 0
    for (const { ip } of this.groups) this.#filter |= bitOf(ip[3]!)
  }

  has(w0: number, w1: number, w2: number, w3: number): boolean {
    if ((this.#filter & bitOf(w3)) === 0) return false
    for (let i = 0; i < this.groups.length; i++) {
      const { ip } = this.groups[i]!
      if (ip[3] === w3 && ip[2] === w2 && ip[1] === w1 && ip[0] === w0) return true
    }
    return false
  }

  find(ip: Ip): Group | undefined {
    return this.groups.find((group) => equal(group.ip, ip))
  }
}

function bitOf(lastWord: number): number {
  return 1 << (Math.imul(lastWord, 0x9e3779b1) >>> 27)
}

class ReportTimer extends Timer {
  readonly membership: Membership
  readonly everything: boolean
  readonly #mld: Mld
  left = 0

  constructor(mld: Mld, membership: Membership, everything: boolean) {
    super()
    this.#mld = mld
    this.membership = membership
    this.everything = everything
  }

  override fire(): void {
    this.#mld.due(this)
  }
}
