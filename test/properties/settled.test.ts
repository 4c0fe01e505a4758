/**
 * A settled cluster is what its manifests ask for: as many pods of each owner as it says, on nodes that may have
 * them, all running that got an address; in whatever order the manifests come, and by way of whatever happened.
 */
import { situation } from "@podwire/arbitrary"
import { perform } from "@podwire/checker"
import type { Cluster, Plan } from "@podwire/cluster"
import { controllerOf, type KubeObject, type Pod } from "@podwire/api"
import fc from "fast-check"
import { expect, it } from "vitest"
import { property } from "../support/property.ts"

/** Name and count of what an object should have, `Deployment shop/web 3`. */
function asked(object: KubeObject, plan: Plan): string {
  const { kind, metadata: { namespace = "default", name } } = object
  const { replicas = 1 } = (object.spec ?? {}) as { readonly replicas?: number }
  // A DaemonSet's pods tolerate `unschedulable`, as the controller adds it, and nothing else here.
  const nodes = plan.nodes.filter(({ taints = [] }) => taints.length === 0).length
  const count = kind === "Pod" ? 1 : kind === "DaemonSet" ? nodes : replicas
  return `${kind} ${namespace}/${name} ${count}`
}

/** The same from the pods that there are. */
function found(cluster: Cluster): ReadonlyArray<string> {
  const counts = new Map<string, number>()
  const add = (key: string, by: number) => counts.set(key, (counts.get(key) ?? 0) + by)
  const { store } = cluster
  for (const kind of ["Deployment", "StatefulSet", "DaemonSet"]) {
    for (const { metadata } of store.list(kind)) add(`${kind} ${metadata.namespace}/${metadata.name}`, 0)
  }
  for (const pod of store.list("Pod") as ReadonlyArray<Pod>) {
    let top: KubeObject = pod
    for (let owner = controllerOf(top); owner !== null; owner = controllerOf(top)) {
      const next = store.get(owner.kind, top.metadata.namespace!, owner.name)
      if (next === null) throw new Error(`${top.kind} ${top.metadata.name} has an owner that is gone`)
      top = next
    }
    add(`${top.kind} ${pod.metadata.namespace}/${top.metadata.name}`, 1)
  }
  return sorted([...counts].map(([key, count]) => `${key} ${count}`))
}

function complaints(cluster: Cluster): ReadonlyArray<string> {
  const refused = new Set(cluster.refused.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))
  const plans = new Map(cluster.plan.nodes.map((node) => [node.name, node]))
  return (cluster.store.list("Pod") as ReadonlyArray<Pod>).flatMap((pod) => {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`
    const node = plans.get(pod.spec?.nodeName ?? "")
    const daemon = controllerOf(pod)?.kind === "DaemonSet"
    if (node === undefined) return [`${key} is on no node`]
    if ((node.taints ?? []).length > 0) return [`${key} is on the tainted ${node.name}`]
    if (node.unschedulable === true && !daemon) return [`${key} is on the cordoned ${node.name}`]
    if (pod.status?.phase !== "Running" && !refused.has(key)) return [`${key} is ${pod.status?.phase}`]
    if ((cluster.pod(pod.metadata.namespace!, pod.metadata.name!) === null) !== refused.has(key)) return [`${key} has a sandbox and was refused, or neither`]
    return []
  })
}

/** An ordered StatefulSet waits for ever behind a pod that gets no address: then its count says nothing. */
function telling(cluster: Cluster, lines: ReadonlyArray<string>): ReadonlyArray<string> {
  return cluster.refused.length === 0 ? lines : lines.filter((line) => !line.startsWith("StatefulSet "))
}

const sorted = (list: ReadonlyArray<string>) => [...list].sort((a, b) => (a < b ? -1 : 1))

it("a settled cluster has what its manifests ask for, in whatever order they come", () => {
  const input = fc.record({ situation: situation(), order: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }) })
  property(input, 60, ({ situation: given, order }, builder) => {
    const spaces = given.objects.filter(({ kind }) => kind === "Namespace")
    const rest = given.objects.filter(({ kind }) => kind !== "Namespace")
    const shuffled = rest.map((object, i) => ({ object, key: order[i % order.length]! })).sort((a, b) => a.key - b.key).map(({ object }) => object)
    const expected = sorted(rest.map((object) => asked(object, given.plan)))
    for (const objects of [rest, shuffled]) {
      const cluster = builder.build({ ...given, objects: [...spaces, ...objects] })
      expect(cluster.settle()).toBe(true)
      expect(telling(cluster, found(cluster))).toEqual(telling(cluster, expected))
      expect(complaints(cluster)).toEqual([])
    }
  })
})

it("whatever happened on the way, what was asked for last is there", () => {
  const input = fc.record({ situation: situation({ operationsMax: 10, podsMax: 30 }) })
  property(input, 50, ({ situation: given }, builder) => {
    const cluster = builder.build(given)
    for (const operation of given.operations) perform(cluster, operation)
    expect(cluster.settle()).toBe(true)
    const wanted = ["Deployment", "StatefulSet", "DaemonSet"].flatMap((kind) => cluster.store.list(kind)).map((object) => asked(object, given.plan))
    const workloads = found(cluster).filter((line) => !line.startsWith("Pod "))
    expect(telling(cluster, workloads)).toEqual(telling(cluster, sorted(wanted)))
    expect(complaints(cluster)).toEqual([])
  })
})
