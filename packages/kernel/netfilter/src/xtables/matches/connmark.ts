/** connmark: the connection's mark under a mask; no connection, no match (xt_connmark.c). */
import { Errno } from "@podwire/netdev"
import type { ConntrackView, Environment } from "../environment.ts"
import type { Match, MatchKind, Test } from "../extension.ts"
import type { Masked } from "../numbers.ts"
import { printMark } from "./mark.ts"

export class ConnmarkMatch implements Match {
  readonly kind = kind
  readonly mark: Masked
  readonly inverted: boolean

  constructor(mark: Masked, inverted: boolean) {
    this.mark = mark
    this.inverted = inverted
  }

  print(): string {
    return printMark(this.mark, this.inverted)
  }

  bind(env: Environment): Test | Errno {
    if (env.conntrack === undefined) return Errno.EOPNOTSUPP
    const view: ConntrackView = env.conntrack
    const value = this.mark.value | 0
    const mask = this.mark.mask | 0
    const { inverted } = this
    return {
      test: ({ frame }) => view.tracked(frame) && ((view.mark(frame) & mask) === value) !== inverted
    }
  }
}

export const kind: MatchKind = {
  name: "connmark",
  families: [4, 6],
  options: [{ name: "mark", mandatory: true, invert: true }],
  parse: (given) => new ConnmarkMatch(given.masked("mark")!, given.inverted("mark"))
}
