/** What the data plane may leave to the collector: nothing. Counted in a process of its own, where nothing else allocates. */
import { execFileSync } from "node:child_process"
import { expect, it } from "vitest"

const SCRIPT = "packages/kube/cluster/bench/allocation.ts"
/** Virtual time and counters beyond 2^31 are boxed here and there; a frame object or a closure would be tens of these. */
const BYTES_PER_FRAME_MAX = 8

it.each(["4", "6"])("a hundred thousand forwarded frames of IPv%s wake no collector", (family) => {
  const report = JSON.parse(execFileSync(process.execPath, ["--expose-gc", SCRIPT, family, "--small"], { encoding: "utf8" }))
  expect(report.frames).toBeGreaterThanOrEqual(100_000)
  expect(report.collections).toBe(0)
  expect(Math.max(...report.bytesPerFrame)).toBeLessThan(BYTES_PER_FRAME_MAX)
})
