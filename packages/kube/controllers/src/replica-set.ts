/**
 * ReplicaSet: as many active pods as declared (pkg/controller/replicaset/replica_set.go).
 *
 * Invariant: what is being deleted or has ended doesn't count, so its replacement comes at once; with the
 * runner's promise that own writes are seen first, there are never more active pods than declared and
 * adopted.
 * Approximated: pods are made and deleted in one sweep (Kubernetes: 500 a sync, in growing batches).
 */
import { controllerOf, keyOf, matchesLabels, timeNs } from "@podwire/api"
import type { Pod } from "@podwire/api/schema/pod"
import type { ReplicaSet, ReplicaSetStatus } from "@podwire/api/schema/replica-set"
import type { Ns } from "@podwire/engine"
import { claim, ownerKeys } from "./claim.ts"
import { type Change, type Controller, NOTHING, type Outcome, type View } from "./controller.ts"
import { equal } from "./equal.ts"
import { created, deleted } from "./event.ts"
import { availableInNs, isActive, isReady, isTerminal, isTerminating, removal } from "./pod.ts"
import { podOf } from "./template.ts"

const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"

export const replicaSet: Controller = {
  name: "replicaset-controller",
  watches: ["ReplicaSet", "Pod"],

  keysOf(object, before, view) {
    return object.kind === "ReplicaSet" ? [keyOf(object)] : ownerKeys("ReplicaSet", object, before, view)
  },

  reconcile(key, view, nowNs): Outcome {
    const [namespace, name] = key.split("/") as [string, string]
    const set = view.get("ReplicaSet", namespace, name) as ReplicaSet | null
    if (set === null) return NOTHING
    const { objects: pods, changes } = claim<Pod>(set, "Pod", set.spec.selector, view, isActive)
    const active = pods.filter(isActive)
    if (set.metadata.deletionTimestamp === undefined) changes.push(...manage(set, active, view, nowNs))
    const [status, dueNs] = statusOf(set, pods, active, nowNs)
    if (!equal(status, set.status)) changes.push({ _tag: "UpdateStatus", object: { ...set, status } })
    return { changes, ...dueNs === Infinity ? {} : { dueNs } }
  }
}

function manage(set: ReplicaSet, active: ReadonlyArray<Pod>, view: View, nowNs: Ns): ReadonlyArray<Change> {
  const surplus = active.length - (set.spec.replicas ?? 1)
  if (surplus > 0) {
    const ranked = surplus < active.length ? inOrderOfDeletion(set, active, view, nowNs) : active
    return ranked.slice(0, surplus).map((pod) => removal(pod, deleted(set)))
  }
  if (surplus === 0) return []
  const object = podOf(set, set.spec.template!)
  const change: Change = { _tag: "Create", object, event: created(set) }
  return Array.from({ length: -surplus }, () => change)
}

/** What the pods of one owner's ReplicaSets have in common decides who of two pods on one node goes first. */
function inOrderOfDeletion(
  set: ReplicaSet, active: ReadonlyArray<Pod>, view: View, nowNs: Ns
): ReadonlyArray<Pod> {
  const onNode = new Map<string, number>()
  const owner = controllerOf(set)
  const related = owner === null
    ? [set]
    : [...view.eachOwnedBy(owner.uid)].filter((object) => object.kind === "ReplicaSet")
  for (const { metadata } of related) {
    for (const pod of view.eachOwnedBy(metadata.uid!)) {
      const node = pod.kind === "Pod" ? (pod as Pod).spec.nodeName : undefined
      if (node !== undefined && isActive(pod as Pod)) onNode.set(node, (onNode.get(node) ?? 0) + 1)
    }
  }
  const rank = (pod: Pod) => onNode.get(pod.spec.nodeName ?? "") ?? 0
  return [...active].sort((a, b) => compareForDeletion(a, b, rank, nowNs))
}

/** Less goes first (controller_utils.go, ActivePodsWithRanks.Less). */
export function compareForDeletion(a: Pod, b: Pod, rank: (pod: Pod) => number, nowNs: Ns): number {
  return toNumber(assigned(a)) - toNumber(assigned(b)) || phaseOrder(a) - phaseOrder(b) ||
    toNumber(isReady(a)) - toNumber(isReady(b)) || deletionCost(a) - deletionCost(b) || rank(b) - rank(a) ||
    (isReady(a) && isReady(b) ? ageOrder(a, b, readySince, nowNs) : 0) ||
    restarts(b) - restarts(a) || ageOrder(a, b, createdAt, nowNs) || uidOrder(a, b)
}

function toNumber(truth: boolean): number {
  return truth ? 1 : 0
}

function assigned(pod: Pod): boolean {
  return (pod.spec.nodeName ?? "") !== ""
}

function phaseOrder(pod: Pod): number {
  const phase = pod.status?.phase ?? "Pending"
  return phase === "Pending" ? 0 : phase === "Unknown" ? 1 : 2
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST]
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : 0
}

function readySince(pod: Pod): string | undefined {
  return pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime
}

function restarts(pod: Pod): number {
  const statuses = [...pod.status?.containerStatuses ?? [], ...pod.status?.initContainerStatuses ?? []]
  return statuses.reduce((most, { restartCount }) => Math.max(most, restartCount), 0)
}

function createdAt(pod: Pod): string | undefined {
  return pod.metadata.creationTimestamp
}

function uidOrder(a: Pod, b: Pod): number {
  return a.metadata.uid! < b.metadata.uid! ? -1 : 1
}

/** The younger first, but of ages within one power of two chance decides: LogarithmicScaleDown. */
function ageOrder(a: Pod, b: Pod, since: (pod: Pod) => string | undefined, nowNs: Ns): number {
  if (since(a) === since(b)) return 0
  return ageBits(since(a), nowNs) - ageBits(since(b), nowNs) || uidOrder(a, b)
}

function ageBits(since: string | undefined, nowNs: Ns): number {
  const ns = nowNs - (timeNs(since ?? "") ?? nowNs)
  if (ns <= 0) return -1
  const high = Math.floor(ns / 2 ** 32)
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(ns)
}

/** The status, and how long until the next pod has been ready for long enough. */
function statusOf(
  set: ReplicaSet, pods: ReadonlyArray<Pod>, active: ReadonlyArray<Pod>, nowNs: Ns
): readonly [ReplicaSetStatus, Ns] {
  const minReadySeconds = set.spec.minReadySeconds ?? 0
  const labels = set.spec.template?.metadata.labels ?? {}
  const selector = { matchLabels: labels }
  let [fullyLabeledReplicas, readyReplicas, availableReplicas, dueNs] = [0, 0, 0, Infinity]
  for (const pod of active) {
    if (pod.metadata.labels === labels || matchesLabels(selector, pod.metadata.labels)) fullyLabeledReplicas++
    const ns = availableInNs(pod, minReadySeconds, nowNs)
    if (ns === Infinity) continue
    readyReplicas++
    if (ns === 0) availableReplicas++
    else dueNs = Math.min(dueNs, ns)
  }
  const terminatingReplicas = pods.filter((pod) => isTerminating(pod) && !isTerminal(pod)).length
  const status = {
    replicas: active.length, fullyLabeledReplicas, readyReplicas, availableReplicas, terminatingReplicas,
    observedGeneration: set.metadata.generation!
  }
  return [status, dueNs]
}

