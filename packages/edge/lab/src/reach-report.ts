/** What `reach` prints: the matrix, or one row a pair; with an expectation the rows that differ. */
import { reach, type Reach } from "@podwire/cluster"
import * as Effect from "effect/Effect"
import type { Lab } from "./lab.ts"
import type { Comparison, Difference } from "./reach-expect.ts"
import { FAMILIES, type Pair, pairsOf } from "./reach-pairs.ts"
import { junit, reachText, xml } from "./report.ts"
import { tabulate } from "./print/tabulate.ts"

export interface ReachReport {
  readonly lab: Lab
  readonly reach: Reach
  /** With `--expect`, else null. */
  readonly comparison: Comparison | null
}

export type ReachFormat = "text" | "json" | "csv" | "md" | "junit"

export function renderReach(report: ReachReport, format: ReachFormat): string {
  switch (format) {
    case "text": return text(report)
    case "json": return json(report)
    case "csv": return csv(report)
    case "md": return markdown(report)
    case "junit": return suites(report)
  }
}

export function reachAll(lab: Lab): Effect.Effect<Reach> {
  return Effect.sync(() => reach(lab.cluster))
}

/** All as it should be: as the file says, or without one every pair delivered. */
export function reachHeld({ reach, comparison }: ReachReport): boolean {
  if (comparison !== null) return comparison.differences.length === 0
  return pairsOf(reach).every(({ verdict }) => verdict === "Delivered")
}

function text({ lab, reach, comparison }: ReachReport): string {
  if (comparison === null) return reachText(lab, reach)
  const { differences, unnamed } = comparison
  const count = reach.cells.length - unnamed
  return differences.length === 0
    ? `${count} pair${count === 1 ? " is" : "s are"} as expected\n`
    : tabulate([["FROM", "TO", "FAMILY", "EXPECTED", "FOUND"], ...differences.map(differing)])
}

function differing({ from, to, family, expected, verdict }: Difference): ReadonlyArray<string> {
  return [from, to, family, expected, verdict]
}

function json({ lab, reach, comparison }: ReachReport): string {
  const pairs = pairsOf(reach).map((pair, i) => ({ ...pair, why: reach.cells[i]!.why }))
  const differences = comparison === null ? {} : { differences: comparison.differences }
  const held = reachHeld({ lab, reach, comparison })
  const value = { seed: lab.plan.seed, held, pairs, probesNotSent: reach.left, ...differences }
  return `${JSON.stringify(value, null, 2)}\n`
}

function csv({ reach, comparison }: ReachReport): string {
  const header = ["from", "to", "family", "verdict"]
  const rows = comparison === null
    ? [header, ...pairsOf(reach).map(cells)]
    : [[...header, "expected"], ...comparison.differences.map((row) => [...cells(row), row.expected])]
  return rows.map((row) => `${row.join(",")}\n`).join("")
}

function cells({ from, to, family, verdict }: Pair): ReadonlyArray<string> {
  return [from, to, family, verdict]
}

function markdown({ lab, reach, comparison }: ReachReport): string {
  if (comparison !== null) {
    return markdownTable(["from", "to", "family", "expected", "found"], comparison.differences.map(differing))
  }
  const pairs = pairsOf(reach)
  return FAMILIES.filter((_, i) => lab.plan.ipFamilies.includes(i === 0 ? 4 : 6)).map((family) => {
    const some = pairs.filter((pair) => pair.family === family)
    const targets = [...new Set(some.map(({ to }) => to))]
    const rows = new Map<string, Map<string, string>>()
    for (const { from, to, verdict } of some) {
      rows.set(from, (rows.get(from) ?? new Map<string, string>()).set(to, verdict))
    }
    const body = [...rows].map(([from, row]) => [from, ...targets.map((to) => row.get(to) ?? "")])
    return `### ${family}\n\n${markdownTable(["from \\ to", ...targets], body)}`
  }).join("\n")
}

function markdownTable(header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string {
  return [header, header.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |\n`).join("")
}

/** A case a pair, a suite a family; rows of the file that fit nobody are cases too. */
function suites({ lab, reach, comparison }: ReachReport): string {
  const wrong = new Map(comparison?.differences.map((row) => [keyOf(row), row.expected]))
  const absent = comparison?.differences.filter(({ verdict }) => verdict === "absent") ?? []
  const pairs = [...pairsOf(reach), ...absent]
  const families = FAMILIES.filter((_, i) => lab.plan.ipFamilies.includes(i === 0 ? 4 : 6))
  return junit(families.map((family) => {
    const some = pairs.filter((pair) => pair.family === family)
    let failed = 0
    const body = some.map((pair) => {
      const expected = comparison === null ? "Delivered" : wrong.get(keyOf(pair)) ?? pair.verdict
      const held = expected === pair.verdict
      if (!held) failed++
      const inner = held ? "" : `<failure message="${xml(`found ${pair.verdict}, expected ${expected}`)}"/>`
      const name = xml(`${pair.from} → ${pair.to}`)
      return `    <testcase classname="reach.${family}" name="${name}">${inner}</testcase>\n`
    })
    const head = `<testsuite name="reach ${family}" tests="${some.length}" failures="${failed}">`
    return `  ${head}\n${body.join("")}  </testsuite>\n`
  }))
}

function keyOf({ from, to, family }: Pair): string {
  return `${from} ${to} ${family}`
}
