/** HorizontalPodAutoscaler (autoscaling/v2). Stored and checked; nothing is scaled by it. */
import * as Schema from "effect/Schema"
import { LabelSelector, ObjectMeta } from "./meta.ts"
import { Int32, Int64, Quantity, Time, optional } from "./scalar.ts"

export const CrossVersionObjectReference = Schema.Struct({
  kind: Schema.String,
  name: Schema.String,
  apiVersion: optional(Schema.String)
})
export type CrossVersionObjectReference = typeof CrossVersionObjectReference.Type

export const MetricTarget = Schema.Struct({
  type: Schema.String,
  value: optional(Quantity),
  averageValue: optional(Quantity),
  averageUtilization: optional(Int32)
})
export type MetricTarget = typeof MetricTarget.Type

export const MetricIdentifier = Schema.Struct({
  name: Schema.String,
  selector: optional(LabelSelector)
})
export type MetricIdentifier = typeof MetricIdentifier.Type

export const ObjectMetricSource = Schema.Struct({
  describedObject: CrossVersionObjectReference,
  target: MetricTarget,
  metric: MetricIdentifier
})
export type ObjectMetricSource = typeof ObjectMetricSource.Type

export const PodsMetricSource = Schema.Struct({
  metric: MetricIdentifier,
  target: MetricTarget
})
export type PodsMetricSource = typeof PodsMetricSource.Type

export const ResourceMetricSource = Schema.Struct({
  name: Schema.String,
  target: MetricTarget
})
export type ResourceMetricSource = typeof ResourceMetricSource.Type

export const ContainerResourceMetricSource = Schema.Struct({
  name: Schema.String,
  target: MetricTarget,
  container: Schema.String
})
export type ContainerResourceMetricSource = typeof ContainerResourceMetricSource.Type

export const ExternalMetricSource = Schema.Struct({
  metric: MetricIdentifier,
  target: MetricTarget
})
export type ExternalMetricSource = typeof ExternalMetricSource.Type

export const MetricSpec = Schema.Struct({
  type: Schema.String,
  object: optional(ObjectMetricSource),
  pods: optional(PodsMetricSource),
  resource: optional(ResourceMetricSource),
  containerResource: optional(ContainerResourceMetricSource),
  external: optional(ExternalMetricSource)
})
export type MetricSpec = typeof MetricSpec.Type

export const HPAScalingPolicy = Schema.Struct({
  type: Schema.String,
  value: Int32,
  periodSeconds: Int32
})
export type HPAScalingPolicy = typeof HPAScalingPolicy.Type

export const HPAScalingRules = Schema.Struct({
  stabilizationWindowSeconds: optional(Int32),
  selectPolicy: optional(Schema.String),
  policies: optional(Schema.Array(HPAScalingPolicy)),
  tolerance: optional(Quantity)
})
export type HPAScalingRules = typeof HPAScalingRules.Type

export const HorizontalPodAutoscalerBehavior = Schema.Struct({
  scaleUp: optional(HPAScalingRules),
  scaleDown: optional(HPAScalingRules)
})
export type HorizontalPodAutoscalerBehavior = typeof HorizontalPodAutoscalerBehavior.Type

export const HorizontalPodAutoscalerSpec = Schema.Struct({
  scaleTargetRef: CrossVersionObjectReference,
  minReplicas: optional(Int32),
  maxReplicas: Int32,
  metrics: optional(Schema.Array(MetricSpec)),
  behavior: optional(HorizontalPodAutoscalerBehavior)
})
export type HorizontalPodAutoscalerSpec = typeof HorizontalPodAutoscalerSpec.Type

export const MetricValueStatus = Schema.Struct({
  value: optional(Quantity),
  averageValue: optional(Quantity),
  averageUtilization: optional(Int32)
})
export type MetricValueStatus = typeof MetricValueStatus.Type

export const ObjectMetricStatus = Schema.Struct({
  metric: optional(MetricIdentifier),
  current: optional(MetricValueStatus),
  describedObject: optional(CrossVersionObjectReference)
})
export type ObjectMetricStatus = typeof ObjectMetricStatus.Type

export const PodsMetricStatus = Schema.Struct({
  metric: optional(MetricIdentifier),
  current: optional(MetricValueStatus)
})
export type PodsMetricStatus = typeof PodsMetricStatus.Type

export const ResourceMetricStatus = Schema.Struct({
  name: optional(Schema.String),
  current: optional(MetricValueStatus)
})
export type ResourceMetricStatus = typeof ResourceMetricStatus.Type

export const ContainerResourceMetricStatus = Schema.Struct({
  name: optional(Schema.String),
  current: optional(MetricValueStatus),
  container: optional(Schema.String)
})
export type ContainerResourceMetricStatus = typeof ContainerResourceMetricStatus.Type

export const ExternalMetricStatus = Schema.Struct({
  metric: optional(MetricIdentifier),
  current: optional(MetricValueStatus)
})
export type ExternalMetricStatus = typeof ExternalMetricStatus.Type

export const MetricStatus = Schema.Struct({
  type: optional(Schema.String),
  object: optional(ObjectMetricStatus),
  pods: optional(PodsMetricStatus),
  resource: optional(ResourceMetricStatus),
  containerResource: optional(ContainerResourceMetricStatus),
  external: optional(ExternalMetricStatus)
})
export type MetricStatus = typeof MetricStatus.Type

export const HorizontalPodAutoscalerCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  lastTransitionTime: optional(Time),
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type HorizontalPodAutoscalerCondition = typeof HorizontalPodAutoscalerCondition.Type

export const HorizontalPodAutoscalerStatus = Schema.Struct({
  observedGeneration: optional(Int64),
  lastScaleTime: optional(Time),
  currentReplicas: optional(Int32),
  desiredReplicas: optional(Int32),
  currentMetrics: optional(Schema.Array(MetricStatus)),
  conditions: optional(Schema.Array(HorizontalPodAutoscalerCondition))
})
export type HorizontalPodAutoscalerStatus = typeof HorizontalPodAutoscalerStatus.Type

export const HorizontalPodAutoscaler = Schema.Struct({
  apiVersion: Schema.Literal("autoscaling/v2"),
  kind: Schema.Literal("HorizontalPodAutoscaler"),
  metadata: ObjectMeta,
  spec: HorizontalPodAutoscalerSpec,
  status: optional(HorizontalPodAutoscalerStatus)
})
export type HorizontalPodAutoscaler = typeof HorizontalPodAutoscaler.Type
