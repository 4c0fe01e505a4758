/**
 * A table in the form that packets walk (ipt_do_table): each rule a row of words in one array (a cache line
 * for IPv4), so that a walk through ten thousand services touches little memory; matches that a row cannot
 * hold are objects beside it, and counters are in an array of their own. Made once per commit; a walk reads
 * no text and allocates nothing.
 *
 * The semantics are the kernel's: a rule that matches counts before its target runs; a chain's end or
 * RETURN goes back to the caller, or to the policy at the outermost level, which counts for itself; -g does
 * not become a caller.
 */
import type { Errno } from "@podwire/netdev"
import { get16, get32 } from "@podwire/wire/bytes"
import { build as buildDispatch, type Dispatch } from "./dispatch.ts"
import type { Environment } from "./environment.ts"
import { type Action, CONTINUE, type Family, type Test } from "./extension.ts"
import { refuse, type Refusal } from "./check.ts"
import { InterfaceTable } from "./interfaces.ts"
import { TcpMatch } from "./matches/tcp.ts"
import { PortMatch } from "./matches/udp.ts"
import type { Packet } from "./packet.ts"
import { isJump, isStandard, type NetworkCondition, type Rule } from "./rule.ts"
import type { Draft } from "./table.ts"
import { Verdict } from "../verdict.ts"

/** What a row says of its target. */
const RETURN = -2
const JUMP = -3
const GOTO = -4

/** Words of a row. The networks follow: source, its mask, destination, its mask, one word each or four. */
const FLAGS = 0
const PROTOCOL = 1
/** Numbers in the table's InterfaceTable; -1: not asked for. */
const IN = 2
const OUT = 3
/** Lowest port in the upper half, highest in the lower. */
const SPORT = 4
const DPORT = 5
/** A verdict, or one of the above. */
const TARGET = 6
/** Where JUMP and GOTO go. */
const CHAIN = 7
const NETWORKS = 8
const STRIDE = { 4: 16, 6: 32 } as const

const NOT_SRC = 1
const NOT_DST = 2
const NOT_IN = 4
const NOT_OUT = 8
const NOT_PROTOCOL = 16
/** -f, and `! -f`. */
const LATER = 32
const FIRST = 64
const HAS_SRC = 128
const HAS_DST = 256
/** The first match is for ports alone and is in the row; a packet without readable ports asks the object. */
const PORTS = 512
const NOT_SPORT = 1024
const NOT_DPORT = 2048
const HAS_TEST = 4096
const HAS_ACTION = 8192

/** Who wants to see a walk; rules are told apart by chain and place from 0. */
export interface Observer {
  matched(chain: string, i: number, packet: Packet): void
  policy(chain: string, verdict: Verdict, packet: Packet): void
}

/** All of them, in their order. */
class All implements Test {
  readonly #tests: ReadonlyArray<Test>

  constructor(tests: ReadonlyArray<Test>) {
    this.#tests = tests
  }

  test(packet: Packet): boolean {
    for (let i = 0; i < this.#tests.length; i++) if (!this.#tests[i]!.test(packet)) return false
    return true
  }
}

export interface CompileOptions {
  /** False: every rule is asked, as the kernel does. */
  readonly dispatch?: boolean
}

/** By number of the chain or of the row. */
interface Program {
  readonly words: Int32Array
  readonly stride: number
  readonly names: ReadonlyArray<string>
  /** First row of each chain, and one past the last row of all. */
  readonly starts: Int32Array
  readonly dispatch: ReadonlyArray<Dispatch | null>
  /** The match that is in the row, and those that are not. */
  readonly ports: ReadonlyArray<Test | null>
  readonly tests: ReadonlyArray<Test | null>
  readonly actions: ReadonlyArray<Action | null>
  /** The chain of each hook, or -1; and its policy. */
  readonly bases: ReadonlyArray<number>
  readonly policies: ReadonlyArray<Verdict>
}

export class CompiledTable {
  observer: Observer | null = null
  readonly #program: Program
  readonly #interfaces: InterfaceTable
  /** Packets and octets in turn: of each row, then of the policies by hook. */
  readonly #counters: Float64Array
  readonly #callers: Int32Array
  readonly #returns: Int32Array

  constructor(program: Program, interfaces: InterfaceTable, counters: Float64Array) {
    this.#program = program
    this.#interfaces = interfaces
    this.#counters = counters
    // No jump comes round, so each chain is waited for at most once.
    this.#callers = new Int32Array(program.names.length)
    this.#returns = new Int32Array(program.names.length)
  }

