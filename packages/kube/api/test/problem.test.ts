import { nearest } from "@podwire/api"
import { distance } from "@podwire/api/problem"
import fc from "fast-check"
import { expect, it } from "vitest"

const KINDS = ["Pod", "Deployment", "Service", "StatefulSet", "ReplicaSet"]

it.each([
  ["Deploymnet", "Deployment"], ["deployment", "Deployment"], ["service", "Service"], ["Servce", "Service"],
  ["StatefulSets", "StatefulSet"], ["Pdo", "Pod"], ["Node", null], ["X", null], ["", null]
])("%j is near %j", (word, meant) => {
  expect(nearest(word, KINDS)).toBe(meant)
})

it("a distance has no direction, is zero between equals only, and stops above its limit", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 })
  fc.assert(fc.property(word, word, fc.nat(6), (a, b, limit) => {
    const d = distance(a, b, limit)
    expect(distance(b, a, limit)).toBe(d)
    expect(d === 0).toBe(a === b)
    expect(d).toBe(Math.min(distance(a, b, 6), limit + 1))
  }), { seed: 7, numRuns: 300 })
})
