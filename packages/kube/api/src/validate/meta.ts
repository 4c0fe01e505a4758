/**
 * Metadata, labels and label selectors (apimachinery pkg/api/validation/objectmeta.go and
 * pkg/apis/meta/v1/validation). Not supported: managedFields, finalizers' order.
 */
import type { Kind } from "../kinds.ts"
import type { Meta } from "../object.ts"
import type { LabelSelector } from "../schema/meta.ts"
import { Field, sortedEntries } from "./field.ts"
import { dns1035Label, dnsLabel, dnsSubdomain, labelKey, labelValue, masked } from "./format.ts"

const ANNOTATION_BYTES_MAX = 256 * 1024

/** Kinds whose name is a label: it becomes one (a host name, a DNS name). All others take a subdomain. */
const NAMES: Readonly<Record<string, (value: string) => ReadonlyArray<string>>> = {
  Namespace: dnsLabel, StatefulSet: dnsLabel, Service: dns1035Label
}

/** Its Jobs get eleven characters more, and are then still labels (batch/validation, ValidateCronJob). */
const CRON_JOB_NAME_CHARS_MAX = 52

/** RBAC's names are path segments (pkg/api/validation/path/name.go). */
const PATH_SEGMENT_GROUP = "rbac.authorization.k8s.io"

function pathSegment(value: string): ReadonlyArray<string> {
  if (value === "." || value === "..") return [`may not be '${value}'`]
  return ["/", "%"].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`)
}

export function validateMeta(meta: Meta, kind: Kind | null, field: Field): void {
  const name = kind?.group === PATH_SEGMENT_GROUP ? pathSegment : NAMES[kind?.kind ?? ""] ?? dnsSubdomain
  const { generateName } = meta
  if (generateName !== undefined && generateName !== "") {
    field.child("generateName").invalidEach(generateName, masked(name, generateName))
  }
  if (meta.name !== undefined && meta.name !== "") field.child("name").invalidEach(meta.name, name(meta.name))
  // The server has made a name of generateName by then; our store does so when it creates.
  else if (generateName === undefined || generateName === "") {
    field.child("name").required("name or generateName is required")
  }
  if (kind?.kind === "CronJob" && (meta.name ?? "").length > CRON_JOB_NAME_CHARS_MAX) {
    field.child("name").invalid(meta.name, `must be no more than ${CRON_JOB_NAME_CHARS_MAX} characters`)
  }
  validateNamespaceField(meta, kind, field.child("namespace"))
  if (meta.generation !== undefined && meta.generation < 0) {
    field.child("generation").invalid(meta.generation, "must be greater than or equal to 0")
  }
  validateLabels(meta.labels, field.child("labels"))
  validateAnnotations(meta.annotations, field.child("annotations"))
  validateOwners(meta, field.child("ownerReferences"))
}

function validateNamespaceField(meta: Meta, kind: Kind | null, field: Field): void {
  const { namespace } = meta
  if (kind === null || namespace === undefined || namespace === "") return
  if (!kind.namespaced) field.forbidden("not allowed on this type")
  else field.invalidEach(namespace, dnsLabel(namespace))
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, field: Field): void {
  for (const [key, value] of sortedEntries(labels)) {
    field.invalidEach(key, labelKey(key))
    field.invalidEach(value, labelValue(value))
  }
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined, field: Field
): void {
  let bytes = 0
  for (const [key, value] of sortedEntries(annotations)) {
    field.invalidEach(key, labelKey(key.toLowerCase()))
    bytes += key.length + value.length
  }
  if (bytes > ANNOTATION_BYTES_MAX) field.tooLong(ANNOTATION_BYTES_MAX)
}

function validateOwners(meta: Meta, field: Field): void {
  let controller: string | null = null
  for (const owner of meta.ownerReferences ?? []) {
    if (owner.apiVersion === "") field.child("apiVersion").invalid("", "version must not be empty")
    if (owner.kind === "") field.child("kind").invalid("", "must not be empty")
    if (owner.name === "") field.child("name").invalid("", "must not be empty")
    if (owner.uid === "") field.child("uid").invalid("", "must not be empty")
    if (owner.controller !== true) continue
    const name = `${owner.kind}/${owner.name}`
    if (controller !== null) {
      field.invalid(meta.ownerReferences, "Only one reference can have Controller set to true. Found " +
        `\"true\" in references for ${controller} and ${name}`)
    } else controller = name
  }
}

export function validateLabelSelector(selector: LabelSelector | undefined, field: Field): void {
  if (selector === undefined) return
  validateLabels(selector.matchLabels, field.child("matchLabels"))
  for (const [i, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = field.child("matchExpressions", i)
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        at.child("values").required("must be specified when `operator` is 'In' or 'NotIn'")
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        at.child("values").forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
      }
    } else at.child("operator").invalid(operator, "not a valid selector operator")
    at.child("key").invalidEach(key, labelKey(key))
    for (const [j, value] of values.entries()) at.child("values", j).invalidEach(value, labelValue(value))
  }
}

export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0
}
