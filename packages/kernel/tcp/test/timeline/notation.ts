/**
 * A segment as a script writes it, close to tcpdump:
 *
 *     [P.] seq 1:101 ack 1 win 502 <nop,nop,TS val * ecr 1000> tos 0x10
 *
 * Numbers count from the two initial sequence numbers, which are 0. What an expectation leaves out of
 * `seq`, `win` and `id` is not compared; everything else is, with the defaults of `Segment`.
 */
import * as tcp from "@podwire/wire/tcp"

/** A timestamp: a number, that of the last segment seen plus something, or anything. */
export type Stamp = { readonly at: number } | { readonly afterLast: number } | "any"

export type Option =
  | { readonly kind: "mss" | "wscale"; readonly value: number }
  | { readonly kind: "sackOK" | "nop" | "eol" }
  | { readonly kind: "TS"; readonly val: Stamp; readonly ecr: Stamp }
  | { readonly kind: "sack"; readonly blocks: ReadonlyArray<readonly [number, number]> }
  | { readonly kind: "raw"; readonly hex: string }

export interface Segment {
  readonly flags: number
  /** `p` among the flags: PSH or not, as internal boundaries of a bulk write have it. */
  readonly pushAny: boolean
  /** "new" is a SYN whose number is not that of the connection's first, "zero" a RST that carries none. */
  readonly seq: number | "new" | "zero" | null
  readonly length: number
  /** `seq 1:2921/1460` is so many segments of at most that size. */
  readonly split: number
  readonly ack: number | null
  readonly window: number | null
  /** Null is what was agreed on: timestamps behind two NOPs, or nothing; of an expected SYN anything. */
  readonly options: ReadonlyArray<Option> | null
  /** Zero or not; IPv4 only. */
  readonly id: "0" | "+" | null
  readonly df: boolean
  readonly tos: number
  readonly ttl: number
  readonly urgent: number
  /** The low four bits beside the data offset. */
  readonly reserved: number
  readonly badSum: boolean
}

const LETTERS: ReadonlyArray<readonly [string, number]> = [
  ["F", tcp.FIN], ["S", tcp.SYN], ["R", tcp.RST], ["P", tcp.PSH], [".", tcp.ACK], ["U", tcp.URG],
  ["E", tcp.ECE], ["W", tcp.CWR]
]

export function parseSegment(text: string): Segment {
  const match = /^\[([A-Za-z.]*)\](.*)$/.exec(text.trim())
  if (match === null) throw new SyntaxError(`no segment: ${text}`)
  const [flags, pushAny] = parseFlags(match[1]!)
  let rest = match[2]!
  let options: ReadonlyArray<Option> | null = null
  rest = rest.replace(/<([^>]*)>/, (_, list: string) => {
    options = list.trim() === "" ? [] : list.split(",").map((part) => parseOption(part.trim()))
    return ""
  })
  const words = rest.split(/\s+/).filter((word) => word !== "")
  const segment = {
    flags, pushAny, seq: null as Segment["seq"], length: 0, split: 0, ack: null as number | null,
    window: null as number | null, options, id: null as Segment["id"], df: true, tos: 0, ttl: 64,
    urgent: 0, reserved: 0, badSum: false
  }
  while (words.length > 0) {
    const word = words.shift()!
    if (word === "seq") Object.assign(segment, parseRange(words.shift()!))
    else if (word === "ack") segment.ack = integer(words.shift())
    else if (word === "win") segment.window = integer(words.shift())
    else if (word === "id") segment.id = words.shift() === "0" ? "0" : "+"
    else if (word === "tos" || word === "ttl" || word === "reserved") segment[word] = integer(words.shift())
    else if (word === "urg") segment.urgent = integer(words.shift())
    else if (word === "nodf") segment.df = false
    else if (word === "badsum") segment.badSum = true
    else throw new SyntaxError(`what is ${word} in a segment?`)
  }
  return segment
}

function parseFlags(text: string): readonly [number, boolean] {
  if (text === "none") return [0, false]
  let flags = 0
  for (const letter of text.replace("p", "")) {
    const known = LETTERS.find(([name]) => name === letter)
    if (known === undefined) throw new SyntaxError(`no flag ${letter}`)
    flags |= known[1]
  }
  return [flags, text.includes("p")]
}

