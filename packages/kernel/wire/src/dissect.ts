/**
 * Which header follows which: the one place that knows. A frame, or a packet without its Ethernet header,
 * becomes a plain list of layers, outermost first, and the faults that were met, by name. Any bytes give
 * an answer and none throws. For displays, tests and reports: the stack itself reads in place.
 *
 * A fault that leaves the rest readable (a checksum, a length that promises more bytes than there are) is
 * said and passed over; one that does not ends the list. Checksums of UDP, TCP, ICMP and SCTP are verified
 * only where the whole datagram is there.
 * Not supported: what is inside UDP and TCP (DNS, VXLAN, HTTP), ESP, and 802.3 frames beyond their LLC
 * header.
 */
import * as arp from "./arp.ts"
import { get16 } from "./bytes.ts"
import * as eth from "./eth.ts"
import * as ethertype from "./ethertype.ts"
import * as icmp from "./icmp.ts"
import * as icmp6 from "./icmp6.ts"
import * as ipproto from "./ipproto.ts"
import * as ipv4 from "./ipv4.ts"
import * as ipv6 from "./ipv6.ts"
import * as ext from "./ipv6-ext.ts"
import * as sctp from "./sctp.ts"
import * as tcp from "./tcp.ts"
import * as udp from "./udp.ts"
import * as vlan from "./vlan.ts"

/** Where a layer stands: its header in [at, body), what it says belongs to it in [at, end). */
export interface Place {
  readonly at: number
  readonly body: number
  readonly end: number
}

export interface Extension {
  readonly nextHeader: number
}

export interface Fragment extends Extension {
  readonly offsetBytes: number
  readonly more: boolean
  readonly id: number
}

export type Layer =
  | Place & { readonly kind: "eth"; readonly fields: eth.Fields }
  | Place & { readonly kind: "vlan"; readonly fields: vlan.Fields }
  | Place & { readonly kind: "llc"; readonly fields: { readonly dsap: number; readonly ssap: number } }
  | Place & { readonly kind: "arp"; readonly fields: arp.Fields }
  | Place & { readonly kind: "ipv4"; readonly fields: ipv4.Fields }
  | Place & { readonly kind: "ipv6"; readonly fields: ipv6.Fields }
  | Place & { readonly kind: "hopopts" | "dstopts" | "routing" | "ah"; readonly fields: Extension }
  | Place & { readonly kind: "fragment"; readonly fields: Fragment }
  | Place & { readonly kind: "icmp"; readonly fields: icmp.Fields }
  | Place & { readonly kind: "icmp6"; readonly fields: icmp6.Fields }
  | Place & { readonly kind: "udp"; readonly fields: udp.Fields }
  | Place & { readonly kind: "tcp"; readonly fields: tcp.Fields }
  | Place & { readonly kind: "sctp"; readonly fields: sctp.Fields }
  /** What nobody here can read; `protocol` is the EtherType or IP protocol that announced it. */
  | Place & { readonly kind: "payload"; readonly fields: { readonly protocol: number } }

export type LayerOf<K extends Layer["kind"]> = Extract<Layer, { readonly kind: K }>

export interface Dissection {
  readonly layers: ReadonlyArray<Layer>
  /** Layer and name of each fault in the order met, such as "ipv4 Checksum"; empty when all is well. */
  readonly faults: ReadonlyArray<string>
}

/** Tunnels in tunnels end here. */
const LAYERS_MAX = 32

/** An Ethernet frame in [at, end). */
export function frame(bytes: Uint8Array, at: number, end: number): Dissection {
  const walk = new Walk(bytes)
  walk.ethernet(at, end)
  return { layers: walk.layers, faults: walk.faults }
}

/** A packet without a link header; its first four bits say which family. */
export function packet(bytes: Uint8Array, at: number, end: number): Dissection {
  const walk = new Walk(bytes)
  walk.ip(at, end)
  return { layers: walk.layers, faults: walk.faults }
}

/** The first layer of a kind, or null. */
export function find<K extends Layer["kind"]>(layers: ReadonlyArray<Layer>, kind: K): LayerOf<K> | null {
  return (layers.find((layer) => layer.kind === kind) as LayerOf<K> | undefined) ?? null
}

