/**
 * Nodes in the order in which a kind of pod wants them: fewest pods of its own controller, then fewest pods,
 * then the order of creation. Counts only grow while a pass runs, so an entry whose counts have grown since
 * it was put in is put in again: no entry is ever taken too late.
 */
import type { NodeInfo } from "./node-info.ts"

interface Entry {
  readonly info: NodeInfo
  own: number
  pods: number
}

export class NodeHeap {
  readonly #entries: Array<Entry>
  readonly #own: ReadonlyMap<NodeInfo, number>

  /** `own`: pods of the same controller by node; it grows as pods are placed. */
  constructor(nodes: ReadonlyArray<NodeInfo>, own: ReadonlyMap<NodeInfo, number>) {
    this.#own = own
    this.#entries = nodes.map((info) => ({ info, own: own.get(info) ?? 0, pods: info.pods }))
    for (let i = (this.#entries.length >> 1) - 1; i >= 0; i--) this.#sink(i)
  }

  /** The best node, which stays; null when none is left. */
  peek(): NodeInfo | null {
    for (;;) {
      const best = this.#entries[0]
      if (best === undefined) return null
      const own = this.#own.get(best.info) ?? 0
      if (best.own === own && best.pods === best.info.pods) return best.info
      best.own = own
      best.pods = best.info.pods
      this.#sink(0)
    }
  }

  /** The best node will not do, now or later in this pass. */
  drop(): void {
    const last = this.#entries.pop()!
    if (this.#entries.length === 0) return
    this.#entries[0] = last
    this.#sink(0)
  }

  #sink(at: number): void {
    const entries = this.#entries
    const entry = entries[at]!
    for (let i = at; ;) {
      let child = 2 * i + 1
      if (child >= entries.length) return
      if (child + 1 < entries.length && isBefore(entries[child + 1]!, entries[child]!)) child++
      if (!isBefore(entries[child]!, entry)) return
      entries[i] = entries[child]!
      entries[child] = entry
      i = child
    }
  }
}

export function isBefore(a: Entry, b: Entry): boolean {
  return a.own !== b.own ? a.own < b.own : a.pods !== b.pods ? a.pods < b.pods : a.info.order < b.info.order
}
