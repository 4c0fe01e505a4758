/**
 * The one shape of a complaint about input: where, at which path of the document, what was found, what was
 * expected and what to do. All problems of all files travel together in one `InputError`; nothing here stops
 * at the first.
 *
 * A problem of a text has a line and a column (1-based, columns in characters as editors count them); a
 * problem of a file as a whole (missing, a folder without manifests) has neither.
 */
import * as Data from "effect/Data"
import * as Runtime from "effect/Runtime"
import { userMessage } from "effect/cli/CliError"

export interface Place {
  readonly line: number
  readonly column: number
}

/** Keys and indexes from the root of a document. */
export type Path = ReadonlyArray<string | number>

export interface Problem {
  readonly file: string
  readonly line: number | null
  readonly column: number | null
  /** As kubectl writes it, "" for the document itself. */
  readonly path: string
  /** One line for people: what is wrong, and what to do. */
  readonly message: string
  readonly found?: string
  readonly expected?: string
  readonly remedy?: string
}

export interface Complaint {
  /** What is wrong in the field's own words; may be "" when `found` and `expected` say it. */
  readonly what?: string
  readonly found?: string
  readonly expected?: string
  readonly remedy?: string
}

const PROBLEMS_SHOWN_MAX = 50

/** Values quoted in messages are cut here: an error line stays a line. */
const FOUND_LENGTH_MAX = 60

export function makeProblem(file: string, place: Place | null, path: Path, complaint: Complaint): Problem {
  const { what, found, expected, remedy } = complaint
  const parts = [
    ...(what ? [what] : []),
    ...(found === undefined ? [] : [`found ${found}`]),
    ...(expected === undefined ? [] : [`expected ${expected}`])
  ]
  const told = {
    ...(found === undefined ? {} : { found }),
    ...(expected === undefined ? {} : { expected }),
    ...(remedy === undefined ? {} : { remedy })
  }
  return {
    file,
    line: place?.line ?? null,
    column: place?.column ?? null,
    path: renderPath(path),
    message: oneLine(parts.join(", ") + (remedy === undefined ? "" : `; ${remedy}`)),
    ...told
  }
}

/**
 * `spec.ports[0].port`, and `metadata.labels[app.kubernetes.io/name]` for keys that hold more than a name.
 */
export function renderPath(path: Path): string {
  let text = ""
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`
    else if (/^[A-Za-z_$][-\w$]*$/.test(key)) text += text === "" ? key : `.${key}`
    else if (key !== "" && !/[\s[\]"\p{C}]/u.test(key)) text += `[${key}]`
    else text += `[${JSON.stringify(key)}]`
  }
  return text
}

export function renderProblem(problem: Problem): string {
  const where = problem.line === null ? problem.file : `${problem.file}:${problem.line}:${problem.column}`
  // Messages about an unknown field name it themselves, as the API server's do.
  const path =
    problem.path === "" || problem.message.includes(JSON.stringify(problem.path))
      ? ""
      : `${oneLine(problem.path)}: `
  return `${oneLine(where)}: ${path}${problem.message}`
}

export function renderProblems(problems: ReadonlyArray<Problem>): string {
  const lines = sortProblems(problems).map(renderProblem)
  const more = lines.length - PROBLEMS_SHOWN_MAX
  return (more > 0 ? [...lines.slice(0, PROBLEMS_SHOWN_MAX), `… and ${more} more`] : lines).join("\n")
}

/** For `-o json`: every problem, in the order of the text form. */
export function problemsToJson(problems: ReadonlyArray<Problem>): string {
  return JSON.stringify({ problems: sortProblems(problems) }, null, 2)
}

/** By file in byte order of its name, then by line and column; equal places keep the order of finding. */
export function sortProblems(problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> {
  return [...problems].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0)
  )
}

export function describe(value: unknown): string {
  if (value === undefined) return "nothing"
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list"
  if (typeof value === "object" && value !== null)
    return Object.keys(value).length === 0 ? "an empty mapping" : "a mapping"
  if (typeof value === "string") return quote(value)
  return String(value)
}

export function quote(text: string): string {
  const characters = [...text.slice(0, 2 * FOUND_LENGTH_MAX)]
  const cut = characters.length > FOUND_LENGTH_MAX
  return JSON.stringify(cut ? `${characters.slice(0, FOUND_LENGTH_MAX - 1).join("")}…` : text)
}

/** File names and library messages may hold anything; a terminal must not obey them. */
function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`)
}

/** Bad input: exit code 2, printed as plain text. */
export class InputError extends Data.TaggedError("InputError")<{
  readonly problems: ReadonlyArray<Problem>
}> {
  override readonly [Runtime.errorExitCode] = 2
  override get [userMessage](): string {
    return this.message
  }
  override get message(): string {
    return renderProblems(this.problems)
  }
}
