/** REJECT: drop, and tell the sender (ipt_REJECT.c, ip6t_REJECT.c). The environment makes the answer. */
import { Errno } from "@podwire/netdev"
import * as ipproto from "@podwire/wire/ipproto"
import type { Environment } from "../environment.ts"
import { type Action, At, type Family, type Target, type TargetKind, type Where } from "../extension.ts"
import { RuleError } from "../rule-error.ts"
import { Verdict } from "../../verdict.ts"

/** The name that is printed, and the other one. */
const TYPES: Readonly<Record<Family, ReadonlyArray<readonly [string, string]>>> = {
  4: [
    ["icmp-net-unreachable", "net-unreach"], ["icmp-host-unreachable", "host-unreach"],
    ["icmp-proto-unreachable", "proto-unreach"], ["icmp-port-unreachable", "port-unreach"],
    ["icmp-net-prohibited", "net-prohib"], ["icmp-host-prohibited", "host-prohib"], ["tcp-reset", "tcp-rst"],
    ["icmp-admin-prohibited", "admin-prohib"]
  ],
  6: [
    ["icmp6-no-route", "no-route"], ["icmp6-adm-prohibited", "adm-prohibited"],
    ["icmp6-addr-unreachable", "addr-unreach"], ["icmp6-port-unreachable", "port-unreach"],
    ["tcp-reset", "tcp-reset"], ["icmp6-policy-fail", "policy-fail"], ["icmp6-reject-route", "reject-route"]
  ]
}

export class RejectTarget implements Target {
  readonly kind = kind
  readonly with: string

  constructor(reject: string) {
    this.with = reject
  }

  print(): string {
    return ` --reject-with ${this.with}`
  }

  check({ protocol, notProtocol }: Where): Errno {
    return this.with === "tcp-reset" && (protocol !== ipproto.TCP || notProtocol) ? Errno.EINVAL : Errno.OK
  }

  bind(env: Environment): Action | Errno {
    if (env.reject === undefined) return Errno.EOPNOTSUPP
    const word = this.with
    return {
      run(packet) {
        env.reject!(packet, word)
        return Verdict.Drop
      }
    }
  }
}

export const kind: TargetKind = {
  name: "REJECT",
  families: [4, 6],
  tables: ["filter"],
  hooks: At.INPUT | At.FORWARD | At.OUTPUT,
  options: [{ name: "reject-with" }],
  parse(given, { family }) {
    const text = given.text("reject-with")
    if (text === null) {
      return new RejectTarget(family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable")
    }
    const type = TYPES[family].find((names) => names.some((name) => name.startsWith(text.toLowerCase())))
    if (type === undefined) throw new RuleError(`unknown reject type "${text}"`)
    return new RejectTarget(type[0])
  }
}
