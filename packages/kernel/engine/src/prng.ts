/**
 * Seeded chance: sfc32 (Chris Doty-Humphrey's small fast counter), integers only, so the same seed
 * gives the same draws on every machine. One stream per named consumer: a new consumer moves nobody
 * else's draws. Not for cryptography.
 */
export class Prng {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, stream: string) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0
    this.#c = hash(stream)
    for (let i = 0; i < 15; i++) this.u32()
  }

  /** A uniform integer in [0, 2^32). */
  u32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t | 0
    return t >>> 0
  }

  /** A uniform integer in [0, bound); bound is 1 to 2^53. Draws again rather than favour low values. */
  below(bound: number): number {
    const range = bound <= 0x1_0000_0000 ? 0x1_0000_0000 : 0x20_0000_0000_0000
    const limit = range - (range % bound)
    for (;;) {
      const draw = range === 0x1_0000_0000 ? this.u32() : (this.u32() >>> 11) * 0x1_0000_0000 + this.u32()
      if (draw < limit) return draw % bound
    }
  }

  /** True in `parts` of `outOf` cases: chance is an integer ratio, floats never decide. */
  chance(parts: number, outOf: number): boolean {
    return parts > 0 && this.below(outOf) < parts
  }
}

/** FNV-1a over UTF-16 code units: names a stream, nothing more. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h | 0
}
