/**
 * What a match and a target are to the rest of this layer: data with a text form, the kernel's conditions
 * on where it may stand, and what it does to a packet. Kinds are found by name in `matches/index.ts` and
 * `targets/index.ts`.
 *
 * A `Match` is immutable and may be in many rulesets; what it counts or remembers is made by `bind`, once
 * per commit, as the kernel makes it anew whenever a table is replaced.
 */
import { Errno } from "@podwire/netdev"
import type { Environment } from "./environment.ts"
import type { Given, OptionSpec } from "./options.ts"
import type { Packet } from "./packet.ts"

export type Family = 4 | 6

/** The selector part of a rule, as its extensions may see it. */
export interface Selector {
  readonly family: Family
  /** 0: any. */
  readonly protocol: number
  readonly notProtocol: boolean
}

/** Where a rule stands: bit h of `hooks` is set if a packet can come to it from hook h. */
export interface Where extends Selector {
  readonly table: string
  readonly hooks: number
  /** All of the rule's. */
  readonly matches: ReadonlyArray<Match>
}

/** What the kernel module says of itself (struct xt_match, struct xt_target). */
export interface Kind {
  readonly name: string
  /** Other names that the tool loads it by. */
  readonly aliases?: ReadonlyArray<string>
  readonly families: ReadonlyArray<Family>
  readonly options: ReadonlyArray<OptionSpec>
  /** Only in these tables, from these hooks, with this protocol. */
  readonly tables?: ReadonlyArray<string>
  readonly hooks?: number
  readonly protocol?: number
}

export interface MatchKind extends Kind {
  /** Throws RuleError. */
  parse(given: Given, rule: Selector): Match
}

export interface Match {
  readonly kind: MatchKind
  /** Its options, each with a space before it. */
  print(): string
  /** checkentry. */
  check?(where: Where): Errno
  /** What the tool looks up before it sends the rule; null: it is there. */
  missing?(env: Environment): string | null
  /** Null: it is always true. A number: it cannot be had here (ENOENT, EOPNOTSUPP). */
  bind(env: Environment): Test | null | Errno
  /** Asking it changes something: it must be asked exactly when the linear walk would ask it. */
  readonly impure?: boolean
}

export interface Test {
  test(packet: Packet): boolean
}

export interface TargetKind extends Kind {
  parse(given: Given, rule: Selector): Target
}

export interface Target {
  readonly kind: TargetKind
  print(): string
  check?(where: Where): Errno
  bind(env: Environment): Action | Errno
}

/** Go on with the next rule (XT_CONTINUE); other answers are verdicts. */
export const CONTINUE = -1

export interface Action {
  run(packet: Packet): number
}

/** xt_check_match, xt_check_target: what holds before the extension itself is asked. */
export function checkKind(kind: Kind, where: Where): Errno {
  if (kind.tables !== undefined && !kind.tables.includes(where.table)) return Errno.EINVAL
  if (kind.hooks !== undefined && (where.hooks & ~kind.hooks) !== 0) return Errno.EINVAL
  if (kind.protocol !== undefined && (kind.protocol !== where.protocol || where.notProtocol)) {
    return Errno.EINVAL
  }
  return Errno.OK
}

/** Bits of hooks, as masks in kinds and `Where`. */
export const At = { PREROUTING: 1, INPUT: 2, FORWARD: 4, OUTPUT: 8, POSTROUTING: 16 } as const
