/**
 * One frame, one line, in tcpdump's words: what `tcpdump -n -t` prints, and with `link` what `-e` adds.
 * Serves displays, goldens and timelines; `dissect.ts` says what there is, this file and its two siblings
 * say how it reads. Any bytes give a line and none throws.
 * Differs from tcpdump: payloads of UDP and TCP are never decoded (no DNS, no HTTP, no VXLAN), 802.3 and
 * unknown EtherTypes print their addresses and length without a hex dump, STP and LLDP and IGMP are not
 * decoded, SCTP chunks print their names only, and TCP numbers are absolute unless conversations are kept.
 */
import { get16, get32, hex } from "./bytes.ts"
import * as arp from "./arp.ts"
import * as dissect from "./dissect.ts"
import type { Layer, LayerOf } from "./dissect.ts"
import * as ethertype from "./ethertype.ts"
import * as ip from "./ip.ts"
import type { Ip } from "./ip.ts"
import * as ipproto from "./ipproto.ts"
import * as ipv4 from "./ipv4.ts"
import * as ipv6 from "./ipv6.ts"
import * as mac from "./mac.ts"
import { message4, message6 } from "./print-icmp.ts"
import { Conversations, segment } from "./print-tcp.ts"
import * as sctp from "./sctp.ts"

export { Conversations }

export interface Options {
  /** Addresses, EtherType and length of the frame first (`-e`). */
  readonly link?: boolean
  /** TCP numbers relative to where each conversation began; absolute (`-S`) without it. */
  readonly conversations?: Conversations | null
}

/** The Ethernet frame in [at, end). */
export function line(bytes: Uint8Array, at: number, end: number, options: Options = {}): string {
  const { layers, faults } = dissect.frame(bytes, at, end)
  const eth = dissect.find(layers, "eth")
  if (eth === null) return "[|ether]"
  return new Line(bytes, layers, faults, options, end - at).text()
}

/** `HH:MM:SS.ffffff` of virtual nanoseconds, as tcpdump prints a time of day. */
export function time(ns: number): string {
  const micros = Math.floor(ns / 1000)
  const seconds = Math.floor(micros / 1_000_000)
  const two = (value: number) => String(value).padStart(2, "0")
  const [hour, minute] = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
  return `${two(hour)}:${two(minute)}:${two(seconds % 60)}.` +
    String(micros % 1_000_000).padStart(6, "0")
}

const ETHERTYPES: ReadonlyMap<number, string> = new Map([
  [ethertype.IPV4, "IPv4"], [ethertype.ARP, "ARP"], [ethertype.IPV6, "IPv6"], [ethertype.VLAN, "802.1Q"],
  [ethertype.QINQ, "802.1Q-QinQ"], [ethertype.LLDP, "LLDP"]
])

/** EtherTypes that say what they are without the link header. */
const DECODED: ReadonlySet<number> = new Set([ethertype.IPV4, ethertype.IPV6, ethertype.ARP, ethertype.LLDP])

const CHUNKS: ReadonlyArray<string> = [
  "DATA", "INIT", "INIT ACK", "SACK", "HB REQ", "HB ACK", "ABORT", "SHUTDOWN", "SHUTDOWN ACK", "OP ERR",
  "COOKIE ECHO", "COOKIE ACK", "ECN ECHO", "ECN CWR", "SHUTDOWN COMPLETE"
]

/** One line in the making: what the outer layers said is needed by the inner ones. */
class Line {
  readonly #bytes: Uint8Array
  readonly #layers: ReadonlyArray<Layer>
  readonly #faults: ReadonlyArray<string>
  readonly #link: boolean
  readonly #conversations: Conversations | null
  readonly #frameBytes: number
  /** Addresses of the innermost IP header, and whether ports print with them. */
  #src: Ip = ip.ANY4
  #dst: Ip = ip.ANY4
  #direct = true
  #fragmented = false
  /** Octets that the innermost IP header promises and nobody captured. */
  #missing = 0

  constructor(
    bytes: Uint8Array, layers: ReadonlyArray<Layer>, faults: ReadonlyArray<string>, options: Options,
    frameBytes: number
  ) {
    this.#bytes = bytes
    this.#layers = layers
    this.#faults = faults
    this.#link = options.link ?? false
    this.#conversations = options.conversations ?? null
    this.#frameBytes = frameBytes
  }

  text(): string {
    let text = this.#linkPart()
    let last: Layer | null = null
    for (const layer of this.#layers) {
      text += this.#layer(layer)
      last = layer
    }
    return text + this.#cut(last)
  }

