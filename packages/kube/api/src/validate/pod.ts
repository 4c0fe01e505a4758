/**
 * A pod's spec as the API server checks it (pkg/apis/core/validation/validation.go, ValidatePodSpec), and the
 * template that carries one.
 * Not supported: securityContext, resourceClaims, overhead, os and windows, sources of volumes beyond their
 * shape, pod-level resources; admission (quotas, service accounts that must exist, pod security).
 */
import type { Meta } from "../object.ts"
import type { Pod, PodSpec, PodTemplateSpec } from "../schema/pod.ts"
import type { Volume } from "../schema/volume.ts"
import { validateContainers, validateInitContainers } from "./container.ts"
import type { Field } from "./field.ts"
import { between, dnsLabel, dnsSubdomain, ipFamily, labelKey, NOT_AN_IP } from "./format.ts"
import { validateAnnotations, validateLabels } from "./meta.ts"
import { validateAffinity, validateTolerations, validateTopologySpread } from "./scheduling.ts"

const RESTART_POLICIES = ["Always", "OnFailure", "Never"]
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]
const PREEMPTION_POLICIES = ["PreemptLowerPriority", "Never"]
const NAMESERVERS_MAX = 3
const SEARCHES_MAX = 32
const SEARCH_CHARS_MAX = 2048
const INT32_MAX = 2 ** 31 - 1

export function validatePod(pod: Pod, root: Field): void {
  validatePodSpec(pod.spec, root.child("spec"), { isPod: true })
  if ((pod.spec.ephemeralContainers ?? []).length > 0) {
    root.child("spec", "ephemeralContainers").forbidden("cannot be set on create")
  }
}

export function validateTemplate(
  template: PodTemplateSpec, field: Field, claims: ReadonlyArray<string> = []
): void {
  // The server prints `template.labels`; the document says `template.metadata.labels`, and so do we.
  const meta = template.metadata as Meta
  validateLabels(meta.labels, field.child("metadata", "labels"))
  validateAnnotations(meta.annotations, field.child("metadata", "annotations"))
  validatePodSpec(template.spec, field.child("spec"), { isPod: false, claims })
  if ((template.spec.ephemeralContainers ?? []).length > 0) {
    field.child("spec", "ephemeralContainers").forbidden("ephemeral containers not allowed in pod template")
  }
}

interface PodOptions {
  /** A template may leave host ports open: they are filled in when the pod is made. */
  readonly isPod: boolean
  /** Volumes that a StatefulSet adds. */
  readonly claims?: ReadonlyArray<string>
}

function validatePodSpec(spec: PodSpec, field: Field, { isPod, claims = [] }: PodOptions): void {
  const volumes = validateVolumes(spec.volumes ?? [], field.child("volumes"))
  for (const claim of claims) volumes.add(claim)
  validateContainers(spec.containers, volumes, field.child("containers"))
  validateInitContainers(spec.initContainers ?? [], spec.containers, volumes, field.child("initContainers"))
  if (spec.hostNetwork === true) validateHostNetwork(spec, field.child("containers"), isPod)
  oneOf(field.child("restartPolicy"), spec.restartPolicy, RESTART_POLICIES)
  oneOf(field.child("dnsPolicy"), spec.dnsPolicy, DNS_POLICIES)
  validateLabels(spec.nodeSelector, field.child("nodeSelector"))
  validateHostNamespaces(spec, field)
  validateAffinity(spec.affinity, field.child("affinity"))
  validateDnsConfig(spec, field.child("dnsConfig"))
  for (const [i, gate] of (spec.readinessGates ?? []).entries()) {
    field.child("readinessGates", i, "conditionType")
      .invalidEach(gate.conditionType, labelKey(gate.conditionType))
  }
  validateSchedulingGates(spec, field.child("schedulingGates"))
  validateTopologySpread(spec.topologySpreadConstraints ?? [], field.child("topologySpreadConstraints"))
  validateNames(spec, field)
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined && (deadline < 1 || deadline > INT32_MAX)) {
    field.child("activeDeadlineSeconds").invalid(deadline, between(1, INT32_MAX))
  }
  const grace = spec.terminationGracePeriodSeconds
  if (grace !== undefined && grace < 0) {
    field.child("terminationGracePeriodSeconds").invalid(grace, "must be greater than or equal to 0")
  }
  validateTolerations(spec.tolerations ?? [], field.child("tolerations"))
  validateHostAliases(spec, field.child("hostAliases"))
  oneOf(field.child("preemptionPolicy"), spec.preemptionPolicy, PREEMPTION_POLICIES)
}

/** Absent is fine: defaults have been set, or will be. */
export function oneOf(field: Field, value: string | undefined, supported: ReadonlyArray<string>): void {
  if (value === undefined) return
  if (value === "") field.required()
  else if (!supported.includes(value)) field.notSupported(value, supported)
}

