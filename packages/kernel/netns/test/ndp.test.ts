/** Neighbour discovery and duplicate address detection in virtual time, as facts 85 to 87 have them. */
import { parse as cidr } from "@podwire/wire/cidr"
import { parse as ip } from "@podwire/wire/ip"
import { describe, expect, it } from "vitest"
import { ether, icmpv6, ip6, macOption, nd } from "./frames.ts"
import { Rig } from "./rig.ts"

const US = "02:00:00:00:00:01"
const A = "02:00:00:00:00:0a"
const B = "02:00:00:00:00:0b"

const rig = () => {
  const bench = new Rig().quiet()
  const eth0 = bench.card("eth0", US, "fd00::1/64")
  bench.run(1)
  return { bench, eth0 }
}
const frame = (to: string, from: string, src: string, dst: string, message: Uint8Array, hopLimit = 255) =>
  ether(to, from, 0x86dd, ip6(src, dst, 58, message, { hopLimit }))
const advertise = (from: string, target: string, flags: number, to = "fd00::1") =>
  frame(US, from, target, to, nd(target, to, 136, flags, target, macOption(2, from)))
const solicit = (from: string, source: string, target: string) =>
  frame("33:33:ff:00:00:01", from, source, "ff02::1:ff00:1",
    nd(source, "ff02::1:ff00:1", 135, 0, target, macOption(1, from)))
const ping = (src: string, dst: string, from = A) =>
  frame(US, from, src, dst, icmpv6(src, dst, 128, 0, 0x50001, new Uint8Array(8)), 64)

