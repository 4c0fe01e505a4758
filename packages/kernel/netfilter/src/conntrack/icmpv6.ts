/**
 * ICMPv6 queries (nf_conntrack_icmpv6_packet): echo and node information. Neighbour and router discovery
 * and multicast listener messages are of a link, not of a flow: untracked. Errors and redirects are
 * `related.ts`.
 */
import type { Frame } from "@podwire/netdev"
import * as icmp6 from "@podwire/wire/icmp6"
import type { Conntrack } from "./conntrack.ts"
import { directionOf } from "./status.ts"
import type { Place } from "./tuple.ts"
import { Track } from "./verdict.ts"

const NODE_INFORMATION_QUERY = 139

export function packet(conntrack: Conntrack, ct: number, ctinfo: number, frame: Frame, place: Place): Track {
  const type = (conntrack.table.key(ct, 0) >>> 8) & 0xff
  const opens = type === icmp6.ECHO_REQUEST || type === NODE_INFORMATION_QUERY
  if (place.family !== 6 || !opens) return Track.Invalid
  conntrack.refresh(ct, conntrack.conf.nf_conntrack_icmpv6_timeout)
  conntrack.account(ct, directionOf(ctinfo), place.end - frame.l3)
  return Track.Accept
}

/** Of the link only (noct_valid_new): queries and reports of listeners, discovery; not redirects. */
export function isUntracked(type: number): boolean {
  return (type >= icmp6.MLD_QUERY && type <= icmp6.NEIGHBOR_ADVERTISEMENT) || type === icmp6.MLD2_REPORT
}
