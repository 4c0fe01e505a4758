/**
 * Neighbours: who has the next hop's address on the link, how sure we are, and what waits for the
 * answer (net/core/neighbour.c). One table per family; ARP or NDP asks the questions.
 *
 *   NONE -> INCOMPLETE -> REACHABLE -> STALE -> DELAY -> PROBE -> FAILED
 *
 * Retransmissions come exactly a second apart, where Linux adds up to 30 ms of timer slack.
 * Not supported: periodic garbage collection; the table refuses new entries at gc_thresh3.
 */
import { type Engine, type Ns, SECOND, Timer } from "@podwire/engine"
import { DropReason, Errno, type Frame, type NetDevice } from "@podwire/netdev"
import * as eth from "@podwire/wire/eth"
import { format, type Ip } from "@podwire/wire/ip"
import * as mac from "@podwire/wire/mac"
import type { Netns } from "./netns.ts"

export const NudState = {
  NONE: "NONE", INCOMPLETE: "INCOMPLETE", REACHABLE: "REACHABLE", STALE: "STALE", DELAY: "DELAY",
  PROBE: "PROBE", FAILED: "FAILED", NOARP: "NOARP", PERMANENT: "PERMANENT"
} as const
export type NudState = (typeof NudState)[keyof typeof NudState]

/** Who asks: ARP or neighbour discovery. */
export interface Resolver {
  solicit(neigh: Neighbour, unicast: boolean): void
  /** The frame's packet will never get there: tell its sender. Does not consume. */
  unreachable(neigh: Neighbour, frame: Frame): void
}

