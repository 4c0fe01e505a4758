/**
 * HyStart (Ha and Rhee 2011, as tcp_cubic.c does it): slow start ends before the first loss, when a round's
 * acknowledgements come as a train longer than half the least round trip, or when the least of eight samples
 * of a round is an eighth (4 to 16 ms) above the least of all. A round ends when what had been sent at its
 * start is acknowledged. Nothing is detected below 16 segments. *Not supported*: pacing, under which Linux
 * does not halve.
 */
import type { CongestionView } from "../congestion.ts"

const LOW_WINDOW = 16
const TRAIN_GAP_US = 2000
const SAMPLES_MIN = 8
const RISE_US_MIN = 4000
const RISE_US_MAX = 16_000
const NO_RTT = 0xffff_ffff
/**
 * sk_gso_max_size of a device with the stock 65,536: less MAX_TCP_HEADER (320) and one. Offloads off do not
 * move it.
 */
const GSO_MAX_BYTES = 65_215

export class HyStart {
  #found = false
  #samples = 0
  #roundStartUs = 0
  #lastAckUs = 0
  #endSeq = 0
  #roundRttUs = NO_RTT

  constructor(view: CongestionView) {
    this.restart(view)
  }

  /** After a timeout slow start begins anew. */
  restart(view: CongestionView): void {
    this.#found = false
    this.#round(view)
  }

  /**
   * hystart_update, in slow start: `rttUs` is a sample, `minRttUs` the least so far. Sets the threshold to
   * end it.
   */
  update(view: CongestionView, rttUs: number, minRttUs: number): void {
    if (this.#found) return
    if (((this.#endSeq - view.sndUna) | 0) < 0) this.#round(view)
    if (view.cwnd < LOW_WINDOW) return
    const train = this.#isTrain(view, minRttUs)
    const late = this.#isLate(rttUs, minRttUs)
    if (train) this.#find(view, "train")
    if (late) this.#find(view, "delay")
  }

  #round(view: CongestionView): void {
    this.#roundStartUs = this.#lastAckUs = Math.floor(view.nowNs / 1000)
    this.#endSeq = view.sndNxt
    this.#roundRttUs = NO_RTT
    this.#samples = 0
  }

  #isTrain(view: CongestionView, minRttUs: number): boolean {
    const nowUs = Math.floor(view.nowNs / 1000)
    if (nowUs - this.#lastAckUs > TRAIN_GAP_US) return false
    this.#lastAckUs = nowUs
    return nowUs - this.#roundStartUs > (minRttUs + burstUs(view.pacingRate)) >>> 1
  }

  #isLate(rttUs: number, minRttUs: number): boolean {
    if (rttUs < this.#roundRttUs) this.#roundRttUs = rttUs
    if (this.#samples < SAMPLES_MIN) {
      this.#samples++
      return false
    }
    const rise = Math.min(Math.max(minRttUs >>> 3, RISE_US_MIN), RISE_US_MAX)
    return this.#roundRttUs > minRttUs + rise
  }

  #find(view: CongestionView, by: "train" | "delay"): void {
    this.#found = true
    view.ssthresh = view.cwnd
    view.hystartFound?.(by)
  }
}

/** hystart_ack_delay: time for four of the largest bursts, so that those make no train; 1 ms at most. */
function burstUs(rate: number): number {
  return rate === 0 ? 0 : Math.min(1000, Math.floor((GSO_MAX_BYTES * 4_000_000) / rate))
}
