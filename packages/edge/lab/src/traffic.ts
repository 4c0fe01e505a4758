/**
 * What passes in a cluster that only somebody looks at: the scenario's steps, or the default checks' probes.
 */
import { reach } from "@podwire/cluster"
import * as Effect from "effect/Effect"
import { renderProblem } from "./input/index.ts"
import type { Lab } from "./lab.ts"
import { runLab } from "./run.ts"
import type { ScenarioProgram } from "./scenario-program.ts"

/** What did not hold: for an onlooker that is worth a warning, not a failure. */
export const runTraffic = Effect.fnUntraced(function*(lab: Lab, program: ScenarioProgram | null = null) {
  if (program !== null || (lab.loaded.scenario?.value.spec.steps ?? []).length > 0) {
    return (yield* runLab(lab, program)).failures.map(renderProblem)
  }
  const { cells, left } = reach(lab.cluster)
  return left === 0 ? [] : [`approximated: ${cells.length} probes drawn from the seed, ${left} not sent`]
})
