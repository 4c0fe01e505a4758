/**
 * The common part of kubectl's JSONPath (client-go/util/jsonpath): text with `{…}`, fields, `['field']`,
 * `[n]`, `[a:b]`, `[*]`, `.*`, `..field`, `[?(@.a=="b")]` with == != < > <= >=, `range`/`end`, quoted text.
 * Not supported: unions (`[a,b]`), steps of slices; they are refused. A field that is not there is nothing.
 */
import { escaped, sorted } from "./json.ts"

type Step =
  | { readonly _tag: "Field"; readonly name: string }
  | { readonly _tag: "All" }
  | {
    readonly _tag: "Slice"; readonly from: number | null; readonly to: number | null; readonly single: boolean
  }
  | { readonly _tag: "Deep" }
  | { readonly _tag: "Filter"; readonly left: ReadonlyArray<Step>; readonly operator: string; readonly right: unknown }

type Part =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Path"; readonly steps: ReadonlyArray<Step> }
  | { readonly _tag: "Range"; readonly steps: ReadonlyArray<Step>; readonly body: ReadonlyArray<Part> }

/** The text that the template makes of a value, or in `error` what is wrong with the template. */
export function renderTemplate(
  template: string, value: unknown
): { readonly text: string } | { readonly error: string } {
  const open: Array<{
    readonly steps: ReadonlyArray<Step>; readonly body: Array<Part>
  }> = [{ steps: [], body: [] }]
  for (const [whole, inside] of template.matchAll(/\{((?:'[^']*'|"(?:\\.|[^"\\])*"|[^{}'"])*)\}|[^{]+|\{/g)) {
    const { body } = open.at(-1)!
    if (whole === "{") return { error: "unclosed action" }
    if (inside === undefined) body.push({ _tag: "Text", text: whole })
    else {
      const word = inside.trim()
      const quoted = /^"((?:\\.|[^"\\])*)"$|^'([^']*)'$/.exec(word)
      if (quoted !== null) body.push({ _tag: "Text", text: unquote(quoted[1] ?? quoted[2]!) })
      else if (word === "end") {
        if (open.length === 1) return { error: "not in range, nothing to end" }
        const range = open.pop()!
        open.at(-1)!.body.push({ _tag: "Range", ...range })
      } else {
        const steps = parsePath(word.replace(/^range\s+/, ""))
        if (typeof steps === "string") return { error: steps }
        if (word.startsWith("range ")) open.push({ steps, body: [] })
        else body.push({ _tag: "Path", steps })
      }
    }
  }
  if (open.length > 1) return { error: "unterminated range, the template has no {end} for it" }
  return { text: render(open[0]!.body, value, value) }
}

/** A relaxed path of --sort-by and custom-columns: `.a.b`, `a.b`, `{.a.b}`. */
export function parsePath(text: string): ReadonlyArray<Step> | string {
  let rest = text.replace(/^\{(.*)\}$/, "$1").replace(/^[$@]/, "")
  if (rest !== "" && !/^[.[]/.test(rest)) rest = `.${rest}`
  const steps: Array<Step> = []
  while (rest !== "") {
    const match = /^\.\.|^\.\*|^\[\*\]|^\['((?:\\.|[^'])*)'\]|^\["((?:\\.|[^"])*)"\]|^\[(-?\d*)(:?)(-?\d*)\]|^\[\?\((.*?)\)\]|^\.?((?:\\.|[^.[\]\s\\])+)|^\.$/.exec(rest)
    if (match === null || match[0] === "[]") {
      return `unrecognized character in action or unsupported path at ${JSON.stringify(rest)}`
    }
    const [whole, single, double, from, colon, to, filter, field] = match
    rest = rest.slice(whole.length)
    const name = single ?? double ?? field
    if (whole === "..") steps.push({ _tag: "Deep" })
    else if (whole === ".*" || whole === "[*]") steps.push({ _tag: "All" })
    else if (name !== undefined) steps.push({ _tag: "Field", name: name.replace(/\\(.)/g, "$1") })
    else if (filter !== undefined) {
      const parsed = parseFilter(filter)
      if (typeof parsed === "string") return parsed
      steps.push(parsed)
    } else if (from !== undefined) {
      steps.push({
        _tag: "Slice", from: from === "" ? null : Number(from), to: to === "" ? null : Number(to),
        single: colon === ""
      })
    }
  }
  return steps
}

function parseFilter(text: string): Step | string {
  const match = /^\s*@(.*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.*?))?\s*$/.exec(text)
  if (match === null) return `unrecognized filter ${JSON.stringify(text)}: it starts with @`
  const left = parsePath(match[1]!)
  if (typeof left === "string") return left
  if (match[2] === undefined) return { _tag: "Filter", left, operator: "exists", right: null }
  const quoted = /^"(.*)"$|^'(.*)'$/.exec(match[3]!)
  const word = match[3]!
  const right = quoted !== null
    ? quoted[1] ?? quoted[2]
    : word === "true" ? true : word === "false" ? false : Number(word)
  return { _tag: "Filter", left, operator: match[2], right }
}

export function walk(steps: ReadonlyArray<Step>, value: unknown): ReadonlyArray<unknown> {
  let found: ReadonlyArray<unknown> = [value]
  for (const step of steps) found = found.flatMap((at) => take(step, at))
  return found
}

function take(step: Step, at: unknown): ReadonlyArray<unknown> {
  const children = typeof at === "object" && at !== null
    ? Object.values(sorted(at) as object) as ReadonlyArray<unknown>
    : []
  switch (step._tag) {
    case "Field":
      return typeof at === "object" && at !== null && !Array.isArray(at) && Object.hasOwn(at, step.name)
        ? [(at as Readonly<Record<string, unknown>>)[step.name]].filter((child) => child !== undefined)
        : []
    case "All": return children
    case "Deep": return [at, ...children.flatMap((child) => take(step, child))]
    case "Filter": return children.filter((child) => holds(step, walk(step.left, child)))
    case "Slice": {
      if (!Array.isArray(at)) return []
      if (!step.single) return at.slice(step.from ?? 0, step.to ?? undefined)
      const one: unknown = at.at(step.from ?? 0)
      return one === undefined ? [] : [one]
    }
  }
}

function holds(
  { operator, right }: Step & { readonly _tag: "Filter" }, values: ReadonlyArray<unknown>
): boolean {
  if (values.length === 0) return false
  const left = values[0] as string | number
  const bound = right as string | number
  switch (operator) {
    case "==": return left === bound
    case "!=": return left !== bound
    case "<": return left < bound
    case ">": return left > bound
    case "<=": return left <= bound
    case ">=": return left >= bound
    default: return true
  }
}

function render(parts: ReadonlyArray<Part>, root: unknown, at: unknown): string {
  return parts.map((part): string => {
    switch (part._tag) {
      case "Text": return part.text
      case "Path": return walk(part.steps, at).map(valueText).join(" ")
      case "Range": return walk(part.steps, at).map((child) => render(part.body, root, child)).join("")
    }
  }).join("")
}

export function valueText(value: unknown): string {
  return typeof value === "object" && value !== null ? escaped(JSON.stringify(sorted(value))) : String(value)
}

function unquote(text: string): string {
  return text.replace(
    /\\(.)/g,
    (_, char: string) => ({ n: "\n", t: "\t", r: "\r" } as Readonly<Record<string, string>>)[char] ?? char
  )
}
