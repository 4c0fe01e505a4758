/**
 * What stands behind kubectl's `-l` and `--field-selector`, with the errors of the parsers behind them
 * (apimachinery pkg/labels/selector.go and pkg/fields/selector.go).
 * Field selectors know the fields that the server knows for the kind, and no others.
 */
import type { KubeObject } from "./object.ts"
import { type Labels, valueOf } from "./selector.ts"
import { labelKey, labelValue } from "./validate/format.ts"

type Operator = "in" | "notin" | "=" | "==" | "!=" | "gt" | "lt" | "exists" | "!"

interface Requirement {
  readonly key: string
  readonly operator: Operator
  readonly values: ReadonlyArray<string>
}

/** All must hold. */
export type LabelQuery = ReadonlyArray<Requirement>

export function matchesQuery(query: LabelQuery, labels: Labels | undefined): boolean {
  return query.every(({ key, operator, values }) => {
    const value = valueOf(labels, key)
    switch (operator) {
      case "exists": return value !== undefined
      case "!": return value === undefined
      case "notin":
      case "!=": return value === undefined || !values.includes(value)
      case "gt":
      case "lt": return value !== undefined && isBeyond(operator, value, values[0]!)
      default: return value !== undefined && values.includes(value)
    }
  })
}

const INTEGER = /^[+-]?\d{1,19}$/

export function isBeyond(operator: "gt" | "lt", value: string, bound: string): boolean {
  if (!INTEGER.test(value) || !INTEGER.test(bound)) return false
  return operator === "gt" ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
}

/** kubectl's line for a `-l` that cannot be read. */
export function badSelector(text: string, why: string): string {
  return `error: the provided selector ${JSON.stringify(text)} is not valid: ${why}`
}

const WORDS: ReadonlyMap<string, Token> = new Map([["in", "in"], ["notin", "notin"]])
const SYMBOLS = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"] as const
const OPERATORS: Readonly<Partial<Record<Token, Operator>>> =
  { in: "in", notin: "notin", "=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt" }

type Token = (typeof SYMBOLS)[number] | "in" | "notin" | "word" | "end"

interface Item {
  readonly token: Token
  readonly text: string
}

/** The requirements, or the parser's error. */
export function parseLabelQuery(text: string): LabelQuery | string {
  const parser = new Parser(scan(text))
  const query = parser.query()
  return typeof query === "string" ? query
    : [...query].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
}

function scan(text: string): ReadonlyArray<Item> {
  const items: Array<Item> = []
  let at = 0
  while (at < text.length) {
    if (/[ \t\r\n]/.test(text[at]!)) {
      at++
      continue
    }
    const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, at))
    const word = symbol ?? /^[^=!(),<> \t\r\n]+/.exec(text.slice(at))![0]
    items.push({ token: symbol ?? WORDS.get(word) ?? "word", text: word })
    at += word.length
  }
  items.push({ token: "end", text: "" })
  return items
}

class Parser {
  readonly #items: ReadonlyArray<Item>
  #at = 0

  constructor(items: ReadonlyArray<Item>) {
    this.#items = items
  }

  query(): LabelQuery | string {
    const requirements: Array<Requirement> = []
    for (;;) {
      const { token, text } = this.#peek()
      if (token === "end") return requirements
      if (token !== "word" && token !== "!") {
        return `found '${text}', expected: !, identifier, or 'end of string'`
      }
      const requirement = this.#requirement()
      if (typeof requirement === "string") return `unable to parse requirement: ${requirement}`
      requirements.push(requirement)
      const after = this.#next()
      if (after.token === "end") return requirements
      if (after.token !== ",") return `found '${after.text}', expected: ',' or 'end of string'`
      const follower = this.#peek()
      if (follower.token !== "word" && follower.token !== "!") {
        return `found '${follower.text}', expected: identifier after ','`
      }
    }
  }

