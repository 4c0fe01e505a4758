/**
 * The ReplicaSets of a Deployment: which one is current, what its revision is, and the making of a new one
 * (pkg/controller/deployment/sync.go, getNewReplicaSet; util/deployment_util.go).
 */
import { templateHash } from "@podwire/api"
import type { Deployment } from "@podwire/api/schema/deployment"
import type { PodTemplateSpec } from "@podwire/api/schema/pod"
import type { ReplicaSet } from "@podwire/api/schema/replica-set"
import { equal } from "../equal.ts"
import { controllerRef } from "../template.ts"
import { DESIRED_REPLICAS, isInUse, MAX_REPLICAS, type Rollout } from "./rollout.ts"
import { newSetReplicas } from "./rolling-update.ts"

const TEMPLATE_HASH = "pod-template-hash"
const REVISION = "deployment.kubernetes.io/revision"
const REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
const NOT_HANDED_DOWN = [
  "kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISION_HISTORY, DESIRED_REPLICAS,
  MAX_REPLICAS,
  "deprecated.deployment.rollback.to"
]
const HISTORY_LIMIT = 10

/** Splits the sets that are ours into the current one and the others. */
export function find(rollout: Rollout, sets: ReadonlyArray<ReplicaSet>): void {
  const ordered = [...sets].sort(byCreation)
  const { template } = rollout.deployment.spec
  rollout.current = ordered.find((set) => sameTemplate(set.spec.template, template)) ?? null
  rollout.old = ordered.filter((set) => set !== rollout.current)
}

/** Revisions and annotations of the current set; it is made when `make` says so and it isn't there. */
export function sync(rollout: Rollout, make: boolean): void {
  const revision = String(Math.max(0, ...rollout.old.map(revisionOf)) + 1)
  const { current, deployment } = rollout
  if (current !== null) {
    const annotations = annotationsOf(rollout, current, revision)
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0
    const slow = (current.spec.minReadySeconds ?? 0) !== minReadySeconds
    if (slow || !equal(annotations, current.metadata.annotations ?? {})) {
      const spec = slow ? { ...current.spec, minReadySeconds } : current.spec
      rollout.edit({ ...current, metadata: { ...current.metadata, annotations }, spec })
    }
    noteRevision(rollout, annotations[REVISION]!)
    if (rollout.conditions.get("Progressing") === undefined) {
      progressing(rollout, "FoundNewReplicaSet", `Found new replica set "${current.metadata.name!}"`)
    }
  } else if (make) {
    const made = newSet(rollout, revision)
    if (made === null) return
    rollout.create(made)
    noteRevision(rollout, revision)
    progressing(rollout, "NewReplicaSetCreated", `Created new replica set "${made.metadata.name!}"`)
  }
}

/** Old sets beyond the limit go, the lowest revision first (sync.go, cleanupDeployment). */
export function cleanUp(rollout: Rollout): void {
  const limit = rollout.deployment.spec.revisionHistoryLimit ?? HISTORY_LIMIT
  const alive = rollout.old.filter((set) => set.metadata.deletionTimestamp === undefined)
  const surplus = alive.length - limit
  if (surplus <= 0) return
  for (const set of alive.sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, surplus)) {
    const observed = set.status?.observedGeneration ?? 0
    if ((set.status?.replicas ?? 0) !== 0 || isInUse(set) || set.metadata.generation! > observed) continue
    const ref = { kind: "ReplicaSet", namespace: set.metadata.namespace!, name: set.metadata.name! }
    rollout.changes.push({ _tag: "Delete", ref, graceSeconds: 0 })
  }
}

export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const [s, t] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""]
  return s < t ? -1 : s > t ? 1 : a.metadata.name! < b.metadata.name! ? -1 : 1
}

/**
 * Null when the name is taken by another template: the collision is counted, and the next look hashes it in.
 */
function newSet(rollout: Rollout, revision: string): ReplicaSet | null {
  const { deployment, view } = rollout
  const { metadata, spec } = deployment
  const hash = templateHash(spec.template, rollout.collisionCount)
  const name = `${metadata.name!}-${hash}`
  if (view.get("ReplicaSet", metadata.namespace!, name) !== null) {
    rollout.collisionCount = (rollout.collisionCount ?? 0) + 1
    return null
  }
  const labels = { ...spec.template.metadata.labels, [TEMPLATE_HASH]: hash }
  const set: ReplicaSet = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name, namespace: metadata.namespace!, labels, ownerReferences: [controllerRef(deployment)],
      annotations: { ...handedDown(deployment), [REVISION]: revision, ...rollout.scaleAnnotations() }
    },
    spec: {
      replicas: 0,
      ...spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds },
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [TEMPLATE_HASH]: hash } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } }
    }
  }
  return { ...set, spec: { ...set.spec, replicas: newSetReplicas(rollout, set) } }
}

function annotationsOf(rollout: Rollout, set: ReplicaSet, revision: string): Record<string, string> {
  const before = set.metadata.annotations ?? {}
  const annotations: Record<string, string> = { ...before, ...handedDown(rollout.deployment) }
  const former = before[REVISION]
  if (former !== undefined && revisionOf(set) >= Number(revision)) return annotations
  annotations[REVISION] = revision
  if (former !== undefined) {
    const history = before[REVISION_HISTORY]
    annotations[REVISION_HISTORY] = history === undefined || history === "" ? former : `${history},${former}`
  }
  return annotations
}

function handedDown(deployment: Deployment): Record<string, string> {
  return Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {})
    .filter(([key]) => !NOT_HANDED_DOWN.includes(key)))
}

function noteRevision(rollout: Rollout, revision: string): void {
  const { metadata } = rollout.deployment
  if (metadata.annotations?.[REVISION] === revision) return
  const annotations = { ...metadata.annotations, [REVISION]: revision }
  rollout.changes.push({
    _tag: "Update", object: { ...rollout.deployment, metadata: { ...metadata, annotations } }
  })
}

function progressing(rollout: Rollout, reason: string, message: string): void {
  if (rollout.hasDeadline) rollout.conditions.set("Progressing", "True", reason, message)
}

function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[REVISION] ?? "0")
}

/** The hash that we put in is not part of it. */
function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec): boolean {
  return a !== undefined && equal(a.spec, b.spec) && equal(bare(a), bare(b))
}

function bare({ metadata }: PodTemplateSpec): unknown {
  const { [TEMPLATE_HASH]: _, ...labels } = metadata.labels ?? {}
  return { ...metadata, labels }
}
