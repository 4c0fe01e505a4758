/** What every object carries (apimachinery meta/v1). */
import * as Schema from "effect/Schema"
import { Int64, Opaque, StringMap, Time, optional } from "./scalar.ts"

export const OwnerReference = Schema.Struct({
  apiVersion: Schema.String,
  kind: Schema.String,
  name: Schema.String,
  uid: Schema.String,
  controller: optional(Schema.Boolean),
  blockOwnerDeletion: optional(Schema.Boolean)
})
export type OwnerReference = typeof OwnerReference.Type

export const ManagedFieldsEntry = Schema.Struct({
  manager: optional(Schema.String),
  operation: optional(Schema.String),
  apiVersion: optional(Schema.String),
  time: optional(Time),
  fieldsType: optional(Schema.String),
  fieldsV1: optional(Opaque),
  subresource: optional(Schema.String)
})
export type ManagedFieldsEntry = typeof ManagedFieldsEntry.Type

export const ObjectMeta = Schema.Struct({
  name: optional(Schema.String),
  generateName: optional(Schema.String),
  namespace: optional(Schema.String),
  selfLink: optional(Schema.String),
  uid: optional(Schema.String),
  resourceVersion: optional(Schema.String),
  generation: optional(Int64),
  creationTimestamp: optional(Time),
  deletionTimestamp: optional(Time),
  deletionGracePeriodSeconds: optional(Int64),
  labels: optional(StringMap),
  annotations: optional(StringMap),
  ownerReferences: optional(Schema.Array(OwnerReference)),
  finalizers: optional(Schema.Array(Schema.String)),
  managedFields: optional(Schema.Array(ManagedFieldsEntry))
})
export type ObjectMeta = typeof ObjectMeta.Type

export const LabelSelectorRequirement = Schema.Struct({
  key: Schema.String,
  operator: Schema.String,
  values: optional(Schema.Array(Schema.String))
})
export type LabelSelectorRequirement = typeof LabelSelectorRequirement.Type

export const LabelSelector = Schema.Struct({
  matchLabels: optional(StringMap),
  matchExpressions: optional(Schema.Array(LabelSelectorRequirement))
})
export type LabelSelector = typeof LabelSelector.Type

export const Condition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  observedGeneration: optional(Int64),
  lastTransitionTime: Time,
  reason: Schema.String,
  message: Schema.String
})
export type Condition = typeof Condition.Type
