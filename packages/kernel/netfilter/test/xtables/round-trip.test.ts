/**
 * Text to rules to text: what is printed loads again and prints the same, for the whole language and for
 * real nodes.
 */
import { readFileSync } from "node:fs"
import fc from "fast-check"
import { expect, it } from "vitest"
import { restore } from "../../src/xtables/restore.ts"
import { Ruleset } from "../../src/xtables/ruleset.ts"
import { table } from "./arbitrary.ts"
import { full } from "./full.ts"

const read = (name: string) => readFileSync(new URL(`./corpus/${name}`, import.meta.url), "utf8")
const bare = (text: string) => text.split("\n").filter((line) => !line.startsWith("#")).join("\n")

function load(family: 4 | 6, text: string, counters: boolean): string {
  const ruleset = new Ruleset(family, full())
  expect(restore(ruleset, text, { counters })).toBe(null)
  return ruleset.save({ counters })
}

for (const family of [4, 6] as const) {
  it(`what is printed loads again and prints the same, IPv${family}`, () => {
    fc.assert(fc.property(table(family), (text) => {
      const printed = load(family, text, true)
      expect(load(family, printed, true)).toBe(printed)
      expect(printed.split("\n").length).toBeGreaterThanOrEqual(text.split("\n").length)
    }), { seed: 4, numRuns: 300 })
  })
}

it("a node of Kubernetes 1.20 loads and prints back identically", () => {
  const text = bare(read("kube-proxy-1.20.saved.txt"))
  expect(load(4, text, false)).toBe(text)
})

it("what kube-proxy 1.34 writes prints as iptables-legacy printed it", () => {
  expect(load(4, read("kube-proxy-1.34.input.txt"), false)).toBe(bare(read("kube-proxy-1.34.saved.txt")))
})
