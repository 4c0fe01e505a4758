/**
 * A forwarding database: MAC address to port, learnt from traffic and forgotten after a while
 * (net/bridge/br_fdb.c). Open addressing over typed arrays; a lookup touches one or two lines and allocates
 * nothing. What somebody entered does not age: local entries (the ports' and the bridge's own addresses)
 * and sticky ones stay where they are, static ones still follow traffic to another port, as in Linux.
 *
 * Memory is bounded: entries that have aged are swept when room is needed, and when `learnedMax` live ones
 * were learnt no more are, which `refused` counts (IFLA_BR_FDB_MAX_LEARNED, whose default is no limit).
 */
import type { Ns } from "@podwire/engine"
import { hi as macHi, lo as macLo, of } from "@podwire/wire/mac"

const CAPACITY_AT_START = 64
/** A flood of made-up sources cannot exhaust memory. */
export const LEARNED_MAX = 65_536

/** Port numbers are the owner's; these two mean something here. */
export const NO_PORT = -1
const EMPTY = -2

/** How an entry came to be: NUD_REACHABLE, NUD_PERMANENT, NUD_NOARP, NUD_NOARP with NTF_STICKY. */
export const FdbKind = { Learned: 0, Local: 1, Static: 2, Sticky: 3 } as const
export type FdbKind = (typeof FdbKind)[keyof typeof FdbKind]

/** The engine: asked for the time rather than told it, because a time handed over would be boxed on every frame. */
export interface Clock {
  readonly nowNs: Ns
}

export interface FdbEntry {
  readonly mac: number
  readonly port: number
  readonly kind: FdbKind
  readonly local: boolean
  /** When it was last seen as a source, or entered. */
  readonly updatedNs: Ns
}

export class Fdb {
  ageingNs: Ns
  learnedMax = LEARNED_MAX
  /** Sources that were not learnt for want of room. */
  refused = 0
  /** Slots in use, aged entries that nobody swept yet among them. */
  size = 0
  #learned = 0
  #hi = new Int32Array(CAPACITY_AT_START)
  #lo = new Int32Array(CAPACITY_AT_START)
  #port = new Int32Array(CAPACITY_AT_START).fill(EMPTY)
  #kind = new Uint8Array(CAPACITY_AT_START)
  #updatedNs = new Float64Array(CAPACITY_AT_START)
  #mask = CAPACITY_AT_START - 1

  constructor(ageingNs: Ns) {
    this.ageingNs = ageingNs
  }

