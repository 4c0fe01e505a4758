/** Checksums left to hardware: what keeps them, what finishes them, and that a finished one is right. */
import { Engine } from "@podwire/engine"
import {
  Bridge, Checksum, completeChecksum, completeWired, type Frame, FramePool, HEADROOM_BYTES, Link,
  type NetDevice, Nic, Veth, Vlan
} from "@podwire/netdev"
import { set16 } from "@podwire/wire/bytes"
import { pseudo4, pseudo6 } from "@podwire/wire/checksum"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as ip from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import * as udp from "@podwire/wire/udp"
import * as vlan from "@podwire/wire/vlan"
import fc from "fast-check"
import { expect, it } from "vitest"

const [SRC, DST] = [0x0a000001, 0x0a000002]
const [SRC6, DST6] = [ip.parse("fd00::1")!, ip.parse("fd00::2")!]
const PAD_BYTES = 6

interface Build {
  readonly v6: boolean
  readonly protocol: number
  readonly payload: Uint8Array
  readonly tags: number
  /** Destination options in front of IPv6's upper header. */
  readonly options: boolean
}

/** As a socket leaves it, with Ethernet's padding behind the packet. */
function build(pool: FramePool, { v6, protocol, payload, tags, options }: Build): Frame {
  const frame = pool.alloc()!
  const { bytes, head } = frame
  eth.write(bytes, head, { dst: 2, src: 1, etherType: v6 ? ethertype.IPV6 : ethertype.IPV4 })
  const l3 = head + eth.HEADER_BYTES
  const extra = v6 && options ? 8 : 0
  const l4 = l3 + (v6 ? ipv6.HEADER_BYTES + extra : 20)
  const header = protocol === ipproto.UDP ? udp.HEADER_BYTES : tcp.HEADER_BYTES_MIN
  const count = header + payload.length
  if (v6) {
    ipv6.writeHeader(bytes, l3, 0, 0, extra + count, extra > 0 ? ipproto.DSTOPTS : protocol, 64, SRC6, DST6)
    if (extra > 0) bytes.set([protocol, 0, 1, 4, 0, 0, 0, 0], l3 + ipv6.HEADER_BYTES)
  } else ipv4.writeHeader(bytes, l3, 0, 20 + count, 1, 0, 64, protocol, SRC, DST)
  if (protocol === ipproto.UDP) udp.writeHeader(bytes, l4, 1000, 2000, count)
  else tcp.writeHeader(bytes, l4, 1000, 2000, 1, 2, 20, 0x18, 100)
  bytes.set(payload, l4 + header)
  frame.tail = l4 + count + PAD_BYTES
  bytes.fill(0xee, l4 + count, frame.tail)
  set16(bytes, l4 + (protocol === ipproto.UDP ? 6 : 16), v6
    ? pseudo6(bytes, l3 + ipv6.SRC, l3 + ipv6.DST, protocol, count)
    : pseudo4(SRC, DST, protocol, count))
  frame.csum = Checksum.Partial
  for (let i = 0; i < tags; i++) frame.head = vlan.insert(bytes, frame.head, ethertype.VLAN, 10 + i)
  return frame
}

/** Whether its transport checksum is right. */
function sound(frame: Frame, { v6, protocol, options }: Build): boolean {
  const { bytes, tail } = frame
  const l3 = HEADROOM_BYTES + eth.HEADER_BYTES
  const l4 = l3 + (v6 ? ipv6.HEADER_BYTES + (options ? 8 : 0) : 20)
  const end = tail - PAD_BYTES
  const { check4, check6 } = protocol === ipproto.UDP ? udp : tcp
  return (v6 ? check6(bytes, l4, end, l3) : check4(bytes, l4, end, SRC, DST)) === 0
}

const builds = fc.record({
  v6: fc.boolean(), protocol: fc.constantFrom(ipproto.UDP, ipproto.TCP), payload: fc.uint8Array({ maxLength: 90 }),
  tags: fc.nat({ max: 2 }), options: fc.boolean()
})

