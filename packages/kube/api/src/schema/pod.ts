/** Pod and the template that makes pods (core/v1). */
import * as Schema from "effect/Schema"
import { Container, EphemeralContainer, PodSecurityContext } from "./container.ts"
import { ObjectMeta } from "./meta.ts"
import { PodStatus } from "./pod-status.ts"
import { LocalObjectReference } from "./reference.ts"
import { ResourceRequirements } from "./resource.ts"
import { Affinity, Toleration, TopologySpreadConstraint } from "./scheduling.ts"
import { Volume } from "./volume.ts"
import { Int32, Int64, Quantity, StringMap, mapOf, optional } from "./scalar.ts"

export const HostAlias = Schema.Struct({
  ip: Schema.String,
  hostnames: optional(Schema.Array(Schema.String))
})
export type HostAlias = typeof HostAlias.Type

export const PodDNSConfigOption = Schema.Struct({
  name: optional(Schema.String),
  value: optional(Schema.String)
})
export type PodDNSConfigOption = typeof PodDNSConfigOption.Type

export const PodDNSConfig = Schema.Struct({
  nameservers: optional(Schema.Array(Schema.String)),
  searches: optional(Schema.Array(Schema.String)),
  options: optional(Schema.Array(PodDNSConfigOption))
})
export type PodDNSConfig = typeof PodDNSConfig.Type

export const PodReadinessGate = Schema.Struct({
  conditionType: Schema.String
})
export type PodReadinessGate = typeof PodReadinessGate.Type

export const PodOS = Schema.Struct({
  name: Schema.String
})
export type PodOS = typeof PodOS.Type

export const PodSchedulingGate = Schema.Struct({
  name: Schema.String
})
export type PodSchedulingGate = typeof PodSchedulingGate.Type

export const PodResourceClaim = Schema.Struct({
  name: Schema.String,
  resourceClaimName: optional(Schema.String),
  resourceClaimTemplateName: optional(Schema.String)
})
export type PodResourceClaim = typeof PodResourceClaim.Type

export const PodSchedulingGroup = Schema.Struct({
  podGroupName: optional(Schema.String)
})
export type PodSchedulingGroup = typeof PodSchedulingGroup.Type

export const PodSpec = Schema.Struct({
  volumes: optional(Schema.Array(Volume)),
  initContainers: optional(Schema.Array(Container)),
  containers: Schema.Array(Container),
  ephemeralContainers: optional(Schema.Array(EphemeralContainer)),
  restartPolicy: optional(Schema.String),
  terminationGracePeriodSeconds: optional(Int64),
  activeDeadlineSeconds: optional(Int64),
  dnsPolicy: optional(Schema.String),
  nodeSelector: optional(StringMap),
  serviceAccountName: optional(Schema.String),
  serviceAccount: optional(Schema.String),
  automountServiceAccountToken: optional(Schema.Boolean),
  nodeName: optional(Schema.String),
  hostNetwork: optional(Schema.Boolean),
  hostPID: optional(Schema.Boolean),
  hostIPC: optional(Schema.Boolean),
  shareProcessNamespace: optional(Schema.Boolean),
  securityContext: optional(PodSecurityContext),
  imagePullSecrets: optional(Schema.Array(LocalObjectReference)),
  hostname: optional(Schema.String),
  subdomain: optional(Schema.String),
  affinity: optional(Affinity),
  schedulerName: optional(Schema.String),
  tolerations: optional(Schema.Array(Toleration)),
  hostAliases: optional(Schema.Array(HostAlias)),
  priorityClassName: optional(Schema.String),
  priority: optional(Int32),
  dnsConfig: optional(PodDNSConfig),
  readinessGates: optional(Schema.Array(PodReadinessGate)),
  runtimeClassName: optional(Schema.String),
  enableServiceLinks: optional(Schema.Boolean),
  preemptionPolicy: optional(Schema.String),
  overhead: optional(mapOf(Quantity)),
  topologySpreadConstraints: optional(Schema.Array(TopologySpreadConstraint)),
  setHostnameAsFQDN: optional(Schema.Boolean),
  os: optional(PodOS),
  hostUsers: optional(Schema.Boolean),
  schedulingGates: optional(Schema.Array(PodSchedulingGate)),
  resourceClaims: optional(Schema.Array(PodResourceClaim)),
  resources: optional(ResourceRequirements),
  hostnameOverride: optional(Schema.String),
  schedulingGroup: optional(PodSchedulingGroup)
})
export type PodSpec = typeof PodSpec.Type

export const Pod = Schema.Struct({
  apiVersion: Schema.Literal("v1"),
  kind: Schema.Literal("Pod"),
  metadata: ObjectMeta,
  spec: PodSpec,
  status: optional(PodStatus)
})
export type Pod = typeof Pod.Type

export const PodTemplateSpec = Schema.Struct({
  metadata: ObjectMeta,
  spec: PodSpec
})
export type PodTemplateSpec = typeof PodTemplateSpec.Type
