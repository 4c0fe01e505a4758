/** LabelSelector as objects hold it: all requirements must hold; an empty one selects everything. */
import type { LabelSelector } from "./schema/meta.ts"

export type Labels = Readonly<Record<string, string>>

/** metav1.LabelSelectorAsSelector and Matches; an operator that does not exist matches nothing. */
export function matchesLabels(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (selector === undefined) return false
  for (const key in selector.matchLabels) {
    if (valueOf(labels, key) !== selector.matchLabels[key]) return false
  }
  return selector.matchExpressions?.every(({ key, operator, values = [] }) =>
    meets(operator, valueOf(labels, key), values)) ?? true
}

/** The operators that label and node selectors have in common. */
export function meets(operator: string, value: string | undefined, values: ReadonlyArray<string>): boolean {
  switch (operator) {
    case "In": return value !== undefined && values.includes(value)
    case "NotIn": return value === undefined || !values.includes(value)
    case "Exists": return value !== undefined
    case "DoesNotExist": return value === undefined
    default: return false
  }
}

/** Own properties only: a label may be called `constructor`. */
export function valueOf(labels: Labels | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined
}
