/** Two pods behind a bridge, and the node that owns it: the smallest network, both families. */
import { Engine } from "@podwire/engine"
import { Bridge, dropReasonName, Errno, FramePool, Veth } from "@podwire/netdev"
import { DEFAULT4, DEFAULT6, Netns } from "@podwire/netns"
import { parse as cidr } from "@podwire/wire/cidr"
import * as ip from "@podwire/wire/ip"
import { expect, it } from "vitest"

function network() {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const log: Array<string> = []
  pool.observer = {
    dropped: (_, reason, dev) => log.push(`drop ${dropReasonName(reason)} ${dev?.ns}/${dev?.name}`)
  }
  const node = new Netns(engine, pool, "node1")
  node.setUp(node.lo)
  const bridge = new Bridge(engine, pool, "cni0")
  node.attach(bridge)
  const pods = [2, 3].map((i) => {
    const pod = new Netns(engine, pool, `pod${i}`)
    pod.setUp(pod.lo)
    const [inside, outside] = Veth.pair(engine, pool, "eth0", 0x020000000000 + i, `veth${i}`, 0x020000000100 + i)
    pod.attach(inside)
    node.attach(outside)
    bridge.addPort(outside)
    node.setUp(outside)
    pod.setUp(inside)
    pod.addAddress(inside, cidr(`10.244.0.${i}/24`)!)
    pod.addAddress(inside, cidr(`fd00::${i}/64`)!, { nodad: true })
    return pod
  })
  node.setUp(bridge)
  node.addAddress(bridge, cidr("10.244.0.1/24")!)
  node.addAddress(bridge, cidr("fd00::1/64")!, { nodad: true })
  for (const pod of pods) {
    pod.addRoute({ dst: DEFAULT4, via: ip.parse("10.244.0.1")! })
    pod.addRoute({ dst: DEFAULT6, via: ip.parse("fd00::1")! })
  }
  const ping = (from: Netns, to: string, ttl = 0) => {
    const target = ip.parse(to)!
    const socket = from.ping(ip.family(target))
    const start = engine.nowNs
    socket.onReply = (_, reply) => {
      const what = reply.isError ? `error ${reply.type}/${reply.code}` : `reply ttl=${reply.ttl}`
      log.push(`${what} from ${ip.format(reply.src)} after ${(engine.nowNs - start) / 1e9} s`)
    }
    const errno = socket.sendTo(target, 1, new Uint8Array(56), { ttl, df: null })
    if (errno !== Errno.OK) log.push(`errno ${errno}`)
    engine.advance(engine.nowNs + 5e9, 1e6)
    socket.close()
    return log.splice(0).join("; ")
  }
  return { engine, pool, node, pods: pods as [Netns, Netns], ping, log }
}

it("pods and their node reach one another over both families", () => {
  const { pods: [a, b], ping, node } = network()
  expect(ping(a, "10.244.0.3")).toBe("reply ttl=64 from 10.244.0.3 after 0 s")
  expect(ping(b, "fd00::2")).toBe("reply ttl=64 from fd00::2 after 0 s")
  expect(ping(node, "10.244.0.2")).toBe("reply ttl=64 from 10.244.0.2 after 0 s")
  expect(ping(node, "fd00::3")).toBe("reply ttl=64 from fd00::3 after 0 s")
  expect(ping(a, "127.0.0.1")).toBe("reply ttl=64 from 127.0.0.1 after 0 s")
  expect(ping(a, "::1")).toBe("reply ttl=64 from ::1 after 0 s")
})

it("an address that nobody has is unreachable after three unanswered requests a second apart", () => {
  const { pods: [a], ping } = network()
  expect(ping(a, "10.244.0.9")).toBe(
    "drop NEIGH_FAILED pod2/eth0; error 3/1 from 10.244.0.2 after 3 s"
  )
  expect(ping(a, "fd00::9")).toBe("drop NEIGH_FAILED pod2/eth0; error 1/3 from fd00::2 after 3 s")
})

it("a node that does not forward is silent, one that forwards without a route says so", () => {
  const { node, pods: [a], ping } = network()
  expect(ping(a, "192.0.2.1")).toBe("drop FORWARDING_DISABLED node1/cni0")
  node.sysctl.set("net.ipv4.ip_forward", "1")
  node.sysctl.set("net.ipv6.conf.all.forwarding", "1")
  expect(ping(a, "192.0.2.1")).toBe(
    "drop IP_INNOROUTES node1/cni0; error 3/0 from 10.244.0.1 after 0 s"
  )
  expect(ping(a, "2001:db8::1")).toBe("drop IP_INNOROUTES node1/cni0; error 1/0 from fd00::1 after 0 s")
})

it("a datagram larger than the link is cut, put together, and echoed, over both families", () => {
  const { engine, pool, pods: [a, b] } = network()
  const server = b.udp(6)
  expect(server.bind(null, 9000)).toBe(Errno.OK)
  server.onReceive = (socket, d) => socket.sendTo(d.src, d.srcPort, d.payload, d.dst)
  const payload = Uint8Array.from({ length: 4000 }, (_, i) => i & 255)
  for (const to of ["10.244.0.3", "fd00::3"]) {
    const target = ip.parse(to)!
    const client = a.udp(ip.family(target))
    let echoed: Uint8Array | null = null
    client.onReceive = (_, d) => (echoed = d.payload)
    expect(client.sendTo(target, 9000, payload)).toBe(Errno.OK)
    engine.advance(engine.nowNs + 1e9, 1e6)
    expect(echoed).toEqual(payload)
  }
  engine.advance(engine.nowNs + 120e9, 1e6)
  expect({ inFlight: pool.inFlight, balance: pool.balance(), dropped: pool.dropped })
    .toEqual({ inFlight: 0, balance: null, dropped: 0 })
})

it("the second socket on a port gets EADDRINUSE, whichever family came first", () => {
  const { pods: [a, b] } = network()
  expect(a.udp(6).bind(null, 53)).toBe(Errno.OK)
  expect(a.udp(4).bind(null, 53)).toBe(Errno.EADDRINUSE)
  expect(b.udp(4).bind(null, 53)).toBe(Errno.OK)
  expect(a.udp(4).bind(ip.parse("10.244.0.3")!, 54)).toBe(Errno.EADDRNOTAVAIL)
})

it("the same seed gives the same digest, and destroying everything leaves no frame and no timer", () => {
  const run = () => {
    const { engine, pool, pods: [a, b], node, ping } = network()
    ping(a, "10.244.0.3")
    ping(b, "fd00::9")
    for (const ns of [a, b, node]) ns.destroy()
    const rest = engine.advance(engine.nowNs + 1e9, 1e6)
    expect({ idle: rest.idle, inFlight: pool.inFlight }).toEqual({ idle: true, inFlight: 0 })
    return engine.digest.toString()
  }
  expect(run()).toBe(run())
})
