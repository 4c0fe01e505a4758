/**
 * NETMAP: one network onto another, host bits kept (xt_NETMAP.c). A mask that is no prefix counts as a
 * whole address.
 */
import { Errno } from "@podwire/netdev"
import { and, formatAddress, parseAddress, parseMask, prefixLength, prefixMask } from "../addresses.ts"
import { type Environment, Manip, NatFlag, type NatRange } from "../environment.ts"
import { type Action, At, type Family, type Target, type TargetKind } from "../extension.ts"
import { OUTPUT, PREROUTING } from "../../hook.ts"
import { RuleError } from "../rule-error.ts"

export class NetmapTarget implements Target {
  readonly kind = kind
  readonly range: NatRange

  constructor(range: NatRange) {
    this.range = range
  }

  print(): string {
    const { min, max } = this.range
    return ` --to ${formatAddress(min)}/${prefixLength(min.map((word, i) => ~(word ^ max[i]!)))}`
  }

  bind(env: Environment): Action | Errno {
    const { nat } = env
    if (nat === undefined) return Errno.EOPNOTSUPP
    const { range } = this
    return {
      run(packet) {
        const dst = packet.hook === PREROUTING || packet.hook === OUTPUT
        return nat.nat(packet, range, dst ? Manip.Dst : Manip.Src)
      }
    }
  }
}

function parse(text: string, family: Family): NatRange {
  const slash = text.indexOf("/")
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash), family)
  const given = slash < 0 ? prefixMask(128, family) : parseMask(text.slice(slash + 1), family)
  if (address === null || given === null) throw new RuleError(`NETMAP: bad value for option "--to"`)
  const mask = prefixLength(given) < 0 ? prefixMask(128, family) : given
  const min = and(address, mask)
  return {
    flags: NatFlag.Ips | NatFlag.Netmap, min, max: min.map((word, i) => word | ~mask[i]!), minPort: 0,
    maxPort: 0,
    basePort: 0
  }
}

export const kind: TargetKind = {
  name: "NETMAP",
  families: [4, 6],
  tables: ["nat"],
  hooks: At.PREROUTING | At.INPUT | At.OUTPUT | At.POSTROUTING,
  options: [{ name: "to", mandatory: true }],
  parse: (given, { family }) => new NetmapTarget(parse(given.text("to")!, family))
}
