/** `podwire run [PATH…]`: scenario folders, or plain manifests with the default checks. */
import {
  durationNs, junit, Lab, programOf, renderJson, renderSuite, renderText, runLab, splitScenarios
} from "@podwire/lab"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { basename, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { clusterFlags, displayFlags, labOptions, tell } from "./options.ts"
import { ExitWith, UsageError } from "./outcome.ts"

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url))
const FIRST_SCENARIO = join(ROOT, "scenarios/010-first-light")
const RENDER = { text: renderText, json: renderJson, junit: renderSuite }

export const runCommand = Command.make("run", {
  paths: Argument.String("path").pipe(
    Argument.variadic(),
    Argument.withDescription(
      "Scenario folders, manifests or folders of them; without one the first scenario runs"
    )
  ),
  out: Flag.String("out").pipe(
    Flag.optional, Flag.withMetavar("DIR"),
    Flag.withDescription("Where captures go (default captures/out/<scenario>)")
  ),
  until: Flag.String("until").pipe(
    Flag.optional, Flag.withMetavar("T"),
    Flag.withDescription("Go on to this virtual time, such as 60s, when all is done before")
  ),
  output: Flag.Literals("output", ["text", "json", "junit"])
    .pipe(Flag.withAlias("o"), Flag.withDefault("text"), Flag.withDescription("How the report is printed")),
  pcap: Flag.Boolean("pcap").pipe(
    Flag.withDefault(false), Flag.withDescription("The classic pcap format for the files of single devices")
  ),
  rawChecksums: Flag.Boolean("raw-checksums")
    .pipe(
      Flag.withDefault(false),
      Flag.withDescription("Leave checksums partial over lo, as Linux's own captures have them")
    ),
  captures: Flag.Boolean("captures").pipe(
    Flag.withDefault(true), Flag.withDescription("Write captures (--no-captures: none)")
  ),
  ...clusterFlags,
  ...displayFlags
}, Effect.fnUntraced(function*(options) {
  const given = [...options.paths, ...options.filename]
  const runs = yield* splitScenarios(given.length === 0 ? [shown(FIRST_SCENARIO)] : given)
  let held = true
  const printed: Array<string> = []
  for (const paths of runs) {
    const name = paths[0] === "-" ? "stdin" : basename(resolve(paths[0]!)).replace(/\.(ya?ml|json)$/, "")
    const base = Option.getOrUndefined(options.out)
    const out = base === undefined ? join("captures/out", name) : runs.length === 1 ? base : join(base, name)
    const { text, good } = yield* runOne(options, paths, name, options.captures ? out : null)
    held &&= good
    if (options.output === "text") process.stdout.write(runs.length === 1 ? text : `== ${name}\n${text}\n`)
    else printed.push(text)
  }
  // One document, however many runs: a list when there are several.
  if (options.output === "junit") process.stdout.write(junit(printed))
  else if (options.output === "json") {
    process.stdout.write(printed.length === 1 ? printed[0]! : `[\n${printed.join(",\n")}]\n`)
  }
  if (!held) return yield* new ExitWith({ code: 1 })
})).pipe(
  Command.withDescription(
    "Run scenarios, or check who reaches whom on plain manifests; captures of every interface"
  ),
  Command.withExamples([
    {
      command: "podwire run k8s/ --nodes 5", description: "Plain manifests: the default checks on five nodes"
    },
    { command: "helm template ./chart | podwire run -f -", description: "Whatever prints manifests" }
  ])
)

type Options = Parameters<typeof labOptions>[0] & {
  readonly output: "text" | "json" | "junit"
  readonly until: Option.Option<string>
  readonly pcap: boolean
  readonly rawChecksums: boolean
  readonly quiet: boolean
  readonly verbose: boolean
}

const runOne = Effect.fnUntraced(function*(
  options: Options, paths: ReadonlyArray<string>, name: string, out: string | null
) {
  if (out === "") return yield* new UsageError({ what: "--out: found an empty path" })
  const until = Option.getOrUndefined(options.until)
  if (until !== undefined && durationNs(until) === null) {
    return yield* new UsageError({
      what: `--until: found ${JSON.stringify(until)}, expected a duration such as 60s or 5m`
    })
  }
  const given = yield* labOptions({ ...options, filename: [] }, paths)
  const program = yield* programOf(paths)
  const lab = yield* Lab.make({
    ...given,
    ...program?.seed !== undefined && given.seed === undefined ? { seed: program.seed } : {},
    ...program === null ? {} : { record: true as const },
    ...out === null
      ? {}
      : { captures: { folder: out, classic: options.pcap, rawChecksums: options.rawChecksums } }
  })
  if (!options.quiet) tell(lab)
  const report = yield* runLab(lab, program)
  if (Option.isSome(options.until)) yield* lab.until(options.until.value)
  if (lab.captures !== null) yield* lab.captures.close
  return {
    text: RENDER[options.output](lab, report, { name, verbose: options.verbose, out }),
    good: report.failures.length === 0
  }
}, Effect.scoped)

function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return short.length < path.length ? short : path
}
