/**
 * Arithmetic of a filter, `tcp[tcpflags] & tcp-syn != 0`: values of 32 bits without a sign, read from the
 * frame or computed, and their comparison (libpcap 1.10.3, gen_load, gen_arth, gen_relation). A read beyond
 * the frame, a division by zero: the whole filter says no, as the BPF machine does.
 *
 * As there, and seen with `tcpdump -d`: what a read asks of the protocol first (`tcp[0]`: an IPv4 packet with
 * TCP that is no later fragment) is asked for the leftmost operand of a sum, and lost for those right of it;
 * `tcp[]` and `udp[]` mean IPv4 only; `&` binds closer than `|`.
 */
import { get16, get32 } from "../bytes.ts"
import * as ethertype from "../ethertype.ts"
import * as ipproto from "../ipproto.ts"
import { first4, type } from "./primitive.ts"
import { and, byteIs, CUT, NO, type Test, YES } from "./test.ts"

/** Of the frame: 0 to 2^32 - 1, or LOST. */
export type Value = (bytes: Uint8Array, at: number, end: number) => number
/** Nothing to be had: the filter ends with "no". */
const LOST = -1

export interface Term {
  readonly value: Value
  /** What has to hold before anything is read; null for nothing. */
  readonly check: Test | null
  /** A number as it stands in the text. */
  readonly literal: number | null
}

/** Higher binds closer. `%` and `^` have none in libpcap's grammar: they take all that is right of them. */
export const PRECEDENCE: Readonly<Record<string, number>> = {
  "|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5
}
export const GREEDY: ReadonlyArray<string> = ["%", "^"]
export const NEGATION = 6
export const RELATIONS: ReadonlyArray<string> = ["=", "==", "!=", "<", "<=", ">", ">="]

/** Names that stand for numbers (libpcap's scanner.l). */
export const NAMED: Readonly<Record<string, number>> = {
  icmptype: 0, icmpcode: 1, "icmp-echoreply": 0, "icmp-unreach": 3, "icmp-sourcequench": 4,
  "icmp-redirect": 5, "icmp-echo": 8, "icmp-routeradvert": 9, "icmp-routersolicit": 10, "icmp-timxceed": 11,
  "icmp-paramprob": 12, "icmp-tstamp": 13, "icmp-tstampreply": 14, "icmp-ireq": 15, "icmp-ireqreply": 16,
  "icmp-maskreq": 17, "icmp-maskreply": 18,
  icmp6type: 0, icmp6code: 1, "icmp6-destinationunreach": 1, "icmp6-packettoobig": 2,
  "icmp6-timeexceeded": 3, "icmp6-parameterproblem": 4, "icmp6-echo": 128, "icmp6-echoreply": 129,
  "icmp6-multicastlistenerquery": 130, "icmp6-multicastlistenerreportv1": 131,
  "icmp6-multicastlistenerdone": 132, "icmp6-routersolicit": 133, "icmp6-routeradvert": 134,
  "icmp6-neighborsolicit": 135, "icmp6-neighboradvert": 136, "icmp6-redirect": 137,
  "icmp6-routerrenum": 138, "icmp6-nodeinformationquery": 139, "icmp6-nodeinformationresponse": 140,
  "icmp6-ineighbordiscoverysolicit": 141, "icmp6-ineighbordiscoveryadvert": 142,
  "icmp6-multicastlistenerreportv2": 143, "icmp6-homeagentdiscoveryrequest": 144,
  "icmp6-homeagentdiscoveryreply": 145, "icmp6-mobileprefixsolicit": 146, "icmp6-mobileprefixadvert": 147,
  "icmp6-certpathsolicit": 148, "icmp6-certpathadvert": 149, "icmp6-multicastrouteradvert": 151,
  "icmp6-multicastroutersolicit": 152, "icmp6-multicastrouterterm": 153,
  tcpflags: 13, "tcp-fin": 0x01, "tcp-syn": 0x02, "tcp-rst": 0x04, "tcp-push": 0x08, "tcp-ack": 0x10,
  "tcp-urg": 0x20, "tcp-ece": 0x40, "tcp-cwr": 0x80
}

export function number(value: number): Term {
  return { value: () => value, check: null, literal: value }
}

export const LENGTH: Term = { value: (_bytes, at, end) => end - at, check: null, literal: null }

/** `ether[index:size]`. */
export function loadLink(index: Term, size: number): Term {
  return read(index.value, index.check, 0, size)
}

