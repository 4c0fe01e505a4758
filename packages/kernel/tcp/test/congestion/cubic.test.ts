import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Cubic } from "../../src/congestion/cubic.ts"
import { acknowledge, lose, roundTrip, type View, viewOf } from "./path.ts"

const MS = 1_000_000
const SECOND = 1000 * MS

/** At a window of 100 after a while without loss, its round trip known. */
function settled(rttNs: number, cwnd = 100): [Cubic, View] {
  const view = viewOf({ cwnd, ssthresh: cwnd, nowNs: 5 * SECOND })
  const cubic = new Cubic(view)
  acknowledge(cubic, view, rttNs / 1000)
  return [cubic, view]
}

describe("cubic after a loss", () => {
  it("follows RFC 9438's curve within a segment and two percent where the curve leads", () => {
    const rttNs = 200 * MS
    const [cubic, view] = settled(rttNs)
    lose(cubic, view)
    expect(view.cwnd).toBe(70)
    const startNs = view.nowNs
    const k = Math.cbrt((100 - 70) / 0.4)
    let worst = 0
    for (let i = 0; i < 40; i++) {
      roundTrip(cubic, view, rttNs)
      const seconds = (view.nowNs - startNs) / SECOND
      const curve = 0.4 * (seconds - k) ** 3 + 100
      worst = Math.max(worst, Math.abs(view.cwnd - curve) / (1 + 0.02 * curve))
    }
    expect(view.cwnd).toBeGreaterThan(120)
    expect(worst).toBeLessThan(1)
  })

  it("keeps up with Reno's 8/15 of a segment a round trip where that is more", () => {
    const rttNs = 10 * MS
    const [cubic, view] = settled(rttNs)
    lose(cubic, view)
    for (let i = 1; i <= 60; i++) {
      roundTrip(cubic, view, rttNs)
      // Reno's window is counted first and then caught up with, which takes a few round trips.
      expect(Math.abs(view.cwnd - (70 + (i * 8) / 15)), `round ${i}`).toBeLessThan(3)
    }
  })

  it("keeps 717/1024, at least two, and gives way when it loses early again", () => {
    const [cubic, view] = settled(50 * MS)
    const kept = [1000, 100, 50, 10, 3, 2, 1].map((cwnd) => new Cubic(viewOf()).threshold(viewOf({ cwnd })))
    expect(kept).toEqual([700, 70, 35, 7, 2, 2, 2])
    lose(cubic, view)
    lose(cubic, view)
    // The second origin is 70 * 1741 / 2048 = 59, not 70: from 49 to 59 the curve is flat at K = 2.9 s.
    expect([view.cwnd, view.ssthresh, cubic.undo(view)]).toEqual([49, 49, 70])
    const rttNs = 500 * MS
    for (let i = 0; i < 6; i++) roundTrip(cubic, view, rttNs)
    expect(view.cwnd).toBeGreaterThanOrEqual(57)
    expect(view.cwnd).toBeLessThanOrEqual(60)
  })

  it("believes no round trip in the first second of the curve", () => {
    const windows = [200_000, 1000].map((rttUs) => {
      const [cubic, view] = settled(200 * MS)
      lose(cubic, view)
      const seen: Array<number> = []
      for (let i = 0; i < 200; i++) {
        view.nowNs += 10 * MS
        acknowledge(cubic, view, i === 0 ? -1 : rttUs, 5)
        seen.push(view.cwnd)
      }
      return seen
    })
    // The curve begins with the first acknowledgement, after its sample.
    expect(windows[1]!.slice(0, 100)).toEqual(windows[0]!.slice(0, 100))
    expect(windows[1]).not.toEqual(windows[0])
  })

  it("does not let silence count", () => {
    const windows = [0, 30].map((idleSeconds) => {
      const [cubic, view] = settled(200 * MS)
      lose(cubic, view)
      for (let i = 0; i < 5; i++) roundTrip(cubic, view, 200 * MS)
      view.nowNs += idleSeconds * SECOND
      cubic.restarted(view, idleSeconds * SECOND)
      for (let i = 0; i < 5; i++) roundTrip(cubic, view, 200 * MS)
      return view.cwnd
    })
    expect(windows[1]).toBe(windows[0])
  })

  it("forgets the last loss at a timeout", () => {
    const rttNs = 100 * MS
    const [cubic, view] = settled(rttNs)
    view.ssthresh = cubic.threshold(view)
    view.cwnd = 1
    cubic.stateChanged(view, "loss")
    for (let i = 0; i < 7; i++) roundTrip(cubic, view, rttNs)
    expect(view.cwnd).toBeGreaterThanOrEqual(70)
    // No loss known: 5 percent a round trip, not the cube's plateau.
    const before = view.cwnd
    roundTrip(cubic, view, rttNs)
    expect(view.cwnd - before).toBeGreaterThanOrEqual(Math.floor(before / 20))
  })
})

describe("cubic at any time", () => {
  const step = fc.record({
    kind: fc.constantFrom("ack", "ack", "ack", "ack", "lose", "timeout", "idle", "undo"),
    acked: fc.integer({ min: 1, max: 64 }),
    waitUs: fc.integer({ min: 0, max: 400_000 }),
    rttUs: fc.integer({ min: -1, max: 300_000 }),
    limited: fc.boolean()
  })

  it("keeps integers, a threshold of two or more, and grows by no more than what was acknowledged", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 20, max: 5000 }), (steps, cwndClamp) => {
        const view = viewOf({ cwndClamp })
        const cubic = new Cubic(view)
        for (const { kind, acked, waitUs, rttUs, limited } of steps) {
          const before = view.cwnd
          view.nowNs += waitUs * 1000
          view.isCwndLimited = limited
          if (kind === "ack") acknowledge(cubic, view, rttUs, acked)
          else if (kind === "lose") lose(cubic, view)
          else if (kind === "idle") cubic.restarted(view, waitUs * 1000)
          else if (kind === "undo") view.cwnd = Math.min(cubic.undo(view), cwndClamp)
          else {
            view.ssthresh = cubic.threshold(view)
            view.cwnd = 1
            cubic.stateChanged(view, "loss")
          }
          expect([view.cwnd, view.ssthresh, view.cwndCount].every(Number.isSafeInteger)).toBe(true)
          expect(view.ssthresh).toBeGreaterThanOrEqual(2)
          expect(view.cwnd).toBeGreaterThanOrEqual(1)
          expect(view.cwnd).toBeLessThanOrEqual(Math.max(cwndClamp, 2))
          if (kind === "ack") expect(view.cwnd).toBeLessThanOrEqual(before + acked + 1)
        }
      }),
      { seed: 5, numRuns: 300 }
    )
  })
})
