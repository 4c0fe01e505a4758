import { ARRIVED, Engine, type EventSource } from "@podwire/engine"
import { DropReason, firstDifference, FramePool, type Journal, Veth } from "@podwire/netdev"
import { expect, it } from "vitest"

const source = (serial: number): EventSource => ({ serial, label: () => `node1/eth${serial}` })

/** Plays as many events as there are, the first time without the change and then with it. */
function twice(count: number, change: number, what: { length?: number; reason?: number; stop?: boolean } = {}) {
  let plays = 0
  return firstDifference((journal: Journal) => {
    const second = plays++ % 2 === 1
    for (let i = 0; i < count; i++) {
      const changed = second && i === change
      if (changed && what.stop === true) return
      journal.event(i * 1000, source(i % 3), changed ? what.length ?? 60 : 60, changed ? what.reason ?? ARRIVED : ARRIVED)
    }
  })
}

it("the first event that differs is named: time, device, length or the reason of its end", () => {
  expect(twice(10, -1)).toBeNull()
  expect(twice(10, 4, { length: 61 })).toBe("event 5: 4000 ns node1/eth1 60 bytes | 4000 ns node1/eth1 61 bytes")
  expect(twice(10, 9, { reason: DropReason.LINK_LOSS })).toBe("event 10: 9000 ns node1/eth0 60 bytes | 9000 ns node1/eth0 60 bytes dropped LINK_LOSS")
  expect(twice(10, 7, { stop: true })).toBe("event 8: 7000 ns node1/eth1 60 bytes | (nothing)")
})

it("also far behind the window that is kept: the run is played again", () => {
  expect(twice(300_000, 250_001, { length: 61 })).toBe("event 250002: 250001000 ns node1/eth2 60 bytes | 250001000 ns node1/eth2 61 bytes")
  expect(twice(300_000, 299_999, { stop: true })).toBe("event 300000: 299999000 ns node1/eth2 60 bytes | (nothing)")
  expect(twice(300_000, -1)).toBeNull()
})

it("as an engine's observer it hears devices and pools, and changes no digest", () => {
  const digests: Array<string> = []
  const play = (journal: Journal | null, payload: number) => {
    const engine = new Engine(7)
    engine.observer = journal
    const pool = new FramePool(engine)
    const [a, b] = Veth.pair(engine, pool, "eth0", 2, "veth1", 4)
    a.ns = "pod1"
    b.ns = "node1"
    a.up = b.up = true
    for (const length of [60, 60, payload]) {
      const frame = pool.alloc(length)!
      frame.tail += length
      a.xmit(frame)
    }
    engine.advance(0, 100)
    digests.push(engine.digest.toString())
  }
  let plays = 0
  expect(firstDifference((journal) => play(journal, 60 + plays++ % 2)))
    .toBe("event 5: 0 ns node1/veth1 60 bytes | 0 ns node1/veth1 61 bytes")
  play(null, 60)
  expect([digests[0] === digests[1], digests[0] === digests[2]]).toEqual([false, true])
})
