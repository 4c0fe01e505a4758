/** mark: the frame's mark under a mask (xt_mark.c). */
import type { Match, MatchKind, Test } from "../extension.ts"
import { hex, type Masked, U32_MAX } from "../numbers.ts"
import type { Packet } from "../packet.ts"

export function printMark(mark: Masked, inverted: boolean): string {
  const mask = mark.mask === U32_MAX ? "" : `/${hex(mark.mask)}`
  return ` ${inverted ? "! " : ""}--mark ${hex(mark.value)}${mask}`
}

export class MarkMatch implements Match, Test {
  readonly kind = kind
  readonly mark: Masked
  readonly inverted: boolean
  readonly #value: number
  readonly #mask: number

  constructor(mark: Masked, inverted: boolean) {
    this.mark = mark
    this.inverted = inverted
    this.#value = mark.value | 0
    this.#mask = mark.mask | 0
  }

  print(): string {
    return printMark(this.mark, this.inverted)
  }

  bind(): Test {
    return this
  }

  test(packet: Packet): boolean {
    return ((packet.frame.mark & this.#mask) === this.#value) !== this.inverted
  }
}

export const kind: MatchKind = {
  name: "mark",
  families: [4, 6],
  options: [{ name: "mark", mandatory: true, invert: true }],
  parse: (given) => new MarkMatch(given.masked("mark")!, given.inverted("mark"))
}
