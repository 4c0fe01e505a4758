/** recent: lists of addresses and when they were seen, kept by the namespace (xt_recent.c, revision 1). */
import { Errno } from "@podwire/netdev"
import type { Ip } from "@podwire/wire"
import { ip } from "@podwire/wire"
import { formatAddress, prefixMask } from "../addresses.ts"
import type { Environment, RecentList } from "../environment.ts"
import type { Family, Match, MatchKind, Selector, Test } from "../extension.ts"
import type { Given } from "../options.ts"
import { U32_MAX } from "../numbers.ts"
import type { Packet } from "../packet.ts"
import { RuleError } from "../rule-error.ts"

const VERBS = ["set", "rcheck", "update", "remove"] as const
type Verb = (typeof VERBS)[number]

export class RecentMatch implements Match {
  readonly kind = kind
  readonly impure = true
  readonly family: Family
  readonly verb: Verb
  readonly inverted: boolean
  /** 0: not asked for. */
  readonly seconds: number
  readonly hitcount: number
  readonly reap: boolean
  readonly rttl: boolean
  readonly name: string
  readonly mask: Ip
  readonly side: "rsource" | "rdest"

  constructor(verb: Verb, given: Given, family: Family) {
    this.family = family
    this.verb = verb
    this.inverted = given.inverted(verb)
    this.seconds = given.number("seconds", 1, U32_MAX) ?? 0
    this.hitcount = given.number("hitcount", 0, U32_MAX) ?? 0
    this.reap = given.has("reap")
    this.rttl = given.has("rttl")
    this.name = given.text("name") ?? "DEFAULT"
    const mask = given.text("mask")
    const parsed = mask === null ? prefixMask(128, family) : ip.parse(mask)
    if (parsed === null || parsed.length !== (family === 4 ? 1 : 4)) {
      throw new RuleError(`recent: bad value for option "--mask"`)
    }
    this.mask = parsed
    this.side = given.has("rdest") ? "rdest" : "rsource"
  }

  print(): string {
    return `${this.inverted ? " !" : ""} --${this.verb}` +
      (this.seconds === 0 ? "" : ` --seconds ${this.seconds}`) + (this.reap ? " --reap" : "") +
      (this.hitcount === 0 ? "" : ` --hitcount ${this.hitcount}`) + (this.rttl ? " --rttl" : "") +
      ` --name ${this.name} --mask ${formatAddress(this.mask)} --${this.side}`
  }

  check(): Errno {
    const asks = this.verb === "rcheck" || this.verb === "update"
    if (!asks && (this.seconds !== 0 || this.hitcount !== 0 || this.reap)) return Errno.EINVAL
    if (this.hitcount > 0xffff) return Errno.EINVAL
    return /^(\.{0,2}|.*\/.*)$/.test(this.name) || this.name.length > 199 ? Errno.EINVAL : Errno.OK
  }

  bind(env: Environment): Test | Errno {
    if (env.recent === undefined) return Errno.EOPNOTSUPP
    return new Bound(this, env.recent(this.name, this.family))
  }
}

class Bound implements Test {
  readonly #rule: RecentMatch
  readonly #list: RecentList

  constructor(rule: RecentMatch, list: RecentList) {
    this.#rule = rule
    this.#list = list
  }

  test(packet: Packet): boolean {
    const { verb, inverted, seconds, hitcount, reap, rttl, mask, side } = this.#rule
    const list = this.#list
    const { bytes } = packet
    const at = side === "rsource" ? packet.srcAt : packet.dstAt
    // As it was before this host took one off to forward it.
    const ttl = bytes[packet.l3 + (packet.family === 4 ? 8 : 7)]! +
      (packet.out !== null && packet.in !== null ? 1 : 0)
    const entry = list.find(bytes, at, mask, rttl ? ttl : -1)
    if (entry < 0) {
      if (verb !== "set") return inverted
      list.add(bytes, at, mask, ttl)
      return !inverted
    }
    if (verb === "remove") {
      list.remove(entry)
      return !inverted
    }
    if (verb === "set") {
      list.touch(entry, ttl)
      return !inverted
    }
    const result = list.seen(entry, seconds, hitcount) !== inverted
    const touched = verb === "update" && result
    if (touched) list.touch(entry, ttl)
    if (reap) list.reap(seconds, touched ? entry : -1)
    return result
  }
}

export const kind: MatchKind = {
  name: "recent",
  families: [4, 6],
  options: [
    { name: "set", flag: true, invert: true, excl: ["rcheck", "update", "remove"] },
    { name: "rcheck", flag: true, invert: true, excl: ["set", "update", "remove"] },
    { name: "update", flag: true, invert: true, excl: ["set", "rcheck", "remove"] },
    { name: "remove", flag: true, invert: true, excl: ["set", "rcheck", "update"] },
    { name: "seconds" }, { name: "reap", flag: true, also: ["seconds"] }, { name: "hitcount" },
    { name: "rttl", flag: true, excl: ["set", "remove"] }, { name: "name" }, { name: "mask" },
    { name: "rsource", flag: true, multi: true }, { name: "rdest", flag: true, multi: true }
  ],
  parse(given: Given, { family }: Selector) {
    const verb = VERBS.find((name) => given.has(name))
    if (verb === undefined) {
      throw new RuleError("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'")
    }
    return new RecentMatch(verb, given, family)
  }
}
