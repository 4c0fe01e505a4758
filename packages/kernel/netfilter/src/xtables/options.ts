/**
 * The options of an extension, and what a rule gives of them (libxtables/xtoptions.c): which take a word,
 * which may be inverted or repeated, which exclude or need one another, and the tool's words when they are
 * misused.
 */
import { parse, parseMasked, type Masked } from "./numbers.ts"
import { RuleError } from "./rule-error.ts"

export interface OptionSpec {
  readonly name: string
  /** Without a word after it. */
  readonly flag?: boolean
  readonly invert?: boolean
  readonly mandatory?: boolean
  /** Another name of the option `as`. */
  readonly as?: string
  /** --tcp-flags takes a second word. */
  readonly words?: 2
  readonly excl?: ReadonlyArray<string>
  readonly also?: ReadonlyArray<string>
  /** The tool knows it and this layer does not. */
  readonly unsupported?: boolean
  /** May be given twice: the last one counts. */
  readonly multi?: boolean
}

interface Value {
  readonly words: ReadonlyArray<string>
  readonly inverted: boolean
}

export class Given {
  readonly #kind: { readonly name: string; readonly options: ReadonlyArray<OptionSpec> }
  readonly #values = new Map<string, Value>()

  constructor(kind: { readonly name: string; readonly options: ReadonlyArray<OptionSpec> }) {
    this.#kind = kind
  }

  add(spec: OptionSpec, words: ReadonlyArray<string>, inverted: boolean): void {
    const name = spec.as ?? spec.name
    const label = `${this.#kind.name}: option "--${spec.name}"`
    if (spec.unsupported === true) throw new RuleError(`${label} is not supported here`)
    if (inverted && spec.invert !== true) throw new RuleError(`${label} cannot be inverted.`)
    if (this.#values.has(name) && spec.multi !== true) throw new RuleError(`${label} can only be used once.`)
    this.#values.set(name, { words, inverted })
  }

  /** When all of the rule is read. */
  finish(): void {
    const { name, options } = this.#kind
    for (const spec of options) {
      if (spec.as !== undefined) continue
      const label = `${name}: option "--${spec.name}"`
      if (!this.#values.has(spec.name)) {
        if (spec.mandatory === true) throw new RuleError(`${label} must be specified`)
        continue
      }
      for (const other of spec.excl ?? []) {
        if (this.#values.has(other)) {
          throw new RuleError(`${label} cannot be used together with "--${other}".`)
        }
      }
      for (const other of spec.also ?? []) {
        if (!this.#values.has(other)) throw new RuleError(`${label} also requires "--${other}".`)
      }
    }
  }

  get none(): boolean {
    return this.#values.size === 0
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  inverted(name: string): boolean {
    return this.#values.get(name)?.inverted ?? false
  }

  /** Null if it was not given. */
  text(name: string, word = 0): string | null {
    return this.#values.get(name)?.words[word] ?? null
  }

  number(name: string, min: number, max: number): number | null {
    const text = this.text(name)
    if (text === null) return null
    const value = parse(text, min, max)
    if (value === null) throw new RuleError(`${this.#bad(name)} (${min}-${max}).`)
    return value
  }

  masked(name: string): Masked | null {
    const text = this.text(name)
    if (text === null) return null
    const value = parseMasked(text)
    if (value === null) {
      throw new RuleError(`${this.#kind.name}: bad integer value for option "--${name}", or out of range.`)
    }
    return value
  }

  #bad(name: string): string {
    return `${this.#kind.name}: bad value for option "--${name}", or out of range`
  }
}
