/** Forwarding and what is refused before it: TTL, switches, martians, reverse path, dead routes (facts 56 to 64). */
import { Errno } from "@podwire/netdev"
import { parse as ip } from "@podwire/wire/ip"
import { describe, expect, it } from "vitest"
import { count, echo, ether, icmpv6, ip4, ip6, udp4, udp6 } from "./frames.ts"
import { Rig } from "./rig.ts"

const US = "02:00:00:00:00:01"
const A = "02:00:00:00:00:0a"
const B = "02:00:00:00:01:0b"

function router(settings: Readonly<Record<string, number>> = {}) {
  const bench = new Rig().quiet().sysctl({
    "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1, "net.ipv4.icmp_ratelimit": 0, ...settings
  })
  const eth0 = bench.card("eth0", US, "10.0.0.1/24", "fd00::1/64")
  const eth1 = bench.card("eth1", "02:00:00:00:01:01", "10.0.1.1/24", "fd01::1/64")
  bench.run(1)
  bench.neigh(eth0, "10.0.0.2", A)
  bench.neigh(eth0, "fd00::2", A)
  bench.neigh(eth1, "10.0.1.2", B)
  bench.neigh(eth1, "fd01::2", B)
  return { bench, eth0, eth1 }
}
const packet = (src: string, dst: string, ttl = 64, to = US) => src.includes(":")
  ? ether(to, A, 0x86dd, ip6(src, dst, 17, udp6(src, dst, 5000, 9, count(4)), { hopLimit: ttl }))
  : ether(to, A, 0x0800, ip4(src, dst, 17, udp4(src, dst, 5000, 9, count(4)), { ttl }))
const pair = { 4: ["10.0.0.2", "10.0.1.2"], 6: ["fd00::2", "fd01::2"] } as const

/** What becomes of a packet: where it leaves, or what is answered. */
function fate({ bench, eth0 }: ReturnType<typeof router>, bytes: Uint8Array): string {
  bench.run(100)
  bench.mark()
  bench.inject(eth0, bytes)
  return bench.text().split("\n").map((text) =>
    text.includes("ICMP") ? text.replace(/^.*ICMP6?,? /, "").replace(/, length \d+$/, "")
      : text === "" ? "silence" : text.split(" ")[1]!
  ).join("; ")
}

describe("TTL", () => {
  it.each([4, 6] as const)("IPv%i: 1 and 0 die here, 2 leaves with 1, one for us is delivered", (version) => {
    const net = router()
    const [src, dst] = pair[version]
    const far = version === 4 ? "10.0.1.1" : "fd01::1"
    expect([
      fate(net, packet(src, dst, 2)), fate(net, packet(src, dst, 1)), fate(net, packet(src, dst, 0)),
      fate(net, packet(src, far, 1))
    ]).toEqual(version === 4
      ? ["eth1", "time exceeded in-transit", "time exceeded in-transit", "10.0.1.1 udp port 9 unreachable"]
      : ["eth1", "time exceeded in-transit for fd01::2", "time exceeded in-transit for fd01::2",
        "destination unreachable, unreachable port, fd01::1 udp port 9"])
    net.bench.mark()
    net.bench.inject(net.eth0, packet(src, dst, 2))
    expect(net.bench.sent[0]!.bytes[version === 4 ? 22 : 21]).toBe(1)
  })
})

describe("switches", () => {
  it("ip_forward=0 drops in silence, and the far side's address still answers", () => {
    const net = router({ "net.ipv4.ip_forward": 0, "net.ipv6.conf.all.forwarding": 0 })
    expect([
      fate(net, packet("10.0.0.2", "10.0.1.2")), fate(net, packet("fd00::2", "fd01::2")),
      fate(net, packet("10.0.0.2", "10.0.1.1")), fate(net, packet("fd00::2", "fd01::1"))
    ].join("\n")).toMatchInlineSnapshot(`
      "silence
      silence
      10.0.1.1 udp port 9 unreachable
      destination unreachable, unreachable port, fd01::1 udp port 9"
    `)
  })

  it("conf.IN.forwarding=0 stops what comes in there, IPv4 only", () => {
    const net = router()
    net.bench.sysctl({ "net.ipv4.conf.eth0.forwarding": 0, "net.ipv6.conf.eth0.forwarding": 0 })
    expect([fate(net, packet("10.0.0.2", "10.0.1.2")), fate(net, packet("fd00::2", "fd01::2"))]).toEqual(["silence", "eth1"])
    const other = router()
    other.bench.sysctl({ "net.ipv4.conf.eth1.forwarding": 0 })
    expect(fate(other, packet("10.0.0.2", "10.0.1.2"))).toBe("eth1")
  })

  it("all.forwarding is ip_forward, reaches every device and those to come, and turns redirects off", () => {
    const { bench } = router()
    const get = (name: string) => bench.ns.sysctl.get(name)
    bench.card("eth2", "02:00:00:00:02:01")
    expect([get("net.ipv4.ip_forward"), get("net.ipv4.conf.eth2.forwarding"), get("net.ipv4.conf.all.accept_redirects")])
      .toEqual(["1", "1", "0"])
    bench.sysctl({ "net.ipv4.conf.all.forwarding": 0 })
    expect([get("net.ipv4.ip_forward"), get("net.ipv4.conf.eth2.forwarding"), get("net.ipv4.conf.all.accept_redirects")])
      .toEqual(["0", "0", "1"])
  })
})

