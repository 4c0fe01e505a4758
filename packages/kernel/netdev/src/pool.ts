/**
 * Where frames come from and where they end. Two classes of buffers: 2 KiB for what fits an ordinary
 * link, 64 KiB + headroom for loopback's packets, jumbo frames and reassembled datagrams. Memory is
 * taken in slabs up to a limit and reused; nothing is allocated per frame.
 *
 * Invariant, checked by `balance`: allocated = delivered + dropped + in flight; at rest nothing is in
 * flight, and `leaks` names whatever is.
 */
import { assert, type Engine, type EventSource } from "@podwire/engine"
import type { NetDevice } from "./device.ts"
import { DROP_REASON_COUNT, type DropReason } from "./drop-reason.ts"
import { Frame, HEADROOM_BYTES } from "./frame.ts"

const SMALL_BYTES = 2048
const JUMBO_BYTES = 65_536 + 512
const SMALL_SLAB_FRAMES = 256
const JUMBO_SLAB_FRAMES = 4
/** 256 MiB of small and 256 MiB of jumbo buffers at the most. */
const SMALL_FRAMES_MAX = 131_072
const JUMBO_FRAMES_MAX = 4_096

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
  #small: Frame | null = null
  #jumbo: Frame | null = null
  #smallCount = 0
  #jumboCount = 0
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

  /** An empty frame with room for `bytes` of Ethernet frame; null when the limit is reached. */
  alloc(bytes = 0): Frame | null {
    const jumbo = bytes + HEADROOM_BYTES > SMALL_BYTES
    let frame = jumbo ? this.#jumbo : this.#small
    if (frame === null) {
      this.#grow(jumbo)
      frame = jumbo ? this.#jumbo : this.#small
      if (frame === null) {
        this.exhausted++
        return null
      }
    }
    if (jumbo) this.#jumbo = frame.next
    else this.#small = frame.next
    this.#idle--
    this.allocated++
    frame.next = null
    frame.free = false
    frame.head = HEADROOM_BYTES
    frame.tail = HEADROOM_BYTES
    frame.protocol = 0
    frame.l4Protocol = 0
    frame.csum = 0
    frame.packetType = 0
    frame.corrupted = false
    frame.dev = null
    frame.scrub()
    this.#lastId = (this.#lastId + 1) | 0
    frame.id = this.#lastId
    return frame
  }

  /** A second frame with the same bytes and the same knowledge, its own owner. */
  clone(frame: Frame): Frame | null {
    const copy = this.alloc(frame.tail - HEADROOM_BYTES)
    if (copy === null) return null
    copy.head = frame.head
    copy.tail = frame.tail
    copy.bytes.set(frame.bytes.subarray(frame.head, frame.tail), frame.head)
    copy.l3 = frame.l3
    copy.l4 = frame.l4
    copy.protocol = frame.protocol
    copy.l4Protocol = frame.l4Protocol
    copy.csum = frame.csum
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
    const buffers = this.#smallCount + this.#jumboCount
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
    if (frame.jumbo) {
      frame.next = this.#jumbo
      this.#jumbo = frame
    } else {
      frame.next = this.#small
      this.#small = frame
    }
  }

  #grow(jumbo: boolean): void {
    const have = jumbo ? this.#jumboCount : this.#smallCount
    const most = jumbo ? JUMBO_FRAMES_MAX : SMALL_FRAMES_MAX
    const count = Math.min(jumbo ? JUMBO_SLAB_FRAMES : SMALL_SLAB_FRAMES, most - have)
    const size = jumbo ? JUMBO_BYTES : SMALL_BYTES
    const slab = new ArrayBuffer(count * size)
    for (let i = count - 1; i >= 0; i--) {
      const frame = new Frame(new Uint8Array(slab, i * size, size), jumbo)
      frame.next = jumbo ? this.#jumbo : this.#small
      if (jumbo) this.#jumbo = frame
      else this.#small = frame
      this.#frames.push(frame)
    }
    if (jumbo) this.#jumboCount += count
    else this.#smallCount += count
    this.#idle += count
  }
}
