/**
 * The scripts of `scripts.test.ts` against the Linux that runs here: it is right where a script is not. What
 * takes long in real time is played with PODWIRE_SLOW=1 only. Says so and does nothing without root or a TAP.
 */
import { afterAll, describe, expect, it } from "vitest"
import { type Case, cases } from "./timeline/cases.ts"
import { missing, REAL, Referee } from "./timeline/kernel.ts"
import { verdict } from "./timeline/match.ts"

const AT_ONCE = 12
const RETRIES = 2
const why = missing()
if (why !== null) console.log(`skipped: no referee for TCP, ${why}`)

const every = cases()
const all = process.env["PODWIRE_SLOW"] === "1"
const played = every.filter(({ script }) => all || !script.slow)
if (why === null && played.length < every.length) {
  const slow = every.length - played.length
  console.log(`skipped: ${slow} of ${every.length} time lines of TCP, longer than 15 s: PODWIRE_SLOW=1 plays them`)
}

async function judge(referee: Referee, { file, family, script }: Case): Promise<string> {
  const once = async () => verdict(script, await referee.play(script, family), REAL)
  let judged = await once()
  // A busy machine is late, and lateness changes what happens next: what is truly different stays so.
  for (let again = 0; again < RETRIES && judged.fault !== null; again++) judged = await once()
  return judged.fault === null ? "" : `${file}, IPv${family}\n${judged.text}`
}

describe.skipIf(why !== null)("Linux", () => {
  let referee: Referee | null = null
  afterAll(() => referee?.end())

  it("does what the scripts say", { timeout: 600_000 }, async () => {
    referee = new Referee()
    const length = ({ script }: Case) => script.events.at(-1)?.untilSeconds ?? 0
    const longestFirst = [...played].sort((a, b) => length(b) - length(a))
    const doubtful: Array<Case> = []
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let next = longestFirst.shift(); next !== undefined; next = longestFirst.shift()) {
        if (await judge(referee!, next) !== "") doubtful.push(next)
      }
    }))
    // Once more, with the machine to itself.
    const wrong: Array<string> = []
    for (const one of doubtful) {
      const text = await judge(referee, one)
      if (text !== "") wrong.push(text)
    }
    expect(wrong.join("\n\n")).toBe("")
  })
})
