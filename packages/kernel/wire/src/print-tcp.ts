/**
 * A TCP header as tcpdump prints it: `Flags [S.], seq 1, ack 2, win 64240, options [mss 1460], length 0`.
 * `Conversations` remembers where each connection's numbers began, so that they print relative to it: the
 * first segment with an ACK (or a SYN with one) of a pair of ports is absolute, the later ones count from it,
 * and a SYN starts over (print-tcp.c). Without it numbers are absolute, as with `tcpdump -S`.
 * Not supported: options beyond RFC 9293, 7323 and 2018 by name (`unknown-N` and their octets, as tcpdump
 * prints what it does not know; it does know MD5, AO, MPTCP and fast open); payloads.
 */
import { get16, get32, hex } from "./bytes.ts"
import type { Ip } from "./ip.ts"
import * as tcp from "./tcp.ts"
import { Kind } from "./tcp-options.ts"

/** A display that runs for ever forgets the conversation that it met first. */
const CONVERSATIONS_MAX = 65_536

interface Beginning {
  seq: number
  ack: number
}

export class Conversations {
  readonly #beginnings = new Map<string, Beginning>()

  /** Numbers of a segment with ACK, and what its SACK blocks count from. */
  relative(src: Ip, dst: Ip, fields: tcp.Fields): { seq: number; ack: number; sackBase: number } {
    const { srcPort, dstPort } = fields
    const reversed = srcPort > dstPort || (srcPort === dstPort && compare(src, dst) > 0)
    const key = reversed ? `${dst},${src},${dstPort},${srcPort}` : `${src},${dst},${srcPort},${dstPort}`
    let known = this.#beginnings.get(key)
    const fresh = known === undefined || (fields.flags & tcp.SYN) !== 0
    if (known === undefined) {
      known = { seq: 0, ack: 0 }
      this.#remember(key, known)
    }
    if (fresh) {
      known.seq = reversed ? fields.ack - 1 : fields.seq
      known.ack = reversed ? fields.seq : fields.ack - 1
    }
    const sackBase = reversed ? known.seq : known.ack
    if (fresh) return { seq: fields.seq, ack: fields.ack, sackBase }
    return reversed
      ? { seq: fields.seq - known.ack, ack: fields.ack - known.seq, sackBase }
      : { seq: fields.seq - known.seq, ack: fields.ack - known.ack, sackBase }
  }

  #remember(key: string, beginning: Beginning): void {
    if (this.#beginnings.size >= CONVERSATIONS_MAX) {
      const oldest = this.#beginnings.keys().next().value
      if (oldest !== undefined) this.#beginnings.delete(oldest)
    }
    this.#beginnings.set(key, beginning)
  }
}

/**
 * What follows the ports, the fixed header being there. The segment is in [at, end) as far as it was
 * captured; `claimed` is its length before anybody cut it.
 */
export function segment(
  bytes: Uint8Array, at: number, end: number, claimed: number, src: Ip, dst: Ip,
  conversations: Conversations | null
): string {
  const fields = tcp.read(bytes, at)
  const header = fields.headerBytes
  if (header < tcp.HEADER_BYTES_MIN) {
    const least = tcp.HEADER_BYTES_MIN
    return ` tcp ${(claimed - header) >>> 0} [bad hdr length ${header} - too short, < ${least}]`
  }
  let text = `Flags [${flags(fields.flags)}]`
  const acked = (fields.flags & tcp.ACK) !== 0
  const { seq, ack, sackBase } = conversations !== null && acked
    ? conversations.relative(src, dst, fields)
    : { seq: fields.seq, ack: fields.ack, sackBase: 0 }
  if (header > claimed) return `${text} [bad hdr length ${header} - too long, > ${claimed}]`
  const length = claimed - header
  if (length > 0 || (fields.flags & (tcp.SYN | tcp.FIN | tcp.RST)) !== 0) text += `, seq ${seq >>> 0}`
  if (length > 0) text += `:${((seq >>> 0) + length) >>> 0}`
  if (acked) text += `, ack ${ack >>> 0}`
  text += `, win ${fields.window}`
  if ((fields.flags & tcp.URG) !== 0) text += `, urg ${fields.urgentPointer}`
  if (header > end - at) return `${text} [|tcp]`
  if (header > tcp.HEADER_BYTES_MIN) {
    const list = options(bytes, at + tcp.HEADER_BYTES_MIN, at + header, sackBase)
    text += `, options [${list.text}`
    if (list.bad) return text + (list.text === "[bad opt]" ? "" : "]")
    text += "]"
  }
  return `${text}, length ${length}`
}

