/**
 * JSON values one after another, as encoding/json's Decoder reads a stream, with the place of everything.
 * Strict RFC 8259, and beyond Go: a key twice in one object is an error, as the API server's strict field
 * validation has it. Half of a surrogate pair becomes U+FFFD, as in Go.
 */
import type { Path } from "./problem.ts"
import { narrow, TOO_MANY_DIGITS } from "./scalar.ts"
import { DEPTH_MAX, type Entry, listTree, mappingTree, scalarTree, type Tree } from "./tree.ts"

export interface Fault {
  readonly at: number
  readonly path?: Path
  readonly what: string
  readonly found?: string
  readonly expected?: string
  readonly remedy?: string
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y
/** Up to the next quote, escape or control character. */
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y
const SPACE = /[ \t\r\n]*/y
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t"
}
const WORDS: ReadonlyArray<readonly [string, boolean | null]> = [
  ["true", true],
  ["false", false],
  ["null", null]
]

/** Thrown and caught within this file only. */
class Stop extends Error {
  readonly fault: Fault
  constructor(fault: Fault) {
    super(fault.what)
    this.fault = fault
  }
}

export class JsonReader {
  readonly #text: string
  readonly #end: number
  #at: number
  /** Keys written twice, numbers out of range: no faults of the syntax, so reading goes on. */
  readonly faults: Array<Fault> = []
  readonly #path: Array<string | number> = []

  constructor(text: string, start: number, end: number) {
    this.#text = text
    this.#at = start
    this.#end = end
  }

  get at(): number {
    return this.#at
  }

  /** The next value, null at the end, or what is wrong (then `at` stays before the value). */
  next(): Tree | null | Fault {
    this.#skip()
    const start = this.#at
    if (start >= this.#end) return null
    try {
      return this.#value(1)
    } catch (error) {
      this.#at = start
      this.#path.length = 0
      if (error instanceof Stop) return error.fault
      throw error
    }
  }

  #value(depth: number): Tree {
    const at = this.#at
    const c = this.#peek()
    if (c === "{") return this.#object(depth)
    if (c === "[") return this.#array(depth)
    if (c === '"') return scalarTree(at, this.#string())
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, at)) {
        this.#at += word.length
        return scalarTree(at, value)
      }
    }
    const digits = this.#match(NUMBER)
    if (digits === "") throw this.#unexpected("a JSON value")
    if (/^-?\d+$/.test(digits) && digits.length < 400) {
      const whole = narrow(BigInt(digits))
      if (typeof whole === "number") return scalarTree(at, whole)
      this.faults.push({
        path: [...this.#path],
        at,
        what: TOO_MANY_DIGITS,
        found: digits,
        remedy: "put it in quotes if its text is meant"
      })
      return scalarTree(at, 0)
    }
    const value = Number(digits)
    if (!Number.isFinite(value))
      this.faults.push({
        path: [...this.#path],
        at,
        what: "the number does not fit a double",
        found: digits.slice(0, 40)
      })
    return scalarTree(at, value === 0 ? 0 : value)
  }

  #object(depth: number): Tree {
    const at = this.#open(depth)
    const entries = new Map<string, Entry>()
    if (this.#peek() === "}") this.#at++
    else {
      for (;;) {
        const keyAt = this.#at
        if (this.#peek() !== '"') throw this.#unexpected("a key in double quotes")
        const key = this.#string()
        this.#skip()
        if (this.#peek() !== ":") throw this.#unexpected("a colon")
        this.#at++
        this.#skip()
        this.#path.push(key)
        const tree = this.#value(depth + 1)
        this.#path.pop()
        if (entries.has(key))
          this.faults.push({
            path: [...this.#path],
            at: keyAt,
            what: duplicateKey(key),
            remedy: "keep one of them"
          })
        entries.set(key, { keyAt, tree })
        if (!this.#more("}")) break
      }
    }
    return mappingTree(at, entries)
  }

  #array(depth: number): Tree {
    const at = this.#open(depth)
    const items: Array<Tree> = []
    if (this.#peek() === "]") this.#at++
    else {
      do {
        this.#path.push(items.length)
        items.push(this.#value(depth + 1))
        this.#path.pop()
      } while (this.#more("]"))
    }
    return listTree(at, items)
  }

  #open(depth: number): number {
    if (depth > DEPTH_MAX) throw new Stop({ at: this.#at, what: tooDeep() })
    const at = this.#at++
    this.#skip()
    return at
  }

  #more(close: string): boolean {
    this.#skip()
    const c = this.#peek()
    if (c !== "," && c !== close) throw this.#unexpected(`a comma or ${close}`)
    this.#at++
    if (c === close) return false
    this.#skip()
    return true
  }

  #string(): string {
    const start = this.#at++
    let text = this.#match(PLAIN_TEXT)
    while (this.#peek() === "\\") {
      const at = this.#at
      const letter = this.#text[at + 1] ?? ""
      if (letter === "u") {
        const hex = this.#text.slice(at + 2, at + 6)
        if (!/^[\da-fA-F]{4}$/.test(hex)) throw new Stop({ at, what: "an escape that JSON does not have" })
        text += String.fromCharCode(parseInt(hex, 16))
        this.#at += 6
      } else {
        const character = ESCAPES[letter]
        if (character === undefined) throw new Stop({ at, what: "an escape that JSON does not have" })
        text += character
        this.#at += 2
      }
      text += this.#match(PLAIN_TEXT)
    }
    if (this.#at >= this.#end)
      throw new Stop({ at: start, what: "the string does not end", remedy: 'close it with "' })
    if (this.#peek() !== '"')
      throw new Stop({
        at: this.#at,
        what: "a line break or tab within a JSON string",
        remedy: "write \\n or \\t"
      })
    this.#at++
    return text.toWellFormed()
  }

  #peek(): string {
    return this.#at < this.#end ? this.#text[this.#at]! : ""
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ""
    const text = this.#at + found.length > this.#end ? found.slice(0, this.#end - this.#at) : found
    this.#at += text.length
    return text
  }

  #skip(): void {
    this.#match(SPACE)
  }

  #unexpected(expected: string): Stop {
    const code = this.#text.codePointAt(this.#at)
    const found =
      this.#at >= this.#end || code === undefined
        ? "the end of the document"
        : JSON.stringify(String.fromCodePoint(code))
    return new Stop({ at: this.#at, what: "", found, expected })
  }
}

export function duplicateKey(key: string): string {
  return `the key ${JSON.stringify(key)} is already set in this mapping`
}

export function tooDeep(): string {
  return `nested more than ${DEPTH_MAX} levels deep`
}
