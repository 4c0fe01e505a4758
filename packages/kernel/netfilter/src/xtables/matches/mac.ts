/** mac: the source address of the Ethernet header that a packet came with (xt_mac.c). */
import * as eth from "@podwire/wire/eth"
import * as macs from "@podwire/wire/mac"
import { At, type Match, type MatchKind, type Test } from "../extension.ts"
import type { Packet } from "../packet.ts"
import { RuleError } from "../rule-error.ts"

export class MacMatch implements Match, Test {
  readonly kind = kind
  readonly mac: number
  readonly inverted: boolean
  readonly #hi: number
  readonly #lo: number

  constructor(mac: number, inverted: boolean) {
    this.mac = mac
    this.inverted = inverted
    this.#hi = macs.hi(mac)
    this.#lo = macs.lo(mac)
  }

  print(): string {
    return ` ${this.inverted ? "! " : ""}--mac-source ${macs.format(this.mac)}`
  }

  bind(): Test {
    return this
  }

  test({ bytes, l3, in: dev }: Packet): boolean {
    const at = l3 - eth.HEADER_BYTES
    if (dev === null || dev.loopback || at < 0) return false
    return (eth.srcHi(bytes, at) === this.#hi && eth.srcLo(bytes, at) === this.#lo) !== this.inverted
  }
}

export const kind: MatchKind = {
  name: "mac",
  families: [4, 6],
  hooks: At.PREROUTING | At.INPUT | At.FORWARD,
  options: [{ name: "mac-source", mandatory: true, invert: true }],
  parse(given) {
    const mac = macs.parse(given.text("mac-source")!.toLowerCase())
    if (mac === null) throw new RuleError("Invalid MAC address specified.")
    return new MacMatch(mac, given.inverted("mac-source"))
  }
}