  /** The packet is loaded. A hook without a chain of this table accepts. */
  walk(packet: Packet): number {
    const { words, stride, starts, dispatch, actions } = this.#program
    let chain = this.#program.bases[packet.hook]!
    if (chain < 0) return Verdict.Accept
    const into = this.#interfaces.row(packet.in)
    const outof = this.#interfaces.row(packet.out)
    let row = starts[chain]!
    let depth = 0
    for (;;) {
      const end = starts[chain + 1]!
      const index = dispatch[chain]!
      if (index !== null && row < end) row = starts[chain]! + index.next(packet, row - starts[chain]!)
      let verdict: number
      if (row >= end) verdict = RETURN
      else {
        const at = row * stride
        if (!this.#matches(row, packet, into, outof)) {
          if (packet.hotdrop) return Verdict.Drop
          row++
          continue
        }
        this.#count(row, packet)
        if (this.observer !== null) {
          this.observer.matched(this.#program.names[chain]!, row - starts[chain]!, packet)
        }
        verdict = (words[at]! & HAS_ACTION) === 0 ? words[at + TARGET]! : actions[row]!.run(packet)
        row++
        if (verdict === CONTINUE) continue
        if (verdict <= JUMP) {
          if (verdict === JUMP) {
            this.#callers[depth] = chain
            this.#returns[depth++] = row
          }
          chain = words[at + CHAIN]!
          row = starts[chain]!
          continue
        }
      }
      if (verdict !== RETURN) return verdict
      if (depth === 0) return this.#policy(packet)
      chain = this.#callers[--depth]!
      row = this.#returns[depth]!
    }
  }

  #matches(
    row: number, packet: Packet, into: ReadonlyArray<boolean>, outof: ReadonlyArray<boolean>
  ): boolean {
    const { words, stride, ports, tests } = this.#program
    const at = row * stride
    const flags = words[at]!
    const { bytes } = packet
    const count = stride === STRIDE[4] ? 1 : 4
    const src = at + NETWORKS
    if ((flags & HAS_SRC) !== 0 &&
      isIn(words, src, count, bytes, packet.srcAt) === ((flags & NOT_SRC) !== 0)) {
      return false
    }
    const dst = src + 2 * count
    if ((flags & HAS_DST) !== 0 &&
      isIn(words, dst, count, bytes, packet.dstAt) === ((flags & NOT_DST) !== 0)) {
      return false
    }
    if (words[at + IN]! >= 0 && into[words[at + IN]!] === ((flags & NOT_IN) !== 0)) return false
    if (words[at + OUT]! >= 0 && outof[words[at + OUT]!] === ((flags & NOT_OUT) !== 0)) return false
    const protocol = words[at + PROTOCOL]!
    if (protocol !== 0) {
      if (packet.broken) {
        packet.hotdrop = true
        return false
      }
      if ((packet.protocol === protocol) === ((flags & NOT_PROTOCOL) !== 0)) return false
    }
    if ((flags & (LATER | FIRST)) !== 0 && (packet.fragmentOffset !== 0) !== ((flags & LATER) !== 0)) {
      return false
    }
    if ((flags & PORTS) !== 0) {
      if (packet.linear) {
        if (!ports[row]!.test(packet)) return false
      } else {
        const { l4 } = packet
        if (fits(words[at + SPORT]!, bytes, l4) === ((flags & NOT_SPORT) !== 0)) return false
        if (fits(words[at + DPORT]!, bytes, l4 + 2) === ((flags & NOT_DPORT) !== 0)) return false
      }
    }
    return (flags & HAS_TEST) === 0 || tests[row]!.test(packet)
  }

  #policy(packet: Packet): Verdict {
    const { hook } = packet
    const { starts, policies, names, bases } = this.#program
    this.#count(starts.at(-1)! + hook, packet)
    if (this.observer !== null) this.observer.policy(names[bases[hook]!]!, policies[hook]!, packet)
    return policies[hook]!
  }

  #count(i: number, packet: Packet): void {
    this.#counters[2 * i]!++
    this.#counters[2 * i + 1]! += packet.lengthBytes
  }

  /** Into the chains that it was made from, in the same order of rules. */
  readCounters(draft: Draft): void {
    const { starts } = this.#program
    let row = 0
    for (const chain of draft.chains.values()) {
      if (chain.hook !== null) {
        chain.packets = this.#counters[2 * (starts.at(-1)! + chain.hook)]!
        chain.bytes = this.#counters[2 * (starts.at(-1)! + chain.hook) + 1]!
      }
      for (const entry of chain.entries) {
        entry.packets = this.#counters[2 * row]!
        entry.bytes = this.#counters[2 * row + 1]!
        row++
      }
    }
  }
}

/** Network words at `at`, masks behind them. */
function isIn(words: Int32Array, at: number, count: number, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < count; i++) {
    if (((get32(bytes, from + 4 * i) ^ words[at + i]!) & words[at + count + i]!) !== 0) return false
  }
  return true
}

function fits(range: number, bytes: Uint8Array, at: number): boolean {
  const port = get16(bytes, at)
  return port >= range >>> 16 && port <= (range & 0xffff)
}

