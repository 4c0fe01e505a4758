/**
 * A frame as a wire would carry it, for whoever shows frames: a copy whose transport checksum is finished
 * where Linux leaves it to hardware, and with an Ethernet header where a packet died before it got one. One
 * buffer: a copy is good until the next.
 *
 * Who is through with the frame before anybody else gets it needs no copy: between `enter` and `leave` the frame's
 * own bytes are finished. Hop by hop only headers change, so what a packet carries is summed once, on the first
 * device that shows it.
 */
import { Checksum, completeCopy, findOpen, type Frame, OpenChecksum, wholeChecksum } from "@podwire/netdev"
import { get16, set16 } from "@podwire/wire/bytes"
import { sumWords } from "@podwire/wire/checksum"
import * as eth from "@podwire/wire/eth"

const COPY_BYTES = 65_536 + 512
/** Below this a loop over words is faster than a call that makes a view. */
const WORDWISE_BYTES_MAX = 512

/** Packets under way whose sum is remembered; a power of two. */
const REMEMBERED = 256
/** Below this to sum again is as fast as to remember. */
const DATA_BYTES_MIN = 64

export class FinishedCopy {
  readonly #copy = new Uint8Array(COPY_BYTES)
  readonly #words = new Int32Array(this.#copy.buffer)
  readonly #open = new OpenChecksum()
  #entered = false
  #left = 0
  /** By the last bits of a packet's number: its number, how much it carries, and the sum of that. */
  readonly #ids = new Int32Array(REMEMBERED)
  readonly #lengths = new Int32Array(REMEMBERED)
  readonly #sums = new Int32Array(REMEMBERED)

  /** The frame's own bytes when nothing is open in them. Offsets are the frame's. */
  finished(frame: Frame): Uint8Array {
    if (frame.csum !== Checksum.Partial) return frame.bytes
    const copy = this.#copied(frame, frame.bytes)
    completeCopy(frame, copy, this.#words)
    return copy
  }

  /** Finish the checksum in the frame itself, for a moment: `leave` before anything else happens to it. */
  enter(frame: Frame): Uint8Array {
    const { bytes, words } = frame
    const open = this.#open
    this.#entered = frame.csum === Checksum.Partial && findOpen(frame, bytes, open)
    if (!this.#entered) return bytes
    this.#left = get16(bytes, open.at)
    const data = open.end - open.data < DATA_BYTES_MIN
      ? sumWords(words, open.data, open.end)
      : this.#dataSum(frame, open)
    set16(bytes, open.at, wholeChecksum(sumWords(words, open.l4, open.data, data)))
    return bytes
  }

  leave(frame: Frame): void {
    if (this.#entered) set16(frame.bytes, this.#open.at, this.#left)
  }

  #dataSum({ id, words }: Frame, { data, end }: OpenChecksum): number {
    const slot = id & (REMEMBERED - 1)
    if (this.#ids[slot] !== id || this.#lengths[slot] !== end - data) {
      this.#ids[slot] = id
      this.#lengths[slot] = end - data
      this.#sums[slot] = sumWords(words, data, end)
    }
    return this.#sums[slot]!
  }

  /** What a tap on Linux sees: unfinished, unless it came over a wire. */
  raw(frame: Frame): Uint8Array {
    return frame.wired ? this.finished(frame) : frame.bytes
  }

  /** A packet that died before its Ethernet header was written gets one without addresses. */
  framed(frame: Frame, bytes: Uint8Array): Uint8Array {
    const { head, l3, protocol } = frame
    if (protocol === 0 || l3 !== head + eth.HEADER_BYTES) return bytes
    if (get16(bytes, l3 - 2) === protocol) return bytes
    const copy = this.#copied(frame, bytes)
    copy.fill(0, head, l3)
    set16(copy, l3 - 2, protocol)
    return copy
  }

  #copied(frame: Frame, bytes: Uint8Array): Uint8Array {
    if (bytes === this.#copy) return bytes
    const { head, tail, words } = frame
    if (tail - head > WORDWISE_BYTES_MAX) this.#copy.set(bytes.subarray(head, tail), head)
    else for (let i = head >> 2; i << 2 < tail; i++) this.#words[i] = words[i]!
    return this.#copy
  }
}
