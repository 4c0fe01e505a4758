/**
 * Objects as `kubectl -o json` prints them: keys in order of their bytes, four spaces, HTML's characters
 * escaped.
 */
const INDENT = 4

export function toJson(value: unknown): string {
  return `${escaped(JSON.stringify(sorted(value), null, INDENT))}\n`
}

/** encoding/json: `<`, `>`, `&` and the two line separators never stand in a string as they are. */
export function escaped(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
}

/**
 * Own keys in order, what is undefined left out. A key that looks like an index stays in place through a
 * Map's order.
 */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== "object" || value === null) return value
  const fields = Object.entries(value).filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(fields.map(([key, child]) => [key, sorted(child)]))
}

export function listOf(items: ReadonlyArray<unknown>): unknown {
  return { apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } }
}
