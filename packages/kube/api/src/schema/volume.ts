/** The sources of a pod's volumes (core/v1). Their shape is checked; nothing is ever mounted. */
import * as Schema from "effect/Schema"
import { LabelSelector } from "./meta.ts"
import { LocalObjectReference, ObjectFieldSelector, ResourceFieldSelector } from "./reference.ts"
import { PersistentVolumeClaimTemplate } from "./volume-claim.ts"
import { Int32, Int64, Quantity, StringMap, optional } from "./scalar.ts"

export const HostPathVolumeSource = Schema.Struct({
  path: Schema.String,
  type: optional(Schema.String)
})
export type HostPathVolumeSource = typeof HostPathVolumeSource.Type

export const EmptyDirVolumeSource = Schema.Struct({
  medium: optional(Schema.String),
  sizeLimit: optional(Quantity)
})
export type EmptyDirVolumeSource = typeof EmptyDirVolumeSource.Type

export const GCEPersistentDiskVolumeSource = Schema.Struct({
  pdName: Schema.String,
  fsType: optional(Schema.String),
  partition: optional(Int32),
  readOnly: optional(Schema.Boolean)
})
export type GCEPersistentDiskVolumeSource = typeof GCEPersistentDiskVolumeSource.Type

export const AWSElasticBlockStoreVolumeSource = Schema.Struct({
  volumeID: Schema.String,
  fsType: optional(Schema.String),
  partition: optional(Int32),
  readOnly: optional(Schema.Boolean)
})
export type AWSElasticBlockStoreVolumeSource = typeof AWSElasticBlockStoreVolumeSource.Type

export const GitRepoVolumeSource = Schema.Struct({
  repository: Schema.String,
  revision: optional(Schema.String),
  directory: optional(Schema.String)
})
export type GitRepoVolumeSource = typeof GitRepoVolumeSource.Type

export const KeyToPath = Schema.Struct({
  key: Schema.String,
  path: Schema.String,
  mode: optional(Int32)
})
export type KeyToPath = typeof KeyToPath.Type

export const SecretVolumeSource = Schema.Struct({
  secretName: optional(Schema.String),
  items: optional(Schema.Array(KeyToPath)),
  defaultMode: optional(Int32),
  optional: optional(Schema.Boolean)
})
export type SecretVolumeSource = typeof SecretVolumeSource.Type

export const NFSVolumeSource = Schema.Struct({
  server: Schema.String,
  path: Schema.String,
  readOnly: optional(Schema.Boolean)
})
export type NFSVolumeSource = typeof NFSVolumeSource.Type

export const ISCSIVolumeSource = Schema.Struct({
  targetPortal: Schema.String,
  iqn: Schema.String,
  lun: Int32,
  iscsiInterface: optional(Schema.String),
  fsType: optional(Schema.String),
  readOnly: optional(Schema.Boolean),
  portals: optional(Schema.Array(Schema.String)),
  chapAuthDiscovery: optional(Schema.Boolean),
  chapAuthSession: optional(Schema.Boolean),
  secretRef: optional(LocalObjectReference),
  initiatorName: optional(Schema.String)
})
export type ISCSIVolumeSource = typeof ISCSIVolumeSource.Type

export const GlusterfsVolumeSource = Schema.Struct({
  endpoints: Schema.String,
  path: Schema.String,
  readOnly: optional(Schema.Boolean)
})
export type GlusterfsVolumeSource = typeof GlusterfsVolumeSource.Type

export const PersistentVolumeClaimVolumeSource = Schema.Struct({
  claimName: Schema.String,
  readOnly: optional(Schema.Boolean)
})
export type PersistentVolumeClaimVolumeSource = typeof PersistentVolumeClaimVolumeSource.Type

export const RBDVolumeSource = Schema.Struct({
  monitors: Schema.Array(Schema.String),
  image: Schema.String,
  fsType: optional(Schema.String),
  pool: optional(Schema.String),
  user: optional(Schema.String),
  keyring: optional(Schema.String),
  secretRef: optional(LocalObjectReference),
  readOnly: optional(Schema.Boolean)
})
export type RBDVolumeSource = typeof RBDVolumeSource.Type

export const FlexVolumeSource = Schema.Struct({
  driver: Schema.String,
  fsType: optional(Schema.String),
  secretRef: optional(LocalObjectReference),
  readOnly: optional(Schema.Boolean),
  options: optional(StringMap)
})
export type FlexVolumeSource = typeof FlexVolumeSource.Type

export const CinderVolumeSource = Schema.Struct({
  volumeID: Schema.String,
  fsType: optional(Schema.String),
  readOnly: optional(Schema.Boolean),
  secretRef: optional(LocalObjectReference)
})
export type CinderVolumeSource = typeof CinderVolumeSource.Type

