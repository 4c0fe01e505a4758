/**
 * Fragments waiting for their siblings, for either family (net/ipv4/ip_fragment.c, net/ipv6/reassembly.c).
 * Exact duplicates are dropped alone; any other overlap drops the whole datagram, as Linux has done
 * since 4.18 (and RFC 5722 demands). Memory is bounded by the family's high threshold.
 *
 * Invariant: every frame kept here is ended by completion, by overlap, by timeout or by `destroy`.
 */
import { type Ns, Timer } from "@podwire/engine"
import { DropReason, type Frame } from "@podwire/netdev"
import type { Netns } from "./netns.ts"

const DATAGRAM_BYTES_MAX = 65_535
const TRUESIZE_OVERHEAD = 576
/** A datagram in more pieces than this is an attack: 65,535 bytes in pieces of 8. */
const PIECES_MAX = 8_192

/** Tells the sender that time ran out; only called when the first fragment is there. */
export interface FragmentOwner {
  timedOut(first: Frame): void
}

interface Piece {
  readonly frame: Frame
  readonly start: number
  readonly end: number
  readonly payloadAt: number
}

export class Reassembly {
  readonly #ns: Netns
  readonly #owner: FragmentOwner
  readonly #queues = new Map<string, Queue>()
  readonly #settings: { readonly time: string; readonly high: string }
  bytes = 0

  constructor(ns: Netns, owner: FragmentOwner, settings: { readonly time: string; readonly high: string }) {
    this.#ns = ns
    this.#owner = owner
    this.#settings = settings
  }

  get waiting(): number {
    return this.#queues.size
  }

  /**
   * Keep a fragment whose data starts at `payloadAt` and belongs at `offset`; consumes it. When the
   * datagram is whole, the answer is one frame: the headers of the first fragment up to its data, and
   * all the data; the caller mends lengths and flags.
   */
  add(key: string, frame: Frame, payloadAt: number, offset: number, more: boolean): Frame | null {
    const { pool } = this.#ns
    const end = offset + frame.tail - payloadAt
    if (end > DATAGRAM_BYTES_MAX || (more && (frame.tail - payloadAt) % 8 !== 0) || end === offset) {
      pool.drop(frame, DropReason.FRAG_TOO_FAR)
      return null
    }
    if (this.bytes > this.#ns.sysctl.number(this.#settings.high)) {
      pool.drop(frame, DropReason.FRAG_LIMIT)
      return null
    }
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = new Queue(this, key)
      this.#queues.set(key, queue)
      this.#ns.engine.arm(queue, this.#ns.sysctl.number(this.#settings.time) * 1_000_000_000)
    }
    if (!this.#insert(queue, { frame, start: offset, end, payloadAt }, more)) return null
    return queue.complete ? this.#join(queue) : null
  }

  expire(queue: Queue): void {
    const first = queue.pieces[0]
    if (first !== undefined && first.start === 0) this.#owner.timedOut(first.frame)
    this.#discard(queue, DropReason.FRAG_REASM_TIMEOUT)
  }

  destroy(): void {
    for (const queue of [...this.#queues.values()]) this.#discard(queue, DropReason.NETNS_GONE)
  }

  /** False when the piece did not join: it, or with it everything, has been ended. */
  #insert(queue: Queue, piece: Piece, more: boolean): boolean {
    const { pieces } = queue
    let at = pieces.length
    while (at > 0 && pieces[at - 1]!.start > piece.start) at--
    const before = pieces[at - 1]
    const after = pieces[at]
    if (before !== undefined && before.start === piece.start && before.end === piece.end) {
      this.#ns.pool.drop(piece.frame, DropReason.DUP_FRAG)
      return false
    }
    const overlaps = (before !== undefined && before.end > piece.start) ||
      (after !== undefined && after.start < piece.end)
    const beyond = queue.totalBytes >= 0 && (piece.end > queue.totalBytes || (!more && piece.end !== queue.totalBytes))
    const shrinks = !more && pieces.length > 0 && pieces[pieces.length - 1]!.end > piece.end
    if (overlaps || beyond || shrinks || pieces.length >= PIECES_MAX) {
      this.#ns.pool.drop(piece.frame, DropReason.DUP_FRAG)
      this.#discard(queue, DropReason.DUP_FRAG)
      return false
    }
    pieces.splice(at, 0, piece)
    queue.gotBytes += piece.end - piece.start
    if (!more) queue.totalBytes = piece.end
    this.bytes += charge(piece.frame)
    return true
  }

  #join(queue: Queue): Frame | null {
    const { pool } = this.#ns
    const first = queue.pieces[0]!
    const headerBytes = first.payloadAt - first.frame.head
    const whole = pool.alloc(headerBytes + queue.totalBytes)
    if (whole !== null) {
      const from = first.frame
      whole.bytes.set(from.bytes.subarray(from.head, first.payloadAt), whole.head)
      whole.l3 = whole.head + (from.l3 - from.head)
      whole.l4 = whole.head + headerBytes
      whole.dev = from.dev
      whole.protocol = from.protocol
      whole.packetType = from.packetType
      whole.mark = from.mark
      whole.id = from.id
      for (const { frame, start, payloadAt } of queue.pieces) {
        whole.bytes.set(frame.bytes.subarray(payloadAt, frame.tail), whole.l4 + start)
        whole.fragMax = Math.max(whole.fragMax, frame.tail - frame.l3)
      }
      whole.tail = whole.l4 + queue.totalBytes
    }
    // The pieces have become the whole: they are delivered, not dropped.
    this.#remove(queue)
    for (const { frame } of queue.pieces) pool.free(frame)
    return whole
  }

  #discard(queue: Queue, why: typeof DropReason.DUP_FRAG | typeof DropReason.FRAG_REASM_TIMEOUT | typeof DropReason.NETNS_GONE): void {
    this.#remove(queue)
    for (const { frame } of queue.pieces) this.#ns.pool.drop(frame, why)
  }

  #remove(queue: Queue): void {
    this.#ns.engine.disarm(queue)
    this.#queues.delete(queue.key)
    for (const { frame } of queue.pieces) this.bytes -= charge(frame)
  }
}

class Queue extends Timer {
  readonly key: string
  /** By offset, without gaps overlapping. */
  readonly pieces: Array<Piece> = []
  gotBytes = 0
  /** Known once the last fragment has come; -1 before. */
  totalBytes = -1
  readonly #owner: Reassembly

  constructor(owner: Reassembly, key: string) {
    super()
    this.#owner = owner
    this.key = key
  }

  get complete(): boolean {
    return this.totalBytes >= 0 && this.gotBytes === this.totalBytes
  }

  override fire(_nowNs: Ns): void {
    this.#owner.expire(this)
  }
}

function charge(frame: Frame): number {
  return frame.tail - frame.l3 + TRUESIZE_OVERHEAD
}
