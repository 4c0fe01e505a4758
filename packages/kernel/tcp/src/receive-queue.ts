/**
 * What has arrived: octets in order up to `rcvNxt`, and behind gaps the ranges that came early. All stand
 * in one ring at their own sequence numbers, so filling a gap moves nothing. Beside it the blocks that the
 * next acknowledgements report (RFC 2018, RFC 2883; tcp_sack_new_ofo_skb, tcp_sack_extend).
 *
 * Memory is counted as Linux counts it, by what the segments' buffers would cost (sk_rmem_alloc): a buffer
 * takes in what follows it, up to SEGMENTS_MAX, and is free when its last octet has been read.
 */
import { COALESCED_BYTES, received } from "./cost.ts"
import { ByteRing } from "./byte-ring.ts"
import { after, before, distance } from "./seq.ts"

/** Blocks reported at the most (TCP_NUM_SACKS). */
const SACK_BLOCKS_MAX = 4
/** Segments that share a buffer: one in its head, the others in its fragments (MAX_SKB_FRAGS). */
const SEGMENTS_MAX = 18
/** Read buffers that are forgotten at once. */
const COMPACT = 256
/** A buffer that collapsing fills, and what it costs beside its octets. */
const PAGE_BYTES = 3776
const PAGE_OVERHEAD_BYTES = 576
/** Gaps at the most, more than the largest usual buffer holds; what would make another is not kept. */
const RANGES_MAX = 16_384

export class ReceiveQueue {
  readonly #ring = new ByteRing()
  /** Ranges behind gaps, in order: starts and ends by turns, and what each costs. */
  readonly #ranges: Array<number> = []
  readonly #costs: Array<number> = []
  /** sk_rmem_alloc. */
  rmem = 0
  /** Buffers of what stands in order, oldest first from `#first` on: where each ends, what it costs. */
  #ends: Array<number> = []
  #prices: Array<number> = []
  #first = 0
  /** Segments in the last one. */
  #segments = 0
  /** Blocks to report, the newest first. */
  readonly sack = new Int32Array(2 * SACK_BLOCKS_MAX)
  sackCount = 0
  /** A duplicate to report in front of the others. */
  dsack = false
  dsackStart = 0
  dsackEnd = 0

  get hasGaps(): boolean {
    return this.#costs.length > 0
  }

  get gaps(): number {
    return this.#costs.length
  }

  /** Behind the last octet that came early; only when `hasGaps`. */
  get lastEnd(): number {
    return this.#ranges[this.#ranges.length - 1]!
  }

  /** Octets that begin at `rcvNxt`. */
  append(copied: number, rcvNxt: number, from: Uint8Array, at: number, end: number): void {
    const held = distance(copied, rcvNxt)
    const span = this.hasGaps ? distance(copied, this.lastEnd) : held
    this.#ring.reserve(Math.max(span, held + end - at), copied, span)
    this.#ring.write(rcvNxt, from, at, end)
    this.#price((rcvNxt + end - at) | 0, received(end - at))
  }

