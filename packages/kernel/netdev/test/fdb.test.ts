import { Fdb, FdbKind, NO_PORT } from "@podwire/netdev"
import { hi, lo } from "@podwire/wire/mac"
import fc from "fast-check"
import { expect, it } from "vitest"

const AGEING_NS = 300

it("a forwarding database is a map from address to port that forgets", () => {
  // Few high and low halves, so that addresses share one and differ in the other.
  const mac = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 40 })).map(([high, low]) => high * 0x1_0000_0000 + low)
  const step = fc.record({ mac, port: fc.integer({ min: 1, max: 5 }), afterNs: fc.nat({ max: 60 }), what: fc.constantFrom("learn", "remove") })
  fc.assert(fc.property(fc.array(step, { maxLength: 400 }), mac, (steps, local) => {
    const fdb = new Fdb(AGEING_NS)
    const model = new Map<number, { port: number; atNs: number }>()
    fdb.addLocal(hi(local), lo(local), 9)
    let nowNs = 0
    for (const { mac, port, afterNs, what } of steps) {
      nowNs += afterNs
      if (what === "remove" && port === 5) {
        fdb.removePort(port)
        for (const [key, entry] of model) if (entry.port === port) model.delete(key)
      } else {
        fdb.learn(hi(mac), lo(mac), port, { nowNs })
        if (mac !== local) model.set(mac, { port, atNs: nowNs })
      }
      const slot = fdb.find(hi(mac), lo(mac), { nowNs })
      const wanted = mac === local ? 9 : model.get(mac)?.port ?? -1
      expect(slot < 0 ? -1 : fdb.port(slot)).toBe(wanted)
    }
    const alive = [...model].filter(([, { atNs }]) => nowNs - atNs < AGEING_NS).map(([mac, { port }]) => [mac, port])
    expect(fdb.list(nowNs).map(({ mac, port }) => [mac, port]))
      .toEqual([...alive, [local, 9]].sort((a, b) => a[0]! - b[0]!))
  }), { seed: 7, numRuns: 200 })
})

it("an entry lasts as long as the ageing time and not a nanosecond more", () => {
  const fdb = new Fdb(AGEING_NS)
  fdb.learn(1, 1, 3, { nowNs: 100 })
  expect([fdb.find(1, 1, { nowNs: 399 }) >= 0, fdb.find(1, 1, { nowNs: 400 })]).toEqual([true, -1])
  fdb.learn(1, 1, 3, { nowNs: 350 })
  expect(fdb.find(1, 1, { nowNs: 649 }) >= 0).toBe(true)
})

it("static entries do not age but follow traffic, sticky ones stay, local ones are not learnt over", () => {
  const fdb = new Fdb(AGEING_NS)
  const kinds = [FdbKind.Learned, FdbKind.Static, FdbKind.Sticky, FdbKind.Local]
  kinds.forEach((kind, i) => fdb.set(0, i, 1, kind, 0))
  const ports = (nowNs: number) => kinds.map((_, i) => {
    const slot = fdb.find(0, i, { nowNs })
    return slot < 0 ? null : fdb.port(slot)
  })
  expect(ports(AGEING_NS)).toEqual([null, 1, 1, 1])
  kinds.forEach((_, i) => fdb.learn(0, i, 2, { nowNs: AGEING_NS }))
  expect(ports(AGEING_NS)).toEqual([2, 2, 1, 1])
  fdb.flushPort(2)
  expect(ports(AGEING_NS)).toEqual([null, 2, 1, 1])
  fdb.removePort(1)
  expect(ports(AGEING_NS)).toEqual([null, 2, null, null])
  fdb.addLocal(0, 9, NO_PORT)
  expect([fdb.remove(1), fdb.remove(1), fdb.list(0).map(({ mac }) => mac)]).toEqual([true, false, [9]])
})

it("a flood of sources fills it and no more; room comes back when they age", () => {
  const fdb = new Fdb(AGEING_NS)
  fdb.learnedMax = 100
  for (let i = 0; i < 150; i++) fdb.learn(0, i, 1, { nowNs: 0 })
  expect([fdb.size, fdb.refused, fdb.list(0).length]).toEqual([100, 50, 100])
  fdb.learn(0, 500, 1, { nowNs: AGEING_NS })
  expect([fdb.list(AGEING_NS).map(({ mac }) => mac), fdb.refused]).toEqual([[500], 50])
  // Memory is that of the live entries, whatever came and went.
  for (let i = 0; i < 100_000; i++) fdb.learn(1, i, 1, { nowNs: i * 10 })
  expect(fdb.size).toBeLessThanOrEqual(100)
})
