/**
 * Any input: nothing is thrown, every problem has a place within the text and is one line, every object has a
 * place for each of its parts, and what is written as JSON comes back the same through both readers. Sizes
 * that once were quadratic stay bounded.
 */
import fc from "fast-check"
import { type Path, readDocuments, renderProblem, type Value } from "@podwire/lab/input/index"
import { expect, it } from "vitest"
import { HEAD } from "./read.ts"

const MANIFEST = `\
# Source: shop/templates/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: &labels {app: web, "app.kubernetes.io/name": 'web'}
spec:
  replicas: 3
  selector: {matchLabels: *labels}
  template:
    metadata:
      labels:
        <<: *labels
    spec:
      containers:
      - name: server
        args: ["-c", 'exec serve --port=8080']
        env:
        - name: TEXT
          value: |
            a
              b
        ports: [{containerPort: 8080, protocol: TCP}, {containerPort: 0x1f90}]
---
{"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80, "targetPort": "http"}]}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod}
`

function pathsIn(value: Value, path: Path = []): ReadonlyArray<Path> {
  if (typeof value !== "object" || value === null) return [path]
  const entries: ReadonlyArray<readonly [string | number, Value]> = Array.isArray(value)
    ? value.map((item, i) => [i, item] as const)
    : Object.entries(value)
  return [path, ...entries.flatMap(([key, item]) => pathsIn(item, [...path, key]))]
}

function check(content: string | Uint8Array): void {
  const { documents, problems } = readDocuments([{ name: "f", content }])
  const text = typeof content === "string" ? content : new TextDecoder("latin1").decode(content)
  const lines = text.split(/\r\n|\r|\n/)
  const within = (line: number, column: number) =>
    line >= 1 && line <= lines.length && column >= 1 && column <= Math.max(...lines.map((l) => l.length)) + 1
  for (const problem of problems) {
    expect(problem).toSatisfy(() => within(problem.line!, problem.column!))
    expect(renderProblem(problem)).toMatch(/^f:\d+:\d+: \P{Cc}+$/u)
  }
  for (const document of documents) {
    expect(JSON.stringify(document.value)).toBeTypeOf("string")
    for (const path of pathsIn(document.value).slice(0, 200)) {
      const { line, column } = document.place(path)
      expect([path, line, column]).toSatisfy(() => within(line, column))
    }
  }
}

const token = fc.constantFrom(
  ..."a|b|kind|items|y|n|017|0o17|1e3|.inf|9007199254740993|~|'|\"|{|}|[|]|,|:|: |- |? |!|!!str |!!int |!!binary |!x |&a |*a|<<: |*a |#| # c|%|@|`||\\||>|>-|\t| |  |    |\\|\\u|\\ud83d|é|😀|\u2028|\u0085|{{ x }}|---|...|--- |$".split(
    "|"
  ),
  "\n",
  "\n",
  "\n  ",
  "\n- ",
  "\n  - ",
  "\r\n",
  "\r",
  "\n---\n",
  "\n...\n",
  "|\n ",
  "\0",
  "\ud83d",
  "\ufeff",
  HEAD
)

const run = { seed: 7, numRuns: 300 }

it("any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => check(bytes)),
    run
  )
})

it("any text of YAML's tokens, after a valid head or not", () => {
  const text = fc
    .tuple(fc.boolean(), fc.array(token, { maxLength: 40 }))
    .map(([head, tokens]) => (head ? `${HEAD}data:\n  k: ` : "") + tokens.join(""))
  fc.assert(
    fc.property(text, (content) => check(content)),
    { seed: 7, numRuns: 2000 }
  )
})

it("manifests with pieces cut, doubled and put in", () => {
  const edit = fc.record({
    at: fc.nat({ max: MANIFEST.length }),
    length: fc.nat({ max: 12 }),
    put: fc.oneof(token, fc.constant("")),
    again: fc.boolean()
  })
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let text = MANIFEST
      for (const { at, length, put, again } of edits)
        text = text.slice(0, at) + put + (again ? text.slice(at - length, at) : "") + text.slice(at + length)
      check(text)
    }),
    run
  )
  check(MANIFEST)
})

it("what is written as JSON comes back the same, read as JSON and as YAML, with a place for each part", () => {
  const text = fc
    .string({ unit: "grapheme", maxLength: 12 })
    .filter((s) => s.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(s))
  const { value } = fc.letrec<{ value: Value; leaf: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      tie("leaf"),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(text, tie("value"), { maxKeys: 4, noNullPrototype: true })
    ),
    leaf: fc.oneof(
      text,
      fc.constantFrom("yes", "017", "~", "<<", "a: b", "# c", "- ", "*x", "!t"),
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n))
    )
  }))
  fc.assert(
    fc.property(value, fc.constantFrom(0, 2), (given, indent) => {
      const object = { apiVersion: "v1", kind: "X", v: given }
      const json = JSON.stringify(object, null, indent)
      const yaml = `apiVersion: v1\nkind: X\nv: ${JSON.stringify(given, null, indent)}\n`
      for (const content of [json, yaml]) {
        check(content)
        expect(readDocuments([{ name: "f", content }])).toMatchObject({
          problems: [],
          documents: [{ value: object }]
        })
      }
    }),
    run
  )
})

const BIG: Readonly<Record<string, string>> = {
  "a flow sequence": `${HEAD}a: [${"1,".repeat(15_000)}]`,
  "a block sequence": `${HEAD}a:\n${"- b\n".repeat(10_000)}`,
  "a block mapping": `${HEAD}${Array.from({ length: 5000 }, (_, i) => `k${i}: v`).join("\n")}`,
  "small documents": `${HEAD}---\n# ${"x".repeat(300)}\n`.repeat(4000),
  "faults on one line": `${HEAD}a: [${"!x y, ".repeat(10_000)}]`,
  "faults in many documents": "a: b: c\n---\n".repeat(1500),
  anchors: `${HEAD}a: [${"&a b, *a, ".repeat(4000)}]`,
  "blank lines of a block text": `${HEAD}a: |\n${"\n".repeat(50_000)}`,
  "an open quote": `${HEAD}a: "${"b\n ".repeat(100_000)}`,
  "open brackets": "[{".repeat(500_000),
  dots: `${HEAD}a: |\n${"\n....".repeat(20_000)}`,
  separators: "---\n".repeat(200_000),
  spaces: " ".repeat(1_000_000),
  digits: `${HEAD}a: ${"1".repeat(500_000)}\nb: 0x${"_1".repeat(200_000)}\nc: 0b${"1".repeat(200_000)}`,
  "JSON digits": `{"apiVersion":"v1","kind":"X","a":${"1".repeat(500_000)}}`,
  "JSON values": '{"apiVersion":"v1","kind":"X"}'.repeat(5000),
  merges: `${HEAD}a0: &a0 {x: y}\n${Array.from({ length: 1000 }, (_, i) => `a${i + 1}: &a${i + 1} {<<: *a${i}, k${i}: v}`).join("\n")}`
}

it.each(Object.entries(BIG))("%s: time grows with the length", (_, content) => {
  const started = performance.now()
  const { documents, problems } = readDocuments([{ name: "f", content }])
  expect(documents.length + problems.length).toBeGreaterThanOrEqual(/^[-\s]*$/.test(content) ? 0 : 1)
  expect(performance.now() - started).toBeLessThan(2000)
})
