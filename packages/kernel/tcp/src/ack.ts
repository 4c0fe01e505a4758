/**
 * An acknowledgement (tcp_ack, net/ipv4/tcp_input.c): what it takes off the queue, what it says of the
 * path, and what may be sent for it.
 */
import { Ca, type Connection, Pending } from "./connection.ts"
import { control } from "./cwnd.ts"
import { Flag } from "./flag.ts"
import { sync } from "./mss.ts"
import { Nagle, push, retransmitLost } from "./output.ts"
import { advance, probeAcked, scheduleProbe, updateReorderWindow } from "./rack.ts"
import { alert, checkRenoReordering, Resend, Verdict } from "./recovery.ts"
import { LOST, RETRANS, SACKED_ACKED, SACKED_RETRANS } from "./rtx-queue.ts"
import { checkReordering, SackState, tag } from "./sack.ts"
import type { Segment } from "./segment.ts"
import { after, before, distance } from "./seq.ts"
import { challenge } from "./challenge.ts"
import { State } from "./state.ts"
import { PAWS_SECONDS } from "./time-wait.ts"
import { clearTimer, probe0Ns, rearmRto, setTimer } from "./timers.ts"
import * as tcp from "@podwire/wire/tcp"
import { jiffiesAt, JIFFY_US } from "./jiffies.ts"

/** What became of it. */
export const AckResult = { Ok: 1, Old: 0, TooOld: -1, Unsent: -2 } as const
export type AckResult = (typeof AckResult)[keyof typeof AckResult]

const SECOND_MS = 1000
const state = new SackState()
const verdict = new Verdict()

export function acknowledge(c: Connection, segment: Segment, given: number): AckResult {
  const priorDelivered = c.delivered
  const result = take(c, segment, given)
  const delivered = c.delivered - priorDelivered
  c.tcp.mib.TCPDelivered += delivered
  if (c.ecnOk && segment.has(tcp.ECE) && !segment.has(tcp.SYN)) c.tcp.mib.TCPDeliveredCE += delivered
  return result
}

/** tcp_ack. */
function take(c: Connection, segment: Segment, given: number): AckResult {
  const priorUna = c.sndUna
  const { ack } = segment
  const priorDelivered = c.delivered
  const priorLost = c.lost
  const hasSack = c.sackOk && segment.options.sackCount > 0
  if (before(ack, priorUna)) return old(c, segment, given, priorUna, hasSack)
  if (after(ack, c.sndNxt)) return AckResult.Unsent
  let flag = given
  if (after(ack, priorUna)) {
    flag |= Flag.SndUnaAdvanced
    c.retransmits = 0
  }
  const priorFack = c.sackedOut > 0 ? c.highestSack : c.sndUna
  const priorInFlight = c.packetsOut
  if ((flag & Flag.UpdateTsRecent) !== 0) replaceTsRecent(c, segment.seq)
  const hasData = segment.end !== segment.seq
  if (hasData) flag |= Flag.Data
  if ((flag & Flag.SndUnaAdvanced) !== 0 && isPredicted(c, segment)) c.tcp.mib.TCPHPAcks++
  else if (!hasData) c.tcp.mib.TCPPureAcks++
  flag |= updateWindow(c, segment)
  if (c.ecnOk && segment.has(tcp.ECE) && !segment.has(tcp.SYN)) flag |= Flag.Ece
  state.begin(c.sndNxt)
  if (hasSack) {
    tag(c, ack, segment.options, priorUna, state)
    c.delivered += state.sackDelivered
    flag |= state.flag
  }
  c.softError = 0
  c.probesOut = 0
  c.rcvTstampNs = c.nowNs
  if (priorInFlight === 0) {
    if ((flag & Flag.DsackingAck) !== 0) suspect(c, flag, priorUna, 0)
    probed(c)
    if (c.hasTlp) probeAcked(c, ack, flag)
    return AckResult.Ok
  }
  flag |= clean(c, priorFack, state)
  updateReorderWindow(c, state.priorDelivered)
  if (c.hasTlp) probeAcked(c, ack, flag)
  let resend: Resend = Resend.None
  // tcp_ack_is_dubious.
  if ((flag & Flag.NotDup) === 0 || (flag & Flag.CaAlert) !== 0 || c.ca !== Ca.Open) {
    const isDup = (flag & (Flag.SndUnaAdvanced | Flag.NotDup | Flag.DsackingAck)) === 0
    suspect(c, flag, priorUna, isDup ? 1 : 0)
    flag = verdict.flag
    resend = verdict.resend
  }
  if ((flag & Flag.SetXmitTimer) !== 0 && !scheduleProbe(c, true)) rearmRto(c)
  if (c.congestion !== null) control(c, ack, c.delivered - priorDelivered, c.lost - priorLost, flag)
  repair(c, resend)
  return AckResult.Ok
}

