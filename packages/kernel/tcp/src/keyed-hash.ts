/**
 * HalfSipHash-2-4 of whole words (Aumasson and Bernstein): 32 bits out of a key of 64. Linux takes SipHash
 * for the same ends; which keyed hash it is does not show. No state outlives `end`, nothing is allocated.
 */
import type { Prng } from "@podwire/engine"

export class KeyedHash {
  readonly #k0: number
  readonly #k1: number
  #v0 = 0
  #v1 = 0
  #v2 = 0
  #v3 = 0
  #words = 0

  constructor(k0: number, k1: number) {
    this.#k0 = k0 | 0
    this.#k1 = k1 | 0
  }

  static drawn(prng: Prng): KeyedHash {
    return new KeyedHash(prng.u32(), prng.u32())
  }

  begin(): this {
    this.#v0 = this.#k0
    this.#v1 = this.#k1
    this.#v2 = this.#k0 ^ 0x6c79_6765
    this.#v3 = this.#k1 ^ 0x7465_6462
    this.#words = 0
    return this
  }

  add(word: number): this {
    this.#words++
    return this.#take(word)
  }

  addAll(words: Int32Array): this {
    for (let i = 0; i < words.length; i++) this.add(words[i]!)
    return this
  }

  /** A signed word. */
  end(): number {
    this.#take(this.#words << 26)
    this.#v2 ^= 0xff
    for (let i = 0; i < 4; i++) this.#round()
    return this.#v1 ^ this.#v3
  }

  #take(word: number): this {
    this.#v3 ^= word
    this.#round()
    this.#round()
    this.#v0 ^= word
    return this
  }

  #round(): void {
    let v0 = (this.#v0 + this.#v1) | 0
    let v1 = ((this.#v1 << 5) | (this.#v1 >>> 27)) ^ v0
    let v2 = (this.#v2 + this.#v3) | 0
    let v3 = ((this.#v3 << 8) | (this.#v3 >>> 24)) ^ v2
    v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    this.#v0 = v0
    this.#v1 = v1
    this.#v2 = v2
    this.#v3 = v3
  }
}
