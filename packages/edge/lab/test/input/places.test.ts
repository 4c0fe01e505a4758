/** Places count lines and characters as editors do, through lists, aliases and merges. */
import { type Path, readDocuments } from "@podwire/lab/input/index"
import { expect, it } from "vitest"

function placesIn(content: string, paths: ReadonlyArray<Path>, atKey = false): ReadonlyArray<string> {
  const { documents, problems } = readDocuments([{ name: "f", content }])
  expect(problems).toEqual([])
  const document = documents.at(-1)!
  return paths.map((path) => {
    const { line, column } = document.place(path, atKey)
    return `${line}:${column}`
  })
}

const DEPLOYMENT = `\
# comment
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {"app.kubernetes.io/name": web, é😀: x, "after": y}
spec:
  template:
    spec:
      containers:
      - name: a
        ports:
        - containerPort: 80
        - { containerPort: 81 }
      -   name: b
`

it("values, keys, items, and the nearest parent of what is missing", () => {
  const ports = ["spec", "template", "spec", "containers", 0, "ports"]
  const paths: ReadonlyArray<Path> = [
    [],
    ["kind"],
    ["metadata", "name"],
    ["metadata", "labels", "app.kubernetes.io/name"],
    ["metadata", "labels", "é😀"],
    ["metadata", "labels", "after"],
    [...ports, 0, "containerPort"],
    [...ports, 1, "containerPort"],
    [...ports, 1],
    [...ports, 2],
    ["spec", "template", "spec", "containers", 1, "name"],
    ["spec", "replicas"],
    ["spec", "template", "spec", "containers", 1, "ports", 0],
    ["status"],
    ["metadata", "name", "deeper"]
  ]
  expect(placesIn(DEPLOYMENT, paths)).toEqual([
    "3:1",
    "4:7",
    "6:9",
    "7:38",
    "7:47",
    "7:59",
    "14:26",
    "15:28",
    "15:11",
    "13:9",
    "16:17",
    "8:1",
    "16:11",
    "3:1",
    "6:3"
  ])
  expect(
    placesIn(
      DEPLOYMENT,
      [
        ["kind"],
        ["metadata", "labels", "é😀"],
        ["metadata", "labels", "after"],
        [...ports, 1, "containerPort"]
      ],
      true
    )
  ).toEqual(["4:1", "7:43", "7:50", "15:13"])
})

it("aliases stand where they are written, what is within them where it was", () => {
  const text =
    "apiVersion: v1\nkind: X\na: &a\n  b: 1\n  c: [2, 3]\nd: *a\ne:\n  <<: *a\n  f: 4\ng: [*a, {<<: *a}]\n"
  expect(
    placesIn(text, [
      ["a", "b"],
      ["d"],
      ["d", "b"],
      ["d", "c", 1],
      ["e", "b"],
      ["e", "f"],
      ["g", 0],
      ["g", 0, "c"],
      ["g", 1, "c", 0]
    ])
  ).toEqual(["4:6", "6:4", "4:6", "5:10", "4:6", "9:6", "10:5", "5:6", "5:7"])
  expect(placesIn(text, [["d"], ["e", "b"]], true)).toEqual(["6:1", "4:3"])
})

it("converted keys are found under the name they got, empty values at their key", () => {
  const text = "apiVersion: v1\nkind: X\nmap:\n  n: {0x10: here}\n  empty:\n"
  expect(
    placesIn(text, [
      ["map", "false", "16"],
      ["map", "empty"],
      ["map", "empty", "x"]
    ])
  ).toEqual(["4:13", "5:3", "5:3"])
})

it("the same in JSON, CRLF, after a byte order mark, in the second document", () => {
  const json =
    '{"apiVersion":"v1","kind":"X"}\n{"apiVersion": "v1",\n\t"kind": "Y", "a": [1, {"é": "x", "b": null}]}\n'
  expect(placesIn(json, [[], ["kind"], ["a", 1, "b"], ["a", 1, "zz"], ["a", 0]])).toEqual([
    "2:1",
    "3:10",
    "3:40",
    "3:24",
    "3:21"
  ])
  expect(placesIn(json, [["a", 1, "b"]], true)).toEqual(["3:35"])
  const crlf = "\ufeffapiVersion: v1\r\nkind: X\r\n---\r\napiVersion: v1\r\nkind: Z\r\na:\r\n  - b\r\n"
  expect(placesIn(crlf, [[], ["kind"], ["a", 0]])).toEqual(["4:1", "5:7", "7:5"])
})

it("issues of a decoder become problems with places", () => {
  const { documents } = readDocuments([{ name: "f", content: DEPLOYMENT }])
  const problems = documents[0]!.problems([
    { path: ["metadata", "labels", "app.kubernetes.io/name"], atKey: false, message: "Invalid value" },
    { path: ["spec", "template"], atKey: true, message: 'unknown field "spec.template"' }
  ])
  expect(problems.map(({ line, column, path }) => `${line}:${column} ${path}`)).toEqual([
    "7:38 metadata.labels[app.kubernetes.io/name]",
    "9:3 spec.template"
  ])
})
