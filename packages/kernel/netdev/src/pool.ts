/**
 * Where frames come from and where they end. Three classes of buffers: 256 bytes for what a network says to
 * itself, 2 KiB for what fits an ordinary link, 64 KiB + headroom for loopback's packets, jumbo frames and
 * reassembled datagrams. Memory is taken in slabs up to a limit and reused; nothing is allocated per frame.
 *
 * Invariant, checked by `balance`: allocated = delivered + dropped + in flight; at rest nothing is in
 * flight, and `leaks` names whatever is.
 */
import { assert, type Engine, type EventSource } from "@podwire/engine"
import type { NetDevice } from "./device.ts"
import { DROP_REASON_COUNT, type DropReason } from "./drop-reason.ts"
import { Frame, HEADROOM_BYTES } from "./frame.ts"

const TINY = 0
const SMALL = 1
const JUMBO = 2
const TINY_BYTES = 256
const SMALL_BYTES = 2048
const JUMBO_BYTES = 65_536 + 512
/** Below this a loop over words is faster than a call that makes a view. */
const WORDWISE_BYTES_MAX = 512

/** Buffers of one size: 64 MiB of tiny ones, 256 MiB of each of the others at the most. */
class SizeClass {
  readonly bytes: number
  readonly slabFrames: number
  readonly most: number
  first: Frame | null = null
  count = 0

  constructor(bytes: number, slabFrames: number, most: number) {
    this.bytes = bytes
    this.slabFrames = slabFrames
    this.most = most
  }
}

/** Who wants to know of each end that was not a delivery: captures and traces. `dev` is where it ended. */
export interface DropObserver {
  dropped(frame: Frame, reason: DropReason, dev: NetDevice | null): void
}

/** Where a frame ends that was on no device. */
const NOWHERE: EventSource = { serial: 0, label: () => "-" }

export class FramePool {
  allocated = 0
  delivered = 0
  dropped = 0
  /** Frames that could not be had, because the pool is at its limit. */
  exhausted = 0
  readonly dropsByReason = new Float64Array(DROP_REASON_COUNT)
  observer: DropObserver | null = null
  readonly #engine: Engine
  readonly #classes: ReadonlyArray<SizeClass> = [
    new SizeClass(TINY_BYTES, 256, 262_144), new SizeClass(SMALL_BYTES, 64, 131_072), new SizeClass(JUMBO_BYTES, 4, 4_096)
  ]
  #idle = 0
  /** Every frame that there is, for `leaks`. */
  readonly #frames: Array<Frame> = []
  #lastId = 0

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get inFlight(): number {
    return this.allocated - this.delivered - this.dropped
  }

  /**
   * An empty frame with room for `bytes` of Ethernet frame, or for any ordinary one when nothing is said; null
   * when the limit is reached.
   */
  alloc(bytes = 0): Frame | null {
    const need = bytes + HEADROOM_BYTES
    const size = need > SMALL_BYTES ? JUMBO : bytes > 0 && need <= TINY_BYTES ? TINY : SMALL
    const frame = this.#take(size)
    if (frame === null) return null
    frame.head = HEADROOM_BYTES
    frame.tail = HEADROOM_BYTES
    frame.protocol = 0
    frame.l4Protocol = 0
    frame.csum = 0
    frame.wired = false
    frame.packetType = 0
    frame.corrupted = false
    frame.scrub()
    this.#lastId = (this.#lastId + 1) | 0
    frame.id = this.#lastId
    return frame
  }

  #take(size: number): Frame | null {
    const from = this.#classes[size]!
    if (from.first === null) this.#grow(from, size)
    const frame = from.first
    if (frame === null) {
      this.exhausted++
      return null
    }
    from.first = frame.next
    this.#idle--
    this.allocated++
    frame.next = null
    frame.free = false
    return frame
  }

  /** A second frame with the same bytes and the same knowledge, its own owner. */
  clone(frame: Frame): Frame | null {
    const { head, tail } = frame
    const copy = this.#take(tail > SMALL_BYTES ? JUMBO : tail > TINY_BYTES ? SMALL : TINY)
    if (copy === null) return null
    copy.head = head
    copy.tail = tail
    if (tail - head > WORDWISE_BYTES_MAX) copy.bytes.set(frame.bytes.subarray(head, tail), head)
    else {
      const from = frame.words
      const to = copy.words
      for (let i = head >> 2; i << 2 < tail; i++) to[i] = from[i]!
    }
    copy.l3 = frame.l3
    copy.l4 = frame.l4
    copy.protocol = frame.protocol
    copy.l4Protocol = frame.l4Protocol
    copy.csum = frame.csum
    copy.wired = frame.wired
    copy.packetType = frame.packetType
    copy.mark = frame.mark
    copy.priority = frame.priority
    copy.ct = frame.ct
    copy.ctinfo = frame.ctinfo
    copy.control = frame.control
    copy.fragMax = frame.fragMax
    copy.dst = frame.dst
    copy.id = frame.id
    copy.corrupted = frame.corrupted
    copy.dev = frame.dev
    return copy
  }

  /** It reached whom it was for (consume_skb). */
  free(frame: Frame): void {
    this.delivered++
    this.#home(frame)
  }

  /** It ended on the way, and this is why (kfree_skb_reason). */
  drop(frame: Frame, reason: DropReason, dev: NetDevice | null = frame.dev): void {
    this.dropped++
    this.dropsByReason[reason]!++
    this.#engine.note(dev ?? NOWHERE, frame.tail - frame.head, reason)
    if (this.observer !== null) this.observer.dropped(frame, reason, dev)
    this.#home(frame)
  }

  /** What is wrong with the books, or null: every buffer is idle or in flight, and none is both. */
  balance(): string | null {
    const buffers = this.#frames.length
    if (buffers === this.#idle + this.inFlight) return null
    return `${buffers} buffers, ${this.#idle} idle, ${this.inFlight} in flight`
  }

  /**
   * Frames that nobody has ended, oldest first, and the device that each was last on: none when a run is at
   * rest.
   */
  leaks(): ReadonlyArray<string> {
    const out = this.#frames.filter((frame) => !frame.free).sort((a, b) => a.id - b.id)
    return out.map(({ id, length, dev }) =>
      `frame ${id}, ${length} bytes, last on ${dev?.label() ?? "no device"}`)
  }

  #home(frame: Frame): void {
    assert(!frame.free, "a frame ends exactly once")
    frame.free = true
    frame.dev = null
    this.#idle++
    const home = this.#classes[frame.sizeClass]!
    frame.next = home.first
    home.first = frame
  }

  #grow(to: SizeClass, sizeClass: number): void {
    const count = Math.min(to.slabFrames, to.most - to.count)
    const slab = new ArrayBuffer(count * to.bytes)
    for (let i = count - 1; i >= 0; i--) {
      const frame = new Frame(slab, i * to.bytes, to.bytes, sizeClass)
      frame.next = to.first
      to.first = frame
      this.#frames.push(frame)
    }
    to.count += count
    this.#idle += count
  }
}
