/**
 * What arrives and what we owe for it (tcp_data_queue, tcp_fin, tcp_event_data_recv, __tcp_ack_snd_check):
 * octets in order, octets that came early, duplicates, and acknowledgements at once, later or for several.
 */
import { DropReason } from "@podwire/netdev"
import * as wire from "@podwire/wire/tcp"
import { AckPending, ATO_MIN_NS, type Connection } from "./connection.ts"
import * as ecn from "./ecn.ts"
import { sendAck, sendDelayedAck } from "./output.ts"
import type { Segment } from "./segment.ts"
import { after, before } from "./seq.ts"
import { Input, next, State } from "./state.ts"
import { restAfterFin, TIMEWAIT_NS } from "./time-wait.ts"
import * as window from "./window.ts"

/** TCP_MAX_QUICKACKS. */
const QUICKACKS_MAX = 16
/** A marked segment: its sender may have little left to send. */
const ECN_QUICKACKS = 2
/** Duplicates acknowledged one by one before they are compressed (TCP_FASTRETRANS_THRESH). */
const DUPACKS_AT_ONCE = 3
/** Less is too little to open the window for (tcp_event_data_recv). */
const GROW_BYTES_MIN = 128

/** tcp_data_queue. */
export function takeData(c: Connection, segment: Segment): DropReason {
  if (segment.seq === segment.end) return DropReason.NOT_SPECIFIED
  c.queue.dsack = false
  if (ecn.dataArrives(c, segment)) enterQuickAck(c, ECN_QUICKACKS)
  if (segment.dataBytes > 0) c.dataSegsIn++
  if (segment.seq === c.rcvNxt) {
    if (c.receiveWindow === 0 && !(segment.dataBytes === 0 && segment.has(wire.FIN))) {
      c.tcp.mib.TCPZeroWindowDrop++
      return outOfWindow(c, DropReason.TCP_ZEROWINDOW)
    }
    return inOrder(c, segment, segment.dataAt)
  }
  if (!after(segment.end, c.rcvNxt)) {
    c.tcp.mib.DelayedACKLost++
    duplicate(c, segment.seq, segment.end)
    return outOfWindow(c, DropReason.TCP_OLD_DATA)
  }
  if (!before(segment.seq, (c.rcvNxt + c.receiveWindow) | 0)) return outOfWindow(c, DropReason.TCP_OVERWINDOW)
  if (before(segment.seq, c.rcvNxt)) {
    duplicate(c, segment.seq, c.rcvNxt)
    if (c.receiveWindow === 0) return outOfWindow(c, DropReason.TCP_ZEROWINDOW)
    return inOrder(c, segment, segment.dataAt + ((c.rcvNxt - segment.seq) | 0))
  }
  return early(c, segment)
}

function outOfWindow(c: Connection, reason: DropReason): DropReason {
  enterQuickAck(c)
  c.ackPending |= AckPending.Scheduled
  return reason
}

/** From `at` on it continues what we have. */
function inOrder(c: Connection, segment: Segment, at: number): DropReason {
  const { queue } = c
  const bytes = segment.dataEnd - at
  if (bytes > 0 && !hasRoom(c, segment.seq)) {
    c.tcp.mib.TCPRcvQDrop++
    return outOfWindow(c, DropReason.PROTO_MEM)
  }
  if (bytes > 0) {
    queue.append(c.copiedSeq, c.rcvNxt, segment.frame!.bytes, at, segment.dataEnd)
    c.rcvNxt = (c.rcvNxt + bytes) | 0
    c.bytesReceived += bytes
    dataReceived(c, segment)
  }
  if (segment.has(wire.FIN)) {
    c.rcvNxt = (c.rcvNxt + 1) | 0
    takeFin(c)
    return DropReason.NOT_SPECIFIED
  }
  if (queue.hasGaps) {
    let reached = queue.join(c.rcvNxt, reports(c))
    // What comes behind a FIN is nobody's.
    const ends = c.earlyFin && after(reached, c.earlyFinSeq)
    if (ends) reached = (c.earlyFinSeq + 1) | 0
    c.bytesReceived += ((reached - c.rcvNxt) | 0) - (ends ? 1 : 0)
    c.rcvNxt = reached
    // RFC 5681, section 4.2: at once, when a gap is filled.
    if (!queue.hasGaps) c.ackPending |= AckPending.Now
    if (ends) {
      takeFin(c)
      return DropReason.NOT_SPECIFIED
    }
  }
  if (bytes > 0) c.wakeUp()
  return DropReason.NOT_SPECIFIED
}

