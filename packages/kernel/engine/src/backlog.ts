/**
 * What happens at this very instant, first in, first out: a ring of (task, argument, order).
 * It grows by doubling and never shrinks; LIMIT turns a loop of zero-delay events into a bug report
 * instead of an exhausted heap. (The kernel's per-CPU softnet backlog, without its drop at 1000:
 * queues that may overflow are devices' own and name their drops.)
 */
import { assert } from "./assert.ts"

const CAPACITY_AT_START = 1024
const LIMIT = 1 << 22

export interface Task<A extends object> {
  run(arg: A): void
}

export class Backlog {
  #tasks: Array<Task<object> | null> = new Array<Task<object> | null>(CAPACITY_AT_START).fill(null)
  #args: Array<object | null> = new Array<object | null>(CAPACITY_AT_START).fill(null)
  #orders = new Float64Array(CAPACITY_AT_START)
  #mask = CAPACITY_AT_START - 1
  #head = 0
  size = 0

  /** When the first entry was asked for, in the engine's order. Only meaningful when `size` > 0. */
  get order(): number {
    return this.#orders[this.#head]!
  }

  push(task: Task<object>, arg: object, order: number): void {
    if (this.size > this.#mask) this.#grow()
    const slot = (this.#head + this.size++) & this.#mask
    this.#tasks[slot] = task
    this.#args[slot] = arg
    this.#orders[slot] = order
  }

  runFirst(): void {
    const slot = this.#head
    const task = this.#tasks[slot]!
    const arg = this.#args[slot]!
    this.#tasks[slot] = null
    this.#args[slot] = null
    this.#head = (slot + 1) & this.#mask
    this.size--
    task.run(arg)
  }

  #grow(): void {
    const capacity = this.#mask + 1
    assert(capacity < LIMIT, "the backlog of one instant stays bounded")
    const orders = new Float64Array(capacity * 2)
    const tasks = new Array<Task<object> | null>(capacity * 2).fill(null)
    const args = new Array<object | null>(capacity * 2).fill(null)
    for (let i = 0; i < this.size; i++) {
      const slot = (this.#head + i) & this.#mask
      orders[i] = this.#orders[slot]!
      tasks[i] = this.#tasks[slot]!
      args[i] = this.#args[slot]!
    }
    this.#orders = orders
    this.#tasks = tasks
    this.#args = args
    this.#mask = capacity * 2 - 1
    this.#head = 0
  }
}
