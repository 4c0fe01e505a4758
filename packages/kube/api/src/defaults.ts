/**
 * What the server fills in before it validates (pkg/apis/core/v1/defaults.go, apps/v1, batch/v1), so that
 * everybody behind it finds the fields set. Pure and idempotent; what is already complete stays the same
 * object only in value.
 * Not supported: pod-level resources, rounding of resources to thousandths (`quantity.ts` rounds on reading).
 */
import { kindOfObject } from "./kinds.ts"
import type { KubeObject } from "./object.ts"
import type { Container, Probe } from "./schema/container.ts"
import type { DaemonSet } from "./schema/daemon-set.ts"
import type { Deployment } from "./schema/deployment.ts"
import type { Job } from "./schema/job.ts"
import type { PodSpec, PodTemplateSpec } from "./schema/pod.ts"
import type { Service } from "./schema/service.ts"
import type { StatefulSet } from "./schema/stateful-set.ts"
import type { Volume } from "./schema/volume.ts"
import { is } from "./typed.ts"

const DEFAULT_NAMESPACE = "default"
const MODE_0644 = 420
const CLIENT_IP_SECONDS = 10_800

export function withDefaults<T extends KubeObject>(object: T): T {
  const kind = kindOfObject(object)
  return kind === null ? object : defaultKind(placed(object, kind.namespaced)) as T
}

/** In "default" when it says nothing; in none when its kind has none (rest.BeforeCreate takes it away). */
function placed<T extends KubeObject>(object: T, isNamespaced: boolean): T {
  const { namespace, ...rest } = object.metadata
  if (!isNamespaced) return namespace === undefined ? object : { ...object, metadata: rest }
  if ((namespace ?? "") !== "") return object
  return { ...object, metadata: { ...rest, namespace: DEFAULT_NAMESPACE } }
}

function defaultKind(object: KubeObject): KubeObject {
  if (is("Pod", object)) return { ...object, spec: defaultPod(object.spec) }
  if (is("Deployment", object)) return { ...object, spec: defaultDeployment(object.spec) }
  if (is("ReplicaSet", object)) {
    const { template } = object.spec
    const full = template === undefined ? {} : { template: defaultTemplate(template) }
    return { ...object, spec: { replicas: 1, ...object.spec, ...full } }
  }
  if (is("StatefulSet", object)) return { ...object, spec: defaultStatefulSet(object.spec) }
  if (is("DaemonSet", object)) return { ...object, spec: defaultDaemonSet(object.spec) }
  if (is("Job", object)) return defaultJob(object)
  if (is("CronJob", object)) {
    return {
      ...object,
      spec: {
        concurrencyPolicy: "Allow", suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1,
        ...object.spec
      }
    }
  }
  if (is("Namespace", object)) {
    const { name } = object.metadata
    if (name === undefined) return object
    const labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": name }
    return { ...object, metadata: { ...object.metadata, labels } }
  }
  if (is("Node", object)) {
    const { podCIDR, podCIDRs } = object.spec
    const { capacity, allocatable } = object.status ?? {}
    // Conversion keeps the singular and the plural in step.
    const spec = podCIDR !== undefined && podCIDRs === undefined ? { ...object.spec, podCIDRs: [podCIDR] }
      : podCIDR === undefined && podCIDRs?.[0] !== undefined ? { ...object.spec, podCIDR: podCIDRs[0] }
      : object.spec
    const status = capacity !== undefined && allocatable === undefined
      ? { status: { ...object.status, allocatable: capacity } } : {}
    return { ...object, spec, ...status }
  }
  if (is("Service", object)) return { ...object, spec: defaultService(object.spec) }
  if (is("Secret", object)) return { ...object, type: object.type ?? "Opaque" } as KubeObject
  return object
}

/** Things that only a pod gets, never a template: a template must not change under a rollout. */
function defaultPod(spec: PodSpec): PodSpec {
  const full = defaultPodSpec(spec)
  const each = (container: Container) => {
    const { limits, requests } = container.resources ?? {}
    const asking = limits === undefined ? container
      : { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } }
    return full.hostNetwork === true ? withHostPorts(asking) : asking
  }
  return { enableServiceLinks: true, ...full, ...mapContainers(full, each) }
}