  #requirement(): Requirement | string {
    let item = this.#next()
    const isNegated = item.token === "!"
    if (isNegated) item = this.#next()
    if (item.token !== "word") return `found '${item.text}', expected: identifier`
    const key = item.text
    const faults = labelKey(key)
    if (faults.length > 0) return `<nil>: Invalid value: ${JSON.stringify(key)}: ${faults.join("; ")}`
    if (isNegated) return { key, operator: "!", values: [] }
    const { token } = this.#peek()
    if (token === "end" || token === ",") return { key, operator: "exists", values: [] }
    // Here `in` is an operator; anywhere else it is a word like any other.
    const symbol = this.#items[this.#at++]!
    const operator = OPERATORS[symbol.token]
    if (operator === undefined) return `found '${symbol.text}', expected: in, notin, =, ==, !=, gt, lt`
    const values = operator === "in" || operator === "notin" ? this.#values() : this.#value()
    return typeof values === "string" ? values : checked({ key, operator, values: distinct(values) })
  }

  #value(): ReadonlyArray<string> | string {
    const { token } = this.#peek()
    if (token === "end" || token === ",") return [""]
    const item = this.#next()
    return item.token === "word" ? [item.text] : `found '${item.text}', expected: identifier`
  }

  #values(): ReadonlyArray<string> | string {
    const open = this.#next()
    if (open.token !== "(") return `found '${open.text}' expected: '('`
    const first = this.#peek()
    if (first.token === ")") {
      this.#next()
      return [""]
    }
    if (first.token !== "word" && first.token !== ",") {
      return `found '${first.text}', expected: ',', ')' or identifier`
    }
    const values: Array<string> = []
    for (;;) {
      const item = this.#next()
      const follower = this.#peek()
      if (item.token === "word") {
        values.push(item.text)
        if (follower.token !== "," && follower.token !== ")") {
          return `found '${follower.text}', expected: ',' or ')'`
        }
      } else if (item.token === ",") {
        // A comma that has nothing before or behind it stands beside the empty value.
        if (values.length === 0 || follower.token === ")" || follower.token === ",") values.push("")
      } else return `found '${item.text}', expected: ',', or identifier`
      if (follower.token === ")") {
        this.#next()
        return values
      }
    }
  }

  #peek(): Item {
    return asValue(this.#items[Math.min(this.#at, this.#items.length - 1)]!)
  }

  #next(): Item {
    const item = this.#peek()
    this.#at++
    return item
  }
}

function asValue(item: Item): Item {
  return item.token === "in" || item.token === "notin" ? { token: "word", text: item.text } : item
}

function distinct(values: ReadonlyArray<string>): ReadonlyArray<string> {
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function checked(requirement: Requirement): Requirement | string {
  const { key, operator, values } = requirement
  const faults: Array<string> = []
  for (const [i, value] of values.entries()) {
    if ((operator === "gt" || operator === "lt") && !INTEGER.test(value)) {
      faults.push(`values[${i}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the ` +
        "value must be an integer")
    }
    const wrong = labelValue(value)
    if (wrong.length > 0) {
      faults.push(`values[${i}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong.join("; ")}`)
    }
  }
  return faults.length === 0 ? requirement : faults.length === 1 ? faults[0]! : `[${faults.join(", ")}]`
}

interface FieldTerm {
  readonly field: string
  readonly isEqual: boolean
  readonly value: string
}

export type FieldQuery = ReadonlyArray<FieldTerm>

/** Beside metadata.name and metadata.namespace, which every kind has. */
const FIELDS: Readonly<Record<string, ReadonlyArray<string>>> = {
  Pod: [
    "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
    "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName"
  ],
  Node: ["spec.unschedulable"],
  Namespace: ["status.phase"],
  Job: ["status.successful"],
  ReplicaSet: ["status.replicas"],
  Secret: ["type"],
  Service: ["spec.clusterIP", "spec.type"]
}

/** The terms, or the server's error for that kind. */
export function parseFieldQuery(text: string, kind: string): FieldQuery | string {
  const terms: Array<FieldTerm> = []
  for (const part of text.split(/(?<!\\),/)) {
    if (part === "") continue
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(part)
    if (match === null) return `invalid selector: '${text}'; can't understand '${part}'`
    const [, field, operator, raw] = match as unknown as [string, string, string, string]
    if (/(?<!\\)=/.test(raw)) return "invalid field selector: unescaped character in value: 61"
    const known = field === "metadata.name" || field === "metadata.namespace" || FIELDS[kind]?.includes(field)
    if (known !== true) return `field label not supported: ${field}`
    terms.push({ field, isEqual: operator !== "!=", value: raw.replace(/\\([\\,=])/g, "$1") })
  }
  return terms
}

export function matchesFields(query: FieldQuery, object: KubeObject): boolean {
  return query.every(({ field, isEqual, value }) => (fieldText(object, field) === value) === isEqual)
}

/** As the server prints it: what is absent is "", false or 0. */
function fieldText(object: KubeObject, field: string): string {
  let at: unknown = object
  for (const part of field.split(".")) at = (at as Readonly<Record<string, unknown>> | undefined)?.[part]
  if (field === "status.podIPs") {
    return ((at ?? []) as ReadonlyArray<{ readonly ip: string }>).map(({ ip }) => ip).join(",")
  }
  if (at !== undefined) return String(at)
  return field === "spec.hostNetwork" || field === "spec.unschedulable" ? "false"
    : field === "status.successful" || field === "status.replicas" ? "0" : ""
}
