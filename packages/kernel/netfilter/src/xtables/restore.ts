/**
 * `iptables-restore`: text into a ruleset, table by table, each all or nothing at its COMMIT
 * (iptables-restore.c; libiptc.c for what the commands do). Saves of iptables-legacy and of iptables-nft
 * both load.
 *
 * Errors carry the line, the tool's own words where it has some, and where it only says "line N failed"
 * also why. As with the tool, tables committed before the error stay.
 *
 * Deviations: a missing newline at the end of the text is added. Not supported: the table `security`, -L
 * and -S.
 */
import { Errno, errnoName, strerror } from "@podwire/netdev"
import type { Refusal } from "./check.ts"
import { type Command, type Counters, parseCommand } from "./command.ts"
import { isJump, print as printRule, type Rule } from "./rule.ts"
import { RuleError } from "./rule-error.ts"
import type { Ruleset } from "./ruleset.ts"
import { Chain, type Draft, isTableName } from "./table.ts"
import { split } from "./words.ts"

export interface RestoreOptions {
  /** -n: only what is named is touched. */
  readonly noflush?: boolean
  /** -c: packet and octet counters are taken from the text. */
  readonly counters?: boolean
  /** -t: nothing is committed. */
  readonly test?: boolean
}

export interface RestoreError {
  readonly line: number
  /** What the tool prints, without its name and version and without "Error occurred at line". */
  readonly message: string
  /** Why, where the tool leaves that out; "" otherwise. */
  readonly why: string
  readonly errno: Errno
}

const CHAIN_MAX = 28
const POLICIES: ReadonlySet<string> = new Set(["ACCEPT", "DROP"])

/** Null: all of it is in force. */
export function restore(ruleset: Ruleset, text: string, options: RestoreOptions = {}): RestoreError | null {
  return new Restore(ruleset, options).run(text)
}

/** One line for people. */
export function describe({ line, message, why }: RestoreError): string {
  return `line ${line}: ${message}${why === "" ? "" : ` (${why})`}`
}

/** The tool says no more than "line N failed". */
class Failed extends Error {
  readonly errno: Errno
  constructor(errno: Errno, why: string) {
    super(why)
    this.errno = errno
  }
}

class Restore {
  readonly #ruleset: Ruleset
  readonly #options: RestoreOptions
  #draft: Draft | null = null
  #changed = false

  constructor(ruleset: Ruleset, options: RestoreOptions) {
    this.#ruleset = ruleset
    this.#options = options
  }

  run(text: string): RestoreError | null {
    const program = this.#ruleset.family === 4 ? "iptables-restore" : "ip6tables-restore"
    const lines = (text.endsWith("\n") || text === "" ? text : `${text}\n`).split("\n")
    lines.pop()
    for (let i = 0; i < lines.length; i++) {
      try {
        this.#line(lines[i]!, i + 1, program)
      } catch (error) {
        if (error instanceof Failed) {
          return { line: i + 1, message: `${program}: line ${i + 1} failed`, why: error.message,
            errno: error.errno }
        }
        if (!(error instanceof RuleError)) throw error
        return { line: i + 1, message: error.message, why: "", errno: Errno.EINVAL }
      }
    }
    if (this.#draft === null) return null
    const line = lines.length + 1
    return { line, message: `${program}: COMMIT expected at line ${line}`, why: "", errno: Errno.EINVAL }
  }

  #line(line: string, number: number, program: string): void {
    if (line === "" || line.startsWith("#")) return
    if (this.#draft === null) {
      if (!line.startsWith("*")) throw new Failed(Errno.EINVAL, "no table")
      this.#open(line, number, program)
    } else if (line === "COMMIT") this.#commit()
    else if (line.startsWith(":")) this.#chainLine(this.#draft, line, number, program)
    else this.#ruleLine(this.#draft, line, number)
  }

  #open(line: string, number: number, program: string): void {
    const name = line.slice(1).split(/[ \t]/).find((word) => word !== "")
    if (name === undefined) throw new RuleError(`${program}: line ${number} table name invalid`)
    if (!isTableName(name)) {
      throw new RuleError(
        name === "security" ? "table `security' is not supported here"
          : `${program}: unable to initialize table '${name}'`
      )
    }
    this.#draft = this.#ruleset.draft(name)
    this.#changed = false
    if (this.#options.noflush === true) return
    this.#draft.flushAll()
    this.#change(this.#draft)
  }

