/**
 * What a datagram of a known flow costs from socket to socket, and what it leaves to the collector.
 * `ns_per_frame` is IPv4: there is neither conntrack nor NAT on the way yet.
 */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { AllocationReport } from "./allocation.ts"
import { cpuNs, type Figure, figure, RUNS, say, small } from "./figure.ts"
import { Flow } from "./flow.ts"

const FRAMES = small() ? 6_400 : 256_000
const WARM_UP = small() ? 6_400 : 128_000

function walk(
  version: 4 | 6
): { readonly figures: ReadonlyArray<Figure>; readonly nsPerFrame: number; readonly checksum: string } {
  const name = `ipv${version}`
  const flow = new Flow(version)
  const crossings = flow.crossings()
  flow.send(WARM_UP)
  const samples: Array<number> = []
  for (let run = 0; run < RUNS; run++) {
    samples.push(cpuNs(() => flow.send(FRAMES)) / FRAMES)
  }
  const perFrame = figure(`${name} frame`, "ns", samples)
  return {
    nsPerFrame: perFrame.median,
    checksum: flow.checksum,
    figures: [
      perFrame,
      figure(`${name} crossing`, "ns", samples.map((ns) => ns / crossings)),
      figure(`${name} crossings per second`, "1/s", samples.map((ns) => crossings * 1e9 / ns))
    ]
  }
}

/** In a process of its own, where nothing else allocates. */
function allocation(version: 4 | 6): ReadonlyArray<Figure> {
  const script = fileURLToPath(new URL("allocation.ts", import.meta.url))
  const args = [...process.execArgv, "--expose-gc", script, String(version), ...small() ? ["--small"] : []]
  const report = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as AllocationReport
  return [
    figure(`ipv${version} heap per frame`, "B", report.bytesPerFrame),
    figure(`ipv${version} collections`, "", [report.collections])
  ]
}

const four = walk(4)
const six = walk(6)
say(
  "known-flow", `${four.checksum} ${six.checksum}`,
  [...four.figures, ...allocation(4), ...six.figures, ...allocation(6)],
  { ns_per_frame: four.nsPerFrame }
)