function parseRange(text: string): Partial<Segment> {
  if (text === "new" || text === "zero") return { seq: text }
  const match = /^(-?\d+)(?::(-?\d+)(?:\/(\d+))?)?$/.exec(text)
  if (match === null) throw new SyntaxError(`no sequence numbers: ${text}`)
  const seq = Number(match[1])
  return { seq, length: match[2] === undefined ? 0 : Number(match[2]) - seq, split: Number(match[3] ?? 0) }
}

function parseOption(text: string): Option {
  const [name, ...rest] = text.split(/\s+/) as [string, ...Array<string>]
  if (name === "mss" || name === "wscale") return { kind: name, value: integer(rest[0]) }
  if (name === "sackOK" || name === "nop" || name === "eol") return { kind: name }
  if (name === "raw") return { kind: "raw", hex: rest[0]! }
  if (name === "TS") return { kind: "TS", val: parseStamp(rest[1]!), ecr: parseStamp(rest[3]!) }
  if (name === "sack") {
    const blocks = rest.map((block) => block.split(":").map(Number) as [number, number])
    return { kind: "sack", blocks }
  }
  throw new SyntaxError(`no option ${text}`)
}

function parseStamp(text: string): Stamp {
  if (text === "*") return "any"
  const match = /^last([+-]\d+)?$/.exec(text)
  return match !== null ? { afterLast: Number(match[1] ?? 0) } : { at: integer(text) }
}

export function integer(text: string | undefined): number {
  const value = Number(text)
  if (text === undefined || !Number.isInteger(value)) throw new SyntaxError(`no number: ${text}`)
  return value
}

/** What `parseSegment` reads; `mentions` says of what an expectation speaks, and nothing else is written. */
export function formatSegment(segment: Segment, mentions: Segment = segment): string {
  const letters = LETTERS.filter(([, bit]) => (segment.flags & bit) !== 0).map(([letter]) => letter).join("")
  let text = `[${letters === "" ? "none" : segment.pushAny ? letters.replace("P", "") + "p" : letters}]`
  if (segment.seq !== null && mentions.seq !== null) text += ` seq ${segment.seq}`
  if (segment.seq !== null && segment.length > 0 && mentions.seq !== null) text += `:${end(segment)}`
  else if (segment.length > 0) text += ` length ${segment.length}`
  if (segment.ack !== null) text += ` ack ${segment.ack}`
  if (segment.window !== null && mentions.window !== null) text += ` win ${segment.window}`
  if (segment.options !== null && mentions.options !== null) {
    text += ` <${segment.options.map(formatOption).join(",")}>`
  }
  if (segment.id !== null && mentions.id !== null) text += ` id ${segment.id}`
  if (!segment.df) text += " nodf"
  if (segment.tos !== 0) text += ` tos 0x${segment.tos.toString(16)}`
  if (segment.ttl !== 64) text += ` ttl ${segment.ttl}`
  if (segment.urgent !== 0) text += ` urg ${segment.urgent}`
  if (segment.reserved !== 0) text += ` reserved ${segment.reserved}`
  return segment.badSum ? `${text} badsum` : text
}

function end(segment: Segment): string {
  return typeof segment.seq === "number" ? String(segment.seq + segment.length) : `+${segment.length}`
}

export function formatOption(option: Option): string {
  switch (option.kind) {
    case "mss":
    case "wscale":
      return `${option.kind} ${option.value}`
    case "TS":
      return `TS val ${formatStamp(option.val)} ecr ${formatStamp(option.ecr)}`
    case "sack":
      return `sack ${option.blocks.map(([from, to]) => `${from}:${to}`).join(" ")}`
    case "raw":
      return `raw ${option.hex}`
    default:
      return option.kind
  }
}

function formatStamp(stamp: Stamp): string {
  if (stamp === "any") return "*"
  if ("at" in stamp) return String(stamp.at)
  const { afterLast } = stamp
  return afterLast === 0 ? "last" : `last${afterLast > 0 ? "+" : ""}${afterLast}`
}
