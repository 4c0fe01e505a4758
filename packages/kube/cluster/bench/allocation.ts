/**
 * How many octets a forwarded frame leaves on the heap, and how often the collector ran meanwhile:
 * `node --expose-gc allocation.ts 4|6`. Prints one JSON object.
 */
import { PerformanceObserver } from "node:perf_hooks"
import { setTimeout } from "node:timers/promises"
import { RUNS, small } from "./figure.ts"
import { Flow } from "./flow.ts"

export interface AllocationReport {
  readonly frames: number
  readonly bytesPerFrame: ReadonlyArray<number>
  readonly collections: number
}

const FRAMES = small() ? 100_096 : 1_000_000 - 1_000_000 % 64
const WARM_UP = 192_000

const flow = new Flow(process.argv[2] === "6" ? 6 : 4)
flow.send(WARM_UP)
let collections = 0
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().length
})
gc!()
await setTimeout(0)
observer.observe({ entryTypes: ["gc"] })
const bytesPerFrame: Array<number> = []
const runs = small() ? 1 : RUNS
for (let run = 0; run < runs; run++) {
  const before = process.memoryUsage().heapUsed
  flow.send(FRAMES)
  bytesPerFrame.push((process.memoryUsage().heapUsed - before) / FRAMES)
}
await setTimeout(0)
await setTimeout(0)
observer.disconnect()
const report: AllocationReport = { frames: runs * FRAMES, bytesPerFrame, collections }
process.stdout.write(`${JSON.stringify(report)}\n`)
