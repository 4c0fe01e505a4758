/** icmp: type and codes (ip_tables.c, icmp_match). */
import * as ipproto from "@podwire/wire/ipproto"
import { type Family, type Match, type MatchKind, type Selector, type Test } from "../extension.ts"
import type { Given } from "../options.ts"
import { parse } from "../numbers.ts"
import type { Packet } from "../packet.ts"
import { RuleError } from "../rule-error.ts"

/** Name, type, lowest and highest code. */
export type TypeName = readonly [string, number, number, number]

const TYPES: ReadonlyArray<TypeName> = [
  ["any", 0xff, 0, 0xff], ["echo-reply", 0, 0, 0xff], ["pong", 0, 0, 0xff],
  ["destination-unreachable", 3, 0, 0xff], ["network-unreachable", 3, 0, 0], ["host-unreachable", 3, 1, 1],
  ["protocol-unreachable", 3, 2, 2], ["port-unreachable", 3, 3, 3], ["fragmentation-needed", 3, 4, 4],
  ["source-route-failed", 3, 5, 5], ["network-unknown", 3, 6, 6], ["host-unknown", 3, 7, 7],
  ["network-prohibited", 3, 9, 9], ["host-prohibited", 3, 10, 10], ["TOS-network-unreachable", 3, 11, 11],
  ["TOS-host-unreachable", 3, 12, 12], ["communication-prohibited", 3, 13, 13],
  ["host-precedence-violation", 3, 14, 14], ["precedence-cutoff", 3, 15, 15], ["source-quench", 4, 0, 0xff],
  ["redirect", 5, 0, 0xff], ["network-redirect", 5, 0, 0], ["host-redirect", 5, 1, 1],
  ["TOS-network-redirect", 5, 2, 2], ["TOS-host-redirect", 5, 3, 3], ["echo-request", 8, 0, 0xff],
  ["ping", 8, 0, 0xff], ["router-advertisement", 9, 0, 0xff], ["router-solicitation", 10, 0, 0xff],
  ["time-exceeded", 11, 0, 0xff], ["ttl-exceeded", 11, 0, 0xff], ["ttl-zero-during-transit", 11, 0, 0],
  ["ttl-zero-during-reassembly", 11, 1, 1], ["parameter-problem", 12, 0, 0xff], ["ip-header-bad", 12, 0, 0],
  ["required-option-missing", 12, 1, 1], ["timestamp-request", 13, 0, 0xff], ["timestamp-reply", 14, 0, 0xff],
  ["address-mask-request", 17, 0, 0xff], ["address-mask-reply", 18, 0, 0xff]
]

/** A name or an unambiguous beginning of one, or TYPE[/CODE]. */
export function parseType(text: string, types: ReadonlyArray<TypeName>, protocol: string): TypeName {
  const hits = types.filter(([name]) => name.toLowerCase().startsWith(text.toLowerCase()))
  const exact = hits.find(([name]) => name.toLowerCase() === text.toLowerCase())
  if (exact !== undefined) return exact
  if (hits.length > 1) {
    throw new RuleError(`Ambiguous ${protocol} type \`${text}': \`${hits[0]![0]}' or \`${hits[1]![0]}'?`)
  }
  if (hits.length === 1) return hits[0]!
  const slash = text.indexOf("/")
  const type = parse(slash < 0 ? text : text.slice(0, slash), 0, 255)
  if (type === null) throw new RuleError(`Unknown ${protocol} type \`${text}'`)
  if (slash < 0) return ["", type, 0, 0xff]
  const code = parse(text.slice(slash + 1), 0, 255)
  if (code === null) throw new RuleError(`Unknown ${protocol} code \`${text}'`)
  return ["", type, code, code]
}

export class IcmpMatch implements Match, Test {
  readonly kind: MatchKind
  readonly type: number
  readonly minCode: number
  readonly maxCode: number
  readonly inverted: boolean
  readonly #family: Family

  constructor(kind: MatchKind, family: Family, [, type, minCode, maxCode]: TypeName, inverted: boolean) {
    this.kind = kind
    this.#family = family
    this.type = type
    this.minCode = minCode
    this.maxCode = maxCode
    this.inverted = inverted
  }

  print(): string {
    const option = ` ${this.inverted ? "! " : ""}--${this.#family === 4 ? "icmp" : "icmpv6"}-type `
    if (this.#family === 4 && this.type === 0xff) return `${option}any`
    return `${option}${this.type}${this.minCode === 0 && this.maxCode === 0xff ? "" : `/${this.minCode}`}`
  }

  bind(): Test {
    return this
  }

  test(packet: Packet): boolean {
    if (packet.fragmentOffset !== 0) return false
    const { bytes, l4 } = packet
    // The kernel looks at the whole header or at nothing.
    if (packet.end - l4 < 8) {
      packet.hotdrop = true
      return false
    }
    const code = bytes[l4 + 1]!
    const hit = bytes[l4] === this.type && code >= this.minCode && code <= this.maxCode
    return (hit || (this.#family === 4 && this.type === 0xff)) !== this.inverted
  }
}

export const kind: MatchKind = {
  name: "icmp",
  families: [4],
  protocol: ipproto.ICMP,
  options: [{ name: "icmp-type", mandatory: true, invert: true }],
  parse: (given: Given, _rule: Selector) =>
    new IcmpMatch(kind, 4, parseType(given.text("icmp-type")!, TYPES, "ICMP"), given.inverted("icmp-type"))
}
