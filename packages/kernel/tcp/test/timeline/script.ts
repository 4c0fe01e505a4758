/**
 * The language of `scripts/*.tcp`. A file is one behaviour; its first comment says which. Then, one a line:
 *
 *     family 4|6|both          both when missing: the same text runs twice; {a|b} is a for IPv4, b for IPv6
 *     sysctl NAME = VALUE
 *     mtu N
 *     slow                     more than 15 s of real time
 *
 *     0       s = socket
 *     +0      bind(s, 8080)            = 0 goes without saying
 *     +0      < [S] seq 0 win 65535 <mss 1460>        the peer sends
 *     +0      > [S.] seq 0 ack 1 <mss 1460>           the stack must send, as the next thing it does
 *     +1~1.1  > [S.] seq 0 ack 1 <mss 1460>           within a range
 *     +0      < icmp unreachable host                 about the last segment (about seq N: of that number)
 *     +0      c = accept(s)
 *     +0      recv(c, 10) = EAGAIN
 *     +3      ! none                   nothing is sent until then
 *
 * Times are seconds, from the beginning or, with a plus, from the event before (from the end of its range;
 * of an expectation that came true, from when it did). A digit behind < or > is another connection, whose
 * peer has another port. Order is strict: what the stack sends between two events stands between them.
 */
import { type Segment, integer, parseSegment } from "./notation.ts"

export interface Icmp {
  readonly type: "unreachable" | "frag-needed" | "time-exceeded"
  readonly code: "net" | "host" | "port" | "protocol" | "admin"
  readonly mtu: number
  /** Which of the stack's segments it quotes; null is the last. */
  readonly about: number | null
}

export interface Call {
  readonly name: string
  readonly socket: string
  readonly args: ReadonlyArray<string>
}

export type Event =
  & {
    readonly line: number
    readonly text: string
    readonly atSeconds: number
    readonly untilSeconds: number
  }
  & (
    | { readonly kind: "inject"; readonly flow: number; readonly segment: Segment }
    | { readonly kind: "icmp"; readonly flow: number; readonly icmp: Icmp }
    | { readonly kind: "expect"; readonly flow: number; readonly segment: Segment }
    | { readonly kind: "call"; readonly call: Call; readonly result: string }
    | { readonly kind: "quiet" }
  )

export interface Script {
  readonly title: string
  readonly families: ReadonlyArray<4 | 6>
  readonly slow: boolean
  readonly mtu: number
  readonly sysctls: ReadonlyArray<readonly [string, string]>
  readonly events: ReadonlyArray<Event>
}

/** What a call gives when the script does not say. */
const TAKES_ALL = new Set(["send"])
const CALLS = new Set([
  "socket", "bind", "listen", "accept", "connect", "send", "recv", "shutdown", "close", "setsockopt",
  "so_error", "state", "poll", "available"
])

export function parseScript(source: string, family: 4 | 6): Script {
  const lines = source.split("\n")
  const title = (lines[0] ?? "").replace(/^#\s*/, "")
  const script = {
    title, families: [4, 6] as ReadonlyArray<4 | 6>, slow: false, mtu: 1500,
    sysctls: [] as Array<[string, string]>, events: [] as Array<Event>
  }
  let base = 0
  lines.forEach((raw, i) => {
    const bare = raw.replace(/(^|\s)#.*$/, "")
    const text = bare.replace(/\{([^|}]*)\|([^|}]*)\}/g, family === 4 ? "$1" : "$2").trim()
    if (text === "") return
    try {
      if (setting(script, text)) return
      for (const event of events(text, i + 1, base)) {
        script.events.push(event)
        base = event.untilSeconds
      }
    } catch (error) {
      throw new SyntaxError(`line ${i + 1}: ${(error as Error).message}`)
    }
  })
  return script
}

