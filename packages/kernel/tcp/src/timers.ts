/**
 * A connection's timers (net/ipv4/tcp_timer.c): one for retransmission, which also probes shut windows,
 * lost tails and reordering, one for delayed acknowledgements, one for keepalive and for FIN_WAIT2.
 */
import type { Ns } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import { AckPending, ATO_MIN_NS, Ca, type Connection, Pending } from "./connection.ts"
import { finish } from "./finish.ts"
import { JIFFY_NS } from "./jiffies.ts"
import { retransmitCounted, sendAck, sendReset, writeWakeup } from "./output.ts"
import { reorderTimeout, rtoLeftNs, sendLossProbe } from "./rack.ts"
import { enterLoss } from "./recovery.ts"
import { RTO_INITIAL_NS } from "./rtt.ts"
import { State } from "./state.ts"
import { LazyTimer } from "./timer.ts"
import { restAfterFin, TIMEWAIT_NS } from "./time-wait.ts"
import { fireNs } from "./wheel.ts"

export class RetransmitTimer extends LazyTimer {
  readonly #connection: Connection

  constructor(c: Connection) {
    super(c.tcp.engine)
    this.#connection = c
  }

  protected override expired(): void {
    const c = this.#connection
    const what = c.pending
    if (what === Pending.Reorder) reorderTimeout(c)
    else if (what === Pending.LossProbe) sendLossProbe(c)
    else if (what === Pending.Retransmit) {
      c.pending = Pending.None
      retransmitTimeout(c)
    } else if (what === Pending.Probe0) {
      c.pending = Pending.None
      probeTimeout(c)
    }
  }

  /** All is acknowledged. */
  protected override idle(): void {
    const c = this.#connection
    if (c.sndUna === c.writeSeq) c.ring.emptied()
  }
}

export class DelayedAckTimer extends LazyTimer {
  readonly #connection: Connection

  constructor(c: Connection) {
    super(c.tcp.engine)
    this.#connection = c
  }

  protected override idle(): void {
    this.#connection.queue.idle()
  }

  /** tcp_delack_timer_handler. */
  protected override expired(): void {
    const c = this.#connection
    if (c.state === State.CLOSED) return
    if (c.compressedAck > 0) {
      c.compressedAck--
      sendAck(c)
      return
    }
    if ((c.ackPending & AckPending.Timer) === 0) return
    c.ackPending &= ~AckPending.Timer
    if (!c.ackScheduled) return
    if (!c.pingpongMode) c.atoNs = Math.min(c.atoNs * 2, c.rtt.rtoNs)
    else {
      c.pingpong = 0
      c.atoNs = ATO_MIN_NS
    }
    sendAck(c)
    c.tcp.mib.DelayedACKs++
  }
}

export class KeepaliveTimer extends LazyTimer {
  readonly #connection: Connection

  constructor(c: Connection) {
    super(c.tcp.engine)
    this.#connection = c
  }

