/** Flags that every command with a cluster takes, and the cluster that they ask for. */
import { Lab, type LabOptions, UNSETTLED } from "@podwire/lab"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { UsageError } from "./outcome.ts"

const NODES_MAX = 5_000

export const clusterFlags = {
  filename: Flag.String("filename").pipe(
    Flag.withAlias("f"), Flag.withMetavar("PATH"), Flag.atLeast(0),
    Flag.withDescription("A manifest, a folder of manifests or a scenario folder; - reads stdin; repeatable")
  ),
  recursive: Flag.Boolean("recursive").pipe(
    Flag.withAlias("R"), Flag.withDefault(false),
    Flag.withDescription("Take folders with everything below them")
  ),
  seed: Flag.Int("seed").pipe(
    Flag.optional,
    Flag.withDescription("All chance follows from it; the same seed, the same bytes (default 7)")
  ),
  nodes: Flag.Int("nodes").pipe(
    Flag.optional, Flag.withMetavar("N"),
    Flag.withDescription("Nodes node1 to nodeN instead of three or the manifests' own")
  ),
  strict: Flag.Boolean("strict").pipe(
    Flag.withDefault(false), Flag.withDescription("What would be a warning is an error, exit 2")
  )
}

export const displayFlags = {
  quiet: Flag.Boolean("quiet").pipe(
    Flag.withAlias("q"), Flag.withDefault(false), Flag.withDescription("No warnings, no seed, no progress")
  ),
  verbose: Flag.Boolean("verbose").pipe(
    Flag.withAlias("v"), Flag.withDefault(false),
    Flag.withDescription("Say more, such as which program stands in for each container")
  ),
  color: Flag.Boolean("color").pipe(
    Flag.withDefault(false), Flag.withDescription("Colour on a terminal (--no-color: none)")
  )
}

export const namespaceFlag = Flag.String("namespace").pipe(
  Flag.withAlias("n"), Flag.withDefault("default"),
  Flag.withDescription("The namespace of names that say none")
)

interface ClusterOptions {
  readonly filename: ReadonlyArray<string>
  readonly recursive: boolean
  readonly seed: Option.Option<number>
  readonly nodes: Option.Option<number>
  readonly strict: boolean
}

export const labOptions = Effect.fnUntraced(function*(
  given: ClusterOptions, paths: ReadonlyArray<string> = []
) {
  const manifests = [...given.filename, ...paths]
  const seed = Option.getOrUndefined(given.seed)
  const nodes = Option.getOrUndefined(given.nodes)
  if (seed !== undefined && (!Number.isSafeInteger(seed) || seed < 0)) {
    return yield* new UsageError({ what: `--seed: found ${seed}, expected a whole number, zero or more` })
  }
  if (nodes !== undefined && (nodes < 1 || nodes > NODES_MAX)) {
    return yield* new UsageError({
      what: `--nodes: found ${nodes}, expected a whole number from 1 to ${NODES_MAX}`
    })
  }
  return {
    manifests, recursive: given.recursive, strict: given.strict,
    ...seed === undefined ? {} : { seed }, ...nodes === undefined ? {} : { nodes }
  } satisfies LabOptions
})

/** A cluster from -f, settled, its warnings told. */
export const settledLab = Effect.fnUntraced(function*(
  given: ClusterOptions, quiet: boolean, more: Partial<LabOptions> = {}
) {
  const options = yield* labOptions(given)
  if (options.manifests.length === 0) {
    return yield* new UsageError({ what: "say which manifests: -f FILE, -f FOLDER, or -f - for stdin" })
  }
  const lab = yield* Lab.make({ ...options, ...more })
  if (!quiet) tell(lab)
  if (!(yield* lab.settle()) && !quiet) process.stderr.write(`warning: ${UNSETTLED}\n`)
  for (const problem of lab.stuck()) {
    if (!quiet) process.stderr.write(`warning: ${problem.file}:${problem.line}: ${problem.message}\n`)
  }
  return lab
})

/** The seed, and what is kept without being carried out. */
export function tell(lab: Lab): void {
  process.stderr.write(`seed ${lab.plan.seed}\n`)
  for (const warning of lab.warnings) process.stderr.write(`warning: ${warning}\n`)
}
