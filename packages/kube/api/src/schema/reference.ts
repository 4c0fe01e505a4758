/** References from one object to another (core/v1). */
import * as Schema from "effect/Schema"
import { Quantity, optional } from "./scalar.ts"

export const LocalObjectReference = Schema.Struct({
  name: optional(Schema.String)
})
export type LocalObjectReference = typeof LocalObjectReference.Type

export const ObjectReference = Schema.Struct({
  kind: optional(Schema.String),
  namespace: optional(Schema.String),
  name: optional(Schema.String),
  uid: optional(Schema.String),
  apiVersion: optional(Schema.String),
  resourceVersion: optional(Schema.String),
  fieldPath: optional(Schema.String)
})
export type ObjectReference = typeof ObjectReference.Type

export const TypedLocalObjectReference = Schema.Struct({
  apiGroup: optional(Schema.String),
  kind: Schema.String,
  name: Schema.String
})
export type TypedLocalObjectReference = typeof TypedLocalObjectReference.Type

export const TypedObjectReference = Schema.Struct({
  apiGroup: optional(Schema.String),
  kind: Schema.String,
  name: Schema.String,
  namespace: optional(Schema.String)
})
export type TypedObjectReference = typeof TypedObjectReference.Type

export const SecretReference = Schema.Struct({
  name: optional(Schema.String),
  namespace: optional(Schema.String)
})
export type SecretReference = typeof SecretReference.Type

export const ObjectFieldSelector = Schema.Struct({
  apiVersion: optional(Schema.String),
  fieldPath: Schema.String
})
export type ObjectFieldSelector = typeof ObjectFieldSelector.Type

export const ResourceFieldSelector = Schema.Struct({
  containerName: optional(Schema.String),
  resource: Schema.String,
  divisor: optional(Quantity)
})
export type ResourceFieldSelector = typeof ResourceFieldSelector.Type
