/**
 * Job: pods until enough of them have succeeded or too many failed (pkg/controller/job).
 *
 * Invariant: active pods are never more than `parallelism`, nor more than completions are missing.
 * Approximated: the server gives a Job without `selector` one for its uid and labels its template; here
 * the labels are put on the pods and the Job manages what names it as owner.
 * Not supported: `successPolicy`, `backoffLimitPerIndex`, `maxFailedIndexes` and FailIndex (failures count
 * for the whole Job), `managedBy`, pods whose deletion their finalizer would hold up.
 */
import { keyOf, timeNs, timeText } from "@podwire/api"
import type { Job, JobCondition, JobStatus } from "@podwire/api/schema/job"
import type { Pod } from "@podwire/api/schema/pod"
import { type Ns, SECOND } from "@podwire/engine"
import { claim, ownerKeys } from "../claim.ts"
import {
  type Change, type Controller, NOTHING, type ObjectEvent, type Outcome, type View
} from "../controller.ts"
import { equal } from "../equal.ts"
import { normal, warning } from "../event.ts"
import { isActive } from "../pod.ts"
import { type Count, count } from "./count.ts"
import { manage } from "./pods.ts"

const BACKOFF_LIMIT = 6

export const job: Controller = {
  name: "job-controller",
  watches: ["Job", "Pod"],

  keysOf(object, before, view) {
    return object.kind === "Job" ? [keyOf(object)] : ownerKeys("Job", object, before, view)
  },

  reconcile(key, view, nowNs): Outcome {
    const [namespace, name] = key.split("/") as [string, string]
    const object = view.get("Job", namespace, name) as Job | null
    if (object === null || object.metadata.deletionTimestamp !== undefined) return NOTHING
    const finished = conditionOf(object, "Complete") ?? conditionOf(object, "Failed")
    if (finished?.status === "True") return afterwards(object, finished, nowNs)
    return new Look(object, podsOf(object, view), nowNs).outcome()
  }
}

function conditionOf({ status }: Job, type: string): JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

function podsOf(object: Job, view: View): ReadonlyArray<Pod> {
  const selector = object.spec.selector ??
    { matchLabels: { "batch.kubernetes.io/controller-uid": object.metadata.uid! } }
  return claim<Pod>(object, "Pod", selector, view, isActive).objects
}

/** pkg/controller/ttlafterfinished. */
function afterwards(object: Job, finished: JobCondition, nowNs: Ns): Outcome {
  const ttl = object.spec.ttlSecondsAfterFinished
  if (ttl === undefined) return NOTHING
  const leftNs = (timeNs(finished.lastTransitionTime ?? "") ?? nowNs) + ttl * SECOND - nowNs
  if (leftNs > 0) return { changes: [], requeueNs: leftNs }
  const ref = { kind: "Job", namespace: object.metadata.namespace!, name: object.metadata.name! }
  return { changes: [{ _tag: "Delete", ref, graceSeconds: 0 }] }
}

class Look {
  readonly #job: Job
  readonly #pods: ReadonlyArray<Pod>
  readonly #count: Count
  readonly #nowNs: Ns
  readonly #changes: Array<Change> = []
  readonly #events: Array<ObjectEvent> = []
  #conditions: ReadonlyArray<JobCondition>
  #startTime: string | undefined
  #completionTime: string | undefined
  #dueNs: Ns = Infinity
  #activeCount: number

  constructor(object: Job, pods: ReadonlyArray<Pod>, nowNs: Ns) {
    this.#job = object
    this.#pods = pods
    this.#count = count(object, pods)
    this.#nowNs = nowNs
    this.#conditions = object.status?.conditions ?? []
    this.#startTime = object.status?.startTime
    this.#completionTime = object.status?.completionTime
    this.#activeCount = this.#count.active.length
  }

