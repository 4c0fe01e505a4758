/** The matches that there are, by name; and the names of those that only the real tools know. */
import type { Family, MatchKind } from "../extension.ts"
import * as addrtype from "./addrtype.ts"
import * as comment from "./comment.ts"
import * as connmark from "./connmark.ts"
import * as conntrack from "./conntrack.ts"
import * as hashlimit from "./hashlimit.ts"
import * as hl from "./hl.ts"
import * as icmp from "./icmp.ts"
import * as icmp6 from "./icmp6.ts"
import * as length from "./length.ts"
import * as limit from "./limit.ts"
import * as mac from "./mac.ts"
import * as mark from "./mark.ts"
import * as multiport from "./multiport.ts"
import * as nfacct from "./nfacct.ts"
import * as physdev from "./physdev.ts"
import * as recent from "./recent.ts"
import * as rpfilter from "./rpfilter.ts"
import * as sctp from "./sctp.ts"
import * as set from "./set.ts"
import * as state from "./state.ts"
import * as statistic from "./statistic.ts"
import * as tcp from "./tcp.ts"
import * as ttl from "./ttl.ts"
import * as udp from "./udp.ts"

export const MATCHES: ReadonlyArray<MatchKind> = [
  addrtype, comment, connmark, conntrack, hashlimit, hl, icmp, icmp6, length, limit, mac, mark, multiport,
  nfacct,
  physdev, recent, rpfilter, sctp, set, state, statistic, tcp, ttl, udp
].map(({ kind }) => kind)

const BY_NAME = new Map<string, MatchKind>()
for (const kind of MATCHES) for (const name of [kind.name, ...kind.aliases ?? []]) BY_NAME.set(name, kind)

/** Matches of iptables 1.8.9 that are refused by name: not supported. */
export const UNSUPPORTED: ReadonlySet<string> = new Set([
  "ah", "bpf", "cgroup", "cluster", "connbytes", "connlabel", "connlimit", "cpu", "dccp", "devgroup",
  "dscp", "dst",
  "ecn", "esp", "eui64", "frag", "hbh", "helper", "ipcomp", "iprange", "ipv6header", "ipvs", "mh", "osf",
  "owner",
  "pkttype", "policy", "quota", "rateest", "realm", "rt", "socket", "srh", "string", "tcpmss", "time",
  "tos", "u32",
  "udplite"
])

export function findMatch(name: string, family: Family): MatchKind | null {
  const kind = BY_NAME.get(name)
  return kind !== undefined && kind.families.includes(family) ? kind : null
}
