/** Little-endian writes into a growing block, and the text that pcapng wants (UTF-8). */

/** Whole blocks are handed over; a chunk is only valid during the call, so a sink copies what it keeps. */
export interface ByteSink {
  write(chunk: Uint8Array): void
}

/** 64 KiB: one system call for some hundred packets. */
const BUFFER_BYTES = 65_536

/** Collects whole blocks and passes them on together: what was passed on is always a valid file. */
export class BlockBuffer {
  bytes = new Uint8Array(BUFFER_BYTES)
  /** End of the last whole block, and of what is being written. */
  #whole = 0
  at = 0
  readonly #sink: ByteSink

  constructor(sink: ByteSink) {
    this.#sink = sink
  }

  /** Make room for one block of `count` bytes, passing on earlier ones if need be. */
  begin(count: number): void {
    if (this.at + count <= this.bytes.length) return
    this.flush()
    if (count > this.bytes.length) this.bytes = new Uint8Array(count + BUFFER_BYTES)
  }

  end(): void {
    this.#whole = this.at
  }

  flush(): void {
    if (this.#whole > 0) this.#sink.write(this.bytes.subarray(0, this.#whole))
    this.#whole = 0
    this.at = 0
  }

  u16(value: number): void {
    const { bytes, at } = this
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    this.at = at + 2
  }

  u32(value: number): void {
    const { bytes, at } = this
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value >>> 16
    bytes[at + 3] = value >>> 24
    this.at = at + 4
  }

  /** Bytes [start, end), padded with zeros to a multiple of four. */
  padded(from: Uint8Array, start: number, end: number): void {
    const { bytes } = this
    let at = this.at
    for (let i = start; i < end; i++) bytes[at++] = from[i]!
    while (((at - this.at) & 3) !== 0) bytes[at++] = 0
    this.at = at
  }

  option(code: number, value: Uint8Array): void {
    this.u16(code)
    this.u16(value.length)
    this.padded(value, 0, value.length)
  }
}

/** What an option takes in the file: header, value, padding. */
export function optionBytes(value: Uint8Array): number {
  return 4 + ((value.length + 3) & ~3)
}

/** UTF-8 without a host; a lone surrogate becomes U+FFFD. */
export function utf8(text: string): Uint8Array {
  const out: Array<number> = []
  for (const char of text) {
    let code = char.codePointAt(0)!
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd
    if (code < 0x80) out.push(code)
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
  }
  // An option's length has 16 bits.
  return Uint8Array.from(out.slice(0, 65_532))
}
