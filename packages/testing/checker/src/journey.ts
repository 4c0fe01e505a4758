/**
 * One echo request and its answer, seen on every interface on the way. Requests are told apart by a number in
 * their payload, so that any number of them may be on their way at once, and a repeated one is not taken for
 * a copy.
 */
import type { Observer } from "@podwire/cluster"
import { Direction, type Frame, type NetDevice } from "@podwire/netdev"
import { get16, get32, set32 } from "@podwire/wire/bytes"
import * as ethertype from "@podwire/wire/ethertype"
import { type Ip, read4, read6 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"

/** First word of the payload of a frame that is watched. */
const MAGIC = 0x70776972
const ETHERNET_BYTES = 14
/** Of ICMP's and ICMPv6's echo, and of UDP. */
const L4_BYTES = 8

/** A watched packet as one interface saw it. */
export interface Sight {
  /** `node1/cni0`, `default/web-0/eth0`. */
  readonly at: string
  readonly direction: "in" | "out"
  readonly src: Ip
  readonly dst: Ip
  readonly ttl: number
  /** ICMP type, or 0 for UDP. */
  readonly type: number
}

/** A payload that is watched: the magic word, its number, then zeros. */
export function marked(number: number, bytes = 16): Uint8Array {
  const payload = new Uint8Array(Math.max(8, bytes))
  set32(payload, 0, MAGIC)
  set32(payload, 4, number)
  return payload
}

/** The number of a marked payload, or null. */
export function numberOf(payload: Uint8Array): number | null {
  return payload.length >= 8 && get32(payload, 0) === MAGIC ? get32(payload, 4) : null
}

/** Keeps what every interface saw of each watched packet, in order. */
export class Journeys implements Observer {
  readonly #sights = new Map<number, Array<Sight>>()

  of(number: number): ReadonlyArray<Sight> {
    return this.#sights.get(number) ?? []
  }

  forget(): void {
    this.#sights.clear()
  }

  see(dev: NetDevice, direction: Direction, frame: Frame): void {
    const { bytes, head, tail } = frame
    const l3 = head + ETHERNET_BYTES
    const type = get16(bytes, head + 12)
    const v6 = type === ethertype.IPV6
    if (!v6 && type !== ethertype.IPV4) return
    const l4 = l3 + (v6 ? 40 : 20)
    if (tail < l4 + L4_BYTES + 8 || get32(bytes, l4 + L4_BYTES) !== MAGIC) return
    const number = get32(bytes, l4 + L4_BYTES + 4)
    const sights = this.#sights.get(number) ?? []
    const protocol = bytes[l3 + (v6 ? 6 : 9)]!
    sights.push({
      at: `${dev.ns}/${dev.name}`,
      direction: direction === Direction.In ? "in" : "out",
      src: v6 ? read6(bytes, l3 + 8) : read4(bytes, l3 + 12),
      dst: v6 ? read6(bytes, l3 + 24) : read4(bytes, l3 + 16),
      ttl: bytes[l3 + (v6 ? 7 : 8)]!,
      type: protocol === ipproto.UDP ? 0 : bytes[l4]!
    })
    this.#sights.set(number, sights)
  }

  dropped(): void {}
}
