/**
 * CUBIC and Reno against Linux's: flows that a real kernel sent were recorded, acknowledgement by
 * acknowledgement (`record.py`), and its window must be ours after each one. Recovery itself is not theirs:
 * its window is taken from the record. Where the kernel's ticks lay is unknown, so one of twenty phases must
 * fit.
 */
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import type { Congestion } from "../../src/congestion.ts"
import { pacingRate } from "../../src/congestion/pacing.ts"
import { congestionNamed } from "../../src/congestion/table.ts"
import { JIFFY_NS } from "../../src/jiffies.ts"
import { RttEstimator } from "../../src/rtt.ts"
import { type View, viewOf } from "./path.ts"

const OPEN = 0
const RECOVERY = 3
const PHASES = 20
const SEGMENT_BYTES = 1000

interface Row {
  readonly us: number
  readonly idleUs: number
  readonly rttUs: number
  readonly fresh: number
  readonly state: number
  readonly cwnd: number
  readonly ssthresh: number
}

function recorded(name: string): ReadonlyArray<Row> {
  const text = readFileSync(new URL(`../recorded/${name}.txt`, import.meta.url), "utf8")
  let us = 0
  let change: ReadonlyArray<number> = []
  return text.trimEnd().split("\n").slice(1).map((line) => {
    const words = line.split(" ")
    us += Number(words[0])
    const idle = words[1] === "idle"
    if (words.length > 3) change = words.slice(2).map(Number)
    const [fresh, state, cwnd, ssthresh] = change as [number, number, number, number]
    const [idleUs, rttUs] = idle ? [Number(words[2]), -1] : [0, Number(words[1])]
    return { us, idleUs, rttUs, fresh, state, cwnd, ssthresh }
  })
}

class Replay {
  readonly view: View
  readonly #algorithm: Congestion
  readonly #rtt = new RttEstimator(200_000, 120_000)
  readonly #phaseNs: number
  #state = OPEN

  constructor(name: string, first: Row, phaseNs: number) {
    this.#phaseNs = phaseNs
    this.view = viewOf({ nowNs: phaseNs, cwnd: first.cwnd, ssthresh: first.ssthresh })
    this.#algorithm = congestionNamed(name)!(this.view)
    this.#rtt.sample(first.rttUs, 0, 0)
  }

  take(row: Row): void {
    const { view } = this
    view.nowNs = row.us * 1000 + this.#phaseNs
    if (row.idleUs > 0) this.#algorithm.restarted(view, row.idleUs * 1000)
    else this.#acknowledge(row)
  }

  #acknowledge(row: Row): void {
    const { view } = this
    view.sndUna += row.fresh
    const { srttUs8 } = this.#rtt
    view.pacingRate = pacingRate({ ...view, packetsOut: view.cwnd, mss: SEGMENT_BYTES, srttUs8 })
    if (row.rttUs >= 0) this.#rtt.sample(row.rttUs, view.sndUna, view.sndNxt)
    this.#algorithm.sample(view, row.fresh, row.rttUs)
    if (row.state === RECOVERY && this.#state !== RECOVERY) view.ssthresh = this.#algorithm.threshold(view)
    if (row.state === RECOVERY) view.cwnd = row.cwnd
    else if (this.#state === RECOVERY) {
      view.cwnd = view.ssthresh
      view.cwndCount = 0
    }
    // tcp_may_raise_cwnd: an acknowledgement out of order does not.
    if (row.state === OPEN) this.#algorithm.avoid(view, view.sndUna, row.fresh)
    this.#state = row.state
    view.sndNxt = view.sndUna + view.cwnd
  }
}

/** Rows after which window or threshold differ; the first of them in words. */
function differences(name: string, rows: ReadonlyArray<Row>, phaseNs: number): { count: number; first: string } {
  const replay = new Replay(name, rows[0]!, phaseNs)
  let count = 0
  let first = ""
  for (const row of rows.slice(1)) {
    replay.take(row)
    const { cwnd, ssthresh } = replay.view
    if (row.idleUs > 0 || (cwnd === row.cwnd && ssthresh === row.ssthresh)) continue
    if (count++ === 0) first = `at ${row.us} us ${cwnd}/${ssthresh}, Linux ${row.cwnd}/${row.ssthresh}`
  }
  return { count, first }
}

for (const flow of ["curve", "friendly", "idle", "train", "late", "reno"]) {
  it(`has Linux's window after every acknowledgement: ${flow}`, () => {
    const rows = recorded(flow)
    expect(rows.length).toBeGreaterThan(300)
    const name = flow === "reno" ? "reno" : "cubic"
    const results = Array.from({ length: PHASES }, (_, i) => differences(name, rows, (i * JIFFY_NS) / PHASES))
    expect(results.reduce((a, b) => (b.count < a.count ? b : a))).toEqual({ count: 0, first: "" })
  })
}
