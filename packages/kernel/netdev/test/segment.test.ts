/** The underlay against a model of one perfect link per pair, and at the size of a large cluster. */
import { Engine } from "@podwire/engine"
import { dropReasonName, type Frame, FramePool, Nic, Segment } from "@podwire/netdev"
import { set16, set32 } from "@podwire/wire/bytes"
import { hi, lo } from "@podwire/wire/mac"
import fc from "fast-check"
import { expect, it } from "vitest"

const BROADCAST = 0xffff_ffff_ffff
const macOf = (i: number) => 0x02_0000_000000 + i

function underlay(count: number, delayNs: number) {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const segment = new Segment(engine, pool, "underlay", { delayNs })
  const arrived: Array<string> = []
  const nics: Array<Nic> = []
  const join = () => {
    const i = nics.length
    const nic = new Nic(engine, pool, "eth0", macOf(i))
    nic.ns = `n${i}`
    nic.up = true
    nic.handler = { receive(dev: Nic, frame: Frame) {
      arrived.push(`${engine.nowNs} ${frame.id}>${dev.ns}`)
      pool.free(frame)
    } }
    segment.attach(nic)
    nics.push(nic)
  }
  for (let i = 0; i < count; i++) join()
  const send = (from: number, dst: number) => {
    const frame = pool.alloc()!
    const { bytes, head } = frame
    set16(bytes, head, hi(dst))
    set32(bytes, head + 2, lo(dst))
    set16(bytes, head + 6, hi(macOf(from)))
    set32(bytes, head + 8, lo(macOf(from)))
    frame.tail = head + 60
    nics[from]!.xmit(frame)
    return frame.id
  }
  return { engine, pool, segment, arrived, nics, join, send }
}

it("who gets what when, whatever was asked of single ways before and in between", () => {
  const step = fc.record({
    what: fc.constantFrom("send", "send", "send", "broadcast", "between", "advance", "leave", "join"),
    a: fc.nat({ max: 5 }), b: fc.nat({ max: 5 })
  })
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const { engine, pool, segment, arrived, nics, join, send } = underlay(4, 10)
    const here = new Set([0, 1, 2, 3])
    const seen = new Set<number>()
    let pending: Array<{ atNs: number; from: number; to: number; text: string }> = []
    const expected: Array<string> = []
    const advance = (byNs: number) => {
      engine.advance(engine.nowNs + byNs, 1e6)
      expected.push(...pending.filter(({ atNs }) => atNs <= engine.nowNs).map(({ text }) => text))
      pending = pending.filter(({ atNs }) => atNs > engine.nowNs)
    }
    for (const { what, a, b } of steps) {
      if (what === "advance") advance(a)
      else if (what === "join") {
        if (nics.length >= 6) continue
        here.add(nics.length)
        join()
      } else if (!here.has(a)) continue
      else if (what === "leave") {
        segment.detach(nics[a]!)
        here.delete(a)
        seen.delete(a)
        pending = pending.filter(({ from, to }) => from !== a && to !== a)
      } else if (what === "between") {
        if (a !== b && here.has(b)) segment.between(nics[a]!, nics[b]!)
      } else {
        const id = send(a, what === "broadcast" ? BROADCAST : macOf(b))
        seen.add(a)
        const known = what === "send" && seen.has(b)
        for (const to of known ? [b] : here) {
          if (to !== a) pending.push({ atNs: engine.nowNs + 10, from: a, to, text: `${engine.nowNs + 10} ${id}>n${to}` })
        }
      }
    }
    advance(100)
    // Frames of one instant may come in another order when some ways have links of their own.
    expect([...arrived].sort()).toEqual([...expected].sort())
    expect([pool.inFlight, pool.leaks(), pool.balance()]).toEqual([0, [], null])
  }), { seed: 7, numRuns: 150 })
})

it("without links of their own, ways keep the order of sending, and receivers that of joining", () => {
  const { engine, arrived, send, segment } = underlay(4, 1000)
  send(0, BROADCAST)
  send(1, BROADCAST)
  send(2, macOf(0))
  send(0, macOf(2))
  engine.advance(5000, 1e6)
  expect(arrived).toEqual([
    "1000 1>n1", "1000 1>n2", "1000 1>n3", "1000 2>n0", "1000 2>n2", "1000 2>n3", "1000 3>n0", "1000 4>n2"
  ])
  expect(segment.links).toBe(0)
})

it("one way is impaired and no other, and that is all that gets a link", () => {
  const { engine, pool, segment, arrived, nics, send } = underlay(4, 1000)
  const [forth] = segment.between(nics[0]!, nics[1]!)
  forth.set({ lossPpm: 1_000_000 })
  const ends: Array<string> = []
  pool.observer = { dropped: (frame, reason) => void ends.push(`${frame.id} ${dropReasonName(reason)}`) }
  send(0, BROADCAST)
  send(1, macOf(0))
  engine.advance(2000, 1e6)
  expect(arrived).toEqual(["1000 1>n2", "1000 1>n3", "1000 2>n0"])
  expect([ends, segment.links]).toEqual([["1 LINK_LOSS"], 2])
})

it("a segment whose every way has chance draws for each pair from its own stream", () => {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const segment = new Segment(engine, pool, "underlay", { lossPpm: 500_000 })
  const nics = [0, 1, 2].map((i) => {
    const nic = new Nic(engine, pool, "eth0", macOf(i))
    nic.ns = `n${i}`
    segment.attach(nic)
    return nic
  })
  const [link] = segment.between(nics[0]!, nics[1]!)
  expect(link.spec.lossPpm).toBe(500_000)
  expect(() => new Segment(engine, pool, "x", { lossPpm: -1 })).toThrow("lossPpm is an integer from 0 to 1000000, not -1")
})

it("five thousand cards: a broadcast from each is a matter of deliveries, not of pairs", () => {
  const { engine, pool, segment, nics, send } = underlay(5000, 1_000_000)
  let got = 0
  for (const nic of nics) {
    nic.handler = { receive(_dev, frame) {
      got++
      pool.free(frame)
    } }
  }
  for (let i = 0; i < 100; i++) send(i * 50, BROADCAST)
  for (let i = 0; i < 100; i++) send(i * 50 + 1, macOf(i * 50))
  engine.advance(10_000_000, 1e6)
  expect([got, segment.links, pool.inFlight, pool.exhausted]).toEqual([100 * 4999 + 100, 0, 0, 0])
})
