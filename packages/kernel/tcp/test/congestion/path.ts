/** A path for an algorithm alone: acknowledgements evenly spread over each round trip, one segment each. */
import type { Congestion, CongestionView } from "../../src/congestion.ts"
import { SSTHRESH_INFINITE } from "../../src/congestion.ts"

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
export type View = Mutable<CongestionView>

export function viewOf(over: Partial<View> = {}): View {
  return {
    cwnd: 10, ssthresh: SSTHRESH_INFINITE, cwndCount: 0, cwndClamp: 0xffff_ffff, priorCwnd: 0, srttUs8: 0,
    minRttUs: 0, nowNs: 0, sndNxt: 10, sndUna: 0, isCwndLimited: true, maxPacketsOut: 0, pacingRate: 0, ...over
  }
}

/** One segment acknowledged now; sequence numbers count segments. */
export function acknowledge(algorithm: Congestion, view: View, rttUs: number, acked = 1): void {
  view.sndUna = (view.sndUna + acked) | 0
  algorithm.sample(view, acked, rttUs)
  algorithm.avoid(view, view.sndUna, acked)
  view.sndNxt = (view.sndUna + view.cwnd) | 0
}

/** A window's worth of acknowledgements over one round trip. */
export function roundTrip(algorithm: Congestion, view: View, rttNs: number): void {
  const start = view.nowNs
  const count = view.cwnd
  for (let i = 1; i <= count; i++) {
    view.nowNs = start + Math.floor((i * rttNs) / count)
    acknowledge(algorithm, view, rttNs / 1000)
  }
}

/** A loss, repaired at once. */
export function lose(algorithm: Congestion, view: View): void {
  view.priorCwnd = view.cwnd
  view.ssthresh = algorithm.threshold(view)
  view.cwnd = view.ssthresh
  view.cwndCount = 0
}
