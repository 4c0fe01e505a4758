/** What a container asks for and may use (core/v1). */
import * as Schema from "effect/Schema"
import { Quantity, mapOf, optional } from "./scalar.ts"

export const ResourceClaim = Schema.Struct({
  name: Schema.String,
  request: optional(Schema.String)
})
export type ResourceClaim = typeof ResourceClaim.Type

export const ResourceRequirements = Schema.Struct({
  limits: optional(mapOf(Quantity)),
  requests: optional(mapOf(Quantity)),
  claims: optional(Schema.Array(ResourceClaim))
})
export type ResourceRequirements = typeof ResourceRequirements.Type

export const VolumeResourceRequirements = Schema.Struct({
  limits: optional(mapOf(Quantity)),
  requests: optional(mapOf(Quantity))
})
export type VolumeResourceRequirements = typeof VolumeResourceRequirements.Type
