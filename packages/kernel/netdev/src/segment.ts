/**
 * The underlay: a learning switch without an address of its own. Between any two cards lies a way that can be
 * impaired and nothing else (`between`). A group frame, or one for an address not yet seen, goes to all.
 *
 * Thousands of cards: what every way starts with is a plain delay mostly, and plain ways share one lane, on
 * which a flooded frame is one entry and is copied only as it arrives. A link of its own a way has from
 * when somebody asks for it, or when the segment's spec involves chance, jitter or a rate; only then does
 * memory grow with the number of pairs in use. Arrival is the same either way: after the delay, in the
 * order of sending.
 * Approximated: the switch takes no time, never congests, and keeps no multicast membership.
 */
import { assert, type Engine, type Ns, Timer } from "@podwire/engine"
import * as eth from "@podwire/wire/eth"
import { DropReason } from "./drop-reason.ts"
import { Fdb } from "./fdb.ts"
import type { Frame } from "./frame.ts"
import { isPlain, Link, type LinkSpec, PERFECT, specFault } from "./link.ts"
import type { Nic, Wire } from "./nic.ts"
import type { FramePool } from "./pool.ts"

const AGEING_NS = 300_000_000_000
const CAPACITY_AT_START = 64

/** A way that has its own link, and since when: frames sent before it came still arrive by the lane. */
interface Way {
  readonly link: Link
  readonly since: number
}

/** To everybody but the sender. */
const ALL = -1

export class Segment implements Wire {
  readonly name: string
  readonly #engine: Engine
  readonly #pool: FramePool
  readonly #spec: LinkSpec
  readonly #plain: boolean
  /** By position; positions are not used again. */
  readonly #nics: Array<Nic | null> = []
  /** By position of sender, then of receiver: only what has a link of its own. */
  readonly #ways: Array<Map<number, Way> | null> = []
  readonly #fdb = new Fdb(AGEING_NS)
  readonly #lane: Lane

