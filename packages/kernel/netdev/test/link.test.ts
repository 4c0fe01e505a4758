import { Engine } from "@podwire/engine"
import { Checksum, dropReasonName, Errno, type Frame, FramePool, Link, type LinkSpec, PERFECT, specFault } from "@podwire/netdev"
import fc from "fast-check"
import { expect, it } from "vitest"

/** Sends frames of 125 bytes (1,000 bits) one microsecond apart; the answer is who arrived when. */
function send(spec: Partial<LinkSpec>, count: number) {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const arrived: Array<{ readonly id: number; readonly atNs: number }> = []
  const link = new Link(engine, pool, "a-b", {
    run(frame: Frame) {
      arrived.push({ id: frame.id, atNs: engine.nowNs })
      pool.free(frame)
    }
  }, spec)
  for (let i = 0; i < count; i++) {
    const frame = pool.alloc()!
    frame.tail += 125
    link.send(frame)
    engine.advance(engine.nowNs + 1_000, 1e6)
  }
  engine.advance(engine.nowNs + 1000e9, 1e6)
  expect({ balance: pool.balance(), inFlight: pool.inFlight }).toEqual({ balance: null, inFlight: 0 })
  return { arrived, link, pool }
}

it("a delay without jitter keeps order and spacing", () => {
  const { arrived } = send({ delayNs: 5_000_000 }, 100)
  expect(arrived).toEqual(Array.from({ length: 100 }, (_, i) => ({ id: i + 1, atNs: i * 1_000 + 5_000_000 })))
})

it("a rate spaces frames by their bits and its queue drops what does not fit", () => {
  const { arrived, link } = send({ rateBps: 1_000_000, queuePackets: 10 }, 30)
  expect(arrived.slice(0, 3).map(({ atNs }) => atNs)).toEqual([1_000_000, 2_000_000, 3_000_000])
  expect({ arrived: arrived.length, overflowed: link.stats.overflowed }).toEqual({ arrived: 10, overflowed: 20 })
})

it("loss and duplication come in the asked part, and jitter lets frames overtake", () => {
  const { arrived, link } = send({ delayNs: 1_000_000, jitterNs: 500_000, lossPpm: 100_000, duplicatePpm: 50_000 }, 10_000)
  const { lost, duplicated } = link.stats
  expect(arrived.length).toBe(10_000 - lost + duplicated)
  expect(Math.abs(lost - 1_000)).toBeLessThan(120)
  expect(Math.abs(duplicated - 450)).toBeLessThan(80)
  expect(arrived.some(({ id }, i) => i > 0 && id < arrived[i - 1]!.id)).toBe(true)
})

it("a link that is down drops, and corruption flips one bit and says so", () => {
  const { link, pool } = send({ corruptPpm: 1_000_000 }, 5)
  expect(link.stats.corrupted).toBe(5)
  link.up = false
  const frame = pool.alloc()!
  link.send(frame)
  expect(pool.dropped).toBe(1)
})

const ppm = fc.constantFrom(0, 0, 1, 100_000, 500_000, 1_000_000)
const spec = fc.record({
  delayNs: fc.constantFrom(0, 1, 1_000, 1_000_000), jitterNs: fc.constantFrom(0, 1, 500, 2_000_000), lossPpm: ppm,
  duplicatePpm: ppm, reorderPpm: ppm, corruptPpm: ppm, rateBps: fc.constantFrom(0, 1, 9_600, 1_000_000_000),
  queuePackets: fc.constantFrom(1, 2, 50, 1000)
}).filter((whole) => specFault(whole) === null)

it("for any spec: what goes in comes out, is lost or overflows; never early, never twice without a duplicate; same seed, same fate", () => {
  fc.assert(fc.property(spec, (whole) => {
    const wide = { ...whole, rateBps: whole.rateBps === 1 ? 1_000_000 : whole.rateBps }
    const { arrived, link, pool } = send(wide, 60)
    const { sent, lost, duplicated, overflowed } = link.stats
    expect([sent, arrived.length]).toEqual([60, 60 - lost + duplicated - overflowed])
    expect([pool.delivered, pool.dropped]).toEqual([arrived.length, lost + overflowed])
    const earliest = wide.reorderPpm > 0 ? 0 : Math.max(0, wide.delayNs - wide.jitterNs)
    const latest = wide.delayNs + wide.jitterNs + (wide.rateBps > 0 ? Infinity : 0)
    for (const { id, atNs } of arrived) {
      // Copies have their original's number; originals were sent a microsecond apart.
      if (duplicated === 0) {
        const sentNs = (id - 1) * 1_000
        expect(atNs).toBeGreaterThanOrEqual(sentNs + earliest)
        expect(atNs).toBeLessThanOrEqual(sentNs + latest)
      }
    }
    if (wide.jitterNs === 0 && wide.reorderPpm === 0) {
      expect(arrived.map(({ id }) => id)).toEqual([...arrived].map(({ id }) => id).sort((a, b) => a - b))
    }
    for (let i = 1; i < arrived.length; i++) expect(arrived[i]!.atNs).toBeGreaterThanOrEqual(arrived[i - 1]!.atNs)
    expect(send(wide, 60).arrived).toEqual(arrived)
  }), { seed: 7, numRuns: 150 })
})