function withHostPorts(container: Container): Container {
  if (container.ports === undefined) return container
  const ports = container.ports.map((port) =>
    (port.hostPort ?? 0) === 0 ? { ...port, hostPort: port.containerPort } : port)
  return { ...container, ports }
}

function mapContainers(spec: PodSpec, each: (container: Container) => Container) {
  return {
    containers: spec.containers.map(each),
    ...spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(each) }
  }
}

function defaultTemplate(template: PodTemplateSpec): PodTemplateSpec {
  return { ...template, spec: defaultPodSpec(template.spec) }
}

function defaultPodSpec(spec: PodSpec): PodSpec {
  return {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
    ...spec,
    ...mapContainers(spec, defaultContainer),
    ...spec.volumes === undefined ? {} : { volumes: spec.volumes.map(defaultVolume) },
    // The old name of the field is kept in step (conversion of core/v1).
    ...(spec.serviceAccountName ?? "") !== "" ? { serviceAccount: spec.serviceAccountName! } :
      (spec.serviceAccount ?? "") !== "" ? { serviceAccountName: spec.serviceAccount! } : {}
  }
}

function defaultContainer(container: Container): Container {
  const { image = "", ports, env, livenessProbe, readinessProbe, startupProbe, lifecycle } = container
  return {
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: imageTag(image) === "latest" ? "Always" : "IfNotPresent",
    ...container,
    ...ports === undefined ? {} : { ports: ports.map((port) => ({ protocol: "TCP", ...port })) },
    ...env === undefined ? {} : {
      env: env.map((variable) => variable.valueFrom?.fieldRef === undefined ? variable : {
        ...variable,
        valueFrom: { ...variable.valueFrom, fieldRef: { apiVersion: "v1", ...variable.valueFrom.fieldRef } }
      })
    },
    ...livenessProbe === undefined ? {} : { livenessProbe: defaultProbe(livenessProbe) },
    ...readinessProbe === undefined ? {} : { readinessProbe: defaultProbe(readinessProbe) },
    ...startupProbe === undefined ? {} : { startupProbe: defaultProbe(startupProbe) },
    ...lifecycle === undefined ? {} : {
      lifecycle: Object.fromEntries(Object.entries(lifecycle).map(([when, handler]) =>
        [when, typeof handler === "object" && handler.httpGet !== undefined
          ? { ...handler, httpGet: defaultHttpGet(handler.httpGet) } : handler]))
    }
  }
}

/** The tag of an image's name; "latest" when it has neither tag nor digest, "" when only a digest. */
export function imageTag(image: string): string {
  const [name, digest] = image.split("@") as [string, string | undefined]
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1)
  return colon >= 0 ? name.slice(colon + 1) : digest === undefined ? "latest" : ""
}

/** Zero is how Go says absent, so it is filled in as well. */
function defaultProbe(probe: Probe): Probe {
  const { httpGet, grpc } = probe
  return {
    ...probe,
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
    ...httpGet === undefined ? {} : { httpGet: defaultHttpGet(httpGet) },
    ...grpc === undefined ? {} : { grpc: { service: "", ...grpc } }
  }
}

function defaultHttpGet(action: NonNullable<Probe["httpGet"]>): NonNullable<Probe["httpGet"]> {
  return { ...action, path: action.path || "/", scheme: action.scheme || "HTTP" }
}

function defaultVolume(volume: Volume): Volume {
  const { secret, configMap, projected, downwardAPI, hostPath } = volume
  if (Object.keys(volume).every((key) => key === "name")) return { ...volume, emptyDir: {} }
  return {
    ...volume,
    ...secret === undefined ? {} : { secret: { defaultMode: MODE_0644, ...secret } },
    ...configMap === undefined ? {} : { configMap: { defaultMode: MODE_0644, ...configMap } },
    ...projected === undefined ? {} : { projected: { defaultMode: MODE_0644, ...projected } },
    ...downwardAPI === undefined ? {} : { downwardAPI: { defaultMode: MODE_0644, ...downwardAPI } },
    ...hostPath === undefined ? {} : { hostPath: { type: "", ...hostPath } }
  }
}

