/**
 * Schema's tree of issues as a flat list of problems in Kubernetes' words: what was found, what is expected,
 * and what to do about it. Misspelt and misplaced fields are told where they may belong.
 */
import type * as Schema from "effect/Schema"
import { fieldPath, found, nearest, type Path, type Problem } from "./problem.ts"

type Issue = Schema.SchemaError["issue"]
type Ast = Schema.Top["ast"]
type Objects = Extract<Ast, { readonly _tag: "Objects" }>

/** Fields that an earlier version of the API had. */
const FORMERLY: ReadonlyMap<string, string> = new Map([
  ["Ingress.serviceName", "it is service.name since networking.k8s.io/v1"],
  ["Ingress.servicePort", "it is service.port.number since networking.k8s.io/v1"]
])

/** How far below the place of an unknown field its right place is looked for. */
const SEARCH_DEPTH_MAX = 4

export function problemsOf(root: Issue, kind: string, value: unknown): ReadonlyArray<Problem> {
  const problems: Array<Problem> = []
  /** The structs around the place, outermost first, to find where a misplaced field belongs. */
  const around: Array<{ readonly path: Path; readonly ast: Objects }> = []
  const walk = (issue: Issue, path: Path, expected: Ast | null): void => {
    switch (issue._tag) {
      case "Pointer": {
        const key = issue.path.map((part) => typeof part === "symbol" ? String(part) : part)
        return walk(issue.issue, [...path, ...key], expected)
      }
      case "Composite": {
        const isStruct = issue.ast._tag === "Objects"
        if (isStruct) around.push({ path, ast: issue.ast as Objects })
        for (const child of issue.issues) walk(child, path, issue.ast)
        if (isStruct) around.pop()
        return
      }
      case "Filter":
      case "Encoding":
        return walk(issue.issue, path, expected)
      case "MissingKey":
        problems.push({ path, atKey: false, message: "Required value" })
        return
      case "UnexpectedKey":
        problems.push({ path, atKey: true, message: unknownField(path, kind, around) })
        return
      default:
        problems.push({ path, atKey: false, message: wrongType(valueAt(value, path), astOf(issue)) })
    }
  }
  walk(root, [], null)
  return problems
}

/** Fields that are missing and nothing else; each with Go's zero value for its type. */
export function missingOf(root: Issue): ReadonlyArray<{ readonly path: Path; readonly zero: unknown }> {
  const missing: Array<{ readonly path: Path; readonly zero: unknown }> = []
  const walk = (issue: Issue, path: Path, parent: Ast | null): boolean => {
    if (issue._tag === "Pointer") return walk(issue.issue, [...path, ...issue.path as Path], parent)
    if (issue._tag === "Composite") return issue.issues.every((child) => walk(child, path, issue.ast))
    if (issue._tag !== "MissingKey" || parent?._tag !== "Objects") return false
    missing.push({ path, zero: zeroOf(fieldsOf(parent).get(String(path.at(-1)))) })
    return true
  }
  return walk(root, [], null) ? missing : []
}

function zeroOf(ast: Ast | undefined): unknown {
  switch (ast?._tag) {
    case "String": return ""
    case "Boolean": return false
    case "Arrays": return []
    case "Objects": return {}
    default: return 0
  }
}

function astOf(issue: Issue): Ast | null {
  return "ast" in issue ? issue.ast as Ast : null
}

function valueAt(root: unknown, path: Path): unknown {
  let at = root
  for (const part of path) at = (at as Readonly<Record<string | number, unknown>> | undefined)?.[part]
  return at
}

function unknownField(
  path: Path, kind: string, around: ReadonlyArray<{ readonly path: Path; readonly ast: Objects }>
): string {
  const key = String(path.at(-1))
  const name = fieldPath(path)
  const say = (hint: string) =>
    `unknown field ${JSON.stringify(name)}: ${kind} has no such field${hint === "" ? "" : `; ${hint}`}`
  const formerly = FORMERLY.get(`${kind}.${key}`)
  if (formerly !== undefined) return say(formerly)
  const here = around.at(-1)
  if (here === undefined) return say("")
  const fields = fieldsOf(here.ast)
  const below = findBelow(here.ast, key, SEARCH_DEPTH_MAX)
  if (below !== null) {
    return say(`it belongs under ${JSON.stringify(fieldPath([...path.slice(0, -1), ...below]))}`)
  }
  const above = around.slice(0, -1).findLast(({ ast }) => fieldsOf(ast).has(key))
  if (above !== undefined) {
    const place = above.path.length === 0 ? "at the top" : `under ${JSON.stringify(fieldPath(above.path))}`
    return say(`it belongs ${place}, check the indentation`)
  }
  const near = nearest(key, fields.keys())
  return say(near === null ? "" : `did you mean ${JSON.stringify(near)}?`)
}

function fieldsOf(ast: Objects): ReadonlyMap<string, Ast> {
  return new Map(ast.propertySignatures.map(({ name, type }) => [String(name), type]))
}

/** The nearest struct below, not through lists, that has the field; as the path to that struct. */
function findBelow(ast: Objects, key: string, depthMax: number): Path | null {
  let level: Array<{ readonly path: Path; readonly ast: Objects }> = [{ path: [], ast }]
  for (let depth = 0; depth < depthMax; depth++) {
    const next: typeof level = []
    for (const { path, ast } of level) {
      for (const [name, type] of fieldsOf(ast)) {
        if (type._tag !== "Objects" || name === "status" || name === "metadata" && depth > 0) continue
        if (fieldsOf(type).has(key)) return [...path, name]
        next.push({ path: [...path, name], ast: type })
      }
    }
    level = next
  }
  return null
}

function wrongType(value: unknown, ast: Ast | null): string {
  const say = (expected: string, advice = "") =>
    `Invalid value: ${found(value)}: expected ${expected}${advice === "" ? "" : `; ${advice}`}`
  switch (ast?._tag) {
    case "String": {
      const isScalar = typeof value === "number" || typeof value === "boolean"
      return say("a string", isScalar ? `put it in quotes: "${value}"` : "")
    }
    case "Boolean":
      return say("true or false", value === "true" || value === "false" ? "remove the quotes" : "")
    case "Number":
      return say("a number")
    case "Arrays":
      return say("a list", value === null ? "" : `begin each entry with "- "`)
    case "Objects":
      return say("a mapping", Array.isArray(value) ? `remove the "- "` : "")
    case "Declaration": {
      const expected = String(ast.annotations?.["expected"] ?? "something else")
      if (expected === "an integer" && Number.isInteger(value)) {
        return say("an integer from -2147483648 to 2147483647")
      }
      const isQuoted = expected === "an integer" && typeof value === "string" && /^-?\d+$/.test(value)
      return say(expected, isQuoted ? "remove the quotes" : "")
    }
    default:
      return say(ast === null ? "something else" : expectedBy(ast))
  }
}

/** A choice is told with all that it takes: `"IPv4" or "IPv6"`, `a whole number or a list`. */
function expectedBy(ast: Ast): string {
  switch (ast._tag) {
    case "Literal":
      return JSON.stringify(ast.literal)
    case "Union":
      return ast.types.map(expectedBy).join(" or ")
    case "String":
      return "a string"
    case "Boolean":
      return "true or false"
    case "Number":
      return "a number"
    case "Arrays":
      return "a list"
    case "Objects":
      return "a mapping"
    case "Declaration":
      return String(ast.annotations?.["expected"] ?? "something else")
    default:
      return "something else"
  }
}
