/**
 * Does this pod go onto that node: taints and tolerations, nodeSelector and node affinity, as scheduler,
 * kubelet and the DaemonSet controller ask it alike (component-helpers scheduling/corev1).
 * Not supported: the comparison operators Lt and Gt of tolerations (behind a feature gate in 1.36), pod
 * affinity and spreading (they need the other pods).
 */
import type { PodSpec } from "./schema/pod.ts"
import type { Node } from "./schema/node.ts"
import type { NodeSelectorTerm, Taint, Toleration } from "./schema/scheduling.ts"
import { isBeyond } from "./query.ts"
import { type Labels, meets, valueOf } from "./selector.ts"

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key = "", operator = "Equal", value = "", effect = "" } = toleration
  if (effect !== "" && effect !== taint.effect) return false
  if (key !== "" && key !== taint.key) return false
  return operator === "Exists" || (operator === "Equal" || operator === "") && value === (taint.value ?? "")
}

/** The first taint with one of these effects that nothing tolerates; null when all are tolerated. */
export function untolerated(
  taints: ReadonlyArray<Taint> | undefined, tolerations: ReadonlyArray<Toleration> | undefined,
  effects: ReadonlyArray<string> = ["NoSchedule", "NoExecute"]
): Taint | null {
  return (taints ?? []).find((taint) => effects.includes(taint.effect) &&
    !(tolerations ?? []).some((toleration) => tolerates(toleration, taint))) ?? null
}

/** nodeSelector and the required node affinity together. */
export function matchesNode(spec: Pick<PodSpec, "nodeSelector" | "affinity">, node: Node): boolean {
  const { labels } = node.metadata
  for (const key in spec.nodeSelector) {
    if (valueOf(labels, key) !== spec.nodeSelector[key]) return false
  }
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || matchesTerms(required.nodeSelectorTerms, labels, node.metadata.name!)
}

/** One term is enough; a term that asks for nothing matches nothing. */
export function matchesTerms(
  terms: ReadonlyArray<NodeSelectorTerm>, labels: Labels | undefined, name: string
): boolean {
  return terms.some((term) => matchesTerm(term, labels, name))
}

export function matchesTerm(term: NodeSelectorTerm, labels: Labels | undefined, name: string): boolean {
  const { matchExpressions = [], matchFields = [] } = term
  if (matchExpressions.length + matchFields.length === 0) return false
  return matchExpressions.every(({ key, operator, values = [] }) =>
    matchesRequirement(operator, valueOf(labels, key), values)) &&
    matchFields.every(({ key, operator, values = [] }) =>
      key === "metadata.name" && matchesRequirement(operator, name, values))
}

function matchesRequirement(
  operator: string, value: string | undefined, values: ReadonlyArray<string>
): boolean {
  if (operator !== "Gt" && operator !== "Lt") return meets(operator, value, values)
  return value !== undefined && values.length === 1 &&
    isBeyond(operator === "Gt" ? "gt" : "lt", value, values[0]!)
}
