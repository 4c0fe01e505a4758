/**
 * CT: what conntrack shall do with a packet that it has not seen yet (xt_CT.c). Not supported: helpers,
 * events, timeouts.
 */
import { Errno } from "@podwire/netdev"
import { type Environment, ZoneDirection } from "../environment.ts"
import { type Action, CONTINUE, type Target, type TargetKind } from "../extension.ts"
import { parse as parseNumber } from "../numbers.ts"
import type { Given } from "../options.ts"
import { RuleError } from "../rule-error.ts"

const ZONES = ["zone-orig", "zone-reply", "zone"] as const

export interface Zone {
  readonly option: (typeof ZONES)[number]
  /** "mark": the frame's mark is the zone. */
  readonly id: number | "mark"
}

export class CtTarget implements Target {
  readonly kind: TargetKind
  readonly notrack: boolean
  readonly zone: Zone | null

  constructor(kind: TargetKind, notrack: boolean, zone: Zone | null) {
    this.kind = kind
    this.notrack = notrack
    this.zone = zone
  }

  print(): string {
    if (this.kind === notrack) return ""
    return (this.notrack ? " --notrack" : "") +
      (this.zone === null ? "" : ` --${this.zone.option} ${this.zone.id}`)
  }

  bind(env: Environment): Action | Errno {
    const view = env.conntrack
    if (view === undefined || (this.zone !== null && view.zone === undefined)) return Errno.EOPNOTSUPP
    const off = this.notrack
    const id = this.zone === null || this.zone.id === "mark" ? 0 : this.zone.id
    const direction = this.zone?.option === "zone-orig"
      ? ZoneDirection.Original
      : this.zone?.option === "zone-reply" ? ZoneDirection.Reply : ZoneDirection.Both
    const zoned = this.zone !== null
    const fromMark = this.zone?.id === "mark"
    return {
      run({ frame }) {
        // Seen already: on its second way through this host.
        if (view.tracked(frame) || view.untracked(frame)) return CONTINUE
        if (off) view.untrack(frame)
        else if (zoned) view.zone!(frame, id, direction, fromMark)
        return CONTINUE
      }
    }
  }
}

function parseZone(given: Given): Zone | null {
  const option = ZONES.find((name) => given.has(name))
  if (option === undefined) return null
  const text = given.text(option)!
  const id = text === "mark" ? "mark" : parseNumber(text, 0, 0xffff)
  if (id === null) throw new RuleError(`Cannot parse ${text} as a zone ID`)
  return { option, id }
}

export const kind: TargetKind = {
  name: "CT",
  families: [4, 6],
  tables: ["raw"],
  options: [
    { name: "notrack", flag: true }, ...ZONES.map((name) => ({ name })),
    ...["helper", "ctevents", "expevents", "timeout"].map((name) => ({ name, unsupported: true }))
  ],
  parse: (given) => new CtTarget(kind, given.has("notrack"), parseZone(given))
}

/** The older name of CT --notrack. */
export const notrack: TargetKind = {
  name: "NOTRACK",
  families: [4, 6],
  tables: ["raw"],
  options: [],
  parse: () => new CtTarget(notrack, true, null)
}
