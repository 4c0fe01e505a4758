/** UTF-8 without a host: this package runs where TextEncoder does not. */

const REPLACEMENT = 0xfffd

/** The bytes of `text`, at most `bytesMax` and never half a character; lone surrogates become U+FFFD. */
export function utf8(text: string, bytesMax = 65_532): Uint8Array {
  const out = new Uint8Array(Math.min(text.length * 3, bytesMax))
  let at = 0
  for (const char of text) {
    let code = char.codePointAt(0)!
    if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT
    const length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (at + length > bytesMax) break
    if (length === 1) {
      out[at++] = code
      continue
    }
    out[at] = (0xf00 >> length) | (code >> (6 * (length - 1)))
    for (let i = 1; i < length; i++) out[at + i] = 0x80 | ((code >> (6 * (length - 1 - i))) & 63)
    at += length
  }
  return out.subarray(0, at)
}

/** The text of bytes [start, end); what is no UTF-8 becomes U+FFFD, a byte at a time. */
export function fromUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = ""
  for (let at = start; at < end;) {
    const first = bytes[at]!
    const length = lengthOf(first)
    let code = length === 1 ? first : first & (0x7f >> length)
    let whole = length > 0 && at + length <= end
    for (let i = 1; whole && i < length; i++) {
      const byte = bytes[at + i]!
      whole = (byte & 0xc0) === 0x80
      code = (code << 6) | (byte & 63)
    }
    // Overlong forms, surrogates and what is beyond Unicode are no characters.
    if (length === 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) whole = false
    if (length === 4 && (code < 0x10000 || code > 0x10ffff)) whole = false
    text += String.fromCodePoint(whole ? code : REPLACEMENT)
    at += whole ? length : 1
  }
  return text
}

/** How many bytes the character has that begins with this one; 0 if none does. */
function lengthOf(first: number): number {
  if (first < 0x80) return 1
  return first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
}
