/** VLAN devices: both directions, on a card and on a bridge, and what they take over from the device below. */
import { Engine } from "@podwire/engine"
import { addTap, Bridge, DropReason, dropReasonName, Errno, type Frame, FramePool, type NetDevice, Veth, Vlan } from "@podwire/netdev"
import { QINQ } from "@podwire/wire/ethertype"
import * as print from "@podwire/wire/print"
import { set16, set32 } from "@podwire/wire/bytes"
import { expect, it } from "vitest"

function lab() {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const log: Array<string> = []
  pool.observer = { dropped: (_frame, reason, dev) => void log.push(`${dev?.name} dropped ${dropReasonName(reason)}`) }
  const [a, b] = Veth.pair(engine, pool, "a", 0x0200_0000_0a, "b", 0x0200_0000_0b)
  const up = <D extends NetDevice>(dev: D): D => {
    dev.up = true
    dev.handler = { receive(at, frame) {
      log.push(`${at.name} got ${text(frame)}`)
      pool.free(frame)
    } }
    return dev
  }
  const text = (frame: Frame) => print.line(frame.bytes, frame.head, frame.tail, { link: true }).replace(/^.*?, /, "")
  const send = (dev: NetDevice) => {
    log.length = 0
    const frame = pool.alloc(60)!
    set16(frame.bytes, frame.head, 0x0002)
    set32(frame.bytes, frame.head + 2, 0x0b)
    set16(frame.bytes, frame.head + 6, 0x0002)
    set32(frame.bytes, frame.head + 8, 0x0a)
    set16(frame.bytes, frame.head + 12, 0x88b5)
    frame.tail = frame.head + 60
    dev.xmit(frame)
    engine.advance(engine.nowNs, 1e6)
    expect([pool.leaks(), pool.balance()]).toEqual([[], null])
    return [...log]
  }
  return { engine, pool, up, a: up(a), b: up(b), send, text }
}

it("what a VLAN device sends is tagged below and comes up untagged at the other end's device of that VLAN only", () => {
  const { up, a, b, send, text } = lab()
  const [a10, a20, b10] = [up(new Vlan("a.10", a, 10)), up(new Vlan("a.20", a, 20)), up(new Vlan("b.10", b, 10))]
  const wire: Array<string> = []
  addTap(b, { see: (_dev, _direction, frame) => void wire.push(text(frame)) })
  expect(send(a10)).toEqual(["b.10 got ethertype Unknown (0x88b5), length 60: "])
  expect(wire).toEqual(["ethertype 802.1Q (0x8100), length 64: vlan 10, p 0, ethertype Unknown (0x88b5), "])
  expect(send(a20)).toEqual(["b dropped VLAN_UNKNOWN"])
  expect(send(a)).toEqual(["b got ethertype Unknown (0x88b5), length 60: "])
  expect([a10.stats.txPackets, a.stats.txPackets, b.stats.rxPackets, b10.stats.rxPackets]).toEqual([1, 3, 3, 1])
  expect([a10.stats.txBytes, a.stats.txBytes]).toEqual([60, 188])
})

it("a customer tag inside a service tag goes through both devices", () => {
  const { up, a, b, send } = lab()
  const inner = up(new Vlan("a.200.10", up(new Vlan("a.200", a, 200, QINQ)), 10))
  up(new Vlan("b.200.10", up(new Vlan("b.200", b, 200, QINQ)), 10))
  expect(send(inner)).toEqual(["b.200.10 got ethertype Unknown (0x88b5), length 60: "])
  // The same number with the other protocol is another VLAN.
  up(new Vlan("a.200q", a, 200))
  expect(send(up(new Vlan("a.300", a, 300, QINQ)))).toEqual(["b dropped VLAN_UNKNOWN"])
})

it("a bridge passes tags on untouched; a VLAN device on it, or on one of its ports, takes its own out", () => {
  const { engine, pool, up, a, b, send } = lab()
  const bridge = up(new Bridge(engine, pool, "br0"))
  const [c, d] = Veth.pair(engine, pool, "c", 0x0200_0000_0c, "d", 0x0200_0000_0d)
  up(c)
  up(d)
  bridge.addPort(b)
  bridge.addPort(d)
  const a10 = up(new Vlan("a.10", a, 10))
  up(new Vlan("c.10", c, 10))
  const down = () => send(a10).filter((line) => !line.includes("SAME_PORT"))
  // The destination is b's own address, so the bridge device gets it, and drops nothing of the tag.
  expect(down()).toEqual(["br0 got ethertype 802.1Q (0x8100), length 64: vlan 10, p 0, ethertype Unknown (0x88b5), "])
  const br10 = up(new Vlan("br0.10", bridge, 10))
  expect(down()).toEqual(["br0.10 got ethertype Unknown (0x88b5), length 60: "])
  expect(send(br10)).toEqual(["a.10 got ethertype Unknown (0x88b5), length 60: "])
  up(new Vlan("b.10", b, 10))
  expect(down()).toEqual(["b.10 got ethertype Unknown (0x88b5), length 60: "])
  b.tags = null
  b.setMac(0x0200_0000_ff)
  expect(down()).toEqual(["c.10 got ethertype Unknown (0x88b5), length 60: "])
})

it("MAC, MTU and carrier follow the device below", () => {
  const { a, up } = lab()
  const vlan = up(new Vlan("a.10", a, 10))
  const state = () => [vlan.mac - 0x0200_0000_00, vlan.mtu, vlan.carrier]
  expect(state()).toEqual([0x0a, 1500, true])
  a.setMac(0x0200_0000_1a)
  a.mtu = 1400
  expect(state()).toEqual([0x1a, 1400, true])
  a.mtu = 1500
  expect(state()).toEqual([0x1a, 1400, true])
  vlan.mtu = 1300
  vlan.setMac(0x0200_0000_2a)
  a.setMac(0x0200_0000_3a)
  a.up = false
  expect(state()).toEqual([0x2a, 1300, false])
  expect([vlan.mtuFault(1500), vlan.mtuFault(1501)]).toEqual([Errno.OK, Errno.ERANGE])
})

it("what cannot be made is refused; what is destroyed is gone, with its device below too", () => {
  const { pool, a, b, up, send } = lab()
  expect([Vlan.check(a, 4095), Vlan.check(a, -1), Vlan.check(a, 1.5), Vlan.check(a, 0), Vlan.check(a, 4094)])
    .toEqual([Errno.ERANGE, Errno.ERANGE, Errno.ERANGE, Errno.OK, Errno.OK])
  const vlan = up(new Vlan("a.10", a, 10))
  up(new Vlan("b.10", b, 10))
  expect([Vlan.check(a, 10), Vlan.check(a, 10, QINQ)]).toEqual([Errno.EEXIST, Errno.OK])
  vlan.destroy()
  expect([Vlan.check(a, 10), a.tags, vlan.up]).toEqual([Errno.OK, null, false])
  const again = up(new Vlan("a.10", a, 10))
  a.up = false
  expect(send(again)).toEqual(["a.10 dropped LINK_DOWN"])
  a.destroy()
  expect([again.up, pool.dropsByReason[DropReason.LINK_DOWN]]).toEqual([false, 1])
})
