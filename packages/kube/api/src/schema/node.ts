/** Node (core/v1). */
import * as Schema from "effect/Schema"
import { ObjectMeta } from "./meta.ts"
import { Taint } from "./scheduling.ts"
import { Int32, Int64, Quantity, Time, mapOf, optional } from "./scalar.ts"

export const ConfigMapNodeConfigSource = Schema.Struct({
  namespace: Schema.String,
  name: Schema.String,
  uid: optional(Schema.String),
  resourceVersion: optional(Schema.String),
  kubeletConfigKey: Schema.String
})
export type ConfigMapNodeConfigSource = typeof ConfigMapNodeConfigSource.Type

export const NodeConfigSource = Schema.Struct({
  configMap: optional(ConfigMapNodeConfigSource)
})
export type NodeConfigSource = typeof NodeConfigSource.Type

export const NodeSpec = Schema.Struct({
  podCIDR: optional(Schema.String),
  podCIDRs: optional(Schema.Array(Schema.String)),
  providerID: optional(Schema.String),
  unschedulable: optional(Schema.Boolean),
  taints: optional(Schema.Array(Taint)),
  configSource: optional(NodeConfigSource),
  externalID: optional(Schema.String)
})
export type NodeSpec = typeof NodeSpec.Type

export const NodeCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  lastHeartbeatTime: optional(Time),
  lastTransitionTime: optional(Time),
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type NodeCondition = typeof NodeCondition.Type

export const NodeAddress = Schema.Struct({
  type: Schema.String,
  address: Schema.String
})
export type NodeAddress = typeof NodeAddress.Type

export const DaemonEndpoint = Schema.Struct({
  Port: Int32
})
export type DaemonEndpoint = typeof DaemonEndpoint.Type

export const NodeDaemonEndpoints = Schema.Struct({
  kubeletEndpoint: optional(DaemonEndpoint)
})
export type NodeDaemonEndpoints = typeof NodeDaemonEndpoints.Type

export const NodeSwapStatus = Schema.Struct({
  capacity: optional(Int64)
})
export type NodeSwapStatus = typeof NodeSwapStatus.Type

export const NodeSystemInfo = Schema.Struct({
  machineID: optional(Schema.String),
  systemUUID: optional(Schema.String),
  bootID: optional(Schema.String),
  kernelVersion: optional(Schema.String),
  osImage: optional(Schema.String),
  containerRuntimeVersion: optional(Schema.String),
  kubeletVersion: optional(Schema.String),
  kubeProxyVersion: optional(Schema.String),
  operatingSystem: optional(Schema.String),
  architecture: optional(Schema.String),
  swap: optional(NodeSwapStatus)
})
export type NodeSystemInfo = typeof NodeSystemInfo.Type

export const ContainerImage = Schema.Struct({
  names: optional(Schema.Array(Schema.String)),
  sizeBytes: optional(Int64)
})
export type ContainerImage = typeof ContainerImage.Type

export const AttachedVolume = Schema.Struct({
  name: Schema.String,
  devicePath: Schema.String
})
export type AttachedVolume = typeof AttachedVolume.Type

export const NodeConfigStatus = Schema.Struct({
  assigned: optional(NodeConfigSource),
  active: optional(NodeConfigSource),
  lastKnownGood: optional(NodeConfigSource),
  error: optional(Schema.String)
})
export type NodeConfigStatus = typeof NodeConfigStatus.Type

export const NodeRuntimeHandlerFeatures = Schema.Struct({
  recursiveReadOnlyMounts: optional(Schema.Boolean),
  userNamespaces: optional(Schema.Boolean)
})
export type NodeRuntimeHandlerFeatures = typeof NodeRuntimeHandlerFeatures.Type

export const NodeRuntimeHandler = Schema.Struct({
  name: optional(Schema.String),
  features: optional(NodeRuntimeHandlerFeatures)
})
export type NodeRuntimeHandler = typeof NodeRuntimeHandler.Type

export const NodeFeatures = Schema.Struct({
  supplementalGroupsPolicy: optional(Schema.Boolean)
})
export type NodeFeatures = typeof NodeFeatures.Type

export const NodeStatus = Schema.Struct({
  capacity: optional(mapOf(Quantity)),
  allocatable: optional(mapOf(Quantity)),
  phase: optional(Schema.String),
  conditions: optional(Schema.Array(NodeCondition)),
  addresses: optional(Schema.Array(NodeAddress)),
  daemonEndpoints: optional(NodeDaemonEndpoints),
  nodeInfo: optional(NodeSystemInfo),
  images: optional(Schema.Array(ContainerImage)),
  volumesInUse: optional(Schema.Array(Schema.String)),
  volumesAttached: optional(Schema.Array(AttachedVolume)),
  config: optional(NodeConfigStatus),
  runtimeHandlers: optional(Schema.Array(NodeRuntimeHandler)),
  features: optional(NodeFeatures),
  declaredFeatures: optional(Schema.Array(Schema.String))
})
export type NodeStatus = typeof NodeStatus.Type

export const Node = Schema.Struct({
  apiVersion: Schema.Literal("v1"),
  kind: Schema.Literal("Node"),
  metadata: ObjectMeta,
  spec: NodeSpec,
  status: optional(NodeStatus)
})
export type Node = typeof Node.Type
