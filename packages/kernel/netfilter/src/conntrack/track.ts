/**
 * Which flow a packet is of (nf_conntrack_in), at PREROUTING and OUTPUT: finds its entry or drafts one,
 * lets the protocol's tracker judge, and notes entry and relation in the frame.
 *
 *   ct >= 0                    NEW, ESTABLISHED, RELATED, by `ctinfo`
 *   ct -1, ctinfo UNTRACKED    UNTRACKED: it was told so before (NOTRACK), or is of the link only
 *   ct -1 otherwise            INVALID
 *
 * The packet is whole: fragments are reassembled before. Not supported: helpers and expectations,
 * templates, zones.
 */
import type { Frame } from "@podwire/netdev"
import * as ipproto from "@podwire/wire/ipproto"
import type { Hook } from "../hook.ts"
import { Verdict } from "../verdict.ts"
import { isWrong } from "./checksum.ts"
import type { Conntrack } from "./conntrack.ts"
import * as generic from "./generic.ts"
import * as icmp from "./icmp.ts"
import * as icmpv6 from "./icmpv6.ts"
import * as related from "./related.ts"
import { Ctinfo, Event, Status } from "./status.ts"
import * as tcp from "./tcp.ts"
import * as tuples from "./tuple.ts"
import * as udp from "./udp.ts"
import { Track } from "./verdict.ts"

const PLACE = new tuples.Place()
const TUPLE = tuples.create()
const REPLY = tuples.create()

/** Drop leaves the frame with its caller, who ends it. */
export function track(conntrack: Conntrack, frame: Frame, hook: Hook): Verdict {
  // Looped back, or told not to be tracked: once is enough.
  if (frame.ct >= 0 || frame.ctinfo === Ctinfo.UNTRACKED) return Verdict.Accept
  frame.ctinfo = Ctinfo.ESTABLISHED
  const place = PLACE
  if (!tuples.locate(frame.bytes, frame.l3, frame.tail, place)) {
    conntrack.stats.invalid++
    return Verdict.Accept
  }
  if (place.protocol === ipproto.ICMP || place.protocol === ipproto.ICMPV6) {
    if (related.message(conntrack, frame, place, hook) !== Track.Accept) return Verdict.Accept
    if (frame.ct >= 0 || frame.ctinfo === Ctinfo.UNTRACKED) return Verdict.Accept
  }
  for (;;) {
    if (!resolve(conntrack, frame, place)) {
      conntrack.stats.drop++
      return Verdict.Drop
    }
    if (frame.ct < 0) {
      conntrack.stats.invalid++
      return Verdict.Accept
    }
    const verdict = packet(conntrack, frame, place, hook)
    if (verdict === Track.Accept) break
    const { ct } = frame
    frame.ct = -1
    frame.ctinfo = Ctinfo.ESTABLISHED
    if (ct >= 0) conntrack.discard(ct)
    if (verdict === Track.Repeat) continue
    conntrack.stats.invalid++
    return Verdict.Accept
  }
  const { ct } = frame
  if (frame.ctinfo === Ctinfo.ESTABLISHED_REPLY && (conntrack.table.status[ct]! & Status.SEEN_REPLY) === 0) {
    conntrack.table.status[ct]! |= Status.SEEN_REPLY
    conntrack.note(ct, Event.REPLY)
  }
  return Verdict.Accept
}

/**
 * Entry and relation by the tuple alone (resolve_normal_ct); false when there was no room for a new one.
 */
function resolve(conntrack: Conntrack, frame: Frame, place: tuples.Place): boolean {
  if (!tuples.read(frame.bytes, frame.l3, place, TUPLE)) return true
  const hash = tuples.hash(TUPLE)
  const found = conntrack.find(TUPLE, hash)
  if (found < 0) {
    if (!tuples.invert(TUPLE, REPLY)) return true
    const ct = conntrack.draft(TUPLE, REPLY, hash, frame)
    if (ct < 0) return false
    frame.ct = ct
    frame.ctinfo = Ctinfo.NEW
    return true
  }
  const ct = found >> 1
  const status = conntrack.table.status[ct]!
  frame.ct = ct
  if ((found & 1) !== 0) frame.ctinfo = Ctinfo.ESTABLISHED_REPLY
  else if ((status & Status.SEEN_REPLY) !== 0) frame.ctinfo = Ctinfo.ESTABLISHED
  else frame.ctinfo = (status & Status.EXPECTED) !== 0 ? Ctinfo.RELATED : Ctinfo.NEW
  return true
}

function packet(conntrack: Conntrack, frame: Frame, place: tuples.Place, hook: Hook): Track {
  const { ct, ctinfo } = frame
  switch (place.protocol) {
    case ipproto.TCP: {
      const bad = tcp.isMalformed(frame.bytes, place) || isWrong(conntrack, frame, place, hook)
      return bad ? Track.Invalid : tcp.packet(conntrack, ct, ctinfo, frame, place)
    }
    case ipproto.UDP: {
      const bad = udp.isMalformed(conntrack, frame, place, hook)
      return bad ? Track.Invalid : udp.packet(conntrack, ct, ctinfo, frame, place)
    }
    case tuples.UDPLITE: {
      const bad = udp.isMalformedLite(conntrack, frame, place, hook)
      return bad ? Track.Invalid : udp.packet(conntrack, ct, ctinfo, frame, place)
    }
    case ipproto.ICMP:
      return icmp.packet(conntrack, ct, ctinfo, frame, place)
    case ipproto.ICMPV6:
      return icmpv6.packet(conntrack, ct, ctinfo, frame, place)
    default:
      return generic.packet(conntrack, ct, ctinfo, frame, place)
  }
}

/**
 * An answer that this host makes to `frame` (a reset, an ICMP error) is of its flow (nf_conntrack_attach).
 */
export function attach(answer: Frame, frame: Frame): void {
  answer.ct = frame.ct
  answer.ctinfo = frame.ctinfo < Ctinfo.IS_REPLY ? Ctinfo.RELATED_REPLY : Ctinfo.RELATED
}
