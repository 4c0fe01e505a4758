/**
 * ICMP and ICMPv6 messages as tcpdump prints them without -v: neighbour discovery and multicast listener
 * discovery among them. The words are tcpdump's (print-icmp.c, print-icmp6.c).
 * Not supported: router advertisement of IPv4, RFC 4884 extensions, mobility, RPL: type and length only.
 */
import { get16, get32 } from "./bytes.ts"
import * as dissect from "./dissect.ts"
import * as icmp from "./icmp.ts"
import * as icmp6 from "./icmp6.ts"
import * as ip from "./ip.ts"
import * as ipproto from "./ipproto.ts"
import * as ipv4 from "./ipv4.ts"
import * as ipv6 from "./ipv6.ts"
import * as mld from "./mld.ts"
import * as ndp from "./ndp.ts"

/** The message in [at, end), its first eight octets there, of `length` octets before anybody cut it. */
export function message4(bytes: Uint8Array, at: number, end: number, length: number): string {
  const text = body4(bytes, at, end)
  return text === null ? " [|icmp]" : `ICMP ${text}, length ${length}`
}

export function message6(bytes: Uint8Array, at: number, end: number, length: number): string {
  const type = icmp6.type(bytes, at)
  const name = TYPES6.get(type) ?? `unknown icmp6 type (${type})`
  const rest = body6(bytes, at, end)
  return rest === null ? `ICMP6, ${name} [|icmp6]` : `ICMP6, ${name}${rest}, length ${length}`
}

const REASONS4: ReadonlyMap<number, readonly [string, string]> = new Map([
  [icmp.NET_UNREACH, ["net ", ""]], [icmp.HOST_UNREACH, ["host ", ""]],
  [icmp.SR_FAILED, ["", " - source route failed"]], [6, ["net ", " - unknown"]], [7, ["host ", " - unknown"]],
  [8, ["", " - source host isolated"]], [9, ["net ", " - admin prohibited"]],
  [10, ["host ", " - admin prohibited"]], [11, ["net ", " - tos prohibited"]],
  [12, ["host ", " - tos prohibited"]], [icmp.PKT_FILTERED, ["host ", " - admin prohibited filter"]],
  [14, ["host ", " - host precedence violation"]], [15, ["host ", " - precedence cutoff"]]
])

const REDIRECTS: ReadonlyArray<readonly [string, string]> = [
  ["redirect", "net "], ["redirect", "host "], ["redirect-tos", "net "], ["redirect-tos", "host "]
]

function body4(bytes: Uint8Array, at: number, end: number): string | null {
  const code = icmp.code(bytes, at)
  const id = icmp.echoId(bytes, at)
  const seq = icmp.echoSeq(bytes, at)
  const type = icmp.type(bytes, at)
  switch (type) {
    case icmp.ECHO_REQUEST:
      return `echo request, id ${id}, seq ${seq}`
    case icmp.ECHO_REPLY:
      return `echo reply, id ${id}, seq ${seq}`
    case icmp.DEST_UNREACH:
      return unreachable4(bytes, at, end, code)
    case icmp.REDIRECT: {
      const quoted = dissect.quote(bytes, at + icmp.HEADER_BYTES, end, 4)
      if (quoted === null) return null
      const [word, what] = REDIRECTS[code] ?? [`redirect-#${code}`, ""]
      return `${word} ${ip.format4(ipv4.dst(bytes, quoted.at))} to ${what}${ip.format4(icmp.word(bytes, at))}`
    }
    case icmp.TIME_EXCEEDED:
      if (end - at < icmp.HEADER_BYTES + ipv4.HEADER_BYTES_MIN) return null
      return code === icmp.EXC_TTL ? "time exceeded in-transit"
        : code === icmp.EXC_FRAGTIME ? "ip reassembly time exceeded" : `time exceeded-#${code}`
    case icmp.PARAMETER_PROBLEM:
      return code !== 0 ? `parameter problem - code ${code}` : `parameter problem - octet ${bytes[at + 4]!}`
    case icmp.TIMESTAMP:
      return `time stamp query id ${id} seq ${seq}`
    case icmp.TIMESTAMP_REPLY: {
      if (end - at < 20) return null
      const [origin, received, sent] = [8, 12, 16].map((field) => clock(get32(bytes, at + field) >>> 0))
      return `time stamp reply id ${id} seq ${seq}: org ${origin}, recv ${received}, xmit ${sent}`
    }
    default:
      return NAMES4.get(type) ?? `type-#${type}`
  }
}

