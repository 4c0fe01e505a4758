/**
 * One frame on its way to several devices at this instant: it is copied only as it arrives, so that a flood through
 * a thousand ports needs one buffer and one entry of the backlog, and each copy finds the last one's buffer still
 * warm. Arrival is as if each had been sent its own: in the same order, with nothing in between.
 */
import type { Task } from "@podwire/engine"
import type { NetDevice } from "./device.ts"
import type { Frame } from "./frame.ts"
import type { FramePool } from "./pool.ts"

export class Flood implements Task<Frame> {
  /** In a list of idle ones. */
  next: Flood | null = null
  readonly #home: Floods
  readonly #pool: FramePool
  readonly #to: Array<NetDevice | null> = []
  #count = 0

  constructor(home: Floods, pool: FramePool) {
    this.#home = home
    this.#pool = pool
  }

  add(dev: NetDevice): void {
    this.#to[this.#count++] = dev
  }

  /** Arrival everywhere. Consumes. */
  run(frame: Frame): void {
    // On its way it left the sender's namespace.
    frame.scrub()
    const to = this.#to
    const last = this.#count - 1
    for (let i = 0; i < last; i++) {
      const dev = to[i]!
      const copy = this.#pool.clone(frame)
      if (copy !== null) dev.run(copy)
      else dev.stats.rxDropped++
      to[i] = null
    }
    const dev = to[last]!
    to[last] = null
    this.#count = 0
    this.#home.put(this)
    dev.run(frame)
  }

  /** There was no frame to send. */
  lose(): void {
    for (let i = 0; i < this.#count; i++) {
      this.#to[i]!.stats.rxDropped++
      this.#to[i] = null
    }
    this.#count = 0
    this.#home.put(this)
  }
}

/** Floods that are not under way, to be used again. */
export class Floods {
  readonly #pool: FramePool
  #idle: Flood | null = null

  constructor(pool: FramePool) {
    this.#pool = pool
  }

  take(): Flood {
    const flood = this.#idle
    if (flood === null) return new Flood(this, this.#pool)
    this.#idle = flood.next
    flood.next = null
    return flood
  }

  put(flood: Flood): void {
    flood.next = this.#idle
    this.#idle = flood
  }
}