it("finished it is right, behind tags and extension headers and in front of padding; nothing else changes", () => {
  fc.assert(fc.property(builds, fc.boolean(), (what, known) => {
    const pool = new FramePool(new Engine(7))
    const frame = build(pool, what)
    if (known) frame.l3 = HEADROOM_BYTES + eth.HEADER_BYTES
    const before = frame.bytes.slice()
    expect(sound(frame, what)).toBe(false)
    completeChecksum(frame)
    expect([sound(frame, what), frame.csum]).toEqual([true, Checksum.None])
    const differ = [...before.keys()].filter((i) => before[i] !== frame.bytes[i])
    expect(differ.length).toBeLessThan(3)
    completeChecksum(frame)
    expect(sound(frame, what)).toBe(true)
  }), { seed: 7, numRuns: 300 })
})

it("what is cut short, or carries no checksum that it knows, is left alone", () => {
  fc.assert(fc.property(builds, fc.nat({ max: 80 }), fc.nat({ max: 255 }), (what, cut, version) => {
    const pool = new FramePool(new Engine(7))
    const frame = build(pool, what)
    frame.tail = Math.max(frame.head, frame.tail - cut)
    if (version < 100) frame.bytes[HEADROOM_BYTES + eth.HEADER_BYTES] = version
    const after = frame.bytes.slice(frame.tail)
    completeChecksum(frame)
    expect([frame.csum, frame.bytes.slice(frame.tail)]).toEqual([Checksum.None, after])
  }), { seed: 7, numRuns: 300 })
})

it("a link that corrupts finishes it first: every flip behind the header is seen", () => {
  fc.assert(fc.property(builds, fc.nat({ max: 1000 }), (what, seed) => {
    const engine = new Engine(seed)
    const pool = new FramePool(engine)
    const whole = build(pool, what)
    completeChecksum(whole)
    let bits = 0
    const link = new Link(engine, pool, "bad", { run(frame: Frame) {
      for (let i = frame.head; i < frame.tail; i++) {
        for (let byte = frame.bytes[i]! ^ whole.bytes[i]!; byte !== 0; byte &= byte - 1) bits++
      }
      expect([frame.csum, frame.corrupted]).toEqual([Checksum.None, true])
      pool.free(frame)
    } }, { corruptPpm: 1_000_000 })
    link.send(build(pool, what))
    engine.advance(1, 10)
    expect(bits).toBe(1)
  }), { seed: 7, numRuns: 100 })
})

it("pairs, bridges, VLAN devices and clones keep it; a card marks that it was whole on the wire", () => {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const what: Build = { v6: false, protocol: ipproto.TCP, payload: Uint8Array.of(1, 2, 3), tags: 0, options: false }
  const seen: Array<string> = []
  const up = <D extends NetDevice>(dev: D): D => {
    dev.up = true
    dev.tap = { see: (at, _, frame) => void seen.push(`${at.name} ${frame.csum} ${frame.wired} ${sound(frame, what)}`) }
    return dev
  }
  const [a, b] = Veth.pair(engine, pool, "a", 1, "b", 11)
  const [c, d] = Veth.pair(engine, pool, "c", 12, "d", 2)
  for (const dev of [a, b, c, d]) up(dev)
  const bridge = up(new Bridge(engine, pool, "br"))
  bridge.addPort(b)
  bridge.addPort(c)
  const card = up(new Nic(engine, pool, "card", 5))
  const other = up(new Nic(engine, pool, "other", 6))
  card.wire = { send: (_, frame) => engine.soon(other, frame) }
  other.handler = { receive: (_, frame) => {
    const copy = pool.clone(frame)!
    seen.push(`clone ${copy.csum} ${copy.wired}`)
    completeWired(frame)
    seen.push(`quoted ${frame.csum} ${sound(frame, what)}`)
    pool.free(copy)
    pool.free(frame)
  } }
  const tagged = up(new Vlan("card.10", card, 10))
  up(new Vlan("other.10", other, 10)).handler = other.handler
  d.handler = { receive: (_, frame) => {
    completeWired(frame)
    seen.push(`quoted ${frame.csum} ${sound(frame, what)}`)
    tagged.xmit(frame)
  } }
  a.xmit(build(pool, what))
  engine.advance(1, 100)
  expect(seen).toEqual([
    "a 1 false false", "b 1 false false", "c 1 false false", "d 1 false false", "quoted 1 false",
    "card.10 1 false false", "card 1 false false", "other 1 true false", "other.10 1 true false", "clone 1 true",
    "quoted 0 true"
  ])
  expect(pool.leaks()).toEqual([])
  const fresh = pool.alloc()!
  expect([fresh.csum, fresh.wired]).toEqual([Checksum.None, false])
})
