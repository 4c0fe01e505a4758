/**
 * Entries as columns of typed arrays, by number, and the index that finds one by either of its tuples: open
 * addressing with linear probes, at most half full, a removed slot closed by moving back what follows it.
 *
 * An entry's number is what `Frame.ct` holds and stays its own until it is freed, also when the table grows
 * (all columns are rebuilt twice as large, beside the path of packets that find their entry). Nobody may
 * keep a column over a call that can make an entry.
 *
 * Invariants (`check`): every number is used or in the free list, once; a confirmed entry is found by both
 * tuples, one that lost a clash by its reply, any other by none.
 * Not supported: zones, labels, secmarks.
 */
import { assert } from "@podwire/engine"
import { type Direction, Status } from "./status.ts"
import * as tuples from "./tuple.ts"

/** Columns of four words for each direction: last word of both addresses, KEY, META. */
const HEAD_WORDS = 8
/** The other three words of both addresses, which only IPv6 has. */
const WIDE_WORDS = 12
/** What a protocol's tracker keeps. */
export const PROTO_WORDS = 20
const SLOTS_PER_ENTRY = 4
const CAPACITY_MIN = 64

export class Table {
  capacity = CAPACITY_MIN
  /** Used numbers: drafts, confirmed entries, and dead ones that a frame still holds. */
  used = 0
  status = new Int32Array(CAPACITY_MIN)
  mark = new Int32Array(CAPACITY_MIN)
  /** Counts up over the life of a namespace: names an entry for people. */
  serial = new Int32Array(CAPACITY_MIN)
  /** Confirmed: when it ends. Draft: how long it will live, from confirmation on. */
  deadlineNs = new Float64Array(CAPACITY_MIN)
  proto = new Int32Array(CAPACITY_MIN * PROTO_WORDS)
  /** The same memory, two words at a time. */
  proto64 = new Float64Array(this.proto.buffer)
  /** Packets and octets, original then reply; there once something counts. */
  counters: Float64Array | null = null
  /** Events since the last delivery. */
  pending = new Int32Array(CAPACITY_MIN)
  #head = new Int32Array(CAPACITY_MIN * HEAD_WORDS)
  #wide: Int32Array | null = null
  /** Free numbers in a list, by number + 1. */
  #next = new Int32Array(CAPACITY_MIN)
  #free = 0
  /**
   * Entry and direction as 2 * number + direction + 1; 0 is empty. Beside it the hash that it was put in
   * by.
   */
  #slots = new Int32Array(CAPACITY_MIN * SLOTS_PER_ENTRY)
  #hashes = new Int32Array(CAPACITY_MIN * SLOTS_PER_ENTRY)
  #mask = CAPACITY_MIN * SLOTS_PER_ENTRY - 1
  #serial = 0
  readonly #scratch = tuples.create()

  constructor() {
    this.#chain(0)
  }