class Walk {
  readonly layers: Array<Layer> = []
  readonly faults: Array<string> = []
  readonly #bytes: Uint8Array
  readonly #upper = new ext.Upper()

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  ethernet(at: number, end: number): void {
    const bytes = this.#bytes
    if (eth.check(bytes, at, end) !== eth.Fault.None) return this.#say("eth", eth.Fault, eth.Fault.Truncated)
    const fields = eth.read(bytes, at)
    this.layers.push({ kind: "eth", at, body: at + eth.HEADER_BYTES, end, fields })
    this.#link(fields.etherType, at + eth.HEADER_BYTES, end)
  }

  ip(at: number, end: number): void {
    if (at >= end) return this.#say("ip", { Truncated: 1 }, 1)
    if (this.#bytes[at]! >>> 4 === 6) this.#ipv6(at, end)
    else this.#ipv4(at, end)
  }

  #link(first: number, from: number, end: number): void {
    const bytes = this.#bytes
    let type = first
    let at = from
    while (vlan.isTag(type)) {
      const tagAt = at - 2
      if (vlan.check(bytes, tagAt, end) !== vlan.Fault.None) {
        return this.#say("vlan", vlan.Fault, vlan.Fault.Truncated)
      }
      if (this.layers.length >= LAYERS_MAX) return this.#payload(type, at, end)
      const fields = vlan.read(bytes, tagAt)
      at = tagAt + vlan.TAG_BYTES + 2
      this.layers.push({ kind: "vlan", at: tagAt, body: at, end, fields })
      type = fields.etherType
    }
    if (type === ethertype.ARP) this.#arp(at, end)
    else if (type === ethertype.IPV4) this.#ipv4(at, end)
    else if (type === ethertype.IPV6) this.#ipv6(at, end)
    else if (type <= ethertype.LENGTH_MAX) this.#llc(type, at, end)
    else this.#payload(type, at, end)
  }

  /** 802.3: the type field is a length, and 802.2's addresses follow. */
  #llc(length: number, at: number, end: number): void {
    const limit = Math.min(at + length, end)
    if (limit - at < 3) return this.#say("llc", { Truncated: 1 }, 1)
    const fields = { dsap: this.#bytes[at]!, ssap: this.#bytes[at + 1]! }
    this.layers.push({ kind: "llc", at, body: at + 3, end: limit, fields })
    if (at + length > end) this.#say("llc", { Length: 2 }, 2)
  }

