/**
 * From suspicion to repair and back (tcp_fastretrans_alert and what it calls): Disorder, Recovery, Loss;
 * undoing what proves needless, by timestamps, DSACK and F-RTO (RFC 3522, 3708, 5682).
 */
import { SYN } from "@podwire/wire/tcp"
import { Ca, type Connection, Pending } from "./connection.ts"
import { currentSsthresh, endReduction, enterCwr, inReduction, initReduction, setState } from "./cwnd.ts"
import { Flag } from "./flag.ts"
import { markByTime, PERSIST, timeoutUs } from "./rack.ts"
import { LOST, SACKED_ACKED, SACKED_RETRANS, type Sent } from "./rtx-queue.ts"
import { after, before } from "./seq.ts"
import { checkReordering } from "./sack.ts"
import { setTimer } from "./timers.ts"

/** What to send once the windows are known (rexmit). */
export const Resend = { None: 0, Lost: 1, New: 2 } as const
export type Resend = (typeof Resend)[keyof typeof Resend]

/** What the alert changed of the flags, and what is to be sent: one scratch, good until the next call. */
export class Verdict {
  flag = 0
  resend: Resend = Resend.None
}

/** tcp_mark_skb_lost. */
export function markLost(c: Connection, sent: Sent): void {
  if ((sent.sacked & SACKED_ACKED) !== 0) return
  const index = c.rtx.find(sent.seq)
  if (index < c.rtx.hint) c.rtx.hint = index
  if ((sent.sacked & LOST) !== 0) {
    if ((sent.sacked & SACKED_RETRANS) !== 0) {
      sent.sacked &= ~SACKED_RETRANS
      c.retransOut--
      c.tcp.mib.TCPLostRetransmit++
      c.lost++
    }
    return
  }
  c.lostOut++
  c.lost++
  sent.sacked |= LOST
}

/** tcp_fastretrans_alert. `dupacks` counts acknowledgements that moved nothing. */
export function alert(c: Connection, priorUna: number, dupacks: number, out: Verdict): void {
  if (c.packetsOut === 0 && c.sackedOut > 0) c.sackedOut = 0
  if ((out.flag & Flag.Ece) !== 0) c.priorSsthresh = 0
  if (reneged(c, out)) return
  if (c.ca === Ca.Open) c.retransStampNs = 0
  else if (!before(c.sndUna, c.highSeq)) {
    if (c.ca === Ca.Cwr) {
      if (c.sndUna !== c.highSeq) {
        endReduction(c)
        setState(c, Ca.Open)
      }
    } else if (c.ca === Ca.Recovery) {
      if (!c.sackOk) c.sackedOut = 0
      if (undoRecovery(c)) return
      endReduction(c)
    }
  }
  const advanced = (out.flag & Flag.SndUnaAdvanced) !== 0
  switch (c.ca) {
    case Ca.Recovery:
      if (!advanced) {
        if (!c.sackOk) addRenoSack(c, dupacks)
      } else if (undoPartial(c, priorUna)) return
      if (undoDsack(c)) tryOpen(c, out.flag)
      identify(c, out)
      if ((c.ca as Ca) !== Ca.Recovery) {
        if (c.lostOut === 0) return
        enterRecovery(c, (out.flag & Flag.Ece) !== 0)
      }
      break
    case Ca.Loss:
      processLoss(c, dupacks, out)
      identify(c, out)
      if ((c.ca as Ca) !== Ca.Open && (out.flag & Flag.LostRetrans) === 0) return
      openOrRecover(c, dupacks, advanced, out)
      return
    default:
      openOrRecover(c, dupacks, advanced, out)
      return
  }
  out.resend = Resend.Lost
}

