/**
 * All tables of one family in one namespace. A change is a draft of one table that is checked, compiled and
 * put in the old one's place at once, or refused whole. A table comes into being when it is first asked
 * for, and its printed place among the others is that.
 */
import { Errno, type Frame, type NetDevice } from "@podwire/netdev"
import { check, type Refusal } from "./check.ts"
import { compile, CompiledTable, type CompileOptions, type Observer } from "./compile.ts"
import type { Environment } from "./environment.ts"
import type { Family } from "./extension.ts"
import type { Hook } from "../hook.ts"
import { Packet } from "./packet.ts"
import { printTable, type SaveOptions } from "./print.ts"
import { Draft, type TableName } from "./table.ts"
import { Verdict } from "../verdict.ts"

interface Committed {
  readonly draft: Draft
  readonly compiled: CompiledTable
}

export class Ruleset {
  readonly family: Family
  readonly env: Environment
  readonly #options: CompileOptions
  readonly #tables = new Map<TableName, Committed>()
  readonly #packet = new Packet()
  #observer: Observer | null = null

  constructor(family: Family, env: Environment, options: CompileOptions = {}) {
    this.family = family
    this.env = env
    this.#options = options
  }

  /** Hears of every rule that matches, in every table; null: nobody. */
  set observer(observer: Observer | null) {
    this.#observer = observer
    for (const { compiled } of this.#tables.values()) compiled.observer = observer
  }

  has(table: TableName): boolean {
    return this.#tables.has(table)
  }

  get tables(): Array<TableName> {
    return [...this.#tables.keys()]
  }

  /** A copy of the table as it is now, counters and all; an empty one if it is not there yet. */
  draft(table: TableName): Draft {
    const committed = this.#tables.get(table)
    if (committed === undefined) return new Draft(table)
    committed.compiled.readCounters(committed.draft)
    return committed.draft.copy()
  }

  /** Null: it would be taken. */
  check(draft: Draft): Refusal | null {
    const refusal = check(draft, this.family)
    if (refusal !== null) return refusal
    const compiled = compile(draft, this.family, this.env, this.#options)
    return compiled instanceof CompiledTable ? null : compiled
  }

  /** The draft belongs to the ruleset afterwards. Null: done; a refusal leaves everything as it was. */
  commit(draft: Draft): Refusal | null {
    const refusal = check(draft, this.family)
    if (refusal !== null) return refusal
    const compiled = compile(draft, this.family, this.env, this.#options)
    if (!(compiled instanceof CompiledTable)) return compiled
    compiled.observer = this.#observer
    this.#tables.set(draft.table, { draft, compiled })
    return null
  }

  /** One table over one frame, whose `l3` is set. What is no packet of this family is dropped. */
  evaluate(table: TableName, frame: Frame, hook: Hook, dev: NetDevice | null, out: NetDevice | null): number {
    const committed = this.#tables.get(table)
    if (committed === undefined) return Verdict.Accept
    if (this.#packet.load(frame, this.family, hook, dev, out) !== Errno.OK) return Verdict.Drop
    return committed.compiled.walk(this.#packet)
  }

  /** `iptables-save`, of one table or all, without its comments. */
  save(options: SaveOptions = {}, only: TableName | null = null): string {
    let text = ""
    for (const [table, { draft, compiled }] of this.#tables) {
      if (only !== null && table !== only) continue
      compiled.readCounters(draft)
      text += printTable(draft, options)
    }
    return text
  }
}
