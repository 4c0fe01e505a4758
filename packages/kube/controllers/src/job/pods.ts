/** Which pods a Job makes and ends now (job_controller.go, manageJob; indexed_job_utils.go). */
import { type KubeObject, timeNs } from "@podwire/api"
import type { Job } from "@podwire/api/schema/job"
import type { Pod, PodSpec } from "@podwire/api/schema/pod"
import { type Ns, SECOND } from "@podwire/engine"
import type { Change } from "../controller.ts"
import { created, deleted } from "../event.ts"
import { removal } from "../pod.ts"
import { compareForDeletion } from "../replica-set.ts"
import { podOf } from "../template.ts"
import { type Count, INDEX, indexOf, isIndexed, TRACKING } from "./count.ts"

const BACKOFF_NS_MIN = 10 * SECOND
const BACKOFF_NS_MAX = 600 * SECOND
const CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
const JOB_NAME = "batch.kubernetes.io/job-name"

interface Managed {
  readonly changes: ReadonlyArray<Change>
  /** Active pods after `changes`. */
  readonly active: number
  /** Until the next pod may be made after a failure. */
  readonly dueNs: Ns
}

export function manage(
  job: Job, pods: ReadonlyArray<Pod>, count: Count, nowNs: Ns, wanted = wantedOf(job, count)
): Managed {
  const { active } = count
  const surplus = inSurplus(job, active, wanted, nowNs)
  const changes: Array<Change> = surplus.map((pod) => removal(pod, deleted(job)))
  if (surplus.length > 0) return { changes, active: active.length - surplus.length, dueNs: Infinity }
  const waiting = job.spec.podReplacementPolicy === "Failed" || job.spec.podFailurePolicy !== undefined
    ? count.terminating
    : 0
  const missing = wanted - active.length - waiting
  if (missing <= 0) return { changes, active: active.length, dueNs: Infinity }
  const dueNs = backoffInNs(pods, nowNs)
  if (dueNs > 0) return { changes, active: active.length, dueNs }
  const made = isIndexed(job) ? freeIndexes(job, count, missing).map((index) => creation(job, index))
    : Array<Change>(missing).fill(creation(job, null))
  return { changes: [...changes, ...made], active: active.length + made.length, dueNs: Infinity }
}

function wantedOf({ spec }: Job, { active, succeeded }: Count): number {
  const { completions, parallelism = 1, suspend } = spec
  if (suspend === true) return 0
  // A queue of work that one pod found empty needs nobody new.
  if (completions === undefined) return succeeded > 0 ? Math.min(active.length, parallelism) : parallelism
  return Math.max(0, Math.min(completions - succeeded, parallelism))
}

/** Two pods of one index first, then those that are least far. */
function inSurplus(job: Job, active: ReadonlyArray<Pod>, wanted: number, nowNs: Ns): ReadonlyArray<Pod> {
  const ordered = [...active].sort((a, b) => compareForDeletion(a, b, () => 0, nowNs))
  if (!isIndexed(job)) return ordered.slice(0, Math.max(0, active.length - wanted))
  const seen = new Set<number | null>()
  const doubled: Array<Pod> = []
  const single: Array<Pod> = []
  for (const pod of ordered.toReversed()) {
    const index = indexOf(pod)
    if (seen.has(index) || (index !== null && index >= job.spec.completions!)) doubled.push(pod)
    else single.unshift(pod)
    seen.add(index)
  }
  return [...doubled, ...single.slice(0, Math.max(0, single.length - wanted))]
}

function freeIndexes(job: Job, { active, completedIndexes }: Count, missing: number): ReadonlyArray<number> {
  const busy = new Set(active.map(indexOf))
  const free: Array<number> = []
  for (let index = 0; index < job.spec.completions! && free.length < missing; index++) {
    if (!busy.has(index) && !completedIndexes.has(index)) free.push(index)
  }
  return free
}

/** 10 s after a failure, doubled for each further one since the last success (backoff_utils.go). */
function backoffInNs(pods: ReadonlyArray<Pod>, nowNs: Ns): Ns {
  const ended = (phase: string) => pods.filter(({ status }) => status?.phase === phase)
    .map((pod) => endNs(pod, nowNs))
  const succeededNs = Math.max(-Infinity, ...ended("Succeeded"))
  const failures = ended("Failed").filter((ns) => ns > succeededNs)
  if (failures.length === 0) return 0
  const backoffNs = Math.min(BACKOFF_NS_MIN * 2 ** (failures.length - 1), BACKOFF_NS_MAX)
  return Math.max(0, Math.max(...failures) + backoffNs - nowNs)
}

function endNs({ metadata, status }: Pod, nowNs: Ns): Ns {
  const ends = (status?.containerStatuses ?? [])
    .map(({ state }) => timeNs(state?.terminated?.finishedAt ?? ""))
    .filter((ns) => ns !== null)
  if (ends.length > 0) return Math.max(...ends)
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime
  return timeNs(ready ?? metadata.creationTimestamp ?? "") ?? nowNs
}

function creation(job: Job, index: number | null): Change {
  const { name, uid } = job.metadata
  const pod = podOf(job, job.spec.template)
  const labels = {
    ...pod.metadata.labels, [CONTROLLER_UID]: uid!, [JOB_NAME]: name!, "controller-uid": uid!,
    "job-name": name!,
    ...index === null ? {} : { [INDEX]: String(index) }
  }
  const metadata = { ...pod.metadata, labels, finalizers: [TRACKING] }
  const object: KubeObject = index === null ? { ...pod, metadata } : {
    ...pod,
    metadata: {
      ...metadata, generateName: `${name!}-${index}-`,
      annotations: { ...pod.metadata.annotations, [INDEX]: String(index) }
    },
    spec: indexed(pod.spec, `${name!}-${index}`)
  }
  return { _tag: "Create", object, event: created(job) }
}

/** The pod learns its index by name and environment. */
function indexed(spec: PodSpec, hostname: string): PodSpec {
  const fieldRef = { fieldPath: `metadata.labels['${INDEX}']` }
  const variable = { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef } }
  const containers = spec.containers.map((container) =>
    container.env?.some(({ name }) => name === variable.name) ? container
      : { ...container, env: [...container.env ?? [], variable] })
  return { ...spec, hostname, containers }
}
