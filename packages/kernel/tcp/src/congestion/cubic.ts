/**
 * CUBIC (RFC 9438) in Linux's integers (net/ipv4/tcp_cubic.c with its stock parameters): after a loss the
 * window follows a cube of the time, flat about where the loss was, and is at least what Reno would have;
 * slow start ends by HyStart. Deviations from the RFC are Linux's: beta 717/1024, C 410/1024, the curve is
 * looked at once a jiffy, growth is at most a segment for two acknowledged. Nothing is allocated after
 * construction. *Not supported*: the parameters of the module.
 */
import type { Ns } from "@podwire/engine"
import type { Congestion, CongestionState, CongestionView } from "../congestion.ts"
import { HZ, jiffiesAt, usToJiffies } from "../jiffies.ts"
import { gained, timeToGain } from "./cube.ts"
import { additiveIncrease, inSlowStart, mayGrow, priorWindow, slowStart } from "./growth.ts"
import { HyStart } from "./hystart.ts"

const BETA = 717
const ONE = 1024
/**
 * beta_scale: eight times the segments Reno with this beta needs acknowledged, per segment of window, to grow
 * by one.
 */
const RENO_SCALE = 15
/** Jiffies after which an unchanged window is looked at again. */
const STALE_JIFFIES = Math.floor(HZ / 32)
/** No epoch. */
const NONE = -1

export class Cubic implements Congestion {
  readonly name = "cubic"
  /** cnt: acknowledged segments that buy one segment of window. */
  #every = 0
  /** last_max_cwnd: the window at the last loss, 0 before the first. */
  #maxWindow = 0
  #lastWindow = 0
  #lastJiffy = 0
  /** bic_origin_point and bic_K: where the curve is flat, and when, in 1/1024 s after the epoch's start. */
  #origin = 0
  #k = 0
  #minRttUs = 0
  /** When the curve began, jiffies. */
  #epoch = NONE
  /** ack_cnt and tcp_cwnd: what Reno would have made of this epoch. */
  #renoAcked = 0
  #renoWindow = 0
  readonly #hystart: HyStart

  constructor(view: CongestionView) {
    this.#hystart = new HyStart(view)
  }

  avoid(view: CongestionView, _ack: number, acked: number): void {
    if (!mayGrow(view)) return
    const left = inSlowStart(view) ? slowStart(view, acked) : acked
    if (left === 0) return
    this.#update(view, left)
    additiveIncrease(view, this.#every, left)
  }

  threshold(view: CongestionView): number {
    const { cwnd } = view
    this.#epoch = NONE
    // Fast convergence: who loses again below the last loss's window leaves room to newcomers.
    this.#maxWindow = cwnd < this.#maxWindow ? Math.floor((cwnd * (ONE + BETA)) / (2 * ONE)) : cwnd
    return Math.max(Math.floor((cwnd * BETA) / ONE), 2)
  }

  undo(view: CongestionView): number {
    return priorWindow(view)
  }

  sample(view: CongestionView, _segments: number, rttUs: number): void {
    if (rttUs < 0) return
    // The queue that the loss left makes the second after it a bad witness.
    if (this.#epoch !== NONE && jiffiesAt(view.nowNs) - this.#epoch < HZ) return
    const delayUs = Math.max(rttUs, 1)
    if (this.#minRttUs === 0 || delayUs < this.#minRttUs) this.#minRttUs = delayUs
    if (inSlowStart(view)) this.#hystart.update(view, delayUs, this.#minRttUs)
  }

  stateChanged(view: CongestionView, state: CongestionState): void {
    if (state !== "loss") return
    this.#every = 0
    this.#maxWindow = 0
    this.#lastWindow = 0
    this.#lastJiffy = 0
    this.#origin = 0
    this.#k = 0
    this.#minRttUs = 0
    this.#epoch = NONE
    this.#renoAcked = 0
    this.#renoWindow = 0
    this.#hystart.restart(view)
  }

  /** Silence is no time on the curve: the epoch moves by it. */
  restarted(view: CongestionView, idleNs: Ns): void {
    const now = jiffiesAt(view.nowNs)
    const idle = now - jiffiesAt(view.nowNs - idleNs)
    if (this.#epoch !== NONE && idle > 0) this.#epoch = Math.min(this.#epoch + idle, now)
  }

  /** bictcp_update. */
  #update(view: CongestionView, acked: number): void {
    const { cwnd } = view
    const now = jiffiesAt(view.nowNs)
    this.#renoAcked += acked
    if (this.#lastWindow === cwnd && now - this.#lastJiffy <= STALE_JIFFIES) return
    // Once a jiffy, but that a loss ends the epoch and so asks at once.
    if (this.#epoch === NONE || now !== this.#lastJiffy) {
      this.#lastWindow = cwnd
      this.#lastJiffy = now
      if (this.#epoch === NONE) this.#begin(now, cwnd, acked)
      this.#every = this.#pace(cwnd, now)
    }
    this.#every = Math.max(Math.min(this.#every, this.#renoPace(cwnd)), 2)
  }

  #begin(now: number, cwnd: number, acked: number): void {
    this.#epoch = now
    this.#renoAcked = acked
    this.#renoWindow = cwnd
    this.#k = this.#maxWindow <= cwnd ? 0 : timeToGain(this.#maxWindow - cwnd)
    this.#origin = Math.max(this.#maxWindow, cwnd)
  }

  /** Acknowledged segments per segment gained, for the curve's window one round trip from now. */
  #pace(cwnd: number, now: number): number {
    const time = Math.floor(((now - this.#epoch + usToJiffies(this.#minRttUs)) * 1024) / HZ)
    // A word without sign, as in Linux: a curve that starts below nothing is far above the window.
    const target =
      (time < this.#k ? this.#origin - gained(this.#k - time) : this.#origin + gained(time - this.#k)) >>> 0
    const every = target > cwnd ? Math.floor(cwnd / (target - cwnd)) : 100 * cwnd
    // Before the first loss nothing is known of the path: 5 percent a round trip at least.
    return this.#maxWindow === 0 ? Math.min(every, 20) : every
  }

  /** What keeps up with Reno (tcp_friendliness), or no bound. */
  #renoPace(cwnd: number): number {
    const perSegment = Math.floor((cwnd * RENO_SCALE) / 8)
    while (this.#renoAcked > perSegment) {
      this.#renoAcked -= perSegment
      this.#renoWindow++
    }
    return this.#renoWindow > cwnd ? Math.floor(cwnd / (this.#renoWindow - cwnd)) : 0xffff_ffff
  }
}
