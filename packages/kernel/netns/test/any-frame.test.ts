/** Any bytes may arrive: nothing throws, and every frame and timer comes to an end. */
import { Engine } from "@podwire/engine"
import { Dummy, FramePool } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import * as arp from "@podwire/wire/arp"
import { parse as cidr } from "@podwire/wire/cidr"
import * as eth from "@podwire/wire/eth"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import { parse as ip } from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as ndp from "@podwire/wire/ndp"
import * as udp from "@podwire/wire/udp"
import fc from "fast-check"
import { expect, it } from "vitest"

const MAC = 0x020000000001
const OTHER = 0x020000000002
const US4 = 0x0a000001
const THEM4 = 0x0a000002
const US6 = ip("fd00::1")!
const THEM6 = ip("fd00::2")!

/** Sound frames for this host, to be mutated. */
function samples(): ReadonlyArray<Uint8Array> {
  const make = (etherType: number, write: (bytes: Uint8Array) => number) => {
    const bytes = new Uint8Array(200)
    eth.write(bytes, 0, { dst: MAC, src: OTHER, etherType })
    return bytes.slice(0, write(bytes))
  }
  return [
    make(0x0806, (b) => 14 + arp.write(b, 14, {
      operation: arp.REQUEST, senderMac: OTHER, senderIp: THEM4, targetMac: 0, targetIp: US4
    })),
    make(0x0800, (b) => {
      icmp.writeHeader(b, 34, icmp.ECHO_REQUEST, 0, 0x10001)
      icmp.finishChecksum(b, 34, 98)
      ipv4.writeHeader(b, 14, 0, 84, 1, 0, 64, 1, THEM4, US4)
      return 98
    }),
    make(0x0800, (b) => {
      udp.writeHeader(b, 34, 1000, 2000, 64)
      ipv4.writeHeader(b, 14, 0, 84, 1, ipv4.MF, 64, 17, THEM4, US4)
      return 98
    }),
    make(0x86dd, (b) => {
      ipv6.writeHeader(b, 14, 0, 0, 64, 58, 64, THEM6, US6)
      icmp6.writeHeader(b, 54, icmp6.ECHO_REQUEST, 0, 0x10001)
      icmp6.finishChecksum(b, 54, 118, 14)
      return 118
    }),
    make(0x86dd, (b) => {
      const length = ndp.writeSolicitation(b, 54, US6, OTHER)
      ipv6.writeHeader(b, 14, 0, 0, length, 58, 255, THEM6, US6)
      icmp6.finishChecksum(b, 54, 54 + length, 14)
      return 54 + length
    }),
    make(0x86dd, (b) => {
      ipv6.writeHeader(b, 14, 0, 0, 80, 0, 64, THEM6, US6)
      b.set([60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 9], 54)
      return 134
    })
  ]
}

const mutated = fc.record({
  sample: fc.nat({ max: samples().length - 1 }),
  cut: fc.nat({ max: 200 }),
  edits: fc.array(fc.record({ at: fc.nat({ max: 199 }), value: fc.nat({ max: 255 }) }), { maxLength: 6 }),
  mend: fc.boolean()
}).map(({ sample, cut, edits, mend }) => {
  const bytes = samples()[sample]!.slice()
  for (const { at, value } of edits) if (at >= 12 && at < bytes.length) bytes[at] = value
  // A header checksum that fits lets a mutation get past the door.
  if (mend && bytes[12] === 8 && bytes[13] === 0 && (bytes[14]! & 15) * 4 + 14 <= bytes.length) {
    ipv4.updateChecksum(bytes, 14)
  }
  return cut < bytes.length / 2 ? bytes.slice(0, cut) : bytes
})

it("arbitrary and mutated frames are answered or dropped, never thrown at, and nothing is left", () => {
  const frame = fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated)
  fc.assert(fc.property(fc.array(frame, { maxLength: 30 }), fc.boolean(), (frames, forwards) => {
    const engine = new Engine(7)
    const pool = new FramePool(engine)
    const ns = new Netns(engine, pool, "host")
    ns.setUp(ns.lo)
    const dev = new Dummy(engine, pool, "eth0", MAC)
    ns.attach(dev)
    ns.setUp(dev)
    ns.addAddress(dev, cidr("10.0.0.1/24")!)
    ns.addAddress(dev, cidr("fd00::1/64")!, { nodad: true })
    ns.sysctl.set("net.ipv4.ip_forward", forwards ? "1" : "0")
    ns.sysctl.set("net.ipv6.conf.all.forwarding", forwards ? "1" : "0")
    for (const bytes of frames) {
      const arrived = pool.alloc(bytes.length)!
      arrived.bytes.set(bytes, arrived.head)
      arrived.tail = arrived.head + bytes.length
      engine.soon(dev, arrived)
      engine.advance(engine.nowNs + 1e6, 1e5)
    }
    engine.advance(engine.nowNs + 200e9, 1e6)
    expect({ inFlight: pool.inFlight, balance: pool.balance() }).toEqual({ inFlight: 0, balance: null })
  }), { seed: 7, numRuns: 400 })
})
