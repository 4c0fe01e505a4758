/**
 * The Internet checksum (RFC 1071): one's complement sums of 16-bit words, and its update by
 * difference (RFC 1624, equation 3), so that a changed field does not cost a pass over the packet.
 * Sums are kept folded to 16 bits; `finish` complements.
 */
import { get16, get32 } from "./bytes.ts"

/** Whether this host's first byte of a word is its lowest. */
const LITTLE = new Uint8Array(Int32Array.of(1).buffer)[0] === 1
/** Of a word in memory: what stays when 0 to 3 bytes at its start go, and when only 0 to 3 at its start stay. */
const FROM = LITTLE ? [-1, 0xffff_ff00 | 0, 0xffff_0000 | 0, 0xff00_0000 | 0] : [-1, 0xff_ffff, 0xffff, 0xff]
const UPTO = LITTLE ? [0, 0xff, 0xffff, 0xff_ffff] : [0, 0xff00_0000 | 0, 0xffff_0000 | 0, 0xffff_ff00 | 0]

/**
 * The sum of [at, end), added to `initial`; an odd last byte counts as the high half of a word. `words` is the same
 * buffer by words, where that is at hand: then it takes a third of the time.
 */
export function sum(bytes: Uint8Array, at: number, end: number, initial = 0, words?: Int32Array): number {
  if (words !== undefined) return sumWords(words, at, end, initial)
  let total = initial
  let i = at
  // Sixteen words at a time stay far below 2^31, so the loop folds only between blocks.
  for (; i + 32 <= end; i += 32) {
    let block = 0
    for (let k = i; k < i + 32; k += 4) {
      block += ((bytes[k]! << 8) | bytes[k + 1]!) + ((bytes[k + 2]! << 8) | bytes[k + 3]!)
    }
    total += block
  }
  for (; i + 2 <= end; i += 2) total += (bytes[i]! << 8) | bytes[i + 1]!
  if (i < end) total += bytes[i]! << 8
  return fold(total)
}

/**
 * The same over a view by words; `at` and `end` are in bytes and need not be even. A sum does not mind the order of
 * bytes (RFC 1071, section 2.B): halves are added as this host reads them, and the result swapped if that was wrong,
 * or if the first byte was in the wrong half.
 */
export function sumWords(words: Int32Array, at: number, end: number, initial = 0): number {
  if (at >= end) return fold(initial)
  let low = 0
  let high = 0
  let i = at >> 2
  const whole = end >> 2
  if ((at & 3) !== 0) {
    let word = words[i]! & FROM[at & 3]!
    if (i === whole) word &= UPTO[end & 3]!
    low = word & 0xffff
    high = word >>> 16
    i++
  }
  for (; i < whole; i++) {
    const word = words[i]!
    low += word & 0xffff
    high += word >>> 16
  }
  if (i === whole && (end & 3) !== 0) {
    const word = words[i]! & UPTO[end & 3]!
    low += word & 0xffff
    high += word >>> 16
  }
  const total = fold(low + high)
  const swapped = LITTLE === ((at & 1) === 0)
  return fold((swapped ? ((total & 0xff) << 8) | (total >>> 8) : total) + initial)
}

/** What goes into the header. */
export function finish(total: number): number {
  return ~fold(total) & 0xffff
}

/** IPv4's pseudo header (RFC 9293, section 3.1). */
export function pseudo4(src: number, dst: number, protocol: number, lengthBytes: number): number {
  return fold(
    (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + protocol + lengthBytes
  )
}

/** IPv6's pseudo header (RFC 8200, section 8.1); the addresses are read from `bytes`, or `words` over the same. */
export function pseudo6(
  bytes: Uint8Array, srcAt: number, dstAt: number, protocol: number, lengthBytes: number, words?: Int32Array
): number {
  let total = protocol + (lengthBytes >>> 16) + (lengthBytes & 0xffff)
  if (words !== undefined && dstAt === srcAt + 16) return sumWords(words, srcAt, dstAt + 16, total)
  for (let i = 0; i < 16; i += 2) total += get16(bytes, srcAt + i) + get16(bytes, dstAt + i)
  return fold(total)
}

/** The checksum after one 16-bit word went from `before` to `after`. */
export function replace16(checksum: number, before: number, after: number): number {
  return ~fold((~checksum & 0xffff) + (~before & 0xffff) + after) & 0xffff
}

/** The checksum after one 32-bit word went from `before` to `after`. */
export function replace32(checksum: number, before: number, after: number): number {
  const total = (~checksum & 0xffff) + (~(before >>> 16) & 0xffff) + (~before & 0xffff) +
    (after >>> 16) + (after & 0xffff)
  return ~fold(total) & 0xffff
}

/** The word at `at`, for callers that sum by hand. */
export function word(bytes: Uint8Array, at: number): number {
  const value = get32(bytes, at)
  return (value >>> 16) + (value & 0xffff)
}

/** Totals here stay below 2^32: at most 65,536 words of 16 bits. */
function fold(total: number): number {
  let folded = (total & 0xffff) + (total >>> 16)
  folded = (folded & 0xffff) + (folded >>> 16)
  return folded
}
