/**
 * A place in an object, and the ways in which what stands there can be wrong: the API server's error types
 * with its words (apimachinery pkg/util/validation/field/errors.go).
 */
import type { Path, Problem } from "../problem.ts"

export class Field {
  readonly path: Path
  readonly #problems: Array<Problem>

  constructor(problems: Array<Problem>, path: Path = []) {
    this.#problems = problems
    this.path = path
  }

  child(...parts: Path): Field {
    return new Field(this.#problems, [...this.path, ...parts])
  }

  required(detail = ""): void {
    this.#say("Required value", detail)
  }

  invalid(value: unknown, detail: string): void {
    this.#say(`Invalid value: ${goValue(value)}`, detail)
  }

  /** One problem for each detail. */
  invalidEach(value: unknown, details: ReadonlyArray<string>): void {
    for (const detail of details) this.invalid(value, detail)
  }

  notSupported(value: unknown, supported: ReadonlyArray<string>): void {
    this.#say(`Unsupported value: ${goValue(value)}`,
      `supported values: ${supported.map((word) => JSON.stringify(word)).join(", ")}`)
  }

  duplicate(value: unknown, detail = ""): void {
    this.#say(`Duplicate value: ${goValue(value)}`, detail)
  }

  notFound(value: unknown): void {
    this.#say(`Not found: ${goValue(value)}`, "")
  }

  forbidden(detail: string): void {
    this.#say("Forbidden", detail)
  }

  tooLong(bytesMax: number): void {
    this.#say("Too long", `may not be more than ${bytesMax} bytes`)
  }

  #say(what: string, detail: string): void {
    const message = detail === "" ? what : `${what}: ${detail}`
    this.#problems.push({ path: this.path, atKey: false, message })
  }
}

/** As `%q` for strings, `%v` for numbers, JSON for the rest; nothing at all is "" for a Go string. */
function goValue(value: unknown): string {
  return value === undefined ? '""' : JSON.stringify(value)
}

/** Go ranges over a map in no order; we go by key, so that the same object gets the same list. */
export function sortedEntries<T>(map: Readonly<Record<string, T>> | undefined): ReadonlyArray<[string, T]> {
  return Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

export function nonNegative(field: Field, value: number | undefined): void {
  if (value !== undefined && value < 0) field.invalid(value, "must be greater than or equal to 0")
}
