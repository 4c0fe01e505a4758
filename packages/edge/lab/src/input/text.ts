/**
 * Bytes of a file → characters with places. UTF-8 with or without a byte order mark, UTF-16 with one, as
 * kubectl reads (cli-runtime `FileVisitor`). Invalid UTF-8, NUL and other control characters are errors with
 * their place; kubectl replaces invalid UTF-8 with U+FFFD, which would change names in silence.
 *
 * Invariant: an offset into `text` is an offset into what the user sees, less a byte order mark.
 * Not supported: UTF-16 without a mark; U+0085, U+2028 and U+2029 are characters, not line breaks.
 */
import { makeProblem, type Place, type Problem } from "./problem.ts"

/** What YAML's reader refuses (go-yaml readerc.go), also within JSON. */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/

export class Text {
  readonly file: string
  readonly text: string
  #lineStarts: ReadonlyArray<number> | null = null
  #last = { start: 0, offset: 0, column: 1 }

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
  }

  placeAt(offset: number): Place {
    const starts = (this.#lineStarts ??= lineStarts(this.text))
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    // Problems come mostly in order: a line of a megabyte must not be counted from its start for each.
    const ahead = this.#last.start === starts[low] && this.#last.offset <= offset
    let { offset: at, column } = ahead ? this.#last : { offset: starts[low]!, column: 1 }
    for (; at < offset; at++) {
      const unit = this.text.charCodeAt(at)
      if (unit >= 0xd800 && unit < 0xdc00 && at + 1 < offset) at++
      column++
    }
    this.#last = { start: starts[low]!, offset: at, column }
    return { line: low + 1, column }
  }
}

export function decodeText(file: string, content: string | Uint8Array): Text | Problem {
  const decoded = typeof content === "string" ? content : decode(file, content)
  if (typeof decoded !== "string") return decoded
  const unmarked = decoded.startsWith("\ufeff") ? decoded.slice(1) : decoded
  // A lone carriage return is a line break to YAML; both are one character long.
  const text = new Text(file, /\r(?!\n)/.test(unmarked) ? unmarked.replace(/\r(?!\n)/g, "\n") : unmarked)
  const bad = FORBIDDEN.exec(text.text)
  if (bad !== null) {
    const code = bad[0].charCodeAt(0)
    return makeProblem(file, text.placeAt(bad.index), [], {
      what: "control characters are not allowed",
      found: code === 0 ? "a NUL byte" : codePoint(code),
      remedy:
        code === 0 ? "is this a text file in UTF-8?" : "remove it, or write it as an escape in double quotes"
    })
  }
  if (!text.text.isWellFormed()) {
    const at = text.text.search(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/)
    return makeProblem(file, text.placeAt(at), [], {
      what: "half of a surrogate pair is no character",
      found: codePoint(text.text.charCodeAt(at)),
      remedy: "save the file as UTF-8"
    })
  }
  return text
}

function decode(file: string, bytes: Uint8Array): string | Problem {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16(bytes, true)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return utf16(bytes, false)
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const at = firstInvalid(bytes)
    const before = new TextDecoder().decode(bytes.subarray(0, at)).replace(/\r(?!\n)/g, "\n")
    return makeProblem(file, new Text(file, before).placeAt(before.length), [], {
      what: "invalid UTF-8",
      found: `byte 0x${bytes[at]!.toString(16).padStart(2, "0")}`,
      remedy: "save the file as UTF-8"
    })
  }
}

function utf16(bytes: Uint8Array, little: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const pieces: Array<string> = []
  for (let at = 0; at + 1 < bytes.length; at += 8192) {
    const units: Array<number> = []
    for (let i = at; i + 1 < bytes.length && i < at + 8192; i += 2) units.push(view.getUint16(i, little))
    pieces.push(String.fromCharCode(...units))
  }
  return pieces.join("") + (bytes.length % 2 === 1 ? "\ud800" : "")
}

/** The first byte of the first ill-formed sequence (Unicode 15, table 3-7); the bytes hold one. */
function firstInvalid(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length) {
    const lead = bytes[at]!
    const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
    if (length === 0) return at
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    for (let i = 1; i < length; i++) {
      const byte = bytes[at + i] ?? 0
      if (byte < (i === 1 ? low : 0x80) || byte > (i === 1 ? high : 0xbf)) return at
    }
    at += length
  }
  return Math.max(0, bytes.length - 1)
}

function lineStarts(text: string): ReadonlyArray<number> {
  const starts = [0]
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  return starts
}

function codePoint(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`
}
