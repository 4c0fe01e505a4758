/**
 * When entries are due: a binary heap of entry numbers over the time that each was queued for. Refreshing
 * an entry later than it is queued costs nothing: whoever finds it on top asks its true deadline and queues
 * it again. Only an earlier deadline moves it at once.
 *
 * Invariant: an entry is in the heap once or not at all, and never behind its deadline.
 */
export class Expiry {
  size = 0
  #heap: Int32Array
  /** Where in the heap an entry is; -1 when it is not. */
  #place: Int32Array
  #queuedNs: Float64Array

  constructor(capacity: number) {
    this.#heap = new Int32Array(capacity)
    this.#place = new Int32Array(capacity).fill(-1)
    this.#queuedNs = new Float64Array(capacity)
  }

  get bytes(): number {
    return this.#heap.byteLength + this.#place.byteLength + this.#queuedNs.byteLength
  }

  /** The entry queued for the earliest time, or -1. */
  get first(): number {
    return this.size === 0 ? -1 : this.#heap[0]!
  }

  get firstNs(): number {
    return this.size === 0 ? Infinity : this.#queuedNs[this.#heap[0]!]!
  }

  has(ct: number): boolean {
    return this.#place[ct]! >= 0
  }

  grow(capacity: number): void {
    const [heap, place, queued] = [this.#heap, this.#place, this.#queuedNs]
    this.#heap = new Int32Array(capacity)
    this.#heap.set(heap)
    this.#place = new Int32Array(capacity).fill(-1)
    this.#place.set(place)
    this.#queuedNs = new Float64Array(capacity)
    this.#queuedNs.set(queued)
  }

  push(ct: number, atNs: number): void {
    this.#queuedNs[ct] = atNs
    this.#up(this.size++, ct)
  }

  /** Queue it earlier, if that is earlier. */
  lower(ct: number, atNs: number): void {
    if (this.#place[ct]! < 0 || atNs >= this.#queuedNs[ct]!) return
    this.#queuedNs[ct] = atNs
    this.#up(this.#place[ct]!, ct)
  }

  /** Queue the first one later. */
  postpone(atNs: number): void {
    const ct = this.#heap[0]!
    this.#queuedNs[ct] = atNs
    this.#down(0, ct)
  }

  remove(ct: number): void {
    const at = this.#place[ct]!
    if (at < 0) return
    this.#place[ct] = -1
    const last = this.#heap[--this.size]!
    if (last === ct) return
    this.#down(at, last)
    this.#up(this.#place[last]!, last)
  }

  #up(from: number, ct: number): void {
    const heap = this.#heap
    const queued = this.#queuedNs
    const ns = queued[ct]!
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]!
      if (queued[above]! <= ns) break
      heap[at] = above
      this.#place[above] = at
      at = parent
    }
    heap[at] = ct
    this.#place[ct] = at
  }

  #down(from: number, ct: number): void {
    const heap = this.#heap
    const queued = this.#queuedNs
    const size = this.size
    const ns = queued[ct]!
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && queued[heap[child + 1]!]! < queued[heap[child]!]!) child++
      const below = heap[child]!
      if (queued[below]! >= ns) break
      heap[at] = below
      this.#place[below] = at
      at = child
    }
    heap[at] = ct
    this.#place[ct] = at
  }
}