describe("dead routes", () => {
  const types = ["unreachable", "prohibit", "blackhole", "throw"] as const

  it("tell a sender behind us by ICMP, our own by errno", () => {
    const net = router()
    const rows = [...types.map((type, i) => {
      net.bench.route(`10.9.${i}.0/24`, null, type)
      net.bench.route(`fd09:${i}::/64`, null, type)
      return [type, `10.9.${i}.1`, `fd09:${i}::1`] as const
    }), ["none", "192.0.2.1", "2001:db8::1"] as const].map(([type, four, six]) => {
      const errno = (to: string) => {
        const socket = net.bench.ns.udp(to.includes(":") ? 6 : 4)
        const value = socket.sendTo(ip(to)!, 9, count(1))
        socket.close()
        return Object.entries(Errno).find(([, number]) => number === value)![0]
      }
      net.bench.run(3000)
      return `${type}: ${fate(net, packet("10.0.0.2", four))}, ${errno(four)}; ${fate(net, packet("fd00::2", six))}, ${errno(six)}`
    })
    expect(rows.join("\n")).toMatchInlineSnapshot(`
      "unreachable: host 10.9.0.1 unreachable, EHOSTUNREACH; destination unreachable, unreachable route fd09::1, EHOSTUNREACH
      prohibit: host 10.9.1.1 unreachable - admin prohibited filter, EACCES; destination unreachable,  unreachable prohibited fd09:1::1, EACCES
      blackhole: silence, EINVAL; silence, EINVAL
      throw: net 10.9.3.1 unreachable, ENETUNREACH; destination unreachable, unreachable route fd09:3::1, ENETUNREACH
      none: net 192.0.2.1 unreachable, ENETUNREACH; destination unreachable, unreachable route 2001:db8::1, ENETUNREACH"
    `)
  })
})

describe("addresses that cannot be", () => {
  it("are dropped as a source whatever rp_filter says, but for class E", () => {
    const net = router()
    const sources = ["127.0.0.5", "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.5", "10.0.0.1", "10.0.1.1", "240.0.0.1"]
    expect(sources.filter((src) => fate(net, packet(src, "10.0.1.2")) === "eth1")).toEqual(["240.0.0.1"])
    const sources6 = ["::1", "::", "ff02::5", "fe80::2", "fd00::1", "2001:db8::7"]
    expect(sources6.map((src) => `${src} ${fate(net, packet(src, "fd01::2"))}`).join("\n")).toMatchInlineSnapshot(`
      "::1 silence
      :: silence
      ff02::5 silence
      fe80::2 neighbor solicitation, who has fe80::2
      fd00::1 eth1
      2001:db8::7 eth1"
    `)
  })

  it("are dropped as a destination; 127/8 passes with route_localnet", () => {
    const net = router()
    for (const dst of ["127.0.0.1", "0.0.0.0", "0.0.0.9", "10.0.1.255", "224.0.0.9"]) {
      expect(`${dst} ${fate(net, packet("10.0.0.2", dst))}`).toBe(`${dst} silence`)
    }
    net.bench.sysctl({ "net.ipv4.conf.eth0.route_localnet": 1 })
    expect(fate(net, packet("10.0.0.2", "127.0.0.1"))).toContain("udp port 9 unreachable")
    expect(fate(net, packet("fd00::2", "::1"))).toBe("silence")
  })

  it("a unicast packet in a broadcast frame is not forwarded", () => {
    const net = router()
    expect(fate(net, packet("10.0.0.2", "10.0.1.2", 64, "ff:ff:ff:ff:ff:ff"))).toBe("silence")
    expect(fate(net, packet("fd00::2", "fd01::2", 64, "33:33:00:00:00:01"))).toBe("silence")
  })
})

