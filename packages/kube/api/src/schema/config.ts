/** ConfigMap, Secret and ServiceAccount (core/v1). Stored and checked; nothing is mounted. */
import * as Schema from "effect/Schema"
import { ObjectMeta } from "./meta.ts"
import { LocalObjectReference, ObjectReference } from "./reference.ts"
import { Base64, StringMap, mapOf, optional } from "./scalar.ts"

export const ConfigMap = Schema.Struct({
  apiVersion: Schema.Literal("v1"),
  kind: Schema.Literal("ConfigMap"),
  metadata: ObjectMeta,
  immutable: optional(Schema.Boolean),
  data: optional(StringMap),
  binaryData: optional(mapOf(Base64))
})
export type ConfigMap = typeof ConfigMap.Type

export const Secret = Schema.Struct({
  apiVersion: Schema.Literal("v1"),
  kind: Schema.Literal("Secret"),
  metadata: ObjectMeta,
  immutable: optional(Schema.Boolean),
  data: optional(mapOf(Base64)),
  stringData: optional(StringMap),
  type: optional(Schema.String)
})
export type Secret = typeof Secret.Type

export const ServiceAccount = Schema.Struct({
  apiVersion: Schema.Literal("v1"),
  kind: Schema.Literal("ServiceAccount"),
  metadata: ObjectMeta,
  secrets: optional(Schema.Array(ObjectReference)),
  imagePullSecrets: optional(Schema.Array(LocalObjectReference)),
  automountServiceAccountToken: optional(Schema.Boolean)
})
export type ServiceAccount = typeof ServiceAccount.Type
