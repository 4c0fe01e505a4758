/**
 * `podwire shell -f PATH`: one living cluster and a line for every thing to do with it, on a terminal or as a
 * script on stdin. A command's output is printed when it ends; a failure is told and the session goes on; its
 * exit code is the last command's. What a change sets off is settled at once, unless `--no-wait`.
 *
 * ^C ends a program or an advance; approximated: a settle or a reach is over before it is heard, and a
 * program that is interrupted exits with 130. Not supported: history across sessions, completion of file
 * names, variables.
 */
import { Lab } from "@podwire/lab"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import { clusterFlags, displayFlags, labOptions, namespaceFlag, settledLab, tell } from "./options.ts"
import { ExitWith, UsageError } from "./outcome.ts"
import { freshWarnings } from "./shell/objects.ts"
import { run } from "./shell/session.ts"

export const shellCommand = Command.make("shell", {
  output: Flag.Literals("output", ["text", "jsonl"]).pipe(
    Flag.withAlias("o"), Flag.withDefault("text" as const),
    Flag.withDescription("jsonl: one JSON object for each command")
  ),
  errexit: Flag.Boolean("errexit").pipe(
    Flag.withAlias("e"), Flag.withDefault(false), Flag.withDescription("Stop at the first failure")
  ),
  namespace: namespaceFlag,
  ...clusterFlags,
  ...displayFlags
}, Effect.fnUntraced(function*(options) {
  const { output, errexit, namespace, quiet } = options
  if (options.filename.includes("-")) {
    return yield* new UsageError({
      what: "-f -: standard input is where the commands come from; write the manifests to a file, " +
        "or use -f <(helm template …)"
    })
  }
  const lab = yield* options.filename.length === 0 ? emptyLab(options, quiet) : settledLab(options, quiet)
  const told = new Set<string>()
  freshWarnings({ lab, told })
  const terminal = process.stdin.isTTY === true && process.stderr.isTTY === true
  if (terminal && !quiet) {
    const { nodes, pods } = lab.cluster
    process.stderr.write(`${nodes.length} nodes, ${pods.length} pods; "help" lists the commands, ^D leaves\n`)
  }
  const given = { lab, namespace, strict: options.strict, told }
  const code = yield* run(given, { terminal, json: output === "jsonl", errexit })
  if (code !== 0) return yield* new ExitWith({ code })
}, Effect.scoped)).pipe(
  Command.withDescription("A prompt on one living cluster; reads a script when stdin is no terminal"),
  Command.withExamples([
    {
      command: "podwire shell -f k8s/",
      description: "Then: web-0 ping 10.244.1.2, get pods -o wide, node1 ip route, advance 5s"
    },
    {
      command: "podwire shell -f k8s/ -e -o jsonl < script",
      description: "A script, its answers as JSON lines"
    }
  ])
)

/** Nodes without anything on them yet. */
const emptyLab = Effect.fnUntraced(function*(options: Parameters<typeof labOptions>[0], quiet: boolean) {
  const { manifests: _, ...rest } = yield* labOptions(options)
  const lab = yield* Lab.make(rest)
  if (!quiet) {
    tell(lab)
    process.stderr.write(`no -f: ${lab.cluster.nodes.length} nodes without pods\n`)
  }
  yield* lab.settle()
  return lab
})
