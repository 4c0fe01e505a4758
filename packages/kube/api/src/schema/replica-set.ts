/** ReplicaSet (apps/v1). */
import * as Schema from "effect/Schema"
import { LabelSelector, ObjectMeta } from "./meta.ts"
import { PodTemplateSpec } from "./pod.ts"
import { Int32, Int64, Time, optional } from "./scalar.ts"

export const ReplicaSetSpec = Schema.Struct({
  replicas: optional(Int32),
  minReadySeconds: optional(Int32),
  selector: LabelSelector,
  template: optional(PodTemplateSpec)
})
export type ReplicaSetSpec = typeof ReplicaSetSpec.Type

export const ReplicaSetCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  lastTransitionTime: optional(Time),
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type ReplicaSetCondition = typeof ReplicaSetCondition.Type

export const ReplicaSetStatus = Schema.Struct({
  replicas: optional(Int32),
  fullyLabeledReplicas: optional(Int32),
  readyReplicas: optional(Int32),
  availableReplicas: optional(Int32),
  terminatingReplicas: optional(Int32),
  observedGeneration: optional(Int64),
  conditions: optional(Schema.Array(ReplicaSetCondition))
})
export type ReplicaSetStatus = typeof ReplicaSetStatus.Type

export const ReplicaSet = Schema.Struct({
  apiVersion: Schema.Literal("apps/v1"),
  kind: Schema.Literal("ReplicaSet"),
  metadata: ObjectMeta,
  spec: ReplicaSetSpec,
  status: optional(ReplicaSetStatus)
})
export type ReplicaSet = typeof ReplicaSet.Type
