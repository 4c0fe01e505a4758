/** What happens to a cluster while it runs. Shrinks to letting no time pass. */
import type { Operation } from "@podwire/checker"
import fc from "fast-check"
import { BOUNDS, impairment, type ImpairmentBounds } from "./link.ts"
import { workload } from "./workload.ts"

const SECOND = 1_000_000_000
const duration = fc.constantFrom(0, 1, 1_000_000, 300_000_000, SECOND, 20 * SECOND)

export function operation(bounds: ImpairmentBounds = BOUNDS): fc.Arbitrary<Operation> {
  const which = fc.nat({ max: 99 })
  return fc.oneof(
    { withCrossShrink: true },
    fc.record({ do: fc.constant("advance" as const), forNs: duration }),
    fc.record({ do: fc.constant("scale" as const), which, replicas: fc.nat({ max: 8 }) }),
    fc.record({ do: fc.constant("delete" as const), which, graceSeconds: fc.constantFrom(30, 0, 1) }),
    fc.record({ do: fc.constant("apply" as const), object: workload() }),
    fc.record({
      do: fc.constant("fault" as const), which, spec: impairment(bounds), down: fc.boolean(),
      forNs: fc.constantFrom(1_000_000, SECOND, 5 * SECOND)
    })
  )
}

export function operations(bounds: ImpairmentBounds = BOUNDS, maxLength = 8): fc.Arbitrary<ReadonlyArray<Operation>> {
  return fc.array(operation(bounds), { maxLength })
}