  #linkPart(): string {
    const first = this.#layers[0] as LayerOf<"eth">
    const { src, dst, etherType } = first.fields
    const type = this.#layers.reduce(
      (before, { kind, fields }) => kind === "vlan" ? fields.etherType : before, etherType
    )
    if (!this.#link && DECODED.has(type)) return ""
    let text = `${mac.format(src)} > ${mac.format(dst)}, `
    if (type <= ethertype.LENGTH_MAX && etherType === type) {
      return `${text}802.3, length ${Math.min(type, this.#frameBytes - 14)}: `
    }
    const length = `, length ${this.#frameBytes}: `
    if (!this.#link) return `${text}${etherTypeName(type)}${length}`
    const tags = this.#layers.filter((layer) => layer.kind === "vlan")
    text += etherTypeName(etherType) + length
    tags.forEach(({ fields: tag }, i) => {
      if (i > 0) text += `${etherTypeName(tag.tpid)}, `
      text += `vlan ${tag.vid}, p ${tag.priority}${tag.dropEligible ? ", DEI" : ""}, `
    })
    if (tags.length > 0) text += `${etherTypeName(type)}, `
    return text
  }

  #layer(layer: Layer): string {
    switch (layer.kind) {
      case "llc":
        return `LLC, dsap 0x${octet(layer.fields.dsap)}, ssap 0x${octet(layer.fields.ssap)}`
      case "arp":
        return this.#arp(layer)
      case "ipv4":
        return this.#ipv4(layer)
      case "ipv6":
        return this.#ipv6(layer)
      case "hopopts":
        return "HBH "
      case "dstopts":
        return "DSTOPT "
      case "routing":
        return this.#routing(layer.at)
      case "ah":
        this.#direct = false
        return this.#ah(layer.at, layer.body)
      case "fragment":
        this.#fragmented = true
        return `frag (${layer.fields.offsetBytes}|${layer.end + this.#missing - layer.body})` +
          (layer.fields.offsetBytes > 0 ? "" : " ")
      case "icmp":
        return message4(this.#bytes, layer.at, layer.end, this.#length(layer))
      case "icmp6":
        return message6(this.#bytes, layer.at, layer.end, this.#length(layer))
      case "udp":
        return this.#udp(layer)
      case "tcp":
        return this.#ports(layer.fields) + segment(
          this.#bytes, layer.at, layer.end, this.#length(layer), this.#src, this.#dst, this.#conversations
        )
      case "sctp":
        return `${this.#ports(layer.fields).slice(0, -1)} sctp${this.#chunks(layer.body, layer.end)}`
      case "payload":
        return this.#payload(layer)
      default:
        return ""
    }
  }

  #arp({ fields, at, end }: LayerOf<"arp">): string {
    const prefix = this.#link ? "" : "ARP, "
    const sender = ip.format4(fields.senderIp)
    const target = ip.format4(fields.targetIp)
    const length = `, length ${end - at}`
    if (fields.operation === arp.REQUEST) {
      const known = fields.targetMac === 0 ? "" : ` (${mac.format(fields.targetMac)})`
      return `${prefix}Request who-has ${target}${known} tell ${sender}${length}`
    }
    if (fields.operation === arp.REPLY) {
      return `${prefix}Reply ${sender} is-at ${mac.format(fields.senderMac)}${length}`
    }
    return `${prefix}Unknown (${fields.operation}) `
  }

  #ipv4({ fields, at, end }: LayerOf<"ipv4">): string {
    this.#src = ip.v4(fields.src)
    this.#dst = ip.v4(fields.dst)
    this.#direct = true
    let text = this.#link ? "" : "IP "
    this.#missing = at + fields.totalLength - end
    if (this.#missing > 0) text += `truncated-ip - ${this.#missing} bytes missing! `
    if (ipv4.fragmentOffsetBytes(this.#bytes, at) > 0) {
      return `${text}${this.#addresses()}: ip-proto-${fields.protocol}`
    }
    this.#fragmented = ipv4.moreFragments(this.#bytes, at)
    return hasPorts(fields.protocol) ? text : `${text}${this.#addresses()}: `
  }

  #ipv6({ fields, at, end }: LayerOf<"ipv6">): string {
    this.#src = fields.src
    this.#dst = fields.dst
    this.#direct = hasPorts(fields.nextHeader)
    this.#fragmented = false
    let text = this.#link ? "" : "IP6 "
    this.#missing = at + ipv6.HEADER_BYTES + fields.payloadLength - end
    if (this.#missing > 0) text += `truncated-ip6 - ${this.#missing} bytes missing!`
    return this.#direct ? text : `${text}${this.#addresses()}: `
  }

  /** Octets of a layer up to the end of the IP packet that it is in, before anybody cut it. */
  #length({ at, end }: Layer): number {
    return end + this.#missing - at
  }

  #udp({ fields, at, body, end }: LayerOf<"udp">): string {
    const ports = this.#ports(fields)
    if (fields.length < 8) return `${ports}truncated-udplength ${fields.length}`
    const there = Math.max(0, this.#limit(at, end) + this.#missing - body)
    const said = fields.length - 8
    if (said <= there || this.#fragmented) return `${ports}UDP, length ${said}`
    return `${ports}UDP, bad length ${said} > ${there}`
  }

  /** Where the IP payload that `at` is in ends. */
  #limit(at: number, end: number): number {
    let limit = end
    for (const layer of this.#layers) {
      if ((layer.kind === "ipv4" || layer.kind === "ipv6") && layer.at < at) limit = layer.end
    }
    return limit
  }

  #payload(layer: LayerOf<"payload">): string {
    const { fields, at, end } = layer
    const length = this.#length(layer)
    const before = this.#layers.findLast(({ kind }) => kind !== "payload")
    if (fields.protocol === ethertype.LLDP) return `LLDP, length ${end - at}`
    if (before === undefined || before.kind === "eth" || before.kind === "vlan") return ""
    if (before.kind === "fragment" && before.fields.offsetBytes > 0) return ""
    if (before.kind === "ipv4" && ipv4.fragmentOffsetBytes(this.#bytes, before.at) > 0) return ""
    if (fields.protocol === ipproto.NONE) return "no next header"
    if (fields.protocol === ipproto.ESP && end - at >= 8) {
      const spi = hex(this.#bytes, at, at + 4)
      return `ESP(spi=0x${spi},seq=0x${(get32(this.#bytes, at + 4) >>> 0).toString(16)}), length ${length}`
    }
    return ` ip-proto-${fields.protocol} ${length}`
  }

  #routing(at: number): string {
    const bytes = this.#bytes
    const type = bytes[at + 2]!
    const old = type === 0 ? " [Deprecated]" : ""
    let text = `RT6 (len=${bytes[at + 1]!}, type=${type}${old}, segleft=${bytes[at + 3]!}`
    if (type === 0 || type === 2) {
      for (let i = 0; i < bytes[at + 1]! >> 1; i++) {
        text += `, [${i}]${ip.format(ip.read6(bytes, at + 8 + 16 * i))}`
      }
    }
    return `${text}) `
  }

  #ah(at: number, body: number): string {
    const bytes = this.#bytes
    const reserved = get16(bytes, at + 2)
    const zero = reserved === 0 ? "" : `reserved=0x${reserved.toString(16)}[MustBeZero],`
    const seq = body - at >= 12 ? (get32(bytes, at + 8) >>> 0).toString(16) : "0"
    return `AH(${zero}spi=0x${hex(bytes, at + 4, at + 8)},seq=0x${seq},icv=0x${hex(bytes, at + 12, body)}): `
  }

  #chunks(from: number, end: number): string {
    let text = ""
    let at = from
    for (let n = 1; at + sctp.CHUNK_HEADER_BYTES <= end; n++) {
      const length = sctp.chunkLength(this.#bytes, at)
      if (length < sctp.CHUNK_HEADER_BYTES || at + length > end) {
        return `${text} (${n}) [bad chunk length ${length}]`
      }
      const type = sctp.chunkType(this.#bytes, at)
      text += ` (${n}) [${CHUNKS[type] ?? `Unknown chunk type: 0x${type.toString(16)}`}]`
      at += (length + 3) & ~3
    }
    return text
  }

  /** With addresses when the ports stand right behind an IP header, without them behind extension headers. */
  #ports({ srcPort, dstPort }: { readonly srcPort: number; readonly dstPort: number }): string {
    if (!this.#direct) return `${srcPort} > ${dstPort}: `
    return `${ip.format(this.#src)}.${srcPort} > ${ip.format(this.#dst)}.${dstPort}: `
  }

  #addresses(): string {
    return `${ip.format(this.#src)} > ${ip.format(this.#dst)}`
  }

  /** A header that is not all there, ` [|tcp]`, or one that is something else than was announced. */
  #cut(last: Layer | null): string {
    const stopping = this.#faults.find((fault) => STOPPING.has(fault.split(" ")[1]!))
    if (stopping === undefined || last === null) return ""
    const [layer, name] = stopping.split(" ") as [string, string]
    if (last.kind === layer && layer !== "ipv4" && layer !== "ipv6") return ""
    if (name === "Version") {
      const version = this.#bytes[last.body]! >>> 4
      return layer === "ipv6" ? `IP6 version error: ${version} != 6` : `IP${version} (invalid)`
    }
    const mark = ` [|${TRUNCATED.get(layer) ?? layer}]`
    if (layer === "ipv4" || layer === "ipv6") return layer === "ipv4" && !this.#link ? `IP ${mark}` : mark
    const ported = layer === "tcp" || layer === "udp" || layer === "sctp"
    if (!ported) return name === "Truncated" ? mark : `[${stopping}]`
    if (last.end - last.body < 4) return this.#direct ? `${this.#addresses()}: ${mark}` : mark
    const srcPort = get16(this.#bytes, last.body)
    return this.#ports({ srcPort, dstPort: get16(this.#bytes, last.body + 2) }) + mark
  }
}

/** Faults behind which nothing can be read. */
const STOPPING: ReadonlySet<string> = new Set([
  "Truncated", "HeaderLength", "Version", "NotEthernet", "NotIpv4"
])
const TRUNCATED: ReadonlyMap<string, string> = new Map([["ipv4", "ip"], ["ipv6", "ip6"], ["ipv6-ext", "ip6"]])

function etherTypeName(type: number): string {
  return `ethertype ${ETHERTYPES.get(type) ?? "Unknown"} (0x${type.toString(16).padStart(4, "0")})`
}

function hasPorts(protocol: number): boolean {
  return protocol === ipproto.TCP || protocol === ipproto.UDP || protocol === ipproto.SCTP
}

function octet(value: number): string {
  return value.toString(16).padStart(2, "0")
}
