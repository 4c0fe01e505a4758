/**
 * The tables that there are, and a table while it is being changed: chains by name, their rules and
 * counters. A draft starts as a copy of what is committed and has no effect until `ruleset.ts` commits it
 * whole.
 *
 * Not supported: the table `security`, which is refused by name.
 */
import { FORWARD, type Hook, INPUT, OUTPUT, POSTROUTING, PREROUTING } from "../hook.ts"
import type { Rule } from "./rule.ts"

export type TableName = "raw" | "mangle" | "nat" | "filter"

const NAMES: Readonly<Record<number, string>> = {
  [PREROUTING]: "PREROUTING", [INPUT]: "INPUT", [FORWARD]: "FORWARD", [OUTPUT]: "OUTPUT",
  [POSTROUTING]: "POSTROUTING"
}

/** In the order that they are printed in. */
const BUILTIN: Readonly<Record<TableName, ReadonlyArray<Hook>>> = {
  raw: [PREROUTING, OUTPUT],
  mangle: [PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING],
  nat: [PREROUTING, INPUT, OUTPUT, POSTROUTING],
  filter: [INPUT, FORWARD, OUTPUT]
}

export function isTableName(name: string): name is TableName {
  return Object.hasOwn(BUILTIN, name)
}

export type Policy = "ACCEPT" | "DROP"

/** A rule in its place, and what has gone through it. */
export interface Entry {
  readonly rule: Rule
  packets: number
  bytes: number
}

export class Chain {
  readonly name: string
  /** The hook of a built-in chain; null: a user's. */
  readonly hook: Hook | null
  policy: Policy = "ACCEPT"
  packets = 0
  bytes = 0
  entries: Array<Entry> = []

  constructor(name: string, hook: Hook | null) {
    this.name = name
    this.hook = hook
  }

  copy(): Chain {
    const chain = new Chain(this.name, this.hook)
    chain.policy = this.policy
    chain.packets = this.packets
    chain.bytes = this.bytes
    chain.entries = this.entries.map(({ rule, packets, bytes }) => ({ rule, packets, bytes }))
    return chain
  }
}

export class Draft {
  readonly table: TableName
  readonly chains = new Map<string, Chain>()

  constructor(table: TableName) {
    this.table = table
    for (const hook of BUILTIN[table]) this.chains.set(NAMES[hook]!, new Chain(NAMES[hook]!, hook))
  }

  /** The built-in ones by hook, then the user's by name, octet by octet: as libiptc keeps them. */
  sorted(): Array<Chain> {
    const chains = [...this.chains.values()]
    const users = chains.filter(({ hook }) => hook === null)
    users.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
    return [...chains.filter(({ hook }) => hook !== null), ...users]
  }

  copy(): Draft {
    const draft = new Draft(this.table)
    for (const chain of this.chains.values()) draft.chains.set(chain.name, chain.copy())
    return draft
  }

  /**
   * Rules gone, user chains gone; policies and their counters stay (what a restore without --noflush begins
   * with).
   */
  flushAll(): void {
    for (const chain of [...this.chains.values()]) {
      chain.entries = []
      if (chain.hook === null) this.chains.delete(chain.name)
    }
  }
}

/** The bit of a hook in masks. */
export function bit(hook: Hook): number {
  return 1 << hook
}
