/**
 * Laws of the table: what is in it is found by both its tuples, it never holds more than its limit, what
 * has expired is gone and leaves nothing behind, and every number is used or free.
 */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { SECOND } from "@podwire/engine"
import { DropReason, type Frame } from "@podwire/netdev"
import { confirm } from "../../src/conntrack/confirm.ts"
import { track } from "../../src/conntrack/track.ts"
import { EventLog } from "../../src/conntrack/print.ts"
import { Expiry } from "../../src/conntrack/expiry.ts"
import { Status } from "../../src/conntrack/status.ts"
import * as tuples from "../../src/conntrack/tuple.ts"
import { PREROUTING } from "../../src/hook.ts"
import { Verdict } from "../../src/verdict.ts"
import { F, icmp, tcp, udp } from "./packets.ts"
import { Rig } from "./rig.ts"

const address = (six: boolean, n: number): string => six ? `fd01::${n.toString(16)}` : `10.1.${n >> 8}.${n & 255}`

/** One of few flows, so that they meet again. */
const packetArbitrary = fc.record({
  six: fc.boolean(), host: fc.integer({ min: 1, max: 12 }), port: fc.integer({ min: 1, max: 3 }), reply: fc.boolean(),
  kind: fc.constantFrom("udp", "syn", "ack", "rst", "echo"), filtered: fc.boolean(), wait: fc.constantFrom(0, 0, 0, 1, 29, 200)
})
type Drawn = typeof packetArbitrary extends fc.Arbitrary<infer T> ? T : never

function packetOf({ six, host, port, reply, kind }: Drawn): Uint8Array {
  const [src, dst] = [address(six, host), address(six, 200)]
  const ends = reply ? { src: dst, dst: src } : { src, dst }
  const [sport, dport] = reply ? [80, port] : [port, 80]
  if (kind === "udp") return udp(ends, sport, dport, 3)
  if (kind === "echo") return icmp(ends, six ? (reply ? 129 : 128) : reply ? 0 : 8, 0, port << 16, new Uint8Array(0))
  const flags = kind === "syn" ? (reply ? F.SYN | F.ACK : F.SYN) : kind === "ack" ? F.ACK : F.RST | F.ACK
  return tcp(ends, { sport, dport, flags, seq: 1, ack: 1 })
}

describe("laws", () => {
  it("hold after whatever happens", () => {
    fc.assert(fc.property(fc.array(packetArbitrary, { maxLength: 120 }), fc.integer({ min: 1, max: 40 }), (drawn, max) => {
      const rig = new Rig({ nf_conntrack_max: max })
      const { conntrack } = rig
      for (const step of drawn) {
        rig.wait(step.wait)
        const tuple = tuples.create()
        const packet = packetOf(step)
        const state = rig.send(packet, step.filtered)
        expect(conntrack.count).toBeLessThanOrEqual(max)
        expect(conntrack.check()).toBeNull()
        if (state === "NEW") {
          const place = new tuples.Place()
          const reply = tuples.create()
          expect(tuples.locate(packet, 0, packet.length, place) && tuples.read(packet, 0, place, tuple)).toBe(true)
          tuples.invert(tuple, reply)
          const found = conntrack.find(tuple, tuples.hash(tuple))
          expect(conntrack.find(reply, tuples.hash(reply))).toBe(found + 1)
        }
      }
      rig.wait(500_000)
      expect([conntrack.count, conntrack.held, conntrack.table.used, conntrack.check()]).toEqual([0, 0, 0, null])
      expect([rig.pool.inFlight, rig.pool.balance()]).toEqual([0, null])
    }), { seed: 5, numRuns: 60 })
  })

  it("a thousand flows of both families come and go while the table grows", () => {
    const rig = new Rig()
    for (let i = 0; i < 1000; i++) rig.send(udp({ src: address(i % 2 === 0, i + 1), dst: address(i % 2 === 0, 5000) }, i, 53, 1))
    expect([rig.conntrack.count, rig.conntrack.table.capacity, rig.conntrack.check()]).toEqual([1000, 1024, null])
    for (let i = 0; i < 1000; i++) {
      const reply = udp({ src: address(i % 2 === 0, 5000), dst: address(i % 2 === 0, i + 1) }, 53, i, 1)
      expect(rig.send(reply)).toBe("ESTABLISHED reply")
    }
    rig.wait(29.999)
    expect(rig.conntrack.count).toBe(1000)
    rig.wait(0.001)
    expect([rig.conntrack.count, rig.conntrack.table.used, rig.conntrack.check()]).toEqual([0, 0, null])
    expect(rig.engine.nextNs).toBe(Infinity)
  })

  it("an entry ends at its deadline, late in a long run too, where milliseconds have overflowed a word", () => {
    const rig = new Rig()
    for (const days of [24.8, 25, 49.7, 50]) {
      rig.engine.advance(days * 86_400 * SECOND, 10)
      const packet = udp({ src: "10.0.0.1", dst: "10.0.0.2" }, 1, 2, 0)
      expect(rig.send(packet)).toBe("NEW")
      rig.wait(29.5)
      expect(rig.list()).toContain("udp      17 0 src")
      rig.wait(0.5)
      expect(rig.list()).toBe("")
    }
  })

  it("sequence numbers wrap", () => {
    for (const [x, y] of [[-2, 5], [0x7fff_fffe, -1], [5, 0x7fff_ffff]] as const) {
      const rig = new Rig()
      const ends = { src: "10.0.0.1", dst: "10.0.0.2" }
      const back = { src: "10.0.0.2", dst: "10.0.0.1" }
      const there = (flags: number, seq: number, ack: number, length = 0): string =>
        rig.send(tcp(ends, { sport: 9, dport: 80, flags, seq: seq | 0, ack: ack | 0, length }))
      const here = (flags: number, seq: number, ack: number, length = 0): string =>
        rig.send(tcp(back, { sport: 80, dport: 9, flags, seq: seq | 0, ack: ack | 0, length }))
      expect([
        there(F.SYN, x, 0), here(F.SYN | F.ACK, y, x + 1), there(F.ACK, x + 1, y + 1), there(F.ACK, x + 1, y + 1, 900),
        here(F.ACK, y + 1, x + 901, 700), there(F.ACK, x + 901, y + 701), there(F.ACK, x + 100_000, y + 701, 1),
        here(F.RST, y + 701, 0)
      ]).toEqual([
        "NEW", "ESTABLISHED reply", "ESTABLISHED", "ESTABLISHED", "ESTABLISHED reply", "ESTABLISHED", "INVALID",
        "ESTABLISHED reply"
      ])
      expect(rig.list()).toContain(" CLOSE ")
    }
  })
})