  protected override expired(): void {
    keepaliveTimeout(this.#connection)
  }
}

/** Set a timer as the kernel's wheel would fire it; when that is. */
export function setTimer(c: Connection, timer: LazyTimer, delayNs: Ns, pending?: Pending): Ns {
  const most = c.rtt.rtoMaxNs
  const dueNs = fireNs(c.nowNs, Math.min(delayNs, most))
  if (pending !== undefined) c.pending = pending
  timer.set(dueNs)
  return dueNs
}

/** inet_csk_clear_xmit_timer. */
export function clearTimer(c: Connection): void {
  c.pending = Pending.None
  c.rto.clear()
}

/** tcp_rearm_rto: from the oldest segment, if the timer was busy with something shorter. */
export function rearmRto(c: Connection): void {
  if (c.packetsOut === 0) return clearTimer(c)
  let waitNs = c.rtt.rtoNs
  if (c.pending === Pending.Reorder || c.pending === Pending.LossProbe) waitNs = Math.max(rtoLeftNs(c), 1)
  setTimer(c, c.rto, waitNs, Pending.Retransmit)
}

/** tcp_retransmit_timer. */
export function retransmitTimeout(c: Connection): void {
  const { mib } = c.tcp
  if (c.packetsOut === 0) return
  const opening = c.state === State.SYN_SENT || c.state === State.SYN_RECV
  if (c.sndWnd === 0 && !c.dead && !opening) {
    // The peer took its window back: the oldest segment is the probe.
    if (probedInVain(c)) return writeError(c)
    enterLoss(c)
    retransmitCounted(c, 0)
  } else {
    mib.TCPTimeouts++
    if (givenUp(c)) {
      if (c.state !== State.CLOSED) writeError(c)
      return
    }
    mib.TcpTimeoutRehash++
    if (c.retransmits === 0) countFailure(c)
    enterLoss(c)
    c.retransmits++
    c.totalRto++
    // Whether it left or not: a route or a neighbour that is gone is waited for like an answer.
    retransmitCounted(c, 0)
  }
  const linear = c.state === State.SYN_SENT && c.totalRto <= c.tcp.ns.sysctl.globals.tcp_syn_linear_timeouts
  if (!linear) c.backoff++
  if (!linear) c.rtt.rtoNs = c.rtt.bounded(c.rtt.rtoNs * 2)
  setTimer(c, c.rto, clampToUserTimeout(c, c.rtt.rtoNs), Pending.Retransmit)
}

/** What the first timeout interrupts. */
function countFailure(c: Connection): void {
  const { mib } = c.tcp
  if (c.ca === Ca.Recovery) {
    if (c.sackOk) mib.TCPSackRecoveryFail++
    else mib.TCPRenoRecoveryFail++
  } else if (c.ca === Ca.Loss) mib.TCPLossFailures++
  else if (c.ca === Ca.Disorder || c.sackedOut > 0) {
    if (c.sackOk) mib.TCPSackFailures++
    else mib.TCPRenoFailures++
  }
}

/** tcp_rtx_probe0_timed_out: nothing heard and nothing acknowledged for so long. */
function probedInVain(c: Connection): boolean {
  const userNs = c.options.userTimeoutMs * 1_000_000
  const sinceNs = c.nowNs - (c.retransStampNs || c.rtx.first!.sentNs)
  if (userNs > 0 && sinceNs > userNs) return true
  const mostNs = userNs > 0 ? Math.min(2 * c.rtt.rtoMaxNs, userNs) : 2 * c.rtt.rtoMaxNs
  return c.nowNs - c.rcvTstampNs > mostNs && sinceNs > mostNs
}

/** tcp_write_timeout. */
function givenUp(c: Connection): boolean {
  const { globals } = c.tcp.ns.sysctl
  let until = globals.tcp_retries2
  if (c.state === State.SYN_SENT || c.state === State.SYN_RECV) {
    until = c.options.synCount || globals.tcp_syn_retries
    const most = c.state === State.SYN_SENT ? until + globals.tcp_syn_linear_timeouts : until
    if (c.retransmits >= most) return true
  } else if (c.dead) {
    const alive = c.rtt.rtoNs < c.rtt.rtoMaxNs
    until = orphanRetries(c, alive)
    if (outOfResources(c, alive || !timedOut(c, until, 0))) return true
  }
  return timedOut(c, until, c.options.userTimeoutMs)
}

/** tcp_out_of_resources: one orphan too many, sooner one that is silent. True: it is gone. */
function outOfResources(c: Connection, resets: boolean): boolean {
  const silentNs = c.nowNs - c.lsndNs
  const penalty = (silentNs > 2 * c.rtt.rtoMaxNs || !resets ? 1 : 0) + (c.softError !== Errno.OK ? 1 : 0)
  if (!c.tcp.tooManyOrphans(penalty)) return false
  if (resets || silentNs <= TIMEWAIT_NS || (c.sndWnd === 0 && c.packetsOut === 0)) sendReset(c)
  finish(c, Errno.OK)
  c.tcp.mib.TCPAbortOnMemory++
  return true
}

/** tcp_orphan_retries: nobody waits for these. */
function orphanRetries(c: Connection, alive: boolean): number {
  const { tcp_orphan_retries } = c.tcp.ns.sysctl.globals
  if (c.softError !== Errno.OK && !alive) return 0
  return tcp_orphan_retries === 0 && alive ? 8 : tcp_orphan_retries
}

/** retransmits_timed_out: as long as `boundary` doublings would take, or a user's time. */
function timedOut(c: Connection, boundary: number, userTimeoutMs: number): boolean {
  if (c.retransmits === 0) return false
  const opening = c.state === State.SYN_SENT || c.state === State.SYN_RECV
  let waitMs = userTimeoutMs
  if (waitMs === 0) {
    const base = opening ? RTO_INITIAL_NS / 1_000_000 : c.rtt.rtoMinUs / 1000
    const most = c.rtt.rtoMaxNs / 1_000_000
    let doublings = 0
    while (base * 2 ** (doublings + 1) <= most) doublings++
    waitMs = boundary <= doublings
      ? (2 ** (boundary + 1) - 1) * base
      : (2 ** (doublings + 1) - 1) * base + (boundary - doublings) * most
  }
  return Math.floor((c.nowNs - c.retransStampNs) / 1_000_000) >= waitMs
}

/** tcp_clamp_rto_to_user_timeout. */
function clampToUserTimeout(c: Connection, rtoNs: Ns): Ns {
  const { userTimeoutMs } = c.options
  if (userTimeoutMs === 0) return rtoNs
  const left = userTimeoutMs * 1_000_000 - (c.nowNs - c.retransStampNs)
  return left <= 0 ? 1_000_000 : Math.min(rtoNs, left)
}

/** tcp_write_err. */
export function writeError(c: Connection): void {
  c.tcp.mib.TCPAbortOnTimeout++
  finish(c, c.softError === Errno.OK ? Errno.ETIMEDOUT : c.softError)
}

// A shut window

/** tcp_probe0_when. */
export function probe0Ns(c: Connection): Ns {
  const base = Math.max(c.rtt.rtoNs, c.rtt.rtoMinUs * 1000)
  return Math.min(base * 2 ** Math.min(c.backoff, 30), c.rtt.rtoMaxNs)
}

/** tcp_check_probe_timer. */
export function startProbeTimer(c: Connection): void {
  if (c.packetsOut > 0 || c.pending !== Pending.None) return
  setTimer(c, c.rto, Math.max(c.rtt.rtoNs, c.rtt.rtoMinUs * 1000), Pending.Probe0)
}

/** tcp_probe_timer. */
function probeTimeout(c: Connection): void {
  const { globals } = c.tcp.ns.sysctl
  if (c.packetsOut > 0 || c.unsent === 0) {
    c.probesOut = 0
    c.probesStartNs = -1
    return
  }
  if (c.probesStartNs < 0) c.probesStartNs = c.nowNs
  else if (c.options.userTimeoutMs > 0 && c.nowNs - c.probesStartNs >= c.options.userTimeoutMs * 1_000_000) {
    return writeError(c)
  }
  let most = globals.tcp_retries2
  if (c.dead) {
    const alive = probe0Ns(c) < c.rtt.rtoMaxNs
    most = orphanRetries(c, alive)
    if (!alive && c.backoff >= most) return writeError(c)
    if (outOfResources(c, true)) return
  }
  if (c.probesOut >= most) return writeError(c)
  sendProbe0(c)
}

/** tcp_clamp_probe0_to_user_timeout. */
function clampProbeToUserTimeout(c: Connection, waitNs: Ns): Ns {
  if (c.options.userTimeoutMs === 0 || c.probesStartNs < 0) return waitNs
  const leftNs = c.options.userTimeoutMs * 1_000_000 - (c.nowNs - c.probesStartNs)
  return Math.min(waitNs, Math.max(leftNs, 2 * JIFFY_NS))
}

/** tcp_send_probe0. */
function sendProbe0(c: Connection): void {
  c.tcp.mib.TCPWinProbe++
  writeWakeup(c)
  if (c.packetsOut > 0 || c.unsent === 0) {
    c.probesOut = 0
    c.backoff = 0
    c.probesStartNs = -1
    return
  }
  // Also one that did not leave counts.
  c.probesOut++
  if (c.backoff < c.tcp.ns.sysctl.globals.tcp_retries2) c.backoff++
  setTimer(c, c.rto, clampProbeToUserTimeout(c, probe0Ns(c)), Pending.Probe0)
}

// Keepalive, and FIN_WAIT2 of a connection that nobody has any more

export function setKeepalive(c: Connection, delayNs: Ns): void {
  c.keepalive ??= new KeepaliveTimer(c)
  c.keepalive.set(fireNs(c.nowNs, delayNs))
}

export function keepaliveTimeNs(c: Connection): Ns {
  return (c.options.keepIdleSeconds || c.tcp.ns.sysctl.globals.tcp_keepalive_time) * 1_000_000_000
}

/**
 * SO_KEEPALIVE is on from now, or TCP_KEEPIDLE is another: silence counts from when it began
 * (tcp_sock_set_keepidle_locked).
 */
export function restartKeepalive(c: Connection): void {
  const idleNs = keepaliveTimeNs(c)
  if (c.keepalive === null || !c.keepalive.pending) setKeepalive(c, idleNs)
  else if (idleNs !== c.keepaliveIdleNs) setKeepalive(c, Math.max(0, idleNs - silentNs(c)))
  c.keepaliveIdleNs = idleNs
}

/** keepalive_time_elapsed. */
function silentNs(c: Connection): Ns {
  return c.nowNs - Math.max(c.lrcvNs, c.rcvTstampNs)
}

/** tcp_fin_time. */
export function finTimeNs(c: Connection): Ns {
  const seconds = c.options.linger2Seconds || c.tcp.ns.sysctl.globals.tcp_fin_timeout
  const rtoNs = c.rtt.rtoNs
  return Math.max(seconds * 1_000_000_000, 4 * rtoNs - Math.floor(rtoNs / 2))
}

/** tcp_keepalive_timer. */
function keepaliveTimeout(c: Connection): void {
  const { globals } = c.tcp.ns.sysctl
  if (c.state === State.FIN_WAIT2 && c.dead) {
    const restNs = finTimeNs(c) - TIMEWAIT_NS
    if (c.options.linger2Seconds >= 0 && restNs > 0) return restAfterFin(c, State.FIN_WAIT2, restNs)
    sendReset(c)
    return finish(c, Errno.OK)
  }
  if (!c.options.keepAlive || c.state === State.CLOSED || c.state === State.SYN_SENT) return
  const idleNs = keepaliveTimeNs(c)
  if (c.packetsOut > 0 || c.unsent > 0) return setKeepalive(c, idleNs)
  const elapsedNs = silentNs(c)
  if (elapsedNs < idleNs) return setKeepalive(c, idleNs - elapsedNs)
  const userNs = c.options.userTimeoutMs * 1_000_000
  const probes = c.options.keepCount || globals.tcp_keepalive_probes
  const over = userNs > 0 ? elapsedNs >= userNs && c.probesOut > 0 : c.probesOut >= probes
  if (over) {
    sendReset(c)
    return writeError(c)
  }
  c.tcp.mib.TCPKeepAlive++
  // Also one that did not leave counts.
  writeWakeup(c)
  c.probesOut++
  setKeepalive(c, (c.options.keepIntervalSeconds || globals.tcp_keepalive_intvl) * 1_000_000_000)
}
