/**
 * TCPMSS: lower the MSS option of a SYN (xt_TCPMSS.c); it never raises it. Not supported: adding the option
 * to a SYN that has none, which is left as it is.
 */
import { Checksum, Errno } from "@podwire/netdev"
import { get16, set16 } from "@podwire/wire/bytes"
import { replace16 } from "@podwire/wire/checksum"
import * as ipproto from "@podwire/wire/ipproto"
import * as tcp from "@podwire/wire/tcp"
import type { Environment, RoutingView } from "../environment.ts"
import { type Action, At, CONTINUE, type Target, type TargetKind, type Where } from "../extension.ts"
import { TcpMatch } from "../matches/tcp.ts"
import type { Packet } from "../packet.ts"
import { RuleError } from "../rule-error.ts"
import { Verdict } from "../../verdict.ts"

const MSS_KIND = 2
const MSS_BYTES = 4

export class TcpmssTarget implements Target {
  readonly kind = kind
  /** Null: as the path allows. */
  readonly mss: number | null

  constructor(mss: number | null) {
    this.mss = mss
  }

  print(): string {
    return this.mss === null ? " --clamp-mss-to-pmtu" : ` --set-mss ${this.mss}`
  }

  check({ hooks, matches }: Where): Errno {
    const out = At.FORWARD | At.OUTPUT | At.POSTROUTING
    if (this.mss === null && (hooks & ~out) !== 0) return Errno.EINVAL
    const syn = matches.some((match) => match instanceof TcpMatch && (match.flags & tcp.SYN) !== 0 &&
      !match.notFlags)
    return syn ? Errno.OK : Errno.EINVAL
  }

  bind(env: Environment): Action | Errno {
    if (this.mss !== null) return new Bound(this.mss, null)
    return env.routing === undefined ? Errno.EOPNOTSUPP : new Bound(0, env.routing)
  }
}

class Bound implements Action {
  readonly #mss: number
  readonly #routing: RoutingView | null

  constructor(mss: number, routing: RoutingView | null) {
    this.#mss = mss
    this.#routing = routing
  }

  run(packet: Packet): number {
    const { bytes, l4, frame, end } = packet
    if (packet.fragmentOffset !== 0) return CONTINUE
    const headerBytes = end - l4 < tcp.HEADER_BYTES_MIN ? 0 : tcp.dataOffsetBytes(bytes, l4)
    if (headerBytes < tcp.HEADER_BYTES_MIN || headerBytes > end - l4) return Verdict.Drop
    let mss = this.#mss
    if (this.#routing !== null) {
      const overhead = (packet.family === 4 ? 20 : 40) + tcp.HEADER_BYTES_MIN
      mss = this.#routing.mtuBytes(packet) - overhead
      if (mss <= 0) return Verdict.Drop
    }
    for (let at = l4 + tcp.HEADER_BYTES_MIN; at + MSS_BYTES <= l4 + headerBytes;) {
      const option = bytes[at]!
      if (option === MSS_KIND && bytes[at + 1] === MSS_BYTES) {
        const old = get16(bytes, at + 2)
        if (old <= mss) return CONTINUE
        set16(bytes, at + 2, mss)
        if (frame.csum !== Checksum.Partial) {
          // At an odd place the octets of the change lie in two words of the sum.
          const odd = ((at + 2 - l4) & 1) !== 0
          const from = odd ? swap(old) : old
          const to = odd ? swap(mss) : mss
          set16(bytes, l4 + 16, replace16(get16(bytes, l4 + 16), from, to))
        }
        return CONTINUE
      }
      at += option < 2 ? 1 : bytes[at + 1]! || 1
    }
    return CONTINUE
  }
}

function swap(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8)
}

export const kind: TargetKind = {
  name: "TCPMSS",
  families: [4, 6],
  protocol: ipproto.TCP,
  options: [{ name: "set-mss" }, { name: "clamp-mss-to-pmtu", flag: true }],
  parse(given, { family }) {
    const mss = given.number("set-mss", 0, 0xffff - (family === 4 ? 20 : 40))
    if (given.has("clamp-mss-to-pmtu")) return new TcpmssTarget(null)
    if (mss === null) throw new RuleError("TCPMSS target: At least one parameter is required")
    return new TcpmssTarget(mss)
  }
}