/** tcp_data_queue_ofo: behind a gap. */
function early(c: Connection, segment: Segment): DropReason {
  const { queue } = c
  c.ackPending |= AckPending.Scheduled
  if (!hasRoom(c, segment.seq)) {
    c.tcp.mib.TCPOFODrop++
    return DropReason.PROTO_MEM
  }
  window.measureMss(c, segment.dataBytes, segment.headerBytes, segment.has(wire.PSH))
  const kept = queue.early(
    c.copiedSeq, c.rcvNxt, segment.seq, segment.end, segment.frame!.bytes, segment.dataAt, segment.dataEnd, reports(c)
  )
  if (!kept) {
    c.tcp.mib.TCPOFODrop++
    return DropReason.TCP_OFO_DROP
  }
  c.oooPackets++
  c.tcp.mib.TCPOFOQueue++
  if (queue.dsack) {
    c.tcp.mib.TCPDSACKOfoSent++
    if (queue.dsackStart === segment.seq && queue.dsackEnd === segment.end) c.tcp.mib.TCPOFOMerge++
  }
  if (segment.has(wire.FIN)) {
    c.earlyFin = true
    c.earlyFinSeq = (segment.end - 1) | 0
  }
  if (!c.sackOk) queue.sackCount = 0
  else window.grow(c, segment.dataBytes)
  return DropReason.NOT_SPECIFIED
}

/** tcp_can_ingest, and what is tried before a segment is refused (tcp_prune_queue). */
function hasRoom(c: Connection, seq: number): boolean {
  const { queue } = c
  if (queue.rmem <= c.rcvbuf) return true
  c.tcp.mib.PruneCalled++
  // tcp_clamp_window: the buffer may grow to the most there is, the window may not.
  const most = c.tcp.ns.sysctl.globals.tcp_rmem_max
  c.quick = 0
  if (!c.rcvbufLocked && c.rcvbuf < most) c.rcvbuf = Math.min(queue.rmem, most)
  if (queue.rmem <= c.rcvbuf) return true
  c.rcvSsthresh = Math.min(c.windowClamp, 2 * c.advmss)
  queue.collapse(c.copiedSeq, c.available)
  c.tcp.mib.TCPRcvCollapsed++
  if (queue.rmem <= c.rcvbuf) return true
  if (queue.pruneEarly(seq, c.rcvbuf)) {
    c.earlyFin = false
    c.tcp.mib.OfoPruned++
    if (queue.rmem <= c.rcvbuf) return true
  }
  c.tcp.mib.RcvPruned++
  return false
}

function reports(c: Connection): boolean {
  return c.sackOk && c.tcp.ns.sysctl.globals.tcp_dsack !== 0
}

export function duplicate(c: Connection, start: number, end: number): void {
  if (!reports(c)) return
  if (before(start, c.rcvNxt)) c.tcp.mib.TCPDSACKOldSent++
  else c.tcp.mib.TCPDSACKOfoSent++
  c.queue.duplicate(start, end)
}

/** tcp_fin. */
function takeFin(c: Connection): void {
  c.ackPending |= AckPending.Scheduled
  c.rcvShutdown = true
  c.finReceived = true
  const state = next(c.state, Input.Fin) as State
  switch (c.state) {
    case State.SYN_RECV:
    case State.ESTABLISHED:
      c.state = state
      c.pingpong = Math.max(c.pingpong, c.tcp.ns.sysctl.globals.tcp_pingpong_thresh)
      break
    case State.FIN_WAIT1:
      // Both closed at once.
      sendAck(c)
      c.state = state
      break
    case State.FIN_WAIT2:
      sendAck(c)
      c.queue.dropEarly()
      restAfterFin(c, State.TIME_WAIT, TIMEWAIT_NS)
      return
    default:
      return
  }
  c.queue.dropEarly()
  c.wakeUp()
}

