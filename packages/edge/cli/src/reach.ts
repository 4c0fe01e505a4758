/** `podwire reach -f PATH`: who reaches whom, from delivered frames, and whether it is as a file says. */
import {
  compareReach, InputError, isExpected, reachAll, reachHeld, readExpected, renderReach
} from "@podwire/lab"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { readFileSync } from "node:fs"
import { clusterFlags, displayFlags, settledLab } from "./options.ts"
import { ExitWith, UsageError } from "./outcome.ts"

export const reachCommand = Command.make("reach", {
  output: Flag.Literals("output", ["text", "json", "csv", "md", "junit"])
    .pipe(Flag.withAlias("o"), Flag.withDefault("text"), Flag.withDescription("How the pairs are printed")),
  expect: Flag.String("expect").pipe(
    Flag.optional, Flag.withMetavar("FILE"),
    Flag.withDescription("What -o csv printed, or a YAML or JSON list of such rows; what differs is exit 1")
  ),
  ...clusterFlags,
  ...displayFlags
}, Effect.fnUntraced(function*(options) {
  const expected = Option.isNone(options.expect) ? null : yield* expectedFrom(options.expect.value)
  const lab = yield* settledLab(options, options.quiet)
  const reach = yield* reachAll(lab)
  const comparison = expected === null ? null : compareReach(reach, expected)
  const say = (what: string) => {
    if (!options.quiet) process.stderr.write(`${what}\n`)
  }
  if (reach.left > 0) {
    say(`warning: approximated: ${reach.cells.length} probes drawn from the seed, ${reach.left} not sent`)
  }
  if (lab.cluster.store.list("Service").length > 0) {
    say("warning: Service ports: not modelled yet; pods and nodes only")
  }
  if (comparison !== null) {
    const { unnamed, unsent } = comparison
    if (unnamed > 0) say(`${unnamed} pairs that the file does not name were not compared`)
    if (unsent > 0) say(`${unsent} rows of the file were not probed`)
  }
  const report = { lab, reach, comparison }
  process.stdout.write(renderReach(report, options.output))
  if (!reachHeld(report)) return yield* new ExitWith({ code: 1 })
}, Effect.scoped)).pipe(
  Command.withDescription("Who reaches whom: every pod and node sends to every pod"),
  Command.withExamples([
    { command: "podwire reach -f k8s/ -o csv > reach.csv", description: "As it is now" },
    { command: "podwire reach -f k8s/ --expect reach.csv", description: "Whether it still is" }
  ])
)

const expectedFrom = Effect.fnUntraced(function*(file: string) {
  const content = yield* Effect.try({
    try: () => readFileSync(file),
    catch: (cause) => new UsageError({
      what: `--expect: ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
    })
  })
  const rows = readExpected(file, content)
  return isExpected(rows) ? rows : yield* new InputError({ problems: rows })
})
