/** UTF-8 that comes in pieces, as text: a character that a cut splits waits for its rest. */
import { utf8Decode } from "@podwire/wire/bytes"

export class TextStream {
  #held = new Uint8Array(0)

  /** The text that is complete with these octets. */
  append(bytes: Uint8Array, at = 0, end = bytes.length): string {
    let from = bytes
    let start = at
    let stop = end
    if (this.#held.length > 0) {
      from = new Uint8Array(this.#held.length + end - at)
      from.set(this.#held)
      from.set(bytes.subarray(at, end), this.#held.length)
      start = 0
      stop = from.length
    }
    const whole = stop - unfinished(from, start, stop)
    this.#held = from.slice(whole, stop)
    return utf8Decode(from, start, whole)
  }

  /** What never got its rest. */
  finish(): string {
    const text = utf8Decode(this.#held, 0, this.#held.length)
    this.#held = new Uint8Array(0)
    return text
  }
}

/** How many of the last octets begin a character that is not there as a whole. */
function unfinished(bytes: Uint8Array, at: number, end: number): number {
  for (let back = 1; back <= 3 && end - back >= at; back++) {
    const octet = bytes[end - back]!
    if (octet < 0x80) return 0
    if (octet < 0xc0) continue
    const length = octet < 0xe0 ? 2 : octet < 0xf0 ? 3 : 4
    return length > back ? back : 0
  }
  return 0
}
