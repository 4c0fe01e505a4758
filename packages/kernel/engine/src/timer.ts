/**
 * A timer lives inside the object it wakes and is re-armed in place, so arming never allocates.
 * Only the engine writes its fields. (The kernel's `struct timer_list`.)
 */

/** Virtual nanoseconds since the run began: always a safe integer, never wall time. */
export type Ns = number

export const MICROSECOND: Ns = 1_000
export const MILLISECOND: Ns = 1_000_000
export const SECOND: Ns = 1_000_000_000

export abstract class Timer {
  deadlineNs: Ns = 0
  order = 0
  /** Place in the heap; -1 while idle. */
  slot = -1

  get armed(): boolean {
    return this.slot >= 0
  }

  abstract fire(nowNs: Ns): void
}

/** For an owner with several timers, or one that is a timer already. */
export class CallbackTimer extends Timer {
  readonly #callback: (nowNs: Ns) => void

  constructor(callback: (nowNs: Ns) => void) {
    super()
    this.#callback = callback
  }

  override fire(nowNs: Ns): void {
    this.#callback(nowNs)
  }
}
