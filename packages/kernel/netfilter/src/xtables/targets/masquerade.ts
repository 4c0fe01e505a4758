/** MASQUERADE: SNAT to an address of the device that the packet leaves by (xt_MASQUERADE.c). */
import { Errno } from "@podwire/netdev"
import { type Environment, NatFlag, type NatRange } from "../environment.ts"
import { type Action, At, type Target, type TargetKind } from "../extension.ts"
import { portRange, printPorts } from "../nat-range.ts"
import { parseFlags, printFlags } from "./nat.ts"

export class MasqueradeTarget implements Target {
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
    return { run: (packet) => nat.masquerade(packet, range) }
  }
}

export const kind: TargetKind = {
  name: "MASQUERADE",
  families: [4, 6],
  tables: ["nat"],
  hooks: At.POSTROUTING,
  options: [{ name: "to-ports" }, { name: "random", flag: true }, { name: "random-fully", flag: true }],
  parse: (given, rule) => new MasqueradeTarget(portRange(given.text("to-ports"), rule, parseFlags(given)))
}
