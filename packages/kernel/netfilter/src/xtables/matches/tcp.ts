/** tcp: ports, flags and the presence of an option (xt_tcpudp.c). */
import { get16 } from "@podwire/wire/bytes"
import * as ipproto from "@podwire/wire/ipproto"
import * as tcp from "@podwire/wire/tcp"
import type { Match, MatchKind, Test } from "../extension.ts"
import type { Given } from "../options.ts"
import { parse } from "../numbers.ts"
import type { Packet } from "../packet.ts"
import { parseRange, printRange, type Range, within } from "../ports.ts"
import { RuleError } from "../rule-error.ts"

/** In the order that they are printed in. */
const FLAGS: ReadonlyArray<readonly [string, number]> = [
  ["FIN", tcp.FIN], ["SYN", tcp.SYN], ["RST", tcp.RST], ["PSH", tcp.PSH], ["ACK", tcp.ACK], ["URG", tcp.URG]
]
const SYN_MASK = tcp.SYN | tcp.RST | tcp.ACK | tcp.FIN

function parseFlags(text: string): number {
  let bits = 0
  for (const word of text.split(",").filter((part) => part !== "")) {
    const upper = word.toUpperCase()
    if (upper === "ALL") bits |= 0x3f
    else if (upper !== "NONE") {
      const flag = FLAGS.find(([name]) => name === upper)
      if (flag === undefined) throw new RuleError(`Unknown TCP flag \`${word}'`)
      bits |= flag[1]
    }
  }
  return bits
}

function printFlags(bits: number): string {
  return FLAGS.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name).join(",") || "NONE"
}

export class TcpMatch implements Match, Test {
  readonly kind = kind
  readonly src: Range
  readonly notSrc: boolean
  readonly dst: Range
  readonly notDst: boolean
  readonly flagMask: number
  readonly flags: number
  readonly notFlags: boolean
  /** 0: none asked for. */
  readonly option: number
  readonly notOption: boolean

  constructor(given: Given) {
    this.src = parseRange(given.text("sport") ?? ":")
    this.notSrc = given.inverted("sport")
    this.dst = parseRange(given.text("dport") ?? ":")
    this.notDst = given.inverted("dport")
    const syn = given.has("syn")
    this.flagMask = syn ? SYN_MASK : parseFlags(given.text("tcp-flags") ?? "")
    this.flags = syn ? tcp.SYN : parseFlags(given.text("tcp-flags", 1) ?? "")
    this.notFlags = given.inverted(syn ? "syn" : "tcp-flags")
    const option = given.text("tcp-option")
    this.option = option === null ? 0 : parse(option, 1, 255) ?? badOption(option)
    this.notOption = given.inverted("tcp-option")
  }

  print(): string {
    return printRange("sport", this.src, this.notSrc) + printRange("dport", this.dst, this.notDst) +
      (this.option === 0 ? "" : ` ${this.notOption ? "! " : ""}--tcp-option ${this.option}`) +
      (this.flagMask === 0 && !this.notFlags
        ? ""
        : ` ${this.notFlags ? "! " : ""}--tcp-flags ${printFlags(this.flagMask)} ${printFlags(this.flags)}`)
  }

  bind(): Test {
    return this
  }

  test(packet: Packet): boolean {
    const { bytes, l4 } = packet
    if (packet.fragmentOffset !== 0) {
      // RFC 3128: a fragment that could overwrite the flags is an attack.
      if (packet.fragmentOffset === 8) packet.hotdrop = true
      return false
    }
    if (packet.end - l4 < tcp.HEADER_BYTES_MIN) {
      packet.hotdrop = true
      return false
    }
    if (within(this.src, get16(bytes, l4)) === this.notSrc) return false
    if (within(this.dst, get16(bytes, l4 + 2)) === this.notDst) return false
    if (((bytes[l4 + 13]! & this.flagMask) === this.flags) === this.notFlags) return false
    return this.option === 0 || this.#hasOption(packet)
  }

  #hasOption(packet: Packet): boolean {
    const { bytes, l4 } = packet
    const headerBytes = tcp.dataOffsetBytes(bytes, l4)
    const end = l4 + headerBytes
    if (headerBytes < tcp.HEADER_BYTES_MIN || end > packet.end) {
      packet.hotdrop = true
      return false
    }
    for (let at = l4 + tcp.HEADER_BYTES_MIN; at < end;) {
      if (bytes[at] === this.option) return !this.notOption
      // As the kernel does: end-of-list is stepped over like a no-op, and a length of 0 counts as 1.
      at += bytes[at]! < 2 || at + 1 >= end ? 1 : bytes[at + 1]! || 1
    }
    return this.notOption
  }
}

function badOption(text: string): never {
  throw new RuleError(`Bad TCP option "${text}"`)
}

export const kind: MatchKind = {
  name: "tcp",
  families: [4, 6],
  protocol: ipproto.TCP,
  options: [
    { name: "sport", invert: true }, { name: "source-port", as: "sport", invert: true },
    { name: "dport", invert: true }, { name: "destination-port", as: "dport", invert: true },
    { name: "syn", flag: true, invert: true, excl: ["tcp-flags"] },
    { name: "tcp-flags", words: 2, invert: true }, { name: "tcp-option", invert: true }
  ],
  parse: (given) => new TcpMatch(given)
}