function defaultDeployment(spec: Deployment["spec"]): Deployment["spec"] {
  const { type = "RollingUpdate", rollingUpdate } = spec.strategy ?? {}
  const strategy = type === "RollingUpdate"
    ? { ...spec.strategy, type, rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%", ...rollingUpdate } }
    : { ...spec.strategy, type }
  return {
    replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, ...spec, strategy,
    template: defaultTemplate(spec.template)
  }
}

function defaultStatefulSet(spec: StatefulSet["spec"]): StatefulSet["spec"] {
  const { type = "", rollingUpdate } = spec.updateStrategy ?? {}
  // maxUnavailable stays open: its gate (MaxUnavailableStatefulSet) decides what open means.
  const rolls = type === "" || type === "RollingUpdate" && rollingUpdate !== undefined
  const updateStrategy = rolls ? { type: "RollingUpdate", rollingUpdate: { partition: 0, ...rollingUpdate } }
    : { ...spec.updateStrategy, type }
  return {
    replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: "OrderedReady", ...spec, updateStrategy,
    persistentVolumeClaimRetentionPolicy: {
      whenDeleted: "Retain", whenScaled: "Retain", ...spec.persistentVolumeClaimRetentionPolicy
    },
    template: defaultTemplate(spec.template),
    ...spec.volumeClaimTemplates === undefined ? {} : {
      volumeClaimTemplates: spec.volumeClaimTemplates.map((claim) => ({
        apiVersion: "v1", kind: "PersistentVolumeClaim", ...claim,
        spec: { volumeMode: "Filesystem", ...claim.spec }
      }))
    }
  }
}

function defaultDaemonSet(spec: DaemonSet["spec"]): DaemonSet["spec"] {
  const { type = "RollingUpdate", rollingUpdate } = spec.updateStrategy ?? {}
  const updateStrategy = type === "RollingUpdate"
    ? { type, rollingUpdate: { maxUnavailable: 1, maxSurge: 0, ...rollingUpdate } }
    : { ...spec.updateStrategy, type }
  return { revisionHistoryLimit: 10, ...spec, updateStrategy, template: defaultTemplate(spec.template) }
}

function defaultJob(job: Job & KubeObject): KubeObject {
  const { spec } = job
  const { labels } = spec.template.metadata
  const isOne = spec.completions === undefined && spec.parallelism === undefined
  return {
    ...job,
    metadata: labels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0
      ? { ...job.metadata, labels } : job.metadata,
    spec: {
      ...isOne ? { completions: 1 } : {}, parallelism: 1, completionMode: "NonIndexed", suspend: false,
      // With a limit for each index the limit for all defaults to none.
      backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1,
      podReplacementPolicy: spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed",
      manualSelector: false,
      ...spec,
      template: defaultTemplate(spec.template)
    }
  }
}

function defaultService(spec: Service["spec"]): Service["spec"] {
  const { type = "ClusterIP", sessionAffinity = "None" } = spec
  const isExternal = type === "NodePort" || type === "LoadBalancer" ||
    type === "ClusterIP" && (spec.externalIPs ?? []).length > 0
  return {
    ...type === "ExternalName" ? {} : { internalTrafficPolicy: "Cluster" },
    ...isExternal ? { externalTrafficPolicy: "Cluster" } : {},
    ...type === "LoadBalancer" ? { allocateLoadBalancerNodePorts: true } : {},
    ...spec,
    type,
    sessionAffinity,
    ...sessionAffinity === "ClientIP" && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
      ? { sessionAffinityConfig: { clientIP: { timeoutSeconds: CLIENT_IP_SECONDS } } } : {},
    ...spec.ports === undefined ? {} : {
      ports: spec.ports.map((port) => ({
        protocol: "TCP", ...port, targetPort: port.targetPort || port.port
      }))
    }
  }
}
