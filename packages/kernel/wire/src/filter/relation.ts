/**
 * Words → a comparison of two sums, `ip[2:2] - (ip[0] & 15) * 4 > 40`, as libpcap's grammar.y reads them. A
 * parenthesis may begin a sum or a filter; which of both shows only behind it, so that nothing is taken when
 * what follows is no comparison.
 */
import * as arithmetic from "./arithmetic.ts"
import type { Term } from "./arithmetic.ts"
import { FilterError, numberOf, type Token } from "./lex.ts"
import { NETWORK_TYPES, proto, proto4, TRANSPORTS, type } from "./primitive.ts"
import type { Test } from "./test.ts"

const DEPTH_MAX = 200
/** Of the order of `arithmetic.PRECEDENCE`: everything. */
const LOOSEST = 0

export interface Relation {
  readonly test: Test
  /** The token behind it. */
  readonly next: number
}

/** Null when the tokens from `next` on are no comparison but may be something else. */
export function readRelation(
  tokens: ReadonlyArray<Token>, next: number, l3: number
): Relation | FilterError | null {
  const first = tokens[next]!
  if (!begins(first, tokens[next + 1])) return null
  const open = first.text === "(" || first.kind === "number"
  const reader = new Reader(tokens, next, l3)
  const left = reader.sum(LOOSEST)
  const sign = reader.peek()
  if (left instanceof FilterError || !arithmetic.RELATIONS.includes(sign.text)) {
    if (open) return null
    return left instanceof FilterError ? left : reader.wrong("a comparison: =, !=, <, <=, > or >=")
  }
  reader.next++
  const right = reader.sum(LOOSEST)
  if (right instanceof FilterError) return right
  return { test: arithmetic.relation(sign.text, left, right), next: reader.next }
}

function begins({ kind, text }: Token, behind: Token | undefined): boolean {
  if (text === "(" || text === "-" || kind === "number") return true
  return kind === "word" && (behind?.text === "[" || text === "len" || Object.hasOwn(arithmetic.NAMED, text))
}

class Reader {
  readonly #tokens: ReadonlyArray<Token>
  readonly #l3: number
  #depth = 0
  next: number

  constructor(tokens: ReadonlyArray<Token>, next: number, l3: number) {
    this.#tokens = tokens
    this.next = next
    this.#l3 = l3
  }

  peek(): Token {
    return this.#tokens[Math.min(this.next, this.#tokens.length - 1)]!
  }

  wrong(expected: string): FilterError {
    const { at, text } = this.peek()
    return new FilterError(at, `found ${text}, expected ${expected}`)
  }

  /** Operators that bind at least as close as `least`. */
  sum(least: number): Term | FilterError {
    let left = this.#operand()
    while (!(left instanceof FilterError)) {
      const { text, at } = this.peek()
      const greedy = arithmetic.GREEDY.includes(text)
      const closeness = Object.hasOwn(arithmetic.PRECEDENCE, text) ? arithmetic.PRECEDENCE[text]! : LOOSEST
      if (!greedy && (closeness === LOOSEST || closeness < least)) return left
      this.next++
      const right = this.sum(greedy ? LOOSEST : closeness + 1)
      if (right instanceof FilterError) return right
      const made = arithmetic.computed(text, left, right)
      left = typeof made === "string" ? new FilterError(at, made) : made
    }
    return left
  }

  #operand(): Term | FilterError {
    if (++this.#depth > DEPTH_MAX) return new FilterError(this.peek().at, `more than ${DEPTH_MAX} levels`)
    const term = this.#nested()
    this.#depth--
    return term
  }

  #nested(): Term | FilterError {
    const { kind, text, at } = this.peek()
    this.next++
    if (text === "-") {
      const term = this.sum(arithmetic.NEGATION)
      return term instanceof FilterError ? term : arithmetic.negated(term)
    }
    if (text === "(") {
      const term = this.sum(LOOSEST)
      return term instanceof FilterError ? term : this.#take(")") ?? term
    }
    if (text === "len" && kind === "word") return arithmetic.LENGTH
    if (kind === "word" && Object.hasOwn(arithmetic.NAMED, text)) {
      return arithmetic.number(arithmetic.NAMED[text]!)
    }
    if (kind === "number") {
      const value = numberOf(text)
      return value === null ? new FilterError(at, `${text}: no number of 32 bits`) : arithmetic.number(value)
    }
    if (kind === "word" && this.peek().text === "[") return this.#load(text, at)
    this.next--
    return this.wrong("a number, len or protocol[offset]")
  }

  #load(protocol: string, at: number): Term | FilterError {
    this.next++
    const index = this.sum(LOOSEST)
    if (index instanceof FilterError) return index
    let size = 1
    if (this.peek().text === ":") {
      this.next++
      const { text, at: place } = this.peek()
      size = numberOf(text) ?? 0
      if (size !== 1 && size !== 2 && size !== 4) {
        return new FilterError(place, `${text}: the size is 1, 2 or 4`)
      }
      this.next++
    }
    const fault = this.#take("]")
    if (fault !== null) return fault
    const l3 = this.#l3
    if (protocol === "ether" || protocol === "link") return arithmetic.loadLink(index, size)
    if (protocol === "icmp6") return arithmetic.loadIcmp6(l3, index, size)
    if (Object.hasOwn(NETWORK_TYPES, protocol)) {
      return arithmetic.loadNetwork(l3, index, size, type(l3, NETWORK_TYPES[protocol]!))
    }
    if (!Object.hasOwn(TRANSPORTS, protocol)) return new FilterError(at, `${protocol}[…] is not supported`)
    const { id, only4 } = TRANSPORTS[protocol]!
    return arithmetic.loadTransport(l3, index, size, only4 ? proto4(l3, id) : proto(l3, id))
  }

  #take(sign: string): FilterError | null {
    if (this.peek().text !== sign) return this.wrong(sign)
    this.next++
    return null
  }
}
