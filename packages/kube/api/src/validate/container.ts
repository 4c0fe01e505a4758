/**
 * Containers as the API server checks them (pkg/apis/core/validation/validation.go, validateContainers and
 * what it calls). Not supported: securityContext, resizePolicy, volumeDevices, restartPolicyRules, windows.
 */
import { compare, parse, text } from "../quantity.ts"
import type { Container, EnvVar, Lifecycle, Probe, VolumeMount } from "../schema/container.ts"
import type { ResourceRequirements } from "../schema/resource.ts"
import { type Field, nonNegative, sortedEntries } from "./field.ts"
import { configKey, dnsLabel, envName, labelKey, portName, portNumber } from "./format.ts"

const PROTOCOLS = ["SCTP", "TCP", "UDP"]
const MESSAGE_POLICIES = ["FallbackToLogsOnError", "File"]
const PULL_POLICIES = ["Always", "IfNotPresent", "Never"]
const HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc"] as const
const LIFECYCLE_HANDLERS = ["exec", "httpGet", "tcpSocket", "sleep"] as const

export function validateContainers(
  containers: ReadonlyArray<Container>, volumes: ReadonlySet<string>, field: Field
): void {
  if (containers.length === 0) return field.required()
  const names = new Set<string>()
  for (const [i, container] of containers.entries()) {
    const at = field.child(i)
    validateCommon(container, volumes, at)
    if (names.has(container.name)) at.child("name").duplicate(container.name)
    names.add(container.name)
    validateProbes(container, at)
    if (container.restartPolicy !== undefined && container.restartPolicyRules === undefined &&
      !["Always", "OnFailure", "Never"].includes(container.restartPolicy)) {
      at.child("restartPolicy").notSupported(container.restartPolicy, ["Always", "OnFailure", "Never"])
    }
  }
  checkHostPorts(containers, field)
}

export function validateInitContainers(
  containers: ReadonlyArray<Container>, regular: ReadonlyArray<Container>, volumes: ReadonlySet<string>,
  field: Field
): void {
  const names = new Set(regular.map((container) => container.name))
  for (const [i, container] of containers.entries()) {
    const at = field.child(i)
    validateCommon(container, volumes, at)
    const isSidecar = container.restartPolicy === "Always"
    if (names.has(container.name)) at.child("name").duplicate(container.name)
    else if (container.name !== "") names.add(container.name)
    // One after the other, so each is alone with its host ports.
    checkHostPorts([container], field)
    if (isSidecar) {
      validateProbes(container, at)
      continue
    }
    for (const key of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
      if (container[key] !== undefined) {
        at.child(key).forbidden("may not be set for init containers without restartPolicy=Always")
      }
    }
  }
}

function validateCommon(container: Container, volumes: ReadonlySet<string>, field: Field): void {
  if (container.name === "") field.child("name").required()
  else field.child("name").invalidEach(container.name, dnsLabel(container.name))
  const { image = "" } = container
  if (image === "") field.child("image").required()
  else if (image !== image.trim()) {
    field.child("image").invalid(image, "must not have leading or trailing whitespace")
  }
  const { terminationMessagePolicy: policy } = container
  if (policy !== undefined && !MESSAGE_POLICIES.includes(policy)) {
    field.child("terminationMessagePolicy").notSupported(policy, MESSAGE_POLICIES)
  }
  validatePorts(container, field.child("ports"))
  for (const [i, variable] of (container.env ?? []).entries()) validateEnv(variable, field.child("env", i))
  validateEnvFrom(container, field.child("envFrom"))
  validateMounts(container.volumeMounts ?? [], volumes, field.child("volumeMounts"))
  const { imagePullPolicy } = container
  if (imagePullPolicy !== undefined && !PULL_POLICIES.includes(imagePullPolicy)) {
    field.child("imagePullPolicy").notSupported(imagePullPolicy, PULL_POLICIES)
  }
  if (container.resources !== undefined) validateResources(container.resources, field.child("resources"))
}

function validatePorts({ ports = [] }: Container, field: Field): void {
  const names = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const at = field.child(i)
    if (port.name !== undefined && port.name !== "") {
      const faults = portName(port.name)
      at.child("name").invalidEach(port.name, faults)
      if (faults.length === 0) {
        if (names.has(port.name)) at.child("name").duplicate(port.name)
        names.add(port.name)
      }
    }
    if (port.containerPort === 0) at.child("containerPort").required()
    else at.child("containerPort").invalidEach(port.containerPort, portNumber(port.containerPort))
    if (port.hostPort !== undefined && port.hostPort !== 0) {
      at.child("hostPort").invalidEach(port.hostPort, portNumber(port.hostPort))
    }
    const { protocol = "TCP" } = port
    if (!PROTOCOLS.includes(protocol)) at.child("protocol").notSupported(protocol, PROTOCOLS)
  }
}

