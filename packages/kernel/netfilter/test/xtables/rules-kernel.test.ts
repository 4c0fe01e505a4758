/**
 * The real tools and kernel as referee, in network namespaces of their own: what we print is restored by
 * them, and what they then save must be our text, octet for octet (their comments aside). Needs root,
 * `unshare` and iptables-legacy; where one is missing it says so and skips. It says which matches and
 * targets the kernel lacks, and leaves those out.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { expect, it } from "vitest"
import { MATCHES } from "../../src/xtables/matches/index.ts"
import { restore } from "../../src/xtables/restore.ts"
import { Ruleset } from "../../src/xtables/ruleset.ts"
import type { TableName } from "../../src/xtables/table.ts"
import { TARGETS } from "../../src/xtables/targets/index.ts"
import { table } from "./arbitrary.ts"
import { readCorpus } from "./corpus.ts"
import { full } from "./full.ts"

type Family = 4 | 6
interface Job {
  readonly text: string
  readonly table: string
}
interface Answer {
  readonly saved: string
  readonly said: string
}

/** Each job alone, one after the other, in one new namespace. */
function real(family: Family, jobs: ReadonlyArray<Job>, variant: "legacy" |
  "nft" = "legacy"): ReadonlyArray<Answer> {
  const tool = `${family === 4 ? "iptables" : "ip6tables"}-${variant}`
  const folder = mkdtempSync(join(tmpdir(), "pw-xtables-"))
  try {
    const script = jobs.map(({ text, table: name }, i) => {
      writeFileSync(join(folder, `${i}.in`), text)
      return `${tool}-restore -c < ${i}.in 2> ${i}.err; ${tool}-save -c -t ${name} > ${i}.out`
    })
    writeFileSync(join(folder, "run.sh"), script.join("\n"))
    const { status, stderr } =
      spawnSync("unshare", ["-n", "sh", "run.sh"], { cwd: folder, encoding: "utf8", timeout: 60_000 })
    if (status !== 0) throw new Error(`unshare -n: ${stderr}`)
    return jobs.map((_, i) => {
      const lines = readFileSync(join(folder, `${i}.out`), "utf8").split("\n")
      return {
        saved: lines.filter((line) => !line.startsWith("#")).join("\n"),
        said: readFileSync(join(folder, `${i}.err`), "utf8").replace(/^Warning: .*\n/gm, "").trim()
      }
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function ours(family: Family, text: string, only: TableName | null = null): string {
  const ruleset = new Ruleset(family, full())
  expect(restore(ruleset, text, { counters: true }), text).toBe(null)
  return ruleset.save({ counters: true }, only)
}

function missing(): string | null {
  if (process.getuid?.() !== 0) return "not root"
  for (const tool of ["iptables-legacy", "ip6tables-legacy", "iptables-nft"]) {
    if (spawnSync(`${tool}-save`, ["--version"]).status !== 0) return `no ${tool}`
  }
  const { status, stderr } = spawnSync("unshare", ["-n", "iptables-legacy", "-S"], { encoding: "utf8" })
  return status === 0 ? null : `unshare -n iptables-legacy -S: ${stderr.trim()}`
}

const why = missing()
if (why !== null) process.stderr.write(`iptables referee: skipped: ${why}\n`)

/**
 * Kinds by their option, `-m NAME` or `-j NAME`, that this kernel refuses where ours and the corpus do not.
 */
function lacking(family: Family): ReadonlyArray<string> {
  const cases = readCorpus(family).filter(({ saved }) => saved.some((line) => line.startsWith("-A")))
  const kinds = [
    ...MATCHES.filter(({ families }) => families.includes(family)).map(({ name }) => `-m ${name} `),
    ...TARGETS.filter(({ families }) => families.includes(family)).map(({ name }) => `-j ${name}`)
  ]
  const known = kinds.flatMap((kind) => {
    const one = cases.find(({ saved }) => `${saved[0]!} `.includes(kind))
    return one === undefined ? []
      : [{ kind, text: `*${one.table}\n:U - [0:0]\n:U2 - [0:0]\n${one.saved[0]!}\nCOMMIT\n`,
        table: one.table }]
  })
  const answers = real(family, known)
  return known.filter((_, i) => answers[i]!.said !== "").map(({ kind }) => kind.trim())
}

/** The first that differ, side by side. */
function compare(jobs: ReadonlyArray<Job>, answers: ReadonlyArray<Answer>,
  printed: ReadonlyArray<string>): void {
  for (const [i, { said, saved }] of answers.entries()) {
    expect({ text: jobs[i]!.text, said, saved }).toEqual({ text: jobs[i]!.text, said: "",
      saved: printed[i]! })
  }
}

for (const family of [4, 6] as const) {
  it.skipIf(why !== null)(`every rule of the corpus, as we print it, IPv${family}`, () => {
    const lack = lacking(family)
    process.stderr.write(`iptables referee, IPv${family}: this kernel lacks ${lack.join(", ") || "none of the matches and targets"}\n`)
    const byTable = new Map<string, Array<string>>()
    let count = 0
    for (const one of readCorpus(family)) {
      const text = `*${one.table}\n:U - [0:0]\n:U2 - [0:0]\n${one.command}\nCOMMIT\n`
      const ruleset = new Ruleset(family, full())
      if (one.saved.length === 0 || restore(ruleset, text) !== null ||
        lack.some((kind) => one.saved[0]!.includes(kind))) continue
      const rules = ruleset.save().split("\n").filter((line) => line.startsWith("-A"))
      byTable.set(one.table, [...byTable.get(one.table) ?? [], ...rules])
      count += rules.length
    }
    const jobs = [...byTable].map(([name, rules]) => {
      const text = `*${name}\n:U - [0:0]\n:U2 - [0:0]\n${rules.join("\n")}\nCOMMIT\n`
      return { text: ours(family, text), table: name }
    })
    compare(jobs, real(family, jobs), jobs.map(({ text }) => text))
    expect(count).toBeGreaterThan(family === 4 ? 250 : 60)
  })

  it.skipIf(why !== null)(`generated tables, as we print them and as they were written, IPv${family}`, () => {
    const lack = lacking(family)
    const texts = fc.sample(table(family),
      { seed: 11, numRuns: 40 }).filter((text) => !lack.some((kind) => text.includes(kind)))
    const printed = texts.map((text) => ours(family, text))
    const nameOf = (text: string) => text.match(/^\*(\w+)/)![1]!
    const jobs = [...printed, ...texts].map((text) => ({ text, table: nameOf(text) }))
    compare(jobs, real(family, jobs), [...printed, ...printed])
  })
}

it.skipIf(why !== null)("kube-proxy's rules, to the legacy tools and to the nft ones, and their saves to us", () => {
  for (const name of ["kube-proxy-1.20.saved.txt", "kube-proxy-1.34.input.txt"]) {
    const text = readFileSync(new URL(`./corpus/${name}`, import.meta.url), "utf8")
    for (const variant of ["legacy", "nft"] as const) {
      for (const only of ["mangle", "filter", "nat"] as const) {
        const printed = ours(4, text, only)
        const [answer] = real(4, [{ text: printed, table: only }], variant)
        expect(answer).toEqual({ said: "", saved: printed })
        expect(ours(4, answer!.saved, only)).toBe(printed)
      }
    }
  }
})

/** Where iptables-nft prints otherwise; its text loads here all the same. */
const OTHERWISE = [
  ["-A INPUT ! -i + -j DROP", "-A INPUT -j DROP", "-A INPUT ! -i + -j DROP"],
  ["-A INPUT -p tcp ! --dport 0:65535 -j DROP", "-A INPUT -p tcp -m tcp -j DROP", "-A INPUT -p tcp -j DROP"],
  ["-A INPUT -p tcp --dport 1 -m tcp --sport 2", "-A INPUT -p tcp -m tcp --dport 1 -m tcp --sport 2",
    "-A INPUT -p tcp -m tcp --sport 2 --dport 1"]
] as const

it.skipIf(why !== null)("where iptables-nft prints otherwise, its save loads", () => {
  for (const [command, legacy, nft] of OTHERWISE) {
    const text = `*filter\n${command}\nCOMMIT\n`
    const rule = (saved: string) =>
      saved.split("\n").find((line) => line.includes("-A "))!.replace(/^\[.*?\] /, "")
    expect(rule(ours(4, text))).toBe(legacy)
    const [answer] = real(4, [{ text, table: "filter" }], "nft")
    expect(rule(answer!.saved)).toBe(nft)
    expect(() => ours(4, answer!.saved)).not.toThrow()
  }
})
