/**
 * The command line. Each command is one file and a thin call to `Lab`; what may follow the first `--` belongs
 * to the program that `exec` runs.
 *
 * Exit codes: 0 all held, 1 an expectation failed, 2 bad input or usage, 3 a bug in Podwire; `exec` passes
 * its program's code through. Results go to stdout, everything else to stderr.
 */
import "./v8.ts"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CliConfig from "effect/cli/CliConfig"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { benchCommand } from "./bench.ts"
import { captureCommand } from "./capture.ts"
import { cniCommand } from "./cni.ts"
import { execCommand } from "./exec.ts"
import { getCommand } from "./get.ts"
import { inspectCommand } from "./inspect.ts"
import { teardown } from "./outcome.ts"
import { PLANNED } from "./planned.ts"
import { presenterLayer } from "./presenter.ts"
import { reachCommand } from "./reach.ts"
import { runCommand } from "./run.ts"
import { shellCommand } from "./shell.ts"

const argv = process.argv.slice(2)
const dashes = argv.indexOf("--")
const own = dashes < 0 ? argv : argv.slice(0, dashes)
const program = dashes < 0 ? [] : argv.slice(dashes + 1)

const podwire = Command.make("podwire").pipe(
  Command.withDescription("A packet-level network emulator for Kubernetes"),
  Command.withSubcommands([
    runCommand, getCommand, execCommand(program), inspectCommand(program), captureCommand(program),
    reachCommand, shellCommand, cniCommand, benchCommand
  ])
)

/** Without the usual `-v`: that is --verbose here. */
const version = GlobalFlag.Action({
  flag: Flag.Boolean("version").pipe(
    Flag.withDefault(false), Flag.withDescription("Show version information")
  ),
  run: GlobalFlag.Version.run
})

/** A reader that goes away early (`podwire … | head`) is no error. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0)
})

const first = own[0]
if (first !== undefined && PLANNED.includes(first)) {
  process.stderr.write(`podwire: ${first}: not built yet; podwire --help lists what is\n`)
  process.exit(2)
}

Command.runWith(podwire, { version: "0.1.0" })(own).pipe(
  Effect.provide(Layer.mergeAll(
    NodeServices.layer, presenterLayer,
    CliConfig.layer({ builtIns: [GlobalFlag.Help, version, GlobalFlag.Completions] })
  )),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: teardown(argv) })
)
