/**
 * What every host owes the other, seen from a card: each segment that leaves is checked against what left and
 * what arrived before it, by the RFCs alone and without a look into the stack. One `WireLaws` watches one
 * connection. A frame that arrives counts only when it is whole and for this host: others teach the stack
 * nothing.
 */
import { addTap, Checksum, Direction, type Frame, type NetDevice } from "@podwire/netdev"
import { completeCopy } from "@podwire/netdev/partial"
import { get16, get32 } from "@podwire/wire/bytes"
import * as eth from "@podwire/wire/eth"
import * as ipv4 from "@podwire/wire/ipv4"
import * as tcp from "@podwire/wire/tcp"
import { Kind } from "@podwire/wire/tcp-options"
import { after, before } from "../src/seq.ts"

const ETHER = 14
const IP6 = 40
const INITIAL_WINDOW = 10
/**
 * A loss probe and the final FIN do not wait for the congestion window; nor does a probe of a shut window.
 */
const UNCLAIMED = 3

interface Options {
  mss: number
  wscale: number
  sackOk: boolean
  stamp: number | null
  echo: number
  blocks: Array<readonly [number, number]>
}

interface Seen {
  readonly seq: number
  /** Behind the octets; SYN and FIN not counted. */
  readonly dataEnd: number
  readonly end: number
  readonly ack: number
  readonly flags: number
  readonly window: number
  readonly data: Uint8Array
  readonly options: Options
}

/** The octet that many after the SYN, of the side that sends it. */
export type Pattern = (offset: number) => number

export interface LawOptions {
  /** tcp_shrink_window: the right edge may move left. */
  readonly shrinks?: boolean
  /** What this side's octets are. */
  readonly pattern: Pattern
}

/** What one side sent: in the order in which it was new. */
interface Sent {
  readonly seq: number
  readonly end: number
  done: boolean
}

export class WireLaws {
  readonly broken: Array<string> = []
  segments = 0
  readonly #dev: NetDevice
  readonly #options: LawOptions
  // This side
  #iss: number | null = null
  #nxt = 0
  #edge: number | null = null
  #lastAck: number | null = null
  #wscale = 0
  #stamp: number | null = null
  #finEnd: number | null = null
  readonly #flight: Array<Sent> = []
  #newSegments = 0
  #delivered = 0
  // The other side, as far as it arrived
  #irs: number | null = null
  #una: number | null = null
  #peerEdge: number | null = null
  #peerMax = 0
  #peerWscale = 0
  #peerMss = 536
  readonly #peerStamps = new Set<number>()
  readonly #arrived: Array<readonly [number, number]> = []
  #asksStamps = false
  #peerAsksStamps = false
  #bothScale = false
  #scaleAsked = false
  #peerScaleAsked = false

  constructor(dev: NetDevice, options: LawOptions) {
    this.#dev = dev
    this.#options = options
    addTap(dev, {
      see: (_, direction, frame) => {
        if (direction === Direction.Out) this.#leaves(frame)
        else this.#arrives(frame)
      }
    })
  }

