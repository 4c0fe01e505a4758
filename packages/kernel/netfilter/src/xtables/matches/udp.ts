/** udp: its two ports (xt_tcpudp.c). */
import { get16 } from "@podwire/wire/bytes"
import * as ipproto from "@podwire/wire/ipproto"
import type { Match, MatchKind, Test } from "../extension.ts"
import type { Given } from "../options.ts"
import type { Packet } from "../packet.ts"
import { parseRange, printRange, type Range, within } from "../ports.ts"

export class PortMatch implements Match, Test {
  readonly kind: MatchKind
  readonly src: Range
  readonly notSrc: boolean
  readonly dst: Range
  readonly notDst: boolean
  readonly #headerBytes: number

  constructor(kind: MatchKind, headerBytes: number, given: Given) {
    this.kind = kind
    this.#headerBytes = headerBytes
    this.src = parseRange(given.text("sport") ?? ":")
    this.notSrc = given.inverted("sport")
    this.dst = parseRange(given.text("dport") ?? ":")
    this.notDst = given.inverted("dport")
  }

  print(): string {
    return printRange("sport", this.src, this.notSrc) + printRange("dport", this.dst, this.notDst)
  }

  bind(): Test {
    return this
  }

  test(packet: Packet): boolean {
    if (packet.fragmentOffset !== 0) return false
    const { bytes, l4 } = packet
    if (packet.end - l4 < this.#headerBytes) {
      packet.hotdrop = true
      return false
    }
    return within(this.src, get16(bytes, l4)) !== this.notSrc &&
      within(this.dst, get16(bytes, l4 + 2)) !== this.notDst
  }
}

export const kind: MatchKind = {
  name: "udp",
  families: [4, 6],
  protocol: ipproto.UDP,
  options: [
    { name: "sport", invert: true }, { name: "source-port", as: "sport", invert: true },
    { name: "dport", invert: true }, { name: "destination-port", as: "dport", invert: true }
  ],
  parse: (given) => new PortMatch(kind, 8, given)
}