export const CephFSVolumeSource = Schema.Struct({
  monitors: Schema.Array(Schema.String),
  path: optional(Schema.String),
  user: optional(Schema.String),
  secretFile: optional(Schema.String),
  secretRef: optional(LocalObjectReference),
  readOnly: optional(Schema.Boolean)
})
export type CephFSVolumeSource = typeof CephFSVolumeSource.Type

export const FlockerVolumeSource = Schema.Struct({
  datasetName: optional(Schema.String),
  datasetUUID: optional(Schema.String)
})
export type FlockerVolumeSource = typeof FlockerVolumeSource.Type

export const DownwardAPIVolumeFile = Schema.Struct({
  path: Schema.String,
  fieldRef: optional(ObjectFieldSelector),
  resourceFieldRef: optional(ResourceFieldSelector),
  mode: optional(Int32)
})
export type DownwardAPIVolumeFile = typeof DownwardAPIVolumeFile.Type

export const DownwardAPIVolumeSource = Schema.Struct({
  items: optional(Schema.Array(DownwardAPIVolumeFile)),
  defaultMode: optional(Int32)
})
export type DownwardAPIVolumeSource = typeof DownwardAPIVolumeSource.Type

export const FCVolumeSource = Schema.Struct({
  targetWWNs: optional(Schema.Array(Schema.String)),
  lun: optional(Int32),
  fsType: optional(Schema.String),
  readOnly: optional(Schema.Boolean),
  wwids: optional(Schema.Array(Schema.String))
})
export type FCVolumeSource = typeof FCVolumeSource.Type

export const AzureFileVolumeSource = Schema.Struct({
  secretName: Schema.String,
  shareName: Schema.String,
  readOnly: optional(Schema.Boolean)
})
export type AzureFileVolumeSource = typeof AzureFileVolumeSource.Type

export const ConfigMapVolumeSource = Schema.Struct({
  name: optional(Schema.String),
  items: optional(Schema.Array(KeyToPath)),
  defaultMode: optional(Int32),
  optional: optional(Schema.Boolean)
})
export type ConfigMapVolumeSource = typeof ConfigMapVolumeSource.Type

export const VsphereVirtualDiskVolumeSource = Schema.Struct({
  volumePath: Schema.String,
  fsType: optional(Schema.String),
  storagePolicyName: optional(Schema.String),
  storagePolicyID: optional(Schema.String)
})
export type VsphereVirtualDiskVolumeSource = typeof VsphereVirtualDiskVolumeSource.Type

export const QuobyteVolumeSource = Schema.Struct({
  registry: Schema.String,
  volume: Schema.String,
  readOnly: optional(Schema.Boolean),
  user: optional(Schema.String),
  group: optional(Schema.String),
  tenant: optional(Schema.String)
})
export type QuobyteVolumeSource = typeof QuobyteVolumeSource.Type

export const AzureDiskVolumeSource = Schema.Struct({
  diskName: Schema.String,
  diskURI: Schema.String,
  cachingMode: optional(Schema.String),
  fsType: optional(Schema.String),
  readOnly: optional(Schema.Boolean),
  kind: optional(Schema.String)
})
export type AzureDiskVolumeSource = typeof AzureDiskVolumeSource.Type

export const PhotonPersistentDiskVolumeSource = Schema.Struct({
  pdID: Schema.String,
  fsType: optional(Schema.String)
})
export type PhotonPersistentDiskVolumeSource = typeof PhotonPersistentDiskVolumeSource.Type

export const SecretProjection = Schema.Struct({
  name: optional(Schema.String),
  items: optional(Schema.Array(KeyToPath)),
  optional: optional(Schema.Boolean)
})
export type SecretProjection = typeof SecretProjection.Type

export const DownwardAPIProjection = Schema.Struct({
  items: optional(Schema.Array(DownwardAPIVolumeFile))
})
export type DownwardAPIProjection = typeof DownwardAPIProjection.Type

export const ConfigMapProjection = Schema.Struct({
  name: optional(Schema.String),
  items: optional(Schema.Array(KeyToPath)),
  optional: optional(Schema.Boolean)
})
export type ConfigMapProjection = typeof ConfigMapProjection.Type

export const ServiceAccountTokenProjection = Schema.Struct({
  audience: optional(Schema.String),
  expirationSeconds: optional(Int64),
  path: Schema.String
})
export type ServiceAccountTokenProjection = typeof ServiceAccountTokenProjection.Type

export const ClusterTrustBundleProjection = Schema.Struct({
  name: optional(Schema.String),
  signerName: optional(Schema.String),
  labelSelector: optional(LabelSelector),
  optional: optional(Schema.Boolean),
  path: Schema.String
})
export type ClusterTrustBundleProjection = typeof ClusterTrustBundleProjection.Type