  #law(holds: boolean, what: string): void {
    if (!holds && this.broken.length < 5) this.broken.push(`segment ${this.segments}: ${what}`)
  }

  #leaves(frame: Frame): void {
    const whole = wholeOf(frame)
    if (!isTcp(whole)) return
    const fault = faultOf(whole)
    this.#law(fault === null, `${fault}`)
    const s = this.#read(whole, true)
    if (s === null) return
    this.segments++
    if ((s.flags & tcp.SYN) !== 0) return this.#syn(s)
    if (this.#iss === null) return
    // A stray segment's answer belongs to no connection.
    if ((s.flags & tcp.RST) !== 0) return
    this.#law((s.flags & tcp.ACK) !== 0, "no ACK")
    this.#numbers(s)
    this.#window(s)
    this.#acknowledges(s)
    this.#stamps(s)
  }

  #syn(s: Seen): void {
    this.#law(this.#iss === null || this.#iss === s.seq, "another initial sequence number")
    if (this.#iss === null) this.#nxt = s.end
    this.#iss = s.seq
    this.#scaleAsked = s.options.wscale >= 0
    this.#wscale = Math.max(0, s.options.wscale)
    this.#bothScale = this.#scaleAsked && this.#peerScaleAsked
    this.#law(s.data.length === 0, "octets in a SYN")
    if ((s.flags & tcp.ACK) !== 0) this.#acknowledges(s)
    // Of a SYN alone nothing can be said before the other one comes: it is where theirs begins.
    if ((s.flags & tcp.ACK) !== 0) this.#edge ??= (s.ack + s.window) | 0
    this.#initialEdge = s.window
    this.#stamps(s)
  }

  #initialEdge = 0

  /** Where its octets stand: nothing is left out, nothing is beyond what was offered, nothing changes. */
  #numbers(s: Seen): void {
    const { pattern } = this.#options
    const end = s.end
    this.#law(!after(s.seq, this.#nxt), `a hole: ${this.#rel(s.seq)} after ${this.#rel(this.#nxt)}`)
    if (end !== s.seq) {
      // A FIN behind a long burst goes with it, as Linux's does (tcp_mss_split_point knows octets only).
      const last = s.data.length > 0 ? s.dataEnd : end
      this.#law(
        this.#peerEdge !== null && !after(last, this.#peerEdge),
        `beyond the window: ${this.#rel(end)} of ${this.#rel(this.#peerEdge!)}`
      )
    }
    this.#law(s.data.length + optionBytes(s) <= this.#peerMss, `${s.data.length} octets, MSS ${this.#peerMss}`)
    for (let i = 0; i < s.data.length; i++) {
      if (s.data[i] !== pattern(((s.seq + i) | 0) - this.#iss! - 1 >>> 0)) {
        this.#law(false, `other octets at ${this.#rel((s.seq + i) | 0)}`)
        break
      }
    }
    if ((s.flags & tcp.FIN) !== 0) {
      this.#law(this.#finEnd === null || this.#finEnd === end, "another FIN")
      this.#finEnd = end
    } else if (this.#finEnd !== null) {
      const isBefore = s.data.length === 0 ? !after(end, this.#finEnd) : before(end, this.#finEnd)
      this.#law(isBefore, "octets behind the FIN")
    }
    if (!after(end, this.#nxt)) return this.#again(s)
    this.#flight.push({ seq: this.#nxt, end, done: false })
    this.#nxt = end
    this.#newSegments++
    const allowed = INITIAL_WINDOW + 2 * this.#delivered + UNCLAIMED
    this.#law(this.#newSegments <= allowed, `${this.#newSegments} segments, ${this.#delivered} arrived`)
  }

  /** Small segments may come again as one (tcp_retrans_try_collapse): they are one from then on. */
  #again(s: Seen): void {
    const flight = this.#flight
    const covers = (sent: Sent) => !sent.done && !before(sent.seq, s.seq) && !after(sent.end, s.end)
    const first = flight.findIndex(covers)
    if (first < 0) return
    let next = first + 1
    while (next < flight.length && covers(flight[next]!)) next++
    const { seq } = flight[first]!
    const { end } = flight[next - 1]!
    flight.splice(first, next - first, { seq, end, done: false })
    this.#newSegments -= next - first - 1
  }

  /** The right edge only moves right (RFC 9293, section 3.8.6.2.1: it is discouraged, and Linux does not). */
  #window(s: Seen): void {
    if (this.#edge === null) this.#edge = (this.#irs! + 1 + this.#initialEdge) | 0
    const edge = (s.ack + s.window * 2 ** (this.#bothScale ? this.#wscale : 0)) | 0
    if (!this.#options.shrinks) {
      // Half connections and ended ones have a fixed window, whose scale cuts off what is less than a unit.
      const isRemnant = s.data.length === 0 && (this.#finEnd !== null || this.#newSegments === 0)
      const slack = isRemnant && this.#bothScale ? 2 ** this.#wscale - 1 : 0
      const kept = !before((edge + slack) | 0, this.#edge)
      this.#law(kept, `the window's edge goes back by ${(this.#edge - edge) | 0}`)
    }
    if (after(edge, this.#edge)) this.#edge = edge
  }

  #acknowledges(s: Seen): void {
    if (this.#irs === null) return this.#law(false, "acknowledges what never came")
    this.#law(this.#lastAck === null || !before(s.ack, this.#lastAck), "the acknowledgement goes back")
    this.#lastAck = s.ack
    this.#law(!after(s.ack, this.#peerMax), "acknowledges what was not sent")
    const { blocks } = s.options
    blocks.forEach(([start, end], i) => {
      const name = `block ${(start - this.#irs!) | 0}-${(end - this.#irs!) | 0}`
      this.#law(before(start, end), `${name} is empty`)
      this.#law(this.#came(start, end), `${name} never came`)
      // RFC 2883: the first may tell of a duplicate.
      const within = blocks.slice(1).some(([from, to]) => !before(start, from) && !after(end, to))
      const isDuplicate = i === 0 && (within || !after(end, s.ack))
      if (isDuplicate) return
      this.#law(after(start, s.ack), `${name} is acknowledged by ${(s.ack - this.#irs!) | 0}`)
      if (this.#edge !== null) this.#law(!after(end, this.#edge), `${name} is beyond the window`)
    })
  }

  #came(start: number, end: number): boolean {
    let at = start
    for (const [from, to] of this.#arrived) {
      if (!after(from, at) && after(to, at)) at = to
    }
    return !before(at, end)
  }

  #stamps(s: Seen): void {
    const { stamp, echo } = s.options
    const isSyn = (s.flags & tcp.SYN) !== 0
    if (isSyn) this.#asksStamps = stamp !== null
    const agreed = this.#asksStamps && this.#peerAsksStamps
    if (!isSyn) this.#law((stamp !== null) === agreed, "timestamps as nobody agreed")
    if (stamp === null) return
    this.#law(this.#stamp === null || ((stamp - this.#stamp) | 0) >= 0, "the clock goes back")
    this.#stamp = stamp
    if ((s.flags & tcp.ACK) !== 0) this.#law(this.#peerStamps.has(echo), "echoes a timestamp that never came")
  }

  #arrives(frame: Frame): void {
    const whole = wholeOf(frame)
    if (!isTcp(whole) || eth.dst(whole, 0) !== this.#dev.mac || faultOf(whole) !== null) return
    const s = this.#read(whole, false)
    if (s === null) return
    if ((s.flags & tcp.SYN) !== 0) {
      if (this.#irs === null) this.#peerMax = s.end
      this.#irs = s.seq
      this.#peerScaleAsked = s.options.wscale >= 0
      this.#peerAsksStamps = s.options.stamp !== null
      this.#peerWscale = Math.max(0, s.options.wscale)
      this.#bothScale = this.#scaleAsked && this.#peerScaleAsked
      this.#peerMss = s.options.mss > 0 ? s.options.mss : whole[12] === 8 ? 536 : 1220
    }
    if (this.#irs === null) return
    if (s.options.stamp !== null) this.#peerStamps.add(s.options.stamp)
    if (after(s.end, this.#peerMax)) this.#peerMax = s.end
    if (s.end !== s.seq) this.#keep(s.seq, s.end)
    if ((s.flags & tcp.ACK) === 0 || this.#iss === null || (s.flags & tcp.RST) !== 0) return
    const scale = (s.flags & tcp.SYN) !== 0 || !this.#bothScale ? 0 : this.#peerWscale
    const edge = (s.ack + s.window * 2 ** scale) | 0
    if (this.#peerEdge === null || after(edge, this.#peerEdge)) this.#peerEdge = edge
    this.#takeAck(s)
  }

  #takeAck(s: Seen): void {
    const delivered = this.#delivered
    for (const sent of this.#flight) {
      if (sent.done) continue
      const { blocks } = s.options
      const sacked = blocks.some(([start, end]) => !after(start, sent.seq) && !before(end, sent.end))
      if (!after(sent.end, s.ack) || sacked) {
        sent.done = true
        this.#delivered++
      }
    }
    while (this.#flight[0]?.done === true) this.#flight.shift()
    if (this.#una === s.ack && s.seq === s.end && this.#delivered === delivered) this.#delivered++
    if (this.#una === null || after(s.ack, this.#una)) this.#una = s.ack
  }

  /** Ranges that came, in order, joined. */
  #keep(start: number, end: number): void {
    const ranges = this.#arrived
    let [from, to] = [start, end]
    let at = 0
    while (at < ranges.length && before(ranges[at]![1], from)) at++
    let next = at
    while (next < ranges.length && !after(ranges[next]![0], to)) {
      if (before(ranges[next]![0], from)) from = ranges[next]![0]
      if (after(ranges[next]![1], to)) to = ranges[next]![1]
      next++
    }
    ranges.splice(at, next - at, [from, to])
  }

  #rel(seq: number): number {
    return (seq - this.#iss!) | 0
  }

  #read(bytes: Uint8Array, own: boolean): Seen | null {
    const at = l4Of(bytes)
    const { seq, ack, flags, window, headerBytes } = tcp.read(bytes, at)
    const end = at < ETHER + IP6 ? ETHER + ipv4.totalLength(bytes, ETHER) : bytes.length
    const data = bytes.subarray(at + headerBytes, end)
    const options = readOptions(bytes, at + 20, at + headerBytes, (flags & tcp.SYN) !== 0)
    if (typeof options === "string") {
      if (own) this.#law(false, options)
      return null
    }
    const dataEnd = (seq + data.length) | 0
    return {
      seq, ack, flags, window, data, options, dataEnd,
      end: (dataEnd + (flags & tcp.FIN) + ((flags & tcp.SYN) >> 1)) | 0
    }
  }
}

/** A copy with the checksum that a card would put in. */
function wholeOf(frame: Frame): Uint8Array {
  const bytes = frame.bytes.slice()
  const words = new Int32Array(bytes.buffer, 0, bytes.length >> 2)
  if (frame.csum === Checksum.Partial) completeCopy(frame, bytes, words)
  return bytes.subarray(frame.head, frame.tail)
}

function optionBytes({ options }: Seen): number {
  const stamps = options.stamp === null ? 0 : 12
  return stamps + (options.blocks.length === 0 ? 0 : 4 + 8 * options.blocks.length)
}

function l4Of(bytes: Uint8Array): number {
  return get16(bytes, 12) === 0x0800 ? ETHER + (bytes[ETHER]! & 15) * 4 : ETHER + IP6
}

function isTcp(bytes: Uint8Array): boolean {
  const type = get16(bytes, 12)
  if (type === 0x0800) return bytes[ETHER]! === 0x45 && bytes[ETHER + 9] === 6
  return type === 0x86dd && bytes[ETHER]! >> 4 === 6 && bytes[ETHER + 6] === 6
}

/** IP's and TCP's lengths and checksums. */
function faultOf(bytes: Uint8Array): string | null {
  const at = l4Of(bytes)
  const v4 = at < ETHER + IP6
  if (v4 && ipv4.check(bytes, ETHER, bytes.length) !== ipv4.Fault.None) return "IPv4 header is wrong"
  const end = v4 ? ETHER + ipv4.totalLength(bytes, ETHER) : at + get16(bytes, ETHER + 4)
  if (end > bytes.length) return "IP says more than there is"
  const fault = v4
    ? tcp.check4(bytes, at, end, ipv4.src(bytes, ETHER), ipv4.dst(bytes, ETHER))
    : tcp.check6(bytes, at, end, ETHER)
  if (fault === tcp.Fault.None) return null
  return fault === tcp.Fault.Checksum ? "TCP's checksum is wrong" : "TCP's header is wrong"
}

/** Strictly: each kind where it may stand, with its length, once, and the end at a word. */
function readOptions(bytes: Uint8Array, from: number, end: number, isSyn: boolean): Options | string {
  const out: Options = { mss: -1, wscale: -1, sackOk: false, stamp: null, echo: 0, blocks: [] }
  const seen = new Set<number>()
  for (let i = from; i < end;) {
    const kind = bytes[i]!
    if (kind === Kind.NoOperation) {
      i++
      continue
    }
    const length = bytes[i + 1]!
    if (length < 2 || i + length > end) return `option ${kind} of ${length} octets`
    if (seen.has(kind)) return `option ${kind} twice`
    seen.add(kind)
    const syn = kind === Kind.MaxSegment || kind === Kind.WindowScale || kind === Kind.SackPermitted
    if (syn && !isSyn) return `option ${kind} in no SYN`
    if (kind === Kind.MaxSegment && length === 4) out.mss = get16(bytes, i + 2)
    else if (kind === Kind.WindowScale && length === 3 && bytes[i + 2]! <= 14) out.wscale = bytes[i + 2]!
    else if (kind === Kind.SackPermitted && length === 2) out.sackOk = true
    else if (kind === Kind.Timestamps && length === 10) {
      out.stamp = get32(bytes, i + 2)
      out.echo = get32(bytes, i + 6)
    } else if (kind === Kind.Sack && !isSyn && (length - 2) % 8 === 0 && length > 2) {
      for (let at = i + 2; at < i + length; at += 8) out.blocks.push([get32(bytes, at), get32(bytes, at + 4)])
    } else return `option ${kind} of ${length} octets`
    i += length
  }
  return out
}
