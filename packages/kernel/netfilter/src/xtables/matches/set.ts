/**
 * set: membership of an ipset (xt_set.c, revision 4). Not supported: its counters, --return-nomatch and
 * updates.
 */
import { Errno } from "@podwire/netdev"
import type { Environment } from "../environment.ts"
import type { Match, MatchKind, Test } from "../extension.ts"
import type { Given } from "../options.ts"
import { RuleError } from "../rule-error.ts"

const DIMENSIONS_MAX = 6
const NAME_MAX = 31

export class SetMatch implements Match {
  readonly kind = kind
  readonly name: string
  readonly sides: ReadonlyArray<"src" | "dst">
  readonly inverted: boolean

  constructor(name: string, sides: ReadonlyArray<"src" | "dst">, inverted: boolean) {
    this.name = name
    this.sides = sides
    this.inverted = inverted
  }

  print(): string {
    return `${this.inverted ? " !" : ""} --match-set ${this.name} ${this.sides.join(",")}`
  }

  missing(env: Environment): string | null {
    return env.set === undefined || env.set(this.name) !== null ? null : `Set ${this.name} doesn't exist.`
  }

  bind(env: Environment): Test | Errno {
    if (env.set === undefined) return Errno.EOPNOTSUPP
    const set = env.set(this.name)
    if (set === null) return Errno.ENOENT
    const flags = this.sides.reduce((bits, side, i) => side === "src" ? bits | (1 << i) : bits, 0)
    const { inverted, sides } = this
    // Fewer sides than the set has dimensions: it never matches.
    return { test: (packet) => (sides.length >= set.dimensions && set.contains(packet, flags)) !== inverted }
  }
}

const UNSUPPORTED = [
  "return-nomatch", "update-counters", "update-subcounters", "packets-eq", "packets-lt", "packets-gt",
  "bytes-eq",
  "bytes-lt", "bytes-gt"
]

export const kind: MatchKind = {
  name: "set",
  families: [4, 6],
  options: [
    { name: "match-set", words: 2, invert: true },
    ...UNSUPPORTED.map((name) => ({ name, unsupported: true, flag: !/-(eq|lt|gt)$/.test(name) }))
  ],
  parse(given: Given) {
    const name = given.text("match-set")
    if (name === null) throw new RuleError("You must specify `--match-set' with proper arguments")
    if (name.length > NAME_MAX) {
      throw new RuleError(`setname \`${name}' too long, max ${NAME_MAX} characters.`)
    }
    const sides = given.text("match-set", 1)!.split(",")
    if (sides.length > DIMENSIONS_MAX) throw new RuleError("Can't be more src/dst options than 6.")
    for (const side of sides) {
      if (side !== "src" && side !== "dst") {
        throw new RuleError("You must spefify (the comma separated list of) 'src' or 'dst'.")
      }
    }
    return new SetMatch(name, sides as Array<"src" | "dst">, given.inverted("match-set"))
  }
}
