/**
 * Script segments to frames and back. What is known only when the script runs (the stack's initial sequence
 * number, its port, its last timestamp, what it sent) is left open in an `Outgoing` and filled by `complete`,
 * here or, for a kernel, by its twin in `referee.py`.
 */
import { get16, get32, hex, set16, set32, unhex } from "@podwire/wire/bytes"
import { finish, pseudo4, pseudo6, sum } from "@podwire/wire/checksum"
import * as ip from "@podwire/wire/ip"
import * as tcp from "@podwire/wire/tcp"
import { Kind } from "@podwire/wire/tcp-options"
import type { Option, Segment, Stamp } from "./notation.ts"
import type { Icmp } from "./script.ts"

export const STACK = { mac: "02:00:00:00:00:01", 4: "10.0.0.1", 6: "fd00::1" } as const
export const PEER = { mac: "02:00:00:00:00:02", 4: "10.0.0.2", 6: "fd00::2" } as const
export const PORT = 8080
/** The peer's port of connection 0; the digit behind < or > is added. */
export const PEER_PORT = 50_000
/** Wraps after the first 4,096 octets. */
export const PEER_ISN = 0xfffff000 | 0
/** The peer's clock when the script begins, in milliseconds. */
export const PEER_CLOCK = 1000
const QUOTE_BYTES = 68
const ETHER = 14

/** A frame with gaps. */
export interface Outgoing {
  readonly hex: string
  readonly flow: number
  /** Where the stack's initial sequence number is to be added. */
  readonly isn: ReadonlyArray<number>
  /** Where the last timestamp of the stack goes, plus something. */
  readonly stamps: ReadonlyArray<readonly [number, number]>
  /** Where the stack's port goes; -1 is nowhere. */
  readonly port: number
  readonly l4: number
  readonly protocol: number
  readonly badSum: boolean
  /** An ICMP error ends with the beginning of something that the stack sent. */
  readonly quote: { readonly seq: number | null; readonly bytes: number } | null
}

/** What the stack showed of itself on one connection. */
export class Seen {
  /** Of its last SYN. */
  isn = 0
  port = PORT
  stamp = 0
  synSeen = false
  readonly frames: Array<Uint8Array> = []
}

/** Connections by their digit. */
export class Flows {
  readonly #flows = new Map<number, Seen>()

  of(flow: number): Seen {
    let seen = this.#flows.get(flow)
    if (seen === undefined) this.#flows.set(flow, seen = new Seen())
    return seen
  }

  /** Learn from a frame that the stack sent; the digit of its connection, or -1 for what is no TCP. */
  learn(bytes: Uint8Array): number {
    const at = l4Of(bytes)
    if (at < 0) return -1
    const flow = tcp.dstPort(bytes, at) - PEER_PORT
    const seen = this.of(flow)
    seen.port = tcp.srcPort(bytes, at)
    if ((tcp.flags(bytes, at) & tcp.SYN) !== 0) {
      seen.isn = tcp.seq(bytes, at)
      seen.synSeen = true
    }
    const stamp = stampAt(bytes, at)
    if (stamp > 0) seen.stamp = get32(bytes, stamp) >>> 0
    seen.frames.push(bytes)
    return flow
  }
}

/** Of a TCP segment from the stack to the peer; -1 for anything else. */
function l4Of(bytes: Uint8Array): number {
  const type = get16(bytes, 12)
  if (type === 0x0800) return bytes[23] === 6 ? ETHER + (bytes[14]! & 15) * 4 : -1
  return type === 0x86dd && bytes[20] === 6 ? ETHER + 40 : -1
}

function stampAt(bytes: Uint8Array, at: number): number {
  const end = at + tcp.dataOffsetBytes(bytes, at)
  for (let i = at + 20; i < end;) {
    if (bytes[i] === Kind.End) break
    if (bytes[i] === Kind.Timestamps) return i + 2
    i += bytes[i] === Kind.NoOperation ? 1 : Math.max(bytes[i + 1]!, 2)
  }
  return -1
}

