/**
 * statistic: every nth packet, or chance in units of 2^-31 (xt_statistic.c). The count of nth starts anew
 * with each commit of its table, as in the kernel.
 */
import { Errno } from "@podwire/netdev"
import type { Environment } from "../environment.ts"
import type { Match, MatchKind, Test } from "../extension.ts"
import type { Given } from "../options.ts"
import { U32_MAX } from "../numbers.ts"
import { RuleError } from "../rule-error.ts"

const UNIT = 0x8000_0000

/** Eleven digits, as printf rounds them: a tie goes to the even one. */
function printProbability(probability: number): string {
  const tie = probability % 0x80000 === 0 && (probability / 0x80000) % 2 === 1
  if (tie) {
    const digits = (probability / UNIT).toFixed(12).slice(0, -1)
    if (Number(digits.at(-1)) % 2 === 0) return digits
  }
  return (probability / UNIT).toFixed(11)
}

export class RandomMatch implements Match {
  readonly kind = kind
  readonly impure = true
  /** Of 2^31. */
  readonly probability: number
  readonly inverted: boolean

  constructor(probability: number, inverted: boolean) {
    this.probability = probability
    this.inverted = inverted
  }

  print(): string {
    return ` --mode random${this.inverted ? " !" : ""} --probability ${printProbability(this.probability)}`
  }

  bind(env: Environment): Test | Errno {
    if (env.random31 === undefined) return Errno.EOPNOTSUPP
    return new Chance(this.probability, this.inverted, env)
  }
}

class Chance implements Test {
  readonly #probability: number
  readonly #inverted: boolean
  readonly #env: Environment

  constructor(probability: number, inverted: boolean, env: Environment) {
    this.#probability = probability
    this.#inverted = inverted
    this.#env = env
  }

  test(): boolean {
    return (this.#probability > this.#env.random31!()) !== this.#inverted
  }
}

export class NthMatch implements Match {
  readonly kind = kind
  readonly impure = true
  readonly every: number
  readonly packet: number
  readonly inverted: boolean

  constructor(every: number, packet: number, inverted: boolean) {
    this.every = every
    this.packet = packet
    this.inverted = inverted
  }

  print(): string {
    return ` --mode nth${this.inverted ? " !" : ""} --every ${this.every} --packet ${this.packet}`
  }

  bind(): Test {
    const { every, inverted } = this
    let count = every - 1 - this.packet
    return {
      test() {
        count = count === every - 1 ? 0 : count + 1
        return (count === 0) !== inverted
      }
    }
  }
}

function parse(given: Given): Match {
  const mode = given.text("mode")!
  if (mode === "random") {
    const text = given.text("probability")
    if (text === null) throw new RuleError("--probability must be specified when using random mode")
    const value = /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN
    if (!(value >= 0 && value <= 1)) {
      throw new RuleError("statistic: bad value for option \"--probability\", or out of range (0-1).")
    }
    return new RandomMatch(Math.round(value * UNIT), given.inverted("probability"))
  }
  if (mode !== "nth") throw new RuleError(`Bad mode "${mode}"`)
  const every = given.number("every", 1, U32_MAX)
  const packet = given.number("packet", 0, U32_MAX)
  if (every === null ? packet !== null : packet !== null && packet >= every) {
    throw new RuleError("the --packet p must be 0 <= p <= n-1")
  }
  if (every !== null && packet === null) {
    throw new RuleError("statistic: option \"--every\" also requires \"--packet\".")
  }
  if (every === null) throw new RuleError("--every must be specified when using nth mode")
  return new NthMatch(every, packet!, given.inverted("every"))
}

export const kind: MatchKind = {
  name: "statistic",
  families: [4, 6],
  options: [
    { name: "mode", mandatory: true },
    { name: "probability", invert: true },
    { name: "every", invert: true }, { name: "packet" }
  ],
  parse
}
