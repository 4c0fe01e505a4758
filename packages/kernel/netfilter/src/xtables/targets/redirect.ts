/** REDIRECT: DNAT to this host itself (xt_REDIRECT.c). */
import { Errno } from "@podwire/netdev"
import { type Environment, NatFlag, type NatRange } from "../environment.ts"
import { type Action, At, type Target, type TargetKind } from "../extension.ts"
import { portRange, printPorts } from "../nat-range.ts"
import { parseFlags, printFlags } from "./nat.ts"

export class RedirectTarget implements Target {
  readonly kind = kind
  readonly range: NatRange

  constructor(range: NatRange) {
    this.range = range
  }

  print(): string {
    const ports = (this.range.flags & NatFlag.Ports) !== 0 ? ` --to-ports ${printPorts(this.range)}` : ""
    return ports + printFlags(this.range)
  }

  bind(env: Environment): Action | Errno {
    const { nat } = env
    if (nat === undefined) return Errno.EOPNOTSUPP
    const { range } = this
    return { run: (packet) => nat.redirect(packet, range) }
  }
}

export const kind: TargetKind = {
  name: "REDIRECT",
  families: [4, 6],
  tables: ["nat"],
  hooks: At.PREROUTING | At.OUTPUT,
  options: [{ name: "to-ports" }, { name: "random", flag: true }],
  parse: (given, rule) => new RedirectTarget(portRange(given.text("to-ports"), rule, parseFlags(given)))
}
