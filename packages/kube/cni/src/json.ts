/**
 * JSON text as Go's encoding/json reads and writes it: its words for what is wrong, its four spaces and its
 * escapes for HTML. Plugins talk JSON with programs written in Go, and people search for those words.
 * Not supported: Go's case-insensitive keys (`CNIVersion` is not `cniVersion`), repair of lone surrogates.
 */

export type Json = null | boolean | number | string | ReadonlyArray<Json> | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

const DEPTH_MAX = 1000
const END = "unexpected end of JSON input"

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Go's name for the kind of a value. */
export function kindOf(value: unknown): string {
  return value === null || value === undefined ? "null" : typeof value === "boolean" ? "bool"
    : Array.isArray(value) ? "array" : typeof value
}

/** The value, or what is wrong with the text. */
export function parse(text: string): { readonly value: Json } | string {
  const scanner = new Scanner(text)
  try {
    return { value: scanner.whole() }
  } catch (error) {
    if (error instanceof SyntaxProblem) return error.text
    throw error
  }
}

/** json.MarshalIndent(value, "", "    ") */
export function print(value: Json, indent = ""): string {
  const deeper = `${indent}    `
  if (Array.isArray(value)) {
    const items = (value as ReadonlyArray<Json>).map((item) => deeper + print(item, deeper))
    return items.length === 0 ? "[]" : `[\n${items.join(",\n")}\n${indent}]`
  }
  if (isObject(value)) {
    const items = Object.keys(value).map((key) => `${deeper}${quote(key)}: ${print(value[key]!, deeper)}`)
    return items.length === 0 ? "{}" : `{\n${items.join(",\n")}\n${indent}}`
  }
  return scalar(value as null | boolean | number | string)
}

/** json.Marshal */
export function compact(value: Json): string {
  if (Array.isArray(value)) return `[${(value as ReadonlyArray<Json>).map(compact).join(",")}]`
  if (isObject(value)) {
    return `{${Object.keys(value).map((key) => `${quote(key)}:${compact(value[key]!)}`).join(",")}}`
  }
  return scalar(value as null | boolean | number | string)
}

function scalar(value: null | boolean | number | string): string {
  return typeof value === "string" ? quote(value) : String(value)
}

function quote(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, escape)
}

function escape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
}

/** What Go calls a value of %q: for the characters that names have, JSON's form. */
export function goQuote(text: string): string {
  return JSON.stringify(text)
}

/** %q of a list */
export function goQuoteList(texts: ReadonlyArray<string>): string {
  return `[${texts.map(goQuote).join(" ")}]`
}

class SyntaxProblem {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): Json {
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) this.#wrong("after top-level value")
    return value
  }

  #value(depth: number): Json {
    this.#space()
    if (depth > DEPTH_MAX) throw new SyntaxProblem("exceeded max depth")
    const char = this.#peek()
    if (char === "{") return this.#object(depth)
    if (char === "[") return this.#array(depth)
    if (char === "\"") return this.#string()
    if (char === "t") return this.#literal("true", true)
    if (char === "f") return this.#literal("false", false)
    if (char === "n") return this.#literal("null", null)
    if (char === "-" || isDigit(char)) return this.#number()
    return this.#wrong("looking for beginning of value")
  }

  #object(depth: number): Json {
    const object: { [key: string]: Json } = Object.create(null)
    this.#at++
    this.#space()
    if (this.#peek() === "}") {
      this.#at++
      return object
    }
    for (;;) {
      this.#space()
      if (this.#peek() !== "\"") this.#wrong("looking for beginning of object key string")
      const key = this.#string()
      this.#space()
      if (this.#peek() !== ":") this.#wrong("after object key")
      this.#at++
      object[key] = this.#value(depth + 1)
      this.#space()
      const char = this.#peek()
      if (char !== "," && char !== "}") this.#wrong("after object key:value pair")
      this.#at++
      if (char === "}") return object
    }
  }

  #array(depth: number): Json {
    const items: Array<Json> = []
    this.#at++
    this.#space()
    if (this.#peek() === "]") {
      this.#at++
      return items
    }
    for (;;) {
      items.push(this.#value(depth + 1))
      this.#space()
      const char = this.#peek()
      if (char !== "," && char !== "]") this.#wrong("after array element")
      this.#at++
      if (char === "]") return items
    }
  }

  #string(): string {
    const start = this.#at++
    for (;;) {
      const char = this.#peek()
      if (char === "\"") break
      if (char < " ") this.#wrong("in string literal")
      this.#at++
      if (char !== "\\") continue
      const escaped = this.#look()
      if (!"\"\\/bfnrtu".includes(escaped)) this.#wrong("in string escape code")
      this.#at++
      for (let i = 0; escaped === "u" && i < 4; i++, this.#at++) {
        if (!/[0-9a-fA-F]/.test(this.#look())) this.#wrong("in \\u hexadecimal character escape")
      }
    }
    this.#at++
    return JSON.parse(this.#text.slice(start, this.#at)) as string
  }

  #number(): number {
    const start = this.#at
    if (this.#look() === "-") this.#at++
    if (this.#look() === "0") this.#at++
    else this.#digits("in numeric literal")
    if (this.#text[this.#at] === ".") {
      this.#at++
      this.#digits("after decimal point in numeric literal")
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      this.#at++
      if (this.#look() === "+" || this.#look() === "-") this.#at++
      this.#digits("in exponent of numeric literal")
    }
    return Number(this.#text.slice(start, this.#at))
  }

  #digits(where: string): void {
    if (!isDigit(this.#look())) this.#wrong(where)
    while (this.#at < this.#text.length && isDigit(this.#text[this.#at]!)) this.#at++
  }

  #literal<A>(word: string, value: A): A {
    for (let i = 0; i < word.length; i++, this.#at++) {
      if (this.#look() !== word[i]) this.#wrong(`in literal ${word} (expecting '${word[i]}')`)
    }
    return value
  }

  #space(): void {
    while (this.#at < this.#text.length && " \t\r\n".includes(this.#text[this.#at]!)) this.#at++
  }

  #peek(): string {
    if (this.#at >= this.#text.length) throw new SyntaxProblem(END)
    return this.#text[this.#at]!
  }

  /** Behind the end Go sees a space, which is wrong inside a number, a word or an escape. */
  #look(): string {
    return this.#text[this.#at] ?? " "
  }

  #wrong(where: string): never {
    const code = this.#text.codePointAt(this.#at) ?? 0x20
    throw new SyntaxProblem(`invalid character ${quoteChar(code)} ${where}`)
  }
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9"
}

/** Go looks at bytes: of a character beyond ASCII it names the first byte of its UTF-8. */
function quoteChar(code: number): string {
  if (code === 0x27) return "'\\''"
  if (code === 0x22) return "'\"'"
  const byte = code < 0x80 ? code : code < 0x800 ? 0xc0 | (code >> 6)
    : code < 0x10000 ? 0xe0 | (code >> 12) : 0xf0 | (code >> 18)
  const named = "\\a\\b\\t\\n\\v\\f\\r".slice(2 * (byte - 7), 2 * (byte - 7) + 2)
  if (byte >= 7 && byte <= 13) return `'${named}'`
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, "0")}'`
  return byte === 0x5c ? "'\\\\'" : `'${String.fromCharCode(byte)}'`
}
