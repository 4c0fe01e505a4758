/**
 * A forwarding database: MAC address to port, learnt from traffic and forgotten after a while
 * (net/bridge/br_fdb.c). Open addressing over typed arrays; a lookup touches one or two lines and
 * allocates nothing. Local entries (the ports' and the bridge's own addresses) never age.
 */
import type { Ns } from "@podwire/engine"
import { of } from "@podwire/wire/mac"

const CAPACITY_AT_START = 64
/** Addresses at the most: a flood of made-up sources cannot exhaust memory. */
const ENTRIES_MAX = 65_536

/** Port numbers are the owner's; these two mean something here. */
export const NO_PORT = -1
const EMPTY = -2

export interface FdbEntry {
  readonly mac: number
  readonly port: number
  readonly local: boolean
  readonly updatedNs: Ns
}

export class Fdb {
  ageingNs: Ns
  size = 0
  #hi = new Int32Array(CAPACITY_AT_START)
  #lo = new Int32Array(CAPACITY_AT_START)
  #port = new Int32Array(CAPACITY_AT_START).fill(EMPTY)
  #local = new Uint8Array(CAPACITY_AT_START)
  #updatedNs = new Float64Array(CAPACITY_AT_START)
  #mask = CAPACITY_AT_START - 1

  constructor(ageingNs: Ns) {
    this.ageingNs = ageingNs
  }

  /** The entry's slot, or -1 when there is none or it is too old. */
  find(hi: number, lo: number, nowNs: Ns): number {
    const slot = this.#slot(hi, lo)
    if (this.#port[slot]! === EMPTY) return -1
    if (this.#local[slot]! === 0 && nowNs - this.#updatedNs[slot]! > this.ageingNs) return -1
    return slot
  }

  port(slot: number): number {
    return this.#port[slot]!
  }

  isLocal(slot: number): boolean {
    return this.#local[slot]! === 1
  }

  /** A source was seen on a port: new, refreshed or moved. A local address is not learnt over. */
  learn(hi: number, lo: number, port: number, nowNs: Ns): void {
    const slot = this.#slot(hi, lo)
    if (this.#port[slot]! === EMPTY) this.#add(hi, lo, port, 0, nowNs)
    else if (this.#local[slot]! === 0) {
      this.#port[slot] = port
      this.#updatedNs[slot] = nowNs
    }
  }

  addLocal(hi: number, lo: number, port: number): void {
    const slot = this.#slot(hi, lo)
    if (this.#port[slot]! === EMPTY) this.#add(hi, lo, port, 1, 0)
    else {
      this.#port[slot] = port
      this.#local[slot] = 1
    }
  }

  /** Everything that points to a port, local or learnt. */
  removePort(port: number): void {
    this.#keep((entry) => entry.port !== port)
  }

  removeLocal(mac: number, port: number): void {
    this.#keep((entry) => !(entry.local && entry.mac === mac && entry.port === port))
  }

  /** What is known at `nowNs`, by address. */
  list(nowNs: Ns): ReadonlyArray<FdbEntry> {
    const entries: Array<FdbEntry> = []
    for (let i = 0; i <= this.#mask; i++) {
      if (this.#port[i]! === EMPTY) continue
      const local = this.#local[i]! === 1
      if (!local && nowNs - this.#updatedNs[i]! > this.ageingNs) continue
      entries.push({
        mac: of(this.#hi[i]!, this.#lo[i]!), port: this.#port[i]!, local,
        updatedNs: this.#updatedNs[i]!
      })
    }
    return entries.sort((a, b) => a.mac - b.mac)
  }

  #slot(hi: number, lo: number): number {
    let h = Math.imul(lo ^ Math.imul(hi, 0x9e3779b1 | 0), 0x85ebca6b | 0)
    h ^= h >>> 15
    const mask = this.#mask
    let slot = h & mask
    while (this.#port[slot]! !== EMPTY && (this.#lo[slot]! !== lo || this.#hi[slot]! !== hi)) {
      slot = (slot + 1) & mask
    }
    return slot
  }

  #add(hi: number, lo: number, port: number, local: number, nowNs: Ns): void {
    if (2 * this.size > this.#mask) {
      if (this.size >= ENTRIES_MAX) return
      this.#rebuild(this.#all(), (this.#mask + 1) * 2)
    }
    const slot = this.#slot(hi, lo)
    this.#hi[slot] = hi
    this.#lo[slot] = lo
    this.#port[slot] = port
    this.#local[slot] = local
    this.#updatedNs[slot] = nowNs
    this.size++
  }

  #all(): ReadonlyArray<FdbEntry> {
    return this.list(-Infinity)
  }

  #keep(wanted: (entry: FdbEntry) => boolean): void {
    this.#rebuild(this.#all().filter(wanted), this.#mask + 1)
  }

  #rebuild(entries: ReadonlyArray<FdbEntry>, capacity: number): void {
    this.#hi = new Int32Array(capacity)
    this.#lo = new Int32Array(capacity)
    this.#port = new Int32Array(capacity).fill(EMPTY)
    this.#local = new Uint8Array(capacity)
    this.#updatedNs = new Float64Array(capacity)
    this.#mask = capacity - 1
    this.size = 0
    for (const { mac, port, local, updatedNs } of entries) {
      this.#add(Math.floor(mac / 0x1_0000_0000), mac | 0, port, local ? 1 : 0, updatedNs)
    }
  }
}
