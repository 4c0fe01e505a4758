/**
 * A buffer that collects whole blocks and passes them on together.
 * Invariant: the sink only ever gets whole blocks, so what it has is a valid file at every moment.
 */
import { TWO_32 } from "./codes.ts"

/** Whole blocks are handed over; a chunk is only valid during the call, so a sink copies what it keeps. */
export interface ByteSink {
  write(chunk: Uint8Array): void
}

export interface BufferOptions {
  /** How much is collected before the sink is called; a larger packet makes it grow. 64 KiB by default. */
  readonly bufferBytes?: number
  /** Most significant byte first; the default is the order of nearly every machine. */
  readonly bigEndian?: boolean
}

const BUFFER_BYTES = 65_536

export class BlockBuffer {
  bytes: Uint8Array
  at = 0
  /** End of the last whole block. */
  #whole = 0
  readonly #sink: ByteSink
  readonly #little: boolean
  #view: DataView

  constructor(sink: ByteSink, options: BufferOptions) {
    this.#sink = sink
    this.#little = options.bigEndian !== true
    this.bytes = new Uint8Array(Math.max(options.bufferBytes ?? BUFFER_BYTES, 64))
    this.#view = new DataView(this.bytes.buffer)
  }

  /** Make room for one block of `count` bytes, passing on earlier ones if need be. */
  begin(count: number): void {
    if (this.at + count <= this.bytes.length) return
    this.flush()
    if (count <= this.bytes.length) return
    this.bytes = new Uint8Array(count)
    this.#view = new DataView(this.bytes.buffer)
  }

  end(): void {
    this.#whole = this.at
  }

  flush(): void {
    const count = this.#whole
    // First forget, then hand over: a sink that throws is not given the same bytes twice.
    this.#whole = 0
    this.at = 0
    if (count > 0) this.#sink.write(this.bytes.subarray(0, count))
  }

  u16(value: number): void {
    this.#view.setUint16(this.at, value, this.#little)
    this.at += 2
  }

  u32(value: number): void {
    this.#view.setUint32(this.at, value, this.#little)
    this.at += 4
  }

  /** A whole number of 64 bits in the order of the file; negative ones in two's complement. */
  u64(value: number): void {
    const high = Math.floor(value / TWO_32)
    if (!this.#little) this.u32(high)
    this.u32(value)
    if (this.#little) this.u32(high)
  }

  /** The high half first whatever the order of the file, as pcapng has its times. */
  time(atNs: number): void {
    this.u32(Math.floor(atNs / TWO_32))
    this.u32(atNs)
  }

  /**
   * Bytes [start, end). `set` of a view takes 36 ns for 60 bytes and 55 ns for 1514; a loop takes 67 ns
   * and 1500 ns (measured on Node 26), so the view, which nothing keeps, is the cheaper way.
   */
  raw(from: Uint8Array, start: number, end: number): void {
    this.bytes.set(from.subarray(start, end), this.at)
    this.at += end - start
  }

  /** Bytes [start, end), padded with zeros to a multiple of four. */
  padded(from: Uint8Array, start: number, end: number): void {
    this.raw(from, start, end)
    for (let rest = -(end - start) & 3; rest > 0; rest--) this.bytes[this.at++] = 0
  }

  option(code: number, value: Uint8Array): void {
    this.u16(code)
    this.u16(value.length)
    this.padded(value, 0, value.length)
  }

  /** Header of an option whose value follows. */
  optionHead(code: number, length: number): void {
    this.u16(code)
    this.u16(length)
  }
}

/** What an option takes in the file: header, value, padding. */
export function optionBytes(length: number): number {
  return 4 + ((length + 3) & ~3)
}

/** A broken promise of the caller, caught before it becomes a broken file. */
export function checkPacket(atNs: number, bytes: Uint8Array, start: number, end: number): void {
  if (!(atNs >= 0 && atNs <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`time ${atNs}: expected 0 to 2^53 - 1 nanoseconds`)
  }
  if (!(start >= 0 && start <= end && end <= bytes.length)) {
    throw new RangeError(`bytes [${start}, ${end}): expected a range within the ${bytes.length} given`)
  }
}
