/** Containers: what runs, its probes, ports and environment (core/v1). */
import * as Schema from "effect/Schema"
import { ObjectFieldSelector, ResourceFieldSelector } from "./reference.ts"
import { ResourceRequirements } from "./resource.ts"
import { Int32, Int64, IntOrString, optional } from "./scalar.ts"

export const ContainerPort = Schema.Struct({
  name: optional(Schema.String),
  hostPort: optional(Int32),
  containerPort: Int32,
  protocol: optional(Schema.String),
  hostIP: optional(Schema.String)
})
export type ContainerPort = typeof ContainerPort.Type

export const ConfigMapEnvSource = Schema.Struct({
  name: optional(Schema.String),
  optional: optional(Schema.Boolean)
})
export type ConfigMapEnvSource = typeof ConfigMapEnvSource.Type

export const SecretEnvSource = Schema.Struct({
  name: optional(Schema.String),
  optional: optional(Schema.Boolean)
})
export type SecretEnvSource = typeof SecretEnvSource.Type

export const EnvFromSource = Schema.Struct({
  prefix: optional(Schema.String),
  configMapRef: optional(ConfigMapEnvSource),
  secretRef: optional(SecretEnvSource)
})
export type EnvFromSource = typeof EnvFromSource.Type

export const ConfigMapKeySelector = Schema.Struct({
  name: optional(Schema.String),
  key: Schema.String,
  optional: optional(Schema.Boolean)
})
export type ConfigMapKeySelector = typeof ConfigMapKeySelector.Type

export const SecretKeySelector = Schema.Struct({
  name: optional(Schema.String),
  key: Schema.String,
  optional: optional(Schema.Boolean)
})
export type SecretKeySelector = typeof SecretKeySelector.Type

export const FileKeySelector = Schema.Struct({
  volumeName: Schema.String,
  path: Schema.String,
  key: Schema.String,
  optional: optional(Schema.Boolean)
})
export type FileKeySelector = typeof FileKeySelector.Type

export const EnvVarSource = Schema.Struct({
  fieldRef: optional(ObjectFieldSelector),
  resourceFieldRef: optional(ResourceFieldSelector),
  configMapKeyRef: optional(ConfigMapKeySelector),
  secretKeyRef: optional(SecretKeySelector),
  fileKeyRef: optional(FileKeySelector)
})
export type EnvVarSource = typeof EnvVarSource.Type

export const EnvVar = Schema.Struct({
  name: Schema.String,
  value: optional(Schema.String),
  valueFrom: optional(EnvVarSource)
})
export type EnvVar = typeof EnvVar.Type

export const ContainerResizePolicy = Schema.Struct({
  resourceName: Schema.String,
  restartPolicy: Schema.String
})
export type ContainerResizePolicy = typeof ContainerResizePolicy.Type

export const ContainerRestartRuleOnExitCodes = Schema.Struct({
  operator: Schema.String,
  values: optional(Schema.Array(Int32))
})
export type ContainerRestartRuleOnExitCodes = typeof ContainerRestartRuleOnExitCodes.Type

export const ContainerRestartRule = Schema.Struct({
  action: Schema.String,
  exitCodes: optional(ContainerRestartRuleOnExitCodes)
})
export type ContainerRestartRule = typeof ContainerRestartRule.Type

export const VolumeMount = Schema.Struct({
  name: Schema.String,
  readOnly: optional(Schema.Boolean),
  recursiveReadOnly: optional(Schema.String),
  mountPath: Schema.String,
  subPath: optional(Schema.String),
  mountPropagation: optional(Schema.String),
  subPathExpr: optional(Schema.String)
})
export type VolumeMount = typeof VolumeMount.Type

export const VolumeDevice = Schema.Struct({
  name: Schema.String,
  devicePath: Schema.String
})
export type VolumeDevice = typeof VolumeDevice.Type

export const ExecAction = Schema.Struct({
  command: optional(Schema.Array(Schema.String))
})
export type ExecAction = typeof ExecAction.Type

export const HTTPHeader = Schema.Struct({
  name: Schema.String,
  value: optional(Schema.String)
})
export type HTTPHeader = typeof HTTPHeader.Type

export const HTTPGetAction = Schema.Struct({
  path: optional(Schema.String),
  port: IntOrString,
  host: optional(Schema.String),
  scheme: optional(Schema.String),
  httpHeaders: optional(Schema.Array(HTTPHeader))
})
export type HTTPGetAction = typeof HTTPGetAction.Type

export const TCPSocketAction = Schema.Struct({
  port: IntOrString,
  host: optional(Schema.String)
})
export type TCPSocketAction = typeof TCPSocketAction.Type

export const GRPCAction = Schema.Struct({
  port: Int32,
  service: optional(Schema.String)
})
export type GRPCAction = typeof GRPCAction.Type

export const Probe = Schema.Struct({
  exec: optional(ExecAction),
  httpGet: optional(HTTPGetAction),
  tcpSocket: optional(TCPSocketAction),
  grpc: optional(GRPCAction),
  initialDelaySeconds: optional(Int32),
  timeoutSeconds: optional(Int32),
  periodSeconds: optional(Int32),
  successThreshold: optional(Int32),
  failureThreshold: optional(Int32),
  terminationGracePeriodSeconds: optional(Int64)
})
export type Probe = typeof Probe.Type

