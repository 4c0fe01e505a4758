/**
 * What Linux counts (`nstat -a`) while it plays some of `scripts/`: each line of `recorded/counters.txt` is a script
 * and what of Tcp and TcpExt is not zero then. Left out is what only its short way counts (TCPHPHits, TCPRcvCoalesce,
 * TCPAutoCorking, TCPSackShifted and its kin), and InSegs, which IP's side counts.
 */
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { cases } from "./timeline/cases.ts"
import { playVirtual } from "./timeline/virtual.ts"

const recorded = readFileSync(new URL("recorded/counters.txt", import.meta.url), "utf8").trim().split("\n")

it.each(recorded.map((line) => line.split(": ") as [string, string]))("%s", (name, counted) => {
  const { script } = cases().find(({ file, family }) => file === `${name}.tcp` && family === 4)!
  let text = ""
  playVirtual(script, 4, ({ mib }) => {
    const moved = Object.entries(mib).filter(([key, count]) => count !== 0 && key !== "TcpInSegs")
    text = moved.map(([key, count]) => `${key} ${count}`).sort((a, b) => a < b ? -1 : 1).join(", ")
  })
  expect(text).toBe(counted)
})
