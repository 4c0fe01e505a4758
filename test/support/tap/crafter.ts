/**
 * One who speaks TCP to the near side by hand, from an address behind the kernel that does not exist:
 * whatever the segments, nobody but the near side answers. Sequence numbers are relative, to the octet after
 * each SYN.
 */
import type { Direction, Frame, NetDevice, Tap } from "@podwire/netdev"
import { get32, set16, set32 } from "@podwire/wire/bytes"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import { format, type Ip, next, parse as parseIp } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import { hi, lo, parse as parseMac } from "@podwire/wire/mac"
import * as tcp from "@podwire/wire/tcp"
import { eventually, pause } from "./conversation.ts"
import { segmentOf } from "./frame-ring.ts"
import type { Family, Peer } from "./peer.ts"
import { type World } from "./world.ts"

const FIRST: Readonly<Record<Family, string>> = { 4: "198.18.1.1", 6: "2001:db8:1::1" }
const PORT = 7000
const ISN = 0x7fff_f000
const NOTHING = new Uint8Array(0)
/** Of its packet an error quotes this much, in IPv6 too. */
const QUOTED_BYTES = 60
const CLOCK = 5_000_000
const LETTERS: Readonly<Record<string, number>> = {
  S: tcp.SYN, F: tcp.FIN, R: tcp.RST, P: tcp.PSH, A: tcp.ACK, U: tcp.URG, E: tcp.ECE, C: tcp.CWR
}

export interface Crafted {
  /** Relative; what follows the last that was said is 0 octets on. */
  readonly seq?: number
  /** Relative; all that was heard without it. */
  readonly ack?: number
  readonly data?: number
  readonly window?: number
  /** Octets instead of the usual options. */
  readonly options?: ReadonlyArray<number>
  /** Added to our clock; null leaves the option out. */
  readonly ts?: number | null
  /** Added to the echo. */
  readonly echo?: number
  /** Relative. */
  readonly sack?: ReadonlyArray<readonly [number, number]>
  readonly urgent?: number
  readonly badChecksum?: boolean
  /** Instead of the right one, in octets. */
  readonly header?: number
}

export class Crafter implements Tap {
  readonly family: Family
  /** The near side's. */
  readonly port: number
  readonly near: Peer
  readonly ip: string
  readonly otherPort = PORT
  readonly #world: World
  readonly #ip: Ip
  /** Of the near side, absolute: where its numbers begin, what it said last, its clock. */
  #theirs = 0
  #heard = 0
  #clock = 0
  /** Its last packet, and the last with data. */
  #packet = NOTHING
  #dataPacket = NOTHING
  #said = 0
  #timestamps = true
  #ticks = 0

