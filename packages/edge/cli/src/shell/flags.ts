/**
 * Flags of the shell's commands as kubectl reads its own (spf13/pflag): `--name value`, `--name=value`, `-n
 * value`, `-nvalue`, `-n=value`, switches together (`-AL app`), everything behind `--` as it stands.
 */
import { UsageError } from "../outcome.ts"

export interface FlagSpec {
  readonly name: string
  readonly alias?: string
  /** A switch takes no value; a list may be given several times, each with commas. */
  readonly takes: "value" | "list" | "switch"
  readonly metavar?: string
}

export interface Parsed {
  readonly words: ReadonlyArray<string>
  /** What stood behind `--`, or behind the last word that may have flags after it; null when nothing did. */
  readonly rest: ReadonlyArray<string> | null
  value(name: string): string | undefined
  list(name: string): ReadonlyArray<string>
  has(name: string): boolean
}

/** `most` words are the command's own; what follows them belongs to somebody else, flags and all. */
export function parseFlags(
  argv: ReadonlyArray<string>, specs: ReadonlyArray<FlagSpec>, most = Infinity
): Parsed | UsageError {
  const values = new Map<string, Array<string>>()
  const words: Array<string> = []
  let rest: ReadonlyArray<string> | null = null
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === "--") {
      rest = argv.slice(at + 1)
      break
    }
    if (!word.startsWith("-") || word === "-") {
      if (words.length === most) {
        rest = argv.slice(at)
        break
      }
      words.push(word)
      continue
    }
    const taken = word.startsWith("--")
      ? long(word, argv[at + 1], specs, values)
      : short(word, argv[at + 1], specs, values)
    if (typeof taken === "string") return new UsageError({ what: taken })
    at += taken
  }
  return {
    words, rest,
    value: (name) => values.get(name)?.at(-1),
    list: (name) => (values.get(name) ?? []).flatMap((value) => value.split(","))
      .filter((value) => value !== ""),
    has: (name) => (values.get(name)?.at(-1) ?? "false") !== "false"
  }
}

type Values = Map<string, Array<string>>

/** How many words more than itself it took, or what is wrong. */
function long(
  word: string, next: string | undefined, specs: ReadonlyArray<FlagSpec>, values: Values
): number | string {
  const equals = word.indexOf("=")
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
  const spec = specs.find((other) => other.name === name)
  if (spec === undefined) return `unknown flag: --${name}`
  if (equals >= 0) return keep(spec, word.slice(equals + 1), values)
  if (spec.takes === "switch") return keep(spec, "true", values)
  if (next === undefined) return `flag needs an argument: --${name}`
  return add(keep(spec, next, values), 1)
}

function short(
  word: string, next: string | undefined, specs: ReadonlyArray<FlagSpec>, values: Values
): number | string {
  for (let at = 1; at < word.length; at++) {
    const spec = specs.find((other) => other.alias === word[at])
    if (spec === undefined) return `unknown shorthand flag: '${word[at]}' in ${word}`
    const attached = word.slice(at + 1)
    if (attached.startsWith("=")) return keep(spec, attached.slice(1), values)
    if (spec.takes !== "switch") {
      if (attached !== "") return keep(spec, attached, values)
      return next === undefined
        ? `flag needs an argument: '${word[at]}' in ${word}`
        : add(keep(spec, next, values), 1)
    }
    keep(spec, "true", values)
  }
  return 0
}

function keep({ name, takes }: FlagSpec, value: string, values: Values): number | string {
  if (takes === "switch" && value !== "true" && value !== "false") {
    return `invalid argument "${value}" for "--${name}": expected true or false`
  }
  const before = values.get(name)
  if (before === undefined) values.set(name, [value])
  else before.push(value)
  return 0
}

function add(taken: number | string, more: number): number | string {
  return typeof taken === "string" ? taken : taken + more
}

/** `[-o|--output FORMAT]`, one flag after the other. */
export function flagsText(specs: ReadonlyArray<FlagSpec>): string {
  return specs.map(({ name, alias, takes, metavar }) =>
    `[${alias === undefined ? "" : `-${alias}|`}--${name}` +
    `${takes === "switch" ? "" : ` ${metavar ?? "VALUE"}`}]` + (takes === "list" ? "…" : "")
  ).join(" ")
}