  #arp(at: number, end: number): void {
    const fault = arp.check(this.#bytes, at, end)
    if (fault !== arp.Fault.None) {
      this.#say("arp", arp.Fault, fault)
      if (fault !== arp.Fault.Truncated) this.#payload(ethertype.ARP, at, end)
      return
    }
    this.layers.push({ kind: "arp", at, body: at + arp.BYTES, end, fields: arp.read(this.#bytes, at) })
  }

  #ipv4(at: number, end: number): void {
    const bytes = this.#bytes
    if (this.layers.length >= LAYERS_MAX) return this.#payload(ipproto.IPIP, at, end)
    const fault = ipv4.check(bytes, at, end)
    if (fault !== ipv4.Fault.None) this.#say("ipv4", ipv4.Fault, fault)
    const { Truncated, Version, HeaderLength } = ipv4.Fault
    if (fault === Truncated || fault === Version || fault === HeaderLength) return
    const fields = ipv4.read(bytes, at)
    const body = at + ipv4.headerBytes(bytes, at)
    if (fields.totalLength < body - at) return this.#say("ipv4", ipv4.Fault, ipv4.Fault.TotalLength)
    const limit = Math.min(at + fields.totalLength, end)
    if (at + fields.totalLength > end) this.#say("ipv4", ipv4.Fault, ipv4.Fault.TotalLength)
    this.layers.push({ kind: "ipv4", at, body, end: limit, fields })
    if (ipv4.fragmentOffsetBytes(bytes, at) > 0) return this.#payload(fields.protocol, body, limit)
    const whole = at + fields.totalLength <= end && !ipv4.isFragment(bytes, at)
    this.#upperLayer(fields.protocol, body, limit, at, 4, whole)
  }

  #ipv6(at: number, end: number): void {
    const bytes = this.#bytes
    if (this.layers.length >= LAYERS_MAX) return this.#payload(ipproto.IPV6, at, end)
    const fault = ipv6.check(bytes, at, end)
    if (fault !== ipv6.Fault.None) this.#say("ipv6", ipv6.Fault, fault)
    if (fault === ipv6.Fault.Truncated || fault === ipv6.Fault.Version) return
    const fields = ipv6.read(bytes, at)
    const body = at + ipv6.HEADER_BYTES
    const limit = Math.min(body + fields.payloadLength, end)
    this.layers.push({ kind: "ipv6", at, body, end: limit, fields })
    const walked = ext.walk(bytes, at, limit, this.#upper)
    if (walked !== ext.Fault.None) this.#say("ipv6-ext", ext.Fault, walked)
    this.#extensions(at, fields.nextHeader, body, limit, fault === ipv6.Fault.None)
  }

  #extensions(ipAt: number, first: number, from: number, end: number, complete: boolean): void {
    const bytes = this.#bytes
    let kind = first
    let at = from
    let whole = complete
    while (ext.isExtension(kind)) {
      if (this.layers.length >= LAYERS_MAX) return
      if (at + ext.HEADER_BYTES_MIN > end) return
      const body = at + ext.headerBytes(bytes, at, kind)
      if (body > end) return
      const nextHeader = ext.nextHeader(bytes, at)
      if (kind !== ipproto.FRAGMENT) {
        this.layers.push({ kind: EXTENSION_KINDS.get(kind)!, at, body, end, fields: { nextHeader } })
      } else {
        const offsetBytes = ext.fragmentOffsetBytes(bytes, at)
        const fields = {
          nextHeader, offsetBytes, more: ext.moreFragments(bytes, at), id: ext.fragmentId(bytes, at)
        }
        this.layers.push({ kind: "fragment", at, body, end, fields })
        if (offsetBytes > 0) return this.#payload(nextHeader, body, end)
        if (fields.more) whole = false
      }
      kind = nextHeader
      at = body
    }
    this.#upperLayer(kind, at, end, ipAt, 6, whole)
  }

  #upperLayer(
    protocol: number, at: number, end: number, ipAt: number, family: 4 | 6, whole: boolean
  ): void {
    if (protocol === ipproto.UDP) this.#udp(at, end, ipAt, family, whole)
    else if (protocol === ipproto.TCP) this.#tcp(at, end, ipAt, family, whole)
    else if (protocol === ipproto.SCTP) this.#sctp(at, end, whole)
    else if (protocol === ipproto.ICMP && family === 4) this.#icmp(at, end, whole)
    else if (protocol === ipproto.ICMPV6 && family === 6) this.#icmp6(at, end, ipAt, whole)
    else if (protocol === ipproto.AH && family === 4) this.#authentication(at, end, ipAt, whole)
    else if (protocol === ipproto.IPIP) this.#ipv4(at, end)
    else if (protocol === ipproto.IPV6) this.#ipv6(at, end)
    else this.#payload(protocol, at, end)
  }

  /** In IPv6 it is one of the extension headers; in IPv4 it stands here. */
  #authentication(at: number, end: number, ipAt: number, whole: boolean): void {
    if (this.layers.length >= LAYERS_MAX) return
    const body = at + ext.HEADER_BYTES_MIN > end ? end + 1 : at + ext.headerBytes(this.#bytes, at, ipproto.AH)
    if (body > end) return this.#say("ah", { Truncated: 1 }, 1)
    const nextHeader = ext.nextHeader(this.#bytes, at)
    this.layers.push({ kind: "ah", at, body, end, fields: { nextHeader } })
    this.#upperLayer(nextHeader, body, end, ipAt, 4, whole)
  }

  #udp(at: number, end: number, ipAt: number, family: 4 | 6, whole: boolean): void {
    const bytes = this.#bytes
    if (end - at < udp.HEADER_BYTES) return this.#say("udp", udp.Fault, udp.Fault.Truncated)
    const fault = !whole ? udp.Fault.None
      : family === 4 ? udp.check4(bytes, at, end, ipv4.src(bytes, ipAt), ipv4.dst(bytes, ipAt))
      : udp.check6(bytes, at, end, ipAt)
    if (fault !== udp.Fault.None) this.#say("udp", udp.Fault, fault)
    const fields = udp.read(bytes, at)
    const body = at + udp.HEADER_BYTES
    const limit = Math.max(body, Math.min(at + fields.length, end))
    this.layers.push({ kind: "udp", at, body, end: limit, fields })
  }

