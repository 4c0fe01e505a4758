/**
 * Deployment, ReplicaSet, StatefulSet, DaemonSet and Job as the API server checks them
 * (pkg/apis/apps/validation and pkg/apis/batch/validation).
 * Stricter than the server in one thing: a StatefulSet's pod template is checked like any other, together
 * with its volume claims; the server lets it pass and then refuses every pod.
 * Not supported: a Job's podFailurePolicy and successPolicy beyond their shape.
 */
import { matchesLabels } from "../selector.ts"
import type { DaemonSet } from "../schema/daemon-set.ts"
import type { Deployment } from "../schema/deployment.ts"
import type { Job, JobSpec } from "../schema/job.ts"
import type { LabelSelector } from "../schema/meta.ts"
import type { PodTemplateSpec } from "../schema/pod.ts"
import type { ReplicaSet } from "../schema/replica-set.ts"
import type { StatefulSet } from "../schema/stateful-set.ts"
import { type Field, nonNegative, sortedEntries } from "./field.ts"
import { labelValue, percent } from "./format.ts"
import { isEmptySelector, validateLabelSelector } from "./meta.ts"
import { validateTemplate } from "./pod.ts"

const INDEXED_COMPLETIONS_MAX = 1_000_000_000
const INDEXED_PARALLELISM_MAX = 100_000

export function validateDeployment({ spec }: Deployment, root: Field): void {
  const field = root.child("spec")
  nonNegative(field.child("replicas"), spec.replicas)
  validateSelector(spec.selector, "deployment", field.child("selector"))
  validateAlwaysRestarted(spec.selector, spec.template, "ReplicaSet", field.child("template"))
  validateDeploymentStrategy(spec, field.child("strategy"))
  nonNegative(field.child("minReadySeconds"), spec.minReadySeconds)
  nonNegative(field.child("revisionHistoryLimit"), spec.revisionHistoryLimit)
  const deadline = spec.progressDeadlineSeconds
  nonNegative(field.child("progressDeadlineSeconds"), deadline)
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    field.child("progressDeadlineSeconds").invalid(deadline, "must be greater than minReadySeconds")
  }
}

function validateDeploymentStrategy({ strategy = {} }: Deployment["spec"], field: Field): void {
  const { type = "RollingUpdate", rollingUpdate } = strategy
  if (type === "Recreate") {
    if (rollingUpdate !== undefined) {
      field.child("rollingUpdate").forbidden("may not be specified when strategy `type` is 'Recreate'")
    }
    return
  }
  // The server prints the whole strategy here; the type is what is wrong.
  if (type !== "RollingUpdate") return field.child("type").notSupported(type, ["Recreate", "RollingUpdate"])
  const { maxUnavailable = "25%", maxSurge = "25%" } = rollingUpdate ?? {}
  const at = field.child("rollingUpdate")
  validateIntOrPercent(maxUnavailable, at.child("maxUnavailable"))
  validateIntOrPercent(maxSurge, at.child("maxSurge"))
  if (intOrPercent(maxUnavailable) === 0 && intOrPercent(maxSurge) === 0) {
    at.child("maxUnavailable").invalid(maxUnavailable, "may not be 0 when `maxSurge` is 0")
  }
  atMostAll(maxUnavailable, at.child("maxUnavailable"))
}

export function validateReplicaSet({ spec }: ReplicaSet, root: Field): void {
  const field = root.child("spec")
  nonNegative(field.child("replicas"), spec.replicas)
  nonNegative(field.child("minReadySeconds"), spec.minReadySeconds)
  validateSelector(spec.selector, "replicaset", field.child("selector"))
  if (spec.template === undefined) field.child("template").required()
  else validateAlwaysRestarted(spec.selector, spec.template, "ReplicaSet", field.child("template"))
}