/** Across the pod: protocol, address and port together may be claimed once. */
function checkHostPorts(containers: ReadonlyArray<Container>, field: Field): void {
  const taken = new Set<string>()
  for (const [i, container] of containers.entries()) {
    for (const [j, port] of (container.ports ?? []).entries()) {
      if (port.hostPort === undefined || port.hostPort === 0) continue
      const key = `${port.protocol ?? "TCP"}/${port.hostIP ?? ""}/${port.hostPort}`
      if (taken.has(key)) field.child(i, "ports", j, "hostPort").duplicate(key)
      taken.add(key)
    }
  }
}

const ENV_SOURCES = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"] as const
const FIELD_PATHS = [
  "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
  "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"
]

function validateEnv(variable: EnvVar, field: Field): void {
  if (variable.name === "") field.child("name").required()
  else field.child("name").invalidEach(variable.name, envName(variable.name))
  const { valueFrom } = variable
  if (valueFrom === undefined) return
  const at = field.child("valueFrom")
  const sources = ENV_SOURCES.filter((source) => valueFrom[source] !== undefined)
  if (variable.value !== undefined && variable.value !== "") {
    if (sources.length > 0) at.invalid("", "may not be specified when `value` is not empty")
  } else if (sources.length > 1) at.invalid("", "may not have more than one field specified at a time")
  if (sources.length === 0) {
    at.invalid("", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` " +
      "or `fileKeyRef`")
  }
  for (const source of ["configMapKeyRef", "secretKeyRef"] as const) {
    const ref = valueFrom[source]
    if (ref === undefined) continue
    if (ref.key === "") at.child(source, "key").required()
    else at.child(source, "key").invalidEach(ref.key, configKey(ref.key))
  }
  const path = valueFrom.fieldRef?.fieldPath
  if (path === undefined) return
  if (path === "") at.child("fieldRef", "fieldPath").required()
  else if (!FIELD_PATHS.includes(path) && !/^metadata\.(labels|annotations)\['[^']+'\]$/.test(path)) {
    at.child("fieldRef", "fieldPath").notSupported(path, FIELD_PATHS)
  }
}

function validateEnvFrom({ envFrom = [] }: Container, field: Field): void {
  for (const [i, source] of envFrom.entries()) {
    const at = field.child(i)
    if (source.prefix !== undefined && source.prefix !== "") {
      at.child("prefix").invalidEach(source.prefix, envName(source.prefix))
    }
    const count = [source.configMapRef, source.secretRef].filter((ref) => ref !== undefined).length
    if (count === 0) at.invalid("", "must specify one of: `configMapRef` or `secretRef`")
    if (count > 1) at.invalid("", "may not have more than one field specified at a time")
    for (const key of ["configMapRef", "secretRef"] as const) {
      if (source[key] !== undefined && (source[key].name ?? "") === "") at.child(key, "name").required()
    }
  }
}

function validateMounts(
  mounts: ReadonlyArray<VolumeMount>, volumes: ReadonlySet<string>, field: Field
): void {
  const paths = new Set<string>()
  for (const [i, mount] of mounts.entries()) {
    const at = field.child(i)
    if (mount.name === "") at.child("name").required()
    if (!volumes.has(mount.name)) at.child("name").notFound(mount.name)
    if (mount.mountPath === "") at.child("mountPath").required()
    if (paths.has(mount.mountPath)) at.child("mountPath").invalid(mount.mountPath, "must be unique")
    paths.add(mount.mountPath)
    for (const key of ["subPath", "subPathExpr"] as const) {
      const path = mount[key] ?? ""
      if (path.startsWith("/")) at.child(key).invalid(path, "must be a relative path")
      if (path.split("/").includes("..")) at.child(key).invalid(path, "must not contain '..'")
    }
    if ((mount.subPath ?? "") !== "" && (mount.subPathExpr ?? "") !== "") {
      at.child("subPathExpr").invalid(mount.subPathExpr, "subPathExpr and subPath are mutually exclusive")
    }
  }
}

function validateResources({ limits, requests }: ResourceRequirements, field: Field): void {
  for (const [list, key] of [[limits, "limits"], [requests, "requests"]] as const) {
    for (const [name, value] of sortedEntries(list)) {
      const at = field.child(key, name)
      at.invalidEach(name, labelKey(name))
      if (!name.includes("/") && !/^(cpu|memory|ephemeral-storage|hugepages-.+)$/.test(name)) {
        at.invalid(name, "must be a standard resource for containers")
      }
      if (parse(value) < 0n) at.invalid(text(value), "must be greater than or equal to 0")
    }
  }
  for (const [name, request] of sortedEntries(requests)) {
    const limit = limits?.[name]
    const mayExceed = !name.includes("/") && !name.startsWith("hugepages-")
    if (limit === undefined) {
      if (!mayExceed) field.child("limits").required("Limit must be set for non overcommitable resources")
    } else if (!mayExceed && compare(request, limit) !== 0) {
      field.child("requests").invalid(text(request), `must be equal to ${name} limit of ${text(limit)}`)
    } else if (compare(request, limit) > 0) {
      field.child("requests")
        .invalid(text(request), `must be less than or equal to ${name} limit of ${text(limit)}`)
    }
  }
}

function validateProbes(container: Container, field: Field): void {
  if (container.lifecycle !== undefined) validateLifecycle(container.lifecycle, field.child("lifecycle"))
  for (const key of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    const probe = container[key]
    if (probe === undefined) continue
    const at = field.child(key)
    validateProbe(probe, at)
    const grace = probe.terminationGracePeriodSeconds
    if (key === "readinessProbe") {
      if (grace !== undefined) {
        at.child("terminationGracePeriodSeconds").invalid(grace, "must not be set for readinessProbes")
      }
      continue
    }
    if (grace !== undefined && grace <= 0) {
      at.child("terminationGracePeriodSeconds").invalid(grace, "must be greater than 0")
    }
    if (probe.successThreshold !== undefined && probe.successThreshold !== 1) {
      at.child("successThreshold").invalid(probe.successThreshold, "must be 1")
    }
  }
}

function validateProbe(probe: Probe, field: Field): void {
  validateHandler(probe, HANDLERS, field)
  for (const key of [
    "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"
  ] as const) nonNegative(field.child(key), probe[key])
}

function validateLifecycle(lifecycle: Lifecycle, field: Field): void {
  for (const key of ["postStart", "preStop"] as const) {
    const handler = lifecycle[key]
    if (handler !== undefined) validateHandler(handler, LIFECYCLE_HANDLERS, field.child(key))
  }
}

type Handlers = Partial<Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc">> &
  { readonly sleep?: { readonly seconds: number } }

/** Exactly one; each one after the first is named. */
function validateHandler(handler: Handlers, kinds: ReadonlyArray<keyof Handlers>, field: Field): void {
  let count = 0
  for (const kind of kinds) {
    if (handler[kind] === undefined) continue
    const at = field.child(kind)
    if (count++ > 0) at.forbidden("may not specify more than 1 handler type")
    else validateAction(handler, kind, at)
  }
  if (count === 0) field.required("must specify a handler type")
}

function validateAction(handler: Handlers, kind: keyof Handlers, field: Field): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler
  if (kind === "exec" && (exec?.command ?? []).length === 0) field.child("command").required()
  if (kind === "httpGet") {
    if (httpGet!.path === "") field.child("path").required()
    validatePort(httpGet!.port, field.child("port"))
    const { scheme = "HTTP" } = httpGet!
    if (scheme !== "HTTP" && scheme !== "HTTPS") field.child("scheme").notSupported(scheme, ["HTTP", "HTTPS"])
    for (const [i, header] of (httpGet!.httpHeaders ?? []).entries()) {
      if (!/^[-A-Za-z0-9]+$/.test(header.name)) {
        field.child("httpHeaders", i, "name").invalid(header.name, "a valid HTTP header must consist of " +
          "alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is " +
          "'[-A-Za-z0-9]+')")
      }
    }
  }
  if (kind === "tcpSocket") validatePort(tcpSocket!.port, field.child("port"))
  if (kind === "grpc") validatePort(grpc!.port, field.child("port"))
  if (kind === "sleep" && sleep!.seconds < 0) {
    field.child("seconds").invalid(sleep!.seconds, "must be non-negative")
  }
}

export function validatePort(port: number | string, field: Field): void {
  field.invalidEach(port, typeof port === "number" ? portNumber(port) : portName(port))
}
