/** netexec over the emulated network against what a Go server on Linux said, octet by octet. */
import { readFileSync } from "node:fs"
import { findProgram } from "@podwire/workload"
import { expect, it } from "vitest"
import { makePair, talk } from "../pair.ts"

const PORT = 8080
const golden = readFileSync(new URL("netexec.golden.txt", import.meta.url), "utf8").split("\n\n").slice(1)

/** What differs between two runs of the real one too. */
function even(answer: string): string {
  return answer.replace(/Date: [^\r]*/g, "Date: D").replace(/upload\d+/, "upload1").replace(/NOW: [^<]*m=\+[\d.]+/g, "NOW")
}

it("every answer is Go's", () => {
  const pair = makePair()
  const server = findProgram("agnhost")!.start(pair.server, ["agnhost", "netexec", "--udp-port=-1"])
  expect(server.exitCode).toBe(null)
  for (const [n, text] of golden.entries()) {
    const [name, request, answer] = text.trim().split("\n") as [string, string, string]
    const half = name.startsWith("half") || name === "post short half"
    const to = n % 2 === 0 ? "10.0.0.1" : "fd00::1"
    const heard = even(talk(pair, to, PORT, JSON.parse(request.slice(2)), { half }))
    expect([name, heard]).toEqual([name, even(JSON.parse(answer.slice(2)))])
  }
  expect(golden.length).toBe(75)
})
