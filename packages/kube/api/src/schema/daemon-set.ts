/** DaemonSet (apps/v1). */
import * as Schema from "effect/Schema"
import { LabelSelector, ObjectMeta } from "./meta.ts"
import { PodTemplateSpec } from "./pod.ts"
import { Int32, Int64, IntOrString, Time, optional } from "./scalar.ts"

export const RollingUpdateDaemonSet = Schema.Struct({
  maxUnavailable: optional(IntOrString),
  maxSurge: optional(IntOrString)
})
export type RollingUpdateDaemonSet = typeof RollingUpdateDaemonSet.Type

export const DaemonSetUpdateStrategy = Schema.Struct({
  type: optional(Schema.String),
  rollingUpdate: optional(RollingUpdateDaemonSet)
})
export type DaemonSetUpdateStrategy = typeof DaemonSetUpdateStrategy.Type

export const DaemonSetSpec = Schema.Struct({
  selector: LabelSelector,
  template: PodTemplateSpec,
  updateStrategy: optional(DaemonSetUpdateStrategy),
  minReadySeconds: optional(Int32),
  revisionHistoryLimit: optional(Int32)
})
export type DaemonSetSpec = typeof DaemonSetSpec.Type

export const DaemonSetCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  lastTransitionTime: optional(Time),
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type DaemonSetCondition = typeof DaemonSetCondition.Type

export const DaemonSetStatus = Schema.Struct({
  currentNumberScheduled: optional(Int32),
  numberMisscheduled: optional(Int32),
  desiredNumberScheduled: optional(Int32),
  numberReady: optional(Int32),
  observedGeneration: optional(Int64),
  updatedNumberScheduled: optional(Int32),
  numberAvailable: optional(Int32),
  numberUnavailable: optional(Int32),
  collisionCount: optional(Int32),
  conditions: optional(Schema.Array(DaemonSetCondition))
})
export type DaemonSetStatus = typeof DaemonSetStatus.Type

export const DaemonSet = Schema.Struct({
  apiVersion: Schema.Literal("apps/v1"),
  kind: Schema.Literal("DaemonSet"),
  metadata: ObjectMeta,
  spec: DaemonSetSpec,
  status: optional(DaemonSetStatus)
})
export type DaemonSet = typeof DaemonSet.Type
