import { describe, expect, it } from "vitest"
import { congestionNamed } from "../../src/congestion/table.ts"
import { acknowledge, lose, roundTrip, viewOf } from "./path.ts"

const RTT_NS = 10_000_000
const reno = congestionNamed("reno")!(viewOf())

describe("reno", () => {
  it("doubles in slow start, then grows by one a round trip", () => {
    const view = viewOf({ ssthresh: 45 })
    const windows = [view.cwnd]
    for (let i = 0; i < 6; i++) {
      roundTrip(reno, view, RTT_NS)
      windows.push(view.cwnd)
    }
    expect(windows).toEqual([10, 20, 40, 45, 46, 47, 48])
  })

  it("passes what slow start leaves of an acknowledgement on to avoidance", () => {
    const view = viewOf({ cwnd: 10, ssthresh: 12 })
    acknowledge(reno, view, -1, 9)
    expect([view.cwnd, view.cwndCount]).toEqual([12, 7])
    acknowledge(reno, view, -1, 6)
    expect([view.cwnd, view.cwndCount]).toEqual([13, 1])
  })

  it("halves, never below two, and goes back when that was needless", () => {
    const view = viewOf({ cwnd: 41 })
    lose(reno, view)
    expect([view.cwnd, view.ssthresh, reno.undo(view)]).toEqual([20, 20, 41])
    for (const [cwnd, half] of [[5, 2], [4, 2], [3, 2], [2, 2], [1, 2]] as const) {
      expect(reno.threshold(viewOf({ cwnd }))).toBe(half)
    }
  })

  it("grows only when the window was the limit; in slow start to twice what was out", () => {
    const idle = viewOf({ isCwndLimited: false, maxPacketsOut: 6 })
    for (let i = 0; i < 10; i++) acknowledge(reno, idle, -1)
    expect(idle.cwnd).toBe(12)
    const late = viewOf({ isCwndLimited: false, maxPacketsOut: 10, ssthresh: 10 })
    for (let i = 0; i < 30; i++) acknowledge(reno, late, -1)
    expect(late.cwnd).toBe(10)
  })

  it("stops at the clamp", () => {
    const view = viewOf({ cwndClamp: 25 })
    for (let i = 0; i < 3; i++) roundTrip(reno, view, RTT_NS)
    expect(view.cwnd).toBe(25)
    view.ssthresh = 20
    for (let i = 0; i < 3; i++) roundTrip(reno, view, RTT_NS)
    expect(view.cwnd).toBe(25)
  })
})

describe("the table", () => {
  it("knows cubic and reno by name, and nothing else", () => {
    expect(["cubic", "reno"].map((name) => congestionNamed(name)?.(viewOf()).name)).toEqual(["cubic", "reno"])
    expect(["bbr", "", "toString"].map(congestionNamed)).toEqual([undefined, undefined, undefined])
  })
})
