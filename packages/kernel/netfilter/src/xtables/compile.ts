/**
 * A table in the form that packets walk (ipt_do_table): rules with resolved jumps and bound matches, and counters in
 * one array. Made once per commit; a walk reads no text and allocates nothing.
 *
 * The semantics are the kernel's: a rule that matches counts before its target runs; a chain's end or RETURN goes back
 * to the caller, or to the policy at the outermost level, which counts for itself; -g does not become a caller.
 */
import type { Errno } from "@podwire/netdev"
import { get32 } from "@podwire/wire/bytes"
import { isAny } from "./addresses.ts"
import { build as buildDispatch, type Dispatch } from "./dispatch.ts"
import type { Environment } from "./environment.ts"
import { type Action, CONTINUE, type Test } from "./extension.ts"
import { refuse, type Refusal } from "./check.ts"
import type { Hook } from "../hook.ts"
import { InterfaceTable } from "./interfaces.ts"
import type { Packet } from "./packet.ts"
import { isJump, isStandard, type NetworkCondition, type Rule } from "./rule.ts"
import type { Chain, Draft } from "./table.ts"
import { Verdict } from "../verdict.ts"

const RETURN = -2
const JUMP = -3
const GOTO = -4

/** Who wants to see a walk; rules are told apart by chain and place from 0. */
export interface Observer {
  matched(chain: string, i: number, packet: Packet): void
  policy(chain: string, verdict: Verdict, packet: Packet): void
}

class CompiledRule {
  /** A network of one word; masks of 0 let everything through. */
  readonly src: Compare
  readonly dst: Compare
  /** Numbers in the table's InterfaceTable; -1: not asked for. */
  readonly in: number
  readonly out: number
  readonly notIn: boolean
  readonly notOut: boolean
  readonly protocol: number
  readonly notProtocol: boolean
  /** -1 all, 1 later fragments, 0 the others. */
  readonly fragments: number
  readonly tests: ReadonlyArray<Test>
  /** A verdict, or one of the four above; CONTINUE without an action: no target. */
  readonly verdict: number
  readonly action: Action | null
  readonly chainName: string
  chain: CompiledChain | null = null
  /** Its place in the counters. */
  readonly at: number

  constructor(rule: Rule, interfaces: InterfaceTable, tests: ReadonlyArray<Test>, action: Action | null, at: number) {
    this.src = compare(rule.src)
    this.dst = compare(rule.dst)
    this.in = rule.in === null ? -1 : interfaces.add(rule.in.name)
    this.out = rule.out === null ? -1 : interfaces.add(rule.out.name)
    this.notIn = rule.in?.inverted ?? false
    this.notOut = rule.out?.inverted ?? false
    this.protocol = rule.protocol
    this.notProtocol = rule.notProtocol
    this.fragments = rule.fragments === null ? -1 : rule.fragments ? 1 : 0
    this.tests = tests
    this.verdict = verdictOf(rule)
    this.action = action
    this.chainName = isJump(rule.target) ? rule.target.chain : ""
    this.at = at
  }
}

/** `count` words to compare, 0 for none; `word` and `mask` repeat the first of them. */
interface Compare {
  readonly count: number
  readonly word: number
  readonly mask: number
  readonly words: Int32Array
  readonly masks: Int32Array
  readonly inverted: boolean
}

const NOTHING: Compare = {
  count: 0, word: 0, mask: 0, words: new Int32Array(4), masks: new Int32Array(4), inverted: false
}

function compare(condition: NetworkCondition | null): Compare {
  if (condition === null || (isAny(condition) && !condition.inverted)) return NOTHING
  const { address, mask, inverted } = condition
  return { count: address.length, word: address[0]!, mask: mask[0]!, words: address, masks: mask, inverted }
}

