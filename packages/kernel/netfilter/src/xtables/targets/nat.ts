/**
 * DNAT and SNAT (xt_nat.c, revision 2): a range of addresses, of ports, or both. The environment sets the
 * NAT up.
 */
import { Errno } from "@podwire/netdev"
import { type Environment, Manip, NatFlag, type NatRange } from "../environment.ts"
import { type Action, At, type Target, type TargetKind } from "../extension.ts"
import { parseRange, printRange } from "../nat-range.ts"
import type { Given } from "../options.ts"

/** In the order that they are printed in. */
const FLAGS: ReadonlyArray<readonly [string, number]> = [
  ["random", NatFlag.Random], ["random-fully", NatFlag.RandomFully], ["persistent", NatFlag.Persistent]
]

export function parseFlags(given: Given): number {
  return FLAGS.reduce((bits, [name, bit]) => given.has(name) ? bits | bit : bits, 0)
}

export function printFlags(range: NatRange): string {
  return FLAGS.filter(([, bit]) => (range.flags & bit) !== 0).map(([name]) => ` --${name}`).join("")
}

export class NatTarget implements Target {
  readonly kind: TargetKind
  readonly range: NatRange

  constructor(kind: TargetKind, range: NatRange) {
    this.kind = kind
    this.range = range
  }

  print(): string {
    const option = this.kind === dnat ? "to-destination" : "to-source"
    return ` --${option} ${printRange(this.range)}${printFlags(this.range)}`
  }

  bind(env: Environment): Action | Errno {
    const { nat } = env
    if (nat === undefined) return Errno.EOPNOTSUPP
    const { range } = this
    const manip = this.kind === dnat ? Manip.Dst : Manip.Src
    return { run: (packet) => nat.nat(packet, range, manip) }
  }
}

export const dnat: TargetKind = {
  name: "DNAT",
  families: [4, 6],
  tables: ["nat"],
  hooks: At.PREROUTING | At.OUTPUT,
  options: [
    { name: "to-destination", mandatory: true }, { name: "random", flag: true },
    { name: "persistent", flag: true }
  ],
  parse: (given, rule) =>
    new NatTarget(dnat, parseRange(given.text("to-destination")!, rule, parseFlags(given)))
}

export const snat: TargetKind = {
  name: "SNAT",
  families: [4, 6],
  tables: ["nat"],
  hooks: At.POSTROUTING | At.INPUT,
  options: [
    { name: "to-source", mandatory: true }, { name: "random", flag: true },
    { name: "random-fully", flag: true },
    { name: "persistent", flag: true }
  ],
  parse: (given, rule) => new NatTarget(snat, parseRange(given.text("to-source")!, rule, parseFlags(given)))
}
