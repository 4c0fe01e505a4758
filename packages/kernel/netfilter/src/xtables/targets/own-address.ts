/**
 * MASQUERADE and REDIRECT (xt_MASQUERADE.c, xt_REDIRECT.c): NAT to an address of this host, of the device that
 * the packet leaves by or comes in by. A rule may only say the ports.
 */
import { Errno } from "@podwire/netdev"
import { type Environment, NatFlag, type NatRange } from "../environment.ts"
import { type Action, At, type Target, type TargetKind } from "../extension.ts"
import { portRange, printPorts } from "../nat-range.ts"
import { parseFlags, printFlags } from "./nat.ts"

export class OwnAddressTarget implements Target {
  readonly kind: TargetKind
  readonly range: NatRange

  constructor(kind: TargetKind, range: NatRange) {
    this.kind = kind
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
    return this.kind === masquerade
      ? { run: (packet) => nat.masquerade(packet, range) }
      : { run: (packet) => nat.redirect(packet, range) }
  }
}

export const masquerade: TargetKind = {
  name: "MASQUERADE",
  families: [4, 6],
  tables: ["nat"],
  hooks: At.POSTROUTING,
  options: [{ name: "to-ports" }, { name: "random", flag: true }, { name: "random-fully", flag: true }],
  parse: (given, rule) =>
    new OwnAddressTarget(masquerade, portRange(given.text("to-ports"), rule, parseFlags(given)))
}

export const redirect: TargetKind = {
  name: "REDIRECT",
  families: [4, 6],
  tables: ["nat"],
  hooks: At.PREROUTING | At.OUTPUT,
  options: [{ name: "to-ports" }, { name: "random", flag: true }],
  parse: (given, rule) =>
    new OwnAddressTarget(redirect, portRange(given.text("to-ports"), rule, parseFlags(given)))
}