  /** Whatever is changed, the counters of all policies begin anew, as with the tool. */
  #change(draft: Draft): void {
    if (this.#changed) return
    this.#changed = true
    for (const chain of draft.chains.values()) {
      chain.packets = 0
      chain.bytes = 0
    }
  }

  #commit(): void {
    const draft = this.#draft!
    this.#draft = null
    if (!this.#changed && this.#ruleset.has(draft.table)) return
    const refusal = this.#options.test === true ? this.#ruleset.check(draft) : this.#ruleset.commit(draft)
    if (refusal !== null) throw new Failed(refusal.errno, whyRefused(refusal))
  }

  #chainLine(draft: Draft, line: string, number: number, program: string): void {
    const [name, policy, counters] = line.slice(1).split(/[ \t]+/).filter((word) => word !== "")
    if (name === undefined) throw new RuleError(`${program}: line ${number} chain name invalid`)
    if (name.length > CHAIN_MAX) throw new RuleError(`Invalid chain name \`${name}' (${CHAIN_MAX} chars max)`)
    this.#change(draft)
    let chain = draft.chains.get(name)
    if (chain === undefined || chain.hook === null) {
      if (chain !== undefined && this.#options.noflush === true) chain.entries = []
      else if (chain !== undefined || name === "ACCEPT" || name === "DROP" || name === "RETURN" ||
        name === "QUEUE") {
        throw new RuleError(`error creating chain '${name}':${strerror(Errno.EEXIST)}`)
      } else {
        chain = new Chain(name, null)
        draft.chains.set(name, chain)
      }
    }
    if (policy === undefined) throw new RuleError(`${program}: line ${number} policy invalid`)
    if (policy === "-") return
    const given = counters?.match(/^\[(\d+):(\d+)\]/) ?? null
    if (this.#options.counters === true && given === null) {
      throw new RuleError(`invalid policy counters for chain '${name}'`)
    }
    const bad = setPolicy(chain, policy)
    if (bad !== "") throw new RuleError(`Can't set policy \`${policy}' on \`${name}' line ${number}: ${bad}`)
    chain.packets = this.#options.counters === true ? Number(given![1]) : 0
    chain.bytes = this.#options.counters === true ? Number(given![2]) : 0
  }

