/**
 * physdev: the bridge ports of a bridged packet (xt_physdev.c). Without a bridge's word, nothing is known
 * of any.
 */
import { Errno } from "@podwire/netdev"
import type { BridgeView, Environment } from "../environment.ts"
import { At, type Match, type MatchKind, type Test, type Where } from "../extension.ts"
import { checkName, matchesName } from "../interfaces.ts"
import type { Given } from "../options.ts"
import type { Packet } from "../packet.ts"
import { RuleError } from "../rule-error.ts"

const FLAGS = ["physdev-is-in", "physdev-is-out", "physdev-is-bridged"] as const

interface Condition {
  readonly inverted: boolean
}

export class PhysdevMatch implements Match {
  readonly kind = kind
  readonly in: (Condition & { readonly name: string }) | null
  readonly out: (Condition & { readonly name: string }) | null
  readonly isIn: Condition | null
  readonly isOut: Condition | null
  readonly isBridged: Condition | null

  constructor(given: Given) {
    const named = (option: string) => {
      const name = given.text(option)
      if (name !== null) checkName(name)
      return name === null ? null : { name, inverted: given.inverted(option) }
    }
    const [isIn, isOut, isBridged] = FLAGS.map((name) =>
      given.has(name) ? { inverted: given.inverted(name) } : null
    )
    this.in = named("physdev-in")
    this.out = named("physdev-out")
    this.isIn = isIn!
    this.isOut = isOut!
    this.isBridged = isBridged!
  }

  print(): string {
    const named = (option: string, one: (Condition & { readonly name: string }) | null) =>
      one === null ? "" : `${one.inverted ? " !" : ""} --${option} ${one.name}`
    const flag = (option: string, one: Condition | null) =>
      one === null ? "" : `${one.inverted ? " !" : ""} --${option}`
    return flag("physdev-is-in", this.isIn) + named("physdev-in", this.in) +
      flag("physdev-is-out", this.isOut) + named("physdev-out", this.out) +
        flag("physdev-is-bridged", this.isBridged)
  }

  check({ hooks }: Where): Errno {
    const out = this.out !== null || this.isOut !== null
    const bridged = this.isBridged !== null && !this.isBridged.inverted
    return out && !bridged && (hooks & At.OUTPUT) !== 0 ? Errno.EINVAL : Errno.OK
  }

  bind(env: Environment): Test {
    return new Bound(this, env.bridge ?? null)
  }
}

class Bound implements Test {
  readonly #rule: PhysdevMatch
  readonly #bridge: BridgeView | null

  constructor(rule: PhysdevMatch, bridge: BridgeView | null) {
    this.#rule = rule
    this.#bridge = bridge
  }

  test({ frame }: Packet): boolean {
    const rule = this.#rule
    if (this.#bridge === null || !this.#bridge.bridged(frame)) {
      return (rule.in?.inverted ?? true) && (rule.out?.inverted ?? true) && (rule.isIn?.inverted ?? true) &&
        (rule.isOut?.inverted ?? true) && (rule.isBridged?.inverted ?? true)
    }
    const dev = this.#bridge.physIn(frame)
    const out = this.#bridge.physOut(frame)
    if (rule.isBridged !== null && (out !== null) === rule.isBridged.inverted) return false
    if (rule.isIn !== null && (dev !== null) === rule.isIn.inverted) return false
    if (rule.isOut !== null && (out !== null) === rule.isOut.inverted) return false
    if (rule.in !== null && dev !== null && matchesName(rule.in.name, dev.name) === rule.in.inverted) {
      return false
    }
    if (rule.out === null) return true
    // Not known where it goes: as if the name were the one asked for.
    return (out === null || matchesName(rule.out.name, out.name)) !== rule.out.inverted
  }
}

export const kind: MatchKind = {
  name: "physdev",
  families: [4, 6],
  options: [
    { name: "physdev-in", invert: true }, { name: "physdev-out", invert: true },
    ...FLAGS.map((name) => ({ name, flag: true, invert: true }))
  ],
  parse(given: Given) {
    if (given.none) throw new RuleError("PHYSDEV: no physdev option specified")
    return new PhysdevMatch(given)
  }
}
