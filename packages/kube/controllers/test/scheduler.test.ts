import { byName, type Pod } from "@podwire/api"
import { SECOND } from "@podwire/engine"
import { scheduler } from "@podwire/controllers"
import fc from "fast-check"
import { expect, it } from "vitest"
import { Cluster, node } from "./cluster.ts"

function pod(name: string, spec: object = {}, labels: Record<string, string> = {}, requests: Record<string, string> = {}): Pod {
  const containers = [{ name: "main", resources: { requests } }]
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default", labels }, spec: { containers, ...spec } }
}

function scheduled(nodes: ReadonlyArray<ReturnType<typeof node>>, ...pods: ReadonlyArray<Pod>): Cluster {
  const cluster = new Cluster({ controllers: [scheduler()] })
  for (const made of nodes) cluster.apply(made as never)
  for (const made of pods) cluster.apply(made as never)
  cluster.settle()
  return cluster
}

/** `a:node1 b:-` */
const where = (cluster: Cluster) => cluster.pods().map(({ metadata, spec }) => `${metadata.name!}:${spec.nodeName ?? "-"}`).join(" ")
const three = ["node1", "node2", "node3"].map((name, i) => node(name, { labels: { zone: i < 2 ? "a" : "b" } }))
const terms = (key: string, app: string) => [{ topologyKey: key, labelSelector: { matchLabels: { app } } }]
const near = (key: string, app: string) => ({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms(key, app) } } })
const away = (key: string, app: string) => ({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms(key, app) } } })
const host = "kubernetes.io/hostname"
const required = (...nodeSelectorTerms: ReadonlyArray<object>) =>
  ({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } })
const tail = (text: string) => `preemption: 0/${text.split(" ", 1)[0]!} nodes are available: ${text.slice(text.indexOf(" ") + 1)}.`

it.each<[string, ReadonlyArray<ReturnType<typeof node>>, Pod, string]>([
  ["no node", [], pod("a"), "no nodes available to schedule pods"],
  ["labels", three, pod("a", { nodeSelector: { disk: "ssd" } }),
    `0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. ${tail("3 3 Preemption is not helpful for scheduling")}`],
  ["resources", [node("node1"), node("node2", { allocatable: { cpu: "1" } })], pod("a", {}, {}, { cpu: "1500m", memory: "9Gi" }),
    `0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory. ${tail("2 2 Preemption is not helpful for scheduling")}`],
  ["taints", [node("node1", { spec: { taints: [{ key: "gpu", effect: "NoSchedule" }] } }), node("node2", { spec: { unschedulable: true } })], pod("a"),
    `0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. ${tail("2 2 Preemption is not helpful for scheduling")}`],
  ["not ready", [{ ...node("node1"), status: {} }], pod("a"),
    `0/1 nodes are available: 1 node(s) had untolerated taint(s). ${tail("1 1 Preemption is not helpful for scheduling")}`],
  ["affinity", three, pod("a", near(host, "db")),
    `0/3 nodes are available: 3 node(s) didn't match pod affinity rules. ${tail("3 3 Preemption is not helpful for scheduling")}`],
  ["spread", three, pod("a", { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "rack", whenUnsatisfiable: "DoNotSchedule" }] }),
    `0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label). ${tail("3 3 Preemption is not helpful for scheduling")}`]
])("says why not: %s", (_, nodes, wanted, message) => {
  const cluster = scheduled(nodes, wanted)
  expect(cluster.events).toEqual([`0.01 Warning FailedScheduling Pod/a ${message}`])
  expect(cluster.get<Pod>("Pod", "a").status!.conditions).toEqual([{
    type: "PodScheduled", status: "False", lastTransitionTime: "2026-01-01T00:00:00Z", reason: "Unschedulable", message
  }])
})

it("says of full nodes what is missing, and tries again when somebody goes or a node comes", () => {
  const ports = { containers: [{ name: "main", ports: [{ containerPort: 80, hostPort: 80 }] }] }
  const small = node("node1", { allocatable: { pods: "2" } })
  const cluster = scheduled([small], pod("a", ports), pod("b", ports))
  cluster.apply(pod("c") as never)
  cluster.apply(pod("d") as never)
  cluster.settle()
  expect(cluster.told("FailedScheduling", "Scheduled")).toMatchInlineSnapshot(`
    "
    0.01 Normal Scheduled Pod/a Successfully assigned default/a to node1
    0.01 Warning FailedScheduling Pod/b 0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.
    1.03 Normal Scheduled Pod/c Successfully assigned default/c to node1
    1.03 Warning FailedScheduling Pod/d 0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.
    "
  `)
  cluster.remove("Pod", "a")
  cluster.settle()
  expect(where(cluster)).toBe("b:node1 c:node1 d:-")
  cluster.apply(node("node2") as never)
  cluster.settle()
  expect(where(cluster)).toBe("b:node1 c:node1 d:node2")
  expect(cluster.get<Pod>("Pod", "d").status!.conditions!.find(({ type }) => type === "PodScheduled")).toEqual(
    { type: "PodScheduled", status: "True", lastTransitionTime: "2026-01-01T00:00:03Z" })
})

