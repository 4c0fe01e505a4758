/** Every bench runs, with little work, and says what it promises; the figures themselves are nobody's test. */
import { spawnSync } from "node:child_process"
import { expect, it } from "vitest"

const NAMES = ["known-flow", "capture", "tcp-bulk", "tcp-connections", "settle", "cold-start"]
const LATER = ["cached-flow", "new-flow", "endpoint-change", "reach", "prove"]

function bench(...args: ReadonlyArray<string>) {
  const command = ["packages/edge/cli/bin/podwire.mjs", "bench", ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" })
  return { status, stdout, stderr }
}

it("all of them, as one object on the last line", () => {
  const { status, stdout } = bench("--small", "-o", "json")
  expect(status).toBe(0)
  const { benches, ns_per_frame } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!)
  expect(benches.map((one: { bench: string }) => one.bench)).toEqual(NAMES)
  expect(ns_per_frame).toBeGreaterThan(0)
  for (const one of benches) {
    expect(Object.keys(one)).toEqual(expect.arrayContaining(["bench", "machine", "node", "seed", "checksum", "figures"]))
    for (const { runs, median, min, max } of one.figures) {
      expect(runs).toBeGreaterThan(0)
      expect(min <= median && median <= max).toBe(true)
    }
  }
})

it("one of them, as a table, and the same work twice has the same checksum", () => {
  const checksum = () => {
    const { status, stdout } = bench("settle", "--small")
    expect(status).toBe(0)
    expect(stdout).toMatch(/^FIGURE +UNIT +RUNS +MEDIAN +MIN +MAX$/m)
    return stdout.match(/^checksum \w+$/m)![0]
  }
  expect(checksum()).toBe(checksum())
})

it("what is promised for later is said to be, exit 2", () => {
  for (const name of LATER) {
    const { status, stdout, stderr } = bench(name)
    expect([status, stdout, stderr]).toEqual([2, "", `podwire: ${name}: not built yet; there are ${NAMES.join(", ")}\n`])
  }
  expect(bench("fast").stderr).toBe(`podwire: fast: no such bench; there are ${NAMES.join(", ")}\n`)
})
