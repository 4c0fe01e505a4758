import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RttEstimator } from "../src/rtt.ts"

const MS = 1_000_000
const estimator = (rtoMinUs = 200_000, rtoMaxMs = 120_000) => new RttEstimator(rtoMinUs, rtoMaxMs)

describe("the round trip", () => {
  /** `record.py`: what TCP_INFO of a real socket showed after each sample. */
  it("shows what Linux shows after the same samples", () => {
    const text = readFileSync(new URL("recorded/rtt.txt", import.meta.url), "utf8")
    const rows = text.trimEnd().split("\n").slice(1).map((line) => line.split(" ").map(Number))
    expect(rows.length).toBeGreaterThan(40)
    const rtt = estimator()
    const shown = rows.map(([us, una, nxt]) => {
      rtt.sample(us!, una!, nxt!)
      return [us, una, nxt, Math.floor(rtt.srttUs8 / 8), Math.floor(rtt.mdevUs4 / 4), rtt.rtoNs / 1000]
    })
    expect(shown).toEqual(rows)
  })

  it("starts as RFC 6298 says, with Linux's least variance", () => {
    const rtt = estimator()
    expect(rtt.rtoNs).toBe(1000 * MS)
    rtt.sample(50_000, 1, 1)
    expect([rtt.srttUs8, rtt.mdevUs4, rtt.rttvarUs4, rtt.rtoNs]).toEqual([400_000, 100_000, 200_000, 252 * MS])
    const slow = estimator()
    slow.sample(1_000_000, 1, 1)
    expect(slow.rtoNs).toBe(3000 * MS)
  })

  it("falls back to 3 s when the handshake gave no sample, and only then", () => {
    const rtt = estimator()
    rtt.fallBack()
    expect([rtt.rtoNs, rtt.mdevUs4]).toEqual([3000 * MS, 3_000_000])
    rtt.sample(10_000, 1, 1)
    rtt.fallBack()
    expect(rtt.rtoNs).toBe(212 * MS)
  })

  it("rounds a timeout up to the jiffy, and the sysctls too", () => {
    const rtt = estimator()
    rtt.sample(0, 1, 1)
    expect([rtt.srttUs8, rtt.rtoNs]).toEqual([1, 200 * MS])
    rtt.sample(20, 2, 2)
    expect(rtt.rtoNs).toBe(204 * MS)
    const odd = estimator(5001, 1001)
    expect([odd.rtoMinUs, odd.rtoMaxNs]).toEqual([8000, 1004 * MS])
  })

  it("keeps a timeout doubled until the next sample, and bounds it", () => {
    const rtt = estimator(200_000, 1000)
    rtt.sample(1000, 1, 1)
    const seen = [rtt.rtoNs / MS]
    for (let i = 0; i < 4; i++) {
      rtt.rtoNs = rtt.bounded(rtt.rtoNs * 2)
      seen.push(rtt.rtoNs / MS)
    }
    rtt.setRto()
    seen.push(rtt.rtoNs / MS)
    expect(seen).toEqual([204, 408, 816, 1000, 1000, 204])
  })

  it("lets the variance fall once a round trip only", () => {
    const rtt = estimator()
    rtt.sample(400_000, 100, 1000)
    const before = rtt.rttvarUs4
    for (let una = 200; una <= 1000; una += 100) rtt.sample(400_000, una, 2000)
    expect(rtt.rttvarUs4).toBe(before)
    // The round's own deviation is its beginning's, so one more round passes until it counts for nothing.
    rtt.sample(400_000, 1001, 2000)
    rtt.sample(400_000, 2001, 3000)
    expect(rtt.rttvarUs4).toBe(before - (before - 200_000) / 4)
  })

  it("stays in its bounds whatever is measured", () => {
    const step = fc.tuple(fc.oneof(fc.nat(1000), fc.nat(400_000), fc.nat(100_000_000)), fc.nat(3000), fc.nat(3000))
    fc.assert(
      fc.property(fc.array(step, { minLength: 1 }), fc.integer({ min: 1000, max: 120_000 }), (steps, max) => {
        const rtt = estimator(200_000, max)
        let una = 0x7fff_f000
        for (const [us, acked, ahead] of steps) {
          una = (una + acked) | 0
          rtt.sample(us, una, (una + ahead) | 0)
          for (const value of [rtt.srttUs8, rtt.mdevUs4, rtt.rttvarUs4, rtt.rtoNs]) {
            expect(Number.isSafeInteger(value) && value >= 0).toBe(true)
          }
          expect(rtt.srttUs8).toBeGreaterThanOrEqual(1)
          expect(rtt.rtoNs % (4 * MS)).toBe(0)
          expect(rtt.rtoNs).toBeGreaterThanOrEqual(200 * MS)
          expect(rtt.rtoNs).toBeLessThanOrEqual(Math.ceil(max / 4) * 4 * MS)
        }
      }),
      { seed: 8, numRuns: 300 }
    )
  })
})
