/**
 * CONNMARK: change a connection's mark, or copy it from or to the frame (xt_connmark.c). Not supported:
 * shifts.
 */
import { Errno } from "@podwire/netdev"
import type { Environment } from "../environment.ts"
import { type Action, CONTINUE, type Target, type TargetKind } from "../extension.ts"
import { hex, U32_MAX } from "../numbers.ts"
import type { Given } from "../options.ts"
import { RuleError } from "../rule-error.ts"
import { markOptions, parseXmark } from "./mark.ts"

type Verb = "set" | "save" | "restore"

export class ConnmarkTarget implements Target {
  readonly kind = kind
  readonly verb: Verb
  /** For "set": what to flip. */
  readonly value: number
  readonly ctMask: number
  readonly nfMask: number

  constructor(verb: Verb, value: number, ctMask: number, nfMask: number) {
    this.verb = verb
    this.value = value
    this.ctMask = ctMask
    this.nfMask = nfMask
  }

  print(): string {
    return this.verb === "set"
      ? ` --set-xmark ${hex(this.value)}/${hex(this.ctMask)}`
      : ` --${this.verb}-mark --nfmask ${hex(this.nfMask)} --ctmask ${hex(this.ctMask)}`
  }

  bind(env: Environment): Action | Errno {
    const view = env.conntrack
    if (view === undefined) return Errno.EOPNOTSUPP
    const { verb, value, ctMask, nfMask } = this
    return {
      run({ frame }) {
        if (!view.tracked(frame)) return CONTINUE
        const mark = view.mark(frame)
        if (verb === "set") view.setMark(frame, (mark & ~ctMask) ^ value)
        else if (verb === "save") view.setMark(frame, (mark & ~ctMask) ^ (frame.mark & nfMask))
        else frame.mark = (frame.mark & ~nfMask) ^ (mark & ctMask)
        return CONTINUE
      }
    }
  }
}

function parse(given: Given): Target {
  const xmark = parseXmark(given)
  if (xmark !== null) return new ConnmarkTarget("set", xmark.value, xmark.mask, U32_MAX)
  const verb = given.has("save-mark") ? "save" : given.has("restore-mark") ? "restore" : null
  if (verb === null) throw new RuleError("CONNMARK target: No operation specified")
  const mask = (name: string) => (given.masked(name) ?? given.masked("mask"))?.value ?? U32_MAX
  return new ConnmarkTarget(verb, 0, mask("ctmask"), mask("nfmask"))
}

export const kind: TargetKind = {
  name: "CONNMARK",
  families: [4, 6],
  options: [
    ...markOptions(["save-mark", "restore-mark"]), { name: "save-mark", flag: true, excl: ["restore-mark"] },
    { name: "restore-mark", flag: true }, { name: "nfmask", excl: ["mask"] },
    { name: "ctmask", excl: ["mask"] },
    { name: "mask" }, { name: "left-shift-mark", unsupported: true },
    { name: "right-shift-mark", unsupported: true }
  ],
  parse
}