/** The draft has passed `check`. Refused if a rule needs what this host does not have. */
export function compile(
  draft: Draft, family: Family, env: Environment, { dispatch = true }: CompileOptions = {}
): CompiledTable | Refusal {
  const chains = [...draft.chains.values()]
  const numbers = new Map(chains.map(({ name }, i) => [name, i]))
  const stride = STRIDE[family]
  const starts = new Int32Array(chains.length + 1)
  for (let i = 0; i < chains.length; i++) starts[i + 1] = starts[i]! + chains[i]!.entries.length
  const rows = starts.at(-1)!
  const words = new Int32Array(rows * stride)
  const counters = new Float64Array(2 * (rows + HOOKS))
  const interfaces = new InterfaceTable()
  const ports: Array<Test | null> = []
  const tests: Array<Test | null> = []
  const actions: Array<Action | null> = []
  const bases = new Array<number>(HOOKS).fill(-1)
  const policies = new Array<Verdict>(HOOKS).fill(Verdict.Accept)
  for (const [number, chain] of chains.entries()) {
    if (chain.hook !== null) {
      bases[chain.hook] = number
      policies[chain.hook] = chain.policy === "DROP" ? Verdict.Drop : Verdict.Accept
      counters[2 * (rows + chain.hook)] = chain.packets
      counters[2 * (rows + chain.hook) + 1] = chain.bytes
    }
    for (let i = 0; i < chain.entries.length; i++) {
      const { rule, packets, bytes } = chain.entries[i]!
      const bound = bind(rule, env)
      if ("errno" in bound) return refuse(bound.errno, chain, i, bound.why)
      const row = starts[number]! + i
      write(words, row * stride, rule, bound, interfaces, numbers)
      ports.push(bound.ports)
      tests.push(bound.test)
      actions.push(bound.action)
      counters[2 * row] = packets
      counters[2 * row + 1] = bytes
    }
  }
  const indexes = chains.map(({ entries }) => dispatch ? buildDispatch(entries) : null)
  return new CompiledTable({
    words, stride, names: chains.map(({ name }) => name), starts, dispatch: indexes, ports, tests, actions,
    bases,
    policies
  }, interfaces, counters)
}

const HOOKS = 5

interface Bound {
  readonly ports: TcpMatch | PortMatch | null
  readonly test: Test | null
  readonly action: Action | null
}

function write(
  words: Int32Array, at: number, rule: Rule, { ports, test, action }: Bound, interfaces: InterfaceTable,
  chains: ReadonlyMap<string, number>
): void {
  const { src, dst, target } = rule
  let flags = (src?.inverted ? NOT_SRC : 0) | (dst?.inverted ? NOT_DST : 0) |
    (rule.in?.inverted ? NOT_IN : 0) |
    (rule.out?.inverted ? NOT_OUT : 0) | (rule.notProtocol ? NOT_PROTOCOL : 0) |
      (test === null ? 0 : HAS_TEST) |
    (action === null ? 0 : HAS_ACTION)
  if (rule.fragments !== null) flags |= rule.fragments ? LATER : FIRST
  const count = rule.family === 4 ? 1 : 4
  if (src !== null) flags |= HAS_SRC
  if (dst !== null) flags |= HAS_DST
  writeNetwork(words, at + NETWORKS, count, src)
  writeNetwork(words, at + NETWORKS + 2 * count, count, dst)
  if (ports !== null) {
    flags |= PORTS | (ports.notSrc ? NOT_SPORT : 0) | (ports.notDst ? NOT_DPORT : 0)
    words[at + SPORT] = (ports.src.min << 16) | ports.src.max
    words[at + DPORT] = (ports.dst.min << 16) | ports.dst.max
  }
  words[at + FLAGS] = flags
  words[at + PROTOCOL] = rule.protocol
  words[at + IN] = rule.in === null ? -1 : interfaces.add(rule.in.name)
  words[at + OUT] = rule.out === null ? -1 : interfaces.add(rule.out.name)
  words[at + TARGET] = verdictOf(rule)
  words[at + CHAIN] = isJump(target) ? chains.get(target.chain)! : -1
}

function writeNetwork(words: Int32Array, at: number, count: number, network: NetworkCondition | null): void {
  if (network === null) return
  words.set(network.address, at)
  words.set(network.mask, at + count)
}

function verdictOf({ target }: Rule): number {
  if (isJump(target)) return target.goto ? GOTO : JUMP
  if (!isStandard(target)) return CONTINUE
  return target.verdict === "ACCEPT" ? Verdict.Accept : target.verdict === "DROP" ? Verdict.Drop : RETURN
}

/** Ports and nothing else of a header that is known to be whole. */
function onlyPorts(test: Test): test is TcpMatch | PortMatch {
  return test instanceof PortMatch ||
    (test instanceof TcpMatch && test.flagMask === 0 && test.flags === 0 && !test.notFlags &&
      test.option === 0)
}

function bind(rule: Rule, env: Environment): Bound | { readonly errno: Errno; readonly why: string } {
  const tests: Array<Test> = []
  for (const match of rule.matches) {
    const test = match.bind(env)
    if (typeof test === "number") return { errno: test, why: `match ${match.kind.name}` }
    if (test !== null) tests.push(test)
  }
  const { target } = rule
  let action: Action | null = null
  if (target !== null && !isJump(target) && !isStandard(target)) {
    const bound = target.bind(env)
    if (typeof bound === "number") return { errno: bound, why: `target ${target.kind.name}` }
    action = bound
  }
  const first = tests[0]
  const ports = first !== undefined && onlyPorts(first) ? first : null
  if (ports !== null) tests.shift()
  return { ports, test: tests.length === 0 ? null : tests.length === 1 ? tests[0]! : new All(tests), action }
}