describe("neighbours", () => {
  it("three solicitations a second apart, then every waiting datagram fails, by an error over lo", () => {
    const { bench } = rig()
    const socket = bench.watchLo().udp(6)
    socket.bind(null, 5000)
    bench.mark()
    for (let i = 0; i < 2; i++) socket.sendTo(ip("fd00::9")!, 7, new Uint8Array(i + 1))
    bench.run(10_000)
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 eth0 02:00:00:00:00:01 > 33:33:ff:00:00:09: fd00::1 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has fd00::9, length 32
      1000 eth0 02:00:00:00:00:01 > 33:33:ff:00:00:09: fd00::1 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has fd00::9, length 32
      2000 eth0 02:00:00:00:00:01 > 33:33:ff:00:00:09: fd00::1 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has fd00::9, length 32
      3000 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: fd00::1 > fd00::1: ICMP6, destination unreachable, unreachable address fd00::9, length 57
      3000 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: fd00::1 > fd00::1: ICMP6, destination unreachable, unreachable address fd00::9, length 58
      3000 socket: EHOSTUNREACH (1/3 from fd00::1)
      3000 socket: EHOSTUNREACH (1/3 from fd00::1)"
    `)
    expect(bench.neighbours(6)).toMatchInlineSnapshot(`"fd00::9 dev eth0 FAILED"`)
    expect(bench.atRest).toEqual({ inFlight: 0, balance: null })
  })

  it("for a forwarded packet the router asks in its link-local name and tells the sender", () => {
    const { bench, eth0 } = rig()
    bench.card("eth1", "02:00:00:00:01:01", "fd01::1/64")
    bench.sysctl({ "net.ipv6.conf.all.forwarding": 1 })
    bench.neigh(eth0, "fd00::a", A)
    bench.run(1)
    bench.mark()
    bench.inject(eth0, ping("fd00::a", "fd01::9"))
    bench.run(5000)
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 eth1 02:00:00:00:01:01 > 33:33:ff:00:00:09: fe80::ff:fe00:101 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has fd01::9, length 32
      1000 eth1 02:00:00:00:01:01 > 33:33:ff:00:00:09: fe80::ff:fe00:101 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has fd01::9, length 32
      2000 eth1 02:00:00:00:01:01 > 33:33:ff:00:00:09: fe80::ff:fe00:101 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has fd01::9, length 32
      3000 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fd00::1 > fd00::a: ICMP6, destination unreachable, unreachable address fd01::9, length 64"
    `)
  })

  it("is confirmed after five seconds by a solicitation of its own address, and lost after three more", () => {
    const { bench, eth0 } = rig()
    const socket = bench.udp(6)
    socket.bind(null, 5000)
    bench.inject(eth0, solicit(A, "fd00::a", "fd00::1"))
    bench.mark()
    socket.sendTo(ip("fd00::a")!, 7, new Uint8Array(1))
    bench.run(10_000)
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fd00::1.5000 > fd00::a.7: UDP, length 1
      5000 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fe80::ff:fe00:1 > fd00::a: ICMP6, neighbor solicitation, who has fd00::a, length 32
      6000 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fe80::ff:fe00:1 > fd00::a: ICMP6, neighbor solicitation, who has fd00::a, length 32
      7000 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fe80::ff:fe00:1 > fd00::a: ICMP6, neighbor solicitation, who has fd00::a, length 32"
    `)
    expect(bench.neighbours(6)).toBe("fd00::a dev eth0 FAILED")
  })

  it("an answer counts by its flags: solicited, override", () => {
    const S = 0x40000000
    const O = 0x20000000
    const after = (...answers: ReadonlyArray<readonly [string, number]>) => {
      const { bench, eth0 } = rig()
      bench.udp(6).sendTo(ip("fd00::a")!, 7, new Uint8Array(1))
      for (const [from, flags] of answers) {
        bench.inject(eth0, advertise(from, "fd00::a", flags))
        bench.run(10)
      }
      return bench.neighbours(6)
    }
    expect([
      after([A, S | O]), after([A, O]), after([A, S | O], [B, S]), after([A, S | O], [B, O]), after([A, O], [B, 0])
    ].join("\n")).toMatchInlineSnapshot(`
      "fd00::a dev eth0 lladdr 02:00:00:00:00:0a REACHABLE
      fd00::a dev eth0 lladdr 02:00:00:00:00:0a DELAY
      fd00::a dev eth0 lladdr 02:00:00:00:00:0a STALE
      fd00::a dev eth0 lladdr 02:00:00:00:00:0b STALE
      fd00::a dev eth0 lladdr 02:00:00:00:00:0a DELAY"
    `)
    // Nobody is made by an answer that was not asked for.
    const { bench, eth0 } = rig()
    bench.inject(eth0, advertise(A, "fd00::b", O))
    expect(bench.neighbours(6)).toBe("")
  })

  it("only the target learns the asker", () => {
    const { bench, eth0 } = rig()
    bench.inject(eth0, solicit(A, "fd00::a", "fd00::2"))
    expect(bench.neighbours(6)).toBe("")
    bench.mark()
    bench.inject(eth0, solicit(A, "fd00::a", "fd00::1"))
    expect(bench.neighbours(6)).toBe(`fd00::a dev eth0 lladdr ${A} DELAY`)
    expect(bench.text()).toMatchInlineSnapshot(`"0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fd00::1 > fd00::a: ICMP6, neighbor advertisement, tgt is fd00::1, length 32"`)
  })
})

describe("an address", () => {
  it("is reported, probed within a second, usable a second later, and routers are asked for then", () => {
    const bench = new Rig(7)
    bench.mark()
    const eth0 = bench.card("eth0", US)
    bench.ns.addAddress(eth0, cidr("fd00::1/64")!)
    const states: Array<string> = []
    for (let i = 0; i < 30; i++) {
      const state = bench.ns.addresses(eth0).map((address) => address.tentative ? "tentative" : "usable").join(" ")
      if (states.at(-1) !== state) states.push(state)
      bench.run(100)
    }
    bench.run(9000)
    expect(states).toEqual(["tentative tentative", "tentative usable", "usable usable"])
    expect(bench.text(true)).toMatchInlineSnapshot(`
      "8 eth0 02:00:00:00:00:01 > 33:33:00:00:00:16: :: > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28
      56 eth0 02:00:00:00:00:01 > 33:33:00:00:00:16: :: > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28
      359 eth0 02:00:00:00:00:01 > 33:33:ff:00:00:01: :: > ff02::1:ff00:1: ICMP6, neighbor solicitation, who has fd00::1, length 32
      939 eth0 02:00:00:00:00:01 > 33:33:ff:00:00:01: :: > ff02::1:ff00:1: ICMP6, neighbor solicitation, who has fe80::ff:fe00:1, length 32
      1939 eth0 02:00:00:00:00:01 > 33:33:00:00:00:16: fe80::ff:fe00:1 > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28
      1939 eth0 02:00:00:00:00:01 > 33:33:00:00:00:02: fe80::ff:fe00:1 > ff02::2: ICMP6, router solicitation, length 16
      2244 eth0 02:00:00:00:00:01 > 33:33:00:00:00:16: fe80::ff:fe00:1 > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28
      6273 eth0 02:00:00:00:00:01 > 33:33:00:00:00:02: fe80::ff:fe00:1 > ff02::2: ICMP6, router solicitation, length 16"
    `)
  })

  it("that somebody has stays tentative and failed; without one of its own a link is mute", () => {
    const bench = new Rig(7)
    const eth0 = bench.card("eth0", US, "fd00::1/64?")
    bench.run(500)
    bench.mark()
    bench.inject(eth0, frame("33:33:00:00:00:01", A, "fd00::1", "ff02::1", nd("fd00::1", "ff02::1", 136, 0x20000000, "fd00::1", macOption(2, A))))
    bench.run(3000)
    const [linkLocal, ours] = bench.ns.addresses(eth0)
    expect([linkLocal!.tentative, ours!.tentative, ours!.dadFailed]).toEqual([false, true, true])
    // It answers for nobody.
    bench.mark()
    bench.inject(eth0, solicit(A, "fd00::a", "fd00::1"))
    expect(bench.text()).toBe("")
    expect(bench.udp(6).sendTo(ip("fd00::5")!, 7, new Uint8Array(1))).toBe(0)
  })

  it("fails too when a rival probes for it, but not by its own probe come back", () => {
    const failed = (own: boolean) => {
      const bench = new Rig(7)
      const eth0 = bench.card("eth0", US, "fd00::1/64?")
      bench.run(1100)
      const probe = bench.sent.find(({ bytes }) => bytes[54] === 135 && bytes[77] === 1 && bytes[62] === 0xfd)!.bytes.slice()
      if (!own) {
        probe.set(ether("33:33:ff:00:00:01", A, 0x86dd, ip6("::", "ff02::1:ff00:1", 58, nd("::", "ff02::1:ff00:1", 135, 0, "fd00::1", [14, 1, 1, 2, 3, 4, 5, 6]), { hopLimit: 255 })))
      }
      bench.inject(eth0, probe)
      bench.run(2000)
      return bench.ns.addresses(eth0).find((address) => address.cidr.bits === 64 && address.scope === "global")!.dadFailed
    }
    expect([failed(false), failed(true)]).toEqual([true, false])
  })

  it("nodad, accept_dad=0 and dad_transmits=0 make it usable at once; all.accept_dad asks for everybody", () => {
    const usable = (settings: Readonly<Record<string, number>>, address: string) => {
      const bench = new Rig().sysctl(settings)
      const eth0 = bench.card("eth0", US, address)
      bench.run(1)
      return bench.ns.addresses(eth0).find(({ scope }) => scope === "global")!.usable
    }
    expect([
      usable({}, "fd00::1/64"), usable({}, "fd00::1/64?"),
      usable({ "net.ipv6.conf.default.accept_dad": 0 }, "fd00::1/64?"),
      usable({ "net.ipv6.conf.default.accept_dad": 0, "net.ipv6.conf.all.accept_dad": 1 }, "fd00::1/64?"),
      usable({ "net.ipv6.conf.default.dad_transmits": 0 }, "fd00::1/64?")
    ]).toEqual([true, false, true, false, true])
  })
})
