/**
 * Which entries `conntrack -L` and `-D` mean: options of conntrack-tools by their long and short names. An
 * option that is not known here is an error, never skipped.
 * Not supported: zones, labels, `--any-nat` ranges, and what needs the tool's own protocol modules beyond
 * these.
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
const PORTS: Readonly<Record<string, readonly [Direction, 0 | 16]>> = {
  "--sport": [0, 16], "--orig-port-src": [0, 16], "--dport": [0, 0], "--orig-port-dst": [0, 0],
  "--reply-port-src": [1, 16], "--reply-port-dst": [1, 0]
}
const ICMP_FIELDS: Readonly<Record<string, readonly [number, number]>> = {
  "--icmp-type": [8, 0xff], "--icmp-code": [0, 0xff], "--icmp-id": [16, 0xffff],
  "--icmpv6-type": [8, 0xff], "--icmpv6-code": [0, 0xff], "--icmpv6-id": [16, 0xffff]
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
  for (let i = 0; i < args.length; i++) {
    const option = args[i]!
    if (option === "-n" || option === "--src-nat") tests.push(natted(Status.SRC_NAT))
    else if (option === "-g" || option === "--dst-nat") tests.push(natted(Status.DST_NAT))
    else if (option === "-j" || option === "--any-nat") tests.push(natted(Status.NAT_MASK))
    else {
      const value = args[++i]
      if (value === undefined) return `option \`${option}' requires an argument`
      const fault = option === "-o" || option === "--output"
        ? outputs(value, output)
        : valued(option, value, tests)
      if (fault !== null) return fault
    }
  }
  return { tests, output }
}

function outputs(value: string, into: Set<string>): string | null {
  for (const word of value.split(",")) {
    if (!OUTPUTS.has(word)) return `unknown parameter \`${word}'`
    into.add(word)
  }
  return null
}

function valued(option: string, value: string, tests: Array<Test>): string | null {
  const address = ADDRESSES[option]
  if (address !== undefined) return addressTest(address[0], address[1], value, tests)
  const port = PORTS[option]
  if (port !== undefined) return keyTest(port[0], port[1], 0xffff, value, tests)
  const field = ICMP_FIELDS[option]
  if (field !== undefined) return keyTest(0, field[0], field[1], value, tests)
  switch (option) {
    case "-p": case "--proto": return protocolTest(value, tests)
    case "-f": case "--family": return familyTest(value, tests)
    case "-m": case "--mark": return markTest(value, tests)
    case "-u": case "--status": return statusTest(value, tests)
    case "--state": return stateTest(value, tests)
    default: return `unknown option \`${option}'`
  }
}

function natted(bits: number): Test {
  return ({ table }, ct) => (table.status[ct]! & bits) !== 0
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

function protocolTest(value: string, tests: Array<Test>): string | null {
  const number = PROTOCOLS.get(value) ?? unsigned(value)
  if (number === null || number > 255) return `unknown protocol \`${value}'`
  tests.push(({ table }, ct) => table.protocol(ct) === number)
  return null
}

function familyTest(value: string, tests: Array<Test>): string | null {
  if (value !== "ipv4" && value !== "ipv6") return `unsupported family \`${value}'`
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
  ASSURED: Status.ASSURED, SEEN_REPLY: Status.SEEN_REPLY, UNSET: 0, FIXED_TIMEOUT: Status.FIXED_TIMEOUT,
  EXPECTED: Status.EXPECTED, OFFLOAD: Status.OFFLOAD
}

function statusTest(value: string, tests: Array<Test>): string | null {
  let bits = 0
  for (const word of value.split(",")) {
    const bit = STATUS[word.toUpperCase()]
    if (bit === undefined) return `unknown parameter \`${word}'`
    bits |= bit
  }
  const unset = Status.ASSURED | Status.SEEN_REPLY
  tests.push(({ table }, ct) => {
    const status = table.status[ct]!
    return bits === 0 ? (status & unset) === 0 : (status & bits) === bits
  })
  return null
}

function stateTest(value: string, tests: Array<Test>): string | null {
  const state = TCP_STATE_NAMES.indexOf(value.toUpperCase())
  if (state < 0) return `unknown state \`${value}'`
  tests.push(({ table }, ct) =>
    table.protocol(ct) === ipproto.TCP && table.proto[ct * PROTO_WORDS + STATE] === state)
  return null
}

function unsigned(text: string): number | null {
  return /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : null
}