function verdictOf({ target }: Rule): number {
  if (isJump(target)) return target.goto ? GOTO : JUMP
  if (!isStandard(target)) return CONTINUE
  return target.verdict === "ACCEPT" ? Verdict.Accept : target.verdict === "DROP" ? Verdict.Drop : RETURN
}

class CompiledChain {
  readonly name: string
  readonly rules: Array<CompiledRule> = []
  dispatch: Dispatch | null = null
  readonly policy: Verdict
  readonly at: number

  constructor(chain: Chain, at: number) {
    this.name = chain.name
    this.policy = chain.policy === "DROP" ? Verdict.Drop : Verdict.Accept
    this.at = at
  }
}

export interface CompileOptions {
  /** False: every rule is asked, as the kernel does. */
  readonly dispatch?: boolean
}

export class CompiledTable {
  observer: Observer | null = null
  readonly #bases: ReadonlyArray<CompiledChain | null>
  readonly #chains: ReadonlyMap<string, CompiledChain>
  readonly #interfaces: InterfaceTable
  /** Packets and octets in turn: of a chain's policy, then of its rules. */
  readonly #counters: Float64Array
  readonly #callers: Array<CompiledChain>
  readonly #returns: Int32Array

  constructor(
    bases: ReadonlyArray<CompiledChain | null>, chains: ReadonlyMap<string, CompiledChain>, interfaces: InterfaceTable,
    counters: Float64Array
  ) {
    this.#bases = bases
    this.#chains = chains
    this.#interfaces = interfaces
    this.#counters = counters
    // No jump comes round, so each chain is waited for at most once.
    this.#callers = new Array<CompiledChain>(chains.size)
    this.#returns = new Int32Array(chains.size)
  }

  /** The packet is loaded. A hook without a chain of this table accepts. */
  walk(packet: Packet): number {
    const base = this.#bases[packet.hook]!
    if (base === null) return Verdict.Accept
    const into = this.#interfaces.row(packet.in)
    const outof = this.#interfaces.row(packet.out)
    let chain = base
    let i = 0
    let depth = 0
    for (;;) {
      if (chain.dispatch !== null && i < chain.rules.length) i = chain.dispatch.next(packet, i)
      let verdict: number
      if (i >= chain.rules.length) verdict = RETURN
      else {
        const rule = chain.rules[i++]!
        if (!matches(rule, packet, into, outof)) {
          if (packet.hotdrop) return Verdict.Drop
          continue
        }
        this.#count(rule.at, packet)
        if (this.observer !== null) this.observer.matched(chain.name, i - 1, packet)
        verdict = rule.action === null ? rule.verdict : rule.action.run(packet)
        if (verdict === CONTINUE) continue
        if (verdict <= JUMP) {
          if (verdict === JUMP) {
            this.#callers[depth] = chain
            this.#returns[depth++] = i
          }
          chain = rule.chain!
          i = 0
          continue
        }
      }
      if (verdict !== RETURN) return verdict
      if (depth === 0) return this.#policy(base, packet)
      chain = this.#callers[--depth]!
      i = this.#returns[depth]!
    }
  }

  #policy(base: CompiledChain, packet: Packet): Verdict {
    this.#count(base.at, packet)
    if (this.observer !== null) this.observer.policy(base.name, base.policy, packet)
    return base.policy
  }

  #count(at: number, packet: Packet): void {
    this.#counters[at]!++
    this.#counters[at + 1]! += packet.lengthBytes
  }

  /** Into the chains that it was made from, in the same order of rules. */
  readCounters(draft: Draft): void {
    for (const chain of draft.chains.values()) {
      const compiled = this.#chains.get(chain.name)!
      chain.packets = this.#counters[compiled.at]!
      chain.bytes = this.#counters[compiled.at + 1]!
      for (let i = 0; i < chain.entries.length; i++) {
        const { at } = compiled.rules[i]!
        chain.entries[i]!.packets = this.#counters[at]!
        chain.entries[i]!.bytes = this.#counters[at + 1]!
      }
    }
  }
}

