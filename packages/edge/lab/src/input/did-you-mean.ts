/** The nearest of the known names to a misspelt one, or nothing when none is near. */

/** Case is forgiven; beyond it at most one edit for each three characters, as a misspelling is. */
export function nearest(name: string, known: Iterable<string>): string | null {
  let best: string | null = null
  let least = Math.floor(Math.min(name.length, 64) / 3) + 1
  for (const candidate of known) {
    if (candidate === name || Math.abs(candidate.length - name.length) >= least) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance >= least) continue
    least = distance
    best = candidate
  }
  return best
}

export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const candidate = nearest(name, known)
  return candidate === null ? undefined : `did you mean ${candidate}?`
}

/** Optimal string alignment: insert, delete, replace, swap neighbours, each 1. */
export function editDistance(a: string, b: string): number {
  let before: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = last
    last = row
  }
  return last[b.length]!
}
