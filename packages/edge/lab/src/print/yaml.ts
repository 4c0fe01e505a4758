/**
 * Objects as `kubectl -o yaml` prints them (go.yaml.in/yaml/v2 through sigs.k8s.io/yaml): keys in natural
 * order, lists at their key's own indent, lines folded behind column 80, a string quoted when a reader would
 * take it for something else. What is printed here, our own reader reads back equal.
 * Approximated: characters that go-yaml prints raw although readers fold them (U+0085, U+2028) are escaped.
 */
import { plain as resolve } from "../input/scalar.ts"

const FOLD_COLUMN = 80
const STEP = 2
const DATE = /^\d{4}-\d{1,2}-\d{1,2}([Tt ]\s*\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?\s*(Z|[-+]\d{1,2}(:\d{2})?)?)?$/
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/

export function toYaml(value: unknown): string {
  return isEmpty(value) || typeof value !== "object" || value === null ? `${inline(value, 0, 0)}\n`
    : block(value, 0)
}

/** A mapping or sequence, whole lines. */
function block(value: object, indent: number): string {
  const margin = " ".repeat(indent)
  if (Array.isArray(value)) {
    return value.map((item: unknown) => {
      if (isEmpty(item) || typeof item !== "object" || item === null) {
        return `${margin}- ${inline(item, indent, indent + 2)}\n`
      }
      return `${margin}- ${block(item, indent + STEP).slice(indent + STEP)}`
    }).join("")
  }
  return Object.entries(value).filter(
    ([, child]) => child !== undefined
  ).sort(([a], [b]) => natural(a, b)).map(([key, child]: [string, unknown]) => {
    const shown = keyText(key, margin)
    const lead = `${margin}${shown}:`
    if (typeof child === "object" && child !== null && !isEmpty(child)) {
      return `${lead}\n${block(child, Array.isArray(child) ? indent : indent + STEP)}`
    }
    return `${lead} ${inline(child, indent, lead.length + 1)}\n`
  }).join("")
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((child) => child === undefined)
}

function keyText(key: string, margin: string): string {
  const text = key.includes("\n") ? doubleQuoted(key, null, 0) : inline(key, null, 0)
  // More than 128 octets make no simple key (yaml_emitter_check_simple_key).
  return text.length > 128 ? `? ${text}\n${margin}` : text
}

/** `indent` is the container's; null where lines cannot be folded. */
function inline(value: unknown, indent: number | null, column: number): string {
  if (Array.isArray(value)) return "[]"
  if (typeof value === "object" && value !== null) return "{}"
  if (typeof value !== "string") return value === null ? "null" : numberText(value)
  const facts = analyse(value)
  if (value.includes("\n")) {
    return facts.block && indent !== null ? literal(value, indent) : doubleQuoted(value, indent, column)
  }
  if (!readsAsString(value)) return doubleQuoted(value, indent, column)
  if (facts.plain) return folded(value, indent, column, false)
  return facts.single
    ? `'${folded(value.replaceAll("'", "''"), indent, column + 1, true)}'`
    : doubleQuoted(value, indent, column)
}

function numberText(value: unknown): string {
  return String(value)
}

function readsAsString(text: string): boolean {
  return typeof resolve(text) === "string" && !DATE.test(text) && !BASE_60.test(text)
}

/** yaml_emitter_analyze_scalar. */
function analyse(
  text: string
): { readonly plain: boolean; readonly single: boolean; readonly block: boolean } {
  const special = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text)
  const leading = /^[ \n]/.test(text)
  const trailing = /[ \n]$/.test(text)
  const breakSpace = /\n /.test(text)
  const spaceBreak = / \n/.test(text)
  const indicator = /^(---|\.\.\.)/.test(text) || /^[#,[\]{}&*!|>'"%@`]/.test(text) ||
    /^[?:-]([ \n\t]|$)/.test(text) ||
    /:([ \n\t]|$)/.test(text) || /(^|[ \n\t])#/.test(text)
  const open = !special && !spaceBreak
  return {
    plain: open && !leading && !trailing && !indicator && !text.includes("\n") && text !== "",
    single: open && !breakSpace,
    block: open && !/ $/.test(text)
  }
}

/** A break for a single space behind the column; the space before it was none. */
function folded(text: string, indent: number | null, from: number, quoted: boolean): string {
  if (indent === null) return text
  const margin = " ".repeat(indent + STEP)
  let column = from
  let out = ""
  for (let i = 0; i < text.length; i++) {
    const inside = i > 0 && i < text.length - 1
    if (text[i] === " " && text[i - 1] !== " " && text[i + 1] !== " " && column > FOLD_COLUMN &&
      (inside || !quoted)) {
      out += `\n${margin}`
      column = margin.length
    } else {
      out += text[i]
      column++
    }
  }
  return out
}

function literal(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? String(STEP) : ""
  const chomp = !text.endsWith("\n") ? "-" : text === "\n" || text.endsWith("\n\n") ? "+" : ""
  const margin = " ".repeat(indent + STEP)
  const body = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n")
    .map((line) => (line === "" ? "" : margin + line)).join("\n")
  return `|${hint}${chomp}\n${body}`
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0", "\x07": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r",
  "\x1b": "\\e", '"': '\\"',
  "\\": "\\\\", "\u0085": "\\N", "\u2028": "\\L", "\u2029": "\\P"
}

function doubleQuoted(text: string, indent: number | null, from: number): string {
  let out = '"'
  let column = from + 1
  const chars = [...text]
  let spaces = false
  chars.forEach((char, i) => {
    if (char === " " && indent !== null && !spaces && column > FOLD_COLUMN && i > 0 && i < chars.length - 1) {
      const margin = " ".repeat(indent + STEP)
      out += `\n${margin}${chars[i + 1] === " " ? "\\" : ""}`
      column = margin.length
      spaces = true
      return
    }
    const shown = ESCAPES[char] ??
      (
        /[\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(char) && char.length === 1 ? char
          : hex(char)
      )
    out += shown
    column += shown.length
    spaces = char === " "
  })
  return `${out}"`
}

function hex(char: string): string {
  const code = char.codePointAt(0)!
  const digits = (count: number) => code.toString(16).toUpperCase().padStart(count, "0")
  return code <= 0xff ? `\\x${digits(2)}` : code <= 0xffff ? `\\u${digits(4)}` : `\\U${digits(8)}`
}

/** go-yaml's keyList: letters behind everything else, runs of digits by their value. */
function natural(a: string, b: string): number {
  const x = [...a]
  const y = [...b]
  const letter = (char: string) => /\p{L}/u.test(char)
  const digit = (char: string | undefined) => char !== undefined && /\p{Nd}/u.test(char)
  for (let i = 0; i < x.length && i < y.length; i++) {
    if (x[i] === y[i]) continue
    if (letter(x[i]!) && letter(y[i]!)) return x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!
    if (letter(x[i]!) || letter(y[i]!)) return letter(y[i]!) ? -1 : 1
    const run = (chars: ReadonlyArray<string>) => {
      let end = i
      while (digit(chars[end])) end++
      return end
    }
    let lead = ""
    if (x[i] === "0" || y[i] === "0") {
      for (let j = i - 1; j >= 0 && digit(x[j]); j--) {
        if (x[j] !== "0") {
          lead = "1"
          break
        }
      }
    }
    const [m, n] = [run(x), run(y)]
    const [p, q] = [Number(lead + x.slice(i, m).join("")), Number(lead + y.slice(i, n).join(""))]
    if (p !== q) return p - q
    return m !== n ? m - n : x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!
  }
  return x.length - y.length
}
