/**
 * Reno (RFC 5681; tcp_reno in net/ipv4/tcp_cong.c): a segment more each round trip, half after a loss. It
 * keeps nothing of its own, so one object serves every connection.
 */
import type { Congestion, CongestionView } from "../congestion.ts"
import { additiveIncrease, inSlowStart, mayGrow, priorWindow, slowStart } from "./growth.ts"

class Reno implements Congestion {
  readonly name = "reno"

  avoid(view: CongestionView, _ack: number, acked: number): void {
    if (!mayGrow(view)) return
    const left = inSlowStart(view) ? slowStart(view, acked) : acked
    if (left > 0) additiveIncrease(view, view.cwnd, left)
  }

  threshold(view: CongestionView): number {
    return Math.max(view.cwnd >>> 1, 2)
  }

  undo(view: CongestionView): number {
    return priorWindow(view)
  }

  sample(): void {}
  stateChanged(): void {}
  restarted(): void {}
}

export const RENO: Congestion = new Reno()
