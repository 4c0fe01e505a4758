/** Dates of programs against the host's calendar and the control plane's. */
import { EPOCH_SECONDS as API_EPOCH_SECONDS, timeText } from "@podwire/api"
import { accessDate, EPOCH_SECONDS, goTime, httpDate, logDate } from "@podwire/workload/clock"
import fc from "fast-check"
import { expect, it } from "vitest"

it("runs begin when the control plane's do", () => {
  expect(EPOCH_SECONDS).toBe(API_EPOCH_SECONDS)
})

it("says what the host's calendar says", () => {
  // From half a century before to half a century after.
  fc.assert(fc.property(fc.integer({ min: -1_500_000_000, max: 1_500_000_000 }), (seconds) => {
    const ns = seconds * 1e9
    const date = new Date((EPOCH_SECONDS + seconds) * 1000)
    expect(httpDate(ns)).toBe(date.toUTCString())
    expect(logDate(ns)).toBe(date.toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " "))
  }), { seed: 2026, numRuns: 500 })
  expect([timeText(3600e9 * 1000), httpDate(3600e9 * 1000), accessDate(0), goTime(1_500_000_000, 1), goTime(2e9, 2e9), goTime(61_000_000_001, 0)])
    .toMatchInlineSnapshot(`
      [
        "2026-02-11T16:00:00Z",
        "Wed, 11 Feb 2026 16:00:00 GMT",
        "01/Jan/2026:00:00:00 +0000",
        "2026-01-01 00:00:01.5 +0000 UTC m=+1.499999999",
        "2026-01-01 00:00:02 +0000 UTC m=+0.000000000",
        "2026-01-01 00:01:01.000000001 +0000 UTC m=+61.000000001",
      ]
    `)
})
