/** How a file falls apart into objects; each case seen with kubectl 1.32.4 unless the name says refused. */
import { readDocuments } from "@podwire/lab/input/index"
import { expect, it } from "vitest"
import { HEAD, read } from "./read.ts"

const POD = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}'
const yaml = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n`
const names = (content: string | Uint8Array) => {
  const { documents, problems } = readDocuments([{ name: "f", content }])
  expect(problems).toEqual([])
  return documents.map(
    ({ index, kind, apiVersion, value }) =>
      `${index} ${apiVersion} ${kind} ${(value["metadata"] as { name: string }).name}`
  )
}

it("documents are cut at ---, empty ones and comments skipped", () => {
  expect(
    names(
      `---\n---\n# only\n--- # note\n${yaml("a")}---\t\n\n---\n${yaml("b")}...\n# end\n---\nnull\n---\n~\n`
    )
  ).toEqual(["0 v1 Pod a", "1 v1 Pod b"])
  expect(names("")).toEqual([])
  expect(names("# nothing\n\n   \n---")).toEqual([])
})

it("Helm's output loads", () => {
  const text = `---\n# Source: web/templates/service.yaml\n${yaml("a")}---\n# Source: web/templates/empty.yaml\n---\n# Source: web/templates/b.yaml\n\n${yaml("b")}`
  expect(names(text)).toEqual(["0 v1 Pod a", "1 v1 Pod b"])
})

it("the same with CRLF, lone CR, byte order marks and UTF-16", () => {
  const text = `${yaml("ä")}---\n${yaml("b")}`
  const expected = ["0 v1 Pod ä", "1 v1 Pod b"]
  const utf16 = (little: boolean) => {
    const view = new DataView(new ArrayBuffer(2 * text.length + 2))
    for (const [i, c] of [...`\ufeff${text}`].entries()) view.setUint16(2 * i, c.charCodeAt(0), little)
    return new Uint8Array(view.buffer)
  }
  const forms = [
    text,
    text.replaceAll("\n", "\r\n"),
    text.replaceAll("\n", "\r"),
    `\ufeff${text}`,
    new TextEncoder().encode(`\ufeff${text}`),
    utf16(true),
    utf16(false)
  ]
  for (const form of forms) expect(names(form)).toEqual(expected)
})

it("JSON: tabs, several in a row, with or without separators, surrogates as Go reads them", () => {
  expect(names(`{\t"apiVersion":"v1",\n\t"kind":"Pod","metadata":{"name":"a"}}${POD}\n${POD}`)).toEqual([
    "0 v1 Pod a",
    "1 v1 Pod a",
    "2 v1 Pod a"
  ])
  expect(names(`${POD}\n---\n${POD}\n---\n${yaml("b")}`)).toEqual(["0 v1 Pod a", "1 v1 Pod a", "2 v1 Pod b"])
  expect(names("{apiVersion: v1, kind: Pod, metadata: {name: flow}}\n")).toEqual(["0 v1 Pod flow"])
  expect(
    read('{"apiVersion":"v1","kind":"X","a":[1.0,1e3,-0,0.5,"\\ud83d\\ude00","\\ud83d","\\/\\n"]}')
  ).toBe('{"apiVersion":"v1","kind":"X","a":[1,1000,0,0.5,"😀","\ufffd","/\\n"]}')
  expect(read('{"apiVersion":"v1","kind":"X","__proto__":{"a":1}}')).toBe(
    '{"apiVersion":"v1","kind":"X","__proto__":{"a":1}}'
  )
})

