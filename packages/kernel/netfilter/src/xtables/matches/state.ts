/** state: the older face of conntrack's --ctstate (xt_state; an alias of xt_conntrack since Linux 3.x). */
import { Errno } from "@podwire/netdev"
import type { Environment } from "../environment.ts"
import type { Match, MatchKind, Test } from "../extension.ts"
import { parseBits, printBits, stateOf, STATES } from "./conntrack.ts"

const ORDER = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED"]
const NAMES = ORDER.map((name) => STATES.find(([state]) => state === name)!)

export class StateMatch implements Match {
  readonly kind = kind
  readonly bits: number
  readonly inverted: boolean

  constructor(bits: number, inverted: boolean) {
    this.bits = bits
    this.inverted = inverted
  }

  print(): string {
    return ` ${this.inverted ? "! " : ""}--state ${printBits(this.bits, NAMES)}`
  }

  bind(env: Environment): Test | Errno {
    const view = env.conntrack
    if (view === undefined) return Errno.EOPNOTSUPP
    const { bits, inverted } = this
    return { test: (packet) => ((bits & stateOf(view, packet)) !== 0) !== inverted }
  }
}

export const kind: MatchKind = {
  name: "state",
  families: [4, 6],
  options: [{ name: "state", mandatory: true, invert: true }],
  parse: (given) => new StateMatch(parseBits(given.text("state")!, NAMES, "state"), given.inverted("state"))
}
