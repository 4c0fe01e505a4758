/**
 * Which entries `conntrack -L` and `-D` mean: options of conntrack-tools 1.4.7 by their long and short
 * names. As there, the options of a protocol are known behind its `-p` only. What is not known here is an
 * error, never skipped.
 * Not supported: zones, labels, masks, options of GRE; numbers and addresses that the tool takes for
 * something (`--dport http` is 0 to it) are refused.
 */
import { type Cidr, contains, parse as parseCidr } from "@podwire/wire/cidr"
import * as ipproto from "@podwire/wire/ipproto"
import type { Conntrack } from "./conntrack.ts"
import { PROTOCOLS } from "./print.ts"
import { type Direction, Status } from "./status.ts"
import { PROTO_WORDS } from "./table.ts"
import { TCP_STATE_NAMES } from "./tcp-state.ts"
import { STATE } from "./tcp-window.ts"
import * as tuples from "./tuple.ts"

type Test = (conntrack: Conntrack, ct: number) => boolean

export interface Filter {
  readonly tests: ReadonlyArray<Test>
  /** `-o` words. */
  readonly output: ReadonlySet<string>
}

const ADDRESSES: Readonly<Record<string, readonly [Direction, number]>> = {
  "-s": [0, tuples.SRC], "--src": [0, tuples.SRC], "--orig-src": [0, tuples.SRC],
  "-d": [0, tuples.DST], "--dst": [0, tuples.DST], "--orig-dst": [0, tuples.DST],
  "-r": [1, tuples.SRC], "--reply-src": [1, tuples.SRC], "-q": [1, tuples.DST], "--reply-dst": [1, tuples.DST]
}
/** Which tuple's end shows an address that NAT chose, and the bit that says so. */
const NAT: Readonly<Record<string, number>> = {
  "-n": Status.SRC_NAT, "--src-nat": Status.SRC_NAT, "-g": Status.DST_NAT, "--dst-nat": Status.DST_NAT,
  "-j": Status.NAT_MASK, "--any-nat": Status.NAT_MASK
}
const PORTS: Readonly<Record<string, readonly [Direction, 0 | 16]>> = {
  "--sport": [0, 16], "--orig-port-src": [0, 16], "--dport": [0, 0], "--orig-port-dst": [0, 0],
  "--reply-port-src": [1, 16], "--reply-port-dst": [1, 0]
}
/** Shift and mask in KEY. */
const ICMP_FIELDS: Readonly<Record<string, readonly [number, number]>> = {
  "type": [8, 0xff], "code": [0, 0xff], "id": [16, 0xffff]
}
const OUTPUTS: ReadonlySet<string> = new Set(["extended", "id", "ktimestamp", "timestamp", "labels"])

const TUPLE = tuples.create()

export function matches(filter: Filter, conntrack: Conntrack, ct: number): boolean {
  return filter.tests.every((test) => test(conntrack, ct))
}

/** The filter, or what is wrong with the options. */
export function parse(args: ReadonlyArray<string>): Filter | string {
  const tests: Array<Test> = []
  const output = new Set<string>()
  let protocol = -1
  for (let i = args[0] === "conntrack" ? 1 : 0; i < args.length; i++) {
    const option = args[i]!
    const value = args[i + 1]
    const nat = Object.hasOwn(NAT, option) ? NAT[option] : undefined
    if (nat !== undefined) {
      const address = value === undefined || value.startsWith("-") ? null : args[++i]!
      const fault = natTest(nat, address, tests)
      if (fault !== null) return fault
      continue
    }
    if (!isKnown(option, protocol)) return `unknown option \`${option}'`
    if (value === undefined) return `option \`${option}' requires an argument`
    i++
    let fault: string | null
    if (option === "-o" || option === "--output") fault = outputs(value, output)
    else if (option === "-p" || option === "--proto" || option === "--protonum") {
      protocol = PROTOCOLS.get(value.toLowerCase()) ?? unsigned(value) ?? 256
      fault = protocol > 255 ? `\`${value}' unsupported protocol` : null
      const wanted = protocol
      tests.push(({ table }, ct) => table.protocol(ct) === wanted)
    } else fault = valued(option, value, tests)
    if (fault !== null) return fault
  }
  return { tests, output }
}

const GENERAL: ReadonlySet<string> = new Set([
  "-o", "--output", "-p", "--proto", "--protonum", "-f", "--family", "-m", "--mark", "-u", "--status",
  ...Object.keys(ADDRESSES)
])

function isKnown(option: string, protocol: number): boolean {
  if (GENERAL.has(option)) return true
  if (Object.hasOwn(PORTS, option)) return tuples.hasPorts(protocol) || protocol === tuples.DCCP
  if (option === "--state") return protocol === ipproto.TCP
  const field = icmpField(option)
  return field !== null && field[0] === protocol
}

