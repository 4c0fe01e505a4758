/**
 * The congestion window around the algorithms: when it may grow, how it falls in a recovery (RFC 6937,
 * proportional rate reduction, in Linux's form), and what silence does to it (net/ipv4/tcp_input.c,
 * tcp_output.c).
 */
import type { Ns } from "@podwire/engine"
import { Ca, type Connection } from "./connection.ts"
import { SSTHRESH_INFINITE, type CongestionState } from "./congestion.ts"
import { Flag } from "./flag.ts"
import { before } from "./seq.ts"
import { INIT_CWND } from "./window.ts"

const STATES: ReadonlyArray<CongestionState> = ["open", "disorder", "cwr", "recovery", "loss"]

export function setState(c: Connection, ca: Ca): void {
  if (c.congestion !== null) c.congestion.stateChanged(c, STATES[ca]!)
  c.ca = ca
}

export function inReduction(c: Connection): boolean {
  return c.ca === Ca.Cwr || c.ca === Ca.Recovery
}

/** tcp_current_ssthresh: three quarters of the window at least, unless a reduction is under way. */
export function currentSsthresh(c: Connection): number {
  if (inReduction(c)) return c.ssthresh
  return Math.max(c.ssthresh, (c.cwnd >>> 1) + (c.cwnd >>> 2))
}

/** tcp_cwnd_validate: was it the window that held us back, or had we nothing to send? */
export function validateWindow(c: Connection, limited: boolean): void {
  const { packetsOut } = c
  if (!before(c.sndUna, c.cwndUsageSeq) || limited || (!c.cwndLimited && packetsOut > c.maxPacketsOut)) {
    c.cwndLimited = limited
    c.maxPacketsOut = packetsOut
    c.cwndUsageSeq = c.sndNxt
  }
  if (c.cwndLimited || (c.cwnd < c.ssthresh && c.cwnd < 2 * c.maxPacketsOut)) {
    c.cwndUsed = 0
    c.cwndStampNs = c.nowNs
    return
  }
  if (packetsOut > c.cwndUsed) c.cwndUsed = packetsOut
  const slow = c.tcp.ns.sysctl.globals.tcp_slow_start_after_idle !== 0
  if (slow && c.nowNs - c.cwndStampNs >= c.rtt.rtoNs) applicationLimited(c)
}

/** tcp_cwnd_application_limited: a window that nobody uses shrinks towards its use. */
function applicationLimited(c: Connection): void {
  if (c.ca === Ca.Open && !c.noSpace) {
    const used = Math.max(c.cwndUsed, INIT_CWND)
    if (used < c.cwnd) {
      c.ssthresh = currentSsthresh(c)
      c.cwnd = (c.cwnd + used) >>> 1
    }
    c.cwndUsed = 0
  }
  c.cwndStampNs = c.nowNs
}

/** tcp_slow_start_after_idle_check, when the program writes again. */
export function restartAfterIdle(c: Connection): void {
  if (c.packetsOut > 0 || c.tcp.ns.sysctl.globals.tcp_slow_start_after_idle === 0) return
  let idleNs: Ns = c.nowNs - c.lsndNs
  const { rtoNs } = c.rtt
  if (idleNs <= rtoNs) return
  c.ssthresh = currentSsthresh(c)
  const least = Math.min(INIT_CWND, c.cwnd)
  let cwnd = c.cwnd
  while ((idleNs -= rtoNs) > 0 && cwnd > least) cwnd >>>= 1
  c.cwnd = Math.max(cwnd, least)
  c.cwndStampNs = c.nowNs
  c.cwndUsed = 0
}

/** tcp_init_cwnd_reduction. */
export function initReduction(c: Connection): void {
  c.highSeq = c.sndNxt
  c.hasTlp = false
  c.cwndCount = 0
  c.priorCwnd = c.cwnd
  c.prrDelivered = 0
  c.prrOut = 0
  c.ssthresh = c.congestion!.threshold(c)
  c.ecnQueueCwr = c.ecnOk
}

/** tcp_enter_cwr: the network says so, nothing is lost. */
export function enterCwr(c: Connection): void {
  c.priorSsthresh = 0
  if (c.ca >= Ca.Cwr) return
  c.hasUndoMarker = false
  initReduction(c)
  setState(c, Ca.Cwr)
}

/** tcp_cwnd_reduction: what may be sent for what was delivered. */
export function reduce(c: Connection, delivered: number, lost: number, flag: number): void {
  if (delivered <= 0 || c.priorCwnd === 0) return
  const delta = c.ssthresh - c.inFlight
  c.prrDelivered += delivered
  let count: number
  if (delta < 0) {
    count = Math.floor((c.ssthresh * c.prrDelivered + c.priorCwnd - 1) / c.priorCwnd) - c.prrOut
  } else {
    count = Math.max(c.prrDelivered - c.prrOut, delivered)
    if ((flag & Flag.SndUnaAdvanced) !== 0 && lost === 0) count++
    count = Math.min(delta, count)
  }
  // At least the first retransmission goes out at once.
  count = Math.max(count, c.prrOut > 0 ? 0 : 1)
  c.cwnd = c.inFlight + count
}

/** tcp_end_cwnd_reduction. */
export function endReduction(c: Connection): void {
  if (c.ssthresh >= SSTHRESH_INFINITE || (c.ca !== Ca.Cwr && !c.hasUndoMarker)) return
  c.cwnd = c.ssthresh
  c.cwndStampNs = c.nowNs
}

/** tcp_cong_control, for algorithms without a control of their own. */
export function control(c: Connection, ack: number, delivered: number, lost: number, flag: number): void {
  if (inReduction(c)) reduce(c, delivered, lost, flag)
  else if (mayRaise(c, flag)) {
    c.congestion!.avoid(c, ack, delivered)
    c.cwndStampNs = c.nowNs
  }
}

/** tcp_may_raise_cwnd: with much reordering what is sacked counts as progress too. */
function mayRaise(c: Connection, flag: number): boolean {
  return c.reordering > c.tcp.ns.sysctl.globals.tcp_reordering
    ? (flag & Flag.ForwardProgress) !== 0
    : (flag & Flag.DataAcked) !== 0
}
