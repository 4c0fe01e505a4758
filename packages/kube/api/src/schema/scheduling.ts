/** Where a pod may run: affinity, taints, topology spread (core/v1). */
import * as Schema from "effect/Schema"
import { LabelSelector } from "./meta.ts"
import { Int32, Int64, Time, optional } from "./scalar.ts"

export const NodeSelectorRequirement = Schema.Struct({
  key: Schema.String,
  operator: Schema.String,
  values: optional(Schema.Array(Schema.String))
})
export type NodeSelectorRequirement = typeof NodeSelectorRequirement.Type

export const NodeSelectorTerm = Schema.Struct({
  matchExpressions: optional(Schema.Array(NodeSelectorRequirement)),
  matchFields: optional(Schema.Array(NodeSelectorRequirement))
})
export type NodeSelectorTerm = typeof NodeSelectorTerm.Type

export const NodeSelector = Schema.Struct({
  nodeSelectorTerms: Schema.Array(NodeSelectorTerm)
})
export type NodeSelector = typeof NodeSelector.Type

export const PreferredSchedulingTerm = Schema.Struct({
  weight: Int32,
  preference: NodeSelectorTerm
})
export type PreferredSchedulingTerm = typeof PreferredSchedulingTerm.Type

export const NodeAffinity = Schema.Struct({
  requiredDuringSchedulingIgnoredDuringExecution: optional(NodeSelector),
  preferredDuringSchedulingIgnoredDuringExecution: optional(Schema.Array(PreferredSchedulingTerm))
})
export type NodeAffinity = typeof NodeAffinity.Type

export const PodAffinityTerm = Schema.Struct({
  labelSelector: optional(LabelSelector),
  namespaces: optional(Schema.Array(Schema.String)),
  topologyKey: Schema.String,
  namespaceSelector: optional(LabelSelector),
  matchLabelKeys: optional(Schema.Array(Schema.String)),
  mismatchLabelKeys: optional(Schema.Array(Schema.String))
})
export type PodAffinityTerm = typeof PodAffinityTerm.Type

export const WeightedPodAffinityTerm = Schema.Struct({
  weight: Int32,
  podAffinityTerm: PodAffinityTerm
})
export type WeightedPodAffinityTerm = typeof WeightedPodAffinityTerm.Type

export const PodAffinity = Schema.Struct({
  requiredDuringSchedulingIgnoredDuringExecution: optional(Schema.Array(PodAffinityTerm)),
  preferredDuringSchedulingIgnoredDuringExecution: optional(Schema.Array(WeightedPodAffinityTerm))
})
export type PodAffinity = typeof PodAffinity.Type

export const PodAntiAffinity = Schema.Struct({
  requiredDuringSchedulingIgnoredDuringExecution: optional(Schema.Array(PodAffinityTerm)),
  preferredDuringSchedulingIgnoredDuringExecution: optional(Schema.Array(WeightedPodAffinityTerm))
})
export type PodAntiAffinity = typeof PodAntiAffinity.Type

export const Affinity = Schema.Struct({
  nodeAffinity: optional(NodeAffinity),
  podAffinity: optional(PodAffinity),
  podAntiAffinity: optional(PodAntiAffinity)
})
export type Affinity = typeof Affinity.Type

export const Taint = Schema.Struct({
  key: Schema.String,
  value: optional(Schema.String),
  effect: Schema.String,
  timeAdded: optional(Time)
})
export type Taint = typeof Taint.Type

export const Toleration = Schema.Struct({
  key: optional(Schema.String),
  operator: optional(Schema.String),
  value: optional(Schema.String),
  effect: optional(Schema.String),
  tolerationSeconds: optional(Int64)
})
export type Toleration = typeof Toleration.Type

export const TopologySpreadConstraint = Schema.Struct({
  maxSkew: Int32,
  topologyKey: Schema.String,
  whenUnsatisfiable: Schema.String,
  labelSelector: optional(LabelSelector),
  minDomains: optional(Int32),
  nodeAffinityPolicy: optional(Schema.String),
  nodeTaintsPolicy: optional(Schema.String),
  matchLabelKeys: optional(Schema.Array(Schema.String))
})
export type TopologySpreadConstraint = typeof TopologySpreadConstraint.Type
