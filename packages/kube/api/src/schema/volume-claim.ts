/**
 * PersistentVolumeClaim, and the claim that a pod carries with it (core/v1).
 * Stored and checked; nothing is ever mounted.
 */
import * as Schema from "effect/Schema"
import { LabelSelector, ObjectMeta } from "./meta.ts"
import { TypedLocalObjectReference, TypedObjectReference } from "./reference.ts"
import { VolumeResourceRequirements } from "./resource.ts"
import { Quantity, StringMap, Time, mapOf, optional } from "./scalar.ts"

export const PersistentVolumeClaimSpec = Schema.Struct({
  accessModes: optional(Schema.Array(Schema.String)),
  selector: optional(LabelSelector),
  resources: optional(VolumeResourceRequirements),
  volumeName: optional(Schema.String),
  storageClassName: optional(Schema.String),
  volumeMode: optional(Schema.String),
  dataSource: optional(TypedLocalObjectReference),
  dataSourceRef: optional(TypedObjectReference),
  volumeAttributesClassName: optional(Schema.String)
})
export type PersistentVolumeClaimSpec = typeof PersistentVolumeClaimSpec.Type

export const PersistentVolumeClaimCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  lastProbeTime: optional(Time),
  lastTransitionTime: optional(Time),
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type PersistentVolumeClaimCondition = typeof PersistentVolumeClaimCondition.Type

export const ModifyVolumeStatus = Schema.Struct({
  targetVolumeAttributesClassName: optional(Schema.String),
  status: optional(Schema.String)
})
export type ModifyVolumeStatus = typeof ModifyVolumeStatus.Type

export const PersistentVolumeClaimStatus = Schema.Struct({
  phase: optional(Schema.String),
  accessModes: optional(Schema.Array(Schema.String)),
  capacity: optional(mapOf(Quantity)),
  conditions: optional(Schema.Array(PersistentVolumeClaimCondition)),
  allocatedResources: optional(mapOf(Quantity)),
  allocatedResourceStatuses: optional(StringMap),
  currentVolumeAttributesClassName: optional(Schema.String),
  modifyVolumeStatus: optional(ModifyVolumeStatus)
})
export type PersistentVolumeClaimStatus = typeof PersistentVolumeClaimStatus.Type

export const PersistentVolumeClaim = Schema.Struct({
  apiVersion: Schema.Literal("v1"),
  kind: Schema.Literal("PersistentVolumeClaim"),
  metadata: ObjectMeta,
  spec: PersistentVolumeClaimSpec,
  status: optional(PersistentVolumeClaimStatus)
})
export type PersistentVolumeClaim = typeof PersistentVolumeClaim.Type

export const PersistentVolumeClaimTemplate = Schema.Struct({
  metadata: optional(ObjectMeta),
  spec: PersistentVolumeClaimSpec
})
export type PersistentVolumeClaimTemplate = typeof PersistentVolumeClaimTemplate.Type

/** As a StatefulSet holds them: the kind is known, so hardly anybody writes it. */
export const StatefulSetVolumeClaim = Schema.Struct({
  ...PersistentVolumeClaim.fields,
  apiVersion: optional(Schema.String),
  kind: optional(Schema.String)
})
export type StatefulSetVolumeClaim = typeof StatefulSetVolumeClaim.Type
