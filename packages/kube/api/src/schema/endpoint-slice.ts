/** EndpointSlice (discovery.k8s.io/v1). */
import * as Schema from "effect/Schema"
import { ObjectMeta } from "./meta.ts"
import { ObjectReference } from "./reference.ts"
import { Int32, StringMap, optional } from "./scalar.ts"

export const EndpointConditions = Schema.Struct({
  ready: optional(Schema.Boolean),
  serving: optional(Schema.Boolean),
  terminating: optional(Schema.Boolean)
})
export type EndpointConditions = typeof EndpointConditions.Type

export const ForZone = Schema.Struct({
  name: Schema.String
})
export type ForZone = typeof ForZone.Type

export const ForNode = Schema.Struct({
  name: Schema.String
})
export type ForNode = typeof ForNode.Type

export const EndpointHints = Schema.Struct({
  forZones: optional(Schema.Array(ForZone)),
  forNodes: optional(Schema.Array(ForNode))
})
export type EndpointHints = typeof EndpointHints.Type

export const Endpoint = Schema.Struct({
  addresses: Schema.Array(Schema.String),
  conditions: optional(EndpointConditions),
  hostname: optional(Schema.String),
  targetRef: optional(ObjectReference),
  deprecatedTopology: optional(StringMap),
  nodeName: optional(Schema.String),
  zone: optional(Schema.String),
  hints: optional(EndpointHints)
})
export type Endpoint = typeof Endpoint.Type

export const EndpointPort = Schema.Struct({
  name: optional(Schema.String),
  protocol: optional(Schema.String),
  port: optional(Int32),
  appProtocol: optional(Schema.String)
})
export type EndpointPort = typeof EndpointPort.Type

export const EndpointSlice = Schema.Struct({
  apiVersion: Schema.Literal("discovery.k8s.io/v1"),
  kind: Schema.Literal("EndpointSlice"),
  metadata: ObjectMeta,
  addressType: Schema.String,
  endpoints: optional(Schema.Array(Endpoint)),
  ports: optional(Schema.Array(EndpointPort))
})
export type EndpointSlice = typeof EndpointSlice.Type
