/**
 * Every scenario folder: it holds, the same seed gives the same bytes and another seed others, tshark finds
 * nothing wrong in what it writes, and its README tells the truth about files and display filters.
 */
import { execFile } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import {
  type DeviceReport, deviceReports, findingsMeanwhile, tsharkVersion
} from "./support/expert-findings.ts"
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

/** What tshark flags, by scenario and device. */
const told = new Map<string, string>()

/** Devices of which the same is told stand together. */
function reportText(reports: ReadonlyArray<DeviceReport>): string {
  const lines = new Map<string, Array<string>>()
  for (const { files, frames, flags } of reports) {
    if (frames === 0) continue
    const flagged = flags.map(([name, count]) => `${count} ${name}`).join(", ")
    const text = `${frames} TCP frames, ${flagged === "" ? "clean" : flagged}`
    lines.set(text, [...lines.get(text) ?? [], ...files.map((file) => file.replace(".pcapng", ""))])
  }
  return [...lines].map(([text, names]) => `  ${text}: ${names.join(" ")}\n`).join("")
}

interface Answer {
  readonly problem: string
  readonly text: string
}

function tshark(...args: ReadonlyArray<string>): Promise<Answer> {
  return new Promise((resolve) => {
    execFile("tshark", args, { encoding: "utf8", maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ problem: error === null ? "" : stderr.trimEnd(), text: stdout }))
  })
}

