/**
 * The round trip and the timeout from it (RFC 6298 as tcp_rtt_estimator, tcp_set_rto and tcp_bound_rto do
 * it): srtt is kept eightfold and the deviation fourfold, in microseconds. The deviation that counts rises
 * at once, falls at most once a round trip and is never under the least timeout, so that RTO is srtt and
 * 200 ms or more, up to the next jiffy (4 ms, `jiffies.ts`). Backoff is the caller's: it doubles `rtoNs`,
 * `bounded`.
 * *Not supported*: a route's rto_min, cached metrics of a destination.
 */
import type { Ns } from "@podwire/engine"
import { JIFFY_NS, JIFFY_US, usToJiffies } from "./jiffies.ts"

/** TCP_TIMEOUT_INIT, and TCP_TIMEOUT_FALLBACK for a handshake that gave no sample (RFC 6298, section 5.7). */
export const RTO_INITIAL_NS: Ns = 1_000_000_000
const RTO_FALLBACK_NS: Ns = 3_000_000_000

export class RttEstimator {
  /** srtt_us, eightfold; 0 before the first sample. */
  srttUs8 = 0
  /** mdev_us, fourfold; its most in this round trip; and what the timeout goes by. */
  mdevUs4: number = RTO_INITIAL_NS / 1000
  mdevMaxUs4 = 0
  rttvarUs4 = 0
  /** icsk_rto. The caller doubles it at each timeout; the next sample sets it afresh. */
  rtoNs: Ns = RTO_INITIAL_NS
  /** tcp_rto_min_us and tcp_rto_max_ms, in whole jiffies; both may be set on a live socket. */
  rtoMinUs: number
  rtoMaxNs: Ns
  /** rtt_seq: the round trip ends when this is acknowledged. */
  #roundSeq = 0

  constructor(rtoMinUs: number, rtoMaxMs: number) {
    this.rtoMinUs = usToJiffies(rtoMinUs) * JIFFY_US
    this.rtoMaxNs = usToJiffies(rtoMaxMs * 1000) * JIFFY_NS
  }

  /**
   * Whole microseconds, 0 or more. SND.UNA already covers what was acknowledged. Sets the timeout, without
   * backoff.
   */
  sample(rttUs: number, sndUna: number, sndNxt: number): void {
    if (this.srttUs8 === 0) this.#first(rttUs, sndNxt)
    else this.#next(rttUs, sndUna, sndNxt)
    this.setRto()
  }

  /** tcp_set_rto: what the samples say; undoes any backoff. */
  setRto(): void {
    this.rtoNs = this.bounded(usToJiffies(Math.floor(this.srttUs8 / 8) + this.rttvarUs4) * JIFFY_NS)
  }

  /** tcp_bound_rto, for a timeout that was doubled too. */
  bounded(rtoNs: Ns): Ns {
    return Math.min(rtoNs, this.rtoMaxNs)
  }

  /** tcp_init_metrics: established without a sample, as a handshake that was sent again is none (Karn). */
  fallBack(): void {
    if (this.srttUs8 !== 0) return
    this.mdevUs4 = this.mdevMaxUs4 = this.rttvarUs4 = RTO_FALLBACK_NS / 1000
    this.rtoNs = RTO_FALLBACK_NS
  }

  #first(rttUs: number, sndNxt: number): void {
    this.mdevUs4 = 2 * rttUs
    this.rttvarUs4 = this.mdevMaxUs4 = Math.max(this.mdevUs4, this.rtoMinUs)
    this.#roundSeq = sndNxt
    this.srttUs8 = Math.max(1, 8 * rttUs)
  }

  #next(rttUs: number, sndUna: number, sndNxt: number): void {
    const error = rttUs - Math.floor(this.srttUs8 / 8)
    this.srttUs8 = Math.max(1, this.srttUs8 + error)
    let change = Math.abs(error) - Math.floor(this.mdevUs4 / 4)
    // A sample far below srtt raises the deviation by an eighth only: a faster path is no reason to wait.
    if (error < 0 && change > 0) change = Math.floor(change / 8)
    this.mdevUs4 += change
    if (this.mdevUs4 > this.mdevMaxUs4) {
      this.mdevMaxUs4 = this.mdevUs4
      if (this.mdevMaxUs4 > this.rttvarUs4) this.rttvarUs4 = this.mdevMaxUs4
    }
    if (((this.#roundSeq - sndUna) | 0) >= 0) return
    if (this.mdevMaxUs4 < this.rttvarUs4) {
      this.rttvarUs4 -= Math.floor((this.rttvarUs4 - this.mdevMaxUs4) / 4)
    }
    this.#roundSeq = sndNxt
    this.mdevMaxUs4 = this.rtoMinUs
  }
}
