/**
 * A rule as data: the selector that every packet is held against first, matches in their order, and a
 * target; and its text as `iptables-save` writes it. Immutable, so drafts and committed tables share it.
 */
import { type Network, format as formatNetwork, isAny } from "./addresses.ts"
import type { Match, Selector, Target } from "./extension.ts"
import * as protocols from "./protocols.ts"

/** A network or a device name; inverted by `!`. */
export interface NetworkCondition extends Network {
  readonly inverted: boolean
}

export interface DeviceCondition {
  /** With `+` behind it: a beginning. */
  readonly name: string
  readonly inverted: boolean
}

/** What the kernel itself does at the end of a rule. */
export interface Standard {
  readonly verdict: "ACCEPT" | "DROP" | "RETURN"
}
export interface Jump {
  readonly chain: string
  /** -g: a RETURN goes to the chain that this one was called from. */
  readonly goto: boolean
}

export interface Rule extends Selector {
  /** Null: any. */
  readonly src: NetworkCondition | null
  readonly dst: NetworkCondition | null
  readonly in: DeviceCondition | null
  readonly out: DeviceCondition | null
  /** -f: second and later fragments; false: `! -f`; null: all. IPv4 only. */
  readonly fragments: boolean | null
  readonly matches: ReadonlyArray<Match>
  /** Null: it counts, and the walk goes on. */
  readonly target: Standard | Jump | Target | null
}

export function isJump(target: Rule["target"]): target is Jump {
  return target !== null && "chain" in target
}

export function isStandard(target: Rule["target"]): target is Standard {
  return target !== null && "verdict" in target
}

/** From `-s` to the end, as it stands behind `-A CHAIN`. */
export function print(rule: Rule): string {
  let text = network("s", rule.src) + network("d", rule.dst) + device("i", rule.in) + device("o", rule.out)
  if (rule.protocol !== 0) text += ` ${rule.notProtocol ? "! " : ""}-p ${protocols.format(rule.protocol)}`
  if (rule.fragments !== null) text += rule.fragments ? " -f" : " ! -f"
  for (const match of rule.matches) text += ` -m ${match.kind.name}${match.print()}`
  const { target } = rule
  if (target === null) return text
  if (isJump(target)) return `${text} -${target.goto ? "g" : "j"} ${target.chain}`
  return isStandard(target) ? `${text} -j ${target.verdict}`
    : `${text} -j ${target.kind.name}${target.print()}`
}

function network(letter: string, condition: NetworkCondition | null): string {
  if (condition === null || (isAny(condition) && !condition.inverted)) return ""
  return ` ${condition.inverted ? "! " : ""}-${letter} ${formatNetwork(condition)}`
}

function device(letter: string, condition: DeviceCondition | null): string {
  if (condition === null || condition.name === "+") return ""
  return ` ${condition.inverted ? "! " : ""}-${letter} ${condition.name}`
}

/** Nothing is asked of the packet: a verdict here ends the chain for everybody. */
export function unconditional(rule: Rule): boolean {
  return rule.matches.length === 0 && rule.fragments === null && rule.protocol === 0 &&
    (rule.src === null || (isAny(rule.src) && !rule.src.inverted)) &&
    (rule.dst === null || (isAny(rule.dst) && !rule.dst.inverted)) &&
    rule.in === null && rule.out === null
}
