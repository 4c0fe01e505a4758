/**
 * How a window grows, whatever the algorithm: slow start and additive increase (net/ipv4/tcp_cong.c), and the
 * question whether it may grow at all. A window is never above its clamp and slow start never passes the
 * threshold.
 */
import type { CongestionView } from "../congestion.ts"

/** tcp_in_slow_start. */
export function inSlowStart(view: CongestionView): boolean {
  return view.cwnd < view.ssthresh
}

/** tcp_is_cwnd_limited: slow start may also double what was really in flight. */
export function mayGrow(view: CongestionView): boolean {
  if (view.isCwndLimited) return true
  return inSlowStart(view) && view.cwnd < 2 * view.maxPacketsOut
}

/**
 * tcp_slow_start: a segment for each acknowledged, up to the threshold. What is left over goes to avoidance.
 */
export function slowStart(view: CongestionView, acked: number): number {
  const cwnd = Math.min(view.cwnd + acked, view.ssthresh)
  const left = acked - (cwnd - view.cwnd)
  view.cwnd = Math.min(cwnd, view.cwndClamp)
  return left
}

/** tcp_cong_avoid_ai: one segment more for every `every` acknowledged. */
export function additiveIncrease(view: CongestionView, every: number, acked: number): void {
  // Credit saved up under a larger `every` buys one segment, not several.
  if (view.cwndCount >= every) {
    view.cwndCount = 0
    view.cwnd++
  }
  view.cwndCount += acked
  if (view.cwndCount >= every) {
    const more = Math.floor(view.cwndCount / every)
    view.cwndCount -= more * every
    view.cwnd += more
  }
  view.cwnd = Math.min(view.cwnd, view.cwndClamp)
}

/** tcp_reno_undo_cwnd, CUBIC's too. */
export function priorWindow(view: CongestionView): number {
  return Math.max(view.cwnd, view.priorCwnd)
}
