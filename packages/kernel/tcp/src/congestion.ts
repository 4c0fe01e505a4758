/**
 * Congestion control behind one interface (struct tcp_congestion_ops). All windows are in segments, all times in
 * nanoseconds or, where said, microseconds and milliseconds; integers only.
 */
import type { Ns } from "@podwire/engine"

/** What an algorithm sees and sets of its connection. */
export interface CongestionView {
  /** snd_cwnd, snd_ssthresh, and snd_cwnd_cnt: increments saved up. Segments. */
  cwnd: number
  ssthresh: number
  cwndCount: number
  readonly cwndClamp: number
  /** Last measured and smoothed round trip, microseconds; srtt is 8 times itself, 0 before the first. */
  readonly srttUs8: number
  readonly minRttUs: number
  readonly nowNs: Ns
  /** Sequence numbers, signed words. */
  readonly sndNxt: number
  readonly sndUna: number
  /** tcp_is_cwnd_limited: the window, not the application, held the sender back. */
  readonly isCwndLimited: boolean
  /** What was in flight when the last window was full, segments (max_packets_out). */
  readonly maxPacketsOut: number
}

export interface Congestion {
  readonly name: string
  /** Segments acknowledged in order, outside recovery (cong_avoid). `ackNs` is when. */
  avoid(view: CongestionView, ack: number, acked: number): void
  /** Halve, or what the algorithm does instead: the new threshold at the start of a recovery (ssthresh). */
  threshold(view: CongestionView): number
  /** The window to go back to when a recovery proves needless (undo_cwnd). */
  undo(view: CongestionView): number
  /** Each acknowledgement with a round trip sample in microseconds, -1 for none (pkts_acked). */
  sample(view: CongestionView, segments: number, rttUs: number): void
  /** A new recovery state: "open", "disorder", "cwr", "recovery", "loss" (set_state). */
  stateChanged(view: CongestionView, state: CongestionState): void
  /** The first segment after silence (CA_EVENT_TX_START). */
  restarted(view: CongestionView, idleNs: Ns): void
}

export type CongestionState = "open" | "disorder" | "cwr" | "recovery" | "loss"