it("all or nothing: a part of a million is certain, none is never", () => {
  const count = (part: Partial<LinkSpec>) => {
    const { arrived, link } = send({ delayNs: 1000, ...part }, 20)
    return [arrived.length, link.stats.lost, link.stats.duplicated, link.stats.corrupted]
  }
  expect(count({})).toEqual([20, 0, 0, 0])
  expect(count({ lossPpm: 1_000_000 })).toEqual([0, 20, 0, 0])
  expect(count({ duplicatePpm: 1_000_000 })).toEqual([40, 0, 20, 0])
  expect(count({ corruptPpm: 1_000_000 })).toEqual([20, 0, 0, 20])
})

it("what is reordered overtakes what waits out its delay", () => {
  const { arrived } = send({ delayNs: 10_000, reorderPpm: 250_000 }, 200)
  const early = arrived.filter(({ id, atNs }) => atNs === (id - 1) * 1_000)
  expect(Math.abs(early.length - 50)).toBeLessThan(20)
  expect(arrived.filter(({ id, atNs }) => atNs === (id - 1) * 1_000 + 10_000)).toHaveLength(200 - early.length)
})

it("a corrupted frame differs in one bit, and its checksum counts as unseen", () => {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const flips: Array<number> = []
  const link = new Link(engine, pool, "bad", { run(frame: Frame) {
    let bits = 0
    for (let i = frame.head; i < frame.tail; i++) for (let byte = frame.bytes[i]!; byte !== 0; byte &= byte - 1) bits++
    flips.push(bits)
    expect([frame.corrupted, frame.csum]).toEqual([frame.length > 0, Checksum.None])
    pool.free(frame)
  } }, { corruptPpm: 1_000_000 })
  for (let i = 0; i < 50; i++) {
    const frame = pool.alloc()!
    frame.tail += 1 + i
    frame.bytes.fill(0, frame.head, frame.tail)
    frame.csum = Checksum.Partial
    link.send(frame)
  }
  link.send(pool.alloc()!)
  engine.advance(1, 1e6)
  expect(flips).toEqual([...Array.from({ length: 50 }, () => 1), 0])
})

it("a spec that makes no sense is refused by name and changes nothing", () => {
  const fault = (part: Partial<LinkSpec>) => specFault({ ...PERFECT, ...part })
  expect([
    fault({}), fault({ delayNs: -1 }), fault({ delayNs: 0.5 }), fault({ jitterNs: Infinity }), fault({ lossPpm: 1_000_001 }),
    fault({ duplicatePpm: NaN }), fault({ rateBps: -5 }), fault({ queuePackets: 0 }), fault({ reorderPpm: 1 }),
    fault({ reorderPpm: 1, delayNs: 1 })
  ]).toEqual([
    null, "delayNs is an integer from 0 to 3600000000000, not -1", "delayNs is an integer from 0 to 3600000000000, not 0.5",
    "jitterNs is an integer from 0 to 3600000000000, not Infinity", "lossPpm is an integer from 0 to 1000000, not 1000001",
    "duplicatePpm is an integer from 0 to 1000000, not NaN", "rateBps is an integer from 0 to 100000000000000, not -5",
    "queuePackets is an integer from 1 to 65536, not 0", "reorderPpm needs a delay", null
  ])
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const link = new Link(engine, pool, "l", { run: (frame: Frame) => pool.free(frame) }, { delayNs: 5 })
  expect([link.set({ lossPpm: -1, delayNs: 9 }), link.spec.delayNs]).toEqual([Errno.EINVAL, 5])
  expect([link.set({ delayNs: 9 }), link.spec.delayNs]).toEqual([Errno.OK, 9])
  expect(() => new Link(engine, pool, "l", { run: (frame: Frame) => pool.free(frame) }, { lossPpm: -1 })).toThrow("link l: lossPpm")
})

it("what is on the wire keeps its time when the spec changes, and ends when the link does", () => {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const arrived: Array<number> = []
  const ends: Array<string> = []
  pool.observer = { dropped: (_frame, reason) => void ends.push(dropReasonName(reason)) }
  const link = new Link(engine, pool, "l", { run(frame: Frame) {
    arrived.push(engine.nowNs)
    pool.free(frame)
  } }, { delayNs: 1000 })
  link.send(pool.alloc()!)
  link.set({ delayNs: 10 })
  link.send(pool.alloc()!)
  engine.advance(2000, 10)
  expect(arrived).toEqual([10, 1000])
  link.send(pool.alloc()!)
  link.send(pool.alloc()!)
  link.destroy()
  expect([ends, link.waiting, pool.inFlight, engine.nextNs]).toEqual([["LINK_DOWN", "LINK_DOWN"], 0, 0, Infinity])
})
