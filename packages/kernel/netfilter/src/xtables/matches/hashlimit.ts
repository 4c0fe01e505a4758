/**
 * hashlimit: a bucket for each flow or address (xt_hashlimit.c, revision 3). Not supported: rates in
 * octets, and --hashlimit-rate-match.
 */
import { Errno } from "@podwire/netdev"
import type { Environment, HashLimitSpec } from "../environment.ts"
import type { Family, Match, MatchKind, Selector, Test } from "../extension.ts"
import type { Given } from "../options.ts"
import { U32_MAX } from "../numbers.ts"
import { RuleError } from "../rule-error.ts"
import { BURST, parseRate, printRate } from "./limit.ts"

const SCALE = 1_000_000
const BURST_MAX = 1_000_000
const GC_INTERVAL_MS = 1000
/** In the order that they are printed in. */
const MODES: ReadonlyArray<readonly [string, number]> =
  [["srcip", 2], ["srcport", 8], ["dstip", 1], ["dstport", 4]]

export class HashlimitMatch implements Match, HashLimitSpec {
  readonly kind = kind
  readonly impure = true
  readonly family: Family
  readonly name: string
  readonly above: boolean
  readonly mode: number
  readonly avg: number
  readonly burst: number
  readonly bytes = false
  readonly srcMask: number
  readonly dstMask: number
  readonly size: number
  readonly max: number
  readonly gcIntervalMs: number
  readonly expireMs: number

  constructor(given: Given, family: Family) {
    this.family = family
    this.name = given.text("hashlimit-name")!
    this.above = given.has("hashlimit-above")
    const text = given.text(this.above ? "hashlimit-above" : "hashlimit-upto")
    if (text === null) throw new RuleError("You have to specify --hashlimit")
    if (/b\/s$/.test(text)) {
      throw new RuleError(`hashlimit: rates in octets ("${text}") are not supported here`)
    }
    const rate = parseRate(text, SCALE)
    if (rate === null || rate.cost === 0) throw new RuleError(`hashlimit: bad rate "${text}"`)
    this.avg = rate.cost
    this.burst = given.number("hashlimit-burst", 1, BURST_MAX) ?? BURST
    this.mode = parseMode(given.text("hashlimit-mode"))
    const bits = family === 4 ? 32 : 128
    this.srcMask = given.number("hashlimit-srcmask", 0, bits) ?? bits
    this.dstMask = given.number("hashlimit-dstmask", 0, bits) ?? bits
    this.size = given.number("hashlimit-htable-size", 0, U32_MAX) ?? 0
    this.max = given.number("hashlimit-htable-max", 0, U32_MAX) ?? 0
    this.gcIntervalMs = given.number("hashlimit-htable-gcinterval", 0, U32_MAX) ?? GC_INTERVAL_MS
    this.expireMs = given.number("hashlimit-htable-expire", 0, U32_MAX) ?? rate.periodSec * 1000
  }

  print(): string {
    const { text, periodSec } = printRate(this.avg, SCALE)
    const modes = MODES.filter(([, bit]) => (this.mode & bit) !== 0).map(([name]) => name).join(",")
    const bits = this.family === 4 ? 32 : 128
    const option = (name: string, value: number, hidden: number) =>
      value === hidden ? "" : ` --hashlimit-${name} ${value}`
    return ` --hashlimit-${this.above ? "above" : "upto"} ${text} --hashlimit-burst ${this.burst}` +
      (modes === "" ? "" : ` --hashlimit-mode ${modes}`) + ` --hashlimit-name ${this.name}` +
      option("htable-size", this.size, 0) + option("htable-max", this.max, 0) +
      option("htable-gcinterval", this.gcIntervalMs, GC_INTERVAL_MS) +
      option("htable-expire", this.expireMs, periodSec * 1000) +
      option("srcmask", this.srcMask, bits) + option("dstmask", this.dstMask, bits)
  }

  check(): Errno {
    if (this.gcIntervalMs === 0 || this.expireMs === 0) return Errno.EINVAL
    return /^(\.{0,2}|.*\/.*)$/.test(this.name) ? Errno.EINVAL : Errno.OK
  }

  bind(env: Environment): Test | Errno {
    if (env.hashLimit === undefined) return Errno.EOPNOTSUPP
    const limiter = env.hashLimit(this)
    const { above } = this
    return { test: (packet) => limiter.take(packet) !== above }
  }
}

function parseMode(text: string | null): number {
  if (text === null) return 0
  let bits = 0
  for (const word of text.split(",")) {
    const hit = MODES.find(([name]) => name === word)
    if (hit === undefined) {
      throw new RuleError(`hashlimit: bad value for option "--hashlimit-mode", or out of range.`)
    }
    bits |= hit[1]
  }
  return bits
}

const plain = (name: string) => ({ name: `hashlimit-${name}` })

export const kind: MatchKind = {
  name: "hashlimit",
  families: [4, 6],
  options: [
    { name: "hashlimit-upto", excl: ["hashlimit-above"] }, { name: "hashlimit", as: "hashlimit-upto" },
    { name: "hashlimit-above" }, plain("burst"), plain("mode"), { name: "hashlimit-name", mandatory: true },
    plain("htable-size"), plain("htable-max"), plain("htable-gcinterval"), plain("htable-expire"),
    plain("srcmask"), plain("dstmask"),
    { name: "hashlimit-rate-match", flag: true, unsupported: true },
    { name: "hashlimit-rate-interval", unsupported: true }
  ],
  parse: (given: Given, { family }: Selector) => new HashlimitMatch(given, family)
}
