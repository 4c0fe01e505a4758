/**
 * conntrack: state, status, direction, lifetime and both tuples of the packet's connection (xt_conntrack.c,
 * revision 3). A packet without one has a state (INVALID or UNTRACKED) and nothing else, and the kernel
 * does not ask for the rest of the rule's conditions then.
 */
import { Errno } from "@podwire/netdev"
import type { Ip } from "@podwire/wire"
import { ip } from "@podwire/wire"
import { formatAddress, parseAddress, parseMask, prefixLength, prefixMask, words } from "../addresses.ts"
import type { ConntrackView, Environment } from "../environment.ts"
import type { Family, Match, MatchKind, Selector, Test } from "../extension.ts"
import type { Given } from "../options.ts"
import { parse as parseNumber, U32_MAX } from "../numbers.ts"
import type { Packet } from "../packet.ts"
import { parsePort, type Range, within } from "../ports.ts"
import * as protocols from "../protocols.ts"
import { RuleError } from "../rule-error.ts"

/** XT_CONNTRACK_STATE_*: bit 1 + ctinfo, INVALID before it. In the order that they are printed in. */
export const STATES: ReadonlyArray<readonly [string, number]> = [
  ["INVALID", 1], ["NEW", 8], ["RELATED", 4], ["ESTABLISHED", 2], ["UNTRACKED", 256], ["SNAT", 64],
  ["DNAT", 128]
]
const SNAT = 64
const DNAT = 128
const UNTRACKED = 256
const INVALID = 1
/** IPS_*. */
const STATUSES: ReadonlyArray<readonly [string, number]> = [
  ["EXPECTED", 1], ["SEEN_REPLY", 2], ["ASSURED", 4], ["CONFIRMED", 8]
]

export function parseBits(
  text: string, names: ReadonlyArray<readonly [string, number]>, what: string
): number {
  let bits = 0
  for (const word of text.split(",")) {
    const hit = names.find(([name]) => word !== "" && name === word.toUpperCase())
    if (hit === undefined) throw new RuleError(`Bad ${what} "${word}"`)
    bits |= hit[1]
  }
  return bits
}

export function printBits(bits: number, names: ReadonlyArray<readonly [string, number]>): string {
  return names.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name).join(",")
}

/** The state bit of a frame, and whether its connection is NATed. */
export function stateOf(view: ConntrackView, packet: Packet): number {
  const { frame } = packet
  if (!view.tracked(frame)) return view.untracked(frame) ? UNTRACKED : INVALID
  const status = view.status(frame)
  return (1 << (view.info(frame) + 1)) | ((status & 16) !== 0 ? SNAT : 0) | ((status & 32) !== 0 ? DNAT : 0)
}

const ADDRESSES = ["ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst"] as const
const PORTS = ["ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport"] as const

/** Unlike -s and -d it keeps its host bits. */
interface Address {
  readonly address: Ip
  readonly mask: Ip
}

function parseNetwork(text: string, family: Family): Address {
  const slash = text.indexOf("/")
  const name = slash < 0 ? text : text.slice(0, slash)
  const address = parseAddress(name, family)
  const mask = parseMask(slash < 0 ? `${32 * words(family)}` : text.slice(slash + 1), family)
  if (mask === null) throw new RuleError(`invalid mask \`${text.slice(slash + 1)}' specified`)
  if (address === null) throw new RuleError(`host/network \`${name}' not found`)
  // The tool takes a mask that is no prefix for a whole address, and so does the rule.
  return { address, mask: prefixLength(mask) < 0 ? prefixMask(128, family) : mask }
}

function printNetwork({ address, mask }: Address): string {
  if (ip.isUnspecified(address)) return address.length === 1 ? "0.0.0.0/0" : "::/0"
  const bits = prefixLength(mask)
  if (bits === 32 * address.length) return formatAddress(address)
  return `${formatAddress(address)}/${bits}`
}

function parseExpire(text: string): Range {
  const [low, high] = text.split(":")
  const min = low === "" ? 0 : parseNumber(low!, 0, U32_MAX)
  const max = high === undefined ? min : high === "" ? U32_MAX : parseNumber(high, 0, U32_MAX)
  if (min === null || max === null) {
    throw new RuleError("conntrack: bad value for option \"--ctexpire\", or out of range (0-4294967295).")
  }
  return { min, max }
}

/** One condition; null: not asked for. */
interface Condition<T> {
  readonly value: T
  readonly inverted: boolean
}

export class ConntrackMatch implements Match {
  readonly kind = kind
  readonly state: Condition<number> | null
  readonly protocol: Condition<number> | null
  readonly addresses: ReadonlyArray<Condition<Address> | null>
  readonly ports: ReadonlyArray<Condition<Range> | null>
  readonly status: Condition<number> | null
  readonly expire: Condition<Range> | null
  readonly direction: 0 | 1 | null

