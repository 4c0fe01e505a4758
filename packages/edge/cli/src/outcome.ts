/** How a command ends: its exit code, and what is printed when it ends badly. */
import { CaptureWriteError, type ExecResult, InputError, TargetError } from "@podwire/lab"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"
import * as Exit from "effect/Exit"

/** A command that did its work and has an exit code to tell; nothing more is printed. */
export class ExitWith extends Data.TaggedError("ExitWith")<{ readonly code: number }> {}

/** A use of the command that the flags alone do not show to be wrong. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly what: string }> {
  override get message(): string {
    return this.what
  }
}

const HELD = 0
const BAD_INPUT = 2
const BUG = 3
const INTERRUPTED = 130

/** What a program wrote, each stream to its own, in the order of writing where that is known. */
export function writeOut({ stdout, stderr, pieces }: ExecResult): void {
  if (pieces !== undefined) {
    for (const { stream, text } of pieces) process[stream].write(text)
    return
  }
  process.stdout.write(stdout)
  process.stderr.write(stderr)
}

export function teardown(argv: ReadonlyArray<string>) {
  return <E, A>(exit: Exit.Exit<E, A>, onExit: (code: number) => void): void => onExit(codeOf(exit, argv))
}

function codeOf<E, A>(exit: Exit.Exit<E, A>, argv: ReadonlyArray<string>): number {
  if (Exit.isSuccess(exit)) return HELD
  if (Cause.hasInterruptsOnly(exit.cause)) return INTERRUPTED
  const error: unknown = Cause.squash(exit.cause)
  if (error instanceof ExitWith) return error.code
  if (CliError.isCliError(error)) {
    return error._tag === "ShowHelp" && error.errors.length === 0 ? (argv.length === 0 ? BAD_INPUT : HELD)
      : BAD_INPUT
  }
  if (isInput(error)) {
    // What carries a message for users has been printed by the command's runner.
    if (CliError.getUserMessage(error) === undefined) process.stderr.write(`podwire: ${error.message}\n`)
    return BAD_INPUT
  }
  const text = error instanceof Error ? error.stack ?? error.message : String(error)
  process.stderr.write("podwire: a bug in Podwire; please report it with this text and your manifests\n" +
    `${text}\nrun again: podwire ${argv.map(quoted).join(" ")}\n`)
  return BUG
}

/** As a shell takes it. */
function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

function isInput(error: unknown): error is Error {
  return error instanceof InputError || error instanceof TargetError || error instanceof CaptureWriteError ||
    error instanceof UsageError
}
