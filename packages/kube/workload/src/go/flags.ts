/**
 * Command lines as Go programs read them: `pflag` (agnhost, by cobra) and the standard library's `flag`. What
 * a flag holds follows from its default's type. Errors are the text that the program prints, without its
 * usage.
 * Not supported: short flags of pflag but klog's -v; printing usages.
 */
import { atoi } from "./text.ts"

export type FlagValue = string | number | boolean

export interface Flags<T> {
  readonly values: T
  readonly rest: ReadonlyArray<string>
}

/** What agnhost takes everywhere (klog.InitFlags) and nothing here acts on. */
const KLOG = new Set([
  "v", "vmodule", "logtostderr", "alsologtostderr", "log_dir", "log_file", "log_file_max_size",
  "stderrthreshold", "add_dir_header", "skip_headers", "skip_log_headers", "one_output", "log_backtrace_at"
])
const KLOG_BOOLEANS = new Set([
  "logtostderr", "alsologtostderr", "add_dir_header", "skip_headers", "skip_log_headers", "one_output"
])

export function parsePflags<T extends Record<string, FlagValue>>(
  words: ReadonlyArray<string>, defaults: T
): Flags<T> | string {
  const values: Record<string, FlagValue> = { ...defaults }
  const rest: Array<string> = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === "--") return { values: values as T, rest: [...rest, ...words.slice(i + 1)] }
    if (!word.startsWith("-") || word === "-") {
      rest.push(word)
      continue
    }
    const short = !word.startsWith("--")
    const [name, given] = cut(word.slice(short ? 1 : 2))
    if (short && name !== "v") return `unknown shorthand flag: '${word[1]}' in ${word}`
    const klog = KLOG.has(name)
    const known = values[name]
    if (known === undefined && !klog) return `unknown flag: --${name}`
    if (klog ? KLOG_BOOLEANS.has(name) : typeof known === "boolean") {
      const parsed = given === null ? true : parseBool(given)
      if (parsed === null) return invalid(given!, `--${name}`, "strconv.ParseBool")
      if (!klog) values[name] = parsed
      continue
    }
    const text = given ?? words[++i]
    if (text === undefined) return `flag needs an argument: --${name}`
    if (klog) continue
    const value = typeof known === "number" ? atoi(text) : text
    if (value === null) return invalid(text, `--${name}`, "strconv.ParseInt")
    values[name] = value
  }
  return { values: values as T, rest }
}

/** The standard library's: one dash or two, and what follows the first word that is no flag is not read. */
export function parseGoFlags<T extends Record<string, FlagValue>>(
  words: ReadonlyArray<string>, defaults: T
): Flags<T> | string {
  const values: Record<string, FlagValue> = { ...defaults }
  let i = 0
  for (; i < words.length; i++) {
    const word = words[i]!
    if (word === "--") {
      i++
      break
    }
    if (!word.startsWith("-") || word === "-") break
    const [name, given] = cut(word.replace(/^--?/, ""))
    const known = values[name]
    if (name === "" || name.startsWith("-")) return `bad flag syntax: ${word}`
    if (known === undefined) return `flag provided but not defined: -${name}`
    if (typeof known === "boolean") {
      const parsed = given === null ? true : parseBool(given)
      if (parsed === null) return `invalid boolean value "${given}" for -${name}: parse error`
      values[name] = parsed
      continue
    }
    const text = given ?? words[++i]
    if (text === undefined) return `flag needs an argument: -${name}`
    const value = typeof known === "number" ? atoi(text) : text
    if (value === null) return `invalid value "${text}" for flag -${name}: parse error`
    values[name] = value
  }
  return { values: values as T, rest: words.slice(i) }
}

function cut(text: string): [name: string, value: string | null] {
  const mark = text.indexOf("=")
  return mark < 0 ? [text, null] : [text.slice(0, mark), text.slice(mark + 1)]
}

/** `strconv.ParseBool`. */
export function parseBool(text: string): boolean | null {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true
  return ["0", "f", "F", "FALSE", "false", "False"].includes(text) ? false : null
}

function invalid(text: string, flag: string, parser: string): string {
  return `invalid argument "${text}" for "${flag}" flag: ${parser}: parsing "${text}": invalid syntax`
}
