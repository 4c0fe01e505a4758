import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { cubeRoot, gained, timeToGain } from "../../src/congestion/cube.ts"

describe("cube", () => {
  it("is exact in 64 bits, wrap and all", () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(60_000), fc.nat(4_000_000), fc.nat({ max: 0xffff_ffff })), (time) => {
        const t = BigInt(time)
        expect(gained(time)).toBe(Number(BigInt.asUintN(64, 410n * t * t * t) >> 40n))
      }),
      { seed: 11, numRuns: 2000 }
    )
  })

  it("is C = 0.4 segments a second cubed", () => {
    expect([0, 1, 2, 5, 10, 60].map((seconds) => gained(seconds * 1024))).toEqual([0, 0, 3, 50, 400, 86484])
  })

  it("finds the roots that windows need within 0.7 percent, 0.2 on average", () => {
    let worst = 0
    let total = 0
    let count = 0
    for (let a = 2_681_735_677; a < 2 ** 53; a = Math.floor(a * 1.003)) {
      const error = Math.abs(cubeRoot(a) / Math.cbrt(a) - 1)
      worst = Math.max(worst, error)
      total += error
      count++
    }
    expect(worst).toBeLessThan(0.007)
    expect(total / count).toBeLessThan(0.002)
  })

  it("has Linux's roots: the sum of K for 1 to 5000 segments, by a second hand", () => {
    let sum = 0
    for (let segments = 1; segments <= 5000; segments++) sum += timeToGain(segments)
    expect(sum).toBe(89_091_173)
    expect([1, 30, 1000, 3_000_000].map(timeToGain)).toEqual([1388, 4316, 13_897, 200_380])
    expect([0, 1, 8, 27, 63].map(cubeRoot)).toEqual([0, 1, 2, 3, 4])
  })

  it("has K as RFC 9438 has it", () => {
    for (const segments of [1, 3, 10, 30, 100, 1000, 10_000, 1_000_000]) {
      const k = Math.cbrt(segments / 0.4) * 1024
      expect(Math.abs(timeToGain(segments) / k - 1), String(segments)).toBeLessThan(0.01)
    }
  })
})
