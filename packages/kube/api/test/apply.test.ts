import { admit, admitUpdate, type KubeObject, problemText, threeWayMerge, withJobSelector } from "@podwire/api"
import fc from "fast-check"
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { parse, parseAllDocuments } from "yaml"
import { BASES, merge } from "./base.ts"

const stored = (manifest: unknown): KubeObject => {
  const { object } = admit(manifest)
  return {
    ...object!,
    metadata: { ...object!.metadata, uid: "u", resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" }
  }
}

/** What is applied twice, with something written by others in between. */
const applied = (base: string, first: string, others: string, second: string) => {
  const before = merge(BASES[base], parse(first))
  const live = merge(stored(before), parse(others)) as KubeObject
  return admitUpdate(live, threeWayMerge(live, before, merge(BASES[base], parse(second))))
}

it("an unchanged manifest changes nothing, whatever the server and others have added", () => {
  for (const base of ["deployment", "replicaset", "statefulset", "daemonset", "service", "namespace", "node"]) {
    const live = stored(BASES[base])
    expect(threeWayMerge(live, BASES[base], BASES[base])).toBe(live)
    expect(admitUpdate(live, live).object).toEqual(live)
  }
  const pod = { ...stored(BASES["pod"]), status: { phase: "Running" } }
  const bound = { ...pod, spec: { ...pod.spec as object, nodeName: "node1" } }
  expect(threeWayMerge(bound, BASES["pod"], BASES["pod"])).toBe(bound)
  const job = withJobSelector(stored(BASES["job"]) as never, "u") as unknown as KubeObject
  expect(threeWayMerge(job, BASES["job"], BASES["job"])).toBe(job)
  const suspended = merge(BASES["job"], { spec: { suspend: true } })
  expect(admitUpdate(job, threeWayMerge(job, BASES["job"], suspended)).object!.spec).toEqual({ ...job.spec as object, suspend: true })
})

it("takes away what only the last manifest said, and leaves what a scaler and a controller wrote", () => {
  const { object } = applied("deployment",
    "{metadata: {labels: {a: x, b: y}, annotations: {mine: x}}, spec: {minReadySeconds: 5}}",
    "{metadata: {annotations: {theirs: z}, labels: {c: z}}, spec: {replicas: 7}}",
    "{metadata: {labels: {a: z}}}")
  expect(object!.metadata.labels).toEqual({ a: "z", c: "z" })
  expect(object!.metadata.annotations).toEqual({ theirs: "z" })
  expect(object!.spec).toMatchObject({ replicas: 7 })
  expect(object!.spec).not.toHaveProperty("minReadySeconds")
})

it("merges containers by name, their ports and variables too, and replaces commands", () => {
  const { object } = applied("deployment",
    "spec: {template: {spec: {containers: [{name: c, image: i, args: [a, b], ports: [{containerPort: 80}, {containerPort: 81}], env: [{name: A, value: x}]}, {name: gone, image: i}]}}}",
    "spec: {template: {spec: {containers: [{name: c, image: i, args: [a, b], ports: [{containerPort: 80}, {containerPort: 81}], env: [{name: A, value: x}, {name: THEIRS, value: y}]}, {name: gone, image: i}, {name: injected, image: p}]}}}",
    "spec: {template: {spec: {containers: [{name: c, image: j, args: [c], ports: [{containerPort: 80, name: web}], env: [{name: B, value: z}]}]}}}")
  const { containers } = (object!.spec as { readonly template: { readonly spec: { readonly containers: ReadonlyArray<object> } } })
    .template.spec
  expect(containers).toMatchObject([
    { name: "c", image: "j", args: ["c"], ports: [{ containerPort: 80, name: "web" }], env: [{ name: "B" }, { name: "THEIRS" }] },
    { name: "injected", image: "p" }
  ])
  expect(containers[0]).toHaveProperty("ports.length", 1)
})

it("a strategy changes whole", () => {
  const { object } = applied("deployment", "{}", "{}", "spec: {strategy: {type: Recreate}}")
  expect(object!.spec).toHaveProperty("strategy", { type: "Recreate" })
})

it("a Service's ports merge by number, a policy's are replaced", () => {
  const service = applied("service", "spec: {type: NodePort}", "spec: {clusterIP: 10.96.0.9, ports: [{port: 80, nodePort: 30000}]}",
    "spec: {type: NodePort, ports: [{port: 80, name: web}]}")
  expect(service.object!.spec).toMatchObject({ clusterIP: "10.96.0.9", ports: [{ port: 80, name: "web", nodePort: 30000 }] })
  const policy = (port: number) => ({
    apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "p" },
    spec: { podSelector: {}, ingress: [{ ports: [{ port }] }] }
  })
  expect(threeWayMerge(stored(policy(80)), policy(80), policy(81))).toHaveProperty("spec.ingress", [{ ports: [{ port: 81 }] }])
})

it("null in a manifest takes a field away, and immutability is judged after the merge", () => {
  expect(applied("deployment", "{}", "spec: {paused: true}", "spec: {paused: null}").object!.spec).not.toHaveProperty("paused")
  expect(applied("deployment", "{}", "{}", "spec: {selector: {matchLabels: {app: api}}, template: {metadata: {labels: {app: api}}}}")
    .problems!.map(problemText)).toEqual(['spec.selector: Invalid value: {"matchLabels":{"app":"api"}}: field is immutable'])
})

const documents = parseAllDocuments(readFileSync(new URL("good.yaml", import.meta.url), "utf8"))
  .map((document) => document.toJS() as KubeObject).filter(({ kind }) => kind !== "List")

it("applying any manifest over another of its kind ends where applying it alone ends, when nobody else writes", () => {
  fc.assert(fc.property(fc.constantFrom(...documents), fc.constantFrom(...documents), (before, manifest) => {
    if (before.kind !== manifest.kind || before.apiVersion !== manifest.apiVersion) return
    const live = stored(before)
    const next = { ...manifest, metadata: { ...manifest.metadata, name: before.metadata.name! } }
    const merged = threeWayMerge(live, before, next) as KubeObject
    const bare = ({ status: _, ...object }: KubeObject) => ({ ...admit(object).object, status: undefined })
    expect(bare(merged)).toEqual(bare(next))
  }), { seed: 7, numRuns: 400 })
})
