/**
 * A counterexample is a folder that the product reads: the documents of any situation make, through the reader,
 * the decoder and the lab, the cluster that the situation made, frame for frame.
 */
import { situation } from "@podwire/arbitrary"
import { documents } from "@podwire/checker"
import type { Plan } from "@podwire/cluster"
import { Lab } from "@podwire/lab"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { expect, it } from "vitest"
import { property } from "../support/property.ts"

/** Addresses are arrays of words: as text they compare. */
const shown = (plan: Plan) => JSON.stringify(plan, Object.keys(plan).sort((a, b) => (a < b ? -1 : 1)))

it("the documents of a situation make the same cluster", () => {
  const input = fc.record({ situation: situation({ podsMax: 15 }) })
  property(input, 25, ({ situation: given }, builder) => {
    const { seed } = given.plan
    const lab = Effect.runSync(Effect.scoped(Lab.of([{ name: "manifests.yaml", content: documents(given) }], { seed })))
    expect(shown(lab.plan)).toBe(shown(given.plan))
    expect(lab.plan.links).toEqual(given.plan.links)
    expect(lab.plan.nodes).toEqual(given.plan.nodes)
    const cluster = builder.build(given)
    lab.cluster.settle()
    cluster.settle()
    expect(lab.cluster.engine.digest.toString()).toBe(cluster.engine.digest.toString())
  })
})