describe("a full table", () => {
  const flow = (i: number): Uint8Array => udp({ src: `10.0.${i >> 8}.${i & 255}`, dst: "10.0.0.9" }, 1, 2, 0)

  it("drops an unassured flow for a new one, and the new one when all are assured", () => {
    const rig = new Rig({ nf_conntrack_max: 64 })
    const { conntrack } = rig
    for (let i = 0; i < 64; i++) expect(rig.send(flow(i))).toBe("NEW")
    for (const ct of conntrack.entries()) if (ct % 2 === 0) conntrack.table.status[ct]! |= Status.ASSURED
    for (let i = 100; i < 200; i++) rig.send(flow(i))
    expect([conntrack.count, conntrack.check()]).toEqual([64, null])
    const assured = [...conntrack.entries()].filter((ct) => (conntrack.table.status[ct]! & Status.ASSURED) !== 0)
    expect(assured.length).toBe(32)
    const { early_drop, drop } = conntrack.stats
    expect([early_drop + drop, early_drop > 90]).toEqual([100, true])
    for (const ct of conntrack.entries()) conntrack.table.status[ct]! |= Status.ASSURED
    for (let i = 300; i < 320; i++) expect(rig.send(flow(i))).toBe("DROP")
    expect(conntrack.stats.drop).toBe(drop + 20)
    expect(rig.pool.inFlight).toBe(0)
  })
})

it("a life that was shortened ends early, one that was not ends late", () => {
  const rig = new Rig()
  const ends = { src: "10.0.0.1", dst: "10.0.0.2" }
  rig.send(udp(ends, 5, 6, 0))
  rig.send(tcp(ends, { sport: 9, dport: 80, flags: F.ACK, seq: 1, ack: 1 }))
  for (const flags of [F.ACK, F.RST]) {
    rig.send(tcp({ src: "10.0.0.2", dst: "10.0.0.1" }, { sport: 80, dport: 9, flags, seq: 1, ack: 1 }))
  }
  rig.wait(9.9)
  rig.send(udp(ends, 5, 6, 0))
  expect(rig.list().split("\n").map((line) => line.slice(0, 17).trimEnd())).toEqual(["udp      17 30 sr", "tcp      6 0 CLOS"])
  rig.wait(0.2)
  expect(rig.list().split("\n").length).toBe(1)
  rig.wait(29)
  expect(rig.conntrack.count).toBe(1)
  rig.wait(1)
  expect([rig.conntrack.count, rig.engine.nextNs]).toEqual([0, Infinity])
})

it("time passes by itself only for who listens", () => {
  const rig = new Rig()
  rig.send(udp({ src: "10.0.0.1", dst: "10.0.0.2" }, 5, 6, 0))
  expect(rig.engine.nextNs).toBe(Infinity)
  const log = new EventLog(rig.conntrack)
  expect(rig.engine.nextNs).toBe(30 * SECOND)
  rig.wait(20)
  rig.send(udp({ src: "10.0.0.1", dst: "10.0.0.2" }, 5, 6, 0))
  rig.wait(29.9)
  expect(log.lines).toEqual([])
  rig.wait(0.1)
  expect(log.lines).toEqual(["[DESTROY] udp      17 src=10.0.0.1 dst=10.0.0.2 sport=5 dport=6 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=6 dport=5"])
  expect([rig.engine.nextNs, rig.conntrack.check()]).toEqual([Infinity, null])
})