it("merges go by the order of the lines, the earlier mapping of a list wins", () => {
  const data = (text: string) =>
    read(`${HEAD}x: &x {a: 1, b: 2}\ny: &y {a: 5, c: 6}\n${text}`)
      .replace(/.*"data":/, "")
      .slice(0, -1)
  expect(data("data:\n  <<: *x\n  a: 3\n")).toBe('{"a":3,"b":2}')
  expect(data("data:\n  a: 3\n  <<: *x\n")).toBe('{"a":1,"b":2}')
  expect(data("data:\n  <<: [*x, *y]\n")).toBe('{"a":1,"c":6,"b":2}')
  expect(data("data:\n  <<: {z: 1}\n")).toBe('{"z":1}')
  expect(data('data:\n  "<<": {z: 1}\n')).toBe('{"<<":{"z":1}}')
  expect(data("data: {k: *x, *y : z}\n")).toBe(
    "f.yaml:5:15: data: found a mapping as a key, expected a string; quote it; a Helm template must be rendered first: helm templat"
  )
  expect(read(`${HEAD}a: &a 1\nb: &a 2\nc: *a\n`)).toBe(
    '{"apiVersion":"v1","kind":"ConfigMap","a":1,"b":2,"c":2}'
  )
})

it("brackets and quotes need no indentation, as in Go's scanner", () => {
  expect(read(`${HEAD}a:\n    b: [\n    1, {c: d,\n  e: f},\n x\n    y]\n    c: "p\nq"\n`)).toBe(
    '{"apiVersion":"v1","kind":"ConfigMap","a":{"b":[1,{"c":"d","e":"f"},"x y"],"c":"p q"}}'
  )
  expect(read(`${HEAD}a: {\n\tb: c\n}\nd: e\n`)).toBe(
    '{"apiVersion":"v1","kind":"ConfigMap","a":{"b":"c"},"d":"e"}'
  )
})

it("lists of any kind are taken apart, their objects keep their places", () => {
  const text = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: b\n`
  const { documents, problems } = readDocuments([{ name: "f", content: `${yaml("z")}---\n${text}` }])
  expect(problems).toEqual([])
  expect(
    documents.map(
      (d) =>
        `${d.index} ${d.kind} ${d.place().line}:${d.place().column} ${d.place(["metadata", "name"]).line}:${d.place(["metadata", "name"]).column}`
    )
  ).toEqual(["0 Pod 1:1 3:18", "1 Pod 8:3 8:48", "2 Pod 9:3 12:11"])
  expect(names("apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: a}\n")).toEqual([
    "0 apps/v1 Deployment a"
  ])
  expect(names("apiVersion: v1\nkind: List\nitems:\n")).toEqual([])
  expect(
    read(
      "apiVersion: v1\nkind: List\nitems:\n- 5\n- {apiVersion: v1, kind: List, items: []}\n- {kind: Pod}\n- {metadata: {}}\n---\nkind: PodList\napiVersion: v1\nitems: x\n"
    )
  ).toBe(
    "f.yaml:4:3: items[0]: found 5, expected an object\n" +
      "f.yaml:5:3: items[1]: a List within a List; kubectl refuses it; put its items into the outer list\n" +
      "f.yaml:6:3: items[2].apiVersion: Required value; say what this is, such as `apiVersion: v1`\n" +
      "f.yaml:7:3: items[3].apiVersion: Required value; say what this is, such as `apiVersion: v1`\n" +
      "f.yaml:7:3: items[3].kind: Required value; say what this is, such as `kind: Pod`\n" +
      'f.yaml:11:8: items: found "x", expected a list of objects; `items` makes a document a List'
  )
})

it("what is no object of Kubernetes is refused", () => {
  expect(
    read(
      "foo\n---\n- a\n---\n5\n---\nkind: yes\napiVersion: 1\n---\n{}\n---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
    )
  ).toBe(
    'f.yaml:1:1: found "foo", expected a mapping with apiVersion and kind\n' +
      "f.yaml:3:1: found a list, expected a mapping with apiVersion and kind\n" +
      "f.yaml:5:1: found 5, expected a mapping with apiVersion and kind\n" +
      "f.yaml:7:7: kind: found true, expected a string; put it in quotes\n" +
      "f.yaml:8:13: apiVersion: found 1, expected a string; put it in quotes\n" +
      "f.yaml:10:1: apiVersion: Required value; say what this is, such as `apiVersion: v1`\n" +
      "f.yaml:10:1: kind: Required value; say what this is, such as `kind: Pod`\n" +
      "f.yaml:12:1: a kustomization is no object of a cluster; render it first: kustomize build DIR | podwire run -f -"
  )
})