/** The protocol that the option is of, and what it names. */
function icmpField(option: string): readonly [number, string] | null {
  const match = /^--(icmp|icmpv6)-(type|code|id)$/.exec(option)
  return match === null ? null : [match[1] === "icmp" ? ipproto.ICMP : ipproto.ICMPV6, match[2]!]
}

function outputs(value: string, into: Set<string>): string | null {
  for (const word of value.split(",")) {
    if (!OUTPUTS.has(word)) return `Bad parameter \`${word}'`
    into.add(word)
  }
  return null
}

function valued(option: string, value: string, tests: Array<Test>): string | null {
  const address = ADDRESSES[option]
  if (address !== undefined) return addressTest(address[0], address[1], value, tests)
  const port = PORTS[option]
  if (port !== undefined) return keyTest(port[0], port[1], 0xffff, value, tests)
  const field = icmpField(option)
  if (field !== null) {
    const [shift, mask] = ICMP_FIELDS[field[1]]!
    return keyTest(0, shift, mask, value, tests)
  }
  switch (option) {
    case "-f": case "--family": return familyTest(value, tests)
    case "-m": case "--mark": return markTest(value, tests)
    case "-u": case "--status": return statusTest(value, tests)
    default: return stateTest(value, tests)
  }
}

/** `address` is what NAT made of the source, the destination, or either; null for whatever it made. */
function natTest(bits: number, address: string | null, tests: Array<Test>): string | null {
  if (address === null) {
    tests.push(({ table }, ct) => (table.status[ct]! & bits) !== 0)
    return null
  }
  const ends: Array<Test> = []
  for (const [bit, at] of [[Status.SRC_NAT, tuples.DST], [Status.DST_NAT, tuples.SRC]] as const) {
    if ((bits & bit) === 0) continue
    const fault = addressTest(1, at, address, ends)
    if (fault !== null) return fault
    const end = ends.pop()!
    ends.push((conntrack, ct) => (conntrack.table.status[ct]! & bit) !== 0 && end(conntrack, ct))
  }
  tests.push((conntrack, ct) => ends.some((end) => end(conntrack, ct)))
  return null
}

function addressTest(direction: Direction, at: number, value: string, tests: Array<Test>): string | null {
  const bits = value.includes(":") ? 128 : 32
  const cidr: Cidr | null = parseCidr(value.includes("/") ? value : `${value}/${bits}`)
  if (cidr === null) return `Invalid IP address \`${value}'`
  const words = cidr.ip.length
  tests.push(({ table }, ct) => {
    table.tuple(ct, direction, TUPLE)
    return (tuples.family(TUPLE) === 6 ? 4 : 1) === words && contains(cidr, TUPLE.slice(at, at + words))
  })
  return null
}

function keyTest(
  direction: Direction, shift: number, mask: number, value: string, tests: Array<Test>
): string | null {
  const number = unsigned(value)
  if (number === null || number > mask) return `Invalid value \`${value}'`
  tests.push(({ table }, ct) => ((table.key(ct, direction) >>> shift) & mask) === number)
  return null
}

function familyTest(value: string, tests: Array<Test>): string | null {
  if (value !== "ipv4" && value !== "ipv6") return `\`${value}' unsupported protocol`
  const family = value === "ipv6" ? 6 : 4
  tests.push(({ table }, ct) => table.family(ct) === family)
  return null
}

function markTest(value: string, tests: Array<Test>): string | null {
  const [mark, mask] = value.split("/").map(unsigned) as [number | null, number | null | undefined]
  if (mark === null || mask === null) return `Invalid mark \`${value}'`
  tests.push(({ table }, ct) => ((table.mark[ct]! & (mask ?? -1)) >>> 0) === mark >>> 0)
  return null
}

const STATUS: Readonly<Record<string, number>> = {
  ASSURED: Status.ASSURED, SEEN_REPLY: Status.SEEN_REPLY, FIXED_TIMEOUT: Status.FIXED_TIMEOUT,
  EXPECTED: Status.EXPECTED, OFFLOAD: Status.OFFLOAD
}

function statusTest(value: string, tests: Array<Test>): string | null {
  let bits = 0
  for (const word of value.split(",")) {
    const bit = STATUS[word.toUpperCase()]
    if (bit === undefined) return `Bad parameter \`${word}'`
    bits |= bit
  }
  tests.push(({ table }, ct) => (table.status[ct]! & bits) === bits)
  return null
}

function stateTest(value: string, tests: Array<Test>): string | null {
  const state = TCP_STATE_NAMES.indexOf(value.toUpperCase())
  if (state < 0) return `unknown TCP state \`${value}'`
  tests.push(({ table }, ct) =>
    table.protocol(ct) === ipproto.TCP && table.proto[ct * PROTO_WORDS + STATE] === state)
  return null
}

function unsigned(text: string): number | null {
  return /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : null
}
