/**
 * UDP flows (nf_conntrack_udp_packet): a short life, and a longer one, assured, once packets of a flow that
 * has been answered are seen more than two seconds after its first. UDP-Lite is tracked likewise, without
 * the wait; of its checksum Linux asks what UDP's would be, so that one that is right is INVALID on
 * arrival.
 */
import { SECOND } from "@podwire/engine"
import type { Frame } from "@podwire/netdev"
import * as ipproto from "@podwire/wire/ipproto"
import * as udp from "@podwire/wire/udp"
import type { Hook } from "../hook.ts"
import { isPartWrong, isWrong } from "./checksum.ts"
import type { Conntrack } from "./conntrack.ts"
import { directionOf, Status } from "./status.ts"
import { PROTO_WORDS } from "./table.ts"
import type { Place } from "./tuple.ts"
import { Track } from "./verdict.ts"

const STREAM_AFTER = 2 * SECOND
/** Column of `proto64`: from when on a flow counts as a stream. */
const STREAM = 0

/** The header, its length field and its sum (udp_error). */
export function isMalformed(conntrack: Conntrack, frame: Frame, place: Place, hook: Hook): boolean {
  const { bytes } = frame
  const { l4, end } = place
  if (udp.check(bytes, l4, end) !== udp.Fault.None) return true
  if (udp.checksum(bytes, l4) === 0) return false
  // Octets behind what the length field says are summed too, as Linux's nf_checksum does it.
  return isWrong(conntrack, frame, place, hook)
}

/** Coverage in place of a length, and a checksum that must be there (udplite_error). */
export function isMalformedLite(conntrack: Conntrack, frame: Frame, place: Place, hook: Hook): boolean {
  const { bytes } = frame
  const { l4, end } = place
  if (end - l4 < udp.HEADER_BYTES) return true
  const field = udp.length(bytes, l4)
  const coverage = field === 0 ? end - l4 : field
  if (coverage < udp.HEADER_BYTES || coverage > end - l4 || udp.checksum(bytes, l4) === 0) return true
  return isPartWrong(conntrack, frame, place, hook, ipproto.UDP, l4 + coverage)
}

export function packet(conntrack: Conntrack, ct: number, ctinfo: number, frame: Frame, place: Place): Track {
  const { table, conf } = conntrack
  const status = table.status[ct]!
  const nowNs = conntrack.engine.nowNs
  const at = ct * (PROTO_WORDS >> 1) + STREAM
  // UDP-Lite does not wait: an answer makes a stream.
  const waits = place.protocol === ipproto.UDP
  if (waits && (status & Status.CONFIRMED) === 0) table.proto64[at] = nowNs + STREAM_AFTER
  let seconds = conf.nf_conntrack_udp_timeout
  const lasts = !waits || nowNs > table.proto64[at]!
  if ((status & Status.SEEN_REPLY) !== 0 && lasts) {
    seconds = conf.nf_conntrack_udp_timeout_stream
    conntrack.assure(ct)
  }
  conntrack.refresh(ct, seconds)
  conntrack.account(ct, directionOf(ctinfo), place.end - frame.l3)
  return Track.Accept
}