export const PodCertificateProjection = Schema.Struct({
  signerName: Schema.String,
  keyType: Schema.String,
  maxExpirationSeconds: optional(Int32),
  credentialBundlePath: optional(Schema.String),
  keyPath: optional(Schema.String),
  certificateChainPath: optional(Schema.String),
  userAnnotations: optional(StringMap)
})
export type PodCertificateProjection = typeof PodCertificateProjection.Type

export const VolumeProjection = Schema.Struct({
  secret: optional(SecretProjection),
  downwardAPI: optional(DownwardAPIProjection),
  configMap: optional(ConfigMapProjection),
  serviceAccountToken: optional(ServiceAccountTokenProjection),
  clusterTrustBundle: optional(ClusterTrustBundleProjection),
  podCertificate: optional(PodCertificateProjection)
})
export type VolumeProjection = typeof VolumeProjection.Type

export const ProjectedVolumeSource = Schema.Struct({
  sources: optional(Schema.Array(VolumeProjection)),
  defaultMode: optional(Int32)
})
export type ProjectedVolumeSource = typeof ProjectedVolumeSource.Type

export const PortworxVolumeSource = Schema.Struct({
  volumeID: Schema.String,
  fsType: optional(Schema.String),
  readOnly: optional(Schema.Boolean)
})
export type PortworxVolumeSource = typeof PortworxVolumeSource.Type

export const ScaleIOVolumeSource = Schema.Struct({
  gateway: Schema.String,
  system: Schema.String,
  secretRef: LocalObjectReference,
  sslEnabled: optional(Schema.Boolean),
  protectionDomain: optional(Schema.String),
  storagePool: optional(Schema.String),
  storageMode: optional(Schema.String),
  volumeName: optional(Schema.String),
  fsType: optional(Schema.String),
  readOnly: optional(Schema.Boolean)
})
export type ScaleIOVolumeSource = typeof ScaleIOVolumeSource.Type

export const StorageOSVolumeSource = Schema.Struct({
  volumeName: optional(Schema.String),
  volumeNamespace: optional(Schema.String),
  fsType: optional(Schema.String),
  readOnly: optional(Schema.Boolean),
  secretRef: optional(LocalObjectReference)
})
export type StorageOSVolumeSource = typeof StorageOSVolumeSource.Type

export const CSIVolumeSource = Schema.Struct({
  driver: Schema.String,
  readOnly: optional(Schema.Boolean),
  fsType: optional(Schema.String),
  volumeAttributes: optional(StringMap),
  nodePublishSecretRef: optional(LocalObjectReference)
})
export type CSIVolumeSource = typeof CSIVolumeSource.Type

export const EphemeralVolumeSource = Schema.Struct({
  volumeClaimTemplate: optional(PersistentVolumeClaimTemplate)
})
export type EphemeralVolumeSource = typeof EphemeralVolumeSource.Type

export const ImageVolumeSource = Schema.Struct({
  reference: optional(Schema.String),
  pullPolicy: optional(Schema.String)
})
export type ImageVolumeSource = typeof ImageVolumeSource.Type

export const Volume = Schema.Struct({
  name: Schema.String,
  hostPath: optional(HostPathVolumeSource),
  emptyDir: optional(EmptyDirVolumeSource),
  gcePersistentDisk: optional(GCEPersistentDiskVolumeSource),
  awsElasticBlockStore: optional(AWSElasticBlockStoreVolumeSource),
  gitRepo: optional(GitRepoVolumeSource),
  secret: optional(SecretVolumeSource),
  nfs: optional(NFSVolumeSource),
  iscsi: optional(ISCSIVolumeSource),
  glusterfs: optional(GlusterfsVolumeSource),
  persistentVolumeClaim: optional(PersistentVolumeClaimVolumeSource),
  rbd: optional(RBDVolumeSource),
  flexVolume: optional(FlexVolumeSource),
  cinder: optional(CinderVolumeSource),
  cephfs: optional(CephFSVolumeSource),
  flocker: optional(FlockerVolumeSource),
  downwardAPI: optional(DownwardAPIVolumeSource),
  fc: optional(FCVolumeSource),
  azureFile: optional(AzureFileVolumeSource),
  configMap: optional(ConfigMapVolumeSource),
  vsphereVolume: optional(VsphereVirtualDiskVolumeSource),
  quobyte: optional(QuobyteVolumeSource),
  azureDisk: optional(AzureDiskVolumeSource),
  photonPersistentDisk: optional(PhotonPersistentDiskVolumeSource),
  projected: optional(ProjectedVolumeSource),
  portworxVolume: optional(PortworxVolumeSource),
  scaleIO: optional(ScaleIOVolumeSource),
  storageos: optional(StorageOSVolumeSource),
  csi: optional(CSIVolumeSource),
  ephemeral: optional(EphemeralVolumeSource),
  image: optional(ImageVolumeSource)
})
export type Volume = typeof Volume.Type
