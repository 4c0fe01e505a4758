/** What a carrier that comes and goes does to a namespace: IPv6 begins with it, neighbours end with it (NETDEV_CHANGE). */
import { Engine } from "@podwire/engine"
import { Bridge, dropReasonName, FramePool, type NetDevice, Nic, Veth } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import { parse as cidr } from "@podwire/wire/cidr"
import { format, parse as ip } from "@podwire/wire/ip"
import { expect, it } from "vitest"

function world() {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const run = (milliseconds: number) => engine.advance(engine.nowNs + milliseconds * 1e6, 1e6)
  const space = (name: string) => {
    const ns = new Netns(engine, pool, name)
    ns.setUp(ns.lo)
    return ns
  }
  return { engine, pool, run, space }
}
const show = (ns: Netns, dev: NetDevice) => `${dev.carrier ? "carrier" : "no carrier"}: ` + (ns.addresses(dev).map(({ cidr: { ip: address, bits }, usable }) =>
  `${format(address)}/${bits}${usable ? "" : " tentative"}`).join(", ") || "nothing")

it("a veth has one while both ends are up, and both get their link-local address then", () => {
  const { engine, pool, run, space } = world()
  const [left, right] = [space("left"), space("right")]
  const [a, b] = Veth.pair(engine, pool, "eth0", 0x02000000000a, "veth0", 0x02000000000b)
  left.attach(a)
  right.attach(b)
  left.addAddress(a, cidr("fd00::a/64")!)
  left.setUp(a)
  run(3000)
  const seen = [show(left, a), show(right, b)]
  right.setUp(b)
  seen.push(show(left, a), show(right, b))
  run(2100)
  seen.push(show(left, a), show(right, b))
  right.setDown(b)
  seen.push(show(left, a), show(right, b))
  right.setUp(b)
  run(2100)
  seen.push(show(left, a), show(right, b))
  expect(seen.join("\n")).toMatchInlineSnapshot(`
    "no carrier: fd00::a/64 tentative
    no carrier: nothing
    carrier: fd00::a/64 tentative, fe80::ff:fe00:a/64 tentative
    carrier: fe80::ff:fe00:b/64 tentative
    carrier: fd00::a/64, fe80::ff:fe00:a/64
    carrier: fe80::ff:fe00:b/64
    no carrier: fd00::a/64, fe80::ff:fe00:a/64
    no carrier: nothing
    carrier: fd00::a/64, fe80::ff:fe00:a/64
    carrier: fe80::ff:fe00:b/64"
  `)
})

it("a bridge loses it to a first port that has none, and tests its addresses when that port gets it", () => {
  const { engine, pool, run, space } = world()
  const [node, pod] = [space("node"), space("pod")]
  const bridge = new Bridge(engine, pool, "br0", 0x02000000000c)
  node.attach(bridge)
  node.setUp(bridge)
  const [inside, outside] = Veth.pair(engine, pool, "eth0", 0x02000000000a, "veth0", 0x02000000000b)
  pod.attach(inside)
  node.attach(outside)
  const seen = [show(node, bridge)]
  bridge.addPort(outside)
  node.setUp(outside)
  node.addAddress(bridge, cidr("fd0b::1/64")!)
  seen.push(show(node, bridge), show(node, outside))
  run(3000)
  seen.push(show(node, bridge))
  pod.setUp(inside)
  run(2100)
  seen.push(show(node, bridge), show(node, outside))
  bridge.removePort(outside, node)
  seen.push(show(node, bridge))
  expect(seen.join("\n")).toMatchInlineSnapshot(`
    "carrier: fe80::ff:fe00:c/64 tentative
    no carrier: fe80::ff:fe00:c/64 tentative, fd0b::1/64 tentative
    no carrier: nothing
    no carrier: fe80::ff:fe00:c/64, fd0b::1/64
    carrier: fe80::ff:fe00:c/64, fd0b::1/64
    carrier: fe80::ff:fe00:b/64
    no carrier: fe80::ff:fe00:c/64, fd0b::1/64"
  `)
})

it("without one routes and addresses stay, those who answered are forgotten, and what is sent is lost", () => {
  const { engine, pool, run, space } = world()
  const ns = space("host")
  const nic = new Nic(engine, pool, "eth0", 0x02000000000a)
  nic.wire = { send: (_, frame) => pool.free(frame) }
  ns.attach(nic)
  ns.setUp(nic)
  ns.addAddress(nic, cidr("10.0.0.1/24")!)
  ns.neigh4.add(nic, ip("10.0.0.2")!, 0x02000000000b, "reachable")
  ns.neigh4.add(nic, ip("10.0.0.3")!, 0x02000000000c, "permanent")
  const routes = ns.routes(4).length
  nic.carrier = false
  const dropped: Array<string> = []
  pool.observer = { dropped: (_, reason) => dropped.push(dropReasonName(reason)) }
  expect(ns.udp(4).sendTo(ip("10.0.0.3")!, 9, new Uint8Array(1))).toBe(0)
  run(1)
  expect([ns.routes(4).length, ns.addresses(nic).length > 0, ns.neigh4.list().map((neigh) => format(neigh.ip)).join(" "), dropped])
    .toEqual([routes, true, "10.0.0.3", ["LINK_DOWN"]])
  expect([pool.inFlight, pool.balance()]).toEqual([0, null])
})