/** The pattern of both streams: the octet that many after the SYN. */
export function pattern(offset: number): number {
  return (offset ^ (offset >>> 8)) & 0xff
}

export function segmentFrame(
  segment: Segment, flow: number, family: 4 | 6, usual: boolean, atSeconds: number
): Outgoing {
  const clock = PEER_CLOCK + Math.round(atSeconds * 1000)
  const options = segment.options ?? (usual ? USUAL : [])
  const gaps = { isn: [] as Array<number>, stamps: [] as Array<readonly [number, number]> }
  const l4 = ETHER + (family === 4 ? 20 : 40)
  const packed = packOptions(options, l4 + 20, clock, gaps)
  const header = 20 + packed.length
  const frame = new Uint8Array(l4 + header + segment.length)
  const seq = typeof segment.seq === "number" ? segment.seq : 0
  writeIp(frame, family, 6, header + segment.length, segment)
  tcp.writeHeader(
    frame, l4, PEER_PORT + flow, 0, (PEER_ISN + seq) | 0, segment.ack ?? 0, header, segment.flags,
    segment.window ?? 0xffff
  )
  frame[l4 + 12]! |= segment.reserved
  set16(frame, l4 + 18, segment.urgent)
  frame.set(packed, l4 + 20)
  const syn = (segment.flags & tcp.SYN) !== 0 ? 1 : 0
  for (let i = 0; i < segment.length; i++) frame[l4 + header + i] = pattern(seq + syn + i - 1)
  if (segment.ack !== null) gaps.isn.push(l4 + 8)
  return {
    hex: hex(frame), flow, ...gaps, port: l4 + 2, l4, protocol: 6, badSum: segment.badSum, quote: null
  }
}

const USUAL: ReadonlyArray<Option> = [
  { kind: "nop" }, { kind: "nop" }, { kind: "TS", val: "any", ecr: { afterLast: 0 } }
]

/** `at` is where they will be in the frame; padded with zeros to a word. */
function packOptions(
  options: ReadonlyArray<Option>, at: number, clock: number,
  gaps: { readonly isn: Array<number>; readonly stamps: Array<readonly [number, number]> }
): Uint8Array {
  const out: Array<number> = []
  const word = (value: number) => {
    for (const shift of [24, 16, 8, 0]) out.push((value >>> shift) & 255)
  }
  for (const option of options) {
    if (option.kind === "nop") out.push(Kind.NoOperation)
    else if (option.kind === "eol") out.push(Kind.End)
    else if (option.kind === "mss") out.push(Kind.MaxSegment, 4, option.value >>> 8, option.value & 255)
    else if (option.kind === "wscale") out.push(Kind.WindowScale, 3, option.value)
    else if (option.kind === "sackOK") out.push(Kind.SackPermitted, 2)
    else if (option.kind === "raw") out.push(...unhex(option.hex))
    else if (option.kind === "sack") {
      out.push(Kind.Sack, 2 + 8 * option.blocks.length)
      for (const edge of option.blocks.flat()) {
        gaps.isn.push(at + out.length)
        word(edge)
      }
    } else if (option.kind === "TS") {
      out.push(Kind.Timestamps, 10)
      word(typeof option.val === "object" && "at" in option.val ? option.val.at : clock)
      const { ecr } = option
      if (typeof ecr === "object" && "afterLast" in ecr) gaps.stamps.push([at + out.length, ecr.afterLast])
      word(typeof ecr === "object" && "at" in ecr ? ecr.at : 0)
    }
  }
  while (out.length % 4 !== 0) out.push(0)
  return Uint8Array.from(out)
}

