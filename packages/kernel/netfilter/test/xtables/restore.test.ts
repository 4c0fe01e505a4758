/** `iptables-restore` by its deeds: `corpus/restore.txt` played against ours, text for text. */
import { readFileSync } from "node:fs"
import fc from "fast-check"
import { expect, it } from "vitest"
import { describe as say, restore } from "../../src/xtables/restore.ts"
import { Ruleset } from "../../src/xtables/ruleset.ts"
import type { TableName } from "../../src/xtables/table.ts"
import { full } from "./full.ts"

const corpus = readFileSync(new URL("./corpus/restore.txt", import.meta.url), "utf8")

/** The block again, with our answers in the place of the tool's. */
function play(block: string): string {
  const ruleset = new Ruleset(4, full())
  const lines = block.split("\n").filter((line) => line !== "")
  const out = [lines[0]!]
  const tables: Array<TableName> = []
  for (let i = 1; i < lines.length && lines[i]!.startsWith("@");) {
    const options = lines[i]!.slice(1)
    out.push(lines[i++]!)
    let text = ""
    for (; i < lines.length && lines[i]!.startsWith("|"); i++) {
      const line = lines[i]!.slice(2).replaceAll("\\r", "\r")
      out.push(lines[i]!)
      text += `${line}\n`
      const table = line.match(/^\*(filter|nat)\b/)?.[1] as TableName | undefined
      if (table !== undefined && !tables.includes(table)) tables.push(table)
    }
    const error = restore(ruleset, text, {
      noflush: options.includes("-n"), counters: options.includes("-c"), test: options.includes("--test")
    })
    if (error !== null) out.push(`! ${error.message}`)
    while (i < lines.length && lines[i]!.startsWith("!")) i++
  }
  for (const table of tables) {
    if (!ruleset.has(table)) expect(restore(ruleset, `*${table}\nCOMMIT\n`)).toBe(null)
    out.push(...ruleset.save({ counters: true }, table).trimEnd().split("\n").map((line) => `= ${line}`))
  }
  return out.join("\n")
}

it("does with every text what iptables-legacy-restore did", () => {
  const blocks = corpus.split(/^## /m).slice(1).map((block) => block.trimEnd())
  expect(blocks.map(play).join("\n\n")).toBe(blocks.join("\n\n"))
})

it("says why where the tool only says that a line failed", () => {
  const why = (text: string) => {
    const error = restore(new Ruleset(4, full()), text)
    return error === null ? "" : say(error)
  }
  expect(why("*filter\n:A - [0:0]\n-A INPUT -j A\n-A A -j A\nCOMMIT\n")).toBe(
    "line 5: iptables-restore: line 5 failed (Too many levels of symbolic links: ELOOP: rule 1 of chain A: -A A -j A)"
  )
  expect(why("*filter\n-A INPUT -j REDIRECT\nCOMMIT\n")).toBe(
    "line 3: iptables-restore: line 3 failed (target REDIRECT: EINVAL: rule 1 of chain INPUT: -A INPUT -j REDIRECT)"
  )
  expect(why("*filter\n-A INPUT -m nfacct --nfacct-name x\nCOMMIT\n")).toBe(
    "line 3: iptables-restore: line 3 failed " +
      "(match nfacct: ENOENT: rule 1 of chain INPUT: -A INPUT -m nfacct --nfacct-name  x)"
  )
  expect(why("*security\nCOMMIT\n")).toBe("line 1: table `security' is not supported here")
  expect(why("*filter\n-A INPUT -m string --string x\nCOMMIT\n")).toBe("line 2: match `string' is not supported here")
})

it("refuses what needs a part that the host does not have", () => {
  const bare = restore(new Ruleset(4, {}), "*filter\n-A INPUT -m conntrack --ctstate NEW -j DROP\nCOMMIT\n")
  expect(bare).toMatchObject({ line: 3, message: "iptables-restore: line 3 failed" })
  expect(bare!.why).toMatch(/^match conntrack: EOPNOTSUPP/)
})

it("any text is taken or refused, and a refusal leaves the table as it was", () => {
  const words = fc.constantFrom(
    "*filter", "*nat", "COMMIT", ":INPUT ACCEPT [0:0]", ":U - [0:0]", "-A", "-I", "-D", "-X", "-F", "-E", "-Z", "-P",
    "-N", "INPUT", "U", "1", "-j", "-g", "!", "-p", "tcp", "-m", "multiport", "--dports", "80", "conntrack", "--ctstate",
    "NEW", "-s", "10.0.0.0/8", "\"", "#", "[1:2]", "DNAT", "--to-destination", "MARK", "--set-mark", "0x1/0x3", "recent",
    "hashlimit", "statistic", "--mode", "nth", "--every", "-c", "icmp", "--icmp-type", "LOG", "--log-prefix", "ACCEPT"
  )
  const line = fc.array(fc.oneof(words, fc.string({ maxLength: 6 })), { maxLength: 9 }).map((all) => all.join(" "))
  fc.assert(fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
    const ruleset = new Ruleset(4, full())
    expect(restore(ruleset, "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp\nCOMMIT\n")).toBe(null)
    const before = ruleset.save()
    const text = ["*filter", ...lines.filter((one) => one !== "COMMIT"), "COMMIT", ""].join("\n")
    if (restore(ruleset, text, { noflush: true }) !== null) expect(ruleset.save({}, "filter")).toBe(before)
    else expect(restore(new Ruleset(4, full()), ruleset.save())).toBe(null)
  }), { seed: 5, numRuns: 2000 })
})
