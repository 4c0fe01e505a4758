/** A whole: a plan, workloads, and what happens. Shrinks to one pod on one node over IPv4. */
import type { Situation } from "@podwire/checker"
import fc from "fast-check"
import { operations } from "./operation.ts"
import { plan, type PlanBounds } from "./plan.ts"
import { type WorkloadBounds, workloads } from "./workload.ts"

export interface SituationBounds extends PlanBounds, WorkloadBounds {
  readonly operationsMax?: number
}

export function situation(bounds: SituationBounds = {}): fc.Arbitrary<Situation> {
  return fc.record({
    plan: plan(bounds),
    objects: workloads(bounds, bounds.nodesMax),
    operations: operations(bounds.links ?? undefined, bounds.operationsMax ?? 0)
  })
}
