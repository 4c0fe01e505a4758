/** One frame, one line: the goldens are what we print, and tcpdump, where it is there, says the same. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as print from "@podwire/wire/print"
import { expect, it } from "vitest"
import { FRAMES } from "./support/frames.ts"

/** What tcpdump decodes and we do not. */
const OURS_ONLY = new Set(["STP"])

const render = (options: print.Options) =>
  FRAMES.map(({ bytes }) => print.line(bytes, 0, bytes.length, options).trimEnd())

it("every kind of frame reads as in the goldens", async () => {
  const plain = render({ conversations: new print.Conversations() })
  const link = render({ link: true })
  const text = FRAMES.map(({ name }, i) => `${name}\n  ${plain[i]}\n  ${link[i]}\n`).join("")
  await expect(text).toMatchFileSnapshot("./goldens/frames.txt")
})

it("time prints as a time of day", () => {
  expect([0, 1_234_567_890, 3_661_000_001_000, 90_000_000_000_000].map(print.time)).toEqual([
    "00:00:00.000000", "00:00:01.234567", "01:01:01.000001", "01:00:00.000000"
  ])
})

const version = spawnSync("tcpdump", ["--version"], { encoding: "utf8" })
const found = /version (4\.99\.\S*)/.exec(`${version.stdout}${version.stderr}`)
if (found === null) console.warn("skipped: comparison with tcpdump, which is not here in a version 4.99")

it.skipIf(found === null).each([
  { args: ["-S"], options: {} },
  { args: ["-S", "-e"], options: { link: true } },
  { args: [], options: { conversations: new print.Conversations() } }
])("tcpdump -n $args says the same", ({ args, options }) => {
  const folder = mkdtempSync(join(tmpdir(), "podwire-print-"))
  try {
    const file = join(folder, "frames.pcap")
    writeFileSync(file, pcap())
    const { stdout } = spawnSync("tcpdump", ["-n", "-t", ...args, "-r", file], { encoding: "utf8" })
    const theirs = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("\t"))
    const ours = render(options)
    expect(theirs).toHaveLength(FRAMES.length)
    const pick = (lines: ReadonlyArray<string>) =>
      FRAMES.flatMap(({ name }, i) => OURS_ONLY.has(name) ? [] : [`${name}: ${lines[i]!.trimEnd()}`])
    expect(pick(ours)).toEqual(pick(theirs))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** Classic pcap, little endian, Ethernet; this package may not import the writer. */
function pcap(): Buffer {
  const words = (...values: ReadonlyArray<number>) => Buffer.from(Uint32Array.from(values).buffer)
  return Buffer.concat([
    words(0xa1b2c3d4, 0x00040002, 0, 0, 65_535, 1),
    ...FRAMES.flatMap(({ bytes }) => [words(0, 0, bytes.length, bytes.length), bytes])
  ])
}