describe("rp_filter", () => {
  it("0 takes all, 1 wants the way back by the same device, 2 any way back; the larger of all and device counts", () => {
    const table = ([[0, 0], [0, 1], [0, 2], [1, 0], [1, 2], [2, 1]] as const).map(([all, own]) => {
      const net = router({ "net.ipv4.conf.all.rp_filter": all, "net.ipv4.conf.default.rp_filter": own })
      const takes = ["10.0.0.2", "10.0.1.77", "192.0.2.7"].map((src) => fate(net, packet(src, "10.0.1.2")) === "eth1" ? "passes" : "dropped")
      return `all ${all}, own ${own}: good ${takes[0]}, of another link ${takes[1]}, from nowhere ${takes[2]}`
    })
    expect(table.join("\n")).toMatchInlineSnapshot(`
      "all 0, own 0: good passes, of another link passes, from nowhere passes
      all 0, own 1: good passes, of another link dropped, from nowhere dropped
      all 0, own 2: good passes, of another link passes, from nowhere dropped
      all 1, own 0: good passes, of another link dropped, from nowhere dropped
      all 1, own 2: good passes, of another link passes, from nowhere dropped
      all 2, own 1: good passes, of another link passes, from nowhere dropped"
    `)
  })

  it("accept_local lets our own address come in", () => {
    const net = router({ "net.ipv4.conf.default.accept_local": 1 })
    expect(fate(net, packet("10.0.1.1", "10.0.1.2"))).toBe("eth1")
  })
})

it("what is for ourselves goes over lo and never leaves", () => {
  const { bench } = router()
  bench.watchLo()
  bench.loopback("10.0.7.7/32", "fd07::7/128")
  const four = bench.udp(4, "four")
  const six = bench.udp(6, "six")
  four.bind(null, 700)
  bench.udp(6, "other").bind(null, 701)
  six.bind(null, 702)
  bench.mark()
  for (const to of ["127.0.0.1", "127.9.9.9", "10.0.0.1", "10.0.1.1", "10.0.7.7"]) four.sendTo(ip(to)!, 700, count(1))
  for (const to of ["::1", "fd00::1", "fd01::1", "fd07::7"]) six.sendTo(ip(to)!, 702, count(1))
  four.sendTo(ip("10.0.0.1")!, 7, count(1))
  bench.run(1)
  expect(bench.text()).toMatchInlineSnapshot(`
    "0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: 127.0.0.1.700 > 127.0.0.1.700: UDP, length 1
    0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: 127.0.0.1.700 > 127.9.9.9.700: UDP, length 1
    0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: 10.0.0.1.700 > 10.0.0.1.700: UDP, length 1
    0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: 10.0.1.1.700 > 10.0.1.1.700: UDP, length 1
    0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: 10.0.7.7.700 > 10.0.7.7.700: UDP, length 1
    0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: ::1.702 > ::1.702: UDP, length 1
    0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: fd00::1.702 > fd00::1.702: UDP, length 1
    0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: fd01::1.702 > fd01::1.702: UDP, length 1
    0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: fd07::7.702 > fd07::7.702: UDP, length 1
    0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: 10.0.0.1.700 > 10.0.0.1.7: UDP, length 1
    0 four: 1 octets from 127.0.0.1.700
    0 four: 1 octets from 127.0.0.1.700
    0 four: 1 octets from 10.0.0.1.700
    0 four: 1 octets from 10.0.1.1.700
    0 four: 1 octets from 10.0.7.7.700
    0 six: 1 octets from ::1.702
    0 six: 1 octets from fd00::1.702
    0 six: 1 octets from fd01::1.702
    0 six: 1 octets from fd07::7.702
    0 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: 10.0.0.1 > 10.0.0.1: ICMP 10.0.0.1 udp port 7 unreachable, length 37
    0 four: ECONNREFUSED (3/3 from 10.0.0.1)"
  `)
  const pinger = bench.ns.ping(6)
  bench.mark()
  pinger.sendTo(ip("fd01::1")!, 1, count(8))
  bench.run(1)
  expect(bench.sent.every(({ dev }) => dev === "lo")).toBe(true)
  expect(bench.atRest).toEqual({ inFlight: 0, balance: null })
})

it("a broadcast is answered by nobody, echo to a group only by IPv6", () => {
  const net = router()
  const ping4 = (dst: string) => ether("ff:ff:ff:ff:ff:ff", A, 0x0800, ip4("10.0.0.2", dst, 1, echo(8, 0, 5, 1, count(4))))
  expect(fate(net, ping4("10.0.0.255"))).toBe("silence")
  expect(fate(net, packet("10.0.0.2", "10.0.0.255", 64, "ff:ff:ff:ff:ff:ff"))).toBe("silence")
  const ping6 = ether("33:33:00:00:00:01", A, 0x86dd, ip6("fd00::2", "ff02::1", 58, icmpv6("fd00::2", "ff02::1", 128, 0, 0x50001, count(4))))
  expect(fate(net, ping6)).toContain("echo reply")
  net.bench.sysctl({ "net.ipv4.icmp_echo_ignore_broadcasts": 0, "net.ipv6.icmp.echo_ignore_multicast": 1 })
  expect(fate(net, ping4("10.0.0.255"))).toContain("echo reply")
  expect(fate(net, ping6)).toBe("silence")
})
