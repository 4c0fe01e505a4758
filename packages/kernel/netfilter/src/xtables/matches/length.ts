/**
 * length: octets of the packet from its IP header on (xt_length.c). A range that ends before it starts
 * never matches.
 */
import type { Match, MatchKind, Test } from "../extension.ts"
import { parse } from "../numbers.ts"
import type { Packet } from "../packet.ts"
import type { Range } from "../ports.ts"
import { RuleError } from "../rule-error.ts"

export class LengthMatch implements Match, Test {
  readonly kind = kind
  readonly range: Range
  readonly inverted: boolean

  constructor(range: Range, inverted: boolean) {
    this.range = range
    this.inverted = inverted
  }

  print(): string {
    const { min, max } = this.range
    return ` ${this.inverted ? "! " : ""}--length ${min === max ? min : `${min}:${max}`}`
  }

  bind(): Test {
    return this
  }

  test(packet: Packet): boolean {
    const length = packet.lengthBytes
    return (length >= this.range.min && length <= this.range.max) !== this.inverted
  }
}

export const kind: MatchKind = {
  name: "length",
  families: [4, 6],
  options: [{ name: "length", mandatory: true, invert: true }],
  parse(given) {
    const [low, high] = given.text("length")!.split(":")
    const min = low === "" && high !== undefined ? 0 : parse(low!, 0, 0xffff)
    const max = high === undefined ? min : high === "" ? 0xffff : parse(high, 0, 0xffff)
    if (min === null || max === null) {
      throw new RuleError(
        `length: bad value for option "--length" near "${min === null ? low : high}", ` +
          "or out of range (0-65535)."
      )
    }
    return new LengthMatch({ min, max }, given.inverted("length"))
  }
}
