/**
 * Which segments are lost, by time (RFC 8985; net/ipv4/tcp_recovery.c), and the probe that finds the loss
 * of a tail (TLP; tcp_schedule_loss_probe, tcp_send_loss_probe).
 */
import type { Ns } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import { Ca, type Connection, Pending } from "./connection.ts"
import { endReduction, initReduction, reduce, setState } from "./cwnd.ts"
import { Flag } from "./flag.ts"
import { JIFFY_US, usToJiffies } from "./jiffies.ts"
import { current } from "./mss.ts"
import { fitsWindow, Nagle, retransmit, retransmitLost, write } from "./output.ts"
import { enterRecovery, keepOpen, markLost } from "./recovery.ts"
import { LOST, RETRANS, SACKED_RETRANS, type Sent } from "./rtx-queue.ts"
import { after, before } from "./seq.ts"
import { RTO_INITIAL_NS } from "./rtt.ts"
import { rearmRto, setTimer } from "./timers.ts"

/** TCP_RACK_NO_DUPTHRESH and TCP_RACK_STATIC_REO_WND of tcp_recovery. */
const NO_DUPTHRESH = 4
const STATIC_REORDER_WINDOW = 2
/** Recoveries for which a wider reordering window persists. */
export const PERSIST = 16
/** TCP_TIMEOUT_MIN_US. */
const TIMEOUT_MIN_US = 2000

function reorderWindowUs(c: Connection): number {
  const { tcp_recovery } = c.tcp.ns.sysctl.globals
  if (c.reordSeen === 0) {
    if (c.ca >= Ca.Recovery) return 0
    if (c.sackedOut >= c.reordering && (tcp_recovery & NO_DUPTHRESH) === 0) return 0
  }
  return Math.min(Math.floor(c.minRttUs / 4) * c.rackSteps, Math.floor(c.srttUs8 / 8))
}

/** Microseconds until it counts as lost; zero or less: now. */
export function timeoutUs(c: Connection, sent: Sent, windowUs: number): number {
  return c.rackRttUs + windowUs - Math.floor((c.nowNs - sent.sentNs) / 1000)
}

/** tcp_rack_advance: something was delivered. */
export function advance(c: Connection, sent: Sent): void {
  const rttUs = Math.floor((c.nowNs - sent.sentNs) / 1000)
  // Faster than the path ever was: it answers an earlier transmission.
  if (rttUs < c.minRttUs && (sent.sacked & RETRANS) !== 0) return
  c.rackAdvanced = true
  c.rackRttUs = rttUs
  // tcp_skb_sent_after by order of sending: Linux has times that differ.
  if (sent.sentCount > c.rackCount) c.rackCount = sent.sentCount
}

/**
 * tcp_rack_detect_loss: marks what was sent well before something that arrived; how long to wait for the
 * rest, or 0.
 */
function detect(c: Connection): number {
  const windowUs = reorderWindowUs(c)
  let waitUs = 0
  for (let sent = c.rtx.oldest; sent !== null;) {
    const { newer } = sent
    if ((sent.sacked & LOST) === 0 || (sent.sacked & SACKED_RETRANS) !== 0) {
      if (sent.sentCount >= c.rackCount) break
      const left = timeoutUs(c, sent, windowUs)
      if (left <= 0) {
        markLost(c, sent)
        c.rtx.unlist(sent)
      } else if (left > waitUs) waitUs = left
    }
    sent = newer
  }
  return waitUs
}

/** tcp_rack_mark_lost. True: a timer waits for reordered segments. */
export function markByTime(c: Connection): boolean {
  if (!c.rackAdvanced) return false
  c.rackAdvanced = false
  const waitUs = detect(c)
  if (waitUs === 0) return false
  setTimer(c, c.rto, usToJiffies(waitUs + TIMEOUT_MIN_US) * JIFFY_US * 1000, Pending.Reorder)
  return true
}

