/**
 * What a walk through a table knows of the frame in front of it (struct xt_action_param): where its headers
 * are, which devices it came from and goes to, and the keys that the dispatch of long chains looks up. One
 * scratch object serves a ruleset; `load` fills it, and nothing of it outlives the walk.
 */
import { Errno, type Frame, type NetDevice } from "@podwire/netdev"
import { get16, get32 } from "@podwire/wire/bytes"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as ipv6ext from "@podwire/wire/ipv6-ext"
import type { Family } from "./extension.ts"
import type { Hook } from "../hook.ts"

/** Protocols whose ports the dispatch knows, and how much of their header their match wants to see. */
const HEADER_BYTES: Readonly<Record<number, number>> =
  { [ipproto.TCP]: 20, [ipproto.UDP]: 8, [ipproto.SCTP]: 12 }

export function hasPorts(protocol: number): boolean {
  return protocol === ipproto.TCP || protocol === ipproto.UDP || protocol === ipproto.SCTP
}

export class Packet {
  /** First, because `in` after an initialiser would be read as an operator. */
  in: NetDevice | null = null
  family: Family = 4
  frame!: Frame
  hook: Hook = 0
  out: NetDevice | null = null
  /** Shorthands for the frame's. */
  bytes!: Uint8Array
  l3 = 0
  /** End of the packet by its own length field: padding is not part of it. */
  end = 0
  srcAt = 0
  dstAt = 0
  /** Upper protocol, where it starts, and how far into the datagram this fragment is (fragoff, thoff). */
  protocol = 0
  l4 = 0
  fragmentOffset = 0
  /** IPv6 only: the chain of headers is broken, so a rule that names a protocol ends the packet. */
  broken = false
  /** A match has met something that no packet may be: the walk ends with a drop (hotdrop). */
  hotdrop = false
  /**
   * Its keys say nothing: a fragment or a torn header of a protocol with ports, where a rule's own look at
   * it may drop the packet. No rule may be passed over then.
   */
  linear = false
  /** Hashes for the dispatch: destination with protocol and port, protocol and port, destination, source. */
  readonly keys = new Int32Array(4)
  #upper = new ipv6ext.Upper()

  /** skb->len at the IP layer. */
  get lengthBytes(): number {
    return this.end - this.l3
  }

  load(frame: Frame, family: Family, hook: Hook, dev: NetDevice | null, out: NetDevice | null): Errno {
    this.frame = frame
    this.family = family
    this.hook = hook
    this.in = dev
    this.out = out
    this.bytes = frame.bytes
    this.l3 = frame.l3
    this.hotdrop = false
    this.broken = false
    const fine = family === 4 ? this.#load4(frame) : this.#load6(frame)
    if (!fine) return Errno.EINVAL
    const room = this.fragmentOffset === 0 && !this.broken ? this.end - this.l4 : 0
    const portful = hasPorts(this.protocol)
    this.linear = this.broken || (portful && room < HEADER_BYTES[this.protocol]!)
    this.#hash(portful && !this.linear)
    return Errno.OK
  }

  #load4(frame: Frame): boolean {
    const { bytes, l3, tail } = frame
    // The stack has checked what arrived; here only what a walk would stumble over. A sum may be unfinished.
    const headerBytes = tail - l3 < ipv4.HEADER_BYTES_MIN ? 0 : ipv4.headerBytes(bytes, l3)
    if (headerBytes < ipv4.HEADER_BYTES_MIN || l3 + headerBytes > tail || bytes[l3]! >>> 4 !== 4) return false
    if (ipv4.totalLength(bytes, l3) < headerBytes) return false
    this.end = Math.min(tail, l3 + ipv4.totalLength(bytes, l3))
    this.srcAt = l3 + 12
    this.dstAt = l3 + 16
    this.protocol = ipv4.protocol(bytes, l3)
    this.l4 = l3 + headerBytes
    this.fragmentOffset = ipv4.fragmentOffsetBytes(bytes, l3)
    return true
  }

  #load6(frame: Frame): boolean {
    const { bytes, l3, tail } = frame
    if (ipv6.check(bytes, l3, tail) !== ipv6.Fault.None) return false
    this.end = Math.min(tail, l3 + ipv6.HEADER_BYTES + ipv6.payloadLength(bytes, l3))
    this.srcAt = l3 + ipv6.SRC
    this.dstAt = l3 + ipv6.DST
    const upper = this.#upper
    const fault = ipv6ext.walk(bytes, l3, this.end, upper)
    this.broken = fault === ipv6ext.Fault.Truncated || fault === ipv6ext.Fault.TooMany
    this.protocol = upper.protocol
    this.l4 = upper.at
    this.fragmentOffset = upper.fragmentAt < 0 ? 0 : ipv6ext.fragmentOffsetBytes(bytes, upper.fragmentAt)
    return true
  }

  #hash(ports: boolean): void {
    const { bytes, keys } = this
    const count = this.family === 4 ? 1 : 4
    let dst = 0
    let src = 0
    for (let i = 0; i < count; i++) {
      dst = mix(dst, get32(bytes, this.dstAt + 4 * i))
      src = mix(src, get32(bytes, this.srcAt + 4 * i))
    }
    const port = ports ? get16(bytes, this.l4 + 2) | (this.protocol << 16) : 0
    keys[0] = mix(dst, port)
    keys[1] = mix(0, port)
    keys[2] = dst
    keys[3] = src
  }
}

/** One step of a 32-bit hash; `dispatch.ts` must take the same steps over a rule's own words. */
export function mix(hash: number, word: number): number {
  const h = Math.imul(hash ^ word, 0x9e3779b1)
  return h ^ (h >>> 15)
}
