import { Prng } from "@podwire/engine"
import * as ip from "@podwire/wire/ip"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  cookieEcn, cookieMss, Cookies, cookieSack, cookieTimestamp, cookieWscale, FORGED
} from "../src/cookie.ts"

const MINUTE_NS = 60_000_000_000
const cookies = new Cookies(new Prng(1, "cookie:node"))
const word = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
const v6 = fc.tuple(word, word, word, word).map((words) => Int32Array.from(words))
const pair = fc.oneof(fc.tuple(word.map(ip.v4), word.map(ip.v4)), fc.tuple(v6, v6))
const port = fc.integer({ min: 1, max: 0xffff })
const tuple = fc.tuple(pair, port, port)
const timeNs = fc.integer({ min: 0, max: 300 * MINUTE_NS })
const PARAMETERS = { seed: 4, numRuns: 500 }

describe("a cookie", () => {
  it("gives back the MSS it was made with, in its minute and the next, to the very connection", () => {
    fc.assert(
      fc.property(tuple, word, timeNs, fc.nat(9000), fc.nat(5), ([[r, l], rp, lp], seq, now, offered, minutes) => {
        const mss = cookieMss(ip.family(r), offered)
        const cookie = cookies.make(r, l, rp, lp, seq, mss, now)
        expect(cookie).toBe(cookie | 0)
        const later = now + minutes * MINUTE_NS
        const ack = [(seq + 1) | 0, (cookie + 1) | 0] as const
        expect(cookies.check(r, l, rp, lp, ...ack, later)).toBe(minutes < 2 ? mss : FORGED)
      }),
      PARAMETERS
    )
  })

  it("of another connection, sequence number or guess is refused", () => {
    const [r, l] = [ip.parse("10.0.0.2")!, ip.parse("10.0.0.1")!]
    const cookie = cookies.make(r, l, 40_000, 80, 1000, 1460, 0)
    const check = (a: ip.Ip, b: ip.Ip, rp: number, lp: number, seq: number, ack: number) =>
      cookies.check(a, b, rp, lp, seq, ack, 0)
    expect(check(r, l, 40_000, 80, 1001, cookie + 1)).toBe(1460)
    expect([
      check(ip.v4(1), l, 40_000, 80, 1001, cookie + 1), check(r, ip.v4(1), 40_000, 80, 1001, cookie + 1),
      check(r, l, 40_001, 80, 1001, cookie + 1), check(r, l, 40_000, 81, 1001, cookie + 1),
      check(r, l, 40_000, 80, 1005, cookie + 1), check(r, l, 40_000, 80, 1001, cookie + 1 - (1 << 24)),
      new Cookies(new Prng(2, "cookie:node")).check(r, l, 40_000, 80, 1001, cookie + 1, 0)
    ]).toEqual([FORGED, FORGED, FORGED, FORGED, FORGED, FORGED, FORGED])
    // 2 minutes of 256 and 4 values of 2^24 pass: of a hundred thousand guesses none does.
    const prng = new Prng(9, "guess")
    let passed = 0
    for (let i = 0; i < 100_000; i++) if (check(r, l, 40_000, 80, 1001, prng.u32() | 0) !== FORGED) passed++
    expect(passed).toBe(0)
  })

  it("rounds an MSS down to what it can hold", () => {
    expect([100, 536, 1299, 1300, 1439, 1440, 1459, 1460, 8960].map((mss) => cookieMss(4, mss)))
      .toEqual([536, 536, 536, 1300, 1300, 1440, 1440, 1460, 1460])
    expect([100, 1220, 1419, 1420, 1439, 1440, 8939, 8940, 9000].map((mss) => cookieMss(6, mss)))
      .toEqual([1220, 1220, 1220, 1420, 1420, 1440, 1440, 8940, 8940])
  })
})

describe("a cookie's timestamp", () => {
  it("holds the options both ways and is at most 64 ms early, never late", () => {
    const time = fc.integer({ min: 64, max: 2 ** 41 })
    const wscale = fc.integer({ min: -1, max: 14 })
    fc.assert(
      fc.property(time, wscale, fc.boolean(), fc.boolean(), (nowMs, shift, sack, ecn) => {
        const stamp = cookieTimestamp(nowMs, shift, sack, ecn)
        expect([cookieWscale(stamp), cookieSack(stamp), cookieEcn(stamp)]).toEqual([shift, sack, ecn])
        const early = ((nowMs | 0) - stamp) | 0
        expect(early >= 0 && early < 64).toBe(true)
      }),
      PARAMETERS
    )
  })

  it("is laid out as Linux's: ECN, SACK, window scale", () => {
    expect(cookieTimestamp(0x1000, 7, true, false)).toBe(0x0fd7)
    expect(cookieTimestamp(0x103f, 7, true, true)).toBe(0x1037)
    expect(cookieTimestamp(0x103f, -1, false, false)).toBe(0x100f)
  })
})
