/**
 * Properties by a fixed seed, so that the suite is the same every day, and by a random one, printed, so that
 * it is not.
 *
 *   PODWIRE_RUNS=500       that many cases with each seed
 *   PODWIRE_SEED=123       the random seed of a run that failed
 */
import fc from "fast-check"

const FIXED_SEED = 7
const RANDOM_SEED = Number(process.env["PODWIRE_SEED"] ?? Math.floor(Math.random() * 0x7fffffff))
const RUNS = process.env["PODWIRE_RUNS"]

let told = false

/** `holds` throws when the property does not hold. */
export function property<T>(arbitrary: fc.Arbitrary<T>, runs: number, holds: (input: T) => void): void {
  if (!told) process.stderr.write(`tcp: seeds ${FIXED_SEED} and ${RANDOM_SEED} (PODWIRE_SEED=${RANDOM_SEED})\n`)
  told = true
  const numRuns = RUNS === undefined ? runs : Math.max(runs, Number(RUNS))
  for (const seed of [FIXED_SEED, RANDOM_SEED]) fc.assert(fc.property(arbitrary, holds), { seed, numRuns })
}
