/** NetworkPolicy (networking.k8s.io/v1). */
import * as Schema from "effect/Schema"
import { LabelSelector, ObjectMeta } from "./meta.ts"
import { Int32, IntOrString, optional } from "./scalar.ts"

export const NetworkPolicyPort = Schema.Struct({
  protocol: optional(Schema.String),
  port: optional(IntOrString),
  endPort: optional(Int32)
})
export type NetworkPolicyPort = typeof NetworkPolicyPort.Type

export const IPBlock = Schema.Struct({
  cidr: Schema.String,
  except: optional(Schema.Array(Schema.String))
})
export type IPBlock = typeof IPBlock.Type

export const NetworkPolicyPeer = Schema.Struct({
  podSelector: optional(LabelSelector),
  namespaceSelector: optional(LabelSelector),
  ipBlock: optional(IPBlock)
})
export type NetworkPolicyPeer = typeof NetworkPolicyPeer.Type

export const NetworkPolicyIngressRule = Schema.Struct({
  ports: optional(Schema.Array(NetworkPolicyPort)),
  from: optional(Schema.Array(NetworkPolicyPeer))
})
export type NetworkPolicyIngressRule = typeof NetworkPolicyIngressRule.Type

export const NetworkPolicyEgressRule = Schema.Struct({
  ports: optional(Schema.Array(NetworkPolicyPort)),
  to: optional(Schema.Array(NetworkPolicyPeer))
})
export type NetworkPolicyEgressRule = typeof NetworkPolicyEgressRule.Type

export const NetworkPolicySpec = Schema.Struct({
  podSelector: optional(LabelSelector),
  ingress: optional(Schema.Array(NetworkPolicyIngressRule)),
  egress: optional(Schema.Array(NetworkPolicyEgressRule)),
  policyTypes: optional(Schema.Array(Schema.String))
})
export type NetworkPolicySpec = typeof NetworkPolicySpec.Type

export const NetworkPolicy = Schema.Struct({
  apiVersion: Schema.Literal("networking.k8s.io/v1"),
  kind: Schema.Literal("NetworkPolicy"),
  metadata: ObjectMeta,
  spec: NetworkPolicySpec
})
export type NetworkPolicy = typeof NetworkPolicy.Type
