/** A scenario folder played in this process as `podwire run` plays it, with a journal of every event. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Lab, programOf, renderProblem, runLab } from "@podwire/lab"
import { Journal } from "@podwire/netdev"
import * as Effect from "effect/Effect"

export interface Played {
  /** What did not hold, a line each. */
  readonly failures: string
  readonly journal: Journal
}

export function playScenario(folder: string, out: string, seed?: number): Promise<Played> {
  const play = Effect.gen(function*() {
    const program = yield* programOf([folder])
    const seeded = seed ?? program?.seed
    const lab = yield* Lab.make({
      manifests: [folder], captures: { folder: out },
      ...seeded === undefined ? {} : { seed: seeded },
      ...program === null ? {} : { record: true as const }
    })
    const journal = new Journal()
    lab.cluster.engine.observer = journal
    const { failures } = yield* runLab(lab, program)
    yield* lab.captures!.close
    return { failures: failures.map((problem) => `${renderProblem(problem)}\n`).join(""), journal }
  })
  return Effect.runPromise(Effect.scoped(play).pipe(Effect.provide(NodeServices.layer)))
}

/** The first event in which two plays differ, or "". */
export function difference(a: Journal, b: Journal): string {
  const at = a.differsAt(b)
  return at < 0 ? "" : `event ${at + 1}: ${a.line(at) ?? "(nothing)"} | ${b.line(at) ?? "(nothing)"}`
}
