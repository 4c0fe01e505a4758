import { Engine } from "@podwire/engine"
import { type Frame, FramePool, Link, type LinkSpec } from "@podwire/netdev"
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
  engine.advance(engine.nowNs + 10e9, 1e6)
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
