/**
 * What may happen to a cluster: each operation is plain data, names its objects by number (so that it fits any
 * cluster, also a shrunk one) and says what it did. An operation that finds nothing to act on does nothing.
 */
import { type KubeObject, type Pod, refOf } from "@podwire/api"
import type { Cluster } from "@podwire/cluster"
import type { Ns } from "@podwire/engine"
import type { LinkSpec } from "@podwire/netdev"
import { create } from "./situation.ts"

export type Operation =
  | { readonly do: "scale"; readonly which: number; readonly replicas: number }
  | { readonly do: "delete"; readonly which: number; readonly graceSeconds: number }
  | { readonly do: "apply"; readonly object: KubeObject }
  | { readonly do: "fault"; readonly which: number; readonly spec: Partial<LinkSpec>; readonly down: boolean; readonly forNs: Ns }
  | { readonly do: "advance"; readonly forNs: Ns }

/** What an idle cluster does in this time is bounded by it. */
const STEPS_MAX = 10_000_000

export function perform(cluster: Cluster, operation: Operation): void {
  const { store, engine } = cluster
  if (operation.do === "scale") {
    const object = pick([...store.list("Deployment"), ...store.list("StatefulSet")], operation.which)
    if (object !== null) store.update({ ...object, spec: { ...object.spec as object, replicas: operation.replicas } })
  } else if (operation.do === "delete") {
    const pod = pick(store.list("Pod"), operation.which) as Pod | null
    if (pod !== null) store.delete(refOf(pod), pod.spec?.nodeName === undefined ? 0 : operation.graceSeconds)
  } else if (operation.do === "apply") {
    if (store.get(operation.object.kind, operation.object.metadata.namespace ?? "default", operation.object.metadata.name!) === null) {
      create(cluster, operation.object)
    }
  } else if (operation.do === "fault") {
    const { nodes } = cluster
    const a = nodes[operation.which % nodes.length]!
    const b = nodes[(operation.which + 1) % nodes.length]!
    if (a !== b) cluster.impair([a, b], { spec: operation.spec, down: operation.down, forNs: operation.forNs })
  } else engine.advance(engine.nowNs + operation.forNs, STEPS_MAX)
}

function pick<T>(list: ReadonlyArray<T>, which: number): T | null {
  return list.length === 0 ? null : list[which % list.length]!
}
