/**
 * One direction of a wire that may be slow, narrow or bad: delay, jitter, loss, duplication,
 * reordering, corruption, rate, and a bounded queue (the behaviours of tc-netem; net/sched/sch_netem.c).
 * Chance comes from the stream named after the link, as integer parts per million; a frame draws for loss,
 * duplication, corruption, reordering, jitter, in this order, and only for what the link does at all.
 * A spec that makes no sense is refused by name (`specFault`) and changes nothing.
 *
 * Frames wait in order of arrival time in a ring; one timer serves all of them. Serialisation takes
 * ceil(bits * 1e9 / rate) nanoseconds, the Ethernet header counted, preamble and FCS not.
 * Not supported: correlation, distributions other than uniform, Gilbert-Elliott loss, slots.
 */
import { assert, type Engine, type Ns, type Prng, type Task, Timer } from "@podwire/engine"
import { DropReason } from "./drop-reason.ts"
import { Errno } from "./errno.ts"
import { Checksum, type Frame } from "./frame.ts"
import { completeChecksum } from "./partial.ts"
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
/** An hour is more than any wire takes, and keeps every time a safe integer. */
const DELAY_NS_MAX = 3_600_000_000_000
/** 100 Tbit/s. */
const RATE_BPS_MAX = 100_000_000_000_000
/** Frames in flight on a link without a rate: only memory bounds a long fat wire. */
const IN_FLIGHT_MAX = 65_536

const LIMITS: ReadonlyArray<readonly [keyof LinkSpec, number, number]> = [
  ["delayNs", 0, DELAY_NS_MAX], ["jitterNs", 0, DELAY_NS_MAX], ["lossPpm", 0, PPM], ["duplicatePpm", 0, PPM],
  ["reorderPpm", 0, PPM], ["corruptPpm", 0, PPM], ["rateBps", 0, RATE_BPS_MAX],
  ["queuePackets", 1, IN_FLIGHT_MAX]
]

/** What is wrong with a spec, naming the field, or null. */
export function specFault(spec: LinkSpec): string | null {
  for (const [field, least, most] of LIMITS) {
    const value = spec[field]
    if (!Number.isInteger(value) || value < least || value > most) {
      return `${field} is an integer from ${least} to ${most}, not ${value}`
    }
  }
  // tc refuses it too: without a delay there is nobody to overtake.
  if (spec.reorderPpm > 0 && spec.delayNs === 0) return "reorderPpm needs a delay"
  return null
}

/** Nothing but a delay: no chance, no queue, so it remembers nothing from frame to frame. */
export function isPlain(spec: LinkSpec): boolean {
  return spec.jitterNs === 0 && spec.lossPpm === 0 && spec.duplicatePpm === 0 && spec.reorderPpm === 0 &&
    spec.corruptPpm === 0 && spec.rateBps === 0
}

export interface LinkStats {
  sent: number
  lost: number
  duplicated: number
  corrupted: number
  overflowed: number
}

const NO_FRAMES: Array<Frame | null> = []
const NO_TIMES = new Float64Array(0)

export class Link extends Timer {
  readonly name: string
  up = true
  readonly stats: LinkStats = { sent: 0, lost: 0, duplicated: 0, corrupted: 0, overflowed: 0 }
  readonly #engine: Engine
  readonly #pool: FramePool
  readonly #to: Task<Frame>
  #spec: LinkSpec
  /** Made when it is first drawn from: most links never do. */
  #prng: Prng | null = null
  /** When the last bit of what was accepted so far leaves the sender. */
  #busyUntilNs: Ns = 0
  /** A ring, made when the first frame comes. */
  #frames: Array<Frame | null> = NO_FRAMES
  #dueNs = NO_TIMES
  #mask = -1
  #head = 0
  #size = 0

  constructor(
    engine: Engine, pool: FramePool, name: string, to: Task<Frame>, spec: Partial<LinkSpec> = {}
  ) {
    super()
    this.name = name
    this.#spec = { ...PERFECT, ...spec }
    assert(specFault(this.#spec) === null, `link ${name}: ${specFault(this.#spec)}`)
    this.#engine = engine
    this.#pool = pool
    this.#to = to
  }

  get spec(): LinkSpec {
    return this.#spec
  }

  get waiting(): number {
    return this.#size
  }

  /** What is already on the wire keeps its time. EINVAL, and all as before, when the whole makes no sense. */
  set(spec: Partial<LinkSpec>): Errno {
    const whole = { ...this.#spec, ...spec }
    if (specFault(whole) !== null) return Errno.EINVAL
    this.#spec = whole
    return Errno.OK
  }

  send(frame: Frame): void {
    const spec = this.#spec
    this.stats.sent++
    if (!this.up) return this.#pool.drop(frame, DropReason.LINK_DOWN)
    if (spec.lossPpm > 0 && this.#chance(spec.lossPpm)) {
      this.stats.lost++
      return this.#pool.drop(frame, DropReason.LINK_LOSS)
    }
    if (spec.duplicatePpm > 0 && this.#chance(spec.duplicatePpm)) {
      const copy = this.#pool.clone(frame)
      if (copy !== null) {
        this.stats.duplicated++
        this.#queue(copy)
      }
    }
    if (spec.corruptPpm > 0 && this.#chance(spec.corruptPpm)) this.#corrupt(frame)
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
    const spec = this.#spec
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
    const early = spec.reorderPpm > 0 && this.#chance(spec.reorderPpm)
    if (!early) {
      dueNs += spec.delayNs
      if (spec.jitterNs > 0) {
        dueNs += this.#draws().below(2 * spec.jitterNs + 1) - spec.jitterNs
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

  #draws(): Prng {
    this.#prng ??= this.#engine.prng(`netem:${this.name}`)
    return this.#prng
  }

  #chance(parts: number): boolean {
    return this.#draws().chance(parts, PPM)
  }

  /** The wire carries whole checksums, so what is flipped is seen (netem_enqueue: skb_checksum_help). */
  #corrupt(frame: Frame): void {
    if (frame.tail === frame.head) return
    this.stats.corrupted++
    completeChecksum(frame)
    frame.csum = Checksum.None
    const bit = this.#draws().below((frame.tail - frame.head) * 8)
    frame.bytes[frame.head + (bit >>> 3)]! ^= 1 << (bit & 7)
    frame.corrupted = true
  }

  #grow(): void {
    const capacity = this.#mask < 0 ? CAPACITY_AT_START : (this.#mask + 1) * 2
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
