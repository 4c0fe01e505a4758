/**
 * Neighbours: who has the next hop's address on the link, how sure we are, and what waits for the
 * answer (net/core/neighbour.c). One table per family; ARP or NDP asks the questions.
 *
 *   NONE -> INCOMPLETE -> REACHABLE -> STALE -> DELAY -> PROBE -> FAILED
 *
 * Invariant: every frame kept here is sent, answered by an error, pushed out by a later one or ended
 * with its entry. Approximated: retransmissions come exactly a second apart, where Linux adds up to
 * 30 ms of timer slack; the thresholds count a namespace's entries, where Linux counts the machine's;
 * the periodic collection runs when an entry is made, so that an idle network has no timer.
 */
import { type Engine, type Ns, SECOND, Timer } from "@podwire/engine"
import { DropReason, Errno, type Frame, type NetDevice } from "@podwire/netdev"
import * as eth from "@podwire/wire/eth"
import { compare, type Ip } from "@podwire/wire/ip"
import * as mac from "@podwire/wire/mac"
import type { NeighConf } from "./conf.ts"
import type { Netns } from "./netns.ts"
import { truesize } from "./truesize.ts"

export const NudState = {
  NONE: "NONE", INCOMPLETE: "INCOMPLETE", REACHABLE: "REACHABLE", STALE: "STALE", DELAY: "DELAY",
  PROBE: "PROBE", FAILED: "FAILED", NOARP: "NOARP", PERMANENT: "PERMANENT"
} as const
export type NudState = (typeof NudState)[keyof typeof NudState]

/** What may happen to a different address that is known (NEIGH_UPDATE_F_OVERRIDE and WEAK_OVERRIDE). */
export const Override = { No: 0, Yes: 1, /** It stays, but is no longer trusted. */ Weak: 2 } as const
export type Override = (typeof Override)[keyof typeof Override]

/** Who asks: ARP or neighbour discovery. */
export interface Resolver {
  solicit(neigh: Neighbour, unicast: boolean): void
  /** The frame's packet will never get there: tell its sender. Does not consume. */
  unreachable(neigh: Neighbour, frame: Frame): void
}

const MILLISECOND = 1_000_000
/** neigh_rand_reach_time is drawn again this often. */
const RERANDOM_NS = 300 * SECOND
const BUCKETS_AT_START = 4

export class Neighbour extends Timer {
  readonly table: NeighTable
  readonly ip: Ip
  readonly dev: NetDevice
  state: NudState = NudState.NONE
  macHi = 0
  macLo = 0
  isRouter = false
  confirmedNs: Ns = 0
  updatedNs: Ns = 0
  usedNs: Ns = 0
  probes = 0
  /** Waiting frames, oldest first, linked by `next`. */
  first: Frame | null = null
  last: Frame | null = null
  queuedBytes = 0
  reachableNs: Ns
  /** The next entry of the same hash bucket. */
  inBucket: Neighbour | null = null

  constructor(table: NeighTable, dev: NetDevice, ip: Ip, reachableNs: Ns) {
    super()
    this.table = table
    this.dev = dev
    this.ip = ip
    this.reachableNs = reachableNs
  }

  /** The link-layer address is known, though perhaps not fresh (NUD_VALID). */
  get valid(): boolean {
    return this.state === NudState.REACHABLE || this.state === NudState.STALE ||
      this.state === NudState.DELAY || this.state === NudState.PROBE ||
      this.state === NudState.PERMANENT || this.state === NudState.NOARP
  }

  get mac(): number {
    return mac.of(this.macHi, this.macLo)
  }

  override fire(nowNs: Ns): void {
    this.table.timeout(this, nowNs)
  }
}

export class NeighTable {
  readonly #ns: Netns
  readonly #engine: Engine
  readonly #resolver: Resolver
  readonly #family: 4 | 6
  #buckets: Array<Neighbour | null> | null = null
  #size = 0
  /** Base reachable time as it was drawn last, and when. */
  #reachableNs: Ns = 0
  #drawnNs: Ns = 0
  #drawnFromMs = 0
  #sweptNs: Ns = 0
  #forcedNs: Ns = -Infinity

