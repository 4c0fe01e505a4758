/** Any frames through any small network of bridges, veths, VLAN devices, cards and bad links: each one ends, once, with a name. */
import { Engine } from "@podwire/engine"
import { Bridge, Cable, Dummy, dropReasonName, FramePool, Loopback, type NetDevice, Nic, Segment, Veth, Vlan } from "@podwire/netdev"
import fc from "fast-check"
import { expect, it } from "vitest"

const BAD = { delayNs: 1_000, jitterNs: 900, lossPpm: 100_000, duplicatePpm: 100_000, corruptPpm: 200_000 }

/** Two bridges joined by a veth, pods on both, a VLAN device here and there, cards on a segment and on a cable. */
function network(seed: number) {
  const engine = new Engine(seed)
  const pool = new FramePool(engine)
  const devices: Array<NetDevice> = []
  let macs = 0x0200_0000_0000
  const mac = () => ++macs
  const handler = { receive: (_dev: NetDevice, frame: Parameters<FramePool["free"]>[0]) => pool.free(frame) }
  const add = <D extends NetDevice>(dev: D): D => {
    dev.up = true
    if (dev.master === null) dev.handler = handler
    devices.push(dev)
    return dev
  }
  const pair = () => Veth.pair(engine, pool, "a", mac(), "b", mac()).map(add) as [Veth, Veth]
  const bridges = [add(new Bridge(engine, pool, "br0")), add(new Bridge(engine, pool, "br1"))]
  for (const bridge of bridges) for (let i = 0; i < 3; i++) bridge.addPort(pair()[1])
  const [left, right] = pair()
  bridges[0]!.addPort(left)
  bridges[1]!.addPort(right)
  bridges[0]!.ports()[1]!.hairpin = true
  const segment = new Segment(engine, pool, "s", { delayNs: 500 })
  const nics = Array.from({ length: 4 }, () => add(new Nic(engine, pool, "eth0", mac())))
  for (const nic of nics) segment.attach(nic)
  for (const link of segment.between(nics[0]!, nics[1]!)) link.set(BAD)
  bridges[0]!.addPort(nics[0]!)
  const [x, y] = [add(new Nic(engine, pool, "x", mac())), add(new Nic(engine, pool, "y", mac()))]
  new Cable(engine, pool, "cable", x, y, { ...BAD, rateBps: 10_000_000, queuePackets: 5 })
  add(new Vlan("v", bridges[1]!, 10))
  add(new Vlan("w", devices[2]!, 10))
  add(new Dummy(engine, pool, "dummy0", mac()))
  add(new Loopback(engine, pool))
  return { engine, pool, devices, segment, nics }
}

const frame = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  // Addresses that exist, or groups, in front of anything; some with a tag.
  fc.tuple(fc.nat({ max: 24 }), fc.nat({ max: 24 }), fc.constantFrom(0, 1, 2), fc.uint8Array({ maxLength: 60 })).map(([dst, src, kind, rest]) =>
    Uint8Array.from([kind === 1 ? 0x33 : 2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src, ...(kind === 2 ? [0x81, 0, 0, 10] : []), 8, 0, ...rest]))
)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("send" as const), which: fc.nat(), bytes: frame }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("up" as const, "down" as const, "destroy" as const, "detach" as const), which: fc.nat(), bytes: fc.constant(new Uint8Array()) }) }
)

it("at rest allocated = delivered + dropped, nothing leaks, and two runs are the same run", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), fc.nat({ max: 3 }), (steps, seed) => {
    const play = () => {
      const { engine, pool, devices, segment, nics } = network(seed)
      const ends: Array<string> = []
      pool.observer = { dropped: (_frame, reason) => void ends.push(dropReasonName(reason)) }
      for (const { what, which, bytes } of steps) {
        const dev = devices[which % devices.length]!
        if (what === "send") {
          const sent = pool.alloc(bytes.length)!
          sent.bytes.set(bytes, sent.head)
          sent.tail = sent.head + bytes.length
          dev.xmit(sent)
        } else if (what === "detach") segment.detach(nics[which % nics.length]!)
        else if (what === "destroy") dev.destroy()
        else dev.up = what === "up"
        // A loop of bridges would flood for ever; this one has none, so a little time is enough.
        engine.advance(engine.nowNs + 300, 20_000)
      }
      const { idle } = engine.advance(engine.nowNs + 10_000_000_000, 100_000)
      expect([idle, pool.leaks(), pool.balance()]).toEqual([true, [], null])
      expect(pool.allocated).toBe(pool.delivered + pool.dropped)
      expect(ends.length).toBe(pool.dropped)
      expect(ends).not.toContain("NOT_SPECIFIED")
      return engine.digest.toString()
    }
    expect(play()).toBe(play())
  }), { seed: 7, numRuns: 150 })
})