  #tcp(at: number, end: number, ipAt: number, family: 4 | 6, whole: boolean): void {
    const bytes = this.#bytes
    const lengths = tcp.check(bytes, at, end)
    if (lengths !== tcp.Fault.None) this.#say("tcp", tcp.Fault, lengths)
    if (lengths === tcp.Fault.Truncated) return
    if (lengths === tcp.Fault.None && whole) {
      const fault = family === 4
        ? tcp.check4(bytes, at, end, ipv4.src(bytes, ipAt), ipv4.dst(bytes, ipAt))
        : tcp.check6(bytes, at, end, ipAt)
      if (fault !== tcp.Fault.None) this.#say("tcp", tcp.Fault, fault)
    }
    const body = lengths === tcp.Fault.None ? at + tcp.dataOffsetBytes(bytes, at) : end
    this.layers.push({ kind: "tcp", at, body, end, fields: tcp.read(bytes, at) })
  }

  #sctp(at: number, end: number, whole: boolean): void {
    const fault = sctp.check(this.#bytes, at, end)
    if (fault === sctp.Fault.Truncated || (whole && fault !== sctp.Fault.None)) {
      this.#say("sctp", sctp.Fault, fault)
      if (fault === sctp.Fault.Truncated) return
    }
    const fields = sctp.read(this.#bytes, at)
    this.layers.push({ kind: "sctp", at, body: at + sctp.HEADER_BYTES, end, fields })
  }

  #icmp(at: number, end: number, whole: boolean): void {
    const fault = icmp.check(this.#bytes, at, end)
    const truncated = fault === icmp.Fault.Truncated
    if (truncated || (whole && fault !== icmp.Fault.None)) this.#say("icmp", icmp.Fault, fault)
    if (truncated) return
    const fields = icmp.read(this.#bytes, at)
    this.layers.push({ kind: "icmp", at, body: at + icmp.HEADER_BYTES, end, fields })
  }

  #icmp6(at: number, end: number, ipAt: number, whole: boolean): void {
    if (end - at < icmp6.HEADER_BYTES) return this.#say("icmp6", icmp6.Fault, icmp6.Fault.Truncated)
    const fault = icmp6.check(this.#bytes, at, end, ipAt)
    if (whole && fault !== icmp6.Fault.None) this.#say("icmp6", icmp6.Fault, fault)
    const fields = icmp6.read(this.#bytes, at)
    this.layers.push({ kind: "icmp6", at, body: at + icmp6.HEADER_BYTES, end, fields })
  }

  #payload(protocol: number, at: number, end: number): void {
    this.layers.push({ kind: "payload", at, body: at, end, fields: { protocol } })
  }

  #say(layer: string, faults: Readonly<Record<string, number>>, fault: number): void {
    const name = Object.keys(faults).find((key) => faults[key] === fault) ?? String(fault)
    this.faults.push(`${layer} ${name}`)
  }
}

const EXTENSION_KINDS: ReadonlyMap<number, "hopopts" | "dstopts" | "routing" | "ah"> = new Map([
  [ipproto.HOPOPTS, "hopopts"], [ipproto.DSTOPTS, "dstopts"], [ipproto.ROUTING, "routing"], [ipproto.AH, "ah"]
])

/** Where the packet that an ICMP error quotes would go: enough to print, even from its first octets. */
export interface Quote {
  readonly family: 4 | 6
  readonly at: number
  readonly protocol: number
  /** The quoted upper header, or -1 when it is not in the quote. */
  readonly upperAt: number
}

/** The start of a packet, cut anywhere; null when not even its addresses are there. */
export function quote(bytes: Uint8Array, at: number, end: number, family: 4 | 6): Quote | null {
  if (family === 4) {
    if (end - at < ipv4.HEADER_BYTES_MIN) return null
    const upperAt = at + ipv4.headerBytes(bytes, at)
    return { family, at, protocol: ipv4.protocol(bytes, at), upperAt: upperAt + 4 <= end ? upperAt : -1 }
  }
  if (end - at < ipv6.HEADER_BYTES) return null
  const upper = new ext.Upper()
  const fault = ext.walk(bytes, at, end, upper)
  const late = upper.fragmentAt >= 0 && ext.fragmentOffsetBytes(bytes, upper.fragmentAt) > 0
  const upperAt = fault !== ext.Fault.None || late || upper.at + 4 > end ? -1 : upper.at
  return { family, at, protocol: upper.protocol, upperAt }
}

/**
 * The destination port in a quote, which UDP, TCP and SCTP have at the same place; -1 when it was cut off.
 */
export function quotedDstPort(bytes: Uint8Array, quoted: Quote): number {
  return quoted.upperAt < 0 ? -1 : get16(bytes, quoted.upperAt + 2)
}
