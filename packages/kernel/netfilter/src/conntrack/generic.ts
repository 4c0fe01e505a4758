/**
 * Every other protocol (generic_packet): one flow between two hosts, ten minutes. GRE has its own timeouts
 * (nf_conntrack_gre_packet).
 * Approximated: SCTP flows are told apart by their ports, but have no states: they live as other protocols
 * do, and no packet of them is INVALID. DCCP is as any other protocol, as in Linux from 6.16 on.
 */
import type { Frame } from "@podwire/netdev"
import type { Conntrack } from "./conntrack.ts"
import { directionOf, Status } from "./status.ts"
import { GRE, type Place } from "./tuple.ts"
import { Track } from "./verdict.ts"

export function packet(conntrack: Conntrack, ct: number, ctinfo: number, frame: Frame, place: Place): Track {
  const { conf, table } = conntrack
  let seconds = conf.nf_conntrack_generic_timeout
  if (place.protocol === GRE) {
    seconds = conf.nf_conntrack_gre_timeout
    if ((table.status[ct]! & Status.SEEN_REPLY) !== 0) {
      seconds = conf.nf_conntrack_gre_timeout_stream
      conntrack.assure(ct)
    }
  }
  conntrack.refresh(ct, seconds)
  conntrack.account(ct, directionOf(ctinfo), place.end - frame.l3)
  return Track.Accept
}
