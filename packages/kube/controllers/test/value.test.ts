import { templateHash } from "@podwire/api"
import fc from "fast-check"
import { expect, it } from "vitest"
import { equal } from "../src/equal.ts"
import { scaled } from "../src/int-or-percent.ts"
import { format, parse } from "../src/job/indexes.ts"

it.each([["25%", 10, true, 3], ["25%", 10, false, 2], ["100%", 7, false, 7], [4, 10, true, 4], ["33%", 3, true, 1], ["0%", 3, true, 0]])(
  "takes %s of %d", (value, total, up, result) => {
    expect(scaled(value, total, up)).toBe(result)
  })

it("equal is what JSON says it is, and templates that are have one hash", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
    if (equal(a, b)) expect(templateHash(a)).toBe(templateHash(b))
    expect(equal(a, JSON.parse(JSON.stringify(a)))).toBe(true)
  }), { seed: 10, numRuns: 200 })
})

it("writes indexes in runs and reads them back", () => {
  expect(format([7, 0, 2, 3, 4, 6])).toBe("0,2-4,6,7")
  fc.assert(fc.property(fc.uniqueArray(fc.nat({ max: 40 })), (indexes) => {
    expect([...parse(format(indexes))].sort((a, b) => a - b)).toEqual(indexes.sort((a, b) => a - b))
  }), { seed: 11, numRuns: 200 })
})