  get bytes(): number {
    const arrays = [
      this.status, this.mark, this.serial, this.deadlineNs, this.proto, this.pending, this.#head, this.#next,
      this.#slots, this.#hashes
    ]
    const optional = (this.#wide?.byteLength ?? 0) + (this.counters?.byteLength ?? 0)
    return arrays.reduce((sum, array) => sum + array.byteLength, optional)
  }

  /** A number with these tuples and nothing else yet. How many there may be is the caller's business. */
  take(original: Int32Array, reply: Int32Array): number {
    if (this.#free === 0) this.#grow()
    const ct = this.#free - 1
    this.#free = this.#next[ct]!
    this.used++
    this.status[ct] = 0
    this.mark[ct] = 0
    this.deadlineNs[ct] = 0
    this.pending[ct] = 0
    this.#serial = (this.#serial + 1) | 0
    this.serial[ct] = this.#serial
    const from = ct * PROTO_WORDS
    const proto = this.proto
    for (let i = from; i < from + PROTO_WORDS; i++) proto[i] = 0
    const counters = this.counters
    if (counters !== null) for (let i = 4 * ct; i < 4 * ct + 4; i++) counters[i] = 0
    this.#store(ct, 0, original)
    this.#store(ct, 1, reply)
    return ct
  }

  /** It must be out of the index. */
  give(ct: number): void {
    assert(this.status[ct] !== FREE, "an entry is freed once")
    this.status[ct] = FREE
    this.#next[ct] = this.#free
    this.#free = ct + 1
    this.used--
  }

  isFree(ct: number): boolean {
    return this.status[ct] === FREE
  }

  count(): void {
    this.counters ??= new Float64Array(4 * this.capacity)
  }

  tuple(ct: number, direction: Direction, into: Int32Array): Int32Array {
    const head = this.#head
    const at = ct * HEAD_WORDS + 4 * direction
    const meta = head[at + 3]!
    into[tuples.KEY] = head[at + 2]!
    into[tuples.META] = meta
    if (meta >>> 8 === 6) {
      const wide = this.#wide!
      const from = ct * WIDE_WORDS + 6 * direction
      for (let i = 0; i < 3; i++) {
        into[i] = wide[from + i]!
        into[i + 4] = wide[from + 3 + i]!
      }
      into[3] = head[at]!
      into[7] = head[at + 1]!
      return into
    }
    into[0] = head[at]!
    into[4] = head[at + 1]!
    into[1] = into[2] = into[3] = into[5] = into[6] = into[7] = 0
    return into
  }

  key(ct: number, direction: Direction): number {
    return this.#head[ct * HEAD_WORDS + 4 * direction + 2]!
  }

  /** Word `i` of the source or, with `end` 1, of the destination. */
  address(ct: number, direction: Direction, end: 0 | 1, i: number): number {
    const at = ct * HEAD_WORDS + 4 * direction
    const last = this.#head[at + 3]! >>> 8 === 6 ? 3 : 0
    return i === last ? this.#head[at + end]! : this.#wide![ct * WIDE_WORDS + 6 * direction + 3 * end + i]!
  }

  protocol(ct: number): number {
    return this.#head[ct * HEAD_WORDS + 3]! & 0xff
  }

  family(ct: number): tuples.Family {
    return this.#head[ct * HEAD_WORDS + 3]! >>> 8 === 6 ? 6 : 4
  }

  /** What NAT makes of the answer (nf_conntrack_alter_reply): drafts only. */
  setReply(ct: number, reply: Int32Array): void {
    assert((this.status[ct]! & Status.CONFIRMED) === 0, "a confirmed entry's tuples do not change")
    this.#store(ct, 1, reply)
  }

  /** 2 * number + direction of whoever has this tuple in the index, or -1. */
  find(tuple: Int32Array, hash: number): number {
    const slots = this.#slots
    const hashes = this.#hashes
    const mask = this.#mask
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const slot = slots[i]!
      if (slot === 0) return -1
      if (hashes[i] === hash && this.#is(slot - 1, tuple)) return slot - 1
    }
  }

  /** By the hash of that tuple. */
  insert(ct: number, direction: Direction, hash: number): void {
    this.#put(2 * ct + direction + 1, hash)
  }

  remove(ct: number, direction: Direction): void {
    const slots = this.#slots
    const hashes = this.#hashes
    const mask = this.#mask
    const want = 2 * ct + direction + 1
    let hole = tuples.hash(this.tuple(ct, direction, this.#scratch)) & mask
    while (slots[hole] !== want) {
      assert(slots[hole] !== 0, "an entry that is removed was inserted")
      hole = (hole + 1) & mask
    }
    for (let i = (hole + 1) & mask; slots[i] !== 0; i = (i + 1) & mask) {
      // What belongs behind the hole stays; distances are from its own place, around the end.
      const home = hashes[i]! & mask
      if (((i - home) & mask) < ((i - hole) & mask)) continue
      slots[hole] = slots[i]!
      hashes[hole] = hashes[i]!
      hole = i
    }
    slots[hole] = 0
  }

  /** The next entry in the index at or behind place `at` of its `count`: for victims near a hash. */
  near(hash: number, step: number): number {
    return this.#slots[(hash + step) & this.#mask]! - 1
  }

  /** What is wrong with the books, or null. */
  check(): string | null {
    let free = 0
    for (let at = this.#free; at !== 0; at = this.#next[at - 1]!) {
      if (this.status[at - 1] !== FREE || ++free > this.capacity) return `number ${at - 1} is free and used`
    }
    if (free + this.used !== this.capacity) return `${free} free, ${this.used} used of ${this.capacity}`
    let expected = 0
    for (let ct = 0; ct < this.capacity; ct++) {
      const status = this.status[ct]!
      if (status === FREE) continue
      const indexed = (status & Status.CONFIRMED) !== 0 && (status & Status.DYING) === 0
      for (const direction of [0, 1] as const) {
        if (!indexed || (direction === 0 && (status & Status.NAT_CLASH) !== 0)) continue
        expected++
        const tuple = this.tuple(ct, direction, this.#scratch)
        const found = this.find(tuple, tuples.hash(tuple))
        if (found !== 2 * ct + direction) return `entry ${ct} is not found by tuple ${direction}`
      }
    }
    const taken = this.#slots.reduce((sum, slot) => sum + (slot === 0 ? 0 : 1), 0)
    return taken === expected ? null : `${taken} slots for ${expected} tuples`
  }

  #is(slot: number, tuple: Int32Array): boolean {
    const head = this.#head
    const at = (slot >> 1) * HEAD_WORDS + 4 * (slot & 1)
    const meta = tuple[tuples.META]!
    if (head[at + 2] !== tuple[tuples.KEY] || head[at + 3] !== meta) return false
    if (meta >>> 8 !== 6) return head[at] === tuple[0] && head[at + 1] === tuple[4]
    if (head[at] !== tuple[3] || head[at + 1] !== tuple[7]) return false
    const wide = this.#wide!
    const from = (slot >> 1) * WIDE_WORDS + 6 * (slot & 1)
    for (let i = 0; i < 3; i++) {
      if (wide[from + i] !== tuple[i] || wide[from + 3 + i] !== tuple[i + 4]) return false
    }
    return true
  }

  #store(ct: number, direction: Direction, tuple: Int32Array): void {
    const six = tuple[tuples.META]! >>> 8 === 6
    const at = ct * HEAD_WORDS + 4 * direction
    const head = this.#head
    head[at] = tuple[six ? 3 : 0]!
    head[at + 1] = tuple[six ? 7 : 4]!
    head[at + 2] = tuple[tuples.KEY]!
    head[at + 3] = tuple[tuples.META]!
    if (!six) return
    const wide = (this.#wide ??= new Int32Array(this.capacity * WIDE_WORDS))
    const from = ct * WIDE_WORDS + 6 * direction
    for (let i = 0; i < 3; i++) {
      wide[from + i] = tuple[i]!
      wide[from + 3 + i] = tuple[i + 4]!
    }
  }

  #put(value: number, hash: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let i = hash & mask
    while (slots[i] !== 0) i = (i + 1) & mask
    slots[i] = value
    this.#hashes[i] = hash
  }

  /** The numbers from `from` on, lowest first. */
  #chain(from: number): void {
    for (let ct = this.capacity - 1; ct >= from; ct--) {
      this.status[ct] = FREE
      this.#next[ct] = this.#free
      this.#free = ct + 1
    }
  }

  #grow(): void {
    const old = this.capacity
    const capacity = 2 * old
    this.capacity = capacity
    this.status = wider(this.status, capacity)
    this.mark = wider(this.mark, capacity)
    this.serial = wider(this.serial, capacity)
    this.pending = wider(this.pending, capacity)
    this.proto = wider(this.proto, capacity * PROTO_WORDS)
    this.proto64 = new Float64Array(this.proto.buffer)
    this.#head = wider(this.#head, capacity * HEAD_WORDS)
    this.#next = wider(this.#next, capacity)
    if (this.#wide !== null) this.#wide = wider(this.#wide, capacity * WIDE_WORDS)
    const deadline = new Float64Array(capacity)
    deadline.set(this.deadlineNs)
    this.deadlineNs = deadline
    if (this.counters !== null) {
      const counters = new Float64Array(4 * capacity)
      counters.set(this.counters)
      this.counters = counters
    }
    const [slots, hashes] = [this.#slots, this.#hashes]
    this.#slots = new Int32Array(capacity * SLOTS_PER_ENTRY)
    this.#hashes = new Int32Array(capacity * SLOTS_PER_ENTRY)
    this.#mask = capacity * SLOTS_PER_ENTRY - 1
    for (let i = 0; i < slots.length; i++) if (slots[i] !== 0) this.#put(slots[i]!, hashes[i]!)
    this.#chain(old)
  }
}

/** In `status`: no entry. */
const FREE = -1

function wider(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length)
  to.set(from)
  return to
}
