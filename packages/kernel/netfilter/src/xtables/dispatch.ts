/**
 * Which rules of a long chain a packet has to be held against, without asking the others: for chains such
 * as KUBE-SERVICES, where each rule wants one destination and port.
 *
 * Rules that want exactly one destination with protocol and port, one protocol and port, one destination,
 * or one source are filed under a hash of it; all others are general. The walk sees, in the chain's order,
 * the general rules and those filed under the packet's own hashes. A rule that is passed over would have
 * failed in its selector or at its ports, before any match that counts or remembers; a rule that is seen by
 * mistake (two keys, one hash) is evaluated and fails. So verdict and counters are those of the linear
 * walk.
 */
import { isAny, prefixLength } from "./addresses.ts"
import type { Match } from "./extension.ts"
import { MultiportMatch } from "./matches/multiport.ts"
import { IcmpMatch } from "./matches/icmp.ts"
import { TcpMatch } from "./matches/tcp.ts"
import { PortMatch } from "./matches/udp.ts"
import { hasPorts, mix, type Packet } from "./packet.ts"
import type { NetworkCondition, Rule } from "./rule.ts"

/** Shorter chains are walked. */
const RULES_MIN = 8
const KINDS = 4

/**
 * One way of filing: for hash h, the rules items[starts[h & mask]] up to starts[(h & mask) + 1], ascending.
 */
interface Index {
  readonly kind: number
  readonly mask: number
  readonly starts: Int32Array
  readonly items: Int32Array
}

export class Dispatch {
  readonly #indexes: ReadonlyArray<Index>
  /** The next general rule at or after i. */
  readonly #general: Int32Array

  constructor(indexes: ReadonlyArray<Index>, general: Int32Array) {
    this.#indexes = indexes
    this.#general = general
  }

  /** The next rule at or after `from` that may match; the number of rules if there is none. */
  next(packet: Packet, from: number): number {
    if (packet.linear) return from
    let next = this.#general[from]!
    for (let k = 0; k < this.#indexes.length; k++) {
      const { kind, mask, starts, items } = this.#indexes[k]!
      const slot = packet.keys[kind]! & mask
      let low = starts[slot]!
      let high = starts[slot + 1]!
      const end = high
      while (low < high) {
        const middle = (low + high) >>> 1
        if (items[middle]! < from) low = middle + 1
        else high = middle
      }
      if (low < end && items[low]! < next) next = items[low]!
    }
    return next
  }
}

/** Null: nothing to be gained. */
export function build(rules: ReadonlyArray<{ readonly rule: Rule }>): Dispatch | null {
  if (rules.length < RULES_MIN) return null
  const filed: Array<{ readonly hashes: Array<number>; readonly rules: Array<number> }> = []
  for (let kind = 0; kind < KINDS; kind++) filed.push({ hashes: [], rules: [] })
  const general = new Int32Array(rules.length + 1)
  const isGeneral = new Uint8Array(rules.length)
  for (let i = 0; i < rules.length; i++) {
    const key = keyOf(rules[i]!.rule)
    if (key === null) isGeneral[i] = 1
    else {
      for (const hash of key.hashes) {
        filed[key.kind]!.hashes.push(hash)
        filed[key.kind]!.rules.push(i)
      }
    }
  }
  general[rules.length] = rules.length
  for (let i = rules.length - 1; i >= 0; i--) general[i] = isGeneral[i] === 1 ? i : general[i + 1]!
  const indexes = filed.flatMap((one, kind) => one.rules.length === 0 ? []
    : [index(kind, one.hashes, one.rules)])
  return indexes.length === 0 ? null : new Dispatch(indexes, general)
}

/** Counting sort; rules of one slot keep their order. */
function index(kind: number, hashes: ReadonlyArray<number>, rules: ReadonlyArray<number>): Index {
  const size = 1 << (33 - Math.clz32(rules.length))
  const mask = size - 1
  const starts = new Int32Array(size + 1)
  for (const hash of hashes) starts[(hash & mask) + 1]!++
  for (let i = 0; i < size; i++) starts[i + 1]! += starts[i]!
  const at = starts.slice()
  const items = new Int32Array(rules.length)
  for (let i = 0; i < rules.length; i++) items[at[hashes[i]! & mask]!++] = rules[i]!
  return { kind, mask, starts, items }
}

interface Key {
  readonly kind: number
  readonly hashes: ReadonlyArray<number>
}

/** The most telling of what a rule wants exactly; numbered as `Packet.keys`. */
function keyOf(rule: Rule): Key | null {
  const dst = exact(rule.dst)
  const ports = dstPorts(rule)
  if (ports !== null) {
    const hash = dst ?? 0
    return { kind: dst === null ? 1 : 0,
      hashes: ports.map((port) => mix(hash, port | (rule.protocol << 16))) }
  }
  if (dst !== null) return { kind: 2, hashes: [dst] }
  const src = exact(rule.src)
  return src === null ? null : { kind: 3, hashes: [src] }
}

/** The hash of one address; null if it is not exactly one that is wanted. */
function exact(condition: NetworkCondition | null): number | null {
  if (condition === null || condition.inverted || isAny(condition)) return null
  if (prefixLength(condition.mask) !== 32 * condition.mask.length) return null
  let hash = 0
  for (const word of condition.address) hash = mix(hash, word)
  return hash
}

/**
 * The destination ports that a rule wants, if its ports are asked before anything that counts or may drop.
 */
function dstPorts(rule: Rule): ReadonlyArray<number> | null {
  if (rule.notProtocol || !hasPorts(rule.protocol)) return null
  for (const match of rule.matches) {
    if (match.impure === true) return null
    const ports = portsOf(match)
    if (ports !== null) return ports.length === 0 ? null : ports
  }
  return null
}

/** Null: it does not look at the transport header. Empty: it does, but not for single ports. */
function portsOf(match: Match): ReadonlyArray<number> | null {
  if (match instanceof TcpMatch || match instanceof PortMatch) {
    const { dst, notDst } = match
    return !notDst && dst.min === dst.max ? [dst.min] : []
  }
  if (match instanceof MultiportMatch) {
    const single = match.which === "dports" && !match.inverted &&
      match.ranges.every(({ min, max }) => min === max)
    return single ? [...new Set(match.ranges.map(({ min }) => min))] : []
  }
  return match instanceof IcmpMatch ? [] : null
}
