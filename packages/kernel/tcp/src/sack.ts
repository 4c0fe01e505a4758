/**
 * What the peer says of data behind a gap (RFC 2018), and of duplicates (RFC 2883): tcp_sacktag_write_queue
 * and its parts in net/ipv4/tcp_input.c.
 */
import type { Ns } from "@podwire/engine"
import type { Options } from "@podwire/wire/tcp-options"
import { Ca, type Connection } from "./connection.ts"
import { Flag } from "./flag.ts"
import { cut, dataOf } from "./output.ts"
import { advance } from "./rack.ts"
import { LOST, RETRANS, SACKED_ACKED, SACKED_RETRANS, type Sent } from "./rtx-queue.ts"
import { after, before, distance } from "./seq.ts"

const NONE: Ns = -1

/** One acknowledgement's findings (struct tcp_sacktag_state). A scratch: `begin` clears it. */
export class SackState {
  /** When the first and the last of the newly sacked, never retransmitted segments left. */
  firstNs: Ns = NONE
  lastNs: Ns = NONE
  /** The lowest sequence number that came out of order. */
  reord = 0
  /** Segments sacked, and retransmissions that a DSACK shows to have been needless: they arrived too. */
  sackDelivered = 0
  flag = 0
  /** `delivered` when the segment left that this acknowledgement is about (rate_sample). */
  priorDelivered = 0

  begin(sndNxt: number): this {
    this.firstNs = NONE
    this.lastNs = NONE
    this.reord = sndNxt
    this.sackDelivered = 0
    this.flag = 0
    this.priorDelivered = 0
    return this
  }

  get found(): boolean {
    return this.firstNs !== NONE
  }
}

/** Blocks of one segment, by start. */
const starts = new Int32Array(4)
const ends = new Int32Array(4)

/** tcp_sacktag_write_queue; its flags are in `state`. */
export function tag(c: Connection, ack: number, options: Options, priorUna: number, state: SackState): void {
  const { mib } = c.tcp
  const { sack, sackCount } = options
  if (c.sackedOut === 0) c.highestSack = c.sndUna
  const duplicate = checkDsack(c, ack, options, priorUna, state)
  if (before(ack, (priorUna - c.maxWindow) | 0) || c.packetsOut === 0) return
  let count = 0
  for (let i = 0; i < sackCount; i++) {
    const start = sack[2 * i]!
    const end = sack[2 * i + 1]!
    const isDsack = i === 0 && duplicate
    if (!isValid(c, isDsack, start, end)) {
      if (!isDsack) mib.TCPSACKDiscard++
      else if (c.hasUndoMarker) mib.TCPDSACKIgnoredOld++
      else mib.TCPDSACKIgnoredNoUndo++
      continue
    }
    if (!after(end, priorUna)) continue
    if (isDsack) {
      walk(c, start, end, true, state)
      continue
    }
    let at = count++
    for (; at > 0 && before(start, starts[at - 1]!); at--) {
      starts[at] = starts[at - 1]!
      ends[at] = ends[at - 1]!
    }
    starts[at] = start
    ends[at] = end
  }
  for (let i = 0; i < count; i++) walk(c, starts[i]!, ends[i]!, false, state)
  if (c.ca !== Ca.Loss || c.hasUndoMarker) checkReordering(c, state.reord, false)
}

function walk(c: Connection, start: number, end: number, duplicate: boolean, state: SackState): void {
  const { rtx } = c
  for (let i = rtx.find(start); i < rtx.length; i++) {
    const sent = rtx.at(i)
    if (!before(sent.seq, end)) break
    // A block that covers part of a segment: whole segments of today's size count (tcp_match_skb_to_sack).
    if (before(sent.seq, start) || after(sent.end, end)) {
      if (!partly(c, i, start, end)) continue
      if (before(rtx.at(i).seq, start)) continue
    }
    one(c, rtx.at(i), duplicate, state)
  }
}

/**
 * Cut a record that a block covers in part, at multiples of the segment size. False: there is nothing to
 * cut.
 */
function partly(c: Connection, index: number, start: number, end: number): boolean {
  const sent = c.rtx.at(index)
  const mss = c.mssCache
  const covered = before(sent.seq, start) ? distance(sent.seq, start) : distance(sent.seq, end)
  let count = covered - covered % mss
  if (before(sent.seq, start) && count < covered) count += mss
  if (count <= 0 || count >= dataOf(sent)) return false
  cut(c, index, count)
  return true
}

