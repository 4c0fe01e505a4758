/** Ingress and IngressClass (networking.k8s.io/v1). */
import * as Schema from "effect/Schema"
import { ObjectMeta } from "./meta.ts"
import { TypedLocalObjectReference } from "./reference.ts"
import { Int32, optional } from "./scalar.ts"

export const ServiceBackendPort = Schema.Struct({
  name: optional(Schema.String),
  number: optional(Int32)
})
export type ServiceBackendPort = typeof ServiceBackendPort.Type

export const IngressServiceBackend = Schema.Struct({
  name: Schema.String,
  port: optional(ServiceBackendPort)
})
export type IngressServiceBackend = typeof IngressServiceBackend.Type

export const IngressBackend = Schema.Struct({
  service: optional(IngressServiceBackend),
  resource: optional(TypedLocalObjectReference)
})
export type IngressBackend = typeof IngressBackend.Type

export const IngressTLS = Schema.Struct({
  hosts: optional(Schema.Array(Schema.String)),
  secretName: optional(Schema.String)
})
export type IngressTLS = typeof IngressTLS.Type

export const HTTPIngressPath = Schema.Struct({
  path: optional(Schema.String),
  pathType: Schema.String,
  backend: IngressBackend
})
export type HTTPIngressPath = typeof HTTPIngressPath.Type

export const HTTPIngressRuleValue = Schema.Struct({
  paths: Schema.Array(HTTPIngressPath)
})
export type HTTPIngressRuleValue = typeof HTTPIngressRuleValue.Type

export const IngressRule = Schema.Struct({
  host: optional(Schema.String),
  http: optional(HTTPIngressRuleValue)
})
export type IngressRule = typeof IngressRule.Type

export const IngressSpec = Schema.Struct({
  ingressClassName: optional(Schema.String),
  defaultBackend: optional(IngressBackend),
  tls: optional(Schema.Array(IngressTLS)),
  rules: optional(Schema.Array(IngressRule))
})
export type IngressSpec = typeof IngressSpec.Type

export const IngressPortStatus = Schema.Struct({
  port: optional(Int32),
  protocol: optional(Schema.String),
  error: optional(Schema.String)
})
export type IngressPortStatus = typeof IngressPortStatus.Type

export const IngressLoadBalancerIngress = Schema.Struct({
  ip: optional(Schema.String),
  hostname: optional(Schema.String),
  ports: optional(Schema.Array(IngressPortStatus))
})
export type IngressLoadBalancerIngress = typeof IngressLoadBalancerIngress.Type

export const IngressLoadBalancerStatus = Schema.Struct({
  ingress: optional(Schema.Array(IngressLoadBalancerIngress))
})
export type IngressLoadBalancerStatus = typeof IngressLoadBalancerStatus.Type

export const IngressStatus = Schema.Struct({
  loadBalancer: optional(IngressLoadBalancerStatus)
})
export type IngressStatus = typeof IngressStatus.Type

export const Ingress = Schema.Struct({
  apiVersion: Schema.Literal("networking.k8s.io/v1"),
  kind: Schema.Literal("Ingress"),
  metadata: ObjectMeta,
  spec: IngressSpec,
  status: optional(IngressStatus)
})
export type Ingress = typeof Ingress.Type

export const IngressClassParametersReference = Schema.Struct({
  apiGroup: optional(Schema.String),
  kind: Schema.String,
  name: Schema.String,
  scope: optional(Schema.String),
  namespace: optional(Schema.String)
})
export type IngressClassParametersReference = typeof IngressClassParametersReference.Type

export const IngressClassSpec = Schema.Struct({
  controller: optional(Schema.String),
  parameters: optional(IngressClassParametersReference)
})
export type IngressClassSpec = typeof IngressClassSpec.Type

export const IngressClass = Schema.Struct({
  apiVersion: Schema.Literal("networking.k8s.io/v1"),
  kind: Schema.Literal("IngressClass"),
  metadata: ObjectMeta,
  spec: IngressClassSpec
})
export type IngressClass = typeof IngressClass.Type