/** tcp_event_data_recv: how busy the peer is decides how long we wait with acknowledgements. */
function dataReceived(c: Connection, segment: Segment): void {
  const { nowNs } = c
  const bytes = segment.dataBytes
  c.ackPending |= AckPending.Scheduled
  window.measureMss(c, bytes, segment.headerBytes, segment.has(wire.PSH))
  window.measureRtt(c)
  if (c.atoNs === 0) {
    increaseQuickAck(c, QUICKACKS_MAX)
    c.atoNs = ATO_MIN_NS
  } else {
    const gapNs = nowNs - c.lrcvNs
    if (gapNs <= ATO_MIN_NS / 2) c.atoNs = Math.floor(c.atoNs / 2) + ATO_MIN_NS / 2
    else if (gapNs < c.atoNs) c.atoNs = Math.min(Math.floor(c.atoNs / 2) + gapNs, c.rtt.rtoNs)
    else if (gapNs > c.rtt.rtoNs) increaseQuickAck(c, QUICKACKS_MAX)
  }
  c.lrcvNs = nowNs
  if (bytes >= GROW_BYTES_MIN) window.grow(c, bytes)
}

function increaseQuickAck(c: Connection, most: number): void {
  const count = Math.min(Math.floor(c.rcvWnd / (2 * c.rcvMss)) || 2, most)
  if (count > c.quick) c.quick = count
}

/** tcp_enter_quickack_mode. */
export function enterQuickAck(c: Connection, most = QUICKACKS_MAX): void {
  increaseQuickAck(c, most)
  c.pingpong = 0
  c.atoNs = ATO_MIN_NS
}

/** tcp_ack_snd_check and __tcp_ack_snd_check. */
export function oweAck(c: Connection): void {
  if (!c.ackScheduled) return
  const { queue } = c
  const owed = (c.rcvNxt - c.rcvWup) | 0
  const far = owed > c.rcvMss && (c.available < c.options.rcvlowat || window.select(c) >= c.rcvWnd)
  if (far || (c.quick > 0 && !c.pingpongMode) || (c.ackPending & AckPending.Now) !== 0) return sendAck(c)
  if (!queue.hasGaps) return sendDelayedAck(c)
  compress(c)
}

/**
 * Many duplicates in a row are acknowledged together (tcp_sack_compress_send_ack; a twentieth of a round
 * trip).
 */
function compress(c: Connection): void {
  const { globals } = c.tcp.ns.sysctl
  if (!c.sackOk || c.compressedAck >= globals.tcp_comp_sack_nr) return sendAck(c)
  if (c.compressedRcvNxt !== c.rcvNxt) {
    c.compressedRcvNxt = c.rcvNxt
    c.dupAckCounter = 0
  }
  if (c.dupAckCounter < DUPACKS_AT_ONCE) {
    c.dupAckCounter++
    return sendAck(c)
  }
  let rttUs8 = c.rcvRttUs8
  if (c.srttUs8 > 0 && c.srttUs8 < rttUs8) rttUs8 = c.srttUs8
  const delayNs = Math.min(globals.tcp_comp_sack_delay_ns, Math.floor(rttUs8 * 125 / 20))
  if (delayNs === 0) return sendAck(c)
  c.compressedAck++
  if (!c.delack.pending || c.delack.dueNs > c.nowNs + delayNs) c.delack.set(c.nowNs + delayNs)
}

/** tcp_cleanup_rbuf: the program has read `copied` octets; does the peer have to know? */
export function hasRead(c: Connection, copied: number): void {
  let now = false
  if (c.ackScheduled) {
    const emptied = copied > 0 && c.available === 0
    const small = (c.ackPending & AckPending.Pushed2) !== 0 ||
      ((c.ackPending & AckPending.Pushed) !== 0 && !c.pingpongMode)
    now = ((c.rcvNxt - c.rcvWup) | 0) > c.rcvMss || (emptied && small)
  }
  if (copied > 0 && !now && !c.rcvShutdown) {
    const left = c.receiveWindow
    if (2 * left <= c.windowClamp) {
      const room = window.select(c)
      now = room > 0 && room >= 2 * left
    }
  }
  if (now) sendAck(c)
}