/**
 * What Linux takes the short way with (tcp_rcv_established): in order, no news but data and its
 * acknowledgement. Here there is one way; only the counter knows.
 */
function isPredicted(c: Connection, segment: Segment): boolean {
  if (c.state !== State.ESTABLISHED || (segment.flags & ~(tcp.PSH | tcp.ACK)) !== 0) return false
  if (segment.seq !== c.rcvNxt || segment.window !== c.sndWnd / 2 ** c.sndWscale) return false
  if (segment.headerBytes !== c.headerBytes || c.hasUrgent || c.queue.hasGaps || c.receiveWindow === 0) return false
  return !c.tstampOk || ((c.rcvTsval - c.tsRecent) | 0) >= 0
}

/** It acknowledges less than an earlier one; its SACK blocks may still be news. */
function old(c: Connection, segment: Segment, flag: number, priorUna: number, hasSack: boolean): AckResult {
  const most = Math.min(c.maxWindow, c.bytesAcked)
  if (before(segment.ack, (priorUna - most) | 0)) {
    if ((flag & Flag.NoChallengeAck) === 0) challenge(c)
    return AckResult.TooOld
  }
  if (!hasSack) return AckResult.Old
  tag(c, segment.ack, segment.options, priorUna, state.begin(c.sndNxt))
  c.delivered += state.sackDelivered
  suspect(c, flag | state.flag, priorUna, 0)
  repair(c, verdict.resend)
  return AckResult.Old
}

function suspect(c: Connection, flag: number, priorUna: number, dupacks: number): void {
  verdict.flag = flag
  verdict.resend = Resend.None
  if (c.congestion !== null || c.state !== State.SYN_SENT) alert(c, priorUna, dupacks, verdict)
}

/** tcp_xmit_recovery. */
function repair(c: Connection, resend: Resend): void {
  if (resend === Resend.None || c.state === State.SYN_SENT) return
  if (resend === Resend.New) {
    push(c, Nagle.Off)
    if (after(c.sndNxt, c.highSeq)) return
    c.frto = false
  }
  retransmitLost(c)
}

/** tcp_replace_ts_recent. */
function replaceTsRecent(c: Connection, seq: number): void {
  if (!c.sawTstamp || after(seq, c.rcvWup)) return
  if (((c.tsRecent - c.rcvTsval) | 0) <= 0 || isTsRecentVoid(c)) storeTsRecent(c)
}

/** tcp_paws_check: the last timestamp is none, or so old that it says nothing. */
export function isTsRecentVoid(c: Connection): boolean {
  return c.tsRecent === 0 || Math.floor(c.nowNs / 1_000_000_000) >= c.tsRecentStamp + PAWS_SECONDS
}

export function storeTsRecent(c: Connection): void {
  c.tsRecent = c.rcvTsval
  c.tsRecentStamp = Math.max(1, Math.floor(c.nowNs / 1_000_000_000))
}

/** tcp_ack_update_window. */
function updateWindow(c: Connection, segment: Segment): number {
  const { ack, seq } = segment
  const wide = segment.has(tcp.SYN) ? segment.window : segment.window * 2 ** c.sndWscale
  let flag = 0
  if (mayUpdateWindow(c, ack, seq, wide)) {
    flag = Flag.WinUpdate
    c.sndWl1 = seq
    if (c.sndWnd !== wide) {
      c.sndWnd = wide
      if (wide > c.maxWindow) {
        c.maxWindow = wide
        sync(c, c.pmtuCookie)
      }
    }
  }
  c.bytesAcked += distance(c.sndUna, ack)
  c.sndUna = ack
  return flag
}

/** tcp_may_update_window. */
function mayUpdateWindow(c: Connection, ack: number, seq: number, window: number): boolean {
  return after(ack, c.sndUna) || after(seq, c.sndWl1) || (seq === c.sndWl1 && (window > c.sndWnd || window === 0))
}