/** `ip[index:size]` and what else begins behind the link header; `holds` asks for that protocol. */
export function loadNetwork(l3: number, index: Term, size: number, holds: Test): Term {
  return read(index.value, both(index.check, holds), l3, size)
}

/** `tcp[index:size]` and what else stands behind an IPv4 header; `holds` asks for that protocol. */
export function loadTransport(l3: number, index: Term, size: number, holds: Test): Term {
  const behind: Value = (bytes, at, end) => {
    if (at + l3 >= end) return LOST
    const offset = index.value(bytes, at, end)
    return offset === LOST ? LOST : ((bytes[at + l3]! & 15) * 4 + offset) >>> 0
  }
  const inside = both(index.check, and(holds, first4(l3)))
  return read(behind, and(type(l3, ethertype.IPV4), inside), l3, size)
}

/** `icmp6[index:size]`: right behind the fixed header. */
export function loadIcmp6(l3: number, index: Term, size: number): Term {
  const holds = and(type(l3, ethertype.IPV6), byteIs(l3 + 6, ipproto.ICMPV6))
  return read(index.value, both(index.check, holds), l3 + 40, size)
}

function both(first: Test | null, second: Test): Test {
  return first === null ? second : and(first, second)
}

function read(index: Value, check: Test | null, from: number, size: number): Term {
  const value: Value = (bytes, at, end) => {
    const offset = index(bytes, at, end)
    const place = at + from + offset
    if (offset === LOST || place + size > end) return LOST
    return size === 1 ? bytes[place]! : size === 2 ? get16(bytes, place) : get32(bytes, place) >>> 0
  }
  return { value, check, literal: null }
}

export function negated({ value, check }: Term): Term {
  return {
    value: (bytes, at, end) => {
      const operand = value(bytes, at, end)
      return operand === LOST ? LOST : -operand >>> 0
    },
    check, literal: null
  }
}

/** A sentence when the right operand is a number that cannot be. */
export function computed(sign: string, left: Term, right: Term): Term | string {
  const { literal } = right
  if (literal === 0 && sign === "/") return "division by zero"
  if (literal === 0 && sign === "%") return "modulus by zero"
  const shift = sign === "<<" || sign === ">>"
  if (shift && literal !== null && literal > 31) return "shift by more than 31 bits"
  const compute = OPERATIONS[sign]!
  const value: Value = (bytes, at, end) => {
    const a = left.value(bytes, at, end)
    const b = right.value(bytes, at, end)
    return a === LOST || b === LOST ? LOST : compute(a, b)
  }
  return { value, check: left.check, literal: null }
}

const OPERATIONS: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => (a + b) >>> 0,
  "-": (a, b) => (a - b) >>> 0,
  "*": (a, b) => Math.imul(a, b) >>> 0,
  "/": (a, b) => b === 0 ? LOST : Math.floor(a / b),
  "%": (a, b) => b === 0 ? LOST : a % b,
  "&": (a, b) => (a & b) >>> 0,
  "|": (a, b) => (a | b) >>> 0,
  "^": (a, b) => (a ^ b) >>> 0,
  "<<": (a, b) => b > 31 ? 0 : (a << b) >>> 0,
  ">>": (a, b) => b > 31 ? 0 : a >>> b
}

/** Both sides' questions, then the comparison, without signs. */
export function relation(sign: string, left: Term, right: Term): Test {
  const holds = COMPARISONS[sign]!
  const test: Test = (bytes, at, end) => {
    const a = left.value(bytes, at, end)
    const b = right.value(bytes, at, end)
    return a === LOST || b === LOST ? CUT : holds(a, b) ? YES : NO
  }
  const checks = [left.check, right.check].filter((check): check is Test => check !== null)
  return checks.length === 0 ? test : and(checks[0]!, ...checks.slice(1), test)
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b
}

/** `less 60` is `len <= 60`, `greater 60` is `len >= 60`. */
export function lengthIs(sign: "<=" | ">=", bound: number): Test {
  return relation(sign, LENGTH, number(bound))
}

/** Of dst: the first octet is 224 or more, as that of 255.255.255.255 is. */
export function multicast4(l3: number): Test {
  return and(type(l3, ethertype.IPV4), relation(">=", loadLink(number(l3 + 16), 1), number(224)))
}

export function multicast6(l3: number): Test {
  return and(type(l3, ethertype.IPV6), byteIs(l3 + 24, 0xff))
}

