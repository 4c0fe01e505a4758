/**
 * Reading typed values out of JSON, with the place of everything that is wrong, not only of the first thing.
 * As in Go, null says nothing, and so does a key that nobody asks for; who wants to name the latter asks
 * `unknownKeys`. The words for a wrong type are our own, Go's name the structs of a program.
 */
import * as cidr from "@podwire/wire/cidr"
import { type Ip, parse as parseIp, unmapped } from "@podwire/wire/ip"
import { isObject, type Json, type JsonObject, kindOf } from "./json.ts"

export type Path = ReadonlyArray<string | number>

export interface Problem {
  readonly path: Path
  readonly message: string
}

/** `plugins[0].ipam.ranges[0][0].subnet` */
export function formatPath(path: Path): string {
  let text = ""
  for (const step of path) text += typeof step === "number" ? `[${step}]` : text === "" ? step : `.${step}`
  return text
}

export function formatProblem({ path, message }: Problem): string {
  return path.length === 0 ? message : `${formatPath(path)}: ${message}`
}

export class Decoder {
  readonly problems: Array<Problem> = []

  fail(path: Path, message: string): undefined {
    this.problems.push({ path, message })
    return undefined
  }

  string(from: JsonObject, key: string, at: Path): string | undefined {
    return this.#typed(from, key, at, "string") as string | undefined
  }

  boolean(from: JsonObject, key: string, at: Path): boolean | undefined {
    return this.#typed(from, key, at, "bool") as boolean | undefined
  }

  integer(from: JsonObject, key: string, at: Path): number | undefined {
    const value = this.#typed(from, key, at, "number") as number | undefined
    if (value === undefined || Number.isSafeInteger(value)) return value
    return this.fail([...at, key], `found ${value}, expected a whole number`)
  }

  object(from: JsonObject, key: string, at: Path): JsonObject | undefined {
    return this.#typed(from, key, at, "object") as JsonObject | undefined
  }

  array(from: JsonObject, key: string, at: Path): ReadonlyArray<Json> | undefined {
    return this.#typed(from, key, at, "array") as ReadonlyArray<Json> | undefined
  }

  strings(from: JsonObject, key: string, at: Path): ReadonlyArray<string> {
    return (this.array(from, key, at) ?? []).flatMap((item, i) => {
      if (typeof item === "string") return [item]
      this.fail([...at, key, i], wrongType("string", item))
      return []
    })
  }

  /** An element that has to be an object. */
  element(item: Json, at: Path): JsonObject | undefined {
    return isObject(item) ? item : this.fail(at, wrongType("object", item))
  }

  /** net.IP: empty text is no address. */
  ip(from: JsonObject, key: string, at: Path): Ip | undefined {
    const text = this.string(from, key, at)
    if (text === undefined || text === "") return undefined
    const ip = parseIp(text)
    return ip === null ? this.fail([...at, key], `invalid IP address: ${text}`) : unmapped(ip)
  }

  /** types.IPNet: host bits are kept. */
  cidr(from: JsonObject, key: string, at: Path): cidr.Cidr | undefined {
    const text = this.string(from, key, at)
    if (text === undefined) return undefined
    // Go reads a prefix length with leading zeros.
    const found = cidr.parse(text.replace(/\/0+(?=\d)/, "/"))
    return found ?? this.fail([...at, key], `invalid CIDR address: ${text}`)
  }

  #typed(from: JsonObject, key: string, at: Path, kind: string): Json | undefined {
    const value = from[key]
    if (value === undefined || value === null) return undefined
    return kindOf(value) === kind ? value : this.fail([...at, key], wrongType(kind, value))
  }
}

export function wrongType(expected: string, found: unknown): string {
  const name = (kind: string) => kind === "bool" ? "boolean" : kind
  return `found a value of type ${name(kindOf(found))}, expected ${name(expected)}`
}

/** The keys that none of `known` names, in order. */
export function unknownKeys(from: JsonObject, known: ReadonlySet<string>): ReadonlyArray<string> {
  return Object.keys(from).filter((key) => !known.has(key))
}
