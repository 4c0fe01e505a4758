/** One line's words to one outcome: a command of the table, else a place and what to run there. */
import { TargetError } from "@podwire/lab"
import * as Effect from "effect/Effect"
import { UsageError } from "../outcome.ts"
import { EXIT_BAD_LINE, type Outcome, printed, type Running, type Session } from "./command.ts"
import { findCommand, helpOf, unknownCommand } from "./commands.ts"
import { reach, runAt } from "./programs.ts"


/** Never fails for what the user wrote: that is an outcome too. `where` begins what is said about it. */
export function perform(
  session: Session, words: ReadonlyArray<string>, where = ""
): Effect.Effect<Outcome, never, Effect.Services<Running>> {
  return Effect.catch(
    dispatch(session, words), (refusal) => Effect.succeed(refused(`${where}${refusal.message}`))
  )
}

export function refused(message: string): Outcome {
  return { exitCode: EXIT_BAD_LINE, stdout: "", stderr: `${message}\n` }
}

function dispatch(session: Session, words: ReadonlyArray<string>): Running {
  const [first, ...argv] = words
  if (first === undefined) return Effect.succeed({ ...printed(""), exitCode: session.lastCode })
  const command = findCommand(first)
  if (command !== null) {
    return argv[0] === "--help" || argv[0] === "-h" ? Effect.succeed(printed(helpOf(command)))
      : command.run(session, argv)
  }
  const known = unknownCommand(first)
  if (known !== null) return Effect.fail(new UsageError({ what: known }))
  const who = reach(session.lab, first, session.namespace)
  return Effect.catch(runAt(session, who, argv), (error) => Effect.fail(
    error instanceof TargetError && !first.includes("/") &&
      session.lab.cluster.store.get("Pod", session.namespace, first) === null
      ? new UsageError({
        what: `${first}: no command, pod, node or host is called so; "help" lists the commands`
      })
      : error
  ))
}
