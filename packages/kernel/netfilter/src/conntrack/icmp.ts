/**
 * ICMP queries (nf_conntrack_icmp_packet): echo, timestamp, information and address mask open a flow, their
 * answers belong to it, also a second one. Errors are `related.ts`.
 */
import type { Frame } from "@podwire/netdev"
import * as icmp from "@podwire/wire/icmp"
import type { Conntrack } from "./conntrack.ts"
import { directionOf } from "./status.ts"
import type { Place } from "./tuple.ts"
import { Track } from "./verdict.ts"

/** 18, address mask reply: anything above is a mystery (NR_ICMP_TYPES; RFC 1122, section 3.2.2). */
export const TYPE_MAX = 18

export function packet(conntrack: Conntrack, ct: number, ctinfo: number, frame: Frame, place: Place): Track {
  const type = (conntrack.table.key(ct, 0) >>> 8) & 0xff
  if (place.family !== 4 || !opens(type)) return Track.Invalid
  conntrack.refresh(ct, conntrack.conf.nf_conntrack_icmp_timeout)
  conntrack.account(ct, directionOf(ctinfo), place.end - frame.l3)
  return Track.Accept
}

function opens(type: number): boolean {
  return type === icmp.ECHO_REQUEST || type === icmp.TIMESTAMP || type === 15 || type === 17
}