function writeIp(
  frame: Uint8Array, family: 4 | 6, protocol: number, payload: number,
  { tos, ttl, df }: { readonly tos: number; readonly ttl: number; readonly df: boolean }
): void {
  frame.set(unhex(STACK.mac), 0)
  frame.set(unhex(PEER.mac), 6)
  set16(frame, 12, family === 4 ? 0x0800 : 0x86dd)
  if (family === 4) {
    frame[14] = 0x45
    frame[15] = tos
    set16(frame, 16, 20 + payload)
    set16(frame, 18, 0x1234)
    set16(frame, 20, df ? 0x4000 : 0)
    frame[22] = ttl
    frame[23] = protocol
    ip.write(frame, 26, ip.parse(PEER[4])!)
    ip.write(frame, 30, ip.parse(STACK[4])!)
  } else {
    set16(frame, 14, 0x6000 | tos << 4)
    set16(frame, 18, payload)
    frame[20] = protocol
    frame[21] = ttl
    ip.write(frame, 22, ip.parse(PEER[6])!)
    ip.write(frame, 38, ip.parse(STACK[6])!)
  }
}

const CODES4 = { net: 0, host: 1, protocol: 2, port: 3, admin: 13 } as const
const CODES6 = { net: 0, admin: 1, host: 3, port: 4, protocol: 0 } as const

/** RFC 792, RFC 1191, RFC 4443; `protocol` is a parameter problem over IPv6. */
export function icmpFrame(icmp: Icmp, flow: number, family: 4 | 6): Outgoing {
  const l4 = ETHER + (family === 4 ? 20 : 40)
  const frame = new Uint8Array(l4 + 8)
  const protocol = family === 4 ? 1 : 58
  writeIp(frame, family, protocol, 8, { tos: 0, ttl: 64, df: false })
  if (family === 4) {
    frame[l4] = icmp.type === "time-exceeded" ? 11 : 3
    if (icmp.type === "unreachable") frame[l4 + 1] = CODES4[icmp.code]
    if (icmp.type === "frag-needed") frame[l4 + 1] = 4
    set16(frame, l4 + 6, icmp.mtu)
  } else {
    const wrongHeader = icmp.type === "unreachable" && icmp.code === "protocol"
    frame[l4] = wrongHeader ? 4 : icmp.type === "unreachable" ? 1 : icmp.type === "frag-needed" ? 2 : 3
    if (wrongHeader) frame[l4 + 1] = 1
    else if (icmp.type === "unreachable") frame[l4 + 1] = CODES6[icmp.code]
    set32(frame, l4 + 4, wrongHeader ? 6 : icmp.mtu)
  }
  return {
    hex: hex(frame), flow, isn: [], stamps: [], port: -1, l4, protocol, badSum: false,
    quote: { seq: icmp.about, bytes: QUOTE_BYTES }
  }
}

export function complete(outgoing: Outgoing, flows: Flows): Uint8Array {
  const seen = flows.of(outgoing.flow)
  let frame = unhex(outgoing.hex)
  const { l4, quote } = outgoing
  if (quote !== null) {
    const about = seen.frames.findLast((bytes) =>
      quote.seq === null || ((tcp.seq(bytes, l4Of(bytes)) - seen.isn) | 0) === quote.seq)
    if (about === undefined) throw new Error("nothing was sent that an ICMP error could be about")
    const quoted = about.subarray(ETHER, Math.min(about.length, ETHER + quote.bytes))
    const whole = new Uint8Array(frame.length + quoted.length)
    whole.set(frame)
    whole.set(quoted, frame.length)
    frame = whole
    set16(frame, l4 === 34 ? 16 : 18, frame.length - (l4 === 34 ? ETHER : l4))
  }
  for (const at of outgoing.isn) set32(frame, at, (get32(frame, at) + seen.isn) | 0)
  for (const [at, more] of outgoing.stamps) set32(frame, at, (seen.stamp + more) | 0)
  if (outgoing.port >= 0) set16(frame, outgoing.port, seen.port)
  if (l4 === 34) set16(frame, 24, finish(sum(frame, ETHER, l4)))
  const sumAt = l4 + (outgoing.protocol === 6 ? 16 : 2)
  set16(frame, sumAt, finish(sum(frame, l4, frame.length, pseudoOf(frame, l4, outgoing.protocol))))
  if (outgoing.badSum) set16(frame, sumAt, get16(frame, sumAt) ^ 0x5555)
  return frame
}