  #price(endSeq: number, cost: number): void {
    const last = this.#ends.length - 1
    if (last >= this.#first && this.#segments < SEGMENTS_MAX) {
      this.#ends[last] = endSeq
      this.#prices[last]! += cost - COALESCED_BYTES
      this.rmem += cost - COALESCED_BYTES
      this.#segments++
      return
    }
    this.#ends.push(endSeq)
    this.#prices.push(cost)
    this.rmem += cost
    this.#segments = 1
  }

  /**
   * Octets behind a gap, and perhaps a FIN, which counts one, up to `last`. False: there are too many gaps.
   * What was there already is reported as a duplicate.
   */
  early(
    copied: number, rcvNxt: number, seq: number, last: number, from: Uint8Array, at: number, end: number,
    reports: boolean
  ): boolean {
    const ranges = this.#ranges
    // The first range that does not end before this one begins.
    let first = 0
    for (let high = this.#costs.length; first < high;) {
      const middle = (first + high) >> 1
      if (before(ranges[2 * middle + 1]!, seq)) first = middle + 1
      else high = middle
    }
    let next = first
    let start = seq
    let stop = last
    let cost = received(end - at)
    while (next < this.#costs.length && !after(ranges[2 * next]!, last)) {
      const there = ranges[2 * next]!
      const thereEnd = ranges[2 * next + 1]!
      if (reports) this.#overlap(seq, last, there, thereEnd)
      if (!after(there, seq) && !before(thereEnd, last)) return true
      if (before(there, start)) start = there
      if (after(thereEnd, stop)) stop = thereEnd
      cost += this.#costs[next]!
      next++
    }
    if (next === first && this.#costs.length >= RANGES_MAX) return false
    const span = this.hasGaps ? distance(copied, this.lastEnd) : distance(copied, rcvNxt)
    this.#ring.reserve(Math.max(span, distance(copied, last)), copied, span)
    this.#ring.write(seq, from, at, end)
    for (let i = first; i < next; i++) this.rmem -= this.#costs[i]!
    this.rmem += cost
    ranges.splice(2 * first, 2 * (next - first), start, stop)
    this.#costs.splice(first, next - first, cost)
    this.#report(seq, last)
    return true
  }

  /** How far the stream reaches now that it stands at `rcvNxt` (tcp_ofo_queue); its SACK blocks go. */
  join(rcvNxt: number, reports: boolean): number {
    let next = rcvNxt
    while (this.#costs.length > 0 && !after(this.#ranges[0]!, next)) {
      const start = this.#ranges[0]!
      const end = this.#ranges[1]!
      if (before(start, next) && reports) this.duplicate(start, before(next, end) ? next : end)
      if (after(end, next)) next = end
      this.rmem -= this.#costs[0]!
      this.#price(next, this.#costs[0]!)
      this.#ranges.splice(0, 2)
      this.#costs.shift()
    }
    this.#forget(next)
    return next
  }

  /** Copy up to `into.length` octets from `copied` on; `available` of them are there. */
  read(copied: number, into: Uint8Array, available: number): number {
    const count = Math.min(available, into.length)
    this.#ring.read(copied, into, 0, count)
    this.skip(copied, count)
    return count
  }

  /** As `read`, without a copy (MSG_TRUNC). */
  skip(copied: number, count: number): void {
    const to = (copied + count) | 0
    while (this.#first < this.#ends.length && !after(this.#ends[this.#first]!, to)) {
      this.rmem -= this.#prices[this.#first++]!
    }
    if (this.#first === this.#ends.length) this.#empty()
    else if (this.#first >= COMPACT) {
      this.#ends.splice(0, this.#first)
      this.#prices.splice(0, this.#first)
      this.#first = 0
    }
  }

  /** Nothing has come for a while: what a transfer needed is given back, if it is empty. */
  idle(): void {
    if (this.#first === this.#ends.length && !this.hasGaps) this.#ring.emptied()
  }

  #empty(): void {
    this.#ends.length = 0
    this.#prices.length = 0
    this.#first = 0
  }

  /** RFC 2883: a duplicate is told once; another joins it or waits its turn. */
  duplicate(start: number, end: number): void {
    if (this.dsack && !after(start, this.dsackEnd) && !before(end, this.dsackStart)) {
      if (before(start, this.dsackStart)) this.dsackStart = start
      if (after(end, this.dsackEnd)) this.dsackEnd = end
      return
    }
    if (this.dsack) return
    this.dsack = true
    this.dsackStart = start
    this.dsackEnd = end
  }

  /** Many small segments in few buffers (tcp_collapse): the `available` octets from `copied` on. */
  collapse(copied: number, available: number): void {
    let cost = 0
    for (let i = this.#first; i < this.#ends.length; i++) cost += this.#prices[i]!
    if (available + Math.ceil(available / PAGE_BYTES) * PAGE_OVERHEAD_BYTES >= cost) return
    this.rmem -= cost
    this.#empty()
    this.#segments = SEGMENTS_MAX
    for (let at = 0; at < available; at += PAGE_BYTES) {
      const bytes = Math.min(PAGE_BYTES, available - at)
      this.#ends.push((copied + at + bytes) | 0)
      this.#prices.push(bytes + PAGE_OVERHEAD_BYTES)
      this.rmem += bytes + PAGE_OVERHEAD_BYTES
    }
  }

  /**
   * What is furthest away makes room, an eighth of the buffer at a time (tcp_prune_ofo_queue); never for something
   * at `seq` that is further still. True: something went.
   */
  pruneEarly(seq: number, rcvbuf: number): boolean {
    const gaps = this.#costs.length
    let goal = rcvbuf >> 3
    while (this.#costs.length > 0 && !after(seq, this.#ranges[this.#ranges.length - 2]!)) {
      this.#ranges.length -= 2
      const cost = this.#costs.pop()!
      this.rmem -= cost
      goal -= cost
      if (goal > 0 && this.#costs.length > 0) continue
      if (this.rmem <= rcvbuf) break
      goal = rcvbuf >> 3
    }
    if (this.#costs.length === gaps) return false
    this.sackCount = 0
    return true
  }

  /** What came early is given up: a FIN stands before it. */
  dropEarly(): void {
    for (const cost of this.#costs) this.rmem -= cost
    this.#ranges.length = 0
    this.#costs.length = 0
    this.sackCount = 0
  }

  release(): void {
    this.dropEarly()
    this.rmem = 0
    this.#empty()
    this.#ring.release()
  }

  #overlap(start: number, end: number, there: number, thereEnd: number): void {
    const from = before(start, there) ? there : start
    const to = before(end, thereEnd) ? end : thereEnd
    if (before(from, to)) this.duplicate(from, to)
  }

  /**
   * A block that the segment continues grows by it and goes first, and takes in what it now touches; else a
   * new one.
   */
  #report(from: number, to: number): void {
    const { sack } = this
    let start = from
    let end = to
    let at = 0
    while (at < this.sackCount && (after(start, sack[2 * at + 1]!) || after(sack[2 * at]!, end))) at++
    if (at < this.sackCount) {
      if (before(sack[2 * at]!, start)) start = sack[2 * at]!
      if (after(sack[2 * at + 1]!, end)) end = sack[2 * at + 1]!
    } else if (at === SACK_BLOCKS_MAX) at--
    for (let i = at; i > 0; i--) {
      sack[2 * i] = sack[2 * i - 2]!
      sack[2 * i + 1] = sack[2 * i - 1]!
    }
    sack[0] = start
    sack[1] = end
    this.sackCount = Math.max(this.sackCount, at + 1)
    this.#coalesce()
  }

  /** tcp_sack_maybe_coalesce: the first block may have grown up to others. */
  #coalesce(): void {
    const { sack } = this
    for (let i = 1; i < this.sackCount;) {
      if (after(sack[2 * i]!, sack[1]!) || after(sack[0]!, sack[2 * i + 1]!)) {
        i++
        continue
      }
      if (before(sack[2 * i]!, sack[0]!)) sack[0] = sack[2 * i]!
      if (after(sack[2 * i + 1]!, sack[1]!)) sack[1] = sack[2 * i + 1]!
      this.sackCount--
      for (let k = i; k < this.sackCount; k++) {
        sack[2 * k] = sack[2 * k + 2]!
        sack[2 * k + 1] = sack[2 * k + 3]!
      }
      i = 1
    }
  }

  /** Blocks that the stream has reached (tcp_sack_remove). */
  #forget(rcvNxt: number): void {
    if (this.#costs.length === 0) {
      this.sackCount = 0
      return
    }
    const { sack } = this
    let kept = 0
    for (let i = 0; i < this.sackCount; i++) {
      if (!before(rcvNxt, sack[2 * i]!)) continue
      sack[2 * kept] = sack[2 * i]!
      sack[2 * kept + 1] = sack[2 * i + 1]!
      kept++
    }
    this.sackCount = kept
  }
}
