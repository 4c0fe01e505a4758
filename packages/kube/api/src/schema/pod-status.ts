/** What is observed of a pod (core/v1). The server ignores it on create. */
import * as Schema from "effect/Schema"
import { ResourceRequirements } from "./resource.ts"
import { Int32, Int64, Quantity, Time, mapOf, optional } from "./scalar.ts"

export const PodCondition = Schema.Struct({
  type: Schema.String,
  observedGeneration: optional(Int64),
  status: Schema.String,
  lastProbeTime: optional(Time),
  lastTransitionTime: optional(Time),
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type PodCondition = typeof PodCondition.Type

export const HostIP = Schema.Struct({
  ip: Schema.String
})
export type HostIP = typeof HostIP.Type

export const PodIP = Schema.Struct({
  ip: Schema.String
})
export type PodIP = typeof PodIP.Type

export const ContainerStateWaiting = Schema.Struct({
  reason: optional(Schema.String),
  message: optional(Schema.String)
})
export type ContainerStateWaiting = typeof ContainerStateWaiting.Type

export const ContainerStateRunning = Schema.Struct({
  startedAt: optional(Time)
})
export type ContainerStateRunning = typeof ContainerStateRunning.Type

export const ContainerStateTerminated = Schema.Struct({
  exitCode: Int32,
  signal: optional(Int32),
  reason: optional(Schema.String),
  message: optional(Schema.String),
  startedAt: optional(Time),
  finishedAt: optional(Time),
  containerID: optional(Schema.String)
})
export type ContainerStateTerminated = typeof ContainerStateTerminated.Type

export const ContainerState = Schema.Struct({
  waiting: optional(ContainerStateWaiting),
  running: optional(ContainerStateRunning),
  terminated: optional(ContainerStateTerminated)
})
export type ContainerState = typeof ContainerState.Type

export const ImageVolumeStatus = Schema.Struct({
  imageRef: optional(Schema.String)
})
export type ImageVolumeStatus = typeof ImageVolumeStatus.Type

export const VolumeStatus = Schema.Struct({
  image: optional(ImageVolumeStatus)
})
export type VolumeStatus = typeof VolumeStatus.Type

export const VolumeMountStatus = Schema.Struct({
  name: optional(Schema.String),
  mountPath: optional(Schema.String),
  readOnly: optional(Schema.Boolean),
  recursiveReadOnly: optional(Schema.String),
  volumeStatus: optional(VolumeStatus)
})
export type VolumeMountStatus = typeof VolumeMountStatus.Type

export const LinuxContainerUser = Schema.Struct({
  uid: Int64,
  gid: Int64,
  supplementalGroups: optional(Schema.Array(Int64))
})
export type LinuxContainerUser = typeof LinuxContainerUser.Type

export const ContainerUser = Schema.Struct({
  linux: optional(LinuxContainerUser)
})
export type ContainerUser = typeof ContainerUser.Type

export const ResourceHealth = Schema.Struct({
  resourceID: Schema.String,
  health: optional(Schema.String),
  message: optional(Schema.String)
})
export type ResourceHealth = typeof ResourceHealth.Type

export const ResourceStatus = Schema.Struct({
  name: optional(Schema.String),
  resources: optional(Schema.Array(ResourceHealth))
})
export type ResourceStatus = typeof ResourceStatus.Type

export const ContainerStatus = Schema.Struct({
  name: Schema.String,
  state: optional(ContainerState),
  lastState: optional(ContainerState),
  ready: Schema.Boolean,
  restartCount: Int32,
  image: Schema.String,
  imageID: Schema.String,
  containerID: optional(Schema.String),
  started: optional(Schema.Boolean),
  allocatedResources: optional(mapOf(Quantity)),
  resources: optional(ResourceRequirements),
  volumeMounts: optional(Schema.Array(VolumeMountStatus)),
  user: optional(ContainerUser),
  allocatedResourcesStatus: optional(Schema.Array(ResourceStatus)),
  stopSignal: optional(Schema.String)
})
export type ContainerStatus = typeof ContainerStatus.Type

export const PodResourceClaimStatus = Schema.Struct({
  name: optional(Schema.String),
  resourceClaimName: optional(Schema.String)
})
export type PodResourceClaimStatus = typeof PodResourceClaimStatus.Type

export const ContainerExtendedResourceRequest = Schema.Struct({
  containerName: Schema.String,
  resourceName: Schema.String,
  requestName: Schema.String
})
export type ContainerExtendedResourceRequest = typeof ContainerExtendedResourceRequest.Type

export const PodExtendedResourceClaimStatus = Schema.Struct({
  requestMappings: optional(Schema.Array(ContainerExtendedResourceRequest)),
  resourceClaimName: optional(Schema.String)
})
export type PodExtendedResourceClaimStatus = typeof PodExtendedResourceClaimStatus.Type

export const NodeAllocatableResourceClaimStatus = Schema.Struct({
  resourceClaimName: optional(Schema.String),
  containers: optional(Schema.Array(Schema.String)),
  resources: optional(mapOf(Quantity))
})
export type NodeAllocatableResourceClaimStatus = typeof NodeAllocatableResourceClaimStatus.Type

export const PodStatus = Schema.Struct({
  observedGeneration: optional(Int64),
  phase: optional(Schema.String),
  conditions: optional(Schema.Array(PodCondition)),
  message: optional(Schema.String),
  reason: optional(Schema.String),
  nominatedNodeName: optional(Schema.String),
  hostIP: optional(Schema.String),
  hostIPs: optional(Schema.Array(HostIP)),
  podIP: optional(Schema.String),
  podIPs: optional(Schema.Array(PodIP)),
  startTime: optional(Time),
  initContainerStatuses: optional(Schema.Array(ContainerStatus)),
  containerStatuses: optional(Schema.Array(ContainerStatus)),
  qosClass: optional(Schema.String),
  ephemeralContainerStatuses: optional(Schema.Array(ContainerStatus)),
  resize: optional(Schema.String),
  resourceClaimStatuses: optional(Schema.Array(PodResourceClaimStatus)),
  extendedResourceClaimStatus: optional(PodExtendedResourceClaimStatus),
  allocatedResources: optional(mapOf(Quantity)),
  resources: optional(ResourceRequirements),
  nodeAllocatableResourceClaimStatuses: optional(Schema.Array(NodeAllocatableResourceClaimStatus))
})
export type PodStatus = typeof PodStatus.Type
