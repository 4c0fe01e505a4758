/**
 * The scripts of `scripts.test.ts` against the Linux that runs here: it is right where a script is not. What
 * takes long in real time is played with PODWIRE_SLOW=1 only. Says so and does nothing without root or a TAP.
 */
import { readdirSync, readFileSync } from "node:fs"
import { afterAll, describe, expect, it } from "vitest"
import { missing, REAL, Referee } from "./timeline/kernel.ts"
import { verdict } from "./timeline/match.ts"
import { parseScript, type Script } from "./timeline/script.ts"

const AT_ONCE = 12
const RETRIES = 2
const folder = new URL("scripts/", import.meta.url)
const why = missing()
if (why !== null) console.log(`skipped: no referee for TCP, ${why}`)

const cases = readdirSync(folder).filter((name) => name.endsWith(".tcp")).sort((a, b) => a < b ? -1 : 1).flatMap((file) => {
  const source = readFileSync(new URL(file, folder), "utf8")
  return parseScript(source, 4).families.map((family) => ({ file, family, script: parseScript(source, family) }))
})
const slow = cases.filter(({ script }) => script.slow)
const all = process.env["PODWIRE_SLOW"] === "1"
if (why === null && !all && slow.length > 0) {
  console.log(`skipped: ${slow.length} of ${cases.length} time lines of TCP take longer than 15 s each: PODWIRE_SLOW=1 plays them`)
}

async function judge(referee: Referee, file: string, family: 4 | 6, script: Script): Promise<string> {
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
    // The longest first.
    const queue = cases.filter(({ script }) => all || !script.slow)
      .sort((a, b) => (b.script.events.at(-1)?.untilSeconds ?? 0) - (a.script.events.at(-1)?.untilSeconds ?? 0))
    const wrong: Array<string> = []
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const text = await judge(referee!, next.file, next.family, next.script)
        if (text !== "") wrong.push(text)
      }
    }))
    expect(wrong.join("\n\n")).toBe("")
  })
})
