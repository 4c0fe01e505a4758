import { Fdb } from "@podwire/netdev"
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
        fdb.learn(hi(mac), lo(mac), port, nowNs)
        if (mac !== local) model.set(mac, { port, atNs: nowNs })
      }
      const slot = fdb.find(hi(mac), lo(mac), nowNs)
      const wanted = mac === local ? 9 : model.get(mac)?.port ?? -1
      expect(slot < 0 ? -1 : fdb.port(slot)).toBe(wanted)
    }
    const alive = [...model].filter(([, { atNs }]) => nowNs - atNs <= AGEING_NS).map(([mac, { port }]) => [mac, port])
    expect(fdb.list(nowNs).map(({ mac, port }) => [mac, port]))
      .toEqual([...alive, [local, 9]].sort((a, b) => a[0]! - b[0]!))
  }), { seed: 7, numRuns: 200 })
})