const SOLICITS_MAX = 3
/** A packet's buffer as Linux charges it, on top of its bytes (sizeof(struct sk_buff) and shared info). */
const TRUESIZE_OVERHEAD = 576

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
  probes = 0
  /** Waiting frames, oldest first, linked by `next`. */
  first: Frame | null = null
  last: Frame | null = null
  queuedBytes = 0
  reachableNs: Ns

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
  readonly #entries = new Map<string, Neighbour>()

  constructor(ns: Netns, family: 4 | 6, resolver: Resolver) {
    this.#ns = ns
    this.#engine = ns.engine
    this.#family = family
    this.#resolver = resolver
  }

  get size(): number {
    return this.#entries.size
  }

  find(dev: NetDevice, ip: Ip): Neighbour | null {
    return this.#entries.get(keyOf(dev, ip)) ?? null
  }

  /** The entry for a next hop, made if there is none; null when the table is full. */
  obtain(dev: NetDevice, ip: Ip): Neighbour | null {
    const key = keyOf(dev, ip)
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    if (this.#entries.size >= this.#setting("gc_thresh3") && !this.#collect()) return null
    const base = this.#setting("base_reachable_time_ms") * 1_000_000
    const prng = this.#engine.prng(`neigh:${this.#ns.name}`)
    const neigh = new Neighbour(this, dev, ip.slice(), base / 2 + prng.below(base))
    if (dev.loopback) neigh.state = NudState.NOARP
    this.#entries.set(key, neigh)
    return neigh
  }

  /** Give the frame its Ethernet header and send it, or keep it until the answer comes. Consumes. */
  output(neigh: Neighbour, frame: Frame, etherType: number): Errno {
    if (neigh.state === NudState.REACHABLE) {
      if (this.#engine.nowNs - neigh.confirmedNs > neigh.reachableNs) neigh.state = NudState.STALE
    }
    if (neigh.state === NudState.STALE) {
      neigh.state = NudState.DELAY
      neigh.updatedNs = this.#engine.nowNs
      this.#engine.arm(neigh, this.#setting("delay_first_probe_time") * SECOND)
    }
    frame.protocol = etherType
    if (neigh.valid) {
      this.#send(neigh, frame)
      return Errno.OK
    }
    if (neigh.state !== NudState.INCOMPLETE) {
      neigh.state = NudState.INCOMPLETE
      neigh.probes = 0
      neigh.updatedNs = this.#engine.nowNs
      this.#enqueue(neigh, frame)
      this.#probe(neigh, false)
    } else this.#enqueue(neigh, frame)
    return Errno.OK
  }

  /**
   * Somebody said where an address is. `override` false leaves a different known address alone
   * (and makes a reachable entry stale, RFC 4861 7.2.5).
   */
  update(neigh: Neighbour, hi: number, lo: number, state: NudState, override: boolean): void {
    if (neigh.state === NudState.PERMANENT && state !== NudState.PERMANENT) return
    const nowNs = this.#engine.nowNs
    const changed = !neigh.valid || neigh.macHi !== hi || neigh.macLo !== lo
    if (changed && neigh.valid && !override) {
      if (state === NudState.REACHABLE && neigh.state === NudState.REACHABLE) neigh.state = NudState.STALE
      return
    }
    // A mere mention of the same address does not make a confirmed entry stale.
    const keep = !changed && state === NudState.STALE &&
      (neigh.state === NudState.REACHABLE || neigh.state === NudState.DELAY || neigh.state === NudState.PROBE)
    neigh.macHi = hi
    neigh.macLo = lo
    if (state === NudState.REACHABLE || state === NudState.PERMANENT) neigh.confirmedNs = nowNs
    if (!keep && neigh.state !== state) {
      neigh.state = state
      this.#engine.disarm(neigh)
    } else if (!keep) this.#engine.disarm(neigh)
    if (changed) neigh.updatedNs = nowNs
    this.#flushQueue(neigh)
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
    this.update(neigh, mac.hi(address), mac.lo(address), nud, true)
    return Errno.OK
  }

  remove(dev: NetDevice, ip: Ip): Errno {
    const neigh = this.find(dev, ip)
    if (neigh === null) return Errno.ENOENT
    this.#forget(neigh, DropReason.NEIGH_DEAD)
    return Errno.OK
  }

  flush(dev: NetDevice | null): void {
    for (const neigh of [...this.#entries.values()]) {
      if (dev === null || neigh.dev === dev) this.#forget(neigh, DropReason.NEIGH_DEAD)
    }
  }

  /** By device name, then address: the order of `ip neigh`. */
  list(): ReadonlyArray<Neighbour> {
    return [...this.#entries.values()].sort((a, b) =>
      a.dev.ifindex - b.dev.ifindex || compareText(format(a.ip), format(b.ip))
    )
  }

  /** What the state that `ip neigh` shows is now: reachability runs out without a timer. */
  stateOf(neigh: Neighbour): NudState {
    const fresh = this.#engine.nowNs - neigh.confirmedNs <= neigh.reachableNs
    return neigh.state === NudState.REACHABLE && !fresh ? NudState.STALE : neigh.state
  }

  timeout(neigh: Neighbour, nowNs: Ns): void {
    if (neigh.state === NudState.DELAY) {
      const delayNs = this.#setting("delay_first_probe_time") * SECOND
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
    if (neigh.probes < SOLICITS_MAX) this.#probe(neigh, neigh.state === NudState.PROBE)
    else this.#fail(neigh)
  }

  #probe(neigh: Neighbour, unicast: boolean): void {
    neigh.probes++
    this.#engine.arm(neigh, this.#setting("retrans_time_ms") * 1_000_000)
    this.#resolver.solicit(neigh, unicast)
  }

  #fail(neigh: Neighbour): void {
    neigh.state = NudState.FAILED
    neigh.updatedNs = this.#engine.nowNs
    while (neigh.first !== null) {
      const frame = this.#dequeue(neigh)!
      this.#resolver.unreachable(neigh, frame)
      this.#ns.pool.drop(frame, DropReason.NEIGH_FAILED, neigh.dev)
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
    const limit = this.#setting("unres_qlen_bytes")
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

  #flushQueue(neigh: Neighbour): void {
    while (neigh.first !== null) this.#send(neigh, this.#dequeue(neigh)!)
  }

  #forget(neigh: Neighbour, why: typeof DropReason.NEIGH_DEAD): void {
    this.#engine.disarm(neigh)
    neigh.state = NudState.FAILED
    while (neigh.first !== null) this.#ns.pool.drop(this.#dequeue(neigh)!, why, neigh.dev)
    this.#entries.delete(keyOf(neigh.dev, neigh.ip))
    this.#ns.changed()
  }

  /** At the limit, entries that failed or are stale make room. */
  #collect(): boolean {
    for (const neigh of [...this.#entries.values()]) {
      const state = this.stateOf(neigh)
      if (state === NudState.FAILED || state === NudState.STALE) this.#forget(neigh, DropReason.NEIGH_DEAD)
    }
    return this.#entries.size < this.#setting("gc_thresh3")
  }

  #setting(name: string): number {
    return this.#ns.sysctl.number(`net/ipv${this.#family}/neigh/default/${name}`)
  }
}

function charge(frame: Frame): number {
  return frame.tail - frame.l3 + TRUESIZE_OVERHEAD
}

function keyOf(dev: NetDevice, ip: Ip): string {
  return `${dev.ifindex} ${format(ip)}`
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
