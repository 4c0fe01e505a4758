import fc from "fast-check"
import { expect, it } from "vitest"
import { equal } from "../src/equal.ts"
import { hashOf } from "../src/hash.ts"
import { scaled } from "../src/int-or-percent.ts"
import { format, parse } from "../src/job/indexes.ts"
import { milli, whole } from "../src/quantity.ts"
import { matches } from "../src/selector.ts"

it.each([
  ["500m", 500, 1], ["1.1", 1100, 2], ["0", 0, 0], [2, 2000, 2], ["1e3", 1e6, 1000], ["128Mi", 128 * 2 ** 20 * 1000, 2 ** 27],
  ["1.5Ki", 1536_000, 1536], ["1n", 1, 1], [".5", 500, 1], ["5.", 5000, 5], ["-1.5", -1500, -1]
])("reads %s as %d thousandths, %d whole", (text, thousandths, units) => {
  expect([milli(text), whole(text)]).toEqual([thousandths, units])
})

it.each([["25%", 10, true, 3], ["25%", 10, false, 2], ["100%", 7, false, 7], [4, 10, true, 4], ["33%", 3, true, 1], ["0%", 3, true, 0]])(
  "takes %s of %d", (value, total, up, result) => {
    expect(scaled(value, total, up)).toBe(result)
  })

it.each<[object | undefined, boolean]>([
  [undefined, false], [{}, true], [{ matchLabels: { a: "1" } }, true], [{ matchLabels: { a: "2" } }, false],
  [{ matchExpressions: [{ key: "a", operator: "In", values: ["0", "1"] }] }, true],
  [{ matchExpressions: [{ key: "b", operator: "NotIn", values: ["1"] }] }, true],
  [{ matchExpressions: [{ key: "a", operator: "NotIn", values: ["1"] }] }, false],
  [{ matchExpressions: [{ key: "a", operator: "Exists" }, { key: "b", operator: "DoesNotExist" }] }, true],
  [{ matchExpressions: [{ key: "a", operator: "Near" }] }, false]
])("selects by %j: %s", (selector, result) => {
  expect(matches(selector, { a: "1" })).toBe(result)
})

it("hashes alike what is equal, whatever the order of keys, and apart what collides", () => {
  expect(hashOf({ a: 1, b: [{ c: "x", d: undefined }] }, undefined)).toBe(hashOf({ b: [{ c: "x" }], a: 1 }, undefined))
  expect(new Set([hashOf({}, undefined), hashOf({}, 0), hashOf({}, 1), hashOf([], undefined)]).size).toBe(4)
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
    if (equal(a, b)) expect(hashOf(a, undefined)).toBe(hashOf(b, undefined))
    expect(equal(a, JSON.parse(JSON.stringify(a)))).toBe(true)
  }), { seed: 10, numRuns: 200 })
})

it("writes indexes in runs and reads them back", () => {
  expect(format([7, 0, 2, 3, 4, 6])).toBe("0,2-4,6,7")
  fc.assert(fc.property(fc.uniqueArray(fc.nat({ max: 40 })), (indexes) => {
    expect([...parse(format(indexes))].sort((a, b) => a - b)).toEqual(indexes.sort((a, b) => a - b))
  }), { seed: 11, numRuns: 200 })
})
