/**
 * What a command of the shell is, and what it leaves behind: the same for text, for JSON lines and for help.
 */
import type { ExecResult, InputError, Lab, TargetError } from "@podwire/lab"
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Stdio from "effect/Stdio"
import type { UsageError } from "../outcome.ts"
import type { FlagSpec } from "./flags.ts"

export interface Outcome extends ExecResult {
  /** Nothing is read after this one. */
  readonly leaves?: true
}

/** What the user did wrong; the session says so and goes on. */
export type Refusal = InputError | TargetError | UsageError

export interface Session {
  readonly lab: Lab
  /** Of names that say none. */
  readonly namespace: string
  /** A change that cannot be carried out whole is a failure. */
  readonly strict: boolean
  /** Of the command before this one. */
  readonly lastCode: number
  /** ^C: the running command ends. */
  readonly signal: AbortSignal
  /** What has been said once is not said again. */
  readonly told: Set<string>
}

export type Running = Effect.Effect<Outcome, Refusal, FileSystem.FileSystem | Path.Path | Stdio.Stdio>

export interface Command {
  readonly name: string
  readonly synopsis: string
  readonly summary: string
  readonly flags?: ReadonlyArray<FlagSpec>
  /** `argv` without the command's name. */
  run(session: Session, argv: ReadonlyArray<string>): Running
  /** What may stand where the last of `words` begins. */
  complete?(session: Session, words: ReadonlyArray<string>): ReadonlyArray<string>
}

export const NAMESPACE: FlagSpec = { name: "namespace", alias: "n", takes: "value", metavar: "NAMESPACE" }
export const NO_WAIT: FlagSpec = { name: "no-wait", takes: "switch" }
export const FILES: ReadonlyArray<FlagSpec> = [
  { name: "filename", alias: "f", takes: "list", metavar: "FILE" },
  { name: "recursive", alias: "R", takes: "switch" }
]

/** As `sh` has it for a line that it does not understand. */
export const EXIT_BAD_LINE = 2
/** 128 + SIGINT, as a shell reports it. */
export const EXIT_INTERRUPTED = 130

export function printed(stdout: string, stderr = ""): Outcome {
  return { exitCode: 0, stdout, stderr }
}

export function lines(all: ReadonlyArray<string>): string {
  return all.map((line) => `${line}\n`).join("")
}
