/**
 * From a valid object to what is stored: each kind's strategy (`PrepareForCreate`) and the admission plugins
 * that every cluster runs and that change how pods live: DefaultTolerationSeconds, Priority (0),
 * ServiceAccount. Not supported: the token volume that ServiceAccount mounts, priority classes, quotas, limit
 * ranges.
 */
import type { KubeObject, Meta } from "./object.ts"
import { compare, parse } from "./quantity.ts"
import type { Job } from "./schema/job.ts"
import type { Pod, PodSpec } from "./schema/pod.ts"
import type { Toleration } from "./schema/scheduling.ts"
import { is } from "./typed.ts"

/** A pod leaves a node that is gone after five minutes, unless it says otherwise. */
const TOLERATION_SECONDS = 300
const NODE_TAINTS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]

export function prepareForCreate<T extends KubeObject>(object: T): T {
  const fresh = { ...object, metadata: userMeta(object.metadata) }
  if (is("Node", object)) return fresh
  const { status: _, ...bare } = fresh
  if (is("Pod", bare)) return { ...bare, ...preparePod(bare) } as unknown as T
  if (is("Namespace", bare)) {
    return { ...bare, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } } as unknown as T
  }
  return bare as T
}

/** Without what the server alone sets, as it stands in a pasted `kubectl get -o yaml`. */
function userMeta(metadata: Meta): Meta {
  const {
    uid: _uid, resourceVersion: _version, generation: _generation, creationTimestamp: _created,
    deletionTimestamp: _deleted, deletionGracePeriodSeconds: _grace, ...rest
  } = metadata
  const { managedFields: _managed, selfLink: _link, ...kept } = rest as Readonly<Record<string, unknown>>
  return kept
}

function preparePod(pod: Pod): Pick<Pod, "spec" | "status"> {
  const spec = withAdmission(pod.spec)
  return { spec, status: { phase: "Pending", qosClass: qosClass(spec) } }
}

/** On create and on update alike, so that a manifest without these fields is no change. */
export function withAdmission(spec: PodSpec): PodSpec {
  const tolerations = spec.tolerations ?? []
  return {
    serviceAccountName: "default",
    serviceAccount: "default",
    priority: 0,
    preemptionPolicy: "PreemptLowerPriority",
    ...spec,
    tolerations: [...tolerations, ...missingTolerations(tolerations)]
  }
}

function missingTolerations(given: ReadonlyArray<Toleration>): ReadonlyArray<Toleration> {
  return NODE_TAINTS
    .filter((taint) => !given.some(({ key = "", effect = "" }) =>
      (key === taint || key === "") && (effect === "NoExecute" || effect === "")))
    .map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: TOLERATION_SECONDS }))
}

/** Who is evicted first (pkg/apis/core/v1/helper/qos): only cpu and memory count. */
export function qosClass(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  const containers = [...spec.containers, ...spec.initContainers ?? []]
  const asks = containers.some(({ resources = {} }) => ["cpu", "memory"].some((name) =>
    parse(resources.requests?.[name] ?? 0) > 0n || parse(resources.limits?.[name] ?? 0) > 0n))
  if (!asks) return "BestEffort"
  const isGuaranteed = containers.every(({ resources = {} }) => ["cpu", "memory"].every((name) => {
    const limit = resources.limits?.[name]
    if (limit === undefined || parse(limit) <= 0n) return false
    return compare(resources.requests?.[name] ?? limit, limit) === 0
  }))
  return isGuaranteed ? "Guaranteed" : "Burstable"
}

/** The selector that a Job gets from the server, and the labels on its pods, once its uid is known. */
export function withJobSelector<T extends Job>(job: T, uid: string): T {
  if (job.spec.manualSelector === true) return job
  const name = job.metadata.name!
  const { metadata } = job.spec.template
  const labels = {
    ...metadata.labels, "batch.kubernetes.io/controller-uid": uid, "controller-uid": uid,
    "batch.kubernetes.io/job-name": name, "job-name": name
  }
  return {
    ...job,
    spec: {
      ...job.spec,
      selector: { matchLabels: { "batch.kubernetes.io/controller-uid": uid } },
      template: { ...job.spec.template, metadata: { ...metadata, labels } }
    }
  }
}
