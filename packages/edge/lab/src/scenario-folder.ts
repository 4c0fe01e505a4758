/**
 * Scenario folders among paths, or in folders among them: each is a run of its own, all plain manifests
 * together are one.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { pathToFileURL } from "node:url"
import { InputError } from "./input/index.ts"
import type { ScenarioProgram } from "./scenario-program.ts"

const DOCUMENT = "scenario.yaml"
const PROGRAM = "scenario.ts"

export const splitScenarios = Effect.fnUntraced(function*(paths: ReadonlyArray<string>) {
  const runs: Array<ReadonlyArray<string>> = []
  const plain: Array<string> = []
  for (const path of paths) {
    const within = path === "-" ? [] : yield* scenariosIn(path)
    if (within.length > 0) runs.push(...within.map((folder) => [folder]))
    else plain.push(path)
  }
  return plain.length === 0 ? runs : [...runs, plain]
})

/** The folder's program, when it has one. */
export const programOf = Effect.fnUntraced(function*(paths: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (paths.length !== 1) return null
  const file = path.join(paths[0]!, PROGRAM)
  if (!(yield* exists(fs, file))) return null
  const loaded = yield* Effect.tryPromise({
    try: () => import(pathToFileURL(path.resolve(file)).href) as Promise<{ readonly default?: unknown }>,
    catch: (cause) => new InputError({
      problems: [{ file, line: null, column: null, path: "", message: `cannot be loaded: ${String(cause)}` }]
    })
  })
  if (!isProgram(loaded.default)) {
    return yield* new InputError({
      problems: [{
        file, line: null, column: null, path: "",
        message: "its default export is no scenario; " +
          "write `export default scenario({…}, function*(lab, expect) {…})`"
      }]
    })
  }
  return loaded.default
})

/** The folder itself, or the scenario folders right in it, by name: `podwire run scenarios`. */
const scenariosIn = Effect.fnUntraced(function*(folder: string) {
  if (yield* isScenario(folder)) return [folder]
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.orElseSucceed(fs.readDirectory(folder), () => [])
  const folders: Array<string> = []
  for (const name of [...names].sort()) {
    if (yield* isScenario(path.join(folder, name))) folders.push(path.join(folder, name))
  }
  return folders
})

const isScenario = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  return (yield* exists(fs, path.join(folder, DOCUMENT))) || (yield* exists(fs, path.join(folder, PROGRAM)))
})

function exists(fs: FileSystem.FileSystem, file: string): Effect.Effect<boolean> {
  return Effect.orElseSucceed(fs.exists(file), () => false)
}

function isProgram(value: unknown): value is ScenarioProgram {
  return typeof value === "object" && value !== null && "run" in value && typeof value.run === "function"
}