/** tcp_clean_rtx_queue. */
function clean(c: Connection, priorFack: number, sacks: SackState): number {
  const { rtx } = c
  const { sndUna, nowNs } = c
  let flag = 0
  let firstNs = -1
  let lastNs = -1
  let reord = c.sndNxt
  let acked = 0
  while (rtx.length > 0) {
    const sent = rtx.at(0)
    if (after(sent.end, sndUna)) break
    const { sacked } = sent
    if ((sacked & RETRANS) !== 0) {
      if ((sacked & SACKED_RETRANS) !== 0) c.retransOut--
      flag |= Flag.RetransDataAcked
    } else if ((sacked & SACKED_ACKED) === 0) {
      lastNs = sent.sentNs
      if (firstNs < 0) firstNs = lastNs
      if (before(sent.seq, reord)) reord = sent.seq
      if (!after(sent.end, c.highSeq)) flag |= Flag.OrigSackAcked
    }
    if ((sacked & SACKED_ACKED) !== 0) c.sackedOut--
    else if (c.sackOk) {
      c.delivered++
      if (!spuriousRetrans(c, sacked, sent.sentNs)) advance(c, sent)
    }
    if ((sacked & LOST) !== 0) c.lostOut--
    if (sent.txDelivered > sacks.priorDelivered) sacks.priorDelivered = sent.txDelivered
    if ((sent.flags & tcp.SYN) === 0) flag |= Flag.DataAcked
    else {
      flag |= Flag.SynAcked
      c.retransStampNs = 0
    }
    acked++
    rtx.shift()
  }
  const head = rtx.first
  if (head !== null && (head.sacked & SACKED_ACKED) !== 0) flag |= Flag.SackReneging
  let rttUs = -1
  let caRttUs = -1
  if (firstNs >= 0 && (flag & Flag.RetransDataAcked) === 0) {
    rttUs = Math.floor((nowNs - firstNs) / 1000)
    caRttUs = Math.floor((nowNs - lastNs) / 1000)
  }
  let sackRttUs = -1
  if (sacks.found) {
    sackRttUs = Math.floor((nowNs - sacks.firstNs) / 1000)
    caRttUs = Math.floor((nowNs - sacks.lastNs) / 1000)
  }
  const updated = updateRtt(c, flag, rttUs, sackRttUs, caRttUs)
  if ((flag & Flag.Acked) !== 0) {
    flag |= Flag.SetXmitTimer
    if (!c.sackOk) removeRenoSacks(c, acked)
    if ((flag & Flag.RetransDataAcked) !== 0 && !c.sackOk) flag &= ~Flag.OrigSackAcked
    else if (c.sackOk && before(reord, priorFack)) checkReordering(c, reord, false)
  } else if (head !== null && updated && sackRttUs >= 0 && sackRttUs > Math.floor((nowNs - head.sentNs) / 1000)) {
    flag |= Flag.SetXmitTimer
  }
  if (c.congestion !== null) c.congestion.sample(c, acked, caRttUs)
  return flag
}

/** tcp_remove_reno_sacks: of what is acknowledged one was missing, the others the duplicates stood for. */
function removeRenoSacks(c: Connection, acked: number): void {
  if (acked > 0) {
    c.delivered += Math.max(acked - c.sackedOut, 1)
    c.sackedOut = acked - 1 >= c.sackedOut ? 0 : c.sackedOut - (acked - 1)
  }
  checkRenoReordering(c, acked)
}

/** tcp_skb_spurious_retrans: it was sent again, and the echo is of the first time. */
function spuriousRetrans(c: Connection, sacked: number, sentNs: number): boolean {
  if ((sacked & RETRANS) === 0 || !c.sawTstamp || c.rcvTsecr === 0) return false
  return before(c.rcvTsecr, (Math.floor(sentNs / 1_000_000) + c.tsOffset) | 0)
}

/** tcp_ack_update_rtt. */
function updateRtt(c: Connection, flag: number, sequenceUs: number, sackUs: number, caUs: number): boolean {
  let rttUs = sequenceUs < 0 ? sackUs : sequenceUs
  let leastUs = caUs
  if (rttUs < 0 && c.sawTstamp && c.rcvTsecr !== 0 && (flag & Flag.Acked) !== 0) {
    const delta = (c.timestamp - c.rcvTsecr) | 0
    if (delta >= 0 && delta < 0x7fffffff / SECOND_MS) leastUs = rttUs = Math.max(delta, 1) * SECOND_MS
  }
  if (rttUs < 0) return false
  const { tcp_min_rtt_wlen } = c.tcp.ns.sysctl.globals
  if (leastUs >= 0) {
    c.minRtt.update(tcp_min_rtt_wlen * 1_000_000 / JIFFY_US, jiffiesAt(c.nowNs), leastUs === 0 ? 1 : leastUs)
  }
  c.rtt.sample(rttUs, c.sndUna, c.sndNxt)
  c.backoff = 0
  return true
}

/** tcp_ack_probe: the window that was shut, or not. */
function probed(c: Connection): void {
  if (c.unsent === 0) return
  const fin = c.finQueued ? 1 : 0
  const data = Math.min(c.unsent - fin, c.mssCache)
  const end = (c.sndNxt + data + (data + fin >= c.unsent ? fin : 0)) | 0
  if (!after(end, c.wndEnd)) {
    c.backoff = 0
    c.probesStartNs = -1
    if (c.pending === Pending.Probe0) clearTimer(c)
  } else setTimer(c, c.rto, probe0Ns(c), Pending.Probe0)
}