  /** `spec` is what every way starts with. */
  constructor(engine: Engine, pool: FramePool, name: string, spec: Partial<LinkSpec> = {}) {
    this.name = name
    this.#engine = engine
    this.#pool = pool
    this.#spec = { ...PERFECT, ...spec }
    assert(specFault(this.#spec) === null, `segment ${name}: ${specFault(this.#spec)}`)
    this.#plain = isPlain(this.#spec)
    this.#lane = new Lane(engine, this)
  }

  /** Ways that have a link of their own. */
  get links(): number {
    return this.#ways.reduce((count, ways) => count + (ways?.size ?? 0), 0)
  }

  attach(nic: Nic): void {
    nic.position = this.#nics.length
    this.#nics.push(nic)
    this.#ways.push(null)
    nic.wire = this
  }

  /** What is on its way to it or from it ends. */
  detach(nic: Nic): void {
    const position = this.#positionOf(nic)
    if (position < 0) return
    nic.position = -1
    this.#nics[position] = null
    this.#fdb.removePort(position)
    nic.wire = null
    for (const { link } of this.#ways[position]?.values() ?? []) link.destroy()
    this.#ways[position] = null
    for (const ways of this.#ways) {
      ways?.get(position)?.link.destroy()
      ways?.delete(position)
    }
    this.#lane.forget(position)
  }

  /** Both directions between two cards. */
  between(a: Nic, b: Nic): [Link, Link] {
    const from = this.#positionOf(a)
    const to = this.#positionOf(b)
    assert(from >= 0 && to >= 0 && from !== to, "a way is between two cards of the segment")
    return [this.#link(from, to), this.#link(to, from)]
  }

  send(from: Nic, frame: Frame): void {
    const { bytes, head } = frame
    const position = this.#positionOf(from)
    if (position < 0) return this.#pool.drop(frame, DropReason.LINK_DOWN, from)
    if (frame.tail - head < eth.HEADER_BYTES) return this.#pool.drop(frame, DropReason.PKT_TOO_SMALL, from)
    const engine = this.#engine
    if ((bytes[head + 6]! & 1) === 0) {
      this.#fdb.learn(eth.srcHi(bytes, head), eth.srcLo(bytes, head), position, engine)
    }
    if (!eth.isGroup(bytes, head)) {
      const slot = this.#fdb.find(eth.dstHi(bytes, head), eth.dstLo(bytes, head), engine)
      if (slot >= 0) {
        const to = this.#fdb.port(slot)
        if (to === position) return this.#pool.drop(frame, DropReason.BRIDGE_SAME_PORT, from)
        const way = this.#ways[position]?.get(to)
        if (way !== undefined) return way.link.send(frame)
        if (!this.#plain) return this.#link(position, to).send(frame)
        return this.#lane.push(frame, position, to, this.#nics.length, this.#spec.delayNs)
      }
    }
    this.#flood(position, frame)
  }

  /**
   * A frame of the lane arrives; entries to ALL are copied for each card but the last (the lane's own
   * call).
   */
  arrive(frame: Frame, from: number, to: number, count: number, order: number): void {
    if (to !== ALL) {
      const nic = this.#nics[to]
      return nic ? nic.run(frame) : this.#pool.drop(frame, DropReason.LINK_DOWN)
    }
    const ways = this.#ways[from] ?? null
    let last: Nic | null = null
    for (let i = 0; i < count; i++) {
      const nic = this.#nics[i]!
      if (i === from || nic === null) continue
      if (ways !== null) {
        const way = ways.get(i)
        if (way !== undefined && way.since < order) continue
      }
      if (last !== null) this.#copyTo(last, frame)
      last = nic
    }
    if (last !== null) last.run(frame)
    else this.#pool.drop(frame, DropReason.BRIDGE_NO_EGRESS)
  }

  /** A frame of the lane whose sender or receiver is gone. */
  lose(frame: Frame): void {
    this.#pool.drop(frame, DropReason.LINK_DOWN)
  }

  /** -1 for a card of another segment, or of none. */
  #positionOf(nic: Nic): number {
    const { position } = nic
    return position >= 0 && position < this.#nics.length && this.#nics[position] === nic ? position : -1
  }

  #flood(from: number, frame: Frame): void {
    const ways = this.#ways[from] ?? null
    if (this.#plain) {
      if (ways !== null) {
        for (const { link } of ways.values()) this.#copyOn(link, frame)
      }
      return this.#lane.push(frame, from, ALL, this.#nics.length, this.#spec.delayNs)
    }
    let last = -1
    for (let i = 0; i < this.#nics.length; i++) {
      if (i === from || this.#nics[i] === null) continue
      if (last >= 0) this.#copyOn(this.#link(from, last), frame)
      last = i
    }
    if (last >= 0) this.#link(from, last).send(frame)
    else this.#pool.drop(frame, DropReason.BRIDGE_NO_EGRESS)
  }

  #copyOn(link: Link, frame: Frame): void {
    const copy = this.#pool.clone(frame)
    if (copy !== null) link.send(copy)
  }

  #copyTo(nic: Nic, frame: Frame): void {
    const copy = this.#pool.clone(frame)
    if (copy !== null) nic.run(copy)
    else nic.stats.rxDropped++
  }

  #link(from: number, to: number): Link {
    let ways = this.#ways[from] ?? null
    if (ways === null) {
      ways = new Map()
      this.#ways[from] = ways
    }
    let way = ways.get(to)
    if (way === undefined) {
      const receiver = this.#nics[to]!
      const name = `${this.#nics[from]!.ns}-${receiver.ns}`
      way = { link: new Link(this.#engine, this.#pool, name, receiver, this.#spec), since: this.#lane.sent }
      ways.set(to, way)
    }
    return way.link
  }
}

/** Frames under way after the same delay, first in first out; one timer serves all of them. */
class Lane extends Timer {
  /** How many entries there have been. */
  sent = 0
  readonly #engine: Engine
  readonly #segment: Segment
  #frames: Array<Frame | null> = new Array<Frame | null>(CAPACITY_AT_START).fill(null)
  #from = new Int32Array(CAPACITY_AT_START)
  #to = new Int32Array(CAPACITY_AT_START)
  /** How many cards there were when it was sent: who came later does not get it. */
  #counts = new Int32Array(CAPACITY_AT_START)
  #orders = new Float64Array(CAPACITY_AT_START)
  #dueNs = new Float64Array(CAPACITY_AT_START)
  #mask = CAPACITY_AT_START - 1
  #head = 0
  #size = 0

  constructor(engine: Engine, segment: Segment) {
    super()
    this.#engine = engine
    this.#segment = segment
  }

  push(frame: Frame, from: number, to: number, count: number, delayNs: Ns): void {
    if (this.#size > this.#mask) this.#grow()
    const dueNs = this.#engine.nowNs + delayNs
    const slot = (this.#head + this.#size++) & this.#mask
    this.#frames[slot] = frame
    this.#from[slot] = from
    this.#to[slot] = to
    this.#counts[slot] = count
    this.#orders[slot] = ++this.sent
    this.#dueNs[slot] = dueNs
    if (this.#size === 1) this.#engine.arm(this, delayNs)
  }

  override fire(nowNs: Ns): void {
    while (this.#size > 0 && this.#dueNs[this.#head]! <= nowNs) {
      const slot = this.#head
      const frame = this.#frames[slot]!
      this.#frames[slot] = null
      this.#head = (slot + 1) & this.#mask
      this.#size--
      if (frame === null) continue
      this.#segment.arrive(
        frame, this.#from[slot]!, this.#to[slot]!, this.#counts[slot]!, this.#orders[slot]!
      )
    }
    if (this.#size > 0 && !this.armed) this.#engine.arm(this, this.#dueNs[this.#head]! - nowNs)
  }

  /** End what a card that goes has under way, and what is under way to it alone. */
  forget(position: number): void {
    let alive = 0
    for (let i = 0; i < this.#size; i++) {
      const slot = (this.#head + i) & this.#mask
      const frame = this.#frames[slot]!
      if (frame === null) continue
      if (this.#from[slot] !== position && this.#to[slot] !== position) alive++
      else {
        this.#frames[slot] = null
        this.#segment.lose(frame)
      }
    }
    if (alive > 0) return
    this.#size = 0
    this.#engine.disarm(this)
  }

  #grow(): void {
    const size = this.#mask + 1
    const turn = <A extends Int32Array | Float64Array>(from: A, to: A): A => {
      for (let i = 0; i < size; i++) to[i] = from[(this.#head + i) & this.#mask]!
      return to
    }
    this.#from = turn(this.#from, new Int32Array(size * 2))
    this.#to = turn(this.#to, new Int32Array(size * 2))
    this.#counts = turn(this.#counts, new Int32Array(size * 2))
    this.#orders = turn(this.#orders, new Float64Array(size * 2))
    this.#dueNs = turn(this.#dueNs, new Float64Array(size * 2))
    const frames = new Array<Frame | null>(size * 2).fill(null)
    for (let i = 0; i < size; i++) frames[i] = this.#frames[(this.#head + i) & this.#mask]!
    this.#frames = frames
    this.#mask = size * 2 - 1
    this.#head = 0
  }
}
