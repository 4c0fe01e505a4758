/**
 * This command's standard input, all of it. Read as a stream: Node makes a pipe non-blocking as soon as
 * anybody looks at `process.stdin`, and a synchronous read of it fails with EAGAIN while its writer is busy.
 */
import * as Effect from "effect/Effect"
import { UsageError } from "./outcome.ts"

export const standardInput: Effect.Effect<Uint8Array, UsageError> = Effect.tryPromise({
  try: async () => {
    const parts: Array<Uint8Array> = []
    for await (const part of process.stdin) parts.push(part as Uint8Array)
    return Buffer.concat(parts)
  },
  catch: (error) => new UsageError({
    what: `cannot read standard input: ${error instanceof Error ? error.message : String(error)}`
  })
})
