/** A program that `exec` has started, and its end; what a shell would say of it. */
import { type Cluster, EXEC_NS_MAX, Finished, type Host, type Piece, type Process } from "@podwire/cluster"
import * as Effect from "effect/Effect"
import { durationNs } from "./document/units.ts"
import { finish } from "./drive.ts"
import { TargetError } from "./target.ts"

export interface ExecResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** Of a program that wrote to both: what it wrote, in the order of writing. */
  readonly pieces?: ReadonlyArray<Piece>
}

export interface ExecOptions {
  readonly namespace?: string
  readonly container?: string
  /** All of the standard input, which then ends. */
  readonly stdin?: string | Uint8Array
}

/** kubectl's exit code for a program that the container does not have. */
const EXIT_NOT_FOUND = 127
const EXIT_TIMED_OUT = 124
/** 128 + SIGINT, as a shell reports it. */
const EXIT_INTERRUPTED = 130

export class Started {
  readonly #cluster: Cluster
  readonly #process: Process

  /** @internal */
  constructor(cluster: Cluster, process: Process) {
    this.#cluster = cluster
    this.#process = process
  }

  /** null while it runs. */
  get exitCode(): number | null {
    return this.#process.exitCode
  }

  /** Time passes until it has ended; after `timeout` (an hour unless said) it is ended. */
  wait(timeout?: string, signal?: AbortSignal): Effect.Effect<ExecResult, TargetError> {
    const process = this.#process
    const cluster = this.#cluster
    return Effect.gen(function*() {
      const mostNs = timeout === undefined ? EXEC_NS_MAX : durationNs(timeout)
      if (mostNs === null) return yield* notADuration(timeout!)
      const ended = yield* finish(cluster, process, mostNs, signal)
      if (!ended) process.kill()
      const cut = signal?.aborted === true ? EXIT_INTERRUPTED : EXIT_TIMED_OUT
      const { stdout, stderr, pieces } = process
      return {
        exitCode: ended ? process.exitCode! : cut, stdout, stderr, ...pieces.length > 1 ? { pieces } : {}
      }
    })
  }
}

export function notFound(host: Host, argv: ReadonlyArray<string>): Process {
  const what = `exec: "${argv[0] ?? ""}": executable file not found in $PATH\n`
  return new Finished(host, argv, EXIT_NOT_FOUND, "", what)
}

export function notADuration(text: string): TargetError {
  return new TargetError({ what: `${JSON.stringify(text)} is no duration; say 5s, 1m30s or 250ms` })
}

