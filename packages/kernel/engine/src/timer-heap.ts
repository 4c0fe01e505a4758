/**
 * The timers that are armed, earliest first: a binary heap ordered by (deadline, order of arming).
 * Deadlines and orders are mirrored in typed arrays so that sifting touches no object but the moved one.
 * Invariant: `timers[i].slot === i` for every i below `size`; a timer is in the heap at most once.
 */
import { assert } from "./assert.ts"
import type { Ns, Timer } from "./timer.ts"

const CAPACITY_AT_START = 256

export class TimerHeap {
  size = 0
  #deadlines = new Float64Array(CAPACITY_AT_START)
  #orders = new Float64Array(CAPACITY_AT_START)
  #timers: Array<Timer | null> = new Array<Timer | null>(CAPACITY_AT_START).fill(null)

  /** The earliest deadline, or Infinity when nothing is armed. */
  get deadlineNs(): Ns {
    return this.size === 0 ? Infinity : this.#deadlines[0]!
  }

  /** When the earliest timer was armed, in the engine's order. Only meaningful when `size` > 0. */
  get order(): number {
    return this.#orders[0]!
  }

  push(timer: Timer): void {
    assert(timer.slot === -1, "a timer is armed at most once")
    if (this.size === this.#deadlines.length) this.#grow()
    this.#rise(this.size++, timer)
  }

  pop(): Timer {
    const timer = this.#timers[0]!
    this.remove(timer)
    return timer
  }

  remove(timer: Timer): void {
    const slot = timer.slot
    assert(slot >= 0 && this.#timers[slot] === timer, "only an armed timer is disarmed")
    timer.slot = -1
    const last = this.#timers[--this.size]!
    this.#timers[this.size] = null
    if (last === timer) return
    if (slot > 0 && this.#before(last, (slot - 1) >> 1)) this.#rise(slot, last)
    else this.#sink(slot, last)
  }

  #before(timer: Timer, slot: number): boolean {
    const deadline = this.#deadlines[slot]!
    return timer.deadlineNs < deadline ||
      (timer.deadlineNs === deadline && timer.order < this.#orders[slot]!)
  }

  #place(slot: number, timer: Timer): void {
    this.#deadlines[slot] = timer.deadlineNs
    this.#orders[slot] = timer.order
    this.#timers[slot] = timer
    timer.slot = slot
  }

  #rise(slot: number, timer: Timer): void {
    while (slot > 0) {
      const parent = (slot - 1) >> 1
      if (!this.#before(timer, parent)) break
      this.#place(slot, this.#timers[parent]!)
      slot = parent
    }
    this.#place(slot, timer)
  }

  #sink(slot: number, timer: Timer): void {
    for (;;) {
      let child = 2 * slot + 1
      if (child >= this.size) break
      if (child + 1 < this.size && this.#before(this.#timers[child + 1]!, child)) child++
      if (this.#before(timer, child)) break
      this.#place(slot, this.#timers[child]!)
      slot = child
    }
    this.#place(slot, timer)
  }

  #grow(): void {
    const capacity = this.#deadlines.length * 2
    const deadlines = new Float64Array(capacity)
    const orders = new Float64Array(capacity)
    deadlines.set(this.#deadlines)
    orders.set(this.#orders)
    this.#deadlines = deadlines
    this.#orders = orders
    for (let i = this.#timers.length; i < capacity; i++) this.#timers.push(null)
  }
}
