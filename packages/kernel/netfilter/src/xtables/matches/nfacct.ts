/** nfacct: counts into a named object, always true (xt_nfacct.c). */
import { Errno } from "@podwire/netdev"
import type { Environment } from "../environment.ts"
import type { Match, MatchKind, Test } from "../extension.ts"
import { quote } from "../words.ts"

export class NfacctMatch implements Match {
  readonly kind = kind
  readonly impure = true
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  print(): string {
    // Two spaces: so does the tool.
    return ` --nfacct-name  ${quote(this.name)}`
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
  parse: (given) => new NfacctMatch(given.text("nfacct-name")!)
}
