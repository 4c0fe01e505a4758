/** Which nodes a pod's nodeSelector and required node affinity admit (component-helpers/scheduling/corev1/nodeaffinity). */
import type { Node } from "@podwire/api/schema/node"
import type { PodSpec } from "@podwire/api/schema/pod"
import type { NodeSelectorTerm } from "@podwire/api/schema/scheduling"
import { meets } from "./selector.ts"

export function admits(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  const { nodeSelector } = spec
  if (nodeSelector !== undefined) {
    for (const key in nodeSelector) if (labels[key] !== nodeSelector[key]) return false
  }
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || required.nodeSelectorTerms.some((term) => meetsTerm(term, node))
}

/** The only nodes that can match, when every term names them: a daemon's pods would otherwise cost nodes². */
export function namedNodes(spec: PodSpec): ReadonlySet<string> | null {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (terms === undefined) return null
  const names = new Set<string>()
  for (const { matchFields = [] } of terms) {
    const named = matchFields.find(({ key, operator }) => key === "metadata.name" && operator === "In")
    if (named === undefined) return null
    for (const name of named.values ?? []) names.add(name)
  }
  return names
}

/** A term without requirements matches nothing. */
function meetsTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  const fields = { "metadata.name": node.metadata.name! }
  return matchExpressions.every((requirement) => meets(requirement, node.metadata.labels ?? {})) &&
    matchFields.every((requirement) => meets(requirement, fields))
}