  outcome(): Outcome {
    const { spec } = this.#job
    const suspended = spec.suspend === true
    if (!suspended) this.#startTime ??= timeText(this.#nowNs)
    this.#judge()
    if (this.#has("FailureTarget")) this.#fail()
    else if (this.#has("SuccessCriteriaMet")) this.#complete()
    else {
      this.#noteSuspension(suspended)
      const { changes, active, dueNs } = manage(this.#job, this.#pods, this.#count, this.#nowNs)
      this.#changes.push(...changes)
      this.#activeCount = active
      this.#dueNs = dueNs
    }
    const status = this.#status()
    if (!equal(status, this.#job.status)) {
      this.#changes.unshift({ _tag: "UpdateStatus", object: { ...this.#job, status } })
    }
    this.#changes.push(...this.#count.changes)
    const deadlineNs = this.#deadlineInNs()
    return {
      changes: this.#changes, events: this.#events,
      ...deadlineNs === Infinity || deadlineNs <= 0 ? {} : { requeueNs: deadlineNs },
      ...this.#dueNs === Infinity ? {} : { dueNs: this.#dueNs }
    }
  }

  /** The first reason to fail or to be done is the one that counts. */
  #judge(): void {
    if (this.#has("FailureTarget") || this.#has("SuccessCriteriaMet")) return
    const { fatal, failed, succeeded, active } = this.#count
    const { completions, backoffLimit = BACKOFF_LIMIT } = this.#job.spec
    if (fatal !== null) this.#set("FailureTarget", "PodFailurePolicy", fatal)
    else if (failed > backoffLimit || this.#restartsOf(active) > backoffLimit) {
      this.#set("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    } else if (this.#deadlineInNs() <= 0) {
      this.#set("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline")
    } else if (completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions) {
      this.#set("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods")
    }
  }

  /** With OnFailure the kubelet starts containers again, and no pod fails (pastBackoffLimitOnFailure). */
  #restartsOf(active: ReadonlyArray<Pod>): number {
    if (this.#job.spec.template.spec.restartPolicy !== "OnFailure") return 0
    const statuses = active.flatMap(
      ({ status }) => [...status?.initContainerStatuses ?? [], ...status?.containerStatuses ?? []]
    )
    const restarts = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0)
    return this.#job.spec.backoffLimit === 0 ? restarts : restarts + 1
  }

  #fail(): void {
    this.#end()
    if (this.#count.active.length + this.#count.terminating + this.#count.changes.length > 0) return
    const { reason = "", message = "" } = this.#conditions.find(({ type }) => type === "FailureTarget")!
    this.#set("Failed", reason, message)
    this.#events.push(warning(this.#job, reason, message))
  }

  #complete(): void {
    this.#end()
    if (this.#count.active.length + this.#count.terminating + this.#count.changes.length > 0) return
    const { reason = "", message = "" } = this.#conditions.find(({ type }) => type === "SuccessCriteriaMet")!
    this.#set("Complete", reason, message)
    this.#completionTime = timeText(this.#nowNs)
    this.#events.push(normal(this.#job, "Completed", "Job completed"))
  }

  /** Nothing runs on for a Job that is over. */
  #end(): void {
    const { changes, active } = manage(this.#job, this.#pods, this.#count, this.#nowNs, 0)
    this.#changes.push(...changes)
    this.#activeCount = active
  }

  #noteSuspension(suspended: boolean): void {
    const before = this.#conditions.find(({ type }) => type === "Suspended")?.status
    if (suspended) {
      this.#startTime = undefined
      if (before === "True") return
      this.#set("Suspended", "JobSuspended", "Job suspended")
      this.#events.push(normal(this.#job, "Suspended", "Job suspended"))
    } else if (before === "True") {
      this.#set("Suspended", "JobResumed", "Job resumed", "False")
      this.#events.push(normal(this.#job, "Resumed", "Job resumed"))
      this.#startTime = timeText(this.#nowNs)
    }
  }

  #deadlineInNs(): Ns {
    const { activeDeadlineSeconds, suspend } = this.#job.spec
    if (activeDeadlineSeconds === undefined || suspend === true || this.#startTime === undefined) {
      return Infinity
    }
    return (timeNs(this.#startTime) ?? this.#nowNs) + activeDeadlineSeconds * SECOND - this.#nowNs
  }

  #has(type: string): boolean {
    return this.#conditions.some((condition) => condition.type === type && condition.status === "True")
  }

  #set(type: string, reason: string, message: string, status = "True"): void {
    const now = timeText(this.#nowNs)
    const condition = { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message }
    this.#conditions = [...this.#conditions.filter((other) => other.type !== type), condition]
  }

  #status(): JobStatus {
    const { ready, terminating, status } = this.#count
    return {
      ...this.#conditions.length === 0 ? {} : { conditions: this.#conditions },
      ...this.#startTime === undefined ? {} : { startTime: this.#startTime },
      ...this.#completionTime === undefined ? {} : { completionTime: this.#completionTime },
      ...this.#activeCount === 0 ? {} : { active: this.#activeCount },
      ready, terminating, ...status
    }
  }
}