  constructor(ns: Netns, family: 4 | 6, resolver: Resolver) {
    this.#ns = ns
    this.#engine = ns.engine
    this.#family = family
    this.#resolver = resolver
  }

  get size(): number {
    return this.#size
  }

  find(dev: NetDevice, ip: Ip): Neighbour | null {
    return ip.length === 1
      ? this.find4(dev, ip[0]!)
      : this.#find(dev, ip[0]!, ip[1]!, ip[2]!, ip[3]!)
  }

  find4(dev: NetDevice, word: number): Neighbour | null {
    return this.#find(dev, 0, 0, 0, word)
  }

  /** The entry for a next hop, made if there is none; null when the table is full. */
  obtain(dev: NetDevice, ip: Ip): Neighbour | null {
    const known = this.find(dev, ip)
    if (known !== null) return known
    if (!this.#room()) return null
    const neigh = new Neighbour(this, dev, ip.slice(), this.#reachable(dev))
    neigh.updatedNs = this.#engine.nowNs
    neigh.usedNs = this.#engine.nowNs
    if (dev.loopback) neigh.state = NudState.NOARP
    this.#link(neigh)
    return neigh
  }

  /** Give the frame its Ethernet header and send it, or keep it until the answer comes. Consumes. */
  output(neigh: Neighbour, frame: Frame, etherType: number): Errno {
    if (neigh.state === NudState.REACHABLE) {
      if (this.#engine.nowNs - neigh.confirmedNs > neigh.reachableNs) neigh.state = NudState.STALE
    }
    frame.protocol = etherType
    if (neigh.state === NudState.STALE) this.#delay(neigh)
    else if (neigh.state !== NudState.REACHABLE && !neigh.valid) {
      this.#enqueue(neigh, frame)
      if (neigh.state !== NudState.INCOMPLETE) {
        neigh.state = NudState.INCOMPLETE
        neigh.probes = 0
        neigh.updatedNs = this.#engine.nowNs
        this.#probe(neigh, false)
      }
      return Errno.OK
    }
    this.#send(neigh, frame)
    return Errno.OK
  }

  /** Find out where it is, with nothing to send (neigh_event_send without a packet). */
  ask(neigh: Neighbour): void {
    if (neigh.valid || neigh.state === NudState.INCOMPLETE) return
    neigh.state = NudState.INCOMPLETE
    neigh.probes = 0
    neigh.updatedNs = this.#engine.nowNs
    this.#probe(neigh, false)
  }

  /** Somebody said where an address is (neigh_update). */
  update(neigh: Neighbour, hi: number, lo: number, state: NudState, override: Override): void {
    if (neigh.state === NudState.PERMANENT && state !== NudState.PERMANENT) return
    const nowNs = this.#engine.nowNs
    if (this.stateOf(neigh) === NudState.STALE) neigh.state = NudState.STALE
    const { valid, state: old } = neigh
    const differs = !valid || neigh.macHi !== hi || neigh.macLo !== lo
    let next = state
    let adopt = differs
    if (valid && differs && override !== Override.Yes) {
      if (override !== Override.Weak || old !== NudState.REACHABLE) return
      next = NudState.STALE
      adopt = false
    } else if (valid && !differs && state === NudState.STALE) {
      // A mere mention of the same address makes no entry staler.
      next = old
    }
    if (adopt) {
      neigh.macHi = hi
      neigh.macLo = lo
    }
    if (next === NudState.REACHABLE || next === NudState.PERMANENT) {
      neigh.confirmedNs = nowNs
      neigh.reachableNs = this.#reachable(neigh.dev)
    }
    if (adopt || next !== old) neigh.updatedNs = nowNs
    if (next !== old) {
      this.#engine.disarm(neigh)
      neigh.state = next
    }
    if (!valid) this.#flushQueue(neigh)
  }

  /** An upper layer has heard from the neighbour (neigh_confirm). */
  confirm(neigh: Neighbour): void {
    neigh.confirmedNs = this.#engine.nowNs
  }

  /** ip neigh add: PERMANENT entries are never asked about. */
  add(dev: NetDevice, ip: Ip, address: number, state: "permanent" | "reachable" | "stale"): Errno {
    if (dev.ns !== this.#ns.name) return Errno.ENODEV
    const known = this.find(dev, ip)
    if (known !== null && known.valid) return Errno.EEXIST
    const neigh = this.obtain(dev, ip)
    if (neigh === null) return Errno.ENOBUFS
    const nud = state === "permanent" ? NudState.PERMANENT
      : state === "reachable" ? NudState.REACHABLE : NudState.STALE
    this.update(neigh, mac.hi(address), mac.lo(address), nud, Override.Yes)
    return Errno.OK
  }

  remove(dev: NetDevice, ip: Ip): Errno {
    const neigh = this.find(dev, ip)
    if (neigh === null) return Errno.ENOENT
    this.#forget(neigh)
    return Errno.OK
  }

  /** A device's entries, or all; those that somebody set survive the loss of a carrier. */
  flush(dev: NetDevice | null, learnt = false): void {
    for (const neigh of this.#all()) {
      if (dev !== null && neigh.dev !== dev) continue
      if (!learnt || neigh.state !== NudState.PERMANENT) this.#forget(neigh)
    }
  }

  /** By device, then address. */
  list(): ReadonlyArray<Neighbour> {
    return this.#all().sort((a, b) => a.dev.ifindex - b.dev.ifindex || compare(a.ip, b.ip))
  }

  /** What the state that `ip neigh` shows is now: reachability runs out without a timer. */
  stateOf(neigh: Neighbour): NudState {
    const fresh = this.#engine.nowNs - neigh.confirmedNs <= neigh.reachableNs
    return neigh.state === NudState.REACHABLE && !fresh ? NudState.STALE : neigh.state
  }

  timeout(neigh: Neighbour, nowNs: Ns): void {
    if (neigh.state === NudState.DELAY) {
      const delayNs = this.#conf(neigh).delay_first_probe_time * SECOND
      neigh.updatedNs = nowNs
      if (nowNs - neigh.confirmedNs <= delayNs) {
        neigh.state = NudState.REACHABLE
        return
      }
      neigh.state = NudState.PROBE
      neigh.probes = 0
      this.#probe(neigh, true)
      return
    }
    if (neigh.state !== NudState.INCOMPLETE && neigh.state !== NudState.PROBE) return
    const unicast = neigh.state === NudState.PROBE
    const most = unicast ? this.#conf(neigh).ucast_solicit : this.#conf(neigh).mcast_solicit
    if (neigh.probes < most) this.#probe(neigh, unicast)
    else this.#fail(neigh)
  }

  #delay(neigh: Neighbour): void {
    neigh.state = NudState.DELAY
    neigh.updatedNs = this.#engine.nowNs
    neigh.usedNs = this.#engine.nowNs
    this.#engine.arm(neigh, this.#conf(neigh).delay_first_probe_time * SECOND)
  }

  #probe(neigh: Neighbour, unicast: boolean): void {
    neigh.probes++
    this.#engine.arm(neigh, Math.max(this.#conf(neigh).retrans_time_ms, 10) * MILLISECOND)
    this.#resolver.solicit(neigh, unicast)
  }

  #fail(neigh: Neighbour): void {
    neigh.state = NudState.FAILED
    neigh.updatedNs = this.#engine.nowNs
    // What is sent meanwhile starts a new question, and its frames wait for that one's end.
    let frame = neigh.first
    neigh.first = null
    neigh.last = null
    neigh.queuedBytes = 0
    while (frame !== null) {
      const next: Frame | null = frame.next
      frame.next = null
      this.#resolver.unreachable(neigh, frame)
      this.#ns.pool.drop(frame, DropReason.NEIGH_FAILED, neigh.dev)
      frame = next
    }
  }

  #send(neigh: Neighbour, frame: Frame): void {
    const dev = neigh.dev
    const at = frame.l3 - eth.HEADER_BYTES
    frame.head = at
    eth.setDst(frame.bytes, at, neigh.macHi, neigh.macLo)
    eth.setSrc(frame.bytes, at, dev.macHi, dev.macLo)
    eth.setEtherType(frame.bytes, at, frame.protocol)
    dev.xmit(frame)
  }

