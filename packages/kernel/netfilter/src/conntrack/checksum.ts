/**
 * Transport checksums, looked at once, on arrival (nf_checksum in the trackers' error functions): what this
 * host made, or has verified already, is right. Not supported: SCTP's CRC.
 */
import { Checksum, type Frame } from "@podwire/netdev"
import { finish, pseudo4, pseudo6, sum } from "@podwire/wire/checksum"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import { type Hook, PREROUTING } from "../hook.ts"
import type { Conntrack } from "./conntrack.ts"
import type { Place } from "./tuple.ts"

/** [l4, end) does not sum to nothing, and this is the time to ask. */
export function isWrong(conntrack: Conntrack, frame: Frame, place: Place, hook: Hook): boolean {
  return isPartWrong(conntrack, frame, place, hook, place.protocol, place.end)
}

/** The same of [l4, end), with a protocol in the pseudo header that need not be the packet's. */
export function isPartWrong(
  conntrack: Conntrack, frame: Frame, place: Place, hook: Hook, protocol: number, end: number
): boolean {
  if (hook !== PREROUTING || frame.csum !== Checksum.None) return false
  if (conntrack.conf.nf_conntrack_checksum === 0) return false
  const { bytes, words, l3 } = frame
  const { l4 } = place
  const count = place.end - l4
  let pseudo = 0
  if (place.family === 6) pseudo = pseudo6(bytes, l3 + ipv6.SRC, l3 + ipv6.DST, protocol, count, words)
  else if (protocol !== ipproto.ICMP) {
    pseudo = pseudo4(ipv4.src(bytes, l3), ipv4.dst(bytes, l3), protocol, count)
  }
  return finish(sum(bytes, l4, end, pseudo, words)) !== 0
}
