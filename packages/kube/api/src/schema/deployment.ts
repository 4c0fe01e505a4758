/** Deployment (apps/v1). */
import * as Schema from "effect/Schema"
import { LabelSelector, ObjectMeta } from "./meta.ts"
import { PodTemplateSpec } from "./pod.ts"
import { Int32, Int64, IntOrString, Time, optional } from "./scalar.ts"

export const RollingUpdateDeployment = Schema.Struct({
  maxUnavailable: optional(IntOrString),
  maxSurge: optional(IntOrString)
})
export type RollingUpdateDeployment = typeof RollingUpdateDeployment.Type

export const DeploymentStrategy = Schema.Struct({
  type: optional(Schema.String),
  rollingUpdate: optional(RollingUpdateDeployment)
})
export type DeploymentStrategy = typeof DeploymentStrategy.Type

export const DeploymentSpec = Schema.Struct({
  replicas: optional(Int32),
  selector: LabelSelector,
  template: PodTemplateSpec,
  strategy: optional(DeploymentStrategy),
  minReadySeconds: optional(Int32),
  revisionHistoryLimit: optional(Int32),
  paused: optional(Schema.Boolean),
  progressDeadlineSeconds: optional(Int32)
})
export type DeploymentSpec = typeof DeploymentSpec.Type

export const DeploymentCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  lastUpdateTime: optional(Time),
  lastTransitionTime: optional(Time),
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type DeploymentCondition = typeof DeploymentCondition.Type

export const DeploymentStatus = Schema.Struct({
  observedGeneration: optional(Int64),
  replicas: optional(Int32),
  updatedReplicas: optional(Int32),
  readyReplicas: optional(Int32),
  availableReplicas: optional(Int32),
  unavailableReplicas: optional(Int32),
  terminatingReplicas: optional(Int32),
  conditions: optional(Schema.Array(DeploymentCondition)),
  collisionCount: optional(Int32)
})
export type DeploymentStatus = typeof DeploymentStatus.Type

export const Deployment = Schema.Struct({
  apiVersion: Schema.Literal("apps/v1"),
  kind: Schema.Literal("Deployment"),
  metadata: ObjectMeta,
  spec: DeploymentSpec,
  status: optional(DeploymentStatus)
})
export type Deployment = typeof Deployment.Type
