/** Completion indexes of Indexed Jobs as text: `0,2-4` (pkg/controller/job/indexed_job_utils.go). */
export function format(indexes: Iterable<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b)
  const runs: Array<string> = []
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i]!
    while (sorted[i + 1] === sorted[i]! + 1) i++
    const last = sorted[i]!
    runs.push(last === first ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`)
  }
  return runs.join(",")
}

export function parse(text: string): Set<number> {
  const indexes = new Set<number>()
  for (const run of text.split(",").filter((part) => part !== "")) {
    const [first, last = first] = run.split("-").map(Number) as [number, number?]
    for (let index = first; index <= last; index++) indexes.add(index)
  }
  return indexes
}