/** tcp_sacktag_one. */
function one(c: Connection, sent: Sent, duplicate: boolean, state: SackState): void {
  if (duplicate && (sent.sacked & RETRANS) !== 0) {
    if (c.hasUndoMarker && c.undoRetrans > 0 && after(sent.end, c.undoMarker)) c.undoRetrans--
    if ((sent.sacked & SACKED_ACKED) !== 0 && before(sent.seq, state.reord)) state.reord = sent.seq
  }
  if (!after(sent.end, c.sndUna)) return
  if ((sent.sacked & SACKED_ACKED) === 0) {
    if (sent.txDelivered > state.priorDelivered) state.priorDelivered = sent.txDelivered
    advance(c, sent)
    if ((sent.sacked & SACKED_RETRANS) !== 0) {
      if ((sent.sacked & LOST) !== 0) {
        sent.sacked &= ~(LOST | SACKED_RETRANS)
        c.lostOut--
        c.retransOut--
      }
    } else {
      if ((sent.sacked & RETRANS) === 0) fresh(c, sent, state)
      if ((sent.sacked & LOST) !== 0) {
        sent.sacked &= ~LOST
        c.lostOut--
      }
    }
    sent.sacked |= SACKED_ACKED
    state.flag |= Flag.DataSacked
    c.sackedOut++
    state.sackDelivered++
    if (after(sent.end, c.highestSack)) c.highestSack = sent.end
    c.rtx.unlist(sent)
  }
  if (duplicate && (sent.sacked & SACKED_RETRANS) !== 0) {
    sent.sacked &= ~SACKED_RETRANS
    c.retransOut--
  }
}

/** Never sent twice: its time tells the path's, and if something behind it came first, the path reorders. */
function fresh(c: Connection, sent: Sent, state: SackState): void {
  if (before(sent.seq, c.highestSack) && before(sent.seq, state.reord)) state.reord = sent.seq
  if (!after(sent.end, c.highSeq)) state.flag |= Flag.OrigSackAcked
  if (state.firstNs === NONE) state.firstNs = sent.sentNs
  state.lastNs = sent.sentNs
}

/** tcp_check_dsack: the first block is about a duplicate if it is acknowledged, or lies within the second. */
function checkDsack(c: Connection, ack: number, options: Options, priorUna: number, state: SackState): boolean {
  const { sack, sackCount } = options
  const start = sack[0]!
  const end = sack[1]!
  const { mib } = c.tcp
  if (before(start, ack)) mib.TCPDSACKRecv++
  else if (sackCount > 1 && !after(end, sack[3]!) && !before(start, sack[2]!)) mib.TCPDSACKOfoRecv++
  else return false
  const segments = dsackSeen(c, start, end, state)
  if (segments === 0) {
    mib.TCPDSACKIgnoredDubious++
    return false
  }
  mib.TCPDSACKRecvSegs += segments
  if (c.hasUndoMarker && c.undoRetrans > 0 && !after(end, priorUna) && after(end, c.undoMarker)) {
    c.undoRetrans = Math.max(0, c.undoRetrans - segments)
  }
  return true
}

/** tcp_dsack_seen: how many segments the duplicate stands for; 0 if it cannot be. */
function dsackSeen(c: Connection, start: number, end: number, state: SackState): number {
  if (!before(start, end)) return 0
  const bytes = distance(start, end)
  if (bytes > c.maxWindow) return 0
  let segments = 1
  if (bytes > c.mssCache) segments = Math.ceil(bytes / c.mssCache)
  else if (c.hasTlp && c.tlpHighSeq === end) state.flag |= Flag.DsackTlp
  c.dsackDups += segments
  if (c.dsackDups > c.totalRetrans) return 0
  if (c.reordSeen > 0 && (state.flag & Flag.DsackTlp) === 0) c.rackDsackSeen = true
  state.flag |= Flag.DsackingAck
  state.sackDelivered += segments
  return segments
}

/** tcp_is_sackblock_valid. */
function isValid(c: Connection, duplicate: boolean, start: number, end: number): boolean {
  if (after(end, c.sndNxt) || !before(start, end)) return false
  if (!before(start, c.sndNxt)) return false
  if (after(start, c.sndUna)) return true
  if (!duplicate || !c.hasUndoMarker) return false
  if (after(end, c.sndUna)) return false
  if (!before(start, c.undoMarker)) return true
  if (!after(end, c.undoMarker)) return false
  return !before(start, (end - c.maxWindow) | 0)
}

/** tcp_check_sack_reordering: how far the path reorders, in segments. */
export function checkReordering(c: Connection, low: number, byTimestamp: boolean): void {
  const highest = c.sackedOut === 0 ? c.sndUna : c.highestSack
  if (!before(low, highest)) return
  const metric = distance(low, highest)
  const mss = c.mssCache
  if (metric > c.reordering * mss) {
    c.reordering = Math.min(Math.ceil(metric / mss), c.tcp.ns.sysctl.globals.tcp_max_reordering)
  }
  c.reordSeen++
  if (byTimestamp) c.tcp.mib.TCPTSReorder++
  else c.tcp.mib.TCPSACKReorder++
}
