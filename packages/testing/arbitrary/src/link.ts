/**
 * Links that are not perfect, within bounds: what is lost is lost seldom enough that a patient sender gets
 * through, and what is late is late by less than it waits. Shrinks to nothing wrong.
 */
import type { LinkPlan } from "@podwire/cluster"
import fc from "fast-check"

type Spec = LinkPlan["spec"]

export interface ImpairmentBounds {
  readonly lossPpm: number
  readonly duplicatePpm: number
}

export const BOUNDS: ImpairmentBounds = { lossPpm: 100_000, duplicatePpm: 200_000 }
const DELAY_NS_MAX = 20_000_000

export function impairment({ lossPpm, duplicatePpm }: ImpairmentBounds = BOUNDS): fc.Arbitrary<Spec> {
  return fc.record({
    delayNs: fc.nat({ max: DELAY_NS_MAX }),
    jitterNs: fc.nat({ max: DELAY_NS_MAX / 4 }),
    lossPpm: fc.nat({ max: lossPpm }),
    duplicatePpm: fc.nat({ max: duplicatePpm }),
    reorderPpm: fc.nat({ max: 200_000 })
    // tc refuses reordering without a delay, and so does a link.
  }).map((spec) => (spec.delayNs === 0 ? { ...spec, reorderPpm: 0 } : spec))
}

/** Between nodes by number; a pair that the plan does not have falls away. */
export function links(bounds: ImpairmentBounds = BOUNDS): fc.Arbitrary<ReadonlyArray<{ readonly a: number; readonly b: number; readonly spec: Spec }>> {
  return fc.array(fc.record({ a: fc.nat({ max: 5 }), b: fc.nat({ max: 5 }), spec: impairment(bounds) }), { maxLength: 4 })
}
