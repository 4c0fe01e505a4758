/**
 * One object owns time and chance. Nothing below `edge/` asks anybody else what time it is.
 *
 * Order is total: events run by (time, order in which they were asked for). What is due at one
 * instant therefore runs first in, first out, whether it came from `soon` or from a timer.
 * Invariants: `nowNs` never falls and stays a safe integer (104 days of nanoseconds); `advance` returns
 * after `stepsMax` steps whatever happens, and however time is cut into calls the same things happen in the
 * same order.
 */
import { assert } from "./assert.ts"
import { Backlog, type Task } from "./backlog.ts"
import { Digest } from "./digest.ts"
import { Prng } from "./prng.ts"
import type { Ns, Timer } from "./timer.ts"
import { TimerHeap } from "./timer-heap.ts"

export interface Progress {
  readonly nowNs: Ns
  readonly steps: number
  /** Nothing is left to do, at any time. */
  readonly idle: boolean
}

/** What events happen to: a device. A name is asked for only when somebody looks. */
export interface EventSource {
  readonly serial: number
  label(): string
}

/** `what` of an event that is an arrival; otherwise it is the reason of a drop, zero or more. */
export const ARRIVED = -1

/** Hears of each event that the digest folds, in order. It looks and changes nothing. */
export interface EventObserver {
  event(nowNs: Ns, source: EventSource, length: number, what: number): void
}

export class Engine {
  readonly seed: number
  /** Folds every event: equal digests, equal runs. */
  readonly digest = new Digest()
  /** Who hears of each event too; null, and then it costs one comparison. */
  observer: EventObserver | null = null
  #nowNs: Ns = 0
  #order = 0
  #steps = 0
  #serials = 0
  readonly #backlog = new Backlog()
  readonly #timers = new TimerHeap()
  readonly #streams = new Map<string, Prng>()

  constructor(seed: number) {
    assert(Number.isSafeInteger(seed) && seed >= 0, "a seed is a safe integer, zero or more")
    this.seed = seed
  }

  get nowNs(): Ns {
    return this.#nowNs
  }

  /** Steps since the run began: names an event for `--until-step`. */
  get steps(): number {
    return this.#steps
  }

  /** When the next event is due: now, later, or Infinity when nothing is left. */
  get nextNs(): Ns {
    return this.#backlog.size > 0 ? this.#nowNs : this.#timers.deadlineNs
  }

  /** The stream of that name, the same object every time: a consumer keeps it. */
  prng(stream: string): Prng {
    let prng = this.#streams.get(stream)
    if (prng === undefined) {
      prng = new Prng(this.seed, stream)
      this.#streams.set(stream, prng)
    }
    return prng
  }

  /** Names of the streams drawn from so far, sorted. */
  streams(): ReadonlyArray<string> {
    return [...this.#streams.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  }

  /** A number for a thing, from 1, in order of creation: what the digest calls it. */
  serial(): number {
    return ++this.#serials
  }

  /**
   * Something happened that a run is known by: a frame of `length` bytes arrived at `source` or ended
   * there.
   */
  note(source: EventSource, length: number, what: number): void {
    const digest = this.digest
    digest.fold(this.#nowNs | 0)
    digest.fold(source.serial)
    digest.fold(length)
    if (what !== ARRIVED) digest.fold(what)
    if (this.observer !== null) this.observer.event(this.#nowNs, source, length, what)
  }

  /** Run `task` with `arg` at this instant, after everything already asked for. */
  soon<A extends object>(task: Task<A>, arg: A): void {
    this.#backlog.push(task as unknown as Task<object>, arg, this.#order++)
  }

  /** Fire `timer` in `delayNs`; an armed timer is moved. What lies behind the end of time waits for the end. */
  arm(timer: Timer, delayNs: Ns): void {
    assert(delayNs >= 0 && Number.isInteger(delayNs), "time runs forward in safe integers")
    const deadlineNs = Math.min(this.#nowNs + delayNs, Number.MAX_SAFE_INTEGER)
    if (timer.slot >= 0) this.#timers.remove(timer)
    timer.deadlineNs = deadlineNs
    timer.order = this.#order++
    this.#timers.push(timer)
  }

  /** An idle timer stays idle. */
  disarm(timer: Timer): void {
    if (timer.slot >= 0) this.#timers.remove(timer)
  }

  /**
   * The only way time moves. Runs what is due up to and including `untilNs`, at most `stepsMax`
   * events; when all of it ran, time stands at `untilNs`.
   */
  advance(untilNs: Ns, stepsMax: number): Progress {
    assert(untilNs === Infinity || Number.isSafeInteger(untilNs), "time is a safe integer")
    let steps = 0
    const backlog = this.#backlog
    const timers = this.#timers
    while (steps < stepsMax) {
      if (backlog.size > 0) {
        if (timers.isDue(this) && timers.order < backlog.order) timers.pop().fire(this.#nowNs)
        else backlog.runFirst()
      } else {
        const deadlineNs = timers.deadlineNs
        if (timers.size === 0 || deadlineNs > untilNs) break
        this.#nowNs = deadlineNs
        timers.pop().fire(deadlineNs)
      }
      steps++
      this.#steps++
    }
    const done = backlog.size === 0 && timers.deadlineNs > untilNs
    if (done && untilNs > this.#nowNs && untilNs !== Infinity) this.#nowNs = untilNs
    return { nowNs: this.#nowNs, steps, idle: backlog.size === 0 && timers.size === 0 }
  }
}
