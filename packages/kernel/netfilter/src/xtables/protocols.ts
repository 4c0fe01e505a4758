/**
 * Names of protocols: those of Debian's /etc/protocols, which its iptables reads and prints. Names: not
 * case-sensitive.
 */
import type { Family } from "./extension.ts"
import { parse as parseNumber } from "./numbers.ts"
import { RuleError } from "./rule-error.ts"

const NAMES = new Map<string, number>(
  ("ip:0 hopopt:0 icmp:1 igmp:2 ggp:3 ipencap:4 st:5 tcp:6 egp:8 igp:9 pup:12 udp:17 hmp:20 " +
    "xns-idp:22 rdp:27 iso-tp4:29 dccp:33 xtp:36 ddp:37 idpr-cmtp:38 ipv6:41 ipv6-route:43 " +
    "ipv6-frag:44 idrp:45 rsvp:46 gre:47 esp:50 ah:51 skip:57 ipv6-icmp:58 ipv6-nonxt:59 " +
    "ipv6-opts:60 rspf:73 vmtp:81 eigrp:88 ospf:89 ax.25:93 ipip:94 etherip:97 encap:98 pim:103 " +
    "ipcomp:108 vrrp:112 l2tp:115 isis:124 sctp:132 fc:133 mobility-header:135 udplite:136 " +
    "mpls-in-ip:137 manet:138 hip:139 shim6:140 wesp:141 rohc:142 ethernet:143").split(" ")
    .map((entry) => [entry.slice(0, entry.indexOf(":")), Number(entry.slice(entry.indexOf(":") + 1))])
)
const BY_NUMBER = new Map<number, string>()
for (const [name, number] of NAMES) if (number !== 0) BY_NUMBER.set(number, name)
/** What the tool knows besides (xtables_chain_protos). */
for (const [name, number] of [["icmpv6", 58], ["ipv6-mh", 135], ["mh", 135], ["all", 0]] as const) {
  NAMES.set(name, number)
}

export function parse(text: string, _family: Family): number {
  const number = parseNumber(text, 0, 255) ?? NAMES.get(text.toLowerCase())
  if (number === undefined) throw new RuleError(`unknown protocol "${text}" specified`)
  return number
}

export function format(number: number): string {
  return BY_NUMBER.get(number) ?? `${number}`
}

/** The match that a rule of this protocol loads without being asked. */
export function matchName(number: number): string | null {
  return BY_NUMBER.get(number) ?? null
}
