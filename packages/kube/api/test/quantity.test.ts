import { quantity } from "@podwire/api"
import fc from "fast-check"
import { expect, it } from "vitest"

it.each([
  ["0", 0n, "0"], ["1", 1000n, "1"], [1, 1000n, "1"], [0.5, 500n, "500m"], ["500m", 500n, "500m"], ["1.5", 1500n, "1500m"],
  ["1k", 1_000_000n, "1k"], ["1000", 1_000_000n, "1k"], ["1e3", 1_000_000n, "1k"], ["1E3", 1_000_000n, "1k"],
  ["1Ki", 1_024_000n, "1Ki"], ["0.5Gi", 536_870_912_000n, "512Mi"], ["1.5Gi", 1_610_612_736_000n, "1536Mi"],
  ["512", 512_000n, "512"], ["1023Ki", 1_047_552_000n, "1023Ki"], [".5", 500n, "500m"], ["5.", 5000n, "5"], ["+1", 1000n, "1"],
  ["-1", -1000n, "-1"], ["1n", 1n, "1m"], ["1u", 1n, "1m"], ["1001u", 2n, "2m"], ["-1n", -1n, "-1m"],
  ["1E", 1_000_000_000_000_000_000_000n, "1E"], ["1Ei", 1_152_921_504_606_846_976_000n, "1Ei"], ["100Mi", 104_857_600_000n, "100Mi"]
])("reads %s exactly", (text, milli, canonical) => {
  expect(quantity.isQuantity(text)).toBe(true)
  expect(quantity.parse(text)).toBe(milli)
  expect(quantity.text(text)).toBe(canonical)
})

it.each(["", "1 Gi", "1GB", "Gi", ".", "1.2.3", "1ki", "0x10", "1e", "--1", "NaN", "1K", null, {}])("refuses %j", (text) => {
  expect(quantity.isQuantity(text)).toBe(false)
})

it.each([
  ["500m", 500, 1], ["1.1", 1100, 2], ["0", 0, 0], [2, 2000, 2], ["1e3", 1e6, 1000], ["1.5Ki", 1_536_000, 1536],
  ["128Mi", 134_217_728_000, 134_217_728], ["1n", 1, 1], [".5", 500, 1], ["5.", 5000, 5]
])("%s is %d thousandths, %d whole", (text, thousandths, units) => {
  expect([quantity.milli(text), quantity.whole(text)]).toEqual([thousandths, units])
})

const quantities = fc.oneof(
  fc.record({ n: fc.integer({ min: -1e9, max: 1e9 }), suffix: fc.constantFrom("", "m", "k", "M", "G", "Ki", "Mi", "Gi", "Ti") })
    .map(({ n, suffix }) => `${n}${suffix}`),
  fc.integer({ min: -1e6, max: 1e6 })
)

it("canonical text means the same, and is its own canonical text", () => {
  fc.assert(fc.property(quantities, (q) => {
    const text = quantity.text(q)
    expect(quantity.parse(text)).toBe(quantity.parse(q))
    expect(quantity.text(text)).toBe(text)
  }), { seed: 7 })
})

it("adds without losing a thousandth, whatever the order", () => {
  fc.assert(fc.property(quantities, quantities, quantities, (a, b, c) => {
    expect(quantity.parse(quantity.add(a, b))).toBe(quantity.parse(a) + quantity.parse(b))
    const left = quantity.add(quantity.add(a, b), c)
    expect(quantity.compare(left, quantity.add(a, quantity.add(b, c)))).toBe(0)
    expect(quantity.compare(a, b)).toBe(-quantity.compare(b, a) + 0)
  }), { seed: 7 })
})
