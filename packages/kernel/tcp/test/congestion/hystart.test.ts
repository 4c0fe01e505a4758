import { describe, expect, it } from "vitest"
import { SSTHRESH_INFINITE } from "../../src/congestion.ts"
import { Cubic } from "../../src/congestion/cubic.ts"
import { acknowledge, type View, viewOf } from "./path.ts"

const US = 1000

/** Slow start where a round's acknowledgements come `gapUs` apart and queue up by `riseUs` a round. */
function slowStart(rttUs: number, gapUs: number, riseUs: number, pacingRate = 0): Array<string> {
  const found: Array<string> = []
  const hystartFound = (by: string) => found.push(`${by} at ${view.cwnd}`)
  const view: View = viewOf({ nowNs: 1_000_000_000, pacingRate, hystartFound })
  rounds(new Cubic(view), view, rttUs, gapUs, riseUs)
  return found
}

function rounds(cubic: Cubic, view: View, rttUs: number, gapUs: number, riseUs: number): void {
  for (let round = 0; round < 9 && view.ssthresh === SSTHRESH_INFINITE; round++) {
    const startNs = view.nowNs + rttUs * US
    const count = view.cwnd
    for (let i = 0; i < count && view.ssthresh === SSTHRESH_INFINITE; i++) {
      view.nowNs = startNs + i * gapUs * US
      acknowledge(cubic, view, rttUs + round * riseUs)
    }
  }
}

describe("HyStart", () => {
  it("ends slow start when a train is longer than half the least round trip", () => {
    // 100 us apart: 20 ms / 2 are 100 gaps, seen in the round that begins with a window of 160.
    expect(slowStart(20_000, 100, 0)).toEqual(["train at 261"])
  })

  it("lets a slow sender's burst pass for up to a millisecond", () => {
    // 65,215 octets four times at 1 GB/s are 260 us, halved 130 us: one gap more.
    expect(slowStart(20_000, 100, 0, 1_000_000_000)).toEqual(["train at 262"])
    expect(slowStart(20_000, 100, 0, 1)).toEqual(["train at 266"])
  })

  it("takes no gap of more than 2 ms for a train", () => {
    expect(slowStart(20_000, 2001, 0)).toEqual([])
  })

  it("ends slow start when the ninth sample of a round shows the least 4 ms above the least", () => {
    // Acknowledgements all at once make no train. 40 ms / 8 = 5 ms is passed in round 3, at its ninth sample.
    expect(slowStart(40_000, 0, 2000)).toEqual(["delay at 88"])
    expect(slowStart(8000, 0, 2000)).toEqual(["delay at 88"])
    expect(slowStart(8000, 0, 2001)).toEqual(["delay at 48"])
  })

  it("asks for no more than 16 ms of rise", () => {
    expect(slowStart(400_000, 0, 3200)).toEqual(["delay at 648"])
    expect(slowStart(400_000, 0, 3201)).toEqual(["delay at 328"])
    expect(slowStart(400_000, 0, 1600)).toEqual([])
  })

  it("detects nothing below 16 segments", () => {
    const view = viewOf({ cwnd: 2, nowNs: 1_000_000_000 })
    const cubic = new Cubic(view)
    for (let i = 0; i < 13; i++) {
      view.nowNs += 1000 * US
      acknowledge(cubic, view, 1000 + i * 10_000)
    }
    expect([view.cwnd, view.ssthresh]).toEqual([15, SSTHRESH_INFINITE])
  })

  it("finds once, and again after a timeout", () => {
    const found: Array<string> = []
    const view = viewOf({ nowNs: 1_000_000_000, hystartFound: (by) => found.push(`${by} at ${view.cwnd}`) })
    const cubic = new Cubic(view)
    rounds(cubic, view, 20_000, 100, 0)
    view.ssthresh = SSTHRESH_INFINITE
    rounds(cubic, view, 20_000, 100, 0)
    expect(found).toEqual(["train at 261"])
    view.cwnd = 1
    view.sndNxt = view.sndUna
    cubic.stateChanged(view, "loss")
    rounds(cubic, view, 20_000, 100, 0)
    expect(found).toEqual(["train at 261", "train at 229"])
  })
})
