/**
 * Addresses and ports of NAT targets in text (libxt_NAT.c). Ports may be given where the protocol has some.
 */
import { ip } from "@podwire/wire"
import * as ipproto from "@podwire/wire/ipproto"
import { formatAddress, parseAddress, words } from "./addresses.ts"
import { NatFlag, type NatRange } from "./environment.ts"
import type { Family, Selector } from "./extension.ts"
import { parse as parseNumber } from "./numbers.ts"
import { RuleError } from "./rule-error.ts"

const DCCP = 33
const PORT_PROTOCOLS: ReadonlyArray<number> = [ipproto.TCP, ipproto.UDP, ipproto.SCTP, DCCP, ipproto.ICMP]

interface Ports {
  readonly minPort: number
  readonly maxPort: number
  readonly basePort: number
  readonly flags: number
}
const NO_PORTS: Ports = { minPort: 0, maxPort: 0, basePort: 0, flags: 0 }

function port(text: string): number {
  const value = parseNumber(text, 0, 0xffff)
  if (value === null) throw new RuleError(`Port \`${text}' not valid`)
  return value
}

/** `MIN[-MAX[/BASE]]`. */
export function parsePorts(text: string, { protocol, notProtocol }: Selector): Ports {
  if (notProtocol || !PORT_PROTOCOLS.includes(protocol)) {
    throw new RuleError("Need TCP, UDP, SCTP or DCCP with port specification")
  }
  const dash = text.indexOf("-")
  if (dash < 0) {
    const only = port(text)
    return { minPort: only, maxPort: only, basePort: 0, flags: NatFlag.Ports }
  }
  const slash = text.indexOf("/")
  const minPort = port(text.slice(0, dash))
  const maxPort = port(text.slice(dash + 1, slash < 0 ? undefined : slash))
  if (maxPort < minPort) throw new RuleError(`Port range \`${text.slice(dash + 1)}' funky`)
  if (slash < 0) return { minPort, maxPort, basePort: 0, flags: NatFlag.Ports }
  return { minPort, maxPort, basePort: port(text.slice(slash + 1)), flags: NatFlag.Ports | NatFlag.Offset }
}

/** Only ports. */
export function portRange(text: string | null, rule: Selector, flags: number): NatRange {
  const ports = text === null ? NO_PORTS : parsePorts(text, rule)
  const none = new Int32Array(words(rule.family))
  return { ...ports, flags: ports.flags | flags, min: none, max: none }
}

/** `[ADDRESS[-ADDRESS]][:PORTS]`, IPv6 in brackets if ports follow. */
export function parseRange(text: string, rule: Selector, flags: number): NatRange {
  const bracket = rule.family === 6 ? text.match(/^\[(.*?)\](.*)$/) : null
  let addresses = text
  let colon = text.indexOf(":")
  let ports = colon < 0 ? null : text.slice(colon + 1)
  if (bracket !== null) {
    addresses = bracket[1]!
    colon = bracket[2]!.indexOf(":")
    ports = colon < 0 ? null : bracket[2]!.slice(colon + 1)
  } else if (rule.family === 6 && colon >= 0 && text.indexOf(":", colon + 1) >= 0) ports = null
  else if (ports !== null) addresses = text.slice(0, colon)
  const range = portRange(ports, rule, flags)
  if (addresses === "") return range
  const dash = addresses.indexOf("-")
  const min = address(dash < 0 ? addresses : addresses.slice(0, dash), rule.family)
  return {
    ...range, flags: range.flags | NatFlag.Ips, min, max: dash < 0 ? min
      : address(addresses.slice(dash + 1), rule.family)
  }
}

function address(text: string, family: Family) {
  const parsed = parseAddress(text, family)
  if (parsed === null || (family === 4 && text.split(".").length !== 4)) {
    throw new RuleError(`Bad IP address "${text}"`)
  }
  return parsed
}

export function printPorts(range: NatRange): string {
  const { minPort, maxPort, basePort, flags } = range
  const base = (flags & NatFlag.Offset) !== 0 ? `/${basePort}` : ""
  return `${minPort}${maxPort === minPort ? "" : `-${maxPort}`}${base}`
}

export function printRange(range: NatRange): string {
  const { flags, min, max } = range
  const ports = (flags & NatFlag.Ports) !== 0 ? `:${printPorts(range)}` : ""
  if ((flags & NatFlag.Ips) === 0) return ports
  const addresses = formatAddress(min) + (ip.equal(min, max) ? "" : `-${formatAddress(max)}`)
  return min.length === 4 && ports !== "" ? `[${addresses}]${ports}` : addresses + ports
}
