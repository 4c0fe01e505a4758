/**
 * What a device saw since the last `clear`: the first and the last frames as text for whoever wants to know
 * what went wrong, what was no TCP, and of every segment the numbers that cases ask for.
 */
import { Direction, type Frame, type NetDevice, type Tap } from "@podwire/netdev"
import * as ipproto from "@podwire/wire/ipproto"
import { Conversations, line } from "@podwire/wire/print"
import * as tcp from "@podwire/wire/tcp"

const FIRST = 20
const LAST = 60
const OTHERS = 100
/** Ethernet, IPv6, TCP with all its options, and a little. */
const HEADER_BYTES = 128

interface Seen {
  readonly ns: number
  readonly out: boolean
  readonly bytes: Uint8Array
}

export interface Segment {
  /** Of all frames, from 0. */
  readonly number: number
  readonly out: boolean
  readonly srcPort: number
  readonly dstPort: number
  /** As tcpdump: "S.", "P.", "." … */
  readonly flags: string
  readonly seq: number
  readonly payload: number
  readonly window: number
}

export class FrameRing implements Tap {
  #first: Array<Seen> = []
  #last: Array<Seen> = []
  #others: Array<Seen> = []
  #segments: Array<Segment> = []
  count = 0

  see(dev: NetDevice, direction: Direction, frame: Frame): void {
    const { bytes, head, tail } = frame
    const out = direction === Direction.Out
    const seen = { ns: dev.engine.nowNs, out, bytes: bytes.slice(head, Math.min(tail, head + HEADER_BYTES)) }
    const segment = segmentOf(this.count++, out, seen.bytes)
    if (segment !== null) this.#segments.push(segment)
    else if (this.#others.length < OTHERS) this.#others.push(seen)
    if (this.#first.length < FIRST) this.#first.push(seen)
    else this.#last.push(seen)
    if (this.#last.length > 2 * LAST) this.#last = this.#last.slice(-LAST)
  }

  clear(): void {
    this.#first = []
    this.#last = []
    this.#others = []
    this.#segments = []
    this.count = 0
  }

  /** Milliseconds since the first, who sent it, and tcpdump's words. */
  text(): string {
    const last = this.#last.slice(-LAST)
    const left = this.count - this.#first.length - last.length
    const conversations = new Conversations()
    const text = (some: ReadonlyArray<Seen>) => some.map((seen) => this.#line(seen, conversations))
    return [...text(this.#first), ...left > 0 ? [`… ${left} frames …`] : [], ...text(last)].join("\n")
  }

  /** The same of those that are no TCP. */
  others(): string {
    return this.#others.map((seen) => this.#line(seen, new Conversations())).join("\n")
  }

  /** Of the connections with that port on either side, from frame `from` on. */
  segments(port: number, from = 0): ReadonlyArray<Segment> {
    return this.#segments.filter(({ number, srcPort, dstPort }) =>
      number >= from && (srcPort === port || dstPort === port))
  }

  /** Their flags, one word each. */
  flags(port: number, from = 0): string {
    return this.segments(port, from).map(({ flags }) => flags).join(" ")
  }

  /** Segments that say that there is no room. */
  closedWindows(port: number): number {
    return this.segments(port).filter(({ flags, window }) => window === 0 && !flags.includes("R")).length
  }

  /** Segments of an octet that was acknowledged long ago (tcp_xmit_probe_skb). */
  probes(port: number): number {
    const ends = new Map<number, number>()
    return this.segments(port).filter(({ srcPort, flags, seq, payload }) => {
      const end = (seq + payload + (/[SF]/.test(flags) ? 1 : 0)) | 0
      const before = ends.get(srcPort)
      if (before === undefined || ((end - before) | 0) > 0) ends.set(srcPort, end)
      return before !== undefined && payload === 0 && flags === "." && ((seq - before) | 0) === -1
    }).length
  }

  #line({ ns, out, bytes }: Seen, conversations: Conversations): string {
    const text = line(bytes, 0, bytes.length, { conversations })
      .replace(/truncated-ip6? - \d+ bytes missing! ?/, "")
    const ms = (ns - (this.#first[0]?.ns ?? 0)) / 1e6
    return `${ms.toFixed(3).padStart(10)} ${out ? "we    " : "kernel"} ${text}`
  }
}

/** Without extension headers, which nobody sends here. */
export function segmentOf(number: number, out: boolean, bytes: Uint8Array): Segment | null {
  const type = (bytes[12]! << 8) | bytes[13]!
  const v6 = type === 0x86dd
  if (!v6 && type !== 0x0800 || bytes[v6 ? 20 : 23] !== ipproto.TCP) return null
  const at = v6 ? 54 : 14 + (bytes[14]! & 15) * 4
  const end = v6 ? 54 + ((bytes[18]! << 8) | bytes[19]!) : 14 + ((bytes[16]! << 8) | bytes[17]!)
  const { srcPort, dstPort, flags, seq, window, headerBytes } = tcp.read(bytes, at)
  const payload = end - at - headerBytes
  return { number, out, srcPort, dstPort, flags: letters(flags), seq, payload, window }
}

function letters(flags: number): string {
  const of = [[tcp.SYN, "S"], [tcp.FIN, "F"], [tcp.RST, "R"], [tcp.PSH, "P"], [tcp.ACK, "."]] as const
  return of.filter(([bit]) => (flags & bit) !== 0).map(([, letter]) => letter).join("")
}
