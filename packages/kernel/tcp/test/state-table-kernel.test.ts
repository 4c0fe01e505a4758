/**
 * The table of `state-table.test.ts` against the Linux that runs here: the same answers to the same inputs,
 * and the same state as the program sees it. Timeouts take minutes and are in `scripts/`. Says so and does
 * nothing without root or a TAP.
 */
import { describe, expect, it } from "vitest"
import { answer, cell, INPUTS, STATES } from "./state-cells.ts"
import { missing, Referee } from "./timeline/kernel.ts"
import { parseScript } from "./timeline/script.ts"
import { playVirtual } from "./timeline/virtual.ts"

const AT_ONCE = 12
const why = missing()
if (why !== null) console.log(`skipped: no referee for TCP, ${why}`)

describe.skipIf(why !== null)("Linux", () => {
  it("answers every input in every state as we do", { timeout: 60_000 }, async () => {
    const referee = new Referee()
    const queue = STATES.flatMap((state) =>
      INPUTS.filter((input) => input !== "Timeout").map((input) => ({ state, input })))
    const wrong: Array<string> = []
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
        const { state, input } = job
        const script = parseScript(cell(state, input), 4)
        const ours = answer(input, playVirtual(script, 4))
        let theirs = answer(input, await referee.play(script, 4))
        // A busy machine is late; it does not do other things.
        if (ours !== theirs) theirs = answer(input, await referee.play(script, 4))
        if (ours !== theirs) wrong.push(`${input} in ${state}: "${ours}", Linux "${theirs}"`)
      }
    }))
    referee.end()
    expect(wrong).toEqual([])
  })
})