  constructor(given: Given, family: Family) {
    const of = <T>(name: string, read: (text: string) => T): Condition<T> | null => {
      const text = given.text(name)
      return text === null ? null : { value: read(text), inverted: given.inverted(name) }
    }
    this.state = of("ctstate", (text) => parseBits(text, STATES, "ctstate"))
    this.protocol = of("ctproto", (text) => protocols.parse(text, family))
    this.addresses = ADDRESSES.map((name) => of(name, (text) => parseNetwork(text, family)))
    this.ports = PORTS.map((name) => of(name, parseCtPort))
    this.status = of("ctstatus", (text) => text.toUpperCase() === "NONE" ? 0
      : parseBits(text, STATUSES, "ctstatus"))
    this.expire = of("ctexpire", parseExpire)
    const direction = given.text("ctdir")?.toUpperCase()
    if (direction !== undefined && direction !== "ORIGINAL" && direction !== "REPLY") {
      throw new RuleError(`conntrack: Bad value for "--ctdir" option: "${given.text("ctdir")}"`)
    }
    this.direction = direction === undefined ? null : direction === "ORIGINAL" ? 0 : 1
  }

  print(): string {
    const option = <T>(name: string, condition: Condition<T> | null, show: (value: T) => string) =>
      condition === null ? "" : ` ${condition.inverted ? "! " : ""}--${name} ${show(condition.value)}`
    const span = (range: Range) => range.min === range.max ? `${range.min}` : `${range.min}:${range.max}`
    return option("ctstate", this.state, (bits) => printBits(bits, STATES)) +
      option("ctproto", this.protocol, (number) => `${number}`) +
      ADDRESSES.map((name, i) => option(name, this.addresses[i]!, printNetwork)).join("") +
      PORTS.map((name, i) => option(name, this.ports[i]!, span)).join("") +
      option("ctstatus", this.status, (bits) => printBits(bits, STATUSES) || "NONE") +
      option("ctexpire", this.expire, span) +
      (this.direction === null ? "" : ` --ctdir ${this.direction === 0 ? "ORIGINAL" : "REPLY"}`)
  }

  bind(env: Environment): Test | Errno {
    return env.conntrack === undefined ? Errno.EOPNOTSUPP : new Bound(this, env.conntrack)
  }
}

class Bound implements Test {
  readonly #rule: ConntrackMatch
  readonly #view: ConntrackView

  constructor(rule: ConntrackMatch, view: ConntrackView) {
    this.#rule = rule
    this.#view = view
  }

  test(packet: Packet): boolean {
    const { state, protocol, status, expire, direction } = this.#rule
    const view = this.#view
    const { frame } = packet
    if (state !== null && ((state.value & stateOf(view, packet)) !== 0) === state.inverted) return false
    if (!view.tracked(frame)) return state !== null
    if (direction !== null && view.dir(frame) !== direction) return false
    for (let i = 0; i < 4; i++) if (!this.#address(packet, i)) return false
    if (protocol !== null && (view.protocol(frame) === protocol.value) === protocol.inverted) return false
    for (let i = 0; i < 4; i++) if (!this.#port(packet, i)) return false
    if (status !== null && ((view.status(frame) & status.value) !== 0) === status.inverted) return false
    return expire === null || within(expire.value, view.expiresSec(frame)) !== expire.inverted
  }

  #address({ frame }: Packet, i: number): boolean {
    const condition = this.#rule.addresses[i]!
    if (condition === null) return true
    const { address, mask } = condition.value
    const dir = i < 2 ? 0 : 1
    for (let word = 0; word < address.length; word++) {
      const actual = (i & 1) === 0 ? this.#view.src(frame, dir, word) : this.#view.dst(frame, dir, word)
      if (((actual ^ address[word]!) & mask[word]!) !== 0) return condition.inverted
    }
    return !condition.inverted
  }

  #port({ frame }: Packet, i: number): boolean {
    const condition = this.#rule.ports[i]!
    if (condition === null) return true
    const dir = i < 2 ? 0 : 1
    const port = (i & 1) === 0 ? this.#view.srcPort(frame, dir) : this.#view.dstPort(frame, dir)
    return within(condition.value, port) !== condition.inverted
  }
}

function parseCtPort(text: string): Range {
  const [low, high] = text.split(":")
  const min = low === "" ? 0 : parsePort(low!)
  return { min, max: high === undefined ? min : high === "" ? 0xffff : parsePort(high) }
}

export const kind: MatchKind = {
  name: "conntrack",
  families: [4, 6],
  options: [
    { name: "ctstate", invert: true }, { name: "ctproto", invert: true },
    ...[...ADDRESSES, ...PORTS].map((name) => ({ name, invert: true })),
    { name: "ctstatus", invert: true }, { name: "ctexpire", invert: true }, { name: "ctdir" }
  ],
  parse(given: Given, { family }: Selector) {
    if (given.none) throw new RuleError("conntrack: At least one option is required")
    return new ConntrackMatch(given, family)
  }
}