  constructor(world: World, family: Family, port: number, number: number) {
    this.#world = world
    this.family = family
    this.port = port
    this.near = world.near
    this.#ip = next(parseIp(FIRST[family])!, number)
    this.ip = format(this.#ip)
    world.watch(this)
  }

  /** What it is told is remembered. */
  see(_dev: NetDevice, direction: Direction, { bytes, head, tail }: Frame): void {
    const frame = bytes.subarray(head, tail)
    const out = direction === 2
    const segment = segmentOf(0, out, frame)
    if (segment === null || !out || segment.srcPort !== this.port || segment.dstPort !== PORT) return
    if (segment.flags.includes("R")) return
    this.#packet = frame.slice(eth.HEADER_BYTES)
    if (segment.payload > 0) this.#dataPacket = this.#packet
    if (segment.flags.includes("S")) this.#theirs = (segment.seq + 1) | 0
    const end = (segment.seq + segment.payload + (/[SF]/.test(segment.flags) ? 1 : 0)) | 0
    if (segment.flags.includes("S") || ((end - this.#heard) | 0) > 0) this.#heard = end
    const at = this.family === 4 ? 34 : 54
    this.#clock = timestamp(frame, at + 20, at + tcp.dataOffsetBytes(frame, at)) ?? this.#clock
  }

  /** A SYN with what Linux puts into one, or with other options. */
  async syn(more: Crafted = {}, flags = "S"): Promise<void> {
    const usual = [2, 4, 5, 180, 4, 2, ...this.#stamp(0, 0), 1, 3, 3, 7]
    const options = more.options ?? usual
    this.#timestamps = options.includes(8)
    await this.send(flags, { seq: -1, ...more, options })
  }

  /** Listener, handshake, and the socket of the near side. */
  async established(options?: ReadonlyArray<number>, window = 512): Promise<number> {
    const listener = await this.near.listen(this.family, 8, {}, this.port)
    await this.syn(options === undefined ? {} : { options })
    await eventually(async () => this.#heard, (heard) => heard !== 0)
    await this.send("A", { window })
    const { sock } = await this.near.accept(listener.sock)
    await this.near.close(listener.sock)
    return sock
  }

  /** It arrives, and what the near side does at once is done. */
  async send(flags: string, crafted: Crafted = {}): Promise<void> {
    this.#world.inject([this.#frame(flags, crafted)], "near")
    await pause(60)
  }

  /**
   * A router in between says that the near side's last packet, or its last with data, did not arrive. `by` is
   * added to the sequence number that it quotes.
   */
  async icmp(type: number, code: number, info = 0, about: "last" | "data" = "last", by = 0): Promise<void> {
    const quote = (about === "last" ? this.#packet : this.#dataPacket).slice(0, QUOTED_BYTES)
    const at = this.family === 4 ? 20 : 40
    set32(quote, at + 4, (get32(quote, at + 4) + by) | 0)
    const l3 = eth.HEADER_BYTES
    const l4 = l3 + at
    const bytes = new Uint8Array(l4 + icmp.HEADER_BYTES + quote.length)
    const protocol = this.family === 4 ? ipproto.ICMP : ipproto.ICMPV6
    this.#envelope(bytes, l3, bytes.length - l4, protocol, parseIp(this.#world.kernel.ips[this.family])!)
    icmp.writeHeader(bytes, l4, type, code, info)
    bytes.set(quote, l4 + icmp.HEADER_BYTES)
    if (this.family === 4) icmp.finishChecksum(bytes, l4, bytes.length)
    else icmp6.finishChecksum(bytes, l4, bytes.length, l3)
    this.#world.inject([Buffer.from(bytes).toString("hex")], "near")
    await pause(60)
  }

  #frame(flags: string, crafted: Crafted): string {
    const { data = 0, window = 512, urgent = 0, seq = this.#said } = crafted
    const options = crafted.options ?? this.#options(crafted)
    const padded = [...options, ...new Array<number>((4 - options.length % 4) % 4).fill(0)]
    const l3 = eth.HEADER_BYTES
    const l4 = l3 + (this.family === 4 ? 20 : 40)
    const header = 20 + padded.length
    const bytes = new Uint8Array(l4 + header + data).fill(0x61)
    this.#envelope(bytes, l3, header + data, ipproto.TCP, this.#ip)
    const bits = [...flags].reduce((all, letter) => all | LETTERS[letter]!, 0)
    const heard = crafted.ack === undefined ? this.#heard : (this.#theirs + crafted.ack) | 0
    const ack = flags.includes("A") ? heard : 0
    const absolute = (ISN + 1 + seq) | 0
    tcp.writeHeader(bytes, l4, PORT, this.port, absolute, ack, crafted.header ?? header, bits, window)
    set16(bytes, l4 + 18, urgent)
    bytes.set(padded, l4 + 20)
    const to = parseIp(this.near.ips[this.family])!
    if (this.family === 4) tcp.finishChecksum4(bytes, l4, bytes.length, this.#ip[0]!, to[0]!)
    else tcp.finishChecksum6(bytes, l4, bytes.length, l3)
    if (crafted.badChecksum === true) bytes[l4 + 16]! ^= 1
    const end = seq + data + (/[SF]/.test(flags) ? 1 : 0)
    if (end > this.#said) this.#said = end
    return Buffer.from(bytes).toString("hex")
  }

  #envelope(bytes: Uint8Array, l3: number, length: number, protocol: number, from: Ip): void {
    const [src, dst] = this.#world.macs("near").map((text) => parseMac(text)!) as [number, number]
    eth.setSrc(bytes, 0, hi(src), lo(src))
    eth.setDst(bytes, 0, hi(dst), lo(dst))
    eth.setEtherType(bytes, 0, this.family === 4 ? ethertype.IPV4 : ethertype.IPV6)
    const to = parseIp(this.near.ips[this.family])!
    if (this.family === 4) {
      ipv4.writeHeader(bytes, l3, 0, 20 + length, 1, 0x4000, 64, protocol, from[0]!, to[0]!)
    } else ipv6.writeHeader(bytes, l3, 0, 0, length, protocol, 64, from, to)
  }

  #options({ ts = 0, echo = 0, sack = [] }: Crafted): ReadonlyArray<number> {
    const stamp = this.#timestamps && ts !== null ? [1, 1, ...this.#stamp(ts, echo)] : []
    if (sack.length === 0) return stamp
    const edges = sack.flat().flatMap((edge) => word((this.#theirs + edge) | 0))
    return [...stamp, 1, 1, 5, 2 + edges.length, ...edges]
  }

  /** A tick of our clock for each segment. */
  #stamp(ts: number, echo: number): ReadonlyArray<number> {
    const clock = this.#clock === 0 ? 0 : (this.#clock + echo) | 0
    return [8, 10, ...word((CLOCK + 10 * this.#ticks++ + ts) | 0), ...word(clock)]
  }
}

function word(value: number): ReadonlyArray<number> {
  const bytes = new Uint8Array(4)
  set32(bytes, 0, value)
  return [...bytes]
}

function timestamp(bytes: Uint8Array, at: number, end: number): number | null {
  while (at < end && bytes[at] !== 0) {
    if (bytes[at] === 1) at++
    else if (bytes[at] === 8) return get32(bytes, at + 2)
    else at += bytes[at + 1]!
  }
  return null
}
