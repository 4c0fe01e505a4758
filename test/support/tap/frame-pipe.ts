/**
 * Frames over a stream of octets, as `wire.py` speaks: two octets of length before each. Whole frames come
 * out.
 */
const OUT_BYTES_AT_START = 1 << 16

export class FramePipe {
  readonly #write: (bytes: Uint8Array) => void
  #out = Buffer.alloc(OUT_BYTES_AT_START)
  #outSize = 0
  #rest = Buffer.alloc(0)

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write
  }

  put(bytes: Uint8Array, at: number, end: number): void {
    const size = end - at
    if (this.#outSize + 2 + size > this.#out.length) {
      const grown = Buffer.alloc(this.#out.length * 2 + size)
      this.#out.copy(grown, 0, 0, this.#outSize)
      this.#out = grown
    }
    this.#out.writeUInt16BE(size, this.#outSize)
    this.#out.set(bytes.subarray(at, end), this.#outSize + 2)
    this.#outSize += 2 + size
  }

  /**
   * One write for all since the last; the stream keeps the octets until they are gone, so they are its own.
   */
  flush(): void {
    if (this.#outSize === 0) return
    this.#write(Buffer.from(this.#out.subarray(0, this.#outSize)))
    this.#outSize = 0
  }

  take(chunk: Buffer, each: (bytes: Uint8Array) => void): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at + 2 <= data.length) {
      const end = at + 2 + data.readUInt16BE(at)
      if (end > data.length) break
      if (end > at + 2) each(data.subarray(at + 2, end))
      at = end
    }
    this.#rest = Buffer.from(data.subarray(at))
  }
}