it.each<[string, ReadonlyArray<Pod>, string]>([
  ["evenly", [pod("a"), pod("b"), pod("c"), pod("d")], "a:node1 b:node2 c:node3 d:node1"],
  ["where the selector says", [pod("a", { nodeSelector: { zone: "b" } })], "a:node3"],
  ["where one term of the affinity says", [pod("a", required(
    { matchExpressions: [{ key: "zone", operator: "In", values: ["x"] }] }, { matchFields: [{ key: "metadata.name", operator: "In", values: ["node2"] }] }
  ))], "a:node2"],
  ["nowhere for a term that says nothing", [pod("a", required({}))], "a:-"],
  ["away from its own kind", [1, 2, 3, 4].map((i) => pod(`a${i}`, away(host, "a"), { app: "a" })), "a1:node1 a2:node2 a3:node3 a4:-"],
  ["away from a zone", [pod("a", away("zone", "a"), { app: "a" }), pod("b", away("zone", "a"), { app: "a" })], "a:node1 b:node3"],
  ["away from who wants to be alone", [pod("a", away("zone", "b")), pod("b", {}, { app: "b" })], "a:node1 b:node3"],
  ["with company that comes later", [pod("a", near("zone", "b")), pod("b", { nodeSelector: { zone: "b" } }, { app: "b" })], "a:node3 b:node3"],
  ["with its own kind, the first anywhere", [pod("a", near("zone", "a"), { app: "a" }), pod("b", near("zone", "a"), { app: "a" })], "a:node1 b:node2"],
  ["spread over zones", [1, 2, 3, 4].map((i) => pod(`a${i}`, {
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", labelSelector: { matchLabels: { app: "a" } } }]
  }, { app: "a" })), "a1:node1 a2:node3 a3:node2 a4:node3"],
  ["the important one first", [pod("a", away(host, "x"), { app: "x" }), pod("b", { ...away("zone", "x"), priority: 5 }, { app: "x" })], "a:node3 b:node1"],
  ["not at all while gated", [pod("a", { schedulingGates: [{ name: "wait" }] })], "a:-"],
  ["not by us", [pod("a", { schedulerName: "other" })], "a:-"]
])("places pods %s", (_, pods, places) => {
  expect(where(scheduled(three, ...pods))).toBe(places)
})

it("tolerates", () => {
  const tainted = node("node1", { spec: { taints: [{ key: "gpu", value: "a", effect: "NoSchedule" }] } })
  const wants = (toleration: object) => where(scheduled([tainted], pod("a", { tolerations: [toleration] })))
  expect(wants({ key: "gpu", value: "a" })).toBe("a:node1")
  expect(wants({ key: "gpu", value: "b" })).toBe("a:-")
  expect(wants({ key: "gpu", operator: "Exists", effect: "NoExecute" })).toBe("a:-")
  expect(wants({ operator: "Exists" })).toBe("a:node1")
})

it("never puts more on a node than it offers, and leaves nobody who would fit", () => {
  const request = fc.record({ cpu: fc.nat({ max: 3 }), memory: fc.nat({ max: 3 }), port: fc.nat({ max: 2 }) })
  const offer = fc.record({ cpu: fc.nat({ max: 8 }), memory: fc.nat({ max: 8 }), pods: fc.nat({ max: 5 }) })
  const scene = fc.record({ nodes: fc.array(offer, { minLength: 1, maxLength: 4 }), pods: fc.array(request, { maxLength: 12 }), removed: fc.nat({ max: 20 }) })
  fc.assert(fc.property(scene, ({ nodes, pods, removed }) => {
    const cluster = new Cluster({ controllers: [scheduler()] })
    nodes.forEach(({ cpu, memory, pods: most }, i) => cluster.apply(
      node(`node${i}`, { allocatable: { cpu: String(cpu), memory: `${memory}Gi`, pods: String(most) } }) as never))
    const made = pods.map(({ cpu, memory, port }, i) => {
      const ports = port === 0 ? [] : [{ containerPort: 80, hostPort: port }]
      const resources = { requests: { cpu: String(cpu), memory: `${memory}Gi` } }
      return pod(`p${i}`, { containers: [{ name: "main", ports, resources }] })
    })
    for (const [i, one] of made.entries()) {
      cluster.apply(one as never)
      if (i % 4 === 3) cluster.settle()
      if (i === removed) cluster.remove("Pod", `p${i}`)
    }
    cluster.settle()
    const of = (i: number) => cluster.pods().filter(({ spec }) => spec.nodeName === `node${i}`).map(({ metadata }) => pods[Number(metadata.name!.slice(1))]!)
    const sum = (on: typeof pods, key: "cpu" | "memory") => on.reduce((all, one) => all + one[key], 0)
    const fits = (i: number, on: typeof pods) => on.length <= nodes[i]!.pods && sum(on, "cpu") <= nodes[i]!.cpu &&
      sum(on, "memory") <= nodes[i]!.memory && new Set(on.map(({ port }) => port || {})).size === on.length
    for (const i of nodes.keys()) expect(fits(i, of(i))).toBe(true)
    for (const { metadata } of cluster.pods().filter(({ spec }) => spec.nodeName === undefined)) {
      const one = pods[Number(metadata.name!.slice(1))]!
      // Who asks for nothing of a resource is let in even where more of it is taken than there is.
      for (const i of nodes.keys()) expect(fits(i, [...of(i), one])).toBe(false)
    }
  }), { seed: 8, numRuns: 150 })
})

it("spreads a thousand pods over a hundred nodes to the pod", () => {
  const cluster = scheduled(Array.from({ length: 100 }, (_, i) => node(`node${i}`)), ...Array.from({ length: 1000 }, (_, i) => pod(`p${i}`)))
  const counts = Map.groupBy([...cluster.pods()].sort(byName), ({ spec }) => spec.nodeName)
  expect(new Set([...counts.values()].map((on) => on.length))).toEqual(new Set([10]))
  cluster.run(1 * SECOND)
})