const NAMES4: ReadonlyMap<number, string> = new Map([
  [icmp.SOURCE_QUENCH, "source quench"], [10, "router solicitation"], [15, "information request"],
  [16, "information reply"], [17, "address mask request"]
])

function unreachable4(bytes: Uint8Array, at: number, end: number, code: number): string | null {
  const quoted = dissect.quote(bytes, at + icmp.HEADER_BYTES, end, 4)
  if (quoted === null) return null
  const dst = ip.format4(ipv4.dst(bytes, quoted.at))
  if (code === icmp.PROT_UNREACH) return `${dst} protocol ${quoted.protocol} unreachable`
  if (code === icmp.PORT_UNREACH) {
    const port = dissect.quotedDstPort(bytes, quoted)
    if (port < 0) return null
    if (quoted.protocol === ipproto.TCP) return `${dst} tcp port ${port} unreachable`
    if (quoted.protocol === ipproto.UDP) return `${dst} udp port ${port} unreachable`
    return `${dst} protocol ${quoted.protocol} port ${port} unreachable`
  }
  if (code === icmp.FRAG_NEEDED) {
    const mtu = get16(bytes, at + 6)
    return `${dst} unreachable - need to frag${mtu > 0 ? ` (mtu ${mtu})` : ""}`
  }
  const reason = REASONS4.get(code)
  return reason === undefined ? `${dst} unreachable - #${code}` : `${reason[0]}${dst} unreachable${reason[1]}`
}

