/**
 * Sequence numbers and clocks wrap in the middle of a conversation, both ways at once, and nobody notices:
 * neither the programs nor who watches the wire.
 */
import fc from "fast-check"
import { expect, it } from "vitest"
import { talk } from "./arbitrary.ts"
import { property } from "./property.ts"
import { play } from "./talk.ts"

/** Just below where signed and unsigned words wrap. */
const nearWrap = fc.record({
  wrap: fc.constantFrom(0x8000_0000, 0x1_0000_0000), below: fc.integer({ min: -2, max: 20_000 })
}).map(({ wrap, below }) => (wrap - below) | 0)
/** Milliseconds: the clock wraps while they talk. Virtual time is 3 s when they begin. */
const clockNearWrap = fc.record({
  wrap: fc.constantFrom(0x8000_0000, 0x1_0000_0000), belowMs: fc.integer({ min: 2_900, max: 6_000 })
}).map(({ wrap, belowMs }) => (wrap - belowMs) | 0)

it("numbers and clocks wrap unnoticed", () => {
  const input = fc.record({
    talk: talk(50_000, 60_000), iss: fc.tuple(nearWrap, nearWrap),
    clocks: fc.tuple(clockNearWrap, clockNearWrap)
  })
  property(input, 30, ({ talk: given, iss, clocks }) => {
    const { a, b, complaints } = play({ ...given, iss, clocks })
    expect([complaints, a.wrong + b.wrong]).toEqual([[], 0])
    expect([a, b].every(({ outcome }) => outcome === "end" || outcome === "gone")).toBe(true)
    if (a.outcome === "end") expect(a.octets).toBe(given.b.octets)
    if (b.outcome === "end") expect(b.octets).toBe(given.a.octets)
  })
})
