/**
 * `node record.ts SCRIPT [4|6]`: what the running kernel does when the script's calls are made and its peer
 * sends, as a script: where an expectation begins. Needs what `kernel.ts` needs.
 */
import { readFileSync } from "node:fs"
import { Referee } from "./kernel.ts"
import { transcript } from "./match.ts"
import { parseScript } from "./script.ts"

const [file, family] = process.argv.slice(2)
if (file === undefined) throw new Error("which script?")
const referee = new Referee()
for (const version of family === undefined ? [4, 6] as const : [Number(family) as 4 | 6]) {
  const script = parseScript(readFileSync(file, "utf8"), version)
  console.log(`# IPv${version}\n${transcript(script, await referee.play(script, version))}`)
}
referee.end()
