/** Taints and tolerations (component-helpers/scheduling/corev1). */
import type { Node } from "@podwire/api/schema/node"
import type { Taint, Toleration } from "@podwire/api/schema/scheduling"

export const NOT_READY = "node.kubernetes.io/not-ready"
export const UNREACHABLE = "node.kubernetes.io/unreachable"
export const UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
const NONE: ReadonlyArray<Taint> = []
const NOT_READY_TAINT: Taint = { key: NOT_READY, effect: "NoSchedule" }

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key = "", operator = "Equal", value = "", effect = "" } = toleration
  if (effect !== "" && effect !== taint.effect) return false
  if (key !== "" && key !== taint.key) return false
  switch (operator || "Equal") {
    case "Exists": return true
    case "Equal": return key !== "" && value === (taint.value ?? "")
    default: return false
  }
}

/** The first taint with one of these effects that nothing tolerates. */
export function untolerated(
  taints: ReadonlyArray<Taint>, tolerations: ReadonlyArray<Toleration>, effects: ReadonlyArray<string>
): Taint | null {
  return taints.find((taint) => effects.includes(taint.effect) &&
    !tolerations.some((toleration) => tolerates(toleration, taint))) ?? null
}

/**
 * A node that isn't ready has its taint from birth (plugin/pkg/admission/nodetaint); here it is seen before
 * the node lifecycle controller has written it.
 */
export function taintsOf(node: Node): ReadonlyArray<Taint> {
  const taints = node.spec?.taints ?? NONE
  const ready = node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false
  if (ready || taints.some(({ key }) => key === NOT_READY || key === UNREACHABLE)) return taints
  return [...taints, NOT_READY_TAINT]
}
