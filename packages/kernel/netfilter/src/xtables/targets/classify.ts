/**
 * CLASSIFY: the frame's priority, for a queueing discipline that looks at it; none here does
 * (xt_CLASSIFY.c).
 */
import { type Action, At, CONTINUE, type Target, type TargetKind } from "../extension.ts"
import type { Packet } from "../packet.ts"
import { RuleError } from "../rule-error.ts"

export class ClassifyTarget implements Target, Action {
  readonly kind = kind
  readonly major: number
  readonly minor: number

  constructor(major: number, minor: number) {
    this.major = major
    this.minor = minor
  }

  print(): string {
    const four = (half: number) => half.toString(16).padStart(4, "0")
    return ` --set-class ${four(this.major)}:${four(this.minor)}`
  }

  bind(): Action {
    return this
  }

  run({ frame }: Packet): number {
    frame.priority = (this.major << 16) | this.minor
    return CONTINUE
  }
}

export const kind: TargetKind = {
  name: "CLASSIFY",
  families: [4, 6],
  hooks: At.FORWARD | At.OUTPUT | At.POSTROUTING,
  options: [{ name: "set-class", mandatory: true }],
  parse(given) {
    const text = given.text("set-class")!
    const halves = text.match(/^([0-9a-fA-F]{1,4}):([0-9a-fA-F]{1,4})$/)
    if (halves === null) throw new RuleError(`Bad class value "${text}"`)
    return new ClassifyTarget(parseInt(halves[1]!, 16), parseInt(halves[2]!, 16))
  }
}
