/**
 * Captures as a resource: acquired in a scope, whole and closed when the scope ends, however it ends. The
 * sink that the data plane writes into is synchronous and never fails there; `close` tells its failure.
 */
import { Capture, type CaptureFormat, type CaptureOptions } from "@podwire/cluster/capture"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { CaptureWriteError } from "./error.ts"
import { CaptureFolder, type FolderOptions } from "./folder.ts"

export { CaptureWriteError } from "./error.ts"
export { CaptureFolder } from "./folder.ts"

export interface CapturesOptions extends CaptureOptions, FolderOptions {
  readonly folder: string
}

/** A file of its own for what one interface sees of one conversation. */
export interface NamedCapture {
  /** Of the file, without its ending. */
  readonly name: string
  readonly at: string
  readonly accept?: CaptureOptions["accept"]
}

type Engine = ConstructorParameters<typeof Capture>[0]

export class Captures extends Context.Service<Captures, {
  readonly folder: string
  /** The taps of one run, for the cluster's constructor: every interface, and the named ones once more. */
  readonly taps: (engine: Engine, named?: ReadonlyArray<NamedCapture>) => ReadonlyArray<Capture>
  /** Hand what is buffered to the file system: the files can be opened while the run stands still. */
  readonly flush: Effect.Effect<void, CaptureWriteError>
  /**
   * Statistics, last packets, files closed; again is harmless. The scope's end does the same, but can only
   * log a failure.
   */
  readonly close: Effect.Effect<void, CaptureWriteError>
}>()("@podwire/lab/Captures") {}

export function acquire(
  options: CapturesOptions
): Effect.Effect<Captures["Service"], CaptureWriteError, Scope.Scope> {
  return Effect.map(
    Effect.acquireRelease(
      Effect.try({
        try: () => new OpenCaptures(options),
        catch: (cause) => new CaptureWriteError({ file: options.folder, cause })
      }),
      (captures) => Effect.suspend(() => {
        const { told } = captures
        const error = captures.close()
        return error === null || told ? Effect.void : Effect.logError(error.message)
      })
    ),
    (captures) => ({
      folder: options.folder,
      taps: (engine, named = []) => captures.taps(engine, named),
      flush: failing(() => captures.flush()),
      close: failing(() => captures.close())
    })
  )
}

export function layer(options: CapturesOptions): Layer.Layer<Captures, CaptureWriteError> {
  return Layer.effect(Captures, acquire(options))
}

class OpenCaptures {
  readonly #options: CapturesOptions
  readonly #files: CaptureFolder
  #captures: ReadonlyArray<Capture> = []
  /** Somebody has been given the failure. */
  told = false

  constructor(options: CapturesOptions) {
    this.#options = options
    this.#files = new CaptureFolder(options.folder, options)
  }

  taps(engine: Engine, named: ReadonlyArray<NamedCapture>): ReadonlyArray<Capture> {
    if (this.#captures.length > 0) throw new Error("captures have one run: acquire others for the next")
    const open = (name: string, format: CaptureFormat) => this.#files.sink(name, format)
    this.#captures = [
      new Capture(engine, open, this.#options),
      ...named.map(({ name, at, accept }) =>
        new Capture(engine, (_, format) => this.#files.sink(name, format), {
          ...this.#options, all: false, devices: true, drops: false, only: (device) => device === at,
          ...accept === undefined ? {} : { accept }
        }))
    ]
    return this.#captures
  }

  flush(): CaptureWriteError | null {
    for (const capture of this.#captures) capture.flush()
    return this.#error()
  }

  close(): CaptureWriteError | null {
    for (const capture of this.#captures) capture.close()
    this.#files.close()
    return this.#error()
  }

  #error(): CaptureWriteError | null {
    const { failure } = this.#files
    if (failure === null) return null
    this.told = true
    return new CaptureWriteError(failure)
  }
}

function failing(run: () => CaptureWriteError | null): Effect.Effect<void, CaptureWriteError> {
  return Effect.suspend(() => {
    const error = run()
    return error === null ? Effect.void : Effect.fail(error)
  })
}