export function pseudoOf(frame: Uint8Array, l4: number, protocol: number): number {
  const length = frame.length - l4
  if (protocol === 1) return 0
  return l4 === ETHER + 40
    ? pseudo6(frame, 22, 38, protocol, length)
    : pseudo4(get32(frame, 26), get32(frame, 30), protocol, length)
}

export interface Decoded {
  readonly flow: number
  readonly segment: Segment
  /** The octets are not those of the pattern. */
  readonly corrupt: boolean
}

/** A segment of the stack in the script's words, by what was learnt before it; null for other frames. */
export function decode(frame: Uint8Array, flows: Flows): Decoded | null {
  const at = l4Of(frame)
  if (at < 0) return null
  const v4 = get16(frame, 12) === 0x0800
  const { seq, ack, flags, window, headerBytes, urgentPointer, dstPort } = tcp.read(frame, at)
  const seen = flows.of(dstPort - PEER_PORT)
  const syn = (flags & tcp.SYN) !== 0
  const isn = syn && !seen.synSeen ? seq : seen.isn
  const relative = (seq - isn) | 0
  const length = frame.length - at - headerBytes
  let corrupt = false
  for (let i = 0; i < length; i++) {
    if (frame[at + headerBytes + i] !== pattern(relative + (syn ? 1 : 0) + i - 1)) corrupt = true
  }
  const badSum = finish(sum(frame, at, frame.length, pseudoOf(frame, at, 6))) !== 0 ||
    (v4 && finish(sum(frame, ETHER, at)) !== 0)
  return {
    flow: dstPort - PEER_PORT, corrupt,
    segment: {
      flags, pushAny: false, length, split: 0,
      seq: syn && relative !== 0 ? "new" : isn !== 0 && seq === 0 ? "zero" : relative,
      ack: (flags & tcp.ACK) !== 0 ? (ack - PEER_ISN) | 0 : ack === 0 ? null : ack, window,
      options: unpackOptions(frame, at + 20, at + headerBytes),
      id: !v4 ? null : get16(frame, 18) === 0 ? "0" : "+", df: !v4 || (frame[20]! & 0x40) !== 0,
      tos: v4 ? frame[15]! : (get16(frame, 14) >>> 4) & 255, ttl: v4 ? frame[22]! : frame[21]!,
      urgent: urgentPointer, reserved: frame[at + 12]! & 15, badSum
    }
  }
}

function unpackOptions(frame: Uint8Array, from: number, end: number): ReadonlyArray<Option> {
  const options: Array<Option> = []
  const stamp = (at: number): Stamp => ({ at: get32(frame, at) >>> 0 })
  for (let i = from; i < end;) {
    const kind = frame[i]!
    const length = kind === Kind.NoOperation || kind === Kind.End ? 1 : Math.max(frame[i + 1] ?? 0, 2)
    if (kind === Kind.NoOperation) options.push({ kind: "nop" })
    else if (kind === Kind.End) options.push({ kind: "eol" })
    else if (kind === Kind.SackPermitted && length === 2) options.push({ kind: "sackOK" })
    else if (kind === Kind.WindowScale && length === 3) options.push({ kind: "wscale", value: frame[i + 2]! })
    else if (kind === Kind.MaxSegment && length === 4) {
      options.push({ kind: "mss", value: get16(frame, i + 2) })
    } else if (kind === Kind.Timestamps && length === 10) {
      options.push({ kind: "TS", val: stamp(i + 2), ecr: stamp(i + 6) })
    } else if (kind === Kind.Sack) {
      const blocks: Array<readonly [number, number]> = []
      for (let k = i + 2; k + 8 <= i + length; k += 8) {
        blocks.push([(get32(frame, k) - PEER_ISN) | 0, (get32(frame, k + 4) - PEER_ISN) | 0])
      }
      options.push({ kind: "sack", blocks })
    } else options.push({ kind: "raw", hex: hex(frame, i, Math.min(i + length, end)) })
    i += length
  }
  return options
}
