import { Engine, Timer } from "@podwire/engine"
import fc from "fast-check"
import { expect, it } from "vitest"

it("events run by time, then in the order they were asked for, timers and backlog alike", () => {
  const step = fc.record({ what: fc.constantFrom("arm", "soon", "disarm", "advance"), which: fc.nat({ max: 7 }), delayNs: fc.nat({ max: 4 }) })
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const engine = new Engine(1)
    const ran: Array<string> = []
    class Probe extends Timer {
      readonly name: string
      constructor(name: string) {
        super()
        this.name = name
      }
      override fire(nowNs: number) {
        ran.push(`${nowNs} ${this.name}`)
      }
    }
    const timers = Array.from({ length: 8 }, (_, i) => new Probe(`t${i}`))
    const task = { run: ({ name }: { readonly name: string }) => void ran.push(`${engine.nowNs} ${name}`) }
    let pending: Array<{ atNs: number; order: number; name: string }> = []
    const expected: Array<string> = []
    let order = 0
    const advance = (untilNs: number) => {
      const due = pending.filter(({ atNs }) => atNs <= untilNs).sort((a, b) => a.atNs - b.atNs || a.order - b.order)
      for (const { atNs, name } of due) expected.push(`${atNs} ${name}`)
      pending = pending.filter(({ atNs }) => atNs > untilNs)
      engine.advance(untilNs, 1e6)
    }
    for (const { what, which, delayNs } of steps) {
      const timer = timers[which]!
      if (what === "advance") advance(engine.nowNs + delayNs)
      else if (what === "soon") {
        engine.soon(task, { name: `s${which}` })
        pending.push({ atNs: engine.nowNs, order: order++, name: `s${which}` })
      } else {
        pending = pending.filter(({ name }) => name !== timer.name)
        if (what === "disarm") engine.disarm(timer)
        else {
          engine.arm(timer, delayNs)
          pending.push({ atNs: engine.nowNs + delayNs, order: order++, name: timer.name })
        }
      }
    }
    advance(engine.nowNs + 10)
    expect(ran).toEqual(expected)
  }), { seed: 7, numRuns: 500 })
})

it("streams are independent, and the same for the same seed and name", () => {
  const draws = (seed: number, name: string, disturb: boolean) => {
    const engine = new Engine(seed)
    if (disturb) engine.prng("other").u32()
    return Array.from({ length: 5 }, () => engine.prng(name).u32())
  }
  expect(draws(7, "a", true)).toEqual(draws(7, "a", false))
  expect(draws(7, "a", false)).not.toEqual(draws(7, "b", false))
  expect(draws(7, "a", false)).not.toEqual(draws(8, "a", false))
})

it("below stays below, for small and for large bounds", () => {
  const prng = new Engine(7).prng("below")
  for (const bound of [1, 2, 3, 1000, 0x1_0000_0000, 30_000_000_000, Number.MAX_SAFE_INTEGER]) {
    for (let i = 0; i < 100; i++) {
      const draw = prng.below(bound)
      expect(Number.isSafeInteger(draw) && draw >= 0 && draw < bound).toBe(true)
    }
  }
})
