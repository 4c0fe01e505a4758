/**
 * The timers that are armed, earliest first: a heap with four children a node, ordered by (deadline, order of
 * arming). Deadlines and orders are mirrored in typed arrays, so that comparing touches no object at all.
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

  /** Something is due by `clock`, the engine: asked once a step, so no time is handed over or back. */
  isDue(clock: { readonly nowNs: Ns }): boolean {
    return this.size > 0 && this.#deadlines[0]! <= clock.nowNs
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
    if (slot > 0 && this.#isBefore(last, (slot - 1) >> 2)) this.#rise(slot, last)
    else this.#sink(slot, last)
  }

  #isBefore(timer: Timer, slot: number): boolean {
    const deadline = this.#deadlines[slot]!
    return timer.deadlineNs < deadline ||
      (timer.deadlineNs === deadline && timer.order < this.#orders[slot]!)
  }

  #rise(from: number, timer: Timer): void {
    const deadlines = this.#deadlines
    const orders = this.#orders
    const timers = this.#timers
    const { deadlineNs, order } = timer
    let slot = from
    while (slot > 0) {
      const parent = (slot - 1) >> 2
      const above = deadlines[parent]!
      if (above < deadlineNs || (above === deadlineNs && orders[parent]! < order)) break
      deadlines[slot] = above
      orders[slot] = orders[parent]!
      const moved = timers[parent]!
      timers[slot] = moved
      moved.slot = slot
      slot = parent
    }
    deadlines[slot] = deadlineNs
    orders[slot] = order
    timers[slot] = timer
    timer.slot = slot
  }

  #sink(from: number, timer: Timer): void {
    const deadlines = this.#deadlines
    const orders = this.#orders
    const timers = this.#timers
    const size = this.size
    const { deadlineNs, order } = timer
    let slot = from
    for (;;) {
      const first = 4 * slot + 1
      if (first >= size) break
      const end = first + 4 < size ? first + 4 : size
      let child = first
      let least = deadlines[first]!
      for (let other = first + 1; other < end; other++) {
        const deadline = deadlines[other]!
        if (deadline < least || (deadline === least && orders[other]! < orders[child]!)) {
          child = other
          least = deadline
        }
      }
      if (deadlineNs < least || (deadlineNs === least && order < orders[child]!)) break
      deadlines[slot] = least
      orders[slot] = orders[child]!
      const moved = timers[child]!
      timers[slot] = moved
      moved.slot = slot
      slot = child
    }
    deadlines[slot] = deadlineNs
    orders[slot] = order
    timers[slot] = timer
    timer.slot = slot
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
