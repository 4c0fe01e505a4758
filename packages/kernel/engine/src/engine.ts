/**
 * One object owns time and chance. Nothing below `edge/` asks anybody else what time it is.
 *
 * Order is total: events run by (time, order in which they were asked for). What is due at one
 * instant therefore runs first in, first out, whether it came from `soon` or from a timer.
 * Invariants: `nowNs` never falls; `advance` returns after `stepsMax` steps whatever happens.
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

export class Engine {
  readonly seed: number
  /** Folds what devices and pools report; see `digest.ts`. */
  readonly digest = new Digest()
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

  /** Run `task` with `arg` at this instant, after everything already asked for. */
  soon<A extends object>(task: Task<A>, arg: A): void {
    this.#backlog.push(task as unknown as Task<object>, arg, this.#order++)
  }

  /** Fire `timer` in `delayNs`; an armed timer is moved. */
  arm(timer: Timer, delayNs: Ns): void {
    assert(delayNs >= 0, "time runs forward")
    if (timer.slot >= 0) this.#timers.remove(timer)
    timer.deadlineNs = this.#nowNs + delayNs
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
    let steps = 0
    const backlog = this.#backlog
    const timers = this.#timers
    while (steps < stepsMax) {
      if (backlog.size > 0) {
        const timerFirst = timers.size > 0 && timers.deadlineNs <= this.#nowNs &&
          timers.order < backlog.order
        if (timerFirst) timers.pop().fire(this.#nowNs)
        else backlog.runFirst()
      } else {
        const deadlineNs = timers.deadlineNs
        if (deadlineNs > untilNs) break
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
