/** ttl: of IPv4 (xt_hl.c). */
import type { Kind, Match, MatchKind, Test } from "../extension.ts"
import type { Given } from "../options.ts"
import type { Packet } from "../packet.ts"
import { RuleError } from "../rule-error.ts"

type Mode = "eq" | "lt" | "gt"

/** For `hl` as well, which is the same of IPv6. */
export class TtlMatch implements Match, Test {
  readonly kind: MatchKind
  readonly mode: Mode
  readonly value: number
  readonly inverted: boolean
  readonly #offset: number

  constructor(kind: MatchKind, mode: Mode, value: number, inverted: boolean) {
    this.kind = kind
    this.mode = mode
    this.value = value
    this.inverted = inverted
    this.#offset = kind.name === "ttl" ? 8 : 7
  }

  print(): string {
    return `${this.inverted ? " !" : ""} --${this.kind.name}-${this.mode} ${this.value}`
  }

  bind(): Test {
    return this
  }

  test(packet: Packet): boolean {
    const actual = packet.bytes[packet.l3 + this.#offset]!
    if (this.mode === "eq") return (actual === this.value) !== this.inverted
    return this.mode === "lt" ? actual < this.value : actual > this.value
  }
}

export function optionsOf(name: "ttl" | "hl"): Kind["options"] {
  return [
    { name: `${name}-eq`, invert: true, excl: [`${name}-lt`, `${name}-gt`] },
    { name, as: `${name}-eq`, invert: true },
    { name: `${name}-lt`, excl: [`${name}-gt`] }, { name: `${name}-gt` }
  ]
}

export function parseTtl(kind: MatchKind, given: Given): TtlMatch {
  const mode = (["eq", "lt", "gt"] as const).find((one) => given.has(`${kind.name}-${one}`))
  if (mode === undefined) {
    throw new RuleError(
      kind.name === "ttl"
        ? "TTL match: You must specify one of `--ttl-eq', `--ttl-lt', `--ttl-gt"
        : "HL match: You must specify one of `--hl-eq', `--hl-lt', `--hl-gt'"
    )
  }
  const option = `${kind.name}-${mode}`
  return new TtlMatch(kind, mode, given.number(option, 0, 255)!, given.inverted(option))
}

export const kind: MatchKind = {
  name: "ttl",
  families: [4],
  options: optionsOf("ttl"),
  parse: (given) => parseTtl(kind, given)
}
