/** Every rule of the corpora, one by one: our text against the tool's, and our refusal against its words. */
import { expect, it } from "vitest"
import { restore } from "../../src/xtables/restore.ts"
import { Ruleset } from "../../src/xtables/ruleset.ts"
import type { TableName } from "../../src/xtables/table.ts"
import { readCorpus, restoreText } from "./corpus.ts"
import { full } from "./full.ts"

/** What is refused by name, and said to be. */
const REFUSED = {
  4: [
    "hashlimit: rates in octets (\"512kb/s\") are not supported here",
    "hashlimit: rates in octets (\"1mb/s\") are not supported here",
    "hashlimit: option \"--hashlimit-rate-match\" is not supported here",
    "match `pkttype' is not supported here",
    "match `iprange' is not supported here",
    "CONNMARK: option \"--left-shift-mark\" is not supported here",
    "CT: option \"--ctevents\" is not supported here",
    "CT: option \"--expevents\" is not supported here",
    "CT: option \"--helper\" is not supported here",
    "CT: option \"--helper\" is not supported here"
  ],
  6: []
}

for (const family of [4, 6] as const) {
  it(`prints and refuses IPv${family} rules as iptables-legacy does`, () => {
    const wanted: Array<string> = []
    const got: Array<string> = []
    const refused: Array<string> = []
    for (const one of readCorpus(family)) {
      const ruleset = new Ruleset(family, full())
      const error = restore(ruleset, restoreText(one))
      if (error !== null && /not supported here$/.test(error.message)) {
        refused.push(error.message)
        continue
      }
      const lines = ruleset.save({}, one.table as TableName).split("\n")
      const rules = lines.filter((line) => line.startsWith("-A"))
      const shown = rules.length > 0 ? rules : lines.filter((line) => line.startsWith(":"))
      wanted.push(`> ${one.table} ${one.command}`, ...one.saved, ...one.said.map((line) => `! ${line}`))
      got.push(`> ${one.table} ${one.command}`, ...(error === null ? shown : [`! ${error.message}`]))
    }
    expect(got.join("\n")).toBe(wanted.join("\n"))
    expect(refused).toEqual(REFUSED[family])
  })
}

/** As the tool did it in a namespace with these sets and this account; its spelling is its own. */
const NAMED: ReadonlyArray<readonly [string, string]> = [
  ["-m set --match-set have1 src -j DROP", "-A INPUT -m set --match-set have1 src -j DROP"],
  ["-m set ! --match-set have2 src,dst", "-A INPUT -m set ! --match-set have2 src,dst"],
  ["-m set --match-set have1 src,dst,src,dst", "-A INPUT -m set --match-set have1 src,dst,src,dst"],
  ["-m nfacct --nfacct-name have4 -j DROP", "-A INPUT -m nfacct --nfacct-name  have4 -j DROP"],
  ["-m set --match-set have1 foo", "! You must spefify (the comma separated list of) 'src' or 'dst'."],
  ["-m set", "! You must specify `--match-set' with proper arguments"],
  ["-m nfacct", "! nfacct: option \"--nfacct-name\" must be specified"],
  ["-m nfacct --nfacct-name abcdefghijklmnopqrstuvwxyz0123456789", "! iptables-restore: line 3 failed"],
  ["-m set --match-set have1 src --return-nomatch", "! set: option \"--return-nomatch\" is not supported here"]
]

it("sets and accounts that are there", () => {
  const got = NAMED.map(([rule]) => {
    const ruleset = new Ruleset(4, full())
    const error = restore(ruleset, `*filter\n-A INPUT ${rule}\nCOMMIT\n`)
    return [rule, error === null ? ruleset.save().match(/^-A.*$/m)![0] : `! ${error.message}`]
  })
  expect(got).toEqual(NAMED)
})
