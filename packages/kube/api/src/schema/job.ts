/** Job (batch/v1). */
import * as Schema from "effect/Schema"
import { LabelSelector, ObjectMeta } from "./meta.ts"
import { PodTemplateSpec } from "./pod.ts"
import { Int32, Int64, Time, optional } from "./scalar.ts"

export const PodFailurePolicyOnExitCodesRequirement = Schema.Struct({
  containerName: optional(Schema.String),
  operator: Schema.String,
  values: Schema.Array(Int32)
})
export type PodFailurePolicyOnExitCodesRequirement = typeof PodFailurePolicyOnExitCodesRequirement.Type

export const PodFailurePolicyOnPodConditionsPattern = Schema.Struct({
  type: Schema.String,
  status: optional(Schema.String)
})
export type PodFailurePolicyOnPodConditionsPattern = typeof PodFailurePolicyOnPodConditionsPattern.Type

export const PodFailurePolicyRule = Schema.Struct({
  action: Schema.String,
  onExitCodes: optional(PodFailurePolicyOnExitCodesRequirement),
  onPodConditions: optional(Schema.Array(PodFailurePolicyOnPodConditionsPattern))
})
export type PodFailurePolicyRule = typeof PodFailurePolicyRule.Type

export const PodFailurePolicy = Schema.Struct({
  rules: Schema.Array(PodFailurePolicyRule)
})
export type PodFailurePolicy = typeof PodFailurePolicy.Type

export const SuccessPolicyRule = Schema.Struct({
  succeededIndexes: optional(Schema.String),
  succeededCount: optional(Int32)
})
export type SuccessPolicyRule = typeof SuccessPolicyRule.Type

export const SuccessPolicy = Schema.Struct({
  rules: Schema.Array(SuccessPolicyRule)
})
export type SuccessPolicy = typeof SuccessPolicy.Type

export const JobSpec = Schema.Struct({
  parallelism: optional(Int32),
  completions: optional(Int32),
  activeDeadlineSeconds: optional(Int64),
  podFailurePolicy: optional(PodFailurePolicy),
  successPolicy: optional(SuccessPolicy),
  backoffLimit: optional(Int32),
  backoffLimitPerIndex: optional(Int32),
  maxFailedIndexes: optional(Int32),
  selector: optional(LabelSelector),
  manualSelector: optional(Schema.Boolean),
  template: PodTemplateSpec,
  ttlSecondsAfterFinished: optional(Int32),
  completionMode: optional(Schema.String),
  suspend: optional(Schema.Boolean),
  podReplacementPolicy: optional(Schema.String),
  managedBy: optional(Schema.String)
})
export type JobSpec = typeof JobSpec.Type

export const JobCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  lastProbeTime: optional(Time),
  lastTransitionTime: optional(Time),
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type JobCondition = typeof JobCondition.Type

export const UncountedTerminatedPods = Schema.Struct({
  succeeded: optional(Schema.Array(Schema.String)),
  failed: optional(Schema.Array(Schema.String))
})
export type UncountedTerminatedPods = typeof UncountedTerminatedPods.Type

export const JobStatus = Schema.Struct({
  conditions: optional(Schema.Array(JobCondition)),
  startTime: optional(Time),
  completionTime: optional(Time),
  active: optional(Int32),
  succeeded: optional(Int32),
  failed: optional(Int32),
  terminating: optional(Int32),
  completedIndexes: optional(Schema.String),
  failedIndexes: optional(Schema.String),
  uncountedTerminatedPods: optional(UncountedTerminatedPods),
  ready: optional(Int32)
})
export type JobStatus = typeof JobStatus.Type

export const Job = Schema.Struct({
  apiVersion: Schema.Literal("batch/v1"),
  kind: Schema.Literal("Job"),
  metadata: ObjectMeta,
  spec: JobSpec,
  status: optional(JobStatus)
})
export type Job = typeof Job.Type
