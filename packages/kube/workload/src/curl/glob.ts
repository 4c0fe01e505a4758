/**
 * URL globbing (src/tool_urlglob.c of curl 8.14): `{a,b}` and `[1-3]`, `[01-10:3]`, `[a-z]`, the last one
 * running fastest. A backslash keeps a brace; an IPv6 literal and `[]` are no ranges. The columns of its
 * messages are curl's, which stop counting over an IPv6 literal.
 */
import { family, parse as parseIp } from "@podwire/wire/ip"

/** What stands at one place: one text, or the choices of a glob. */
interface Part {
  readonly choices: ReadonlyArray<string>
  /** Counts `#1`, `#2` … in a file's name; 0 is literal text. */
  readonly index: number
}

export interface GlobMatch {
  readonly url: string
  /** What each glob stood for, from `#1` on. */
  readonly chosen: ReadonlyArray<string>
}

const CHOICES_MAX = 1_000_000

/** Every URL that the pattern means, or curl's message. */
export function expandGlob(pattern: string): ReadonlyArray<GlobMatch> | string {
  const parts = new GlobParser(pattern).parse()
  if (typeof parts === "string") return parts
  const amount = parts.reduce((product, part) => product * part.choices.length, 1)
  if (amount > CHOICES_MAX) return "range overflow"
  let matches: Array<GlobMatch> = [{ url: "", chosen: [] }]
  for (const part of parts) {
    matches = matches.flatMap((match) =>
      part.choices.map((choice) => ({
        url: match.url + choice,
        chosen: part.index === 0 ? match.chosen : [...match.chosen, choice]
      }))
    )
  }
  return matches
}

/** `#1` … of an output file's name. */
export function fillName(name: string, chosen: ReadonlyArray<string>): string {
  return name.replace(/#(\d+)/g, (text, number) => chosen[Number(number) - 1] ?? text)
}

class GlobParser {
  readonly #pattern: string
  #at = 0
  /** The column, from 1, of a message. */
  #column = 1

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  parse(): ReadonlyArray<Part> | string {
    const parts: Array<Part> = []
    let index = 0
    while (this.#at < this.#pattern.length) {
      const text = this.#literal()
      if (text === null) return this.#error("unmatched close brace/bracket", this.#column)
      if (text !== "") {
        parts.push({ choices: [text], index: 0 })
        continue
      }
      const isSet = this.#pattern[this.#at] === "{"
      this.#at++
      this.#column++
      const choices = isSet ? this.#set() : this.#range()
      if (typeof choices === "string") return choices
      parts.push({ choices, index: ++index })
    }
    return parts
  }

  #literal(): string | null {
    let text = ""
    while (this.#at < this.#pattern.length) {
      const rest = this.#pattern.slice(this.#at)
      if (rest.startsWith("{")) break
      if (rest.startsWith("[")) {
        const plain = /^\[\]/.exec(rest)?.[0] ?? literal6(rest)
        if (plain === null) break
        text += plain
        this.#at += plain.length
        continue
      }
      if (rest.startsWith("}") || rest.startsWith("]")) return null
      if (/^\\[{}[\]]/.test(rest)) this.#step()
      text += this.#step()
    }
    return text
  }

  #set(): ReadonlyArray<string> | string {
    const opened = this.#column - 1
    const first = this.#at
    const choices: Array<string> = []
    let text = ""
    for (;;) {
      const char = this.#pattern[this.#at]
      if (char === undefined) return this.#error("unmatched brace", opened)
      if (char === "{" || char === "[") return this.#error("nested brace", this.#column)
      if (char === "]") return this.#error("unexpected close bracket", this.#column)
      if (char === "}" || char === ",") {
        if (char === "}" && this.#at === first) return this.#error("empty string within braces", this.#column)
        choices.push(text)
        text = ""
        this.#at++
        if (char === "}") return choices
        this.#column++
        continue
      }
      if (char === "\\" && this.#at + 1 < this.#pattern.length) this.#step()
      text += this.#step()
    }
  }

  #range(): ReadonlyArray<string> | string {
    const rest = this.#pattern.slice(this.#at)
    if (/^[a-zA-Z]/.test(rest)) return this.#letters(rest)
    if (!/^\d/.test(rest)) return this.#error("bad range specification", this.#column)
    // As much as was understood is where the message points.
    const [whole, least, most, colon, step, end] = /^(\d+)(?:- *(?:(\d+)(?:(:)(\d*))?(\])?)?)?/.exec(rest)!
    const min = Number(least)
    const max = Number(most)
    const by = colon === undefined ? 1 : Number(step)
    this.#column += whole.length
    const isWhole = end !== undefined && most !== undefined
    if (!isWhole || !fits(min, max, by)) return this.#error("bad range", this.#column)
    this.#at += whole.length
    const width = least!.startsWith("0") ? least!.length : 0
    const choices: Array<string> = []
    for (let n = min; n <= max && choices.length <= CHOICES_MAX; n += by) {
      choices.push(String(n).padStart(width, "0"))
    }
    return choices
  }

  #letters(rest: string): ReadonlyArray<string> | string {
    const match = /^([a-zA-Z])-(.)(?:\]|:(\d*)(\])?)/s.exec(rest)
    const min = rest.charCodeAt(0)
    const max = match === null ? 0 : match[2]!.charCodeAt(0)
    const by = match === null ? 0 : match[3] === undefined ? 1 : match[4] === undefined ? 0 : Number(match[3])
    if (match !== null) this.#column += match[0].length
    if (match === null || max - min > 25 || !fits(min, max, by)) return this.#error("bad range", this.#column)
    this.#at += match[0].length
    const choices: Array<string> = []
    for (let code = min; code <= max; code += by) choices.push(String.fromCharCode(code))
    return choices
  }

  #step(): string {
    this.#column++
    return this.#pattern[this.#at++]!
  }

  #error(what: string, column: number): string {
    return `${what} in URL position ${column}:\n${this.#pattern}\n${" ".repeat(column - 1)}^`
  }
}

function fits(min: number, max: number, by: number): boolean {
  return min === max ? by === 1 : by > 0 && min < max && by <= max - min
}

/** An IPv6 literal with its brackets at the front, or null. */
function literal6(text: string): string | null {
  const [whole, inside] = /^\[([^\]]*)\]/.exec(text) ?? []
  if (whole === undefined) return null
  const ip = parseIp(inside!.replace(/%.*$/s, ""))
  return ip !== null && family(ip) === 6 ? whole : null
}
