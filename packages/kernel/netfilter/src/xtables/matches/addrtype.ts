/** addrtype: what an address is to this host's routing (xt_addrtype.c, revision 1). */
import { Errno } from "@podwire/netdev"
import { get32 } from "@podwire/wire/bytes"
import type { Environment, RoutingView } from "../environment.ts"
import { At, type Match, type MatchKind, type Test, type Where } from "../extension.ts"
import type { Given } from "../options.ts"
import type { Packet } from "../packet.ts"
import { RuleError } from "../rule-error.ts"
import { printBits } from "./conntrack.ts"

/** enum rt_type, in order: bit i is type i. */
const TYPES: ReadonlyArray<readonly [string, number]> = [
  "UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE",
  "PROHIBIT", "THROW",
  "NAT", "XRESOLVE"
].map((name, i) => [name, 1 << i])
const [UNSPEC, UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST, BLACKHOLE, UNREACHABLE, PROHIBIT] =
  TYPES.map(([, bit]) => bit) as [number, number, number, number, number, number, number, number, number]

function parseTypes(text: string): number {
  let bits = 0
  for (const word of text.split(",")) {
    const hit = TYPES.find(([name]) => word !== "" && name.startsWith(word.toUpperCase()))
    if (hit === undefined) throw new RuleError(`addrtype: bad type "${word}"`)
    bits |= hit[1]
  }
  return bits
}

export class AddrtypeMatch implements Match {
  readonly kind = kind
  readonly src: number
  readonly notSrc: boolean
  readonly dst: number
  readonly notDst: boolean
  readonly limitIn: boolean
  readonly limitOut: boolean

  constructor(given: Given) {
    this.src = parseTypes0(given.text("src-type"))
    this.notSrc = given.inverted("src-type")
    this.dst = parseTypes0(given.text("dst-type"))
    this.notDst = given.inverted("dst-type")
    this.limitIn = given.has("limit-iface-in")
    this.limitOut = given.has("limit-iface-out")
  }

  print(): string {
    const types = (name: string, bits: number, inverted: boolean) =>
      bits === 0 ? "" : ` ${inverted ? "! " : ""}--${name} ${printBits(bits, TYPES)}`
    return types("src-type", this.src, this.notSrc) + types("dst-type", this.dst, this.notDst) +
      (this.limitIn ? " --limit-iface-in" : "") + (this.limitOut ? " --limit-iface-out" : "")
  }

  check({ family, hooks }: Where): Errno {
    if (this.limitIn && this.limitOut) return Errno.EINVAL
    if (this.limitIn && (hooks & (At.POSTROUTING | At.OUTPUT)) !== 0) return Errno.EINVAL
    if (this.limitOut && (hooks & (At.PREROUTING | At.INPUT)) !== 0) return Errno.EINVAL
    const both = this.src | this.dst
    if (family === 6 && ((both & (BLACKHOLE | BROADCAST)) !== 0 || both >= PROHIBIT)) return Errno.EINVAL
    return Errno.OK
  }

  bind(env: Environment): Test | Errno {
    return env.routing === undefined ? Errno.EOPNOTSUPP : new Bound(this, env.routing)
  }
}

class Bound implements Test {
  readonly #rule: AddrtypeMatch
  readonly #routing: RoutingView

  constructor(rule: AddrtypeMatch, routing: RoutingView) {
    this.#rule = rule
    this.#routing = routing
  }

  test(packet: Packet): boolean {
    const { src, notSrc, dst, notDst } = this.#rule
    if (src !== 0 && this.#is(packet, packet.srcAt, src) === notSrc) return false
    return dst === 0 || this.#is(packet, packet.dstAt, dst) !== notDst
  }

  #is(packet: Packet, at: number, bits: number): boolean {
    const dev = this.#rule.limitIn ? packet.in : this.#rule.limitOut ? packet.out : null
    if (packet.family === 6) {
      if (!isKind6(packet.bytes, at, bits)) return false
      if ((bits & (LOCAL | ANYCAST | UNREACHABLE)) === 0) return true
    }
    return (bits & (1 << this.#routing.addressType(packet.family, packet.bytes, at, dev))) !== 0
  }
}

/** IPv6 asks for every kind that is named, not for one of them (match_type6). */
function isKind6(bytes: Uint8Array, at: number, bits: number): boolean {
  const multicast = bytes[at] === 0xff
  const high = get32(bytes, at) | get32(bytes, at + 4)
  const mapped = high === 0 && get32(bytes, at + 8) === 0xffff
  const any = (high | get32(bytes, at + 8) | get32(bytes, at + 12)) === 0
  if ((bits & MULTICAST) !== 0 && !multicast) return false
  if ((bits & UNICAST) !== 0 && (multicast || any || mapped)) return false
  return (bits & UNSPEC) === 0 || any
}

function parseTypes0(text: string | null): number {
  return text === null ? 0 : parseTypes(text)
}

export const kind: MatchKind = {
  name: "addrtype",
  families: [4, 6],
  options: [
    { name: "src-type", invert: true }, { name: "dst-type", invert: true },
    { name: "limit-iface-in", flag: true, excl: ["limit-iface-out"] }, { name: "limit-iface-out", flag: true }
  ],
  parse(given: Given) {
    if (!given.has("src-type") && !given.has("dst-type")) {
      throw new RuleError("addrtype: you must specify --src-type or --dst-type")
    }
    return new AddrtypeMatch(given)
  }
}
