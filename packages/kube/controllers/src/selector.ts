/** Label selectors (apimachinery/pkg/labels, meta/v1 LabelSelectorAsSelector). An unknown operator matches nothing. */
import type { LabelSelector } from "@podwire/api/schema/meta"

type Labels = Readonly<Record<string, string>>

export interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: ReadonlyArray<string>
}

const NO_LABELS: Labels = {}

/** An empty selector matches everything, an absent one nothing. */
export function matches(selector: LabelSelector | undefined, labels: Labels = NO_LABELS): boolean {
  if (selector === undefined) return false
  const wanted = selector.matchLabels
  if (wanted !== undefined) {
    for (const key in wanted) if (labels[key] !== wanted[key]) return false
  }
  return selector.matchExpressions?.every((requirement) => meets(requirement, labels)) ?? true
}

/** `Gt` and `Lt` are node selectors' own. */
export function meets({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = labels[key]
  switch (operator) {
    case "In": return value !== undefined && values.includes(value)
    case "NotIn": return value === undefined || !values.includes(value)
    case "Exists": return value !== undefined
    case "DoesNotExist": return value === undefined
    case "Gt": return isInteger(value) && isInteger(values[0]) && BigInt(value) > BigInt(values[0])
    case "Lt": return isInteger(value) && isInteger(values[0]) && BigInt(value) < BigInt(values[0])
    default: return false
  }
}

function isInteger(text: string | undefined): text is string {
  return text !== undefined && /^[+-]?\d+$/.test(text) && !text.startsWith("+")
}
