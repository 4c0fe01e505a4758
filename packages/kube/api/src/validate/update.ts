/**
 * What may not change once an object is there. Differs from the server in one thing: for a pod it appends
 * Go's dump of both specs, we name the fields that differ.
 * Not supported: a suspended Job's scheduling fields, completions of an elastic Indexed Job, in-place resize.
 */
import { canonical } from "../name.ts"
import type { KubeObject } from "../object.ts"
import { fieldPath, type Path } from "../problem.ts"
import type { Container } from "../schema/container.ts"
import type { Pod } from "../schema/pod.ts"
import type { Toleration } from "../schema/scheduling.ts"
import type { StatefulSet } from "../schema/stateful-set.ts"
import { is } from "../typed.ts"
import type { Field } from "./field.ts"

const IMMUTABLE = "field is immutable"

const POD_FORBIDDEN = "pod updates may not change fields other than `spec.containers[*].image`," +
  "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to " +
  "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was " +
  "previously negative)"

const STATEFUL_SET_MUTABLE = [
  "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy", "minReadySeconds"
]

const JOB_IMMUTABLE = [
  "completions", "selector", "template", "completionMode", "podFailurePolicy", "backoffLimitPerIndex",
  "managedBy", "successPolicy"
] as const

const equal = (a: unknown, b: unknown) => a === b || canonical(a) === canonical(b)

export function validateImmutable(before: KubeObject, after: KubeObject, root: Field): void {
  for (const key of ["name", "namespace", "uid"] as const) {
    const value = after.metadata[key]
    // A manifest does not say its uid; the server takes the old one then.
    if ((key !== "uid" || value !== undefined) && value !== before.metadata[key]) {
      root.child("metadata", key).invalid(value, IMMUTABLE)
    }
  }
  const spec = root.child("spec")
  const keep = (b: object, a: object, keys: ReadonlyArray<string>) => {
    for (const key of keys) {
      const value = (a as Readonly<Record<string, unknown>>)[key]
      if (!equal((b as Readonly<Record<string, unknown>>)[key], value)) {
        spec.child(key).invalid(value, IMMUTABLE)
      }
    }
  }
  if (is("Pod", before) && is("Pod", after)) return validatePodUpdate(before, after, spec)
  if (is("StatefulSet", before) && is("StatefulSet", after)) {
    return validateStatefulSetUpdate(before, after, spec)
  }
  if (is("Job", before) && is("Job", after)) return keep(before.spec, after.spec, JOB_IMMUTABLE)
  for (const kind of ["Deployment", "ReplicaSet", "DaemonSet"] as const) {
    if (is(kind, before) && is(kind, after)) return keep(before.spec, after.spec, ["selector"])
  }
  if (is("Node", before) && is("Node", after)) {
    const [old, next] = [before.spec.podCIDRs ?? [], after.spec.podCIDRs ?? []]
    if (old.length > 0 && !equal(old, next)) {
      spec.child("podCIDRs").forbidden("node updates may not change podCIDR except from \"\" to valid")
    }
    if ((before.spec.providerID ?? "") !== "" && before.spec.providerID !== after.spec.providerID) {
      spec.child("providerID").forbidden("node updates may not change providerID except from \"\" to valid")
    }
  }
}

function validateStatefulSetUpdate(before: StatefulSet, after: StatefulSet, field: Field): void {
  const fixed = (spec: object) =>
    Object.fromEntries(Object.entries(spec).filter(([key]) => !STATEFUL_SET_MUTABLE.includes(key)))
  if (equal(fixed(before.spec), fixed(after.spec))) return
  const words = STATEFUL_SET_MUTABLE.map((key) => `'${key}'`)
  field.forbidden(`updates to statefulset spec for fields other than ${words.slice(0, -1).join(", ")} and ` +
    `${words.at(-1)} are forbidden`)
}

function validatePodUpdate(before: Pod, after: Pod, field: Field): void {
  if (before.spec.containers.length !== after.spec.containers.length) {
    return field.child("containers").forbidden("pod updates may not add or remove containers")
  }
  if ((before.spec.initContainers ?? []).length !== (after.spec.initContainers ?? []).length) {
    return field.child("initContainers").forbidden("pod updates may not add or remove containers")
  }
  for (const key of ["containers", "initContainers"] as const) {
    for (const [i, { image = "" }] of (after.spec[key] ?? []).entries()) {
      if (image !== image.trim()) {
        field.child(key, i, "image").invalid(image, "must not have leading or trailing whitespace")
      }
    }
  }
  validateDeadlineUpdate(before, after, field.child("activeDeadlineSeconds"))
  const kept = before.spec.tolerations ?? []
  const given = after.spec.tolerations ?? []
  const lasting = ({ tolerationSeconds: _, ...rest }: Toleration) => rest
  if (!kept.every((toleration) => given.some((other) => equal(lasting(toleration), lasting(other))))) {
    field.child("tolerations")
      .forbidden("existing toleration can not be modified except its tolerationSeconds")
  }
  const changed: Array<string> = []
  difference(fixedPart(before), fixedPart(after), ["spec"], changed)
  if (changed.length > 0) field.forbidden(`${POD_FORBIDDEN}; changed here: ${changed.join(", ")}`)
}

function validateDeadlineUpdate(before: Pod, after: Pod, field: Field): void {
  const old = before.spec.activeDeadlineSeconds
  const next = after.spec.activeDeadlineSeconds
  if (old === undefined) return
  if (next === undefined) field.invalid(next ?? null, "must not update from a positive integer to nil value")
  else if (next > old) field.invalid(next, `must be less than or equal to previous value`)
}

/** A pod's spec without what may change. */
function fixedPart({ spec }: Pod): object {
  const bare = (container: Container) => ({ ...container, image: "" })
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, ...rest } = spec
  return {
    ...rest, containers: spec.containers.map(bare),
    ...spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(bare) },
    terminationGracePeriodSeconds: Math.max(1, spec.terminationGracePeriodSeconds ?? 1)
  }
}

/** Paths of the smallest parts that differ. */
function difference(a: unknown, b: unknown, path: Path, into: Array<string>): void {
  if (equal(a, b)) return
  const isPair = typeof a === "object" && typeof b === "object" && a !== null && b !== null &&
    Array.isArray(a) === Array.isArray(b)
  if (!isPair || Array.isArray(a) && a.length !== (b as ReadonlyArray<unknown>).length) {
    into.push(fieldPath(path))
    return
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const part = Array.isArray(a) ? Number(key) : key
    difference((a as Readonly<Record<string, unknown>>)[key], (b as Readonly<Record<string, unknown>>)[key],
      [...path, part], into)
  }
}
