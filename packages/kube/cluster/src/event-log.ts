/**
 * Events as `kubectl describe` lists them: repeated ones are counted, the oldest go when there are too many.
 */
import type { ObjectEvent } from "@podwire/controllers"
import type { Engine, Ns } from "@podwire/engine"
import { EVENTS_MAX } from "./limits.ts"

export interface LoggedEvent extends ObjectEvent {
  readonly firstNs: Ns
  lastNs: Ns
  count: number
}

export class EventLog {
  readonly #engine: Engine
  readonly #events = new Map<string, LoggedEvent>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  record(event: ObjectEvent): void {
    const { about: { kind, namespace, name }, reason, message } = event
    const key = `${kind}/${namespace}/${name} ${reason} ${message}`
    const nowNs = this.#engine.nowNs
    const before = this.#events.get(key)
    if (before !== undefined) {
      before.count++
      before.lastNs = nowNs
      return
    }
    this.#events.set(key, { ...event, firstNs: nowNs, lastNs: nowNs, count: 1 })
    if (this.#events.size > EVENTS_MAX) this.#events.delete(this.#events.keys().next().value!)
  }

  /** In the order in which they first happened. */
  list(): ReadonlyArray<LoggedEvent> {
    return [...this.#events.values()]
  }
}
