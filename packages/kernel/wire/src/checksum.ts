/**
 * The Internet checksum (RFC 1071): one's complement sums of 16-bit words, and its update by
 * difference (RFC 1624, equation 3), so that a changed field does not cost a pass over the packet.
 * Sums are kept folded to 16 bits; `finish` complements.
 */
import { get16, get32 } from "./bytes.ts"

/** The sum of [at, end), added to `initial`; an odd last byte counts as the high half of a word. */
export function sum(bytes: Uint8Array, at: number, end: number, initial = 0): number {
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

/** IPv6's pseudo header (RFC 8200, section 8.1); the addresses are read from `bytes`. */
export function pseudo6(
  bytes: Uint8Array, srcAt: number, dstAt: number, protocol: number, lengthBytes: number
): number {
  let total = protocol + (lengthBytes >>> 16) + (lengthBytes & 0xffff)
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

/** Totals here stay below 2^31: at most 32,768 words of 16 bits. */
function fold(total: number): number {
  let folded = (total & 0xffff) + (total >>> 16)
  folded = (folded & 0xffff) + (folded >>> 16)
  return folded
}
