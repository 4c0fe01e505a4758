/**
 * Two words that fold everything that happened, in order: equal digests, equal runs. Each `fold`
 * mixes one integer into both words with different multipliers (murmur3's and FNV's).
 */
export class Digest {
  #low = 0x811c9dc5 | 0
  #high = 0x2545f491 | 0
  /** How many integers have been folded. */
  count = 0

  fold(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193)
    const high = Math.imul(this.#high ^ word, 0xcc9e2d51 | 0)
    this.#high = (high << 13) | (high >>> 19)
    this.count++
  }

  toString(): string {
    return hex(this.#high) + hex(this.#low)
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0")
}
