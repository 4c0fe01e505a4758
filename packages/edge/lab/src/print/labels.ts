/** Labels and selectors as one word: labels.FormatLabels, metav1.FormatLabelSelector. */
type Labels = Readonly<Record<string, string>> | undefined

interface Selector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: ReadonlyArray<{
    readonly key: string; readonly operator: string; readonly values?: ReadonlyArray<string>
  }>
}

export function labelsText(labels: Labels, none = "<none>"): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`).sort(byCode)
  return pairs.length === 0 ? none : pairs.join(",")
}

export function selectorText(selector: Selector | undefined, none = "<none>"): string {
  const parts = [
    ...Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` })),
    ...(selector?.matchExpressions ?? [])
      .map(({ key, operator, values }) => ({ key, text: requirement(key, operator, values ?? []) }))
  ].sort((a, b) => byCode(a.key, b.key))
  return parts.length === 0 ? none : parts.map(({ text }) => text).join(",")
}

function requirement(key: string, operator: string, values: ReadonlyArray<string>): string {
  const set = `(${[...values].sort(byCode).join(",")})`
  switch (operator) {
    case "In": return `${key} in ${set}`
    case "NotIn": return `${key} notin ${set}`
    case "DoesNotExist": return `!${key}`
    default: return key
  }
}

export function byCode(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
