/** rpfilter: is there a way back to the source (ipt_rpfilter.c, ip6t_rpfilter.c)? */
import { Errno } from "@podwire/netdev"
import type { Environment } from "../environment.ts"
import { At, type Match, type MatchKind, type Test } from "../extension.ts"
import type { Given } from "../options.ts"

const OPTIONS = ["loose", "validmark", "accept-local", "invert"] as const

export class RpfilterMatch implements Match {
  readonly kind = kind
  readonly flags: ReadonlyArray<string>

  constructor(given: Given) {
    this.flags = OPTIONS.filter((name) => given.has(name))
  }

  print(): string {
    return this.flags.map((name) => ` --${name}`).join("")
  }

  bind(env: Environment): Test | Errno {
    const { routing } = env
    if (routing === undefined) return Errno.EOPNOTSUPP
    const [loose, validMark, acceptLocal, inverted] = OPTIONS.map((name) => this.flags.includes(name)) as
      [boolean, boolean, boolean, boolean]
    return { test: (packet) => routing.reversePath(packet, loose, validMark, acceptLocal) !== inverted }
  }
}

export const kind: MatchKind = {
  name: "rpfilter",
  families: [4, 6],
  tables: ["raw", "mangle"],
  hooks: At.PREROUTING,
  options: OPTIONS.map((name) => ({ name, flag: true })),
  parse: (given) => new RpfilterMatch(given)
}
