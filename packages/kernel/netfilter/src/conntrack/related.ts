/**
 * Which connection an ICMP or ICMPv6 error, or an IPv6 redirect, is about: that of the packet that it
 * quotes, turned around (nf_conntrack_inet_error). Whoever sends it, it must go to the end that the entry
 * says; else it is INVALID.
 */
import type { Frame } from "@podwire/netdev"
import { get32 } from "@podwire/wire/bytes"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import type { Hook } from "../hook.ts"
import { isWrong } from "./checksum.ts"
import type { Conntrack } from "./conntrack.ts"
import { TYPE_MAX } from "./icmp.ts"
import { isUntracked } from "./icmpv6.ts"
import { Ctinfo } from "./status.ts"
import * as tuples from "./tuple.ts"
import { Track } from "./verdict.ts"

/** A redirect's fixed part: target and destination behind the header (RFC 4861, section 4.5). */
const REDIRECT_BYTES = 40
const REDIRECTED_HEADER = 4

const QUOTED = new tuples.Place()
const TUPLE = tuples.create()
const TURNED = tuples.create()

/**
 * ICMP of either family before its own flow is looked for (nf_conntrack_handle_icmp). Accept with
 * `frame.ct` set, or with UNTRACKED, is the answer already; Accept without is a query.
 */
export function message(conntrack: Conntrack, frame: Frame, place: tuples.Place, hook: Hook): Track {
  const { family, protocol } = place
  let verdict: Track = Track.Accept
  if (family === 4 && protocol === ipproto.ICMP) verdict = message4(conntrack, frame, place, hook)
  else if (family === 6 && protocol === ipproto.ICMPV6) verdict = message6(conntrack, frame, place, hook)
  if (verdict !== Track.Accept) conntrack.stats.error++
  return verdict
}

function message4(conntrack: Conntrack, frame: Frame, place: tuples.Place, hook: Hook): Track {
  const { l4, end } = place
  if (end - l4 < icmp.HEADER_BYTES || isWrong(conntrack, frame, place, hook)) return Track.Invalid
  const type = icmp.type(frame.bytes, l4)
  if (type > TYPE_MAX) return Track.Invalid
  return icmp.isError(type) ? quoted(conntrack, frame, l4 + icmp.HEADER_BYTES, end) : Track.Accept
}

function message6(conntrack: Conntrack, frame: Frame, place: tuples.Place, hook: Hook): Track {
  const { l4, end } = place
  if (end - l4 < icmp6.HEADER_BYTES || isWrong(conntrack, frame, place, hook)) return Track.Invalid
  const type = icmp6.type(frame.bytes, l4)
  if (isUntracked(type)) {
    frame.ct = -1
    frame.ctinfo = Ctinfo.UNTRACKED
    return Track.Accept
  }
  if (type === icmp6.REDIRECT) return redirect(conntrack, frame, place)
  return icmp6.isError(type) ? quoted(conntrack, frame, l4 + icmp6.HEADER_BYTES, end) : Track.Accept
}

function redirect(conntrack: Conntrack, frame: Frame, place: tuples.Place): Track {
  const { bytes, l3 } = frame
  const { l4, end } = place
  if (end - l4 < REDIRECT_BYTES) return Track.Invalid
  if (icmp6.code(bytes, l4) !== 0) return Track.Accept
  const linkLocal = get32(bytes, l3 + ipv6.SRC) >>> 22 === 0x3fa
  if (ipv6.hopLimit(bytes, l3) !== 255 || !linkLocal) return Track.Invalid
  const option = l4 + REDIRECT_BYTES
  if (option + 2 > end || bytes[option + 1] === 0) return Track.Invalid
  if (bytes[option] !== REDIRECTED_HEADER) return Track.Accept
  return quoted(conntrack, frame, option + 8, end)
}

function quoted(conntrack: Conntrack, frame: Frame, at: number, end: number): Track {
  const { bytes, l3 } = frame
  if (!tuples.locate(bytes, at, end, QUOTED) || !tuples.read(bytes, at, QUOTED, TUPLE)) return Track.Invalid
  if (!tuples.invert(TUPLE, TURNED)) return Track.Invalid
  const found = conntrack.find(TURNED, tuples.hash(TURNED))
  if (found < 0) return Track.Invalid
  // What was found has the tuple that was looked for: its destination is where the error must go.
  const six = bytes[l3]! >>> 4 === 6
  for (let i = 0; i < (six ? 4 : 1); i++) {
    const word = six ? ipv6.dstWord(bytes, l3, i) : ipv4.dst(bytes, l3)
    if (word !== TURNED[tuples.DST + i]) return Track.Invalid
  }
  frame.ct = found >> 1
  frame.ctinfo = (found & 1) === 0 ? Ctinfo.RELATED : Ctinfo.RELATED_REPLY
  return Track.Accept
}
