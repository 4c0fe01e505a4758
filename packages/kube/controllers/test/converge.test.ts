/** Whatever is asked of it and however late the news, a cluster comes to rest as declared and keeps its bounds on the way. */
import type { Deployment, Pod } from "@podwire/api"
import { MILLISECOND, type Ns, SECOND } from "@podwire/engine"
import fc from "fast-check"
import { expect, it } from "vitest"
import { Cluster, node, workload } from "./cluster.ts"

type Step =
  | { readonly do: "apply"; readonly replicas: number; readonly image: string }
  | { readonly do: "delete" | "fail"; readonly which: number }
  | { readonly do: "node"; readonly which: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("apply" as const), replicas: fc.nat({ max: 6 }), image: fc.constantFrom("a", "b", "c") }) },
  fc.record({ do: fc.constantFrom("delete" as const, "fail" as const), which: fc.nat({ max: 9 }) }),
  fc.record({ do: fc.constant("node" as const), which: fc.nat({ max: 2 }) })
)
const timed = fc.record({ step, pauseNs: fc.constantFrom(0, 5 * MILLISECOND, 300 * MILLISECOND, 2 * SECOND, 20 * SECOND) })
const lag = fc.constantFrom(0, 10 * MILLISECOND, 700 * MILLISECOND, 5 * SECOND)
const isActive = ({ metadata, status }: Pod) => metadata.deletionTimestamp === undefined && status?.phase !== "Failed"

function take(cluster: Cluster, kind: string, taken: Step, spec: (replicas: number) => object): void {
  if (taken.do === "apply") cluster.apply(workload(kind, "web", spec(taken.replicas), taken.image))
  else if (taken.do === "node") {
    const name = `node${taken.which}`
    if (cluster.store.get("Node", "", name) === null) cluster.apply(node(name) as never)
    else if (cluster.store.count("Node") > 1) cluster.remove("Node", name)
  } else {
    const pods = cluster.pods()
    const pod = pods[taken.which % (pods.length || 1)]
    if (pod === undefined) return
    if (taken.do === "fail") cluster.setStatus(pod, "Failed")
    else cluster.store.delete({ kind: "Pod", namespace: "default", name: pod.metadata.name! }, pod.spec.nodeName === undefined ? 0 : 30)
  }
}

function play(cluster: Cluster, kind: string, steps: ReadonlyArray<{ step: Step; pauseNs: Ns }>, spec: (replicas: number) => object): void {
  cluster.nodes(3, (i) => node(`node${i}`))
  cluster.apply(workload(kind, "web", spec(3), "a"))
  for (const { step: taken, pauseNs } of steps) {
    cluster.run(pauseNs)
    take(cluster, kind, taken, spec)
  }
  cluster.settle()
}

const images = (cluster: Cluster) => new Set(cluster.pods().filter(isActive).map(({ spec }) => spec.containers[0]!.image))

it("a Deployment converges, makes no pod too many, and takes none too many", () => {
  fc.assert(fc.property(fc.array(timed, { maxLength: 12 }), lag, fc.constantFrom("25%", 0, 2), (steps, lagNs, maxSurge) => {
    const cluster = new Cluster({ lagNs })
    let most = 0
    const spec = (replicas: number) => ({ replicas, strategy: { rollingUpdate: { maxSurge, maxUnavailable: 1 } } })
    cluster.check = () => {
      const declared = (cluster.store.get("Deployment", "default", "web") as Deployment | null)?.spec.replicas ?? 0
      const surge = maxSurge === "25%" ? Math.ceil(declared / 4) : Number(maxSurge)
      most = Math.max(most, declared + surge)
      expect(cluster.pods().filter(isActive).length).toBeLessThanOrEqual(most)
    }
    play(cluster, "Deployment", steps, spec)
    const { spec: { replicas, template }, status } = cluster.get<Deployment>("Deployment", "web")
    expect(cluster.pods().filter(isActive).length).toBe(replicas)
    expect([...images(cluster)]).toEqual(replicas === 0 ? [] : [template.spec.containers[0]!.image])
    expect([status?.replicas, status?.availableReplicas, status?.updatedReplicas]).toEqual([replicas, replicas, replicas])
  }), { seed: 3, numRuns: 60 })
})

