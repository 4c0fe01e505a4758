/**
 * Octets of a stream, each at its sequence number: octet `seq` stands at `seq & mask`. It begins small,
 * doubles when asked for more and never shrinks while in use; who uses it bounds it. What was needed once is
 * given back when it is empty (`emptied`), so that an idle connection costs little.
 */

const BYTES_AT_START = 1024
/** As much is kept while nothing is held. */
const BYTES_KEPT = 65_536
const EMPTY = new Uint8Array(0)

export class ByteRing {
  #bytes: Uint8Array = EMPTY
  #mask = -1

  get capacity(): number {
    return this.#bytes.length
  }

  /** Room for `count` octets; those of [from, from + held) stay. */
  reserve(count: number, from: number, held: number): void {
    if (count <= this.#bytes.length) return
    let size = Math.max(this.#bytes.length, BYTES_AT_START)
    while (size < count) size *= 2
    const old = this.#bytes
    const oldMask = this.#mask
    this.#bytes = new Uint8Array(size)
    this.#mask = size - 1
    for (let done = 0; done < held;) {
      const at = (from + done) & oldMask
      const run = Math.min(held - done, old.length - at)
      this.write((from + done) | 0, old, at, at + run)
      done += run
    }
  }

  write(seq: number, from: Uint8Array, at: number, end: number): void {
    const count = end - at
    if (count === 0) return
    const bytes = this.#bytes
    const start = seq & this.#mask
    const first = bytes.length - start
    if (count <= first) bytes.set(at === 0 && end === from.length ? from : from.subarray(at, end), start)
    else {
      bytes.set(from.subarray(at, at + first), start)
      bytes.set(from.subarray(at + first, end), 0)
    }
  }

  read(seq: number, into: Uint8Array, at: number, count: number): void {
    if (count === 0) return
    const bytes = this.#bytes
    const start = seq & this.#mask
    const first = bytes.length - start
    if (count <= first) into.set(bytes.subarray(start, start + count), at)
    else {
      into.set(bytes.subarray(start), at)
      into.set(bytes.subarray(0, count - first), at + first)
    }
  }

  /** Nothing is held just now. */
  emptied(): void {
    if (this.#bytes.length > BYTES_KEPT) this.release()
  }

  /** Nothing is held any more: the memory goes. */
  release(): void {
    this.#bytes = EMPTY
    this.#mask = -1
  }
}
