/** Namespace (core/v1). */
import * as Schema from "effect/Schema"
import { ObjectMeta } from "./meta.ts"
import { Time, optional } from "./scalar.ts"

export const NamespaceSpec = Schema.Struct({
  finalizers: optional(Schema.Array(Schema.String))
})
export type NamespaceSpec = typeof NamespaceSpec.Type

export const NamespaceCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  lastTransitionTime: optional(Time),
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type NamespaceCondition = typeof NamespaceCondition.Type

export const NamespaceStatus = Schema.Struct({
  phase: optional(Schema.String),
  conditions: optional(Schema.Array(NamespaceCondition))
})
export type NamespaceStatus = typeof NamespaceStatus.Type

export const Namespace = Schema.Struct({
  apiVersion: Schema.Literal("v1"),
  kind: Schema.Literal("Namespace"),
  metadata: ObjectMeta,
  spec: NamespaceSpec,
  status: optional(NamespaceStatus)
})
export type Namespace = typeof Namespace.Type
