/**
 * Big-endian reads and writes, and the text conversions that ES lacks without a host.
 * Callers have checked their bounds: nothing here throws, reads past the end give zeros.
 */

export function get16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

export function set16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

/** As a signed 32-bit integer: an address or a word, not a count. `>>> 0` makes it a count. */
export function get32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

export function set32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

export function copy(to: Uint8Array, toAt: number, from: Uint8Array, fromAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[fromAt + i]!
}

export function fill(bytes: Uint8Array, at: number, count: number, value: number): void {
  bytes.fill(value, at, at + count)
}

/** One character a byte (ISO 8859-1). */
export function latin1(bytes: Uint8Array, at: number, end: number): string {
  let text = ""
  for (let i = at; i < end; i++) text += String.fromCharCode(bytes[i]!)
  return text
}

/** Characters above 0xff lose their high bits. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** UTF-8 (RFC 3629); a lone surrogate becomes U+FFFD, as TextEncoder does it. */
export function utf8Encode(text: string): Uint8Array {
  const out = new Uint8Array(text.length * 3)
  let at = 0
  for (const char of text) {
    let code = char.codePointAt(0)!
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd
    if (code < 0x80) out[at++] = code
    else {
      const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3
      out[at++] = ((0xff00 >> (more + 1)) & 0xff) | (code >> (6 * more))
      for (let shift = more - 1; shift >= 0; shift--) out[at++] = 0x80 | ((code >> (6 * shift)) & 0x3f)
    }
  }
  return out.slice(0, at)
}

/** UTF-8 to text; every malformed byte becomes U+FFFD. */
export function utf8Decode(bytes: Uint8Array, at: number, end: number): string {
  let text = ""
  for (let i = at; i < end;) {
    const first = bytes[i]!
    const more = first < 0x80 ? 0 : first >= 0xc2 && first < 0xe0 ? 1
      : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : -1
    let code = more <= 0 ? first : first & (0x3f >> more)
    let good = more >= 0 && i + more < end
    for (let k = 1; good && k <= more; k++) {
      const next = bytes[i + k]!
      if ((next & 0xc0) !== 0x80) good = false
      code = (code << 6) | (next & 0x3f)
    }
    const least = more === 2 ? 0x800 : more === 3 ? 0x10000 : 0
    if (good && (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))) good = false
    text += good ? String.fromCodePoint(code) : "\ufffd"
    i += good ? more + 1 : 1
  }
  return text
}

export function hex(bytes: Uint8Array, at = 0, end = bytes.length): string {
  let text = ""
  for (let i = at; i < end; i++) text += bytes[i]!.toString(16).padStart(2, "0")
  return text
}

/** Bytes from hexadecimal digits; anything else between them is skipped. */
export function unhex(text: string): Uint8Array {
  const digits = text.replace(/[^0-9a-fA-F]/g, "")
  const bytes = new Uint8Array(digits.length >> 1)
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16)
  return bytes
}
