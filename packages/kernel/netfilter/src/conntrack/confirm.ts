/**
 * The last hook (nf_confirm, at INPUT and POSTROUTING): what got this far is a connection. Both tuples of a
 * draft enter the index, unless another packet's draft was faster: then the clash is resolved, where the
 * protocol has no state to lose, or the packet is.
 *
 *   same tuples, or turned around            the entry there takes the packet, the draft goes
 *   only the original is taken               the draft enters by its reply, for one second
 *   else, and always with TCP, ICMP, SCTP    insert_failed: the packet is dropped
 */
import type { Frame } from "@podwire/netdev"
import { SECOND } from "@podwire/engine"
import * as ipproto from "@podwire/wire/ipproto"
import { Verdict } from "../verdict.ts"
import type { Conntrack } from "./conntrack.ts"
import { directionOf, Event, Status } from "./status.ts"
import type { Table } from "./table.ts"
import * as tuples from "./tuple.ts"

const ORIGINAL = tuples.create()
const REPLY = tuples.create()
const OTHER = tuples.create()

/** Drop leaves the frame with its caller, who ends it. */
export function confirm(conntrack: Conntrack, frame: Frame): Verdict {
  const { ct } = frame
  if (ct < 0) return Verdict.Accept
  const { table } = conntrack
  if ((table.status[ct]! & Status.CONFIRMED) === 0) {
    if (enter(conntrack, frame) === Verdict.Drop) return Verdict.Drop
  }
  if (table.pending[frame.ct] !== 0) conntrack.deliver(frame.ct)
  return Verdict.Accept
}

function enter(conntrack: Conntrack, frame: Frame): Verdict {
  // A reset or an error of this host about a packet that never got here: the draft is not its own.
  if (directionOf(frame.ctinfo) !== 0) return Verdict.Accept
  const { ct } = frame
  const { table, stats } = conntrack
  table.tuple(ct, 0, ORIGINAL)
  table.tuple(ct, 1, REPLY)
  const hash = tuples.hash(ORIGINAL)
  const replyHash = tuples.hash(REPLY)
  let other = conntrack.find(ORIGINAL, hash)
  if (other < 0) other = conntrack.find(REPLY, replyHash)
  if (other < 0) {
    conntrack.enter(ct, hash, replyHash)
    conntrack.note(ct, (table.status[ct]! & Status.EXPECTED) !== 0 ? Event.RELATED : Event.NEW)
    return Verdict.Accept
  }
  if (allowsClash(table.protocol(ct)) && resolve(conntrack, frame, other >> 1, replyHash)) {
    stats.clash_resolve++
    return Verdict.Accept
  }
  stats.drop++
  stats.insert_failed++
  return Verdict.Drop
}

function resolve(conntrack: Conntrack, frame: Frame, first: number, replyHash: number): boolean {
  if (merge(conntrack, frame, first)) return true
  const { ct } = frame
  const { table } = conntrack
  const byReply = conntrack.find(REPLY, replyHash)
  if (byReply >= 0) return merge(conntrack, frame, byReply >> 1)
  table.status[ct]! |= Status.FIXED_TIMEOUT | Status.NAT_CLASH
  table.deadlineNs[ct] = SECOND
  conntrack.enter(ct, null, replyHash)
  return true
}

/** The entry in the index is of the same flow: it takes packet and count (__nf_ct_resolve_clash). */
function merge(conntrack: Conntrack, frame: Frame, winner: number): boolean {
  const { table } = conntrack
  if (!isSame(table, winner, 0) && !isSame(table, winner, 1)) return false
  const loser = frame.ct
  const counters = table.counters
  if (counters !== null && (table.status[loser]! & Status.ACCT) !== 0) {
    conntrack.account(winner, directionOf(frame.ctinfo), counters[4 * loser + 1]!)
  }
  frame.ct = winner
  conntrack.discard(loser)
  return true
}

/** Its tuples are those of the draft, from `turn` 1 the other way around. */
function isSame(table: Table, winner: number, turn: 0 | 1): boolean {
  return tuples.equal(table.tuple(winner, turn, OTHER), ORIGINAL) &&
    tuples.equal(table.tuple(winner, turn === 0 ? 1 : 0, OTHER), REPLY)
}

/** l4proto->allow_clash: nothing is lost when two packets both thought that they were first. */
function allowsClash(protocol: number): boolean {
  const { TCP, ICMP, ICMPV6, SCTP } = ipproto
  return protocol !== TCP && protocol !== ICMP && protocol !== ICMPV6 && protocol !== SCTP
}
