/**
 * The walls: who may import whom (the table of packages/README.md as data), and that nothing below `edge/`
 * asks the host for time, chance or promises. TypeScript's references stop neither.
 */
import { globSync, readFileSync } from "node:fs"
import { expect, it } from "vitest"

const KERNEL = ["engine", "wire"]
const MAY_IMPORT: Readonly<Record<string, ReadonlyArray<string>>> = {
  engine: [],
  wire: [],
  "pcap-writer": [],
  netdev: KERNEL,
  netfilter: [...KERNEL, "netdev"],
  netns: [...KERNEL, "netdev", "netfilter"],
  tcp: [...KERNEL, "netdev", "netns"],
  api: ["engine", "effect", "ip-address"],
  cni: [...KERNEL, "netdev", "netfilter", "netns", "api", "ip-address"],
  controllers: ["engine", "api"],
  workload: [...KERNEL, "netdev", "netns", "tcp"],
  cluster: [...KERNEL, "netdev", "netfilter", "netns", "tcp", "api", "cni", "controllers", "workload", "pcap-writer"],
  // `plain.ts`, the face without Effect, brings Node's services along.
  lab: ["wire", "api", "cni", "cluster", "pcap-writer", "effect", "ip-address", "yaml", "@effect/platform-node"],
  cli: ["lab", "effect", "@effect/platform-node"],
  checker: ["engine", "wire", "netdev", "netns", "tcp", "api", "cni", "cluster"],
  arbitrary: ["wire", "api", "cluster", "checker", "fast-check"]
}

/** Of another package: `from "x"`, `import "x"`, `import("x")`. */
const IMPORT = /\b(?:from|import|import\()\s*"([@a-z][\w@/:.-]*)"/g

/** Without comments, which may show imports and name what is banned; the lines keep their numbers. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " ")).replace(/(^|\s)\/\/.*$/gm, "$1")
}

const sources = globSync("packages/*/*/src/**/*.ts").sort().map((file) => {
  const [, plane, name] = file.split("/") as [string, string, string]
  return { file, plane, name, text: codeOf(readFileSync(file, "utf8")) }
})

it("imports go down only", () => {
  const wrong: Array<string> = []
  for (const { file, plane, name, text } of sources) {
    for (const [, from] of text.matchAll(IMPORT)) {
      if (from!.startsWith("node:")) {
        if (plane !== "edge") wrong.push(`${file}: ${from}`)
        continue
      }
      const [scope, second] = from!.split("/") as [string, string | undefined]
      const target = scope === "@podwire" ? second! : scope.startsWith("@") ? `${scope}/${second}` : scope
      if (!MAY_IMPORT[name]!.includes(target)) wrong.push(`${file}: ${from}`)
    }
  }
  expect(wrong).toEqual([])
})

it("each package declares what it imports", () => {
  const missing: Array<string> = []
  for (const { file, plane, name, text } of sources) {
    const { dependencies = {} } = JSON.parse(readFileSync(`packages/${plane}/${name}/package.json`, "utf8"))
    for (const [, from] of text.matchAll(IMPORT)) {
      if (from!.startsWith("node:")) continue
      const target = from!.split("/").slice(0, from!.startsWith("@") ? 2 : 1).join("/")
      if (!(target in dependencies)) missing.push(`${file}: ${target}`)
    }
  }
  expect(missing).toEqual([])
})

it("nothing below edge/ asks the host for time, chance or promises", () => {
  const banned = /\b(Date(?=\s*[.(])|new Date|Math\.(random|exp|log|sin|cos|tan|pow)|Intl|localeCompare|Promise|async|await|WeakRef|setTimeout|setInterval|performance|console|process\.(env|argv|exit\()|TextEncoder|TextDecoder|fetch\()/
  const found: Array<string> = []
  for (const { file, plane, text } of sources) {
    if (plane === "edge" || plane === "testing") continue
    text.split("\n").forEach((line, i) => {
      if (banned.test(line)) found.push(`${file}:${i + 1}: ${line.trim()}`)
      if (plane === "kernel" && /\b(BigInt|\d+n)\b/.test(line)) found.push(`${file}:${i + 1}: ${line.trim()}`)
      if (/\.sort\(\)/.test(line)) found.push(`${file}:${i + 1}: sort without a comparator`)
    })
  }
  expect(found).toEqual([])
})