function openOrRecover(c: Connection, dupacks: number, advanced: boolean, out: Verdict): void {
  if (!c.sackOk) {
    if (advanced) c.sackedOut = 0
    addRenoSack(c, dupacks)
  }
  if (c.ca <= Ca.Disorder) undoDsack(c)
  identify(c, out)
  if (c.lostOut === 0) {
    tryOpen(c, out.flag)
    return
  }
  enterRecovery(c, (out.flag & Flag.Ece) !== 0)
  out.resend = Resend.Lost
}

/** tcp_check_sack_reneging: the peer gave up what it had sacked. */
function reneged(c: Connection, out: Verdict): boolean {
  if ((out.flag & Flag.SackReneging) === 0 || (out.flag & Flag.SndUnaAdvanced) === 0) return false
  setTimer(c, c.rto, Math.max(Math.floor(c.srttUs8 / 16) * 1000, 10_000_000), Pending.Retransmit)
  out.flag &= ~Flag.SetXmitTimer
  return true
}

/** tcp_identify_packet_loss. */
function identify(c: Connection, out: Verdict): void {
  if (c.rtx.length === 0) return
  if (!c.sackOk) return markReno(c, (out.flag & Flag.SndUnaAdvanced) !== 0)
  const before = c.retransOut
  if (markByTime(c)) out.flag &= ~Flag.SetXmitTimer
  if (before > c.retransOut) out.flag |= Flag.LostRetrans
}

/** tcp_newreno_mark_lost: the third duplicate, and each partial acknowledgement, loses the first segment. */
function markReno(c: Connection, advanced: boolean): void {
  if ((c.ca < Ca.Recovery && c.sackedOut >= c.reordering) || (c.ca === Ca.Recovery && advanced)) {
    const first = c.rtx.first!
    if ((first.sacked & LOST) === 0) markLost(c, first)
  }
}

/** tcp_add_reno_sack: without SACK each duplicate stands for a segment that arrived. */
function addRenoSack(c: Connection, dupacks: number): void {
  if (dupacks === 0) return
  const before = c.sackedOut
  c.sackedOut += dupacks
  checkRenoReordering(c, 0)
  if (c.sackedOut > before) c.delivered += c.sackedOut - before
}

/** tcp_check_reno_reordering: more duplicates than segments, so some were no sign of loss. */
export function checkRenoReordering(c: Connection, acked: number): void {
  const holes = Math.min(Math.max(c.lostOut, 1), c.packetsOut)
  if (c.sackedOut + holes <= c.packetsOut) return
  c.sackedOut = c.packetsOut - holes
  c.reordering = Math.min(c.packetsOut + acked, c.tcp.ns.sysctl.globals.tcp_max_reordering)
  c.reordSeen++
  c.tcp.mib.TCPRenoReorder++
}

/** tcp_enter_recovery. */
export function enterRecovery(c: Connection, ece: boolean): void {
  c.retransStampNs = 0
  if (c.sackOk) c.tcp.mib.TCPSackRecovery++
  else c.tcp.mib.TCPRenoRecovery++
  c.priorSsthresh = 0
  initUndo(c)
  if (!inReduction(c)) {
    if (!ece) c.priorSsthresh = currentSsthresh(c)
    initReduction(c)
  }
  setState(c, Ca.Recovery)
}

function initUndo(c: Connection): void {
  c.undoMarker = c.sndUna
  c.hasUndoMarker = true
  c.undoRetrans = c.retransOut
  if (c.hasTlp && c.tlpRetrans) c.undoRetrans++
  if (c.undoRetrans === 0) c.undoRetrans = -1
}

