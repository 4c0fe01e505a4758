/**
 * `podwire cni PLUGIN`: a CNI plugin binary as a runtime calls it; configuration on stdin, `CNI_*` in the
 * environment.
 */
import { runCniPlugin } from "@podwire/lab/cni/index"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { ExitWith } from "./outcome.ts"
import { standardInput } from "./standard-input.ts"

export const cniCommand = Command.make("cni", {
  plugin: Argument.String("plugin").pipe(Argument.withDescription("host-local (needs no privileges)"))
}, Effect.fnUntraced(function*({ plugin }) {
  const stdin = process.stdin.isTTY === true ? "" : Buffer.from(yield* standardInput).toString()
  const { stdout, stderr, exitCode } = runCniPlugin(plugin, process.env, stdin)
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  if (exitCode !== 0) return yield* new ExitWith({ code: exitCode })
})).pipe(
  Command.withDescription("Act as a CNI plugin: stdin, CNI_* and the result as the specification has them")
)
