/** Service (core/v1). */
import * as Schema from "effect/Schema"
import { Condition, ObjectMeta } from "./meta.ts"
import { Int32, IntOrString, StringMap, optional } from "./scalar.ts"

export const ServicePort = Schema.Struct({
  name: optional(Schema.String),
  protocol: optional(Schema.String),
  appProtocol: optional(Schema.String),
  port: Int32,
  targetPort: optional(IntOrString),
  nodePort: optional(Int32)
})
export type ServicePort = typeof ServicePort.Type

export const ClientIPConfig = Schema.Struct({
  timeoutSeconds: optional(Int32)
})
export type ClientIPConfig = typeof ClientIPConfig.Type

export const SessionAffinityConfig = Schema.Struct({
  clientIP: optional(ClientIPConfig)
})
export type SessionAffinityConfig = typeof SessionAffinityConfig.Type

export const ServiceSpec = Schema.Struct({
  ports: optional(Schema.Array(ServicePort)),
  selector: optional(StringMap),
  clusterIP: optional(Schema.String),
  clusterIPs: optional(Schema.Array(Schema.String)),
  type: optional(Schema.String),
  externalIPs: optional(Schema.Array(Schema.String)),
  sessionAffinity: optional(Schema.String),
  loadBalancerIP: optional(Schema.String),
  loadBalancerSourceRanges: optional(Schema.Array(Schema.String)),
  externalName: optional(Schema.String),
  externalTrafficPolicy: optional(Schema.String),
  healthCheckNodePort: optional(Int32),
  publishNotReadyAddresses: optional(Schema.Boolean),
  sessionAffinityConfig: optional(SessionAffinityConfig),
  ipFamilies: optional(Schema.Array(Schema.String)),
  ipFamilyPolicy: optional(Schema.String),
  allocateLoadBalancerNodePorts: optional(Schema.Boolean),
  loadBalancerClass: optional(Schema.String),
  internalTrafficPolicy: optional(Schema.String),
  trafficDistribution: optional(Schema.String)
})
export type ServiceSpec = typeof ServiceSpec.Type

export const PortStatus = Schema.Struct({
  port: optional(Int32),
  protocol: optional(Schema.String),
  error: optional(Schema.String)
})
export type PortStatus = typeof PortStatus.Type

export const LoadBalancerIngress = Schema.Struct({
  ip: optional(Schema.String),
  hostname: optional(Schema.String),
  ipMode: optional(Schema.String),
  ports: optional(Schema.Array(PortStatus))
})
export type LoadBalancerIngress = typeof LoadBalancerIngress.Type

export const LoadBalancerStatus = Schema.Struct({
  ingress: optional(Schema.Array(LoadBalancerIngress))
})
export type LoadBalancerStatus = typeof LoadBalancerStatus.Type

export const ServiceStatus = Schema.Struct({
  loadBalancer: optional(LoadBalancerStatus),
  conditions: optional(Schema.Array(Condition))
})
export type ServiceStatus = typeof ServiceStatus.Type

export const Service = Schema.Struct({
  apiVersion: Schema.Literal("v1"),
  kind: Schema.Literal("Service"),
  metadata: ObjectMeta,
  spec: ServiceSpec,
  status: optional(ServiceStatus)
})
export type Service = typeof Service.Type