/** tcp_enter_loss: the timeout. */
export function enterLoss(c: Connection): void {
  const { globals } = c.tcp.ns.sysctl
  const fresh = c.ca < Ca.Recovery
  timeoutMarkLost(c)
  if (c.ca <= Ca.Disorder || !after(c.highSeq, c.sndUna) || (c.ca === Ca.Loss && c.retransmits === 0)) {
    c.priorSsthresh = currentSsthresh(c)
    c.priorCwnd = c.cwnd
    if (c.congestion !== null) c.ssthresh = c.congestion.threshold(c)
    initUndo(c)
  }
  c.cwnd = c.inFlight + 1
  c.cwndCount = 0
  c.cwndStampNs = c.nowNs
  if (c.ca <= Ca.Disorder && c.sackedOut >= globals.tcp_reordering) {
    c.reordering = Math.min(c.reordering, globals.tcp_reordering)
  }
  setState(c, Ca.Loss)
  c.highSeq = c.sndNxt
  c.hasTlp = false
  c.ecnQueueCwr = c.ecnOk
  c.frto = globals.tcp_frto !== 0 && (fresh || c.retransmits > 0)
}

/** tcp_timeout_mark_lost: all that was not sacked, except what RACK still expects. */
function timeoutMarkLost(c: Connection): void {
  const { rtx } = c
  const { first } = rtx
  const renege = first !== null && (first.sacked & SACKED_ACKED) !== 0
  if (renege) {
    c.tcp.mib.TCPSACKReneging++
    c.sackedOut = 0
  } else if (!c.sackOk) c.sackedOut = 0
  for (let i = 0; i < rtx.length; i++) {
    const sent = rtx.at(i)
    if (renege) sent.sacked &= ~SACKED_ACKED
    else if (c.sackOk && i > 0 && timeoutUs(c, sent, 0) > 0) continue
    markLost(c, sent)
  }
}

/** tcp_process_loss: what an acknowledgement means after a timeout (F-RTO, section 3.1). */
function processLoss(c: Connection, dupacks: number, out: Verdict): void {
  const { flag } = out
  const recovered = !before(c.sndUna, c.highSeq)
  const advanced = (flag & Flag.SndUnaAdvanced) !== 0
  if (advanced && undoLoss(c, false)) return
  if (c.frto) {
    if ((flag & Flag.OrigSackAcked) !== 0 && undoLoss(c, true)) return
    if (after(c.sndNxt, c.highSeq)) {
      if ((flag & Flag.DataSacked) !== 0 || dupacks > 0) c.frto = false
    } else if (advanced && !recovered) {
      c.highSeq = c.sndNxt
      if (c.unsent > 0 && after(c.wndEnd, c.sndNxt)) {
        out.resend = Resend.New
        return
      }
      c.frto = false
    }
  }
  if (recovered) {
    undoRecovery(c)
    return
  }
  if (!c.sackOk) {
    if (after(c.sndNxt, c.highSeq) && dupacks > 0) addRenoSack(c, dupacks)
    else if (advanced) c.sackedOut = 0
  }
  out.resend = Resend.Lost
}

// Undo

/** tcp_packet_delayed: the acknowledgement echoes a time before the first retransmission. */
function originalAcked(c: Connection): boolean {
  if (c.retransStampNs === 0 || !c.sawTstamp || c.rcvTsecr === 0) return false
  const stamp = c.stampAt(c.retransStampNs)
  return before(c.rcvTsecr, stamp)
}

function mayUndo(c: Connection): boolean {
  return c.hasUndoMarker && (c.undoRetrans === 0 || originalAcked(c))
}

/** tcp_undo_cwnd_reduction. */
function undo(c: Connection, unmark: boolean): void {
  if (unmark) {
    for (let i = 0; i < c.rtx.length; i++) c.rtx.at(i).sacked &= ~LOST
    c.lostOut = 0
    c.rtx.hint = 0
  }
  if (c.priorSsthresh > 0) {
    if (c.congestion !== null) c.cwnd = c.congestion.undo(c)
    if (c.priorSsthresh > c.ssthresh) c.ssthresh = c.priorSsthresh
  }
  c.cwndStampNs = c.nowNs
  c.hasUndoMarker = false
  c.rackAdvanced = true
}

