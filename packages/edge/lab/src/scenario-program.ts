/**
 * A scenario as a program: a folder's `scenario.ts` exports one by default. It gets a settled lab made from
 * the manifests beside it.
 *
 *   import { scenario } from "podwire"
 *   export default scenario({ seed: 7 }, function*(lab, expect) {
 *     const { stdout } = yield* lab.exec("client", ["ping", "-c", "1", "10.244.1.2"])
 *     expect("the echo comes back", stdout.includes("1 received"))
 *   })
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Stdio from "effect/Stdio"
import type { InputError } from "./input/index.ts"
import type { Lab } from "./lab.ts"
import type { TargetError } from "./target.ts"

/** Say what should hold, and whether it does; with what was found when it does not. */
export type Expect = (what: string, holds: boolean, found?: unknown) => void
type Failure = TargetError | InputError
type Services = FileSystem.FileSystem | Path.Path | Stdio.Stdio

export interface ScenarioProgram {
  readonly seed: number | undefined
  readonly drops: Readonly<Record<string, number | boolean>>
  readonly run: (lab: Lab, expect: Expect) => Effect.Effect<void, Failure, Services>
}

export interface ScenarioOptions {
  readonly seed?: number
  /** Drops that the scenario announces; `true` allows any number. */
  readonly drops?: Readonly<Record<string, number | boolean>>
}

export function scenario(
  options: ScenarioOptions,
  body: (lab: Lab, expect: Expect) => Generator<Effect.Effect<unknown, Failure, Services>, void, never>
): ScenarioProgram {
  return {
    seed: options.seed,
    drops: options.drops ?? {},
    run: (lab, expect) => Effect.gen(() => body(lab, expect))
  }
}
