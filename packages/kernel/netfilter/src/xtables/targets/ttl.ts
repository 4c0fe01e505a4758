/** TTL and HL: set, raise or lower the time to live (xt_HL.c). The octet stays within 0 to 255. */
import { get16, set16 } from "@podwire/wire/bytes"
import { replace16 } from "@podwire/wire/checksum"
import { type Action, CONTINUE, type Target, type TargetKind } from "../extension.ts"
import type { Given } from "../options.ts"
import type { Packet } from "../packet.ts"
import { RuleError } from "../rule-error.ts"

const MODES = ["set", "dec", "inc"] as const
type Mode = (typeof MODES)[number]

export class TtlTarget implements Target, Action {
  readonly kind: TargetKind
  readonly mode: Mode
  readonly value: number

  constructor(kind: TargetKind, mode: Mode, value: number) {
    this.kind = kind
    this.mode = mode
    this.value = value
  }

  print(): string {
    return ` --${this.kind.name.toLowerCase()}-${this.mode} ${this.value}`
  }

  bind(): Action {
    return this
  }

  run({ bytes, l3, family }: Packet): number {
    const at = l3 + (family === 4 ? 8 : 7)
    const old = bytes[at]!
    const wanted = this.mode === "set" ? this.value : this.mode === "inc" ? old + this.value
      : old - this.value
    const ttl = Math.max(0, Math.min(255, wanted))
    if (ttl === old) return CONTINUE
    bytes[at] = ttl
    if (family === 4) {
      const sum = get16(bytes, l3 + 10)
      set16(bytes, l3 + 10, replace16(sum, old << 8 | bytes[l3 + 9]!, ttl << 8 | bytes[l3 + 9]!))
    }
    return CONTINUE
  }
}

function parse(kind: TargetKind, given: Given): Target {
  const name = kind.name.toLowerCase()
  const mode = MODES.find((one) => given.has(`${name}-${one}`))
  if (mode === undefined) throw new RuleError(`${kind.name}: You must specify an action`)
  return new TtlTarget(kind, mode, given.number(`${name}-${mode}`, mode === "set" ? 0 : 1, 255)!)
}

function optionsOf(name: string): TargetKind["options"] {
  return MODES.map((mode, i) =>
    ({ name: `${name}-${mode}`, excl: MODES.slice(i + 1).map((more) => `${name}-${more}`) }))
}

export const ttl: TargetKind = {
  name: "TTL",
  families: [4],
  tables: ["mangle"],
  options: optionsOf("ttl"),
  parse: (given) => parse(ttl, given)
}

export const hl: TargetKind = {
  name: "HL",
  families: [6],
  tables: ["mangle"],
  options: optionsOf("hl"),
  parse: (given) => parse(hl, given)
}
