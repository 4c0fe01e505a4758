/**
 * `reach --expect FILE`: what each pair should come to, as `reach -o csv` prints it
 * (`from,to,family,verdict`, the columns in any order), or a YAML or JSON list of the same fields. `*` in a
 * name stands for any text, so that the hashes of a ReplicaSet's pods need not be known; the first row that
 * fits a pair decides.
 * Not supported in CSV: quoted fields, which none of these values needs.
 */
import type { Reach } from "@podwire/cluster"
import { makeProblem, type Path, type Problem } from "./input/index.ts"
import { decodeText, type Text } from "./input/text.ts"
import { offsetOf } from "./input/tree.ts"
import { readYaml } from "./input/yaml-reader.ts"
import { FAMILIES, type Pair, pairsOf, VERDICTS } from "./reach-pairs.ts"

export interface Expected extends Pair {
  readonly line: number
}

export interface Difference extends Pair {
  readonly expected: string
  /** Of the row in the file. */
  readonly line: number
}

const FIELDS = ["from", "to", "family", "verdict"] as const
type Field = (typeof FIELDS)[number]

export function readExpected(
  file: string, content: string | Uint8Array
): ReadonlyArray<Expected> | ReadonlyArray<Problem> {
  const text = decodeText(file, content)
  if ("message" in text) return [text]
  const wanted = /^\s*(?:#.*\s*)*[-[{]/.test(text.text) ? yamlRows(file, text) : csvRows(file, text)
  const problems = wanted.filter((row): row is Problem => "message" in row)
  return problems.length > 0 ? problems : wanted as ReadonlyArray<Expected>
}

export function isExpected(
  rows: ReadonlyArray<Expected> | ReadonlyArray<Problem>
): rows is ReadonlyArray<Expected> {
  return rows.every((row) => !("message" in row))
}

export interface Comparison {
  readonly differences: ReadonlyArray<Difference>
  /** Pairs that the file does not speak of. */
  readonly unnamed: number
  /** Rows whose pair was left out of the sample. */
  readonly unsent: number
}

export function compareReach(reach: Reach, expected: ReadonlyArray<Expected>): Comparison {
  const pairs = pairsOf(reach)
  const rows = expected.map((row) => ({ row, from: pattern(row.from), to: pattern(row.to), used: false }))
  const differences: Array<Difference> = []
  let unnamed = 0
  for (const pair of pairs) {
    const fits = rows.filter(({ row, from, to }) =>
      row.family === pair.family && from.test(pair.from) && to.test(pair.to))
    for (const fit of fits) fit.used = true
    const [first] = fits
    if (first === undefined) unnamed++
    else if (first.row.verdict !== pair.verdict) {
      differences.push({ ...pair, expected: first.row.verdict, line: first.row.line })
    }
  }
  const unused = rows.filter(({ used }) => !used)
  const known = (side: "from" | "to", name: RegExp) => pairs.some((pair) => name.test(pair[side]))
  const unsent = reach.left > 0 ? unused.filter(({ from, to }) => known("from", from) && known("to", to)) : []
  for (const { row } of unused.filter((other) => !unsent.includes(other))) {
    differences.push({ ...row, verdict: "absent", expected: row.verdict })
  }
  return { differences, unnamed, unsent: unsent.length }
}

function csvRows(file: string, text: Text): ReadonlyArray<Expected | Problem> {
  const lines = text.text.split(/\r?\n/)
  const header = (lines[0] ?? "").split(",").map((cell) => cell.trim())
  const missing = FIELDS.filter((field) => !header.includes(field))
  if (missing.length > 0) {
    return [makeProblem(file, { line: 1, column: 1 }, [], {
      what: `the first line has no column ${missing.join(", ")}`, expected: FIELDS.join(",")
    })]
  }
  return lines.flatMap((line, i) => {
    if (i === 0 || line.trim() === "") return []
    const cells = line.split(",").map((cell) => cell.trim())
    const place = { line: i + 1, column: 1 }
    if (cells.length !== header.length) {
      const what = `${cells.length} fields, the first line has ${header.length}`
      return [makeProblem(file, place, [], { what })]
    }
    const value = (field: Field) => cells[header.indexOf(field)]!
    return [rowOf(value, i + 1, (_, complaint) => makeProblem(file, place, [], complaint))]
  })
}

function yamlRows(file: string, text: Text): ReadonlyArray<Expected | Problem> {
  const { tree, faults } = readYaml(text.text, 0)
  if (faults.length > 0) {
    return faults.map((fault) => makeProblem(file, text.placeAt(fault.at), [], { what: fault.what }))
  }
  const value: unknown = tree?.value
  const problem = (path: Path, complaint: Complaint) =>
    makeProblem(file, tree === null ? null : text.placeAt(offsetOf(tree, path, false)), path, complaint)
  if (!Array.isArray(value)) {
    return [problem([], { what: "no list", expected: `a list of {${FIELDS.join(", ")}}` })]
  }
  return value.map((row: unknown, i) => {
    if (typeof row !== "object" || row === null || Array.isArray(row)) {
      return problem([i], { what: "no mapping", expected: `{${FIELDS.join(", ")}}` })
    }
    const cells = row as Readonly<Record<string, unknown>>
    const strange = Object.keys(cells).find((key) => !(FIELDS as ReadonlyArray<string>).includes(key))
    if (strange !== undefined) {
      return problem([i, strange], { what: "unknown field", expected: FIELDS.join(", ") })
    }
    const line = text.placeAt(offsetOf(tree!, [i], false)).line
    return rowOf((field) => cells[field] ?? "", line, (field, complaint) =>
      problem(field in cells ? [i, field] : [i], complaint))
  })
}

type Complaint = Parameters<typeof makeProblem>[3]

function rowOf(
  value: (field: Field) => unknown, line: number, problem: (field: Field, complaint: Complaint) => Problem
): Expected | Problem {
  const words = FIELDS.map((field) => String(value(field)))
  const [from, to, family, verdict] = words as [string, string, string, string]
  if (from === "") return problem("from", { what: "from: empty", expected: "NAMESPACE/POD or node/NAME" })
  if (to === "") return problem("to", { what: "to: empty", expected: "NAMESPACE/POD" })
  const known = FAMILIES.find((name) => name === family || name === `IPv${family}`)
  if (known === undefined) {
    return problem("family", { what: `family: found "${family}"`, expected: FAMILIES.join(" or ") })
  }
  const meant = VERDICTS.find((name) => name === verdict)
  if (meant === undefined) {
    return problem("verdict", { what: `verdict: found "${verdict}"`, expected: VERDICTS.join(", ") })
  }
  return { from, to, family: known, verdict: meant, line }
}

function pattern(name: string): RegExp {
  const parts = name.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  return new RegExp(`^${parts.join(".*")}$`)
}
