/**
 * Fragments waiting for their siblings, for either family (net/ipv4/inet_fragment.c, ip_fragment.c,
 * net/ipv6/reassembly.c). What repeats bytes that are there is dropped alone; any other overlap drops the
 * whole datagram, as Linux has done since 4.18 (and RFC 5722 demands). Memory is bounded by the family's
 * high threshold. Not supported: ipfrag_max_dist.
 *
 * Invariant: every frame kept here is ended by completion, by overlap, by timeout or by `destroy`.
 */
import { type Ns, SECOND, Timer } from "@podwire/engine"
import { DropReason, type Frame } from "@podwire/netdev"
import * as eth from "@podwire/wire/eth"
import type { Netns } from "./netns.ts"
import { truesize } from "./truesize.ts"

const PACKET_BYTES_MAX = 65_535 + 40 + eth.HEADER_BYTES

/** Told that time ran out; with the first fragment if that is there. */
export interface FragmentOwner {
  timedOut(first: Frame | null): void
}

/** Pieces that came in order, one behind the other: what lies inside is a repetition. */
interface Run {
  readonly start: number
  end: number
}

interface Piece {
  readonly frame: Frame
  readonly start: number
  readonly end: number
  readonly payloadAt: number
  run: Run
}

export class Reassembly {
  readonly #ns: Netns
  readonly #owner: FragmentOwner
  readonly #queues = new Map<string, Queue>()
  /** ipfrag_high_thresh and ipfrag_time, as they are now. */
  highBytes = 0
  seconds = 0
  bytes = 0

  constructor(ns: Netns, owner: FragmentOwner) {
    this.#ns = ns
    this.#owner = owner
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
    const { pool, engine } = this.#ns
    if (this.bytes > this.highBytes) {
      pool.drop(frame, DropReason.FRAG_LIMIT)
      return null
    }
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = new Queue(this, key)
      this.#queues.set(key, queue)
      engine.arm(queue, Math.max(0, this.seconds) * SECOND)
    }
    // All but the last carry multiples of eight; what is over is cut off.
    const end = more ? (offset + frame.tail - payloadAt) & ~7 : offset + frame.tail - payloadAt
    const beyond = more
      ? queue.lastIn && end > queue.totalBytes
      : end < queue.totalBytes || (queue.lastIn && end !== queue.totalBytes)
    if (beyond || end <= offset) return this.#spoil(queue, frame)
    if (!more) queue.lastIn = true
    if (end > queue.totalBytes) queue.totalBytes = end
    frame.tail = payloadAt + end - offset
    if (!this.#insert(queue, { frame, start: offset, end, payloadAt, run: { start: offset, end } })) return null
    return queue.lastIn && queue.gotBytes === queue.totalBytes ? this.#join(queue) : null
  }

  expire(queue: Queue): void {
    const first = queue.pieces[0]
    this.#owner.timedOut(first !== undefined && first.start === 0 ? first.frame : null)
    this.#discard(queue, DropReason.FRAG_REASM_TIMEOUT)
  }

  destroy(): void {
    for (const queue of [...this.#queues.values()]) this.#discard(queue, DropReason.NETNS_GONE)
  }

  /** It contradicts what is there: all of it goes. */
  #spoil(queue: Queue, frame: Frame): null {
    this.#ns.pool.drop(frame, DropReason.DUP_FRAG)
    this.#discard(queue, DropReason.DUP_FRAG)
    return null
  }

  /** False when the piece did not join: it, or with it everything, has been ended (inet_frag_queue_insert). */
  #insert(queue: Queue, piece: Piece): boolean {
    const { pieces } = queue
    let at = pieces.length
    while (at > 0 && pieces[at - 1]!.start > piece.start) at--
    const before = pieces[at - 1]
    const after = pieces[at]
    if (before !== undefined && piece.end <= before.run.end && piece.start >= before.run.start) {
      this.#ns.pool.drop(piece.frame, DropReason.DUP_FRAG)
      return false
    }
    if ((before !== undefined && before.end > piece.start) || (after !== undefined && after.start < piece.end)) {
      this.#spoil(queue, piece.frame)
      return false
    }
    if (after === undefined && before !== undefined && before.end === piece.start) {
      piece.run = before.run
      piece.run.end = piece.end
    }
    pieces.splice(at, 0, piece)
    queue.gotBytes += piece.end - piece.start
    this.bytes += charge(piece.frame)
    return true
  }

  #join(queue: Queue): Frame | null {
    const { pool } = this.#ns
    const first = queue.pieces[0]!
    const headerBytes = first.payloadAt - first.frame.head
    if (headerBytes + queue.totalBytes > PACKET_BYTES_MAX) {
      this.#discard(queue, DropReason.FRAG_TOO_FAR)
      return null
    }
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

  #discard(queue: Queue, why: DropReason): void {
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
  /** The end of what has come, and whether that is the end of all. */
  totalBytes = 0
  lastIn = false
  readonly #owner: Reassembly

  constructor(owner: Reassembly, key: string) {
    super()
    this.#owner = owner
    this.key = key
  }

  override fire(_nowNs: Ns): void {
    this.#owner.expire(this)
  }
}

function charge(frame: Frame): number {
  return truesize(frame.tail - frame.l3)
}
