/**
 * Every scenario folder: it holds, the same seed gives the same bytes and another seed others, tshark finds
 * nothing wrong in what it writes, and its README tells the truth about files and display filters.
 */
import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { folderFindings, tsharkVersion } from "./support/expert-findings.ts"
import { difference, playScenario } from "./support/run-scenario.ts"

const OTHER_SEED = 4242
const base = mkdtempSync(join(tmpdir(), "scenarios-"))
afterAll(() => rmSync(base, { recursive: true }))

const folders = readdirSync("scenarios", { withFileTypes: true }).filter((entry) => entry.isDirectory())
  .map(({ name }) => name).sort((a, b) => (a < b ? -1 : 1))

/** Files that are not the same in both folders. */
function unequal(a: string, b: string): ReadonlyArray<string> {
  const captures = (folder: string) => readdirSync(folder).filter((file) => file.endsWith(".pcapng"))
  const names = new Set([...captures(a), ...captures(b)])
  const read = (folder: string, name: string) => captures(folder).includes(name) ? readFileSync(join(folder, name)) : null
  return [...names].filter((name) => {
    const [one, two] = [read(a, name), read(b, name)]
    return one === null || two === null || !one.equals(two)
  })
}

interface Look {
  readonly file: string
  readonly filter: string
}

/** The bullets of a README: - `FILE.pcapng`, filter `FILTER`: … */
function looksOf(readme: string): ReadonlyArray<Look> {
  const joined = readme.replace(/\n +/g, " ")
  return [...joined.matchAll(/^- `([^`]+\.pcapng)`, filter `([^`]+)`/gm)]
    .map(([, file, filter]) => ({ file: file!, filter: filter! }))
}

/** "" when tshark takes the filter and finds a packet; what is wrong otherwise. */
function lookFinds(folder: string, { file, filter }: Look): string {
  const { status, stdout, stderr } = spawnSync(
    "tshark", ["-n", "-2", "-r", join(folder, file), "-Y", filter, "-T", "fields", "-e", "frame.number"],
    { encoding: "utf8" }
  )
  if (status !== 0) return `${file}: ${filter}: ${stderr.trimEnd()}\n`
  return stdout.trim() === "" ? `${file}: ${filter}: matches nothing\n` : ""
}

describe.each(folders)("%s", (name) => {
  const folder = join("scenarios", name)
  const out = join(base, name)

  it("holds, and the seed decides every octet", async () => {
    const first = await playScenario(folder, out)
    expect(first.failures).toBe("")
    const again = await playScenario(folder, `${out}-again`)
    expect(difference(first.journal, again.journal)).toBe("")
    expect(unequal(out, `${out}-again`)).toEqual([])
    await playScenario(folder, `${out}-other`, OTHER_SEED)
    expect(unequal(out, `${out}-other`)).toContain("all.pcapng")
  })

  it("writes captures in which tshark finds nothing wrong", (context) => {
    if (tsharkVersion === null) context.skip("tshark is not on the PATH")
    expect(folderFindings(out)).toBe("")
  })

  it("has a README whose files exist and whose filters match", (context) => {
    const readme = readFileSync(join(folder, "README.md"), "utf8")
    const files = new Set([...readme.matchAll(/`([^`\s]+\.pcapng)`/g)].map(([, file]) => file!))
    expect([...files].filter((file) => !readdirSync(out).includes(file))).toEqual([])
    const looks = looksOf(readme)
    expect(looks.length).toBeGreaterThan(0)
    if (tsharkVersion === null) context.skip("tshark is not on the PATH")
    expect(looks.map((look) => lookFinds(out, look)).join("")).toBe("")
  })
})

it("an expectation that does not hold is told with file and line", async () => {
  const folder = join(base, "broken")
  cpSync("scenarios/011-same-node", folder, { recursive: true })
  const file = join(folder, "scenario.yaml")
  const text = readFileSync(file, "utf8")
  const broken = text.replace("ttl=64", "ttl=63").replace("filter: arp, direction: out, count: 1", "filter: arp, direction: out, count: 2")
  writeFileSync(file, broken)
  const { failures } = await playScenario(folder, join(base, "broken-out"))
  const lineOf = (part: string) => broken.split("\n").findIndex((line) => line.includes(part)) + 1
  const places = failures.replaceAll(file, "scenario.yaml").trimEnd().split("\n").map((line) => line.slice(0, line.indexOf("found")))
  expect(places).toEqual([
    expect.stringMatching(new RegExp(`^scenario.yaml:${lineOf("ttl=63")}:\\d+: spec.steps\\[1\\].expect.stdout: $`)),
    expect.stringMatching(new RegExp(`^scenario.yaml:${lineOf("count: 2")}:\\d+: spec.steps\\[1\\].expect.frames\\[0\\]: $`))
  ])
  expect(failures).toContain('found 1 frames "arp" at default/left/eth0, expected 2')
})

it("the first event that differs between two runs is named", async () => {
  const play = (seed: number) => playScenario("scenarios/012-across-nodes", join(base, `seed-${seed}`), seed)
  const [one, two] = [await play(1), await play(2)]
  expect(difference(one.journal, two.journal)).toMatch(/^event \d+: (\d+ ns \S+\/\S+ \d+ bytes( dropped \w+)?|\(nothing\)) \| /)
})
