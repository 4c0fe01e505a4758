/**
 * `iptables-save`: tables in the order that they came into being, built-in chains, then the user's by name,
 * then the rules in the same order. Without the header and footer comments, which carry the time of day.
 */
import type { Draft } from "./table.ts"
import { print as printRule } from "./rule.ts"

export interface SaveOptions {
  /** -c */
  readonly counters?: boolean
  /** Policy counters as zero, so that two runs compare equal. */
  readonly zero?: boolean
}

export function printTable(draft: Draft, { counters = false, zero = false }: SaveOptions = {}): string {
  const chains = draft.sorted()
  const lines = [`*${draft.table}`]
  for (const { name, hook, policy, packets, bytes } of chains) {
    lines.push(`:${name} ${hook === null ? "-" : policy} [${zero ? "0:0" : `${packets}:${bytes}`}]`)
  }
  for (const { name, entries } of chains) {
    for (const { rule, packets, bytes } of entries) {
      lines.push(`${counters ? `[${packets}:${bytes}] ` : ""}-A ${name}${printRule(rule)}`)
    }
  }
  lines.push("COMMIT", "")
  return lines.join("\n")
}
