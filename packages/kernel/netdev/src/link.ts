/**
 * One direction of a wire that may be slow, narrow or bad: delay, jitter, loss, duplication,
 * reordering, corruption, rate, and a bounded queue (the behaviours of tc-netem; net/sched/sch_netem.c).
 * Chance comes from the stream named after the link, as integer parts per million.
 *
 * Frames wait in order of arrival time in a ring; one timer serves all of them. Serialisation takes
 * ceil(bits * 1e9 / rate) nanoseconds, the Ethernet header counted, preamble and FCS not.
 */
import { type Engine, type Ns, type Prng, type Task, Timer } from "@podwire/engine"
import { DropReason } from "./drop-reason.ts"
import type { Frame } from "./frame.ts"
import type { FramePool } from "./pool.ts"

export interface LinkSpec {
  readonly delayNs: Ns
  /** Uniform, plus or minus; frames may overtake one another, as with netem. */
  readonly jitterNs: Ns
  readonly lossPpm: number
  readonly duplicatePpm: number
  /** This part is sent at once instead of after the delay. */
  readonly reorderPpm: number
  /** One random bit of the frame is flipped. */
  readonly corruptPpm: number
  /** Bits per second; 0 is no limit. */
  readonly rateBps: number
  /** Frames that may be waiting, those in flight included, once there is a rate; netem's limit. */
  readonly queuePackets: number
}

export const PERFECT: LinkSpec = {
  delayNs: 0, jitterNs: 0, lossPpm: 0, duplicatePpm: 0, reorderPpm: 0, corruptPpm: 0, rateBps: 0,
  queuePackets: 1000
}

const PPM = 1_000_000
const CAPACITY_AT_START = 16
/** Frames in flight on a link without a rate: only memory bounds a long fat wire. */
const IN_FLIGHT_MAX = 65_536

export interface LinkStats {
  sent: number
  lost: number
  duplicated: number
  corrupted: number
  overflowed: number
}

export class Link extends Timer {
  readonly name: string
  spec: LinkSpec
  up = true
  readonly stats: LinkStats = { sent: 0, lost: 0, duplicated: 0, corrupted: 0, overflowed: 0 }
  readonly #engine: Engine
  readonly #pool: FramePool
  readonly #to: Task<Frame>
  readonly #prng: Prng
  /** When the last bit of what was accepted so far leaves the sender. */
  #busyUntilNs: Ns = 0
  #frames: Array<Frame | null> = new Array<Frame | null>(CAPACITY_AT_START).fill(null)
  #dueNs = new Float64Array(CAPACITY_AT_START)
  #mask = CAPACITY_AT_START - 1
  #head = 0
  #size = 0

  constructor(
    engine: Engine, pool: FramePool, name: string, to: Task<Frame>, spec: Partial<LinkSpec> = {}
  ) {
    super()
    this.name = name
    this.spec = { ...PERFECT, ...spec }
    this.#engine = engine
    this.#pool = pool
    this.#to = to
    this.#prng = engine.prng(`netem:${name}`)
  }

  get waiting(): number {
    return this.#size
  }

  /** What is already on the wire keeps its time. */
  set(spec: Partial<LinkSpec>): void {
    this.spec = { ...this.spec, ...spec }
  }

  send(frame: Frame): void {
    const { spec } = this
    this.stats.sent++
    if (!this.up) return this.#pool.drop(frame, DropReason.LINK_DOWN)
    if (spec.lossPpm > 0 && this.#prng.chance(spec.lossPpm, PPM)) {
      this.stats.lost++
      return this.#pool.drop(frame, DropReason.LINK_LOSS)
    }
    if (spec.duplicatePpm > 0 && this.#prng.chance(spec.duplicatePpm, PPM)) {
      const copy = this.#pool.clone(frame)
      if (copy !== null) {
        this.stats.duplicated++
        this.#queue(copy)
      }
    }
    if (spec.corruptPpm > 0 && this.#prng.chance(spec.corruptPpm, PPM)) this.#corrupt(frame)
    this.#queue(frame)
  }

  /** The head of the queue has arrived, and whatever else is due now. */
  override fire(nowNs: Ns): void {
    while (this.#size > 0 && this.#dueNs[this.#head]! <= nowNs) {
      const frame = this.#frames[this.#head]!
      this.#frames[this.#head] = null
      this.#head = (this.#head + 1) & this.#mask
      this.#size--
      this.#to.run(frame)
    }
    if (this.#size > 0 && !this.armed) this.#engine.arm(this, this.#dueNs[this.#head]! - nowNs)
  }

  /** End what is on the wire. */
  destroy(): void {
    this.#engine.disarm(this)
    for (; this.#size > 0; this.#size--) {
      this.#pool.drop(this.#frames[this.#head]!, DropReason.LINK_DOWN)
      this.#frames[this.#head] = null
      this.#head = (this.#head + 1) & this.#mask
    }
  }

  #queue(frame: Frame): void {
    const { spec } = this
    const nowNs = this.#engine.nowNs
    if (this.#size >= (spec.rateBps > 0 ? spec.queuePackets : IN_FLIGHT_MAX)) {
      this.stats.overflowed++
      return this.#pool.drop(frame, DropReason.LINK_QUEUE_FULL)
    }
    let dueNs = nowNs
    if (spec.rateBps > 0) {
      const bits = (frame.tail - frame.head) * 8
      const start = this.#busyUntilNs > nowNs ? this.#busyUntilNs : nowNs
      this.#busyUntilNs = start + Math.ceil((bits * 1_000_000_000) / spec.rateBps)
      dueNs = this.#busyUntilNs
    }
    const early = spec.reorderPpm > 0 && this.#prng.chance(spec.reorderPpm, PPM)
    if (!early) {
      dueNs += spec.delayNs
      if (spec.jitterNs > 0) {
        dueNs += this.#prng.below(2 * spec.jitterNs + 1) - spec.jitterNs
        if (dueNs < nowNs) dueNs = nowNs
      }
    }
    this.#insert(frame, dueNs)
  }

  /** Behind everything that is due no later: equal times keep their order. */
  #insert(frame: Frame, dueNs: Ns): void {
    if (this.#size > this.#mask) this.#grow()
    const mask = this.#mask
    let at = this.#size++
    while (at > 0) {
      const before = (this.#head + at - 1) & mask
      if (this.#dueNs[before]! <= dueNs) break
      const slot = (this.#head + at) & mask
      this.#dueNs[slot] = this.#dueNs[before]!
      this.#frames[slot] = this.#frames[before]!
      at--
    }
    const slot = (this.#head + at) & mask
    this.#dueNs[slot] = dueNs
    this.#frames[slot] = frame
    if (at === 0) this.#engine.arm(this, dueNs - this.#engine.nowNs)
  }

  #corrupt(frame: Frame): void {
    this.stats.corrupted++
    const bit = this.#prng.below((frame.tail - frame.head) * 8)
    frame.bytes[frame.head + (bit >>> 3)]! ^= 1 << (bit & 7)
    frame.corrupted = true
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2
    const frames = new Array<Frame | null>(capacity).fill(null)
    const dueNs = new Float64Array(capacity)
    for (let i = 0; i < this.#size; i++) {
      const slot = (this.#head + i) & this.#mask
      frames[i] = this.#frames[slot]!
      dueNs[i] = this.#dueNs[slot]!
    }
    this.#frames = frames
    this.#dueNs = dueNs
    this.#mask = capacity - 1
    this.#head = 0
  }
}
