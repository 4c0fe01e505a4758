/**
 * A frame as a wire would carry it, for whoever shows frames: a copy whose transport checksum is finished
 * where Linux leaves it to hardware, and with an Ethernet header where a packet died before it got one. One
 * buffer: a copy is good until the next.
 */
import { Checksum, completeCopy, type Frame } from "@podwire/netdev"
import { get16, set16 } from "@podwire/wire/bytes"
import * as eth from "@podwire/wire/eth"

const COPY_BYTES = 65_536 + 512
/** Below this a loop over words is faster than a call that makes a view. */
const WORDWISE_BYTES_MAX = 512

export class FinishedCopy {
  readonly #copy = new Uint8Array(COPY_BYTES)
  readonly #words = new Int32Array(this.#copy.buffer)

  /** The frame's own bytes when nothing is open in them. Offsets are the frame's. */
  finished(frame: Frame): Uint8Array {
    if (frame.csum !== Checksum.Partial) return frame.bytes
    const copy = this.#copied(frame, frame.bytes)
    completeCopy(frame, copy, this.#words)
    return copy
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