/** tcp_try_undo_recovery. True: hold the state until something above is acknowledged. */
function undoRecovery(c: Connection): boolean {
  if (mayUndo(c)) {
    if (c.ca === Ca.Loss) c.tcp.mib.TCPLossUndo++
    else c.tcp.mib.TCPFullUndo++
    undo(c, false)
  } else if (c.rackPersist > 0) c.rackPersist--
  if (holdsOpen(c)) return true
  setState(c, Ca.Open)
  return false
}

/** tcp_is_non_sack_preventing_reopen (RFC 6582, section 3.2, "careful"). */
function holdsOpen(c: Connection): boolean {
  if (c.sndUna !== c.highSeq || c.sackOk) return false
  if (!anyRetransDone(c)) c.retransStampNs = 0
  return true
}

function undoDsack(c: Connection): boolean {
  if (!c.hasUndoMarker || c.undoRetrans !== 0) return false
  c.rackPersist = Math.min(PERSIST, c.rackPersist + 1)
  undo(c, false)
  c.tcp.mib.TCPDSACKUndo++
  return true
}

function undoPartial(c: Connection, priorUna: number): boolean {
  if (!c.hasUndoMarker || !originalAcked(c)) return false
  checkReordering(c, priorUna, true)
  if (c.retransOut > 0) return true
  if (!anyRetransDone(c)) c.retransStampNs = 0
  undo(c, true)
  c.tcp.mib.TCPPartialUndo++
  keepOpen(c)
  return false
}

function undoLoss(c: Connection, byFrto: boolean): boolean {
  if (!byFrto && !mayUndo(c)) return false
  undo(c, true)
  c.tcp.mib.TCPLossUndo++
  if (byFrto) c.tcp.mib.TCPSpuriousRTOs++
  c.retransmits = 0
  if (holdsOpen(c)) return true
  if (byFrto || c.sackOk) setState(c, Ca.Open)
  return true
}

function anyRetransDone(c: Connection): boolean {
  return c.retransOut > 0 || (c.rtx.first !== null && (c.rtx.first.sacked & ~(LOST | SACKED_ACKED)) !== 0)
}

/** tcp_try_keep_open. */
export function keepOpen(c: Connection): void {
  const ca = c.sackedOut + c.lostOut > 0 || anyRetransDone(c) ? Ca.Disorder : Ca.Open
  if (c.ca === ca) return
  setState(c, ca)
  c.highSeq = c.sndNxt
}

function tryOpen(c: Connection, flag: number): void {
  if (!anyRetransDone(c)) c.retransStampNs = 0
  if ((flag & Flag.Ece) !== 0) enterCwr(c)
  if (c.ca !== Ca.Cwr) keepOpen(c)
}

/** What is lost and adjoins is one stretch again, to be cut anew at the new size. */
function joinLost(c: Connection): void {
  const { rtx } = c
  for (let i = 0; i + 1 < rtx.length;) {
    const plain = ((rtx.at(i).sacked | rtx.at(i + 1).sacked) & (SACKED_ACKED | SACKED_RETRANS)) === 0
    if (!plain || (rtx.at(i).sacked & rtx.at(i + 1).sacked & LOST) === 0 || (rtx.at(i).flags & SYN) !== 0 ||
      rtx.at(i).burst !== rtx.at(i + 1).burst) i++
    else {
      rtx.merge(i)
      c.lostOut--
    }
  }
}

/**
 * tcp_simple_retransmit: the path carries less than we thought; what is too long goes again, and no window
 * falls.
 */
export function tooLong(c: Connection, mss: number): boolean {
  const { rtx } = c
  for (let i = 0; i < rtx.length; i++) {
    const sent = rtx.at(i)
    if (((sent.end - sent.seq) | 0) > mss) markLost(c, sent)
  }
  rtx.hint = 0
  if (c.lostOut === 0) return false
  joinLost(c)
  if (c.ca !== Ca.Loss) {
    c.highSeq = c.sndNxt
    c.ssthresh = currentSsthresh(c)
    c.priorSsthresh = 0
    c.hasUndoMarker = false
    setState(c, Ca.Loss)
  }
  return true
}