/** In the order of tcpdump's table: `S.` is SYN and ACK. */
export function flags(bits: number): string {
  let text = ""
  for (const [bit, letter] of FLAGS) if ((bits & bit) !== 0) text += letter
  return text === "" ? "none" : text
}

const FLAGS: ReadonlyArray<readonly [number, string]> = [
  [tcp.FIN, "F"], [tcp.SYN, "S"], [tcp.RST, "R"], [tcp.PSH, "P"], [tcp.ACK, "."], [tcp.URG, "U"],
  [tcp.ECE, "E"], [tcp.CWR, "W"]
]

function options(
  bytes: Uint8Array, from: number, end: number, sackBase: number
): { readonly text: string; readonly bad: boolean } {
  const parts: Array<string> = []
  const bad = () => ({ text: parts.length === 0 ? "[bad opt]" : `${parts.join(",")},[bad opt]`, bad: true })
  for (let i = from; i < end;) {
    const kind = bytes[i]!
    if (kind === Kind.End) {
      parts.push("eol")
      break
    }
    if (kind === Kind.NoOperation) {
      parts.push("nop")
      i++
      continue
    }
    const length = i + 1 < end ? bytes[i + 1]! : 0
    if (length < 2 || i + length > end) return bad()
    const part = option(bytes, i, kind, length, end, sackBase)
    if (part === null) {
      const named = bad()
      return { text: named.text.replace("[bad opt]", `${NAMES.get(kind)!}[bad opt]`), bad: true }
    }
    parts.push(part.text)
    if (part.used !== length) parts[parts.length - 1] += `[len ${length}]`
    i += part.used
  }
  return { text: parts.join(","), bad: false }
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [Kind.MaxSegment, "mss"], [Kind.WindowScale, "wscale"], [Kind.SackPermitted, "sackOK"], [Kind.Sack, "sack"],
  [Kind.Timestamps, "TS"]
])

/** One option and how many octets tcpdump takes it to have; null when its value runs over the header. */
function option(
  bytes: Uint8Array, at: number, kind: number, length: number, end: number, sackBase: number
): { readonly text: string; readonly used: number } | null {
  const value = at + 2
  const room = end - value
  switch (kind) {
    case Kind.MaxSegment:
      return room < 2 ? null : { text: `mss ${get16(bytes, value)}`, used: 4 }
    case Kind.WindowScale:
      return room < 1 ? null : { text: `wscale ${bytes[value]!}`, used: 3 }
    case Kind.SackPermitted:
      return { text: "sackOK", used: 2 }
    case Kind.Timestamps:
      if (room < 8) return null
      return { text: `TS val ${get32(bytes, value) >>> 0} ecr ${get32(bytes, value + 4) >>> 0}`, used: 10 }
    case Kind.Sack: {
      if ((length - 2) % 8 !== 0) return { text: "sack invalid sack", used: length }
      let text = `sack ${(length - 2) / 8} `
      for (let i = value; i < at + length; i += 8) {
        text += `{${(get32(bytes, i) - sackBase) >>> 0}:${(get32(bytes, i + 4) - sackBase) >>> 0}}`
      }
      return { text, used: length }
    }
    default: {
      const octets = length > 2 ? ` 0x${hex(bytes, value, at + length)}` : ""
      return { text: `unknown-${kind}${octets}`, used: length }
    }
  }
}

/** As memcmp compares addresses. */
function compare(a: Ip, b: Ip): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return (a[i]! >>> 0) - (b[i]! >>> 0)
  }
  return 0
}
