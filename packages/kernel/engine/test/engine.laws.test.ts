/** What must hold whatever is asked of the engine: time, order, bounds, names of events. */
import { ARRIVED, Bug, Engine, type EventSource, Timer } from "@podwire/engine"
import fc from "fast-check"
import { expect, it } from "vitest"

class Ring extends Timer {
  readonly #fired: (nowNs: number) => void
  constructor(fired: (nowNs: number) => void) {
    super()
    this.#fired = fired
  }
  override fire(nowNs: number) {
    this.#fired(nowNs)
  }
}

/** A busy run: timers that arm others and ask for tasks, by a recipe; the answer is what ran when. */
function busy(recipe: ReadonlyArray<number>, cut: (engine: Engine) => void): ReadonlyArray<string> {
  const engine = new Engine(3)
  const ran: Array<string> = []
  let next = 0
  const draw = () => recipe[next++ % recipe.length]!
  const task = { run: ({ i }: { readonly i: number }) => {
    ran.push(`${engine.nowNs} task ${i}`)
    if (draw() % 3 === 0 && next < 200) engine.soon(task, { i: next })
  } }
  const timers = Array.from({ length: 6 }, (_, i) => new Ring((nowNs) => {
    ran.push(`${nowNs} timer ${i}`)
    if (next > 300) return
    engine.arm(timers[draw() % 6]!, draw() % 5)
    if (draw() % 2 === 0) engine.soon(task, { i })
    if (draw() % 4 === 0) engine.disarm(timers[draw() % 6]!)
  }))
  timers.forEach((timer, i) => engine.arm(timer, i % 3))
  cut(engine)
  return ran
}

it("however time and steps are cut into calls, the same things happen in the same order", () => {
  const recipe = fc.array(fc.nat({ max: 97 }), { minLength: 5, maxLength: 40 })
  const cuts = fc.array(fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 9 })), { maxLength: 60 })
  fc.assert(fc.property(recipe, cuts, (numbers, pieces) => {
    const whole = busy(numbers, (engine) => void engine.advance(2000, 1e6))
    const cut = busy(numbers, (engine) => {
      for (const [byNs, steps] of pieces) {
        const before = engine.nowNs
        const untilNs = before + byNs
        const progress = engine.advance(untilNs, steps)
        expect(progress.steps).toBeLessThanOrEqual(steps)
        expect(progress.nowNs).toBeGreaterThanOrEqual(before)
        expect(progress.nowNs).toBeLessThanOrEqual(untilNs)
      }
      engine.advance(2000, 1e6)
    })
    expect(cut).toEqual(whole)
  }), { seed: 7, numRuns: 200 })
})

it("a task that asks for itself for ever ends a call after its steps, and time stands still", () => {
  const engine = new Engine(1)
  const forever = { run: (arg: object) => engine.soon(forever, arg) }
  engine.soon(forever, {})
  expect(engine.advance(1000, 500)).toEqual({ nowNs: 0, steps: 500, idle: false })
})

it("the backlog keeps its order while it grows under way", () => {
  const engine = new Engine(1)
  const ran: Array<number> = []
  const task = { run: ({ i }: { readonly i: number }) => {
    ran.push(i)
    if (i < 3000) for (const child of [2 * i + 1, 2 * i + 2]) engine.soon(task, { i: child })
  } }
  engine.soon(task, { i: 0 })
  engine.advance(0, 1e6)
  expect(ran).toEqual(Array.from({ length: 6001 }, (_, i) => i))
})

it("a million timers fire in order of time, then of arming, those disarmed not at all", () => {
  const engine = new Engine(1)
  const prng = engine.prng("timers")
  let fired = 0
  let lastNs = 0
  let lastOrder = -1
  let wrong = 0
  class Counted extends Timer {
    override fire(nowNs: number) {
      fired++
      if (nowNs < lastNs || (nowNs === lastNs && this.order < lastOrder) || nowNs !== this.deadlineNs) wrong++
      lastNs = nowNs
      lastOrder = this.order
    }
  }
  const timers = Array.from({ length: 1_000_000 }, () => new Counted())
  // Few different times, so that many fall on one; hours apart, so that they are no small integers.
  for (const timer of timers) engine.arm(timer, prng.below(50_000) * 1_000_000_000)
  for (let i = 0; i < timers.length; i += 4) engine.disarm(timers[i]!)
  for (let i = 1; i < timers.length; i += 4) engine.arm(timers[i]!, prng.below(50_000) * 1_000_000_000)
  const { idle, steps } = engine.advance(Infinity, 1e7)
  expect({ fired, wrong, idle, steps }).toEqual({ fired: 750_000, wrong: 0, idle: true, steps: 750_000 })
})

it.each([-1, 0.5, NaN, Infinity])("a timer cannot be armed %d ns from now", (delayNs) => {
  const engine = new Engine(1)
  engine.advance(10, 1)
  const timer = new Ring(() => {})
  expect(() => engine.arm(timer, delayNs)).toThrow(Bug)
  expect([timer.armed, engine.nextNs]).toEqual([false, Infinity])
})

it("time reaches the last safe integer and no further", () => {
  const engine = new Engine(1)
  const last = Number.MAX_SAFE_INTEGER
  expect(engine.advance(last, 1).nowNs).toBe(last)
  engine.arm(new Ring(() => {}), 0)
  const beyond = new Ring(() => {})
  engine.arm(beyond, 1e18)
  expect([beyond.deadlineNs, engine.nextNs]).toEqual([last, last])
  expect(() => engine.advance(1.5, 1)).toThrow("safe integer")
})

it("events are told in order, folded whether or not anybody listens, and any difference shows", () => {
  const source = (serial: number): EventSource => ({ serial, label: () => `dev${serial}` })
  const play = (events: ReadonlyArray<readonly [number, number, number]>, listen: boolean) => {
    const engine = new Engine(1)
    const told: Array<string> = []
    if (listen) engine.observer = { event: (nowNs, { serial }, length, what) => void told.push(`${nowNs} ${serial} ${length} ${what}`) }
    for (const [serial, length, what] of events) engine.note(source(serial), length, what)
    return { digest: engine.digest.toString(), told }
  }
  const event = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.integer({ min: ARRIVED, max: 2 }))
  const run = fc.array(event, { maxLength: 6 })
  fc.assert(fc.property(run, run, (a, b) => {
    expect(play(a, true).digest).toBe(play(a, false).digest)
    expect(play(a, true).told).toEqual(a.map(([serial, length, what]) => `0 ${serial} ${length} ${what}`))
    if (JSON.stringify(a) !== JSON.stringify(b)) expect(play(a, false).digest).not.toBe(play(b, false).digest)
  }), { seed: 7, numRuns: 500 })
})

it("chance keeps to its parts, and a seed beyond 32 bits is another seed", () => {
  const prng = new Engine(7).prng("chance")
  let hits = 0
  for (let i = 0; i < 100_000; i++) if (prng.chance(25, 1000)) hits++
  expect(Math.abs(hits - 2500)).toBeLessThan(200)
  expect([prng.chance(0, 1000), prng.chance(1000, 1000)]).toEqual([false, true])
  expect(new Engine(1).prng("a").u32()).not.toBe(new Engine(2 ** 32 + 1).prng("a").u32())
  expect(() => new Engine(-1)).toThrow(Bug)
})

it("numbers for things count up, and the streams in use are listed by name", () => {
  const engine = new Engine(1)
  expect([engine.serial(), engine.serial(), engine.serial()]).toEqual([1, 2, 3])
  for (const name of ["b", "a", "b"]) engine.prng(name)
  expect(engine.streams()).toEqual(["a", "b"])
})
