/** StatefulSet (apps/v1). */
import * as Schema from "effect/Schema"
import { LabelSelector, ObjectMeta } from "./meta.ts"
import { PodTemplateSpec } from "./pod.ts"
import { StatefulSetVolumeClaim } from "./volume-claim.ts"
import { Int32, Int64, IntOrString, Time, optional } from "./scalar.ts"

export const RollingUpdateStatefulSetStrategy = Schema.Struct({
  partition: optional(Int32),
  maxUnavailable: optional(IntOrString)
})
export type RollingUpdateStatefulSetStrategy = typeof RollingUpdateStatefulSetStrategy.Type

export const StatefulSetUpdateStrategy = Schema.Struct({
  type: optional(Schema.String),
  rollingUpdate: optional(RollingUpdateStatefulSetStrategy)
})
export type StatefulSetUpdateStrategy = typeof StatefulSetUpdateStrategy.Type

export const StatefulSetPersistentVolumeClaimRetentionPolicy = Schema.Struct({
  whenDeleted: optional(Schema.String),
  whenScaled: optional(Schema.String)
})
export type StatefulSetPersistentVolumeClaimRetentionPolicy =
  typeof StatefulSetPersistentVolumeClaimRetentionPolicy.Type

export const StatefulSetOrdinals = Schema.Struct({
  start: optional(Int32)
})
export type StatefulSetOrdinals = typeof StatefulSetOrdinals.Type

export const StatefulSetSpec = Schema.Struct({
  replicas: optional(Int32),
  selector: LabelSelector,
  template: PodTemplateSpec,
  volumeClaimTemplates: optional(Schema.Array(StatefulSetVolumeClaim)),
  serviceName: optional(Schema.String),
  podManagementPolicy: optional(Schema.String),
  updateStrategy: optional(StatefulSetUpdateStrategy),
  revisionHistoryLimit: optional(Int32),
  minReadySeconds: optional(Int32),
  persistentVolumeClaimRetentionPolicy: optional(StatefulSetPersistentVolumeClaimRetentionPolicy),
  ordinals: optional(StatefulSetOrdinals)
})
export type StatefulSetSpec = typeof StatefulSetSpec.Type

export const StatefulSetCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  lastTransitionTime: optional(Time),
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type StatefulSetCondition = typeof StatefulSetCondition.Type

export const StatefulSetStatus = Schema.Struct({
  observedGeneration: optional(Int64),
  replicas: optional(Int32),
  readyReplicas: optional(Int32),
  currentReplicas: optional(Int32),
  updatedReplicas: optional(Int32),
  currentRevision: optional(Schema.String),
  updateRevision: optional(Schema.String),
  collisionCount: optional(Int32),
  conditions: optional(Schema.Array(StatefulSetCondition)),
  availableReplicas: optional(Int32)
})
export type StatefulSetStatus = typeof StatefulSetStatus.Type

export const StatefulSet = Schema.Struct({
  apiVersion: Schema.Literal("apps/v1"),
  kind: Schema.Literal("StatefulSet"),
  metadata: ObjectMeta,
  spec: StatefulSetSpec,
  status: optional(StatefulSetStatus)
})
export type StatefulSet = typeof StatefulSet.Type
