/**
 * A connection's timer, which is moved with nearly every segment and hardly ever fires. So the engine's
 * heap is left alone while the deadline only moves away: the timer fires at the old instant, sees that its
 * time has not come, and waits on. An idle timer may stay in the heap and fires into nothing.
 */
import { type Engine, type Ns, Timer } from "@podwire/engine"

export abstract class LazyTimer extends Timer {
  readonly #engine: Engine
  /** Infinity while idle. */
  dueNs: Ns = Infinity

  constructor(engine: Engine) {
    super()
    this.#engine = engine
  }

  get pending(): boolean {
    return this.dueNs !== Infinity
  }

  set(dueNs: Ns): void {
    this.dueNs = dueNs
    if (!this.armed || this.deadlineNs > dueNs) this.#engine.arm(this, dueNs - this.#engine.nowNs)
  }

  clear(): void {
    this.dueNs = Infinity
  }

  /** For good: it leaves nothing behind. */
  cancel(): void {
    this.dueNs = Infinity
    this.#engine.disarm(this)
  }

  override fire(nowNs: Ns): void {
    if (this.dueNs === Infinity) return this.idle()
    if (this.dueNs > nowNs) {
      this.#engine.arm(this, this.dueNs - nowNs)
      return
    }
    this.dueNs = Infinity
    this.expired()
  }

  protected abstract expired(): void

  /** It fired into nothing: what it watched has been quiet since it was last set. */
  protected idle(): void {}
}