export const SleepAction = Schema.Struct({
  seconds: Int64
})
export type SleepAction = typeof SleepAction.Type

export const LifecycleHandler = Schema.Struct({
  exec: optional(ExecAction),
  httpGet: optional(HTTPGetAction),
  tcpSocket: optional(TCPSocketAction),
  sleep: optional(SleepAction)
})
export type LifecycleHandler = typeof LifecycleHandler.Type

export const Lifecycle = Schema.Struct({
  postStart: optional(LifecycleHandler),
  preStop: optional(LifecycleHandler),
  stopSignal: optional(Schema.String)
})
export type Lifecycle = typeof Lifecycle.Type

export const Capabilities = Schema.Struct({
  add: optional(Schema.Array(Schema.String)),
  drop: optional(Schema.Array(Schema.String))
})
export type Capabilities = typeof Capabilities.Type

export const SELinuxOptions = Schema.Struct({
  user: optional(Schema.String),
  role: optional(Schema.String),
  type: optional(Schema.String),
  level: optional(Schema.String)
})
export type SELinuxOptions = typeof SELinuxOptions.Type

export const WindowsSecurityContextOptions = Schema.Struct({
  gmsaCredentialSpecName: optional(Schema.String),
  gmsaCredentialSpec: optional(Schema.String),
  runAsUserName: optional(Schema.String),
  hostProcess: optional(Schema.Boolean)
})
export type WindowsSecurityContextOptions = typeof WindowsSecurityContextOptions.Type

export const SeccompProfile = Schema.Struct({
  type: Schema.String,
  localhostProfile: optional(Schema.String)
})
export type SeccompProfile = typeof SeccompProfile.Type

export const AppArmorProfile = Schema.Struct({
  type: Schema.String,
  localhostProfile: optional(Schema.String)
})
export type AppArmorProfile = typeof AppArmorProfile.Type

export const SecurityContext = Schema.Struct({
  capabilities: optional(Capabilities),
  privileged: optional(Schema.Boolean),
  seLinuxOptions: optional(SELinuxOptions),
  windowsOptions: optional(WindowsSecurityContextOptions),
  runAsUser: optional(Int64),
  runAsGroup: optional(Int64),
  runAsNonRoot: optional(Schema.Boolean),
  readOnlyRootFilesystem: optional(Schema.Boolean),
  allowPrivilegeEscalation: optional(Schema.Boolean),
  procMount: optional(Schema.String),
  seccompProfile: optional(SeccompProfile),
  appArmorProfile: optional(AppArmorProfile)
})
export type SecurityContext = typeof SecurityContext.Type

export const Container = Schema.Struct({
  name: Schema.String,
  image: optional(Schema.String),
  command: optional(Schema.Array(Schema.String)),
  args: optional(Schema.Array(Schema.String)),
  workingDir: optional(Schema.String),
  ports: optional(Schema.Array(ContainerPort)),
  envFrom: optional(Schema.Array(EnvFromSource)),
  env: optional(Schema.Array(EnvVar)),
  resources: optional(ResourceRequirements),
  resizePolicy: optional(Schema.Array(ContainerResizePolicy)),
  restartPolicy: optional(Schema.String),
  restartPolicyRules: optional(Schema.Array(ContainerRestartRule)),
  volumeMounts: optional(Schema.Array(VolumeMount)),
  volumeDevices: optional(Schema.Array(VolumeDevice)),
  livenessProbe: optional(Probe),
  readinessProbe: optional(Probe),
  startupProbe: optional(Probe),
  lifecycle: optional(Lifecycle),
  terminationMessagePath: optional(Schema.String),
  terminationMessagePolicy: optional(Schema.String),
  imagePullPolicy: optional(Schema.String),
  securityContext: optional(SecurityContext),
  stdin: optional(Schema.Boolean),
  stdinOnce: optional(Schema.Boolean),
  tty: optional(Schema.Boolean)
})
export type Container = typeof Container.Type

/** EphemeralContainerCommon repeats a container's fields one by one (core/v1/types.go); so do these. */
export const EphemeralContainer = Schema.Struct({
  ...Container.fields,
  targetContainerName: optional(Schema.String)
})
export type EphemeralContainer = typeof EphemeralContainer.Type

export const Sysctl = Schema.Struct({
  name: Schema.String,
  value: optional(Schema.String)
})
export type Sysctl = typeof Sysctl.Type

export const PodSecurityContext = Schema.Struct({
  seLinuxOptions: optional(SELinuxOptions),
  windowsOptions: optional(WindowsSecurityContextOptions),
  runAsUser: optional(Int64),
  runAsGroup: optional(Int64),
  runAsNonRoot: optional(Schema.Boolean),
  supplementalGroups: optional(Schema.Array(Int64)),
  supplementalGroupsPolicy: optional(Schema.String),
  fsGroup: optional(Int64),
  sysctls: optional(Schema.Array(Sysctl)),
  fsGroupChangePolicy: optional(Schema.String),
  seccompProfile: optional(SeccompProfile),
  appArmorProfile: optional(AppArmorProfile),
  seLinuxChangePolicy: optional(Schema.String)
})
export type PodSecurityContext = typeof PodSecurityContext.Type