describe("a draft", () => {
  const held = (rig: Rig, i: number): Frame => {
    const frame = rig.frame(udp({ src: `10.0.0.${i}`, dst: "10.0.0.9" }, 1, 2, 0))
    track(rig.conntrack, frame, PREROUTING)
    return frame
  }

  it("is gone when its frame is, whoever ended it", () => {
    const rig = new Rig({ nf_conntrack_max: 8 })
    for (let i = 1; i < 100; i++) rig.pool.drop(held(rig, i & 63), DropReason.NETFILTER_DROP)
    expect([rig.conntrack.check(), rig.conntrack.count, rig.conntrack.held]).toEqual([null, 0, 0])
  })

  it("counts while its frame is held, and cannot be driven out", () => {
    const rig = new Rig({ nf_conntrack_max: 8 })
    const frames = Array.from({ length: 9 }, (_, i) => held(rig, i + 1))
    expect([rig.conntrack.count, frames[8]!.ct, rig.conntrack.stats.drop]).toEqual([8, -1, 1])
    for (const frame of frames) rig.pool.free(frame)
    expect([rig.conntrack.check(), rig.conntrack.count]).toEqual([null, 0])
  })

  it("is held by a copy of its frame too, and confirmed once for both", () => {
    const rig = new Rig()
    const { conntrack } = rig
    const first = held(rig, 1)
    const copy = rig.pool.clone(first)!
    conntrack.adopt(copy)
    rig.pool.free(first)
    for (let i = 2; i < 20; i++) rig.pool.free(held(rig, i))
    expect([conntrack.count, conntrack.held, conntrack.check()]).toEqual([1, 1, null])
    const another = rig.pool.clone(copy)!
    conntrack.adopt(another)
    expect([confirm(conntrack, copy), confirm(conntrack, another)]).toEqual([Verdict.Accept, Verdict.Accept])
    expect([conntrack.count, conntrack.held, conntrack.check()]).toEqual([1, 0, null])
    const [lost, twin] = [held(rig, 30), held(rig, 30)]
    const other = rig.pool.clone(twin)!
    conntrack.adopt(other)
    confirm(conntrack, lost)
    confirm(conntrack, twin)
    expect([twin.ct, conntrack.held, conntrack.check()]).toEqual([lost.ct, 1, null])
    for (const frame of [copy, another, lost, twin, other]) rig.pool.free(frame)
    expect([conntrack.count, conntrack.held, conntrack.check()]).toEqual([2, 0, null])
  })

  it("of a dead entry stays readable for the frame that killed it", () => {
    const rig = new Rig()
    const log = new EventLog(rig.conntrack)
    rig.send(tcp({ src: "10.0.0.1", dst: "10.0.0.2" }, { sport: 9, dport: 80, flags: F.SYN, seq: 1 }))
    const frame = rig.frame(tcp({ src: "10.0.0.2", dst: "10.0.0.1" }, { sport: 80, dport: 9, flags: F.RST | F.ACK, seq: 0, ack: 2 }))
    track(rig.conntrack, frame, PREROUTING)
    expect([rig.list(), rig.conntrack.count, rig.conntrack.held]).toEqual(["", 0, 1])
    expect(rig.conntrack.table.key(frame.ct, 0) >>> 0).toBe(9 * 65_536 + 80)
    const { ct } = frame
    for (let i = 0; i < 70; i++) rig.send(udp({ src: "10.0.0.3", dst: "10.0.0.9" }, i, 2, 0))
    expect([frame.ct, rig.conntrack.table.key(ct, 0) >>> 0]).toEqual([ct, 9 * 65_536 + 80])
    rig.pool.free(frame)
    expect(rig.conntrack.check()).toBeNull()
    expect(log.lines.slice(0, 2)).toEqual([
      "    [NEW] tcp      6 120 SYN_SENT src=10.0.0.1 dst=10.0.0.2 sport=9 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=80 dport=9",
      "[DESTROY] tcp      6 120 CLOSE src=10.0.0.1 dst=10.0.0.2 sport=9 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=80 dport=9"
    ])
  })
})

describe("expiry", () => {
  it("is a queue that postpones and hurries", () => {
    fc.assert(fc.property(
      fc.array(fc.record({ ct: fc.integer({ min: 0, max: 30 }), at: fc.integer({ min: 0, max: 1000 }), act: fc.integer({ min: 0, max: 3 }) }), { minLength: 100, maxLength: 300 }),
      (acts) => {
        const expiry = new Expiry(31)
        const model = new Map<number, number>()
        for (const { ct, at, act } of acts) {
          if (act === 0 && !model.has(ct)) {
            expiry.push(ct, at)
            model.set(ct, at)
          } else if (act === 1) {
            expiry.lower(ct, at)
            if (model.has(ct)) model.set(ct, Math.min(at, model.get(ct)!))
          } else if (act === 2) {
            expiry.remove(ct)
            model.delete(ct)
          } else if (act === 3 && model.size > 0 && at > expiry.firstNs) {
            model.set(expiry.first, at)
            expiry.postpone(at)
          }
          expect(expiry.firstNs).toBe(Math.min(...model.values()))
          expect(expiry.size).toBe(model.size)
        }
      }
    ), { seed: 6, numRuns: 40 })
  })
})
