import fc from "fast-check"
import { expect, it } from "vitest"
import { SSTHRESH_INFINITE } from "../../src/congestion.ts"
import { pacingRate } from "../../src/congestion/pacing.ts"

const start = { cwnd: 10, ssthresh: SSTHRESH_INFINITE, packetsOut: 0, mss: 1000 }

it("is what TCP_INFO of Linux showed after handshakes of these round trips", () => {
  const rates = [167, 5380, 50_454, 400_407].map((us) => pacingRate({ ...start, srttUs8: 8 * us }))
  expect(rates).toEqual([119_760_479, 3_717_472, 396_400, 49_949])
})

it("is twice the window a round trip in slow start, 1.2 times near and above the threshold", () => {
  const at = (cwnd: number, ssthresh: number, packetsOut = 0) =>
    pacingRate({ cwnd, ssthresh, packetsOut, mss: 1000, srttUs8: 8_000_000 })
  expect([at(49, 100), at(50, 100), at(100, 100), at(10, 10, 20)]).toEqual([98_000, 60_000, 120_000, 24_000])
  expect(pacingRate({ ...start, srttUs8: 0 })).toBe(0)
})

it("is exact beyond 2^53", () => {
  const word = (max: number) => fc.integer({ min: 1, max })
  fc.assert(
    fc.property(word(1_000_000), word(9000), word(0x7fff_ffff), (cwnd, mss, srttUs8) => {
      const exact = (BigInt(mss) * 80_000n * 200n * BigInt(cwnd)) / BigInt(srttUs8)
      const rate = pacingRate({ ...start, cwnd, mss, srttUs8 })
      if (exact < 2n ** 53n) expect(BigInt(rate)).toBe(exact)
    }),
    { seed: 2, numRuns: 500 }
  )
})
