/**
 * Gives controllers their time: a queue of keys each, worked off at the instant they were asked for, with
 * the work queue's exponential back-off after a refused write (client-go's DefaultControllerRateLimiter:
 * 5 ms doubling to 1,000 s).
 *
 * Invariant: a key is reconciled only when the view has seen every write that the key's last reconcile
 * made. That is what client-go's expectations and assumed pods are for, in one place, so reconcilers stay
 * pure.
 */
import { ApiError, type ApiStore, type Informer, type KubeObject } from "@podwire/api"
import { CallbackTimer, type Engine, MILLISECOND, type Ns, SECOND, Timer } from "@podwire/engine"
import type { Change, Controller, ObjectEvent, Outcome } from "./controller.ts"

const BACKOFF_NS_MIN = 5 * MILLISECOND
const BACKOFF_NS_MAX = 1_000 * SECOND

export class Runner {
  readonly #informer: Informer
  readonly #workers: ReadonlyArray<Worker>

  /**
   * Each controller rests for `paceNs` after a batch of keys: what happens meanwhile is one look, where a
   * real controller is slowed by its work and its client's limit. Zero sees every state; large clusters want
   * some.
   */
  constructor(
    engine: Engine, store: ApiStore, informer: Informer, controllers: ReadonlyArray<Controller>,
    record: (event: ObjectEvent) => void, paceNs: Ns = 0
  ) {
    this.#informer = informer
    this.#workers = controllers.map((controller) =>
      new Worker(engine, store, informer, controller, record, paceNs))
  }

  /** Nothing queued, waiting for news, for its time or backing off; looks at a deadline do not count. */
  get idle(): boolean {
    return !this.#informer.behind && this.#workers.every((worker) => worker.idle)
  }
}

class Worker extends Timer {
  readonly #engine: Engine
  readonly #store: ApiStore
  readonly #informer: Informer
  readonly #controller: Controller
  readonly #record: (event: ObjectEvent) => void
  readonly #paceNs: Ns
  #restsUntilNs: Ns = 0
  /** Keys to look at now, in the order asked for. */
  readonly #queue = new Set<string>()
  /** Keys whose own last write the view has not seen: the version that it must reach. */
  readonly #waiting = new Map<string, number>()
  readonly #lastWrite = new Map<string, number>()
  readonly #retries = new Map<string, Retry>()
  readonly #later = new Map<string, CallbackTimer>()
  /** Those of `#later` for which work waits. */
  readonly #due = new Set<string>()

  constructor(
    engine: Engine, store: ApiStore, informer: Informer, controller: Controller,
    record: (event: ObjectEvent) => void, paceNs: Ns
  ) {
    super()
    this.#paceNs = paceNs
    this.#engine = engine
    this.#store = store
    this.#informer = informer
    this.#controller = controller
    this.#record = record
    for (const kind of controller.watches) {
      informer.on(kind, ({ object, before }) => {
        for (const key of controller.keysOf(object, before, informer)) this.#ask(key)
      })
    }
    informer.onCaughtUp(() => this.#newsCame())
  }

  get idle(): boolean {
    return this.#queue.size === 0 && this.#waiting.size === 0 && this.#due.size === 0 &&
      ![...this.#retries.values()].some((retry) => retry.armed)
  }

  override fire(nowNs: Ns): void {
    const keys = [...this.#queue]
    this.#queue.clear()
    this.#restsUntilNs = nowNs + this.#paceNs
    for (const key of keys) this.#work(key, nowNs)
  }

  #ask(key: string): void {
    this.#queue.add(key)
    if (!this.armed) this.#engine.arm(this, Math.max(0, this.#restsUntilNs - this.#engine.nowNs))
  }

  #newsCame(): void {
    for (const [key, version] of this.#waiting) {
      if (this.#informer.version < version) continue
      this.#waiting.delete(key)
      this.#ask(key)
    }
  }

  #work(key: string, nowNs: Ns): void {
    const written = this.#lastWrite.get(key)
    if (written !== undefined && this.#informer.version < written) {
      this.#waiting.set(key, written)
      return
    }
    this.#lastWrite.delete(key)
    const outcome = this.#controller.reconcile(key, this.#informer, nowNs)
    for (const event of outcome.events ?? []) this.#record(event)
    const refused = outcome.changes.some((change) => this.#apply(change))
    if (outcome.changes.length > 0) this.#lastWrite.set(key, this.#store.version)
    if (refused) this.#backOff(key)
    else {
      const retry = this.#retries.get(key)
      if (retry !== undefined) this.#engine.disarm(retry)
      this.#retries.delete(key)
    }
    this.#lookAgain(key, outcome)
  }

  #lookAgain(key: string, { requeueNs, dueNs }: Outcome): void {
    const before = this.#later.get(key)
    if (before !== undefined) this.#engine.disarm(before)
    this.#later.delete(key)
    this.#due.delete(key)
    if (requeueNs === undefined && dueNs === undefined) return
    const later = before ?? new CallbackTimer(() => {
      this.#later.delete(key)
      this.#due.delete(key)
      this.#ask(key)
    })
    this.#later.set(key, later)
    if (dueNs !== undefined) this.#due.add(key)
    this.#engine.arm(later, Math.min(requeueNs ?? Infinity, dueNs ?? Infinity))
  }

  /** True when the write was refused and must be thought over again; what is gone already is no refusal. */
  #apply(change: Change): boolean {
    const result = this.#write(change)
    if (result instanceof ApiError) return result.reason !== "NotFound"
    if (change.event !== undefined) this.#record(change.event(result))
    return false
  }

  #write(change: Change): KubeObject | ApiError {
    switch (change._tag) {
      case "Create": return this.#store.create(change.object)
      case "Update": return this.#store.update(change.object)
      case "UpdateStatus": return this.#store.updateStatus(change.object)
      case "Bind": return this.#store.bind(change.ref, change.nodeName)
      case "Delete": return this.#store.delete(change.ref, change.graceSeconds)
    }
  }

  #backOff(key: string): void {
    let retry = this.#retries.get(key)
    if (retry === undefined) {
      retry = new Retry(() => this.#ask(key))
      this.#retries.set(key, retry)
    }
    this.#engine.arm(retry, Math.min(BACKOFF_NS_MIN * 2 ** retry.count++, BACKOFF_NS_MAX))
  }
}

class Retry extends CallbackTimer {
  count = 0
}
