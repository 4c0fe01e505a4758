/**
 * limit: one token bucket per rule, full again with each commit of its table (xt_limit.c). Rates are kept
 * as the cost of one packet in 1/10000 s, so some come back rounded, as from the tool. The kernel's
 * overflow check depends on HZ times credits per jiffy, which is 32000 for HZ 1000 and 250.
 */
import { Errno } from "@podwire/netdev"
import type { Environment } from "../environment.ts"
import type { Match, MatchKind, Test } from "../extension.ts"
import type { Given } from "../options.ts"
import { RuleError } from "../rule-error.ts"

const SCALE = 10_000
const CREDITS_PER_SECOND = 32_000
export const BURST = 5

/** Name as printed, and seconds. */
const PERIODS: ReadonlyArray<readonly [string, number]> =
  [["day", 86400], ["hour", 3600], ["min", 60], ["sec", 1]]
const WORDS = ["second", "minute", "hour", "day"]
const SECONDS = [1, 60, 3600, 86400]

/** `N[/PERIOD]` as the cost of one packet in units of 1/scale s; null: no rate; 0: too fast. */
export function parseRate(
  text: string, scale: number
): { readonly cost: number; readonly periodSec: number } | null {
  const [count, word = "second"] = text.split("/")
  const i = WORDS.findIndex((name) => word !== "" && name.startsWith(word.toLowerCase()))
  if (i < 0 || !/^\d+$/.test(count!) || Number(count) === 0) return null
  return { cost: Math.floor(scale * SECONDS[i]! / Number(count)), periodSec: SECONDS[i]! }
}

export function printRate(
  cost: number, scale: number
): { readonly text: string; readonly periodSec: number } {
  let i = 1
  for (; i < PERIODS.length; i++) {
    const unit = PERIODS[i]![1] * scale
    if (cost > unit || Math.floor(unit / cost) < unit % cost) break
  }
  const [name, periodSec] = PERIODS[i - 1]!
  return { text: `${Math.floor(periodSec * scale / cost)}/${name}`, periodSec }
}

function credits(user: number): number {
  return user > 0xffff_ffff / CREDITS_PER_SECOND
    ? Math.imul(Math.floor(user / SCALE), CREDITS_PER_SECOND) >>> 0
    : Math.floor(user * CREDITS_PER_SECOND / SCALE)
}

export class LimitMatch implements Match {
  readonly kind = kind
  readonly impure = true
  /** Cost of a packet in 1/10000 s. */
  readonly avg: number
  readonly burst: number

  constructor(avg: number, burst: number) {
    this.avg = avg
    this.burst = burst
  }

  print(): string {
    const burst = this.burst === BURST ? "" : ` --limit-burst ${this.burst}`
    return ` --limit ${printRate(this.avg, SCALE).text}${burst}`
  }

  check(): Errno {
    const bad = this.burst === 0 || credits(Math.imul(this.avg, this.burst) >>> 0) < credits(this.avg)
    return bad ? Errno.ERANGE : Errno.OK
  }

  bind(env: Environment): Test | Errno {
    if (env.limit === undefined) return Errno.EOPNOTSUPP
    const limiter = env.limit(this)
    return { test: () => limiter.take() }
  }
}

export const kind: MatchKind = {
  name: "limit",
  families: [4, 6],
  options: [{ name: "limit" }, { name: "limit-burst" }],
  parse(given: Given) {
    const text = given.text("limit") ?? "3/hour"
    const rate = parseRate(text, SCALE)
    if (rate === null) throw new RuleError(`bad rate "${text}"'`)
    if (rate.cost === 0) throw new RuleError(`Rate too fast "${text}"`)
    return new LimitMatch(rate.cost, given.number("limit-burst", 0, 10_000) ?? BURST)
  }
}
