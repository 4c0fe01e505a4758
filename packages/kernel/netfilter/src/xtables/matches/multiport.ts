/** multiport: up to fifteen ports, of which a range takes two (xt_multiport.c). */
import { Errno } from "@podwire/netdev"
import { get16 } from "@podwire/wire/bytes"
import * as ipproto from "@podwire/wire/ipproto"
import type { Match, MatchKind, Selector, Test, Where } from "../extension.ts"
import type { Given } from "../options.ts"
import type { Packet } from "../packet.ts"
import { parsePort, type Range, within } from "../ports.ts"
import { RuleError } from "../rule-error.ts"

const PORTS_MAX = 15
const DCCP = 33
const UDPLITE = 136
const PROTOCOLS: ReadonlyArray<number> = [ipproto.TCP, ipproto.UDP, UDPLITE, ipproto.SCTP, DCCP]
const OPTIONS = [["source-ports", "sports"], ["destination-ports", "dports"], ["ports", "ports"]] as const
type Which = (typeof OPTIONS)[number][1]

function parsePorts(text: string): ReadonlyArray<Range> {
  const ranges: Array<Range> = []
  let count = 0
  for (const part of text.split(",")) {
    const [low, high, ...more] = part.split(":")
    count += high === undefined ? 1 : 2
    if (count > PORTS_MAX) throw new RuleError("too many ports specified")
    const min = parsePort(low!)
    const max = high === undefined ? min : parsePort([high, ...more].join(":"))
    if (high !== undefined && min >= max) throw new RuleError("invalid portrange specified")
    ranges.push({ min, max })
  }
  return ranges
}

export class MultiportMatch implements Match, Test {
  readonly kind = kind
  readonly which: Which
  readonly ranges: ReadonlyArray<Range>
  readonly inverted: boolean

  constructor(option: string, which: Which, given: Given) {
    this.which = which
    this.ranges = parsePorts(given.text(option)!)
    this.inverted = given.inverted(option)
  }

  print(): string {
    const ports = this.ranges.map(({ min, max }) => min === max ? `${min}` : `${min}:${max}`).join(",")
    return ` ${this.inverted ? "! " : ""}--${this.which} ${ports}`
  }

  check({ protocol, notProtocol }: Where): Errno {
    return notProtocol || !PROTOCOLS.includes(protocol) ? Errno.EINVAL : Errno.OK
  }

  bind(): Test {
    return this
  }

  test(packet: Packet): boolean {
    if (packet.fragmentOffset !== 0) return false
    const { bytes, l4 } = packet
    if (packet.end - l4 < 4) {
      packet.hotdrop = true
      return false
    }
    const src = get16(bytes, l4)
    const dst = get16(bytes, l4 + 2)
    for (let i = 0; i < this.ranges.length; i++) {
      const range = this.ranges[i]!
      if (this.which !== "dports" && within(range, src)) return !this.inverted
      if (this.which !== "sports" && within(range, dst)) return !this.inverted
    }
    return this.inverted
  }
}

function parse(given: Given, { protocol, notProtocol }: Selector): Match {
  const option = OPTIONS.find(([name]) => given.has(name))
  if (protocol === 0 || notProtocol) {
    throw new RuleError("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'")
  }
  if (!PROTOCOLS.includes(protocol)) {
    throw new RuleError("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP")
  }
  if (option === undefined) throw new RuleError("multiport expection an option")
  return new MultiportMatch(option[0], option[1], given)
}

export const kind: MatchKind = {
  name: "multiport",
  families: [4, 6],
  options: [
    { name: "source-ports", invert: true, excl: ["destination-ports", "ports"] },
    { name: "sports", as: "source-ports", invert: true },
    { name: "source-port", as: "source-ports", invert: true },
    { name: "destination-ports", invert: true, excl: ["ports"] },
    { name: "dports", as: "destination-ports", invert: true },
    { name: "destination-port", as: "destination-ports", invert: true },
    { name: "ports", invert: true }, { name: "port", as: "ports", invert: true }
  ],
  parse
}
