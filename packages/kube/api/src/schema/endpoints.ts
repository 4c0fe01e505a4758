/** Endpoints (core/v1), deprecated since 1.33 in favour of EndpointSlice. */
import * as Schema from "effect/Schema"
import { ObjectMeta } from "./meta.ts"
import { ObjectReference } from "./reference.ts"
import { Int32, optional } from "./scalar.ts"

export const EndpointAddress = Schema.Struct({
  ip: Schema.String,
  hostname: optional(Schema.String),
  nodeName: optional(Schema.String),
  targetRef: optional(ObjectReference)
})
export type EndpointAddress = typeof EndpointAddress.Type

export const EndpointPort = Schema.Struct({
  name: optional(Schema.String),
  port: Int32,
  protocol: optional(Schema.String),
  appProtocol: optional(Schema.String)
})
export type EndpointPort = typeof EndpointPort.Type

export const EndpointSubset = Schema.Struct({
  addresses: optional(Schema.Array(EndpointAddress)),
  notReadyAddresses: optional(Schema.Array(EndpointAddress)),
  ports: optional(Schema.Array(EndpointPort))
})
export type EndpointSubset = typeof EndpointSubset.Type

export const Endpoints = Schema.Struct({
  apiVersion: Schema.Literal("v1"),
  kind: Schema.Literal("Endpoints"),
  metadata: ObjectMeta,
  subsets: optional(Schema.Array(EndpointSubset))
})
export type Endpoints = typeof Endpoints.Type
