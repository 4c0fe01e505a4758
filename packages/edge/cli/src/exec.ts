/**
 * `podwire exec POD [-c CONTAINER] -f PATH -- ARGV…`: settle the cluster, run one program, exit with its
 * code.
 */
import { durationNs } from "@podwire/lab"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { clusterFlags, displayFlags, namespaceFlag, settledLab } from "./options.ts"
import { ExitWith, UsageError, writeOut } from "./outcome.ts"
import { standardInput } from "./standard-input.ts"

export const execCommand = (program: ReadonlyArray<string>) =>
  Command.make("exec", {
    target: Argument.String("target").pipe(
      Argument.withDescription("POD, NS/POD, deploy/NAME, node/NAME or host/NAME")
    ),
    words: Argument.String("program").pipe(
      Argument.variadic(), Argument.withDescription("The program and its arguments, behind --")
    ),
    container: Flag.String("container").pipe(
      Flag.withAlias("c"), Flag.optional, Flag.withDescription("Which container; all share one network")
    ),
    stdin: Flag.Boolean("stdin").pipe(
      Flag.withAlias("i"), Flag.withDefault(false),
      Flag.withDescription("Hand this command's standard input, all of it, to the program")
    ),
    timeout: Flag.String("timeout").pipe(
      Flag.optional, Flag.withMetavar("DURATION"),
      Flag.withDescription("End the program after so much virtual time (default 1h)")
    ),
    namespace: namespaceFlag,
    ...clusterFlags,
    ...displayFlags
  }, Effect.fnUntraced(function*(options) {
    const argv = program.length > 0 ? program : options.words
    if (argv.length === 0) {
      return yield* new UsageError({
        what: "say what to run, behind --: podwire exec POD -f PATH -- ping -c 1 10.244.1.2"
      })
    }
    const timeout = Option.getOrUndefined(options.timeout)
    if (timeout !== undefined && durationNs(timeout) === null) {
      return yield* new UsageError({
        what: `--timeout: found "${timeout}", expected a duration such as 5s, 1m30s or 250ms`
      })
    }
    if (options.stdin && options.filename.includes("-")) {
      return yield* new UsageError({ what: "-i and -f - both want standard input" })
    }
    const stdin = options.stdin ? yield* standardInput : undefined
    const lab = yield* settledLab(options, options.quiet)
    const outcome = yield* lab.exec(options.target, argv, {
      namespace: options.namespace,
      ...Option.isSome(options.container) ? { container: options.container.value } : {},
      ...timeout === undefined ? {} : { timeout },
      ...stdin === undefined ? {} : { stdin }
    })
    writeOut(outcome)
    if (outcome.exitCode !== 0) return yield* new ExitWith({ code: outcome.exitCode })
  }, Effect.scoped)).pipe(
    Command.withDescription("Run one program in a pod of the settled cluster and exit with its code"),
    Command.withExamples([
      { command: "podwire exec client -f k8s/ -- ping -c 3 10.244.1.2", description: "Ping from a pod" },
      {
        command: "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | podwire exec client -i -f k8s/ -- nc 10.244.1.2 80",
        description: "Speak HTTP by hand"
      }
    ])
  )