export function validateStatefulSet({ spec }: StatefulSet, root: Field): void {
  const field = root.child("spec")
  const { podManagementPolicy: policy = "OrderedReady", updateStrategy = {} } = spec
  if (policy !== "OrderedReady" && policy !== "Parallel") {
    field.child("podManagementPolicy").invalid(policy, "must be 'OrderedReady' or 'Parallel'")
  }
  const { type = "RollingUpdate", rollingUpdate } = updateStrategy
  const strategy = field.child("updateStrategy")
  if (type === "OnDelete") {
    if (rollingUpdate !== undefined) {
      strategy.child("rollingUpdate")
        .invalid(rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")
    }
  } else if (type !== "RollingUpdate") {
    strategy.invalid(updateStrategy, "must be 'RollingUpdate' or 'OnDelete'")
  } else if (rollingUpdate !== undefined) {
    nonNegative(strategy.child("rollingUpdate", "partition"), rollingUpdate.partition)
    const { maxUnavailable } = rollingUpdate
    if (maxUnavailable !== undefined) {
      const at = strategy.child("rollingUpdate", "maxUnavailable")
      validateIntOrPercent(maxUnavailable, at)
      if (intOrPercent(maxUnavailable) === 0) at.invalid(maxUnavailable, "cannot be 0")
      atMostAll(maxUnavailable, at)
    }
  }
  const { persistentVolumeClaimRetentionPolicy: retention = {} } = spec
  for (const key of ["whenDeleted", "whenScaled"] as const) {
    const value = retention[key]
    if (value !== undefined && value !== "Retain" && value !== "Delete") {
      field.child("persistentVolumeClaimRetentionPolicy", key).notSupported(value, ["Retain", "Delete"])
    }
  }
  nonNegative(field.child("replicas"), spec.replicas)
  nonNegative(field.child("minReadySeconds"), spec.minReadySeconds)
  nonNegative(field.child("ordinals", "start"), spec.ordinals?.start)
  nonNegative(field.child("revisionHistoryLimit"), spec.revisionHistoryLimit)
  validateSelector(spec.selector, "statefulset", field.child("selector"))
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name ?? "")
  validateAlwaysRestarted(spec.selector, spec.template, "StatefulSet", field.child("template"), claims)
}

export function validateDaemonSet({ spec }: DaemonSet, root: Field): void {
  const field = root.child("spec")
  validateSelector(spec.selector, "daemonset", field.child("selector"))
  validateAlwaysRestarted(spec.selector, spec.template, "DaemonSet", field.child("template"))
  nonNegative(field.child("minReadySeconds"), spec.minReadySeconds)
  nonNegative(field.child("revisionHistoryLimit"), spec.revisionHistoryLimit)
  const { type = "RollingUpdate", rollingUpdate } = spec.updateStrategy ?? {}
  const strategy = field.child("updateStrategy")
  if (type === "OnDelete") return
  if (type !== "RollingUpdate") {
    return strategy.child("type").notSupported(type, ["RollingUpdate", "OnDelete"])
  }
  const { maxUnavailable = 1, maxSurge = 0 } = rollingUpdate ?? {}
  const at = strategy.child("rollingUpdate")
  for (const [value, key] of [[maxUnavailable, "maxUnavailable"], [maxSurge, "maxSurge"]] as const) {
    validateIntOrPercent(value, at.child(key))
    atMostAll(value, at.child(key))
  }
  const hasUnavailable = intOrPercent(maxUnavailable) !== 0
  const hasSurge = intOrPercent(maxSurge) !== 0
  if (hasUnavailable && hasSurge) {
    at.child("maxSurge").invalid(maxSurge, "may not be set when maxUnavailable is non-zero")
  }
  if (!hasUnavailable && !hasSurge) at.child("maxUnavailable").required("cannot be 0 when maxSurge is 0")
}

export function validateJob({ metadata, spec }: Job, root: Field): void {
  const field = root.child("spec")
  validateJobSpec(spec, field)
  if (spec.manualSelector !== true) {
    // The server puts the name on the pods as a label, `job-name`.
    field.child("template", "metadata", "labels").invalidEach(metadata.name, labelValue(metadata.name ?? ""))
  }
  if (spec.manualSelector === true) {
    if (spec.selector === undefined) return field.child("selector").required()
    validateLabelSelector(spec.selector, field.child("selector"))
    validateMatch(spec.selector, spec.template, field.child("template"))
  } else if (spec.selector !== undefined && !isGenerated(spec.selector)) {
    field.child("selector").invalid(spec.selector, "`selector` not auto-generated")
  }
}