  #ruleLine(draft: Draft, line: string, number: number): void {
    let rest = line
    let counters: Counters | null = null
    if (line.startsWith("[")) {
      const close = line.indexOf("]")
      if (close < 0) throw new RuleError(`Bad line ${number}: need ]`)
      const numbers = line.slice(0, close + 1).match(/^\[(\d+):(\d+)\]$/)
      if (numbers === null) throw new RuleError(`Bad line ${number}: need ]`)
      counters = { packets: Number(numbers[1]), bytes: Number(numbers[2]) }
      rest = line.slice(close + 1)
    }
    const { family } = this.#ruleset
    const command = parseCommand(split(`${rest}\n`), family, draft.table, (name) => draft.chains.has(name))
    if (command === null) return
    for (const match of command.rules[0]?.matches ?? []) {
      const missing = match.missing?.(this.#ruleset.env) ?? null
      if (missing !== null) throw new RuleError(missing)
    }
    if (this.#options.counters !== true) counters = null
    if (counters !== null && command.counters !== null) throw new RuleError("multiple -c flags not allowed")
    if (command.verb !== "C") this.#change(draft)
    apply(draft, command, counters ?? command.counters)
  }
}

function whyRefused({ errno, chain, number, rule, why }: Refusal): string {
  return `${why}: ${errnoName(errno)}: rule ${number} of chain ${chain}: ${rule}`
}

/** "" if it is set. */
function setPolicy(chain: Chain, policy: string): string {
  if (chain.hook === null) return "Bad built-in chain name"
  if (!POLICIES.has(policy)) return "Bad policy name"
  chain.policy = policy as "ACCEPT" | "DROP"
  return ""
}

function chainOf(draft: Draft, name: string): Chain {
  const chain = draft.chains.get(name)
  if (chain === undefined) throw new Failed(Errno.ENOENT, "No chain/target/match by that name.")
  return chain
}

function apply(draft: Draft, command: Command, counters: Counters | null): void {
  const { verb, chain, number, word } = command
  switch (verb) {
    case "N": return create(draft, chain!)
    case "E": return rename(draft, chain!, word)
    case "P": {
      const bad = setPolicy(chainOf(draft, chain!), word)
      if (bad !== "") throw new Failed(Errno.EINVAL, bad)
      return
    }
    case "F":
      for (const one of chosen(draft, chain)) one.entries = []
      return
    case "X":
      for (const one of chain === null ? draft.sorted().filter(({ hook }) => hook === null)
        : chosen(draft, chain)) {
        remove(draft, one)
      }
      return
    case "Z":
      for (const one of chosen(draft, chain)) zero(one, number)
      return
    default: return edit(chainOf(draft, chain!), draft, command, counters)
  }
}

function chosen(draft: Draft, name: string | null): ReadonlyArray<Chain> {
  return name === null ? [...draft.chains.values()] : [chainOf(draft, name)]
}

function create(draft: Draft, name: string): void {
  if (draft.chains.has(name)) throw new Failed(Errno.EEXIST, "Chain already exists.")
  draft.chains.set(name, new Chain(name, null))
}

function rename(draft: Draft, from: string, to: string): void {
  const chain = chainOf(draft, from)
  if (chain.hook !== null || draft.chains.has(to)) throw new Failed(Errno.EEXIST, "Chain already exists.")
  const renamed = new Chain(to, null)
  renamed.entries = chain.entries
  draft.chains.delete(from)
  draft.chains.set(to, renamed)
  for (const one of draft.chains.values()) {
    for (let i = 0; i < one.entries.length; i++) {
      const entry = one.entries[i]!
      const { target } = entry.rule
      if (!isJump(target) || target.chain !== from) continue
      one.entries[i] = { ...entry, rule: { ...entry.rule, target: { ...target, chain: to } } }
    }
  }
}

function remove(draft: Draft, chain: Chain): void {
  if (chain.hook !== null) throw new Failed(Errno.EINVAL, "Can't delete built-in chain.")
  if (chain.entries.length > 0) throw new Failed(Errno.ENOENT, "Directory not empty")
  for (const one of draft.chains.values()) {
    if (one.entries.some(({ rule }) => isJump(rule.target) && rule.target.chain === chain.name)) {
      throw new Failed(Errno.EINVAL, "Too many links.")
    }
  }
  draft.chains.delete(chain.name)
}

function zero(chain: Chain, number: number): void {
  if (number > chain.entries.length) throw new Failed(Errno.EINVAL, "Index of counter too big.")
  const entries = number === 0 ? chain.entries : [chain.entries[number - 1]!]
  for (const entry of number === 0 ? [chain, ...entries] : entries) {
    entry.packets = 0
    entry.bytes = 0
  }
}

function edit(chain: Chain, draft: Draft, { verb, number, rules }: Command, counters: Counters | null): void {
  for (const rule of rules) {
    if (isJump(rule.target) && draft.chains.get(rule.target.chain)!.hook !== null) {
      throw new Failed(Errno.EINVAL, `${rule.target.chain} is a built-in chain`)
    }
  }
  const entries = rules.map((rule) =>
    ({ rule, packets: counters?.packets ?? 0, bytes: counters?.bytes ?? 0 }))
  const at = Math.max(number, 1) - 1
  switch (verb) {
    case "A":
      chain.entries.push(...entries)
      return
    case "I":
      if (at > chain.entries.length) throw new Failed(Errno.EINVAL, "Index of insertion too big.")
      // One by one at the same place: the last address comes first.
      chain.entries.splice(at, 0, ...entries.reverse())
      return
    case "R":
      if (at >= chain.entries.length) throw new Failed(Errno.EINVAL, "Index of replacement too big.")
      if (entries.length !== 1) throw new RuleError("Replacement rule does not specify a unique address")
      chain.entries[at] = entries[0]!
      return
    case "D":
      if (number === 0) for (const rule of rules) chain.entries.splice(find(chain, rule), 1)
      else if (at < chain.entries.length) chain.entries.splice(at, 1)
      else throw new Failed(Errno.EINVAL, "Index of deletion too big.")
      return
    default:
      for (const rule of rules) find(chain, rule)
  }
}

/** The first rule of the same text. */
function find(chain: Chain, rule: Rule): number {
  const text = printRule(rule)
  const at = chain.entries.findIndex((entry) => printRule(entry.rule) === text)
  if (at < 0) throw new Failed(Errno.ENOENT, "Bad rule (does a matching rule exist in that chain?).")
  return at
}