  /** The entry's slot, or -1 when there is none or its time is over. */
  find(hi: number, lo: number, clock: Clock): number {
    const slot = this.#slot(hi, lo)
    if (this.#port[slot]! === EMPTY) return -1
    if (this.#kind[slot]! === FdbKind.Learned && clock.nowNs - this.#updatedNs[slot]! >= this.ageingNs) return -1
    return slot
  }

  port(slot: number): number {
    return this.#port[slot]!
  }

  isLocal(slot: number): boolean {
    return this.#kind[slot]! === FdbKind.Local
  }

  /**
   * A source was seen on a port: new, refreshed or moved. A local address is not learnt over
   * (br_fdb_update).
   */
  learn(hi: number, lo: number, port: number, clock: Clock): void {
    const slot = this.#slot(hi, lo)
    if (this.#port[slot]! === EMPTY) return this.#learnNew(hi, lo, port, clock.nowNs)
    const kind = this.#kind[slot]!
    if (kind === FdbKind.Local) return
    if (kind !== FdbKind.Sticky) this.#port[slot] = port
    this.#updatedNs[slot] = clock.nowNs
  }

  #learnNew(hi: number, lo: number, port: number, nowNs: Ns): void {
    if (this.#learned >= this.learnedMax) this.#sweep(nowNs)
    if (this.#learned >= this.learnedMax) this.refused++
    else this.#add(hi, lo, port, FdbKind.Learned, nowNs)
  }

  addLocal(hi: number, lo: number, port: number): void {
    this.set(hi, lo, port, FdbKind.Local, 0)
  }

  /** bridge fdb replace MAC dev PORT master local|static|dynamic [sticky] */
  set(hi: number, lo: number, port: number, kind: FdbKind, nowNs: Ns): void {
    const slot = this.#slot(hi, lo)
    if (this.#port[slot]! === EMPTY) return this.#add(hi, lo, port, kind, nowNs)
    this.#learned += Number(kind === FdbKind.Learned) - Number(this.#kind[slot]! === FdbKind.Learned)
    this.#port[slot] = port
    this.#kind[slot] = kind
    this.#updatedNs[slot] = nowNs
  }

  /** bridge fdb del MAC; false when it is not there. */
  remove(mac: number): boolean {
    const slot = this.#slot(macHi(mac), macLo(mac))
    if (this.#port[slot]! === EMPTY) return false
    this.#delete(slot)
    return true
  }

  /** Everything that points to a port, of whatever kind: the port is no more (br_fdb_delete_by_port). */
  removePort(port: number): void {
    for (let slot = 0; slot <= this.#mask;) {
      if (this.#port[slot]! === port) this.#delete(slot)
      else slot++
    }
  }

  /** What was learnt on a port: its link is down. */
  flushPort(port: number): void {
    for (let slot = 0; slot <= this.#mask;) {
      if (this.#port[slot]! === port && this.#kind[slot]! === FdbKind.Learned) this.#delete(slot)
      else slot++
    }
  }

  removeLocal(mac: number, port: number): void {
    const slot = this.#slot(macHi(mac), macLo(mac))
    if (this.#port[slot]! === port && this.#kind[slot]! === FdbKind.Local) this.#delete(slot)
  }

  /** What is known at `nowNs`, by address. */
  list(nowNs: Ns): ReadonlyArray<FdbEntry> {
    const entries: Array<FdbEntry> = []
    for (let i = 0; i <= this.#mask; i++) {
      if (this.#port[i]! === EMPTY) continue
      const kind = this.#kind[i]! as FdbKind
      const updatedNs = this.#updatedNs[i]!
      if (kind === FdbKind.Learned && nowNs - updatedNs >= this.ageingNs) continue
      const mac = of(this.#hi[i]!, this.#lo[i]!)
      entries.push({ mac, port: this.#port[i]!, kind, local: kind === FdbKind.Local, updatedNs })
    }
    return entries.sort((a, b) => a.mac - b.mac)
  }

  #home(hi: number, lo: number): number {
    const h = Math.imul(lo ^ Math.imul(hi, 0x9e3779b1 | 0), 0x85ebca6b | 0)
    return (h ^ (h >>> 15)) & this.#mask
  }

  #slot(hi: number, lo: number): number {
    const mask = this.#mask
    let slot = this.#home(hi, lo)
    while (this.#port[slot]! !== EMPTY && (this.#lo[slot]! !== lo || this.#hi[slot]! !== hi)) {
      slot = (slot + 1) & mask
    }
    return slot
  }

  #add(hi: number, lo: number, port: number, kind: FdbKind, nowNs: Ns): void {
    if (2 * this.size > this.#mask) {
      this.#sweep(nowNs)
      if (2 * this.size > this.#mask) this.#rebuild(this.list(-Infinity), (this.#mask + 1) * 2)
    }
    const slot = this.#slot(hi, lo)
    this.#hi[slot] = hi
    this.#lo[slot] = lo
    this.#port[slot] = port
    this.#kind[slot] = kind
    this.#updatedNs[slot] = nowNs
    this.size++
    if (kind === FdbKind.Learned) this.#learned++
  }

  /** Take out what has aged (br_fdb_cleanup, which Linux runs by timer; here nobody can tell). */
  #sweep(nowNs: Ns): void {
    this.#rebuild(this.list(nowNs), this.#mask + 1)
  }

  /** The hole is filled with whatever behind it may stand there (Knuth 6.4, algorithm R): only later slots move. */
  #delete(slot: number): void {
    const mask = this.#mask
    this.size--
    if (this.#kind[slot]! === FdbKind.Learned) this.#learned--
    let hole = slot
    for (let at = (hole + 1) & mask; this.#port[at]! !== EMPTY; at = (at + 1) & mask) {
      const home = this.#home(this.#hi[at]!, this.#lo[at]!)
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      this.#hi[hole] = this.#hi[at]!
      this.#lo[hole] = this.#lo[at]!
      this.#port[hole] = this.#port[at]!
      this.#kind[hole] = this.#kind[at]!
      this.#updatedNs[hole] = this.#updatedNs[at]!
      hole = at
    }
    this.#port[hole] = EMPTY
  }

  #rebuild(entries: ReadonlyArray<FdbEntry>, capacity: number): void {
    this.#hi = new Int32Array(capacity)
    this.#lo = new Int32Array(capacity)
    this.#port = new Int32Array(capacity).fill(EMPTY)
    this.#kind = new Uint8Array(capacity)
    this.#updatedNs = new Float64Array(capacity)
    this.#mask = capacity - 1
    this.size = 0
    this.#learned = 0
    for (const { mac, port, kind, updatedNs } of entries) {
      this.#add(macHi(mac), macLo(mac), port, kind, updatedNs)
    }
  }
}
