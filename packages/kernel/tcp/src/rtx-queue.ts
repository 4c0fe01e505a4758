/**
 * What was sent and is not acknowledged (tcp_rtx_queue), one record a segment, in order of sequence
 * numbers; and the same records in order of their last transmission (tsorted_sent_queue), for RACK. Records
 * are reused.
 *
 * Invariant: record i ends where record i + 1 begins.
 */
import { before } from "./seq.ts"

/** TCP_SKB_CB(skb)->sacked. */
export const SACKED_ACKED = 1
export const SACKED_RETRANS = 2
export const LOST = 4
export const EVER_RETRANS = 8
export const RETRANS = SACKED_RETRANS | EVER_RETRANS

export class Sent {
  seq = 0
  end = 0
  /** FIN, SYN, PSH of its header. */
  flags = 0
  sacked = 0
  sentNs = 0
  /** Which transmission of the connection that was: at one instant many leave, and their order counts. */
  sentCount = 0
  /** Which burst it left with at first: a packet that was cut late is cut anew as a whole. */
  burst = 0
  /** `delivered` when it was sent. */
  txDelivered = 0
  /** Neighbours by time; a record that is in no list has `listed` false. */
  older: Sent | null = null
  newer: Sent | null = null
  listed = false
}

export class RtxQueue {
  #ring: Array<Sent | null> = [null, null, null, null]
  #mask = 3
  #head = 0
  length = 0
  /** Ends of the list by time. */
  oldest: Sent | null = null
  newest: Sent | null = null
  /** Where the search for lost records goes on (retransmit_skb_hint): an index. */
  hint = 0
  readonly #spare: Array<Sent>

  /** `spare` is shared by all connections of a namespace. */
  constructor(spare: Array<Sent>) {
    this.#spare = spare
  }

  at(index: number): Sent {
    return this.#ring[(this.#head + index) & this.#mask]!
  }

  get first(): Sent | null {
    return this.length === 0 ? null : this.#ring[this.#head]!
  }

  push(seq: number, end: number, flags: number): Sent {
    const sent = this.#fresh(seq, end, flags)
    if (this.length > this.#mask) this.#grow()
    this.#ring[(this.#head + this.length++) & this.#mask] = sent
    return sent
  }

  shift(): void {
    const sent = this.#ring[this.#head]!
    this.unlist(sent)
    this.#ring[this.#head] = null
    this.#head = (this.#head + 1) & this.#mask
    this.length--
    if (this.hint > 0) this.hint--
    this.#retire(sent)
  }

  clear(): void {
    while (this.length > 0) this.shift()
    this.hint = 0
  }

  /** The first record that does not end at or before `seq`; `length` when all do. */
  find(seq: number): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (before(seq, this.at(middle).end)) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Cut a record in two at `seq` (tcp_fragment); the second keeps what the first was, and FIN and PSH. */
  split(index: number, seq: number, finAndPush: number): Sent {
    const sent = this.at(index)
    const rest = this.#fresh(seq, sent.end, sent.flags)
    rest.sacked = sent.sacked
    rest.sentNs = sent.sentNs
    rest.sentCount = sent.sentCount
    rest.burst = sent.burst
    rest.txDelivered = sent.txDelivered
    sent.end = seq
    sent.flags &= ~finAndPush
    if (this.length > this.#mask) this.#grow()
    this.length++
    for (let i = this.length - 1; i > index + 1; i--) {
      this.#ring[(this.#head + i) & this.#mask] = this.#ring[(this.#head + i - 1) & this.#mask]!
    }
    this.#ring[(this.#head + index + 1) & this.#mask] = rest
    if (this.hint > index) this.hint++
    if (sent.listed) this.#listAfter(sent, rest)
    return rest
  }

  /** Record `index` takes in its successor. */
  merge(index: number): void {
    const sent = this.at(index)
    const next = this.at(index + 1)
    sent.end = next.end
    sent.flags |= next.flags
    this.unlist(next)
    for (let i = index + 1; i < this.length - 1; i++) {
      this.#ring[(this.#head + i) & this.#mask] = this.#ring[(this.#head + i + 1) & this.#mask]!
    }
    this.length--
    this.#ring[(this.#head + this.length) & this.#mask] = null
    if (this.hint > index) this.hint--
    this.#retire(next)
  }

  /** It was sent just now: the newest. */
  list(sent: Sent): void {
    this.unlist(sent)
    sent.older = this.newest
    sent.listed = true
    if (this.newest === null) this.oldest = sent
    else this.newest.newer = sent
    this.newest = sent
  }

  unlist(sent: Sent): void {
    if (!sent.listed) return
    if (sent.older === null) this.oldest = sent.newer
    else sent.older.newer = sent.newer
    if (sent.newer === null) this.newest = sent.older
    else sent.newer.older = sent.older
    sent.older = null
    sent.newer = null
    sent.listed = false
  }

  #listAfter(sent: Sent, rest: Sent): void {
    rest.older = sent
    rest.newer = sent.newer
    rest.listed = true
    if (sent.newer === null) this.newest = rest
    else sent.newer.older = rest
    sent.newer = rest
  }

  #fresh(seq: number, end: number, flags: number): Sent {
    const sent = this.#spare.pop() ?? new Sent()
    sent.seq = seq
    sent.end = end
    sent.flags = flags
    sent.sacked = 0
    return sent
  }

  #retire(sent: Sent): void {
    if (this.#spare.length < SPARE_MAX) this.#spare.push(sent)
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2
    const ring = new Array<Sent | null>(size).fill(null)
    for (let i = 0; i < this.length; i++) ring[i] = this.at(i)
    this.#ring = ring
    this.#mask = size - 1
    this.#head = 0
  }
}

const SPARE_MAX = 1024