/** What is wrong with the looks into one file: a filter that tshark does not take, or that finds no packet. */
async function missesIn(folder: string, looks: ReadonlyArray<Look>): Promise<string> {
  const file = join(folder, looks[0]!.file)
  // One call for all of them; its options end at a comma.
  const together = looks.filter(({ filter }) => !filter.includes(","))
  const taps = together.flatMap(({ filter }) => ["-z", `io,stat,0,${filter}`])
  const { text } = await tshark("-n", "-2", "-q", "-r", file, ...taps)
  const tables = [...text.matchAll(/Col 1: ([^]*?)\|--[^]*?<>[^|]*\| *(\d+)/g)]
  const counts = new Map(tables.map(([, filter, count]) =>
    [filter!.replace(/[|\s]+/g, " ").trim(), Number(count)]))
  const results = await Promise.all(looks.map(async (look) => {
    if ((counts.get(look.filter.replace(/[|\s]+/g, " ")) ?? 0) > 0) return ""
    const single = await tshark("-n", "-2", "-r", file, "-Y", look.filter, "-T", "fields", "-e", "frame.len")
    if (single.problem !== "") return `${look.file}: ${look.filter}: ${single.problem}\n`
    return single.text.trim() === "" ? `${look.file}: ${look.filter}: matches nothing\n` : ""
  }))
  return results.join("")
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

  it("writes captures in which tshark finds nothing wrong", async (context) => {
    if (tsharkVersion === null) context.skip("tshark is not on the PATH")
    const merged = findingsMeanwhile(join(out, "all.pcapng"))
    const [all, reports] = await Promise.all([merged, deviceReports(out)])
    expect(all).toBe("")
    if (reports.some(({ frames }) => frames > 0)) told.set(name, reportText(reports))
    expect(reports.map(({ wrong }) => wrong).join("")).toBe("")
  })

  it("has a README whose files exist and whose filters match", async (context) => {
    const readme = readFileSync(join(folder, "README.md"), "utf8")
    const files = new Set([...readme.matchAll(/`([^`\s]+\.pcapng)`/g)].map(([, file]) => file!))
    expect([...files].filter((file) => !readdirSync(out).includes(file))).toEqual([])
    const looks = looksOf(readme)
    expect(looks.length).toBeGreaterThan(0)
    if (tsharkVersion === null) context.skip("tshark is not on the PATH")
    const byFile = Map.groupBy(looks, ({ file }) => file)
    const missed = await Promise.all([...byFile.values()].map((some) => missesIn(out, some)))
    expect(missed.join("")).toBe("")
  })
})

/** Each flag is a true word about the story, and its README says why; a new one has to be looked into. */
it("Wireshark flags in the scenarios' device files what it would in Linux's own", (context) => {
  if (tsharkVersion === null) context.skip("tshark is not on the PATH")
  // Which of several names it takes for one segment differs from version to version.
  if (tsharkVersion?.startsWith("4.0.") === false) context.skip(`written down with tshark 4.0, this is ${tsharkVersion}`)
  expect([...told].map(([name, text]) => `${name}\n${text}`).join("")).toMatchInlineSnapshot(`
    "100-tcp-handshake-and-close
      20 TCP frames, clean: default-client-eth0 node1-cni0 node1-veth15879acf default-server-eth0 node2-cni0 node2-veth370fd59f node1-eth0 node2-eth0
    101-tcp-refused
      6 TCP frames, clean: default-client-eth0 node1-cni0 node1-veth298870cb node1-eth0 node2-eth0
      4 TCP frames, clean: default-server-eth0 node2-cni0 node2-veth3d3d8c69
    102-tcp-timeout
      27 TCP frames, 24 retransmission: default-client-eth0 node1-cni0 node1-veth4acede95 host-old-eth0 node1-eth0
    103-tcp-host-unreachable
      6 TCP frames, 4 retransmission: default-client-eth0 node1-cni0 node1-veth0fbce144 node1-eth0 node2-eth0
    104-tcp-retransmission
      137 TCP frames, 10 retransmission, 1 fast_retransmission, 2 out_of_order, 12 duplicate_ack: default-client-eth0 node1-cni0 node1-veth9a07bbc2 node1-eth0
      140 TCP frames, 4 retransmission, 1 fast_retransmission, 1 spurious_retransmission, 3 out_of_order, 2 lost_segment, 14 duplicate_ack: default-server-eth0 node2-cni0 node2-veth1b64ebc3 node2-eth0
    105-tcp-zero-window
      262 TCP frames, 1 retransmission, 6 zero_window, 3 window_full, 1 window_update, 6 keep_alive: default-client-eth0 node1-cni0 node1-veth7cb8b5d7 node1-eth0 node2-cni0 node2-vetha77acce6 node2-eth0
      262 TCP frames, 1 retransmission, 6 zero_window, 2 window_full, 1 window_update, 6 keep_alive: default-server-eth0
    106-tcp-half-close
      554 TCP frames, clean: default-client-eth0 node1-cni0 node1-veth9e6baf0a default-server-eth0 node2-cni0 node2-vethc9b4e20f node1-eth0 node2-eth0
    107-tcp-time-wait
      56 TCP frames, 3 reused_ports: default-client-eth0 node1-cni0 node1-veth11131731 default-server-eth0 node1-eth0 node2-cni0 node2-vethcf666538 node2-eth0
    108-tcp-loopback
      4 TCP frames, clean: default-other-eth0 default-pair-eth0 node1-veth58467aef node1-vethdf3a8e72
      2 TCP frames, clean: default-other-lo
      28 TCP frames, clean: default-pair-lo
    109-tcp-pod-deleted
      326 TCP frames, 8 retransmission: default-client-eth0 node1-cni0 node1-veth60c34b6a node1-eth0 node2-eth0
      123 TCP frames, clean: default-sink-eth0 node2-vethe240fbf8
      173 TCP frames, clean: default-source-eth0 node2-veth7e5c7f03
      28 TCP frames, 6 retransmission: default-web-eth0 node2-vethbde85235
      324 TCP frames, 6 retransmission: node2-cni0
    110-tcp-path-mtu
      126 TCP frames, 2 retransmission, 20 out_of_order: default-client-eth0 node1-cni0 node1-veth596350a5
      106 TCP frames, clean: default-server-eth0 node1-eth0 node2-cni0 node2-veth86093cdc node2-eth0
    111-http-keep-alive
      54 TCP frames, clean: default-client-eth0 default-server-eth0 node1-cni0 node1-vethe3b5ffea node1-eth0 node2-cni0 node2-veth8b08cc37 node2-eth0
    112-tcp-bulk
      1042 TCP frames, clean: default-client-eth0 node1-cni0 node1-vethd14a23b4 default-server-eth0 node2-cni0 node2-veth89a12029 node1-eth0 node2-eth0
    "
  `)
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
