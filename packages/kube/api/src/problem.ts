/**
 * What is wrong with an object, and where: the path into the document, so that the edge finds the line, and
 * a message in the API server's words. Paths print as `field.Path` prints them, with map keys in brackets.
 */

export type Path = ReadonlyArray<string | number>

export interface Problem {
  readonly path: Path
  /** The key itself is wrong (misspelt, unknown), not what stands behind it. */
  readonly atKey: boolean
  readonly message: string
}

/** Fields that are maps keyed by the user: the key prints as `limits[cpu]`. */
const MAPS: ReadonlySet<string> = new Set([
  "labels", "annotations", "matchLabels", "nodeSelector", "limits", "requests", "data", "binaryData",
  "stringData", "capacity", "allocatable", "overhead", "hard"
])

export function fieldPath(path: Path): string {
  let text = ""
  for (let i = 0; i < path.length; i++) {
    const part = path[i]!
    const before = path[i - 1]
    if (typeof part === "number" || (typeof before === "string" && MAPS.has(before))) text += `[${part}]`
    else text += text === "" ? part : `.${part}`
  }
  return text
}

/** One line: where, then what. Messages about a key name their path themselves. */
export function problemText({ path, atKey, message }: Problem): string {
  return atKey || path.length === 0 ? message : `${fieldPath(path)}: ${message}`
}

const FOUND_CHARS_MAX = 60

/** A value as Go's `%#v` and JSON agree to print it; long ones are cut, with the cut shown. */
export function found(value: unknown): string {
  if (value === undefined) return "null"
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= FOUND_CHARS_MAX ? text : `${text.slice(0, FOUND_CHARS_MAX - 1)}…`
}

/** The candidate that a slip of the pen may have meant; null when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const lower = word.toLowerCase()
  const limit = Math.max(1, Math.floor(word.length / 3))
  let best: string | null = null
  let bestDistance = limit + 1
  for (const candidate of candidates) {
    const d = distance(lower, candidate.toLowerCase(), limit)
    if (d < bestDistance) {
      best = candidate
      bestDistance = d
    }
  }
  return best
}

/** Edits between two words, a swap of neighbours counting one; anything above `limit` is `limit + 1`. */
export function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let beforeLast: Array<number> = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let d = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        d = Math.min(d, beforeLast[j - 2]! + 1)
      }
      row.push(d)
    }
    beforeLast = last
    last = row
  }
  return Math.min(last[b.length]!, limit + 1)
}
