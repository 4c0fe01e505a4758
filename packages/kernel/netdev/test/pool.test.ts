import { Engine } from "@podwire/engine"
import { DropReason, FramePool, Frame, Veth } from "@podwire/netdev"
import fc from "fast-check"
import { expect, it } from "vitest"

it("whatever is taken, copied, delivered and dropped: the books balance, and leaks are exactly what is out", () => {
  const step = fc.record({ what: fc.constantFrom("alloc", "jumbo", "clone", "free", "drop"), which: fc.nat() })
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const pool = new FramePool(new Engine(1))
    const out: Array<Frame> = []
    for (const { what, which } of steps) {
      const at = out.length === 0 ? -1 : which % out.length
      if (what === "alloc" || what === "jumbo") out.push(pool.alloc(what === "jumbo" ? 9000 : which % 1500)!)
      else if (at < 0) continue
      else if (what === "clone") out.push(pool.clone(out[at]!)!)
      else {
        const [frame] = out.splice(at, 1)
        if (what === "free") pool.free(frame!)
        else pool.drop(frame!, DropReason.NOT_SPECIFIED)
      }
      expect(pool.inFlight).toBe(out.length)
      expect(pool.allocated).toBe(pool.delivered + pool.dropped + pool.inFlight)
    }
    expect([pool.balance(), pool.leaks().length]).toEqual([null, out.length])
    for (const frame of out) pool.free(frame)
    expect([pool.balance(), pool.leaks()]).toEqual([null, []])
  }), { seed: 7, numRuns: 200 })
})

it("a leak is named with the device that it was last on", () => {
  const engine = new Engine(1)
  const pool = new FramePool(engine)
  const [a, b] = Veth.pair(engine, pool, "eth0", 2, "veth1", 4)
  a.ns = "pod1"
  b.ns = "node1"
  a.up = b.up = true
  b.handler = { receive() {} }
  const frame = pool.alloc(60)!
  frame.tail += 60
  a.xmit(frame)
  pool.alloc(60)
  expect(pool.leaks()).toEqual(["frame 1, 60 bytes, last on pod1/eth0", "frame 2, 0 bytes, last on no device"])
  engine.advance(0, 10)
  expect(pool.leaks()[0]).toBe("frame 1, 60 bytes, last on node1/veth1")
})

it("a frame ends once, and a copy is its own", () => {
  const pool = new FramePool(new Engine(1))
  const frame = pool.alloc(60)!
  frame.tail += 4
  frame.bytes.set([1, 2, 3, 4], frame.head)
  Object.assign(frame, { mark: 7, l3: 14, packetType: 2 })
  const copy = pool.clone(frame)!
  frame.bytes[frame.head] = 9
  expect([copy.mark, copy.l3, copy.packetType, copy.id === frame.id, ...copy.bytes.subarray(copy.head, copy.tail)])
    .toEqual([7, 14, 2, true, 1, 2, 3, 4])
  pool.free(frame)
  expect(() => pool.free(frame)).toThrow("a frame ends exactly once")
})

it("a new frame knows nothing of the one before in its buffer", () => {
  const pool = new FramePool(new Engine(1))
  const first = pool.alloc(60)!
  const fresh = JSON.stringify({ ...first, bytes: 0, id: 0 })
  for (const key of Object.keys(first)) {
    if (!["bytes", "words", "sizeClass", "free", "next"].includes(key)) Object.assign(first, { [key]: key === "corrupted" ? true : 5 })
  }
  Object.assign(first, { dev: null, next: null })
  pool.free(first)
  const again = pool.alloc(60)!
  expect(again).toBe(first)
  expect(JSON.stringify({ ...again, bytes: 0, id: 0 })).toBe(fresh)
})
