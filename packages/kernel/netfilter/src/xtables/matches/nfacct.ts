/** nfacct: counts into a named object, always true (xt_nfacct.c). */
import { Errno } from "@podwire/netdev"
import type { Environment } from "../environment.ts"
import type { Match, MatchKind, Test } from "../extension.ts"
import { RuleError } from "../rule-error.ts"

const NAME_MAX = 31

export class NfacctMatch implements Match {
  readonly kind = kind
  readonly impure = true
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  print(): string {
    return ` --nfacct-name ${this.name}`
  }

  bind(env: Environment): Test | Errno {
    if (env.account === undefined) return Errno.EOPNOTSUPP
    const account = env.account(this.name)
    if (account === null) return Errno.ENOENT
    return {
      test(packet) {
        account.add(packet.lengthBytes)
        return true
      }
    }
  }
}

export const kind: MatchKind = {
  name: "nfacct",
  families: [4, 6],
  options: [{ name: "nfacct-name", mandatory: true }],
  parse(given) {
    const name = given.text("nfacct-name")!
    if (name.length > NAME_MAX) throw new RuleError(`nfacct: name too long (max ${NAME_MAX} characters)`)
    return new NfacctMatch(name)
  }
}
