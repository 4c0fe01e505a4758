/**
 * Virtual time that follows the wall clock, for an emulated host that talks to a real one.
 *
 * Invariant: a stall of this process is no time to the engine. When a turn comes later than it was due by
 * more than `LATE_NS`, the lateness is taken out of virtual time, and what arrived meanwhile is handed over
 * before the timers that were due: a busy machine looks like a slow peer, not like a lost segment.
 */
import { type Engine, type Ns } from "@podwire/engine"

const LATE_NS = 5e6
const STEPS_MAX = 2e6

export class Pacer {
  readonly #engine: Engine
  readonly #afterTurn: () => void
  readonly #fail: (cause: unknown) => void
  /** Wall clock minus virtual time. */
  #offsetNs: Ns
  #timer: NodeJS.Timeout | null = null
  #immediate: NodeJS.Immediate | null = null
  #stopped = false
  /** The longest stall since somebody set it to zero. */
  stalledNs: Ns = 0

  /** `afterTurn` runs when all that is due has happened; `fail` hears what a turn threw. */
  constructor(engine: Engine, afterTurn: () => void, fail: (cause: unknown) => void) {
    this.#engine = engine
    this.#afterTurn = afterTurn
    this.#fail = fail
    this.#offsetNs = wallNs() - engine.nowNs
  }

  /** What a program does now: time is right before it, and what follows from it at this instant happens. */
  act<T>(what: () => T): T {
    this.#advance(this.#targetNs(-1))
    const result = what()
    this.#advance(this.#engine.nowNs)
    this.#settle()
    return result
  }

  /** The same for what comes from outside. */
  arrive(what: () => void): void {
    if (this.#stopped) return
    try {
      this.act(what)
    } catch (cause) {
      this.#fail(cause)
    }
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#immediate !== null) clearImmediate(this.#immediate)
  }

  /** Now; after a stall, when the next event is due, or `shift` before it. */
  #targetNs(shift: Ns): Ns {
    const nowNs = wallNs() - this.#offsetNs
    const dueNs = this.#engine.nextNs
    const lateNs = nowNs - dueNs
    if (lateNs <= LATE_NS) return Math.max(nowNs, this.#engine.nowNs)
    if (lateNs > this.stalledNs) this.stalledNs = lateNs
    this.#offsetNs += lateNs
    return Math.max(dueNs + shift, this.#engine.nowNs)
  }

  #advance(untilNs: Ns): void {
    const { steps } = this.#engine.advance(untilNs, STEPS_MAX)
    if (steps >= STEPS_MAX) throw new Error("an instant does not end")
  }

  #settle(): void {
    this.#afterTurn()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const { nextNs } = this.#engine
    if (this.#stopped || nextNs === Infinity || this.#immediate !== null) return
    const ms = Math.ceil((nextNs + this.#offsetNs - wallNs()) / 1e6)
    this.#timer = setTimeout(() => {
      this.#timer = null
      // What has arrived is read between here and there.
      this.#immediate = setImmediate(() => this.#turn())
    }, Math.max(ms, 0))
  }

  #turn(): void {
    this.#immediate = null
    try {
      this.#advance(this.#targetNs(0))
      this.#settle()
    } catch (cause) {
      this.#fail(cause)
    }
  }
}

function wallNs(): Ns {
  return Math.floor(performance.now() * 1e6)
}