/** Milliseconds since midnight. */
function clock(milliseconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0")
  const seconds = Math.floor(milliseconds / 1000)
  const minutes = Math.floor(seconds / 60)
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}.` +
    String(milliseconds % 1000).padStart(3, "0")
}

const TYPES6: ReadonlyMap<number, string> = new Map([
  [icmp6.DEST_UNREACH, "destination unreachable"], [icmp6.PACKET_TOO_BIG, "packet too big"],
  [icmp6.TIME_EXCEEDED, "time exceeded in-transit"], [icmp6.PARAMETER_PROBLEM, "parameter problem"],
  [icmp6.ECHO_REQUEST, "echo request"], [icmp6.ECHO_REPLY, "echo reply"],
  [icmp6.MLD_QUERY, "multicast listener query"], [icmp6.MLD_REPORT, "multicast listener report"],
  [icmp6.MLD_DONE, "multicast listener done"], [icmp6.ROUTER_SOLICITATION, "router solicitation"],
  [icmp6.ROUTER_ADVERTISEMENT, "router advertisement"],
  [icmp6.NEIGHBOR_SOLICITATION, "neighbor solicitation"],
  [icmp6.NEIGHBOR_ADVERTISEMENT, "neighbor advertisement"], [icmp6.REDIRECT, "redirect"],
  [icmp6.MLD2_REPORT, "multicast listener report v2"]
])

/** The second blank is tcpdump's. */
const UNREACH6: ReadonlyArray<string> = [
  "unreachable route", " unreachable prohibited", "beyond scope", "unreachable address", "unreachable port"
]

/** What stands between the type's name and the length; null when the message is cut short. */
function body6(bytes: Uint8Array, at: number, end: number): string | null {
  const room = end - at
  const address = (from: number) => ip.format(ip.read6(bytes, at + from))
  switch (icmp6.type(bytes, at)) {
    case icmp6.DEST_UNREACH:
      return unreachable6(bytes, at, end)
    case icmp6.PACKET_TOO_BIG:
      return `, mtu ${icmp6.word(bytes, at) >>> 0}`
    case icmp6.TIME_EXCEEDED: {
      const code = icmp6.code(bytes, at)
      if (code === icmp6.EXC_FRAGTIME) return " (reassembly)"
      if (code !== icmp6.EXC_HOPLIMIT) return `, unknown code (${code})`
      return room < 8 + ipv6.HEADER_BYTES ? null : ` for ${address(8 + ipv6.DST)}`
    }
    case icmp6.PARAMETER_PROBLEM: {
      if (room < 8 + ipv6.HEADER_BYTES) return null
      const what = PROBLEMS6[icmp6.code(bytes, at)]
      return what === undefined
        ? `, code-#${icmp6.code(bytes, at)}`
        : `, ${what} - octet ${icmp6.word(bytes, at) >>> 0}`
    }
    case icmp6.ECHO_REQUEST:
    case icmp6.ECHO_REPLY:
      return `, id ${icmp6.echoId(bytes, at)}, seq ${icmp6.echoSeq(bytes, at)}`
    case icmp6.MLD_QUERY:
      if (room === mld.MESSAGE_BYTES) return version1(bytes, at, end)
      if (room < mld.QUERY2_BYTES_MIN) return ` unknown-version (len ${room}) `
      return ` v2 [gaddr ${address(mld.GROUP)}${sources(get16(bytes, at + 26))}]`
    case icmp6.MLD_REPORT:
    case icmp6.MLD_DONE:
      return version1(bytes, at, end)
    case icmp6.MLD2_REPORT:
      return `, ${mld.records(bytes, at)} group record(s)`
    case icmp6.NEIGHBOR_SOLICITATION:
      return room < ndp.MESSAGE_BYTES ? null : `, who has ${address(ndp.TARGET)}`
    case icmp6.NEIGHBOR_ADVERTISEMENT:
      return room < ndp.MESSAGE_BYTES ? null : `, tgt is ${address(ndp.TARGET)}`
    case icmp6.REDIRECT:
      return room < 40 ? null : `, ${address(24)} to ${address(ndp.TARGET)}`
    default:
      return ""
  }
}

const PROBLEMS6: ReadonlyArray<string> = ["erroneous", "next header", "option", "incomplete header chain"]

function sources(count: number): string {
  return count > 0 ? `, ${count} source(s)` : ""
}

function version1(bytes: Uint8Array, at: number, end: number): string {
  if (end - at < mld.MESSAGE_BYTES) return ""
  const group = ip.format(ip.read6(bytes, at + mld.GROUP))
  return `max resp delay: ${mld.maxResponseDelay(bytes, at)} addr: ${group}`
}

function unreachable6(bytes: Uint8Array, at: number, end: number): string | null {
  const code = icmp6.code(bytes, at)
  const text = `, ${UNREACH6[code] ?? `unknown unreach code (${code})`}`
  const quoted = dissect.quote(bytes, at + icmp6.HEADER_BYTES, end, 6)
  if (code > icmp6.PORT_UNREACH) return text
  if (quoted === null) return null
  const dst = ip.format(ip.read6(bytes, quoted.at + ipv6.DST))
  if (code === icmp6.BEYOND_SCOPE) {
    return `${text} ${dst}, source address ${ip.format(ip.read6(bytes, quoted.at + ipv6.SRC))}`
  }
  if (code !== icmp6.PORT_UNREACH) return `${text} ${dst}`
  const port = dissect.quotedDstPort(bytes, quoted)
  if (port < 0) return null
  const protocol = quoted.protocol === ipproto.TCP ? "tcp" : quoted.protocol === ipproto.UDP ? "udp" : null
  return protocol === null ? null : `${text}, ${dst} ${protocol} port ${port}`
}
