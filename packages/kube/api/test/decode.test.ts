import { admit, decode, items, KINDS, kindIn, type KubeObject, problemText } from "@podwire/api"
import { SCHEMAS } from "@podwire/api/typed"
import * as Schema from "effect/Schema"
import fc from "fast-check"
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { parseAllDocuments } from "yaml"
import { BASES } from "./base.ts"

const documents = (file: string) =>
  parseAllDocuments(readFileSync(new URL(file, import.meta.url), "utf8")).map((document) => document.toJS() as unknown)

const good = documents("good.yaml")

it("takes manifests as people publish and paste them", () => {
  for (const value of good.flatMap((document) => items(document).map((item) => item.value))) {
    expect((decode(value).problems ?? []).map(problemText)).toEqual([])
  }
})

it("encoding what was decoded gives what was given", () => {
  for (const value of good.flatMap((document) => items(document).map((item) => item.value))) {
    const { object } = decode(value)
    expect(decode(JSON.parse(JSON.stringify(object))).object).toEqual(object)
    if (!(object!.kind in SCHEMAS) || object!.apiVersion === "autoscaling/v1") continue
    const schema = SCHEMAS[object!.kind as keyof typeof SCHEMAS] as Schema.Codec<unknown, unknown>
    expect(Schema.encodeUnknownSync(schema)(object)).toEqual(object)
  }
})

const pod = (fields: object) => ({ ...BASES["pod"] as object, ...fields })

it("null is absent, save in maps of strings, and managedFields stay as they are", () => {
  const fieldsV1 = { "f:metadata": { "f:labels": { "f:app": {} } }, none: null }
  const { object } = decode(pod({
    metadata: {
      name: "web", creationTimestamp: null, labels: { app: null }, annotations: null,
      managedFields: [{ manager: "kubectl", operation: "Update", fieldsV1 }]
    },
    status: {}
  }))
  expect(object!.metadata).toEqual({
    name: "web", labels: { app: "" }, managedFields: [{ manager: "kubectl", operation: "Update", fieldsV1 }]
  })
})

it("a status that lacks something goes, one that has something wrong does not pass", () => {
  expect(decode(pod({ status: { conditions: [{ type: "Ready" }] } })).object).not.toHaveProperty("status")
  expect(decode(pod({ status: { phase: "Running" } })).object).toHaveProperty("status.phase", "Running")
  expect(decode(pod({ status: { phas: "Running" } })).problems!.map(problemText)).toEqual(
    ['unknown field "status.phas": Pod has no such field; did you mean "phase"?'])
})

it("keeps custom resources, and built-in kinds without a schema, whole", () => {
  const widget = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" }, spec: { a: [null, { b: null }] } }
  expect(decode(widget).object).toEqual(widget)
  const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name: "r" }, rules: [{ verbs: ["get"] }] }
  expect(decode(role).object).toEqual(role)
})

it("problems point at the key when the key is wrong", () => {
  const { problems } = decode(pod({ spec: { contaners: [] } }))
  expect(problems).toEqual([
    {
      path: ["spec", "contaners"], atKey: true,
      message: 'unknown field "spec.contaners": Pod has no such field; did you mean "containers"?'
    },
    { path: ["spec", "containers"], atKey: false, message: "Required value" }
  ])
})

it("a List is its items, wherever they stand", () => {
  const list = { apiVersion: "v1", kind: "List", items: [BASES["pod"], BASES["node"]] }
  expect(items(list)).toEqual([
    { path: ["items", 0], value: BASES["pod"] }, { path: ["items", 1], value: BASES["node"] }
  ])
  expect(items(BASES["pod"])).toEqual([{ path: [], value: BASES["pod"] }])
})

it("refuses what is nested without end", () => {
  let deep: unknown = {}
  for (let i = 0; i < 100_000; i++) deep = { a: deep }
  for (const apiVersion of ["v1", "example.com/v1"]) {
    expect(decode({ apiVersion, kind: "Pod", metadata: { name: "x" }, spec: deep }).problems!.map(problemText)).toEqual(
      ["nested more than 500 levels deep, which no Kubernetes object is"])
  }
})

const json = fc.jsonValue({ maxDepth: 4 })

it("no JSON value throws", () => {
  fc.assert(fc.property(json, (value) => {
    const { object, problems } = decode(value)
    expect(object === undefined).toBe(problems !== undefined && problems.length > 0)
  }), { seed: 7, numRuns: 300 })
})

/** A good manifest with one value somewhere replaced by anything. */
const mutated = fc.record({
  base: fc.constantFrom(...good.flatMap((document) => items(document).map((item) => item.value as KubeObject))),
  picks: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), value: json
}).map(({ base, picks, value }) => replaced(base, picks, value))

function replaced(at: unknown, [pick, ...rest]: ReadonlyArray<number>, value: unknown): unknown {
  if (pick === undefined || typeof at !== "object" || at === null || Object.keys(at).length === 0) return value
  const keys = Object.keys(at)
  const key = keys[pick % keys.length]!
  const child = replaced((at as Record<string, unknown>)[key], rest, value)
  return Array.isArray(at) ? at.with(Number(key), child) : { ...at, [key]: child }
}

it("nor does a manifest that is wrong somewhere, and every problem names a place in it", () => {
  fc.assert(fc.property(mutated, (value) => {
    for (const { path, atKey } of admit(value).problems ?? []) {
      let at: unknown = value
      for (const part of atKey ? path : path.slice(0, -1)) {
        if (typeof at !== "object" || at === null) break
        if (atKey) expect(Object.hasOwn(at, part)).toBe(true)
        at = (at as Record<string | number, unknown>)[part]
      }
    }
  }), { seed: 7, numRuns: 1000 })
})

it("has a schema only for kinds that exist", () => {
  for (const kind of Object.keys(SCHEMAS)) expect(KINDS.some((known) => known.kind === kind)).toBe(true)
  expect(kindIn("apps", "Deployment")!.plural).toBe("deployments")
})