function setting(
  script: {
    families: ReadonlyArray<4 | 6>
    slow: boolean
    mtu: number
    sysctls: Array<[string, string]>
  },
  text: string
): boolean {
  const [word, ...rest] = text.split(/\s+/)
  if (word === "family") script.families = rest[0] === "both" ? [4, 6] : rest[0] === "4" ? [4] : [6]
  else if (word === "slow") script.slow = true
  else if (word === "mtu") script.mtu = integer(rest[0])
  else if (word === "sysctl") script.sysctls.push([rest[0]!, rest.slice(2).join(" ")])
  else return false
  return true
}

/** One, or as many as a split range has segments. */
function events(text: string, line: number, base: number): ReadonlyArray<Event> {
  const match = /^(\+?)([\d.]+)(?:~([\d.]+))?\s+(.*)$/.exec(text)
  if (match === null) throw new SyntaxError(`no time in front of: ${text}`)
  const offset = match[1] === "+" ? base : 0
  const atSeconds = offset + Number(match[2])
  const untilSeconds = match[3] === undefined ? atSeconds : offset + Number(match[3])
  const what = match[4]!
  const common = { line, text: what, atSeconds, untilSeconds }
  if (what.startsWith("!")) return [{ ...common, kind: "quiet" }]
  const packet = /^([<>])(\d?)\s+(.*)$/.exec(what)
  if (packet === null) return [{ ...common, kind: "call", ...call(what) }]
  const flow = Number(packet[2] || 1)
  if (packet[3]!.startsWith("icmp ")) return [{ ...common, kind: "icmp", flow, icmp: icmp(packet[3]!) }]
  const segment = parseSegment(packet[3]!)
  const kind = packet[1] === "<" ? "inject" : "expect"
  return split(segment, kind === "expect").map((part, i) => ({
    ...common, atSeconds: i === 0 ? atSeconds : untilSeconds, kind, flow, segment: part
  }))
}

/** PSH is on the last when they are sent, anywhere when they are expected: Linux cuts long packets late. */
function split(segment: Segment, expected: boolean): ReadonlyArray<Segment> {
  if (segment.split === 0 || typeof segment.seq !== "number") return [segment]
  const parts: Array<Segment> = []
  for (let at = 0; at < segment.length; at += segment.split) {
    const length = Math.min(segment.split, segment.length - at)
    const last = at + length === segment.length
    const flags = last ? segment.flags : segment.flags & ~8
    parts.push({ ...segment, seq: segment.seq + at, length, flags, split: 0, pushAny: expected })
  }
  return parts
}

const ICMP = new RegExp(
  "^icmp (unreachable|frag-needed|time-exceeded)(?: (net|host|port|protocol|admin))?(?: mtu (\\d+))?" +
    "(?: about seq (-?\\d+))?$"
)

function icmp(text: string): Icmp {
  const match = ICMP.exec(text)
  if (match === null) throw new SyntaxError(`no ICMP error: ${text}`)
  return {
    type: match[1] as Icmp["type"], code: (match[2] ?? "net") as Icmp["code"], mtu: Number(match[3] ?? 0),
    about: match[4] === undefined ? null : Number(match[4])
  }
}

function call(text: string): { readonly call: Call; readonly result: string } {
  const made = /^(\w+) = (socket|accept)(?:\((\w+)\))?$/.exec(text)
  if (made !== null) {
    const [, name, verb, from] = made as unknown as [string, string, string, string | undefined]
    if (verb === "socket") return { call: { name: "socket", socket: name, args: [] }, result: "0" }
    return { call: { name: "accept", socket: from!, args: [name] }, result: "0" }
  }
  const match = /^(\w+)\((\w+)((?:, *[^,)]+)*)\)(?: = (.+))?$/.exec(text)
  if (match === null || !CALLS.has(match[1]!)) throw new SyntaxError(`no call: ${text}`)
  const args = match[3]!.split(",").slice(1).map((arg) => arg.trim())
  const result = match[4] ?? (TAKES_ALL.has(match[1]!) ? args[0]! : "0")
  return { call: { name: match[1]!, socket: match[2]!, args }, result }
}