  /** The queue counts buffer memory and drops its oldest (unres_qlen_bytes). */
  #enqueue(neigh: Neighbour, frame: Frame): void {
    const limit = this.#conf(neigh).unres_qlen_bytes
    const size = charge(frame)
    while (neigh.first !== null && neigh.queuedBytes + size > limit) {
      this.#ns.pool.drop(this.#dequeue(neigh)!, DropReason.NEIGH_QUEUEFULL, neigh.dev)
    }
    frame.next = null
    if (neigh.last === null) neigh.first = frame
    else neigh.last.next = frame
    neigh.last = frame
    neigh.queuedBytes += size
  }

  #dequeue(neigh: Neighbour): Frame | null {
    const frame = neigh.first
    if (frame === null) return null
    neigh.first = frame.next
    if (neigh.first === null) neigh.last = null
    frame.next = null
    neigh.queuedBytes -= charge(frame)
    return frame
  }

  /** What waited is sent as anything else is: using a stale entry starts its delay. */
  #flushQueue(neigh: Neighbour): void {
    while (neigh.first !== null && neigh.valid) {
      const frame = this.#dequeue(neigh)!
      this.output(neigh, frame, frame.protocol)
    }
  }

  #reachable(dev: NetDevice): Ns {
    const baseMs = this.#confOf(dev).base_reachable_time_ms
    const nowNs = this.#engine.nowNs
    if (this.#drawnFromMs !== baseMs || nowNs - this.#drawnNs > RERANDOM_NS) {
      const baseNs = Math.max(2, baseMs) * MILLISECOND
      this.#reachableNs = baseNs / 2 + this.#engine.prng(`neigh${this.#family}:${this.#ns.name}`).below(baseNs)
      this.#drawnNs = nowNs
      this.#drawnFromMs = baseMs
    }
    return this.#reachableNs
  }

  // Size

  /** Room for one more, after making some if need be (neigh_alloc, neigh_forced_gc, neigh_periodic_work). */
  #room(): boolean {
    const { globals } = this.#ns.sysctl
    const four = this.#family === 4
    const first = four ? globals.gc_thresh1_4 : globals.gc_thresh1_6
    const second = four ? globals.gc_thresh2_4 : globals.gc_thresh2_6
    const third = four ? globals.gc_thresh3_4 : globals.gc_thresh3_6
    const nowNs = this.#engine.nowNs
    if (this.#size >= first && this.#size > 0 && nowNs - this.#sweptNs >= this.#reachableNs / 2) {
      this.#sweptNs = nowNs
      for (const neigh of this.#all()) {
        const idleNs = nowNs - Math.max(neigh.usedNs, neigh.confirmedNs)
        const stale = this.stateOf(neigh) === NudState.STALE
        if (neigh.state === NudState.FAILED || (stale && idleNs > this.#conf(neigh).gc_stale_time * SECOND)) {
          this.#forget(neigh)
        }
      }
    }
    if (this.#size < second || (this.#size < third && nowNs - this.#forcedNs < 5 * SECOND)) return true
    this.#forcedNs = nowNs
    let excess = this.#size - second + 1
    const oldest = this.#all().sort((a, b) => a.updatedNs - b.updatedNs)
    for (const neigh of oldest) {
      if (excess <= 0) break
      if (neigh.state === NudState.PERMANENT || neigh.first !== null) continue
      const settled = nowNs - neigh.updatedNs > 5 * SECOND
      if (neigh.state !== NudState.FAILED && neigh.state !== NudState.NOARP && !settled) continue
      this.#forget(neigh)
      excess--
    }
    return this.#size < third
  }

  #forget(neigh: Neighbour): void {
    this.#engine.disarm(neigh)
    neigh.state = NudState.FAILED
    while (neigh.first !== null) this.#ns.pool.drop(this.#dequeue(neigh)!, DropReason.NEIGH_DEAD, neigh.dev)
    this.#unlink(neigh)
    this.#ns.changed()
  }

  #conf(neigh: Neighbour): NeighConf {
    return this.#confOf(neigh.dev)
  }

  #confOf(dev: NetDevice): NeighConf {
    const { sysctl } = this.#ns
    return this.#family === 4 ? sysctl.neigh4.of(dev.ifindex) : sysctl.neigh6.of(dev.ifindex)
  }

  // Hash

  #find(dev: NetDevice, w0: number, w1: number, w2: number, w3: number): Neighbour | null {
    const buckets = this.#buckets
    if (buckets === null) return null
    let neigh = buckets[hash(dev.serial, w0, w1, w2, w3) & (buckets.length - 1)]!
    for (; neigh !== null; neigh = neigh.inBucket!) {
      const { ip } = neigh
      if (neigh.dev !== dev) continue
      if (ip.length === 1 ? ip[0] === w3 : ip[3] === w3 && ip[2] === w2 && ip[1] === w1 && ip[0] === w0) {
        return neigh
      }
    }
    return null
  }

  #link(neigh: Neighbour): void {
    this.#buckets ??= new Array<Neighbour | null>(BUCKETS_AT_START).fill(null)
    if (this.#size >= this.#buckets.length) {
      const all = this.#all()
      this.#buckets = new Array<Neighbour | null>(this.#buckets.length * 4).fill(null)
      for (const old of all) this.#insert(this.#buckets, old)
    }
    this.#insert(this.#buckets, neigh)
    this.#size++
  }

  #insert(buckets: Array<Neighbour | null>, neigh: Neighbour): void {
    const at = hashOf(neigh) & (buckets.length - 1)
    neigh.inBucket = buckets[at]!
    buckets[at] = neigh
  }

  #unlink(neigh: Neighbour): void {
    const buckets = this.#buckets!
    const at = hashOf(neigh) & (buckets.length - 1)
    let before: Neighbour | null = null
    for (let other = buckets[at]!; other !== null; other = other.inBucket!) {
      if (other === neigh) {
        if (before === null) buckets[at] = neigh.inBucket
        else before.inBucket = neigh.inBucket
        neigh.inBucket = null
        this.#size--
        return
      }
      before = other
    }
  }

  #all(): Array<Neighbour> {
    const all: Array<Neighbour> = []
    for (const first of this.#buckets ?? []) {
      for (let neigh = first; neigh !== null; neigh = neigh.inBucket) all.push(neigh)
    }
    return all
  }
}

function charge(frame: Frame): number {
  return truesize(frame.tail - frame.l3)
}

function hashOf({ dev, ip }: Neighbour): number {
  return ip.length === 1 ? hash(dev.serial, 0, 0, 0, ip[0]!) : hash(dev.serial, ip[0]!, ip[1]!, ip[2]!, ip[3]!)
}

function hash(device: number, w0: number, w1: number, w2: number, w3: number): number {
  let h = Math.imul(w0 ^ Math.imul(w1, 0x9e3779b1 | 0), 0x85ebca6b | 0) ^
    Math.imul(w2 ^ Math.imul(w3, 0xc2b2ae35 | 0), 0x27d4eb2f) ^ Math.imul(device, 0x165667b1)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
