import fc from "fast-check"
import { expect, it } from "vitest"
import { MinFilter, NOTHING } from "../src/min-filter.ts"

const WINDOW = 100

it("knows nothing before the first value", () => {
  expect(new MinFilter().min).toBe(NOTHING)
})

it("keeps the least, and takes the next when the window has passed it", () => {
  const filter = new MinFilter()
  const steps = [
    [0, 50], [10, 70], [30, 60], [60, 65], [99, 80], [100, 90], [101, 90], [131, 90], [140, 40], [300, 90]
  ]
  const seen = steps.map(([at, value]) => {
    filter.update(WINDOW, at!, value!)
    return filter.min
  })
  // At 101 the least is the one of 30, at 131 the one of 60.
  expect(seen).toEqual([50, 50, 50, 50, 50, 50, 60, 65, 40, 90])
})

it("is never below the least of the window, and equals it while values do not rise", () => {
  const steps = fc.array(fc.tuple(fc.nat(40), fc.nat(1000)), { minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(steps, (list) => {
      const filter = new MinFilter()
      const all: Array<readonly [number, number]> = []
      let at = 0
      for (const [wait, value] of list) {
        at += wait
        filter.update(WINDOW, at, value)
        all.push([at, value])
        const inside = all.filter(([then]) => at - then <= WINDOW).map(([, v]) => v)
        expect(filter.min).toBeGreaterThanOrEqual(Math.min(...inside))
        // What it names was really measured in this window.
        expect(inside).toContain(filter.min)
        if (at <= WINDOW) expect(filter.min).toBe(Math.min(...inside))
      }
    }),
    { seed: 6, numRuns: 500 }
  )
})

it("forgets on reset", () => {
  const filter = new MinFilter()
  filter.update(WINDOW, 0, 5)
  filter.reset(1)
  expect(filter.min).toBe(NOTHING)
  filter.update(WINDOW, 1, 9)
  expect(filter.min).toBe(9)
})
