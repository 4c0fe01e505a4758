/** The taints that nodes get by themselves. */
import type { Node } from "@podwire/api/schema/node"
import type { Taint } from "@podwire/api/schema/scheduling"

export const NOT_READY = "node.kubernetes.io/not-ready"
export const UNREACHABLE = "node.kubernetes.io/unreachable"
export const UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
const NONE: ReadonlyArray<Taint> = []
const NOT_READY_TAINT: Taint = { key: NOT_READY, effect: "NoSchedule" }

/**
 * A node that isn't ready has its taint from birth (plugin/pkg/admission/nodetaint); here it is seen before
 * the node lifecycle controller has written it.
 */
export function taintsOf(node: Node): ReadonlyArray<Taint> {
  const taints = node.spec?.taints ?? NONE
  const ready = node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ??
    false
  if (ready || taints.some(({ key }) => key === NOT_READY || key === UNREACHABLE)) return taints
  return [...taints, NOT_READY_TAINT]
}
