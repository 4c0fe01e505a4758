/**
 * Congestion control behind one interface (struct tcp_congestion_ops). All windows are in segments, all times
 * in nanoseconds or, where said, microseconds and milliseconds; integers only. For each acknowledgement the
 * connection first moves SND.UNA, then calls `sample` (tcp_clean_rtx_queue), then, outside recovery, `avoid`
 * (tcp_cong_control).
 */
import type { Ns } from "@podwire/engine"

/** TCP_INFINITE_SSTHRESH: no loss seen yet. */
export const SSTHRESH_INFINITE = 0x7fff_ffff

/** What an algorithm sees and sets of its connection. */
export interface CongestionView {
  /** snd_cwnd, snd_ssthresh, and snd_cwnd_cnt: increments saved up. Segments. */
  cwnd: number
  ssthresh: number
  cwndCount: number
  readonly cwndClamp: number
  /** prior_cwnd: the window when the current or last recovery began; what `undo` goes back to. */
  readonly priorCwnd: number
  /** Last measured and smoothed round trip, microseconds; srtt is 8 times itself, 0 before the first. */
  readonly srttUs8: number
  readonly minRttUs: number
  /** When the segment being handled arrived (tcp_mstamp). */
  readonly nowNs: Ns
  /** Sequence numbers, signed words. */
  readonly sndNxt: number
  readonly sndUna: number
  /**
   * tp->is_cwnd_limited: the window, not the application, held the sender back when the last window was full.
   */
  readonly isCwndLimited: boolean
  /** What was in flight when the last window was full, segments (max_packets_out). */
  readonly maxPacketsOut: number
  /** sk_pacing_rate, octets a second (congestion/pacing.ts); 0 before the first round trip. */
  readonly pacingRate: number
  /**
   * HyStart ended slow start: TCPHystartTrainDetect or TCPHystartDelayDetect, and the same …Cwnd by the
   * window.
   */
  hystartFound?(by: "train" | "delay"): void
}

export interface Congestion {
  readonly name: string
  /**
   * Segments acknowledged in order, outside recovery (cong_avoid): `ack` is SND.UNA, `acked` segments are
   * new.
   */
  avoid(view: CongestionView, ack: number, acked: number): void
  /** Halve, or what the algorithm does instead: the new threshold at the start of a recovery (ssthresh). */
  threshold(view: CongestionView): number
  /** The window to go back to when a recovery proves needless (undo_cwnd). */
  undo(view: CongestionView): number
  /** Each acknowledgement with a round trip sample in microseconds, -1 for none (pkts_acked). */
  sample(view: CongestionView, segments: number, rttUs: number): void
  /** A new recovery state: "open", "disorder", "cwr", "recovery", "loss" (set_state). */
  stateChanged(view: CongestionView, state: CongestionState): void
  /**
   * Data is sent with nothing in flight (CA_EVENT_TX_START); `idleNs` since the last data, before lsndtime
   * moves.
   */
  restarted(view: CongestionView, idleNs: Ns): void
}

export type CongestionState = "open" | "disorder" | "cwr" | "recovery" | "loss"
