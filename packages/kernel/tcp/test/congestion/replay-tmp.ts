import { readFileSync } from "node:fs"
import { Cubic } from "../../src/congestion/cubic.ts"
import { pacingRate } from "../../src/congestion/pacing.ts"
import { RttEstimator } from "../../src/rtt.ts"
import { viewOf } from "./path.ts"
const rows = readFileSync(process.argv[2]!, "utf8").trim().split("\n").slice(1).map((l) => l.split(" ").map(Number))
const view = viewOf({ nowNs: rows[0]![0]! * 1000, cwnd: 10, pacingRate: Number(process.argv[3] ?? 0) })
const cubic = new Cubic(view)
let state = 0
const est = new RttEstimator(200000, 120000); est.sample(rows[0]![2]!, 1, 1)
let delivered = 0, worst = 0, off = 0, n = 0
for (const [us, acked, rtt, st, cwnd, ssthresh] of rows.slice(1) as any) {
  view.nowNs = (us + Number(process.env.PH ?? 0)) * 1000
  delivered += acked
  view.sndUna = delivered
  view.pacingRate = pacingRate({ cwnd: view.cwnd, ssthresh: view.ssthresh, packetsOut: 0, mss: 1000, srttUs8: est.srttUs8 })
  if (rtt >= 0) est.sample(rtt, delivered, delivered + view.cwnd)
  cubic.sample(view, acked, rtt)
  if (st >= 3 && state < 3) { view.priorCwnd = view.cwnd; const t = cubic.threshold(view); console.log("loss: ours", t, "kernel", ssthresh, "cwnd", view.cwnd); view.ssthresh = t }
  if (st < 3 && state >= 3) { view.cwnd = view.ssthresh; view.cwndCount = 0; console.log("recovered at", us, view.cwnd, cwnd) }
  if (st === 0 && acked > 0) cubic.avoid(view, view.sndUna, acked)
  if (st < 3) { n++; const d = view.cwnd - cwnd; if (d !== 0) { off++; if (off < 25) console.log(us, "ours", view.cwnd, "kernel", cwnd, "count", view.cwndCount, view.ssthresh, ssthresh) } ; worst = Math.max(worst, Math.abs(d)) }
  if (process.argv[3] && us > 800000 && us < 1020000) console.log(us, acked, st, "k", cwnd, "o", view.cwnd, view.cwndCount, JSON.stringify(cubic))
  state = st
  view.sndNxt = (delivered + view.cwnd)
}
console.log("rows", n, "off", off, "worst", worst, "end", view.cwnd, rows.at(-1), view.ssthresh)
