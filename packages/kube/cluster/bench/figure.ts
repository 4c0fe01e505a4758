/**
 * What a bench says: figures with median, least and most, and the circumstances they hold in. A bench is a
 * plain script; its last line is one JSON object.
 *
 * Time is the main thread's CPU time, so that neighbours on a shared machine, the collector's threads and the
 * compiler's do not count; what a collection costs the main thread does. A figure in seconds is wall time.
 */
import { cpus } from "node:os"

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly runs: number
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface Result {
  readonly bench: string
  readonly machine: string
  readonly node: string
  readonly seed: number
  /** Folds everything that was done: two results are of the same work when it is the same. */
  readonly checksum: string
  readonly figures: ReadonlyArray<Figure>
  readonly ns_per_frame?: number
}

export const SEED = 7
export const RUNS = 5

export function small(): boolean {
  return process.argv.includes("--small")
}

export function figure(name: string, unit: string, samples: ReadonlyArray<number>): Figure {
  const sorted = samples.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
  return {
    name, unit, runs: sorted.length, median: round(median), min: round(sorted[0]!),
    max: round(sorted.at(-1)!)
  }
}

export function say(
  bench: string, checksum: string, figures: ReadonlyArray<Figure>,
  more: { readonly ns_per_frame?: number } = {}
): void {
  const machine =
    `${cpus().length} x ${cpus()[0]?.model ?? process.arch}, ${process.platform} ${process.arch}`
  const result: Result = { bench, machine, node: process.version, seed: SEED, checksum, figures, ...more }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

/** Nanoseconds of the main thread's CPU that `work` takes; a little work is less than that clock's tick. */
export function cpuNs(work: () => void): number {
  if (small()) return wallSeconds(work) * 1e9
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) * 1000
}

export function wallSeconds(work: () => void): number {
  const before = process.hrtime.bigint()
  work()
  return Number(process.hrtime.bigint() - before) / 1e9
}

/** Four digits are more than any run repeats. */
function round(value: number): number {
  return Number(value.toPrecision(4))
}