/** tcp_rack_reo_timeout. */
export function reorderTimeout(c: Connection): void {
  const before = c.inFlight
  detect(c)
  if (before !== c.inFlight) {
    if (c.ca !== Ca.Recovery) {
      enterRecovery(c, false)
      reduce(c, 1, 0, 0)
    }
    retransmitLost(c)
  }
  if (c.pending !== Pending.Retransmit) rearmRto(c)
}

/**
 * tcp_rack_update_reo_wnd: DSACKs say that we were too quick; wait a quarter of the least round trip
 * longer.
 */
export function updateReorderWindow(c: Connection, priorDelivered: number): void {
  if ((c.tcp.ns.sysctl.globals.tcp_recovery & STATIC_REORDER_WINDOW) !== 0 || priorDelivered === 0) return
  if (priorDelivered < c.rackLastDelivered) c.rackDsackSeen = false
  if (c.rackDsackSeen) {
    c.rackSteps = Math.min(255, c.rackSteps + 1)
    c.rackDsackSeen = false
    c.rackLastDelivered = c.delivered
    c.rackPersist = PERSIST
  } else if (c.rackPersist === 0) c.rackSteps = 1
}

/** tcp_schedule_loss_probe. False: the timeout is all there is. */
export function scheduleProbe(c: Connection, advancing: boolean): boolean {
  const mode = c.tcp.ns.sysctl.globals.tcp_early_retrans
  if ((mode !== 3 && mode !== 4) || c.packetsOut === 0 || !c.sackOk) return false
  if (c.ca !== Ca.Open && c.ca !== Ca.Cwr) return false
  let waitNs: Ns = RTO_INITIAL_NS
  if (c.srttUs8 > 0) {
    // One segment alone may be acknowledged late: its receiver waits for a second.
    const extra = c.packetsOut === 1 ? c.rtt.rtoMinUs : TIMEOUT_MIN_US
    waitNs = usToJiffies(Math.floor(c.srttUs8 / 4) + extra) * JIFFY_US * 1000
  }
  const rtoNs = advancing ? c.rtt.rtoNs : rtoLeftNs(c)
  if (rtoNs > 0) waitNs = Math.min(waitNs, usToJiffies(Math.floor(rtoNs / 1000)) * JIFFY_US * 1000)
  setTimer(c, c.rto, waitNs, Pending.LossProbe)
  return true
}

/** tcp_rto_delta_us, in nanoseconds: until the oldest segment times out; it may be past. */
export function rtoLeftNs(c: Connection): Ns {
  const { first } = c.rtx
  return first === null ? c.rtt.rtoNs : first.sentNs + c.rtt.rtoNs - c.nowNs
}

/** tcp_send_loss_probe: new data if there is some, else the last segment again. One an episode. */
export function sendLossProbe(c: Connection): void {
  const { rtx } = c
  let probed = false
  if (!c.hasTlp) {
    c.tlpRetrans = false
    const before = c.packetsOut
    const mss = current(c)
    if (fitsWindow(c, mss)) {
      write(c, mss, Nagle.Off, 2)
      probed = c.packetsOut > before
    } else if (rtx.length > 0 && retransmit(c, rtx.length - 1) === Errno.OK) {
      c.tlpRetrans = true
      probed = true
    }
  }
  if (probed) {
    c.hasTlp = true
    c.tlpHighSeq = c.sndNxt
    c.tcp.mib.TCPLossProbes++
    c.pending = Pending.None
  }
  rearmRto(c)
}

/** tcp_process_tlp_ack: was the probe needed? If it filled a hole, the window falls as for any loss. */
export function probeAcked(c: Connection, ack: number, flag: number): void {
  if (before(ack, c.tlpHighSeq)) return
  if (!c.tlpRetrans || (flag & Flag.DsackTlp) !== 0) c.hasTlp = false
  else if (after(ack, c.tlpHighSeq)) {
    initReduction(c)
    setState(c, Ca.Cwr)
    endReduction(c)
    keepOpen(c)
    c.tcp.mib.TCPLossProbeRecovery++
  } else if ((flag & (Flag.SndUnaAdvanced | Flag.NotDup | Flag.DataSacked)) === 0) c.hasTlp = false
}
