/**
 * The seam between Effect and the emulator: one fiber step a slice, so that a run can be interrupted and
 * captures flushed; inside a slice all is plain, synchronous and deterministic.
 */
import { type Cluster, type Process, SLICE_STEPS } from "@podwire/cluster"
import * as Effect from "effect/Effect"

export const advanceTo = Effect.fnUntraced(function*(cluster: Cluster, untilNs: number) {
  for (;;) {
    const { nowNs, idle } = cluster.engine.advance(untilNs, SLICE_STEPS)
    if (nowNs >= untilNs || (idle && untilNs === Infinity)) return
    yield* Effect.yieldNow
  }
})

/** Until the process has ended; false when it still runs after `mostNs` or when somebody stops it. */
export const finish = Effect.fnUntraced(function*(
  cluster: Cluster, process: Process, mostNs: number, signal?: AbortSignal
) {
  const { engine } = cluster
  const untilNs = engine.nowNs + mostNs
  for (let steps = 0; process.exitCode === null; steps++) {
    if (engine.nextNs > untilNs || signal?.aborted === true) return false
    engine.advance(Math.min(engine.nextNs, untilNs), 256)
    if (steps % 64 === 63) yield* Effect.yieldNow
  }
  return true
})

/** Until the cluster is at rest; false when it is not within the limit. */
export const settle = Effect.fnUntraced(function*(cluster: Cluster) {
  const rested = cluster.settle()
  yield* Effect.yieldNow
  return rested
})
