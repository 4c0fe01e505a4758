/**
 * Two runs that should be the same, and the first event in which they differ, as text. A journal hears every
 * event that the digest folds; it keeps a checkpoint each CHECKPOINT events for the whole run and the events
 * themselves for one window, so memory does not grow with the run's length by more than a hundredth of it.
 * `firstDifference` plays the same run twice and, when needed, twice more with the window in the right place.
 */
import { ARRIVED, Digest, type EventObserver, type EventSource, type Ns } from "@podwire/engine"
import { dropReasonName } from "./drop-reason.ts"

const CHECKPOINT = 4096
const WINDOW = 65_536

export class Journal implements EventObserver {
  /** Events heard so far. */
  count = 0
  readonly #from: number
  readonly #digest = new Digest()
  readonly #checkpoints: Array<string> = []
  readonly #nowNs: Array<Ns> = []
  readonly #serials: Array<number> = []
  readonly #lengths: Array<number> = []
  readonly #whats: Array<number> = []
  /** Names as they were when a device was first heard of. */
  readonly #labels = new Map<number, string>()

  /** Keeps the events from number `from` (0 is the first) on, WINDOW of them. */
  constructor(from = 0) {
    this.#from = from
  }

  event(nowNs: Ns, source: EventSource, length: number, what: number): void {
    const { serial } = source
    const digest = this.#digest
    digest.fold(nowNs | 0)
    digest.fold(nowNs / 0x1_0000_0000 | 0)
    digest.fold(serial)
    digest.fold(length)
    digest.fold(what)
    const at = this.count++
    if (at % CHECKPOINT === CHECKPOINT - 1) this.#checkpoints.push(digest.toString())
    if (at < this.#from || at >= this.#from + WINDOW) return
    if (!this.#labels.has(serial)) this.#labels.set(serial, source.label())
    this.#nowNs.push(nowNs)
    this.#serials.push(serial)
    this.#lengths.push(length)
    this.#whats.push(what)
  }

  /** Event number `at` as a line; null when it never was, or is outside the window. */
  line(at: number): string | null {
    const i = at - this.#from
    const what = this.#whats[i]
    if (what === undefined) return null
    const where = this.#labels.get(this.#serials[i]!)!
    const how = what === ARRIVED ? "" : ` dropped ${dropReasonName(what)}`
    return `${this.#nowNs[i]!} ns ${where} ${this.#lengths[i]!} bytes${how}`
  }

  /**
   * The first event that may differ: exact inside both windows, a checkpoint's start elsewhere, -1 for
   * none.
   */
  differsAt(other: Journal): number {
    const blocks = Math.max(this.#checkpoints.length, other.#checkpoints.length)
    for (let i = 0; i <= blocks; i++) {
      if (i < blocks && this.#checkpoints[i] === other.#checkpoints[i]) continue
      const start = i * CHECKPOINT
      const end = Math.min(start + CHECKPOINT, Math.max(this.count, other.count))
      for (let at = start; at < end; at++) {
        if (this.line(at) !== other.line(at)) return at
      }
      if (i < blocks || this.#digest.toString() !== other.#digest.toString()) return start
    }
    return -1
  }
}

/**
 * What differs between two plays of the same run, or null. `play` runs from the start to the end with the
 * journal as its engine's observer, every time with the same seed and the same input.
 */
export function firstDifference(play: (journal: Journal) => void): string | null {
  let [first, second] = [new Journal(), new Journal()]
  play(first)
  play(second)
  let at = first.differsAt(second)
  if (at < 0) return null
  if (first.line(at) === second.line(at)) {
    ;[first, second] = [new Journal(at), new Journal(at)]
    play(first)
    play(second)
    const exact = first.differsAt(second)
    if (exact >= 0) at = exact
  }
  const say = (journal: Journal) => journal.line(at) ?? (at < journal.count ? "(not kept)" : "(nothing)")
  return `event ${at + 1}: ${say(first)} | ${say(second)}`
}
