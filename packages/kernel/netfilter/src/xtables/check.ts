/**
 * What the kernel holds against a table before it takes it (ip_tables.c, translate_table): no jump may come
 * round to where it started (mark_source_chains: ELOOP), and every match and target must be where it may be
 * (checkentry: EINVAL). Chains that no hook leads to are not looked at for loops, and their rules may use
 * what any hook allows.
 */
import { Errno } from "@podwire/netdev"
import { checkKind, type Family, type Where } from "./extension.ts"
import { isJump, isStandard, print, type Rule, unconditional } from "./rule.ts"
import { bit, type Chain, type Draft } from "./table.ts"

export interface Refusal {
  readonly errno: Errno
  /** The chain, the rule's number in it from 1, and its text. */
  readonly chain: string
  readonly number: number
  readonly rule: string
  readonly why: string
}

export function refuse(errno: Errno, chain: Chain, i: number, why: string): Refusal {
  return { errno, chain: chain.name, number: i + 1,
    rule: `-A ${chain.name}${print(chain.entries[i]!.rule)}`, why }
}

/** Null: it is fine. */
export function check(draft: Draft, family: Family): Refusal | null {
  const hooks = new Map<Chain, number>()
  for (const chain of draft.chains.values()) {
    if (chain.hook === null) continue
    const loop = mark(draft, chain, bit(chain.hook), hooks)
    if (loop !== null) return loop
  }
  for (const chain of draft.chains.values()) {
    const bits = hooks.get(chain) ?? 0
    const end = reach(chain)
    for (let i = 0; i < chain.entries.length; i++) {
      const { rule } = chain.entries[i]!
      const bad = checkRule(rule, { ...rule, family, table: draft.table, hooks: i <= end ? bits : 0 })
      if (bad !== null) return refuse(bad.errno, chain, i, bad.why)
    }
  }
  return null
}

function checkRule(rule: Rule, where: Where): { readonly errno: Errno; readonly why: string } | null {
  for (const match of rule.matches) {
    const errno = checkKind(match.kind, where) || (match.check?.(where) ?? Errno.OK)
    if (errno !== Errno.OK) return { errno, why: `match ${match.kind.name}` }
  }
  const { target } = rule
  if (target === null || isJump(target) || isStandard(target)) return null
  const errno = checkKind(target.kind, where) || (target.check?.(where) ?? Errno.OK)
  return errno === Errno.OK ? null : { errno, why: `target ${target.kind.name}` }
}

/** The last rule that a packet may come to. */
function reach(chain: Chain): number {
  const at = chain.entries.findIndex(({ rule }) => isStandard(rule.target) && unconditional(rule))
  return at < 0 ? chain.entries.length - 1 : at
}

/** Depth first, without recursion: chains may be nested as deep as there are chains. */
function mark(draft: Draft, base: Chain, hook: number, hooks: Map<Chain, number>): Refusal | null {
  const path: Array<{ chain: Chain; next: number; end: number }> =
    [{ chain: base, next: 0, end: reach(base) }]
  const onPath = new Set([base])
  hooks.set(base, (hooks.get(base) ?? 0) | hook)
  while (path.length > 0) {
    const top = path.at(-1)!
    if (top.next > top.end) {
      path.pop()
      onPath.delete(top.chain)
      continue
    }
    const i = top.next++
    const { target } = top.chain.entries[i]!.rule
    if (!isJump(target)) continue
    const chain = draft.chains.get(target.chain)!
    if (onPath.has(chain)) return refuse(Errno.ELOOP, top.chain, i, "Too many levels of symbolic links")
    const known = hooks.get(chain) ?? 0
    if ((known & hook) !== 0) continue
    hooks.set(chain, known | hook)
    onPath.add(chain)
    path.push({ chain, next: 0, end: reach(chain) })
  }
  return null
}
