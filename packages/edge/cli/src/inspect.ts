/** `podwire inspect WHERE -f PATH -- ip addr`: the state of a node or pod as the Linux tool prints it. */
import { inspect } from "@podwire/lab"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { clusterFlags, displayFlags, namespaceFlag, settledLab } from "./options.ts"
import { ExitWith, UsageError } from "./outcome.ts"

export const inspectCommand = (behindDashes: ReadonlyArray<string>) =>
  Command.make("inspect", {
    target: Argument.String("where").pipe(Argument.withDescription("A node, POD, NS/POD or host/NAME")),
    words: Argument.String("tool").pipe(
      Argument.variadic(),
      Argument.withDescription(
        "ip addr, ip route, ip neigh, bridge fdb, ss -uln, sysctl -a …; options of the tool behind --"
      )
    ),
    namespace: namespaceFlag,
    ...clusterFlags,
    ...displayFlags
  }, Effect.fnUntraced(function*(options) {
    const argv = [...options.words, ...behindDashes]
    if (argv.length === 0) {
      return yield* new UsageError({ what: "say which tool: podwire inspect node1 -f PATH ip addr" })
    }
    const lab = yield* settledLab(options, options.quiet)
    const { host } = yield* lab.target(options.target, options.namespace)
    const { stdout, stderr, exitCode } = inspect(host.netns, argv)
    process.stdout.write(stdout)
    process.stderr.write(stderr)
    if (exitCode !== 0) return yield* new ExitWith({ code: exitCode })
  }, Effect.scoped)).pipe(
    Command.withDescription("Print the state of a node or pod as ip, bridge, ss and sysctl do"),
    Command.withExamples([
      { command: "podwire inspect node1 -f k8s/ -- ip -6 route", description: "A node's IPv6 routes" }
    ])
  )
