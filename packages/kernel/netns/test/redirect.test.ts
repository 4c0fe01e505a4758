/** Redirects of both families, sent and believed (fact 63; ip_rt_send_redirect, ndisc_send_redirect). */
import { parse as ip, write } from "@podwire/wire/ip"
import { describe, expect, it } from "vitest"
import { concat, echo, ether, icmp4, icmpv6, ip4, ip6, macOption, udp4, udp6 } from "./frames.ts"
import { Rig } from "./rig.ts"

const US = "02:00:00:00:00:01"
const A = "02:00:00:00:00:0a"
const R1 = "02:00:00:00:00:f1"
const R2 = "02:00:00:00:00:f2"

const router = () => {
  const bench = new Rig().quiet().sysctl({ "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 })
  const eth0 = bench.card("eth0", US, "10.0.0.1/24", "fd00::1/64")
  bench.run(1)
  bench.neigh(eth0, "10.0.0.10", A)
  bench.neigh(eth0, "fd00::a", A)
  bench.neigh(eth0, "10.0.0.3", R2)
  bench.neigh(eth0, "fe80::3", R2)
  bench.route("10.9.0.0/16", "10.0.0.3")
  bench.route("fd09::/16", "fe80::3", "unicast", eth0)
  return { bench, eth0 }
}
const packet4 = (dst: string) => ether(US, A, 0x0800, ip4("10.0.0.10", dst, 1, echo(8, 0, 5, 1, new Uint8Array(8))))
const packet6 = (dst: string) =>
  ether(US, A, 0x86dd, ip6("fd00::a", dst, 58, icmpv6("fd00::a", dst, 128, 0, 0x50001, new Uint8Array(8))))

describe("a router", () => {
  it("forwards, and tells the sender who is nearer", () => {
    const { bench, eth0 } = router()
    bench.mark()
    bench.inject(eth0, packet4("10.9.0.1"))
    const [, quoted] = [0, bench.sent[0]!.bytes[50]]
    bench.inject(eth0, packet6("fd09::1"))
    bench.inject(eth0, packet6("fd00::3"))
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.0.1 > 10.0.0.10: ICMP redirect 10.9.0.1 to host 10.0.0.3, length 44
      0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:f2: 10.0.0.10 > 10.9.0.1: ICMP echo request, id 5, seq 1, length 16
      0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fe80::ff:fe00:1 > fd00::a: ICMP6, redirect, fd09::1 to fe80::3, length 112
      0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:f2: fd00::a > fd09::1: ICMP6, echo request, id 5, seq 1, length 16
      0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fe80::ff:fe00:1 > fd00::a: ICMP6, redirect, fd00::3 to fd00::3, length 104
      0 eth0 02:00:00:00:00:01 > 33:33:ff:00:00:03: fe80::ff:fe00:1 > ff02::1:ff00:3: ICMP6, neighbor solicitation, who has fd00::3, length 32"
    `)
    // The quote shows what is sent on.
    expect(quoted).toBe(63)
  })

  it("does so ever more rarely, nine times in all, and again after 20 s of silence", () => {
    const { bench, eth0 } = router()
    bench.mark()
    const at: Array<number> = []
    for (let i = 0; i < 300; i++) {
      const before = bench.sent.length
      bench.inject(eth0, packet4("10.9.0.1"))
      if (bench.sent.length - before === 2) at.push(i)
      bench.run(100)
    }
    expect(at).toMatchInlineSnapshot(`
      [
        0,
        1,
        2,
        4,
        8,
        15,
        28,
        54,
        106,
      ]
    `)
    bench.run(21_000)
    bench.mark()
    bench.inject(eth0, packet4("10.9.0.1"))
    expect(bench.sent.length).toBe(2)
  })

  it("of IPv6 six at once, by destination and by source", () => {
    const { bench, eth0 } = router()
    const sent = (dst: string) => {
      bench.mark()
      for (let i = 0; i < 12; i++) bench.inject(eth0, packet6(dst))
      return bench.sent.length - 12
    }
    expect([sent("fd09::1"), sent("fd09::2")]).toEqual([6, 0])
    bench.run(1000)
    expect(sent("fd09::3")).toBe(1)
  })

  it("keeps silent with send_redirects=0, and where another device is the way", () => {
    const { bench, eth0 } = router()
    bench.card("eth1", "02:00:00:00:01:01", "10.1.0.1/24")
    bench.neigh(eth0, "10.1.0.2", A)
    bench.sysctl({ "net.ipv4.conf.eth0.send_redirects": 0 })
    bench.mark()
    bench.inject(eth0, packet4("10.9.0.1"))
    expect(bench.sent.length).toBe(2)
    bench.sysctl({ "net.ipv4.conf.all.send_redirects": 0 })
    bench.mark()
    bench.inject(eth0, packet4("10.9.0.1"))
    expect(bench.sent.length).toBe(1)
  })
})

const host = (settings: Readonly<Record<string, number>> = {}) => {
  const bench = new Rig().quiet().sysctl(settings)
  const eth0 = bench.card("eth0", US, "10.0.0.10/24", "fd00::a/64")
  bench.run(1)
  bench.neigh(eth0, "10.0.0.1", R1)
  bench.neigh(eth0, "fe80::1", R1)
  bench.route("0.0.0.0/0", "10.0.0.1")
  bench.route("::/0", "fe80::1", "unicast", eth0)
  const socket = bench.udp(6)
  socket.bind(null, 5000)
  return { bench, eth0, socket }
}
const redirect4 = (gateway: string, from = "10.0.0.1", dst = "192.0.2.9") => ether(US, R1, 0x0800, ip4(from, "10.0.0.10", 1,
  icmp4(5, 1, ip(gateway)![0]!, ip4("10.0.0.10", dst, 17, udp4("10.0.0.10", dst, 5000, 7, new Uint8Array(1))))))
const redirect6 = (target: string, from = "fe80::1", dst = "2001:db8::9") => {
  const addresses = new Uint8Array(32)
  write(addresses, 0, ip(target)!)
  write(addresses, 16, ip(dst)!)
  const quote = ip6("fd00::a", dst, 17, udp6("fd00::a", dst, 5000, 7, new Uint8Array(1)))
  const padded = concat([4, (quote.length + 15) >> 3, 0, 0, 0, 0, 0, 0], quote, new Uint8Array(-quote.length & 7))
  const message = icmpv6(from, "fd00::a", 137, 0, 0, concat(addresses, macOption(2, R2), padded))
  return ether(US, R1, 0x86dd, ip6(from, "fd00::a", 58, message, { hopLimit: 255 }))
}
const to = (bytes: Uint8Array | undefined) => bytes === undefined ? "nowhere" : bytes[5] === 0xf1 ? "R1" : bytes[5] === 0xf2 ? "R2" : "asks"

describe("a host", () => {
  it("obeys once the new gateway is known: the first redirect only asks for it; for 300 s", () => {
    const { bench, eth0, socket } = host()
    const send = () => {
      bench.mark()
      socket.sendTo(ip("192.0.2.9")!, 7, new Uint8Array(1))
      return to(bench.sent[0]?.bytes)
    }
    const ways = [send()]
    bench.mark()
    bench.inject(eth0, redirect4("10.0.0.2"))
    ways.push(to(bench.sent[0]?.bytes))
    bench.neigh(eth0, "10.0.0.2", R2)
    ways.push(send())
    bench.inject(eth0, redirect4("10.0.0.2"))
    ways.push(send())
    bench.run(299_000)
    ways.push(send())
    bench.run(2000)
    ways.push(send())
    expect(ways).toEqual(["R1", "asks", "R1", "R2", "R2", "R1"])
  })

  it("obeys of IPv6 at once, as the redirect brings the MAC, until the gateway fails", () => {
    const { bench, eth0, socket } = host()
    const send = () => {
      bench.mark()
      socket.sendTo(ip("2001:db8::9")!, 7, new Uint8Array(1))
      return to(bench.sent[0]?.bytes)
    }
    const ways = [send()]
    bench.inject(eth0, redirect6("fe80::2"))
    ways.push(send())
    bench.run(10_000)
    bench.ns.neigh6.remove(eth0, ip("fe80::2")!)
    bench.mark()
    socket.sendTo(ip("2001:db8::9")!, 7, new Uint8Array(1))
    bench.run(4000)
    ways.push(send())
    expect(ways).toEqual(["R1", "R2", "R1"])
  })

  it("believes only the router that it uses, only of its own link, and only with accept_redirects", () => {
    const moved = (frame: Uint8Array, dst: string, settings: Readonly<Record<string, number>> = {}) => {
      const { bench, eth0, socket } = host(settings)
      bench.neigh(eth0, "10.0.0.2", R2)
      bench.inject(eth0, frame)
      bench.mark()
      socket.sendTo(ip(dst)!, 7, new Uint8Array(1))
      return to(bench.sent[0]?.bytes)
    }
    const off = { "net.ipv4.conf.all.accept_redirects": 0, "net.ipv4.conf.default.accept_redirects": 0, "net.ipv6.conf.default.accept_redirects": 0 }
    expect([
      moved(redirect4("10.0.0.2"), "192.0.2.9"), moved(redirect4("10.0.0.2", "10.0.0.7"), "192.0.2.9"),
      moved(redirect4("224.0.0.2"), "192.0.2.9"), moved(redirect4("10.0.0.2"), "192.0.2.9", off),
      moved(redirect6("fe80::2"), "2001:db8::9"), moved(redirect6("fe80::2", "fe80::7"), "2001:db8::9"),
      moved(redirect6("2001:db8::2"), "2001:db8::9"), moved(redirect6("fe80::2"), "2001:db8::9", off)
    ]).toEqual(["R2", "R1", "R1", "R1", "R2", "R1", "R1", "R1"])
  })
})
