/**
 * Where a pod may run: tolerations, affinity and spreading; and a node's taints
 * (pkg/apis/core/validation/validation.go). Not supported: matchLabelKeys' overlaps with the selector.
 */
import type {
  Affinity, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm, Taint, Toleration,
  TopologySpreadConstraint
} from "../schema/scheduling.ts"
import type { Field } from "./field.ts"
import { dnsLabel, dnsSubdomain, labelKey, labelValue } from "./format.ts"
import { validateLabelSelector } from "./meta.ts"

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"]

export function validateTolerations(tolerations: ReadonlyArray<Toleration>, field: Field): void {
  for (const [i, toleration] of tolerations.entries()) {
    const at = field.child(i)
    const { key = "", operator = "", value = "", effect = "" } = toleration
    if (key !== "") at.child("key").invalidEach(key, labelKey(key))
    else if (operator !== "Exists") {
      at.child("operator").invalid(operator,
        "operator must be Exists when `key` is empty, which means \"match all values and all keys\"")
    }
    if (toleration.tolerationSeconds !== undefined && effect !== "NoExecute") {
      at.child("effect").invalid(effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    }
    if (operator === "Equal" || operator === "") {
      const faults = labelValue(value)
      if (faults.length > 0) at.child("operator").invalid(value, faults.join(";"))
    } else if (operator === "Exists") {
      if (value !== "") {
        at.child("operator").invalid(toleration, "value must be empty when `operator` is 'Exists'")
      }
    } else at.child("operator").notSupported(operator, ["Equal", "Exists"])
    if (effect !== "" && !EFFECTS.includes(effect)) at.child("effect").notSupported(effect, EFFECTS)
  }
}

export function validateTaints(taints: ReadonlyArray<Taint>, field: Field): void {
  const seen = new Set<string>()
  for (const [i, taint] of taints.entries()) {
    const at = field.child(i)
    at.child("key").invalidEach(taint.key, labelKey(taint.key))
    const faults = labelValue(taint.value ?? "")
    if (faults.length > 0) at.child("value").invalid(taint.value, faults.join(";"))
    if (taint.effect === "") at.child("effect").required()
    else if (!EFFECTS.includes(taint.effect)) at.child("effect").notSupported(taint.effect, EFFECTS)
    const identity = `${taint.effect}\n${taint.key}`
    if (seen.has(identity)) at.duplicate(taint, "taints must be unique by key and effect pair")
    seen.add(identity)
  }
}

export function validateAffinity(affinity: Affinity | undefined, field: Field): void {
  if (affinity === undefined) return
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity
  const node = field.child("nodeAffinity")
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required !== undefined) {
    const at = node.child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
    if (required.nodeSelectorTerms.length === 0) at.required("must have at least one node selector term")
    for (const [i, term] of required.nodeSelectorTerms.entries()) validateNodeTerm(term, at.child(i))
  }
  const preferred = nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  for (const [i, { weight, preference }] of preferred.entries()) {
    const at = node.child("preferredDuringSchedulingIgnoredDuringExecution", i)
    validateWeight(weight, at)
    validateNodeTerm(preference, at.child("preference"))
  }
  for (const [terms, key] of [[podAffinity, "podAffinity"], [podAntiAffinity, "podAntiAffinity"]] as const) {
    const at = field.child(key)
    for (const [i, term] of (terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      validatePodTerm(term, at.child("requiredDuringSchedulingIgnoredDuringExecution", i))
    }
    for (const [i, term] of (terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      const here = at.child("preferredDuringSchedulingIgnoredDuringExecution", i)
      validateWeight(term.weight, here)
      validatePodTerm(term.podAffinityTerm, here.child("podAffinityTerm"))
    }
  }
}

function validateWeight(weight: number, field: Field): void {
  if (weight < 1 || weight > 100) field.child("weight").invalid(weight, "must be in the range 1-100")
}

function validateNodeTerm(term: NodeSelectorTerm, field: Field): void {
  for (const [i, requirement] of (term.matchExpressions ?? []).entries()) {
    validateNodeRequirement(requirement, field.child("matchExpressions", i))
  }
  for (const [i, requirement] of (term.matchFields ?? []).entries()) {
    const at = field.child("matchFields", i)
    const { key, operator, values = [] } = requirement
    if (operator !== "In" && operator !== "NotIn") {
      at.child("operator").invalid(operator, "not a valid selector operator")
    } else if (values.length !== 1) {
      at.child("values")
        .required("must be only one value when `operator` is 'In' or 'NotIn' for node field selector")
    }
    if (key !== "metadata.name") at.child("key").invalid(key, "not a valid field selector key")
    else {
      for (const [j, value] of values.entries()) at.child("values", j).invalidEach(value, dnsSubdomain(value))
    }
  }
}

function validateNodeRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement, field: Field
): void {
  const at = field.child("values")
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) at.required("must be specified when `operator` is 'In' or 'NotIn'")
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) at.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1) at.required("must be specified single value when `operator` is 'Lt' or 'Gt'")
  } else field.child("operator").invalid(operator, "not a valid selector operator")
  field.child("key").invalidEach(key, labelKey(key))
}

function validatePodTerm(term: PodAffinityTerm, field: Field): void {
  validateLabelSelector(term.labelSelector, field.child("labelSelector"))
  validateLabelSelector(term.namespaceSelector, field.child("namespaceSelector"))
  for (const [i, name] of (term.namespaces ?? []).entries()) {
    field.child("namespaces", i).invalidEach(name, dnsLabel(name))
  }
  if (term.topologyKey === "") field.child("topologyKey").required("can not be empty")
  else field.child("topologyKey").invalidEach(term.topologyKey, labelKey(term.topologyKey))
}

export function validateTopologySpread(
  constraints: ReadonlyArray<TopologySpreadConstraint>, field: Field
): void {
  for (const [i, constraint] of constraints.entries()) {
    const at = field.child(i)
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint
    if (maxSkew <= 0) at.child("maxSkew").invalid(maxSkew, "must be greater than zero")
    if (topologyKey === "") at.child("topologyKey").required("can not be empty")
    else at.child("topologyKey").invalidEach(topologyKey, labelKey(topologyKey))
    const actions = ["DoNotSchedule", "ScheduleAnyway"]
    if (!actions.includes(whenUnsatisfiable)) {
      at.child("whenUnsatisfiable").notSupported(whenUnsatisfiable, actions)
    }
    const isRepeated = constraints.slice(i + 1).some((other) =>
      other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    if (isRepeated) {
      at.child("{topologyKey, whenUnsatisfiable}").duplicate(`{${topologyKey}, ${whenUnsatisfiable}}`)
    }
    if (minDomains !== undefined) {
      if (minDomains <= 0) at.child("minDomains").invalid(minDomains, "must be greater than zero")
      if (whenUnsatisfiable !== "DoNotSchedule") {
        at.child("minDomains").invalid(minDomains, "can only use minDomains if " +
          `whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`)
      }
    }
    for (const key of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
      const policy = constraint[key]
      if (policy !== undefined && !["Honor", "Ignore"].includes(policy)) {
        at.child(key).notSupported(policy, ["Honor", "Ignore"])
      }
    }
    validateLabelSelector(constraint.labelSelector, at.child("labelSelector"))
  }
}