/** The selector that the server makes, as it stands in a pasted `kubectl get -o yaml`. */
function isGenerated(selector: LabelSelector): boolean {
  const keys = Object.keys(selector.matchLabels ?? {})
  return (selector.matchExpressions ?? []).length === 0 && keys.length === 1 &&
    (keys[0] === "batch.kubernetes.io/controller-uid" || keys[0] === "controller-uid")
}

function validateJobSpec(spec: JobSpec, field: Field): void {
  for (const key of [
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
    "backoffLimitPerIndex", "maxFailedIndexes"
  ] as const) nonNegative(field.child(key), spec[key])
  const { completionMode: mode = "NonIndexed" } = spec
  if (mode !== "NonIndexed" && mode !== "Indexed") {
    field.child("completionMode").notSupported(mode, ["NonIndexed", "Indexed"])
  }
  if (mode === "Indexed") {
    const { completions, parallelism = 1 } = spec
    if (completions === undefined) field.child("completions").required("when completion mode is Indexed")
    else if (completions > INDEXED_COMPLETIONS_MAX) {
      field.child("completions").invalid(completions, `must be less than or equal to ` +
        "${INDEXED_COMPLETIONS_MAX} when completion mode is Indexed")
    }
    if (parallelism > INDEXED_PARALLELISM_MAX) {
      field.child("parallelism").invalid(parallelism,
        `must be less than or equal to ${INDEXED_PARALLELISM_MAX} when completion mode is Indexed`)
    }
  } else if (spec.backoffLimitPerIndex !== undefined) {
    field.child("backoffLimitPerIndex").invalid(spec.backoffLimitPerIndex, "requires indexed completion mode")
  }
  const { podReplacementPolicy: replacement } = spec
  if (replacement !== undefined && !["Failed", "TerminatingOrFailed"].includes(replacement)) {
    field.child("podReplacementPolicy").notSupported(replacement, ["Failed", "TerminatingOrFailed"])
  }
  validateTemplate(spec.template, field.child("template"))
  const { restartPolicy = "Always" } = spec.template.spec
  if (restartPolicy === "Always") {
    field.child("template", "spec", "restartPolicy").required("valid values: \"OnFailure\", \"Never\"")
  }
}

function validateSelector(selector: LabelSelector | undefined, kind: string, field: Field): void {
  if (selector === undefined) return field.required()
  validateLabelSelector(selector, field)
  if (isEmptySelector(selector)) field.invalid(selector, `empty selector is invalid for ${kind}`)
}

function validateAlwaysRestarted(
  selector: LabelSelector | undefined, template: PodTemplateSpec, kind: string, field: Field,
  claims: ReadonlyArray<string> = []
): void {
  if (selector !== undefined) validateMatch(selector, template, field)
  validateTemplate(template, field, claims)
  const { restartPolicy, activeDeadlineSeconds } = template.spec
  if (restartPolicy !== undefined && restartPolicy !== "Always") {
    field.child("spec", "restartPolicy").notSupported(restartPolicy, ["Always"])
  }
  if (activeDeadlineSeconds !== undefined) {
    field.child("spec", "activeDeadlineSeconds")
      .forbidden(`activeDeadlineSeconds in ${kind} is not Supported`)
  }
}

/** An empty selector has been refused already. */
function validateMatch(selector: LabelSelector, template: PodTemplateSpec, field: Field): void {
  const { labels } = template.metadata
  if (isEmptySelector(selector) || matchesLabels(selector, labels)) return
  // A map that is not there prints as null, and any other in the order of its keys.
  const printed = labels === undefined ? null : Object.fromEntries(sortedEntries(labels))
  field.child("metadata", "labels").invalid(printed, "`selector` does not match template `labels`")
}

/** `25%` counts 25: only zero and a hundred matter to the checks. */
function intOrPercent(value: number | string): number {
  return typeof value === "number" ? value : percent(value).length === 0 ? Number(value.slice(0, -1)) : 0
}

function validateIntOrPercent(value: number | string, field: Field): void {
  if (typeof value === "string") field.invalidEach(value, percent(value))
  else nonNegative(field, value)
}

function atMostAll(value: number | string, field: Field): void {
  if (typeof value === "string" && intOrPercent(value) > 100) {
    field.invalid(value, "must not be greater than 100%")
  }
}