function matches(
  rule: CompiledRule, packet: Packet, into: ReadonlyArray<boolean>, outof: ReadonlyArray<boolean>
): boolean {
  if (rule.src.count !== 0 && !compares(rule.src, packet.bytes, packet.srcAt)) return false
  if (rule.dst.count !== 0 && !compares(rule.dst, packet.bytes, packet.dstAt)) return false
  if (rule.in >= 0 && into[rule.in] === rule.notIn) return false
  if (rule.out >= 0 && outof[rule.out] === rule.notOut) return false
  if (rule.protocol !== 0) {
    if (packet.broken) {
      packet.hotdrop = true
      return false
    }
    if ((packet.protocol === rule.protocol) === rule.notProtocol) return false
  }
  if (rule.fragments >= 0 && (packet.fragmentOffset !== 0) !== (rule.fragments === 1)) return false
  for (let i = 0; i < rule.tests.length; i++) if (!rule.tests[i]!.test(packet)) return false
  return true
}

function compares(compare: Compare, bytes: Uint8Array, at: number): boolean {
  let equal = ((get32(bytes, at) ^ compare.word) & compare.mask) === 0
  for (let i = 1; equal && i < compare.count; i++) {
    equal = ((get32(bytes, at + 4 * i) ^ compare.words[i]!) & compare.masks[i]!) === 0
  }
  return equal !== compare.inverted
}

/** The draft has passed `check`. Refused if a rule needs what this host does not have. */
export function compile(draft: Draft, env: Environment, { dispatch = true }: CompileOptions = {}):
  CompiledTable | Refusal {
  const chains = new Map<string, CompiledChain>()
  const interfaces = new InterfaceTable()
  const bases: Array<CompiledChain | null> = [null, null, null, null, null]
  let at = 0
  for (const chain of draft.chains.values()) {
    const compiled = new CompiledChain(chain, at)
    at += 2
    chains.set(chain.name, compiled)
    if (chain.hook !== null) bases[chain.hook as Hook] = compiled
    for (let i = 0; i < chain.entries.length; i++) {
      const bound = bind(chain.entries[i]!.rule, env)
      if ("errno" in bound) return refuse(bound.errno, chain, i, bound.why)
      compiled.rules.push(new CompiledRule(chain.entries[i]!.rule, interfaces, bound.tests, bound.action, at))
      at += 2
    }
    if (dispatch) compiled.dispatch = buildDispatch(chain.entries.map(({ rule }) => rule))
  }
  const counters = new Float64Array(at)
  for (const chain of draft.chains.values()) {
    const compiled = chains.get(chain.name)!
    counters[compiled.at] = chain.packets
    counters[compiled.at + 1] = chain.bytes
    for (const [i, rule] of compiled.rules.entries()) {
      if (rule.chainName !== "") rule.chain = chains.get(rule.chainName)!
      counters[rule.at] = chain.entries[i]!.packets
      counters[rule.at + 1] = chain.entries[i]!.bytes
    }
  }
  return new CompiledTable(bases, chains, interfaces, counters)
}

const NO_TESTS: ReadonlyArray<Test> = []

type Bound = { readonly tests: ReadonlyArray<Test>; readonly action: Action | null }

function bind(rule: Rule, env: Environment): Bound | { readonly errno: Errno; readonly why: string } {
  let tests: Array<Test> | null = null
  for (const match of rule.matches) {
    const test = match.bind(env)
    if (typeof test === "number") return { errno: test, why: `match ${match.kind.name}` }
    if (test !== null) (tests ??= []).push(test)
  }
  const { target } = rule
  let action: Action | null = null
  if (target !== null && !isJump(target) && !isStandard(target)) {
    const bound = target.bind(env)
    if (typeof bound === "number") return { errno: bound, why: `target ${target.kind.name}` }
    action = bound
  }
  return { tests: tests ?? NO_TESTS, action }
}