it("a rollout alone never leaves fewer available pods than it may", () => {
  const rollout = fc.record({ replicas: fc.integer({ min: 1, max: 9 }), maxUnavailable: fc.nat({ max: 3 }), maxSurge: fc.nat({ max: 3 }), lagNs: lag })
  fc.assert(fc.property(rollout, ({ replicas, maxUnavailable, maxSurge, lagNs }) => {
    const cluster = new Cluster({ lagNs })
    cluster.nodes(3)
    const spec = { replicas, strategy: { rollingUpdate: { maxSurge, maxUnavailable } } }
    cluster.apply(workload("Deployment", "web", spec, "a"))
    cluster.settle()
    const unavailable = Math.min(replicas, maxSurge + maxUnavailable === 0 ? 1 : maxUnavailable)
    cluster.check = () => {
      const ready = cluster.pods().filter((pod) => isActive(pod) && pod.status?.phase === "Running")
      expect(ready.length).toBeGreaterThanOrEqual(replicas - unavailable)
    }
    cluster.apply(workload("Deployment", "web", spec, "b"))
    cluster.settle()
    expect([...images(cluster)]).toEqual(["b"])
  }), { seed: 4, numRuns: 60 })
})

it("a StatefulSet converges, and in order: no pod while a lower one is missing", () => {
  fc.assert(fc.property(fc.array(timed, { maxLength: 10 }), lag, (steps, lagNs) => {
    const cluster = new Cluster({ lagNs })
    play(cluster, "StatefulSet", steps, (replicas) => ({ replicas }))
    const set = cluster.get<Deployment>("StatefulSet", "web")
    const names = Array.from({ length: set.spec.replicas! }, (_, i) => `web-${i}`)
    expect(cluster.pods().map(({ metadata }) => metadata.name)).toEqual(names)
    expect([...images(cluster)]).toEqual(names.length === 0 ? [] : [set.spec.template.spec.containers[0]!.image])
  }), { seed: 5, numRuns: 60 })
})

it("a DaemonSet converges: one pod on each node", () => {
  fc.assert(fc.property(fc.array(timed, { maxLength: 10 }), lag, fc.nat({ max: 1 }), (steps, lagNs, maxSurge) => {
    const cluster = new Cluster({ lagNs })
    const rollingUpdate = { maxSurge, maxUnavailable: 1 - maxSurge }
    play(cluster, "DaemonSet", steps, () => ({ updateStrategy: { rollingUpdate } }))
    const set = cluster.get<Deployment>("DaemonSet", "web")
    const nodes = cluster.store.list("Node").map(({ metadata }) => metadata.name)
    expect(cluster.pods().filter(isActive).map(({ spec }) => spec.nodeName).sort((a, b) => (a! < b! ? -1 : 1))).toEqual(nodes)
    expect([...images(cluster)]).toEqual([set.spec.template.spec.containers[0]!.image])
  }), { seed: 6, numRuns: 60 })
})

it("nothing outlives its owner or its namespace", () => {
  const kinds = ["Deployment", "StatefulSet", "DaemonSet", "Job"]
  fc.assert(fc.property(fc.constantFrom(...kinds), lag, fc.boolean(), fc.constantFrom(0, 5 * MILLISECOND, 1500 * MILLISECOND, 20 * SECOND), (kind, lagNs, whole, pauseNs) => {
    const cluster = new Cluster({ lagNs })
    cluster.nodes(2)
    cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "default" }, spec: {} } as never)
    cluster.apply(workload(kind, "web", kind === "DaemonSet" || kind === "Job" ? {} : { replicas: 3 }, "a"))
    cluster.run(pauseNs)
    if (whole) cluster.remove("Namespace", "default", 1)
    else cluster.remove(kind, "web")
    cluster.settle()
    expect(cluster.store.kinds()).toEqual(whole ? ["Node"] : ["Namespace", "Node"])
  }), { seed: 7, numRuns: 60 })
})
