/**
 * Properties of the whole: a fixed seed, so that the suite is the same every day, and a random one, printed, so
 * that it is not. A counterexample is shrunk, played once more with captures on, and left in a folder that the
 * error names: `manifests.yaml` (the cluster, for `podwire run`), the captures, and the case as JSON.
 *
 *   PODWIRE_RUNS=500       that many cases with each seed instead of the few of the suite
 *   PODWIRE_SEED=123       the random seed of a run that failed
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build, documents, type Situation } from "@podwire/checker"
import { type Cluster, Capture, type Observer } from "@podwire/cluster"
import type { Engine } from "@podwire/engine"
import { CaptureFolder } from "@podwire/lab/captures/folder"
import fc from "fast-check"

const FIXED_SEED = 7
const RANDOM_SEED = Number(process.env["PODWIRE_SEED"] ?? Math.floor(Math.random() * 0x7fffffff))
const RUNS = process.env["PODWIRE_RUNS"]

/** Makes the clusters of one case: properties ask it, so that a counterexample can be played with captures. */
export interface Builder {
  build(situation: Situation, observe?: (engine: Engine) => ReadonlyArray<Observer>): Cluster
}

const PLAIN: Builder = { build }

let told = false

/** `holds` throws when the property does not hold. */
export function property<T extends { readonly situation: Situation }>(
  arbitrary: fc.Arbitrary<T>, runs: number, holds: (input: T, builder: Builder) => void
): void {
  if (!told) process.stderr.write(`properties: seeds ${FIXED_SEED} and ${RANDOM_SEED} (PODWIRE_SEED=${RANDOM_SEED})\n`)
  told = true
  const numRuns = RUNS === undefined ? runs : Math.max(runs, Number(RUNS))
  for (const seed of [FIXED_SEED, RANDOM_SEED]) {
    const details = fc.check(fc.property(arbitrary, (input) => holds(input, PLAIN)), { seed, numRuns })
    if (!details.failed) continue
    const input = details.counterexample![0]
    throw new Error(explain(input, holds, `seed ${seed}, path ${details.counterexamplePath}, after ${details.numShrinks} shrinks`), {
      cause: details.errorInstance
    })
  }
}

/** What failed, with the smallest cluster in which it does. */
function explain<T extends { readonly situation: Situation }>(
  input: T, holds: (input: T, builder: Builder) => void, where: string
): string {
  const folder = mkdtempSync(join(tmpdir(), "podwire-counterexample-"))
  const closers: Array<() => void> = []
  let count = 0
  const builder: Builder = {
    build(situation, observe = () => []) {
      const name = count++ === 0 ? "captures" : `captures-${count}`
      mkdirSync(join(folder, name))
      const files = new CaptureFolder(join(folder, name))
      return build(situation, (engine) => {
        const capture = new Capture(engine, (file) => files.sink(file))
        closers.push(() => {
          capture.close()
          files.close()
        })
        return [...observe(engine), capture]
      })
    }
  }
  let message = "it holds when played again: something outside of the case decides"
  try {
    holds(input, builder)
  } catch (error) {
    message = error instanceof Error ? error.message : String(error)
  }
  for (const close of closers) close()
  const { situation, ...picks } = input
  const manifests = documents(situation)
  writeFileSync(join(folder, "manifests.yaml"), manifests)
  writeFileSync(join(folder, "case.json"), `${JSON.stringify(input, null, 1)}\n`)
  return `${message}\n\n${where}\n${JSON.stringify(picks)}\n${manifests}\ncaptures, manifests and case: ${folder}\n` +
    `podwire run ${folder}/manifests.yaml --seed ${situation.plan.seed}`
}