function validateVolumes(volumes: ReadonlyArray<Volume>, field: Field): Set<string> {
  const names = new Set<string>()
  for (const [i, volume] of volumes.entries()) {
    const at = field.child(i)
    const sources = Object.keys(volume).filter((key) => key !== "name")
    for (const source of sources.slice(1)) {
      at.child(source).forbidden("may not specify more than 1 volume type")
    }
    if (volume.hostPath?.path === "") at.child("hostPath", "path").required()
    if (volume.configMap !== undefined && (volume.configMap.name ?? "") === "") {
      at.child("configMap", "name").required()
    }
    if (volume.secret !== undefined && (volume.secret.secretName ?? "") === "") {
      at.child("secret", "secretName").required()
    }
    if (volume.persistentVolumeClaim?.claimName === "") {
      at.child("persistentVolumeClaim", "claimName").required()
    }
    if (volume.name === "") at.child("name").required()
    else at.child("name").invalidEach(volume.name, dnsLabel(volume.name))
    if (names.has(volume.name)) at.child("name").duplicate(volume.name)
    names.add(volume.name)
  }
  return names
}

/** Only regular containers, as the server has it. */
function validateHostNetwork(spec: PodSpec, field: Field, isPod: boolean): void {
  for (const [i, container] of spec.containers.entries()) {
    for (const [j, { hostPort = 0, containerPort }] of (container.ports ?? []).entries()) {
      if ((isPod || hostPort !== 0) && hostPort !== containerPort) {
        field.child(i, "ports", j, "hostPort")
          .invalid(hostPort, "must match `containerPort` when `hostNetwork` is true")
      }
    }
  }
}

function validateHostNamespaces(spec: PodSpec, field: Field): void {
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    field.child("shareProcessNamespace")
      .invalid(true, "ShareProcessNamespace and HostPID cannot both be enabled")
  }
  if (spec.hostUsers !== false) return
  if (spec.hostNetwork === true) field.child("hostNetwork").forbidden("when `hostUsers` is false")
  if (spec.hostPID === true) field.child("hostPID").forbidden("when `hostUsers` is false")
  if (spec.hostIPC === true) field.child("hostIPC").forbidden("when `hostUsers` is false")
}

function validateDnsConfig(spec: PodSpec, field: Field): void {
  const { dnsConfig } = spec
  if (spec.dnsPolicy === "None") {
    if (dnsConfig === undefined) return field.required("must provide `dnsConfig` when `dnsPolicy` is None")
    if ((dnsConfig.nameservers ?? []).length === 0) {
      return field.child("nameservers")
        .required("must provide at least one DNS nameserver when `dnsPolicy` is None")
    }
  }
  if (dnsConfig === undefined) return
  const { nameservers = [], searches = [], options = [] } = dnsConfig
  if (nameservers.length > NAMESERVERS_MAX) {
    field.child("nameservers").invalid(nameservers, `must not have more than ${NAMESERVERS_MAX} nameservers`)
  }
  for (const [i, server] of nameservers.entries()) {
    if (ipFamily(server) === null) field.child("nameservers", i).invalid(server, NOT_AN_IP)
  }
  if (searches.length > SEARCHES_MAX) {
    field.child("searches").invalid(searches, `must not have more than ${SEARCHES_MAX} search paths`)
  }
  if (searches.join(" ").length > SEARCH_CHARS_MAX) {
    field.child("searches").invalid(searches,
      `must not have more than ${SEARCH_CHARS_MAX} characters (including spaces) in the search list`)
  }
  for (const [i, search] of searches.entries()) {
    // "." alone keeps the resolver from searching (allowed since 1.29).
    if (search === ".") continue
    const domain = search.endsWith(".") ? search.slice(0, -1) : search
    field.child("searches", i).invalidEach(domain, dnsSearch(domain))
  }
  for (const [i, option] of options.entries()) {
    if ((option.name ?? "") === "") field.child("options", i).required("must not be empty")
  }
}

/** Search domains may have underscores (RelaxedDNSSearchValidation). */
function dnsSearch(domain: string): ReadonlyArray<string> {
  return dnsSubdomain(domain.replace(/(^|\.)_/g, "$1").replaceAll("_", "-"))
}

function validateSchedulingGates(spec: PodSpec, field: Field): void {
  const names = new Set<string>()
  for (const [i, { name }] of (spec.schedulingGates ?? []).entries()) {
    field.child(i).invalidEach(name, labelKey(name))
    if (names.has(name)) field.child(i).duplicate(name)
    names.add(name)
  }
}

function validateNames(spec: PodSpec, field: Field): void {
  for (const key of ["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"] as const) {
    const name = spec[key]
    if (name !== undefined && name !== "") field.child(key).invalidEach(name, dnsSubdomain(name))
  }
  for (const key of ["hostname", "subdomain"] as const) {
    const name = spec[key]
    if (name !== undefined && name !== "") field.child(key).invalidEach(name, dnsLabel(name))
  }
}

function validateHostAliases(spec: PodSpec, field: Field): void {
  for (const [i, alias] of (spec.hostAliases ?? []).entries()) {
    if (ipFamily(alias.ip) === null) field.child(i, "ip").invalid(alias.ip, NOT_AN_IP)
    for (const [j, name] of (alias.hostnames ?? []).entries()) {
      field.child(i, "hostnames", j).invalidEach(name, dnsSubdomain(name))
    }
  }
}
