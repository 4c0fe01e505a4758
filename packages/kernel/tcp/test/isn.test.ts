import { Prng } from "@podwire/engine"
import * as ip from "@podwire/wire/ip"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Isn } from "../src/isn.ts"

const isnOf = (seed = 1, ns = "pod-a") => new Isn(new Prng(seed, `isn:${ns}`))
const word = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
const v4 = word.map(ip.v4)
const v6 = fc.tuple(word, word, word, word).map((words) => Int32Array.from(words))
const port = fc.integer({ min: 1, max: 0xffff })
const tuple = fc.oneof(fc.tuple(v4, v4, port, port), fc.tuple(v6, v6, port, port))
const timeNs = fc.integer({ min: 0, max: 10 ** 15 })
const PARAMETERS = { seed: 3, numRuns: 500 }

describe("the first sequence number", () => {
  it("is the same for the same seed, connection and time, and differs with each of them", () => {
    const [a, b] = [ip.parse("10.0.0.1")!, ip.parse("10.0.0.2")!]
    const [a6, b6] = [ip.parse("fd00::1")!, ip.parse("fd00::2")!]
    const at = (isn: Isn) => isn.sequence(a, b, 40_000, 80, 0)
    expect(at(isnOf())).toBe(at(isnOf()))
    const all = [
      at(isnOf()), at(isnOf(2)), at(isnOf(1, "pod-b")), isnOf().sequence(b, a, 40_000, 80, 0),
      isnOf().sequence(a, b, 80, 40_000, 0), isnOf().sequence(a, b, 40_001, 80, 0),
      isnOf().sequence(a, b, 40_000, 81, 0), isnOf().sequence(a, b, 40_000, 80, 64),
      isnOf().sequence(a6, b6, 40_000, 80, 0), isnOf().sequence(b6, a6, 40_000, 80, 0)
    ]
    expect(new Set(all).size).toBe(all.length)
    for (const value of all) expect(value).toBe(value | 0)
  })

  it("rises by one in 64 ns, for every connection", () => {
    const isn = isnOf()
    fc.assert(
      fc.property(tuple, timeNs, fc.nat({ max: 2 ** 31 * 64 - 1 }), ([l, r, lp, rp], nowNs, laterNs) => {
        const from = Math.floor(nowNs / 64) * 64
        const rise = (isn.sequence(l, r, lp, rp, from + laterNs) - isn.sequence(l, r, lp, rp, from)) | 0
        expect(rise).toBe(Math.floor(laterNs / 64))
      }),
      PARAMETERS
    )
  })

  it("comes round after 2^32 ticks", () => {
    const [a, b] = [ip.v4(1), ip.v4(2)]
    expect(isnOf().sequence(a, b, 1, 2, 2 ** 38)).toBe(isnOf().sequence(a, b, 1, 2, 0))
  })

  it("spreads over the whole space", () => {
    const isn = isnOf()
    const quarters = [0, 0, 0, 0]
    for (let p = 1; p <= 4000; p++) quarters[isn.sequence(ip.v4(1), ip.v4(2), p, 80, 0) >>> 30]!++
    for (const count of quarters) expect(Math.abs(count - 1000)).toBeLessThan(120)
  })
})

it("a pair's timestamp offset depends on the pair alone, and on its direction", () => {
  const isn = isnOf()
  fc.assert(
    fc.property(tuple, ([local, remote]) => {
      const offset = isn.timestampOffset(local, remote)
      expect(offset).toBe(isnOf().timestampOffset(local, remote))
      expect(offset).toBe(offset | 0)
      if (!ip.equal(local, remote)) expect(offset).not.toBe(isn.timestampOffset(remote, local))
    }),
    PARAMETERS
  )
})

it("the port offset depends on the pair and the far port", () => {
  const isn = isnOf()
  const [a, b] = [ip.parse("fd00::1")!, ip.parse("fd00::2")!]
  const offsets = [isn.portOffset(a, b, 80), isn.portOffset(a, b, 81), isn.portOffset(b, a, 80)]
  offsets.push(isn.portOffset(ip.v4(1), ip.v4(2), 80))
  expect(new Set(offsets).size).toBe(4)
  expect(isn.portOffset(a, b, 80)).toBe(isnOf().portOffset(a, b, 80))
})
