/**
 * A Job's pods, counted (pkg/controller/job/job_controller.go). A pod that has ended carries a finalizer
 * until its end stands in `status.succeeded` or `status.failed`; in between its uid stands among
 * `uncountedTerminatedPods`, so that no end is counted twice or forgotten, whoever deletes the pod.
 */
import type { Job, JobStatus } from "@podwire/api/schema/job"
import type { Pod } from "@podwire/api/schema/pod"
import type { Change } from "../controller.ts"
import { isActive, isReady, isTerminal, isTerminating } from "../pod.ts"
import { judge } from "./failure-policy.ts"
import { format, parse } from "./indexes.ts"

export const TRACKING = "batch.kubernetes.io/job-tracking"
export const INDEX = "batch.kubernetes.io/job-completion-index"

export interface Count {
  readonly active: ReadonlyArray<Pod>
  readonly ready: number
  readonly terminating: number
  /** Those that stand in the status, and those that are about to. */
  readonly succeeded: number
  readonly failed: number
  /** The first failure that the policy says fails the Job. */
  readonly fatal: string | null
  readonly completedIndexes: ReadonlySet<number>
  readonly status: Pick<JobStatus, "succeeded" | "failed" | "uncountedTerminatedPods" | "completedIndexes">
  /** Finalizers that come off. */
  readonly changes: ReadonlyArray<Change>
}

export function count(job: Job, pods: ReadonlyArray<Pod>): Count {
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata.uid!, pod]))
  const before = job.status?.uncountedTerminatedPods ?? {}
  const settled = (uids: ReadonlyArray<string> = []) => uids.filter((uid) => !tracked.has(uid)).length
  const succeededCount = (job.status?.succeeded ?? 0) + settled(before.succeeded)
  const failedCount = (job.status?.failed ?? 0) + settled(before.failed)
  const [succeeded, failed]: [Array<string>, Array<string>] = [[], []]
  const completedIndexes = parse(job.status?.completedIndexes ?? "")
  const changes: Array<Change> = []
  let fatal: string | null = null
  for (const [uid, pod] of tracked) {
    if (isActive(pod)) continue
    if (pod.status?.phase === "Succeeded") {
      succeeded.push(uid)
      const index = indexOf(pod)
      if (index !== null) completedIndexes.add(index)
    } else if (countsAsFailed(job, pod)) {
      const { action, message } = judge(job, pod)
      if (action === "FailJob") fatal ??= message
      if (action !== "Ignore") failed.push(uid)
    } else continue
    changes.push({ _tag: "Update", object: released(pod) })
  }
  const uncounted = {
    ...succeeded.length === 0 ? {} : { succeeded }, ...failed.length === 0 ? {} : { failed }
  }
  const active = pods.filter(isActive)
  return {
    active,
    ready: active.filter(isReady).length,
    terminating: pods.filter((pod) => isTerminating(pod) && !isTerminal(pod)).length,
    succeeded: succeededCount + succeeded.length,
    failed: failedCount + failed.length,
    fatal,
    completedIndexes,
    status: {
      ...succeededCount === 0 ? {} : { succeeded: succeededCount },
      ...failedCount === 0 ? {} : { failed: failedCount },
      uncountedTerminatedPods: uncounted,
      ...isIndexed(job) && completedIndexes.size > 0 ? { completedIndexes: format(completedIndexes) } : {}
    },
    changes
  }
}

export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === "Indexed"
}

export function indexOf({ metadata }: Pod): number | null {
  const text = metadata.annotations?.[INDEX]
  return text === undefined ? null : Number(text)
}

function released(pod: Pod): Pod {
  const { finalizers = [], ...metadata } = pod.metadata
  const others = finalizers.filter((finalizer) => finalizer !== TRACKING)
  return { ...pod, metadata: others.length === 0 ? metadata : { ...metadata, finalizers: others } }
}

function isTracked({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(TRACKING) ?? false
}

/** Being deleted is failing, unless the Job waits for the phase to say so. */
function countsAsFailed({ spec }: Job, pod: Pod): boolean {
  if (pod.status?.phase === "Failed") return true
  const waits = spec.podFailurePolicy !== undefined || spec.podReplacementPolicy === "Failed"
  return isTerminating(pod) && !waits
}
