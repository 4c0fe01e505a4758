/** Router advertisements: what a host takes from one, and that a router takes nothing (fact 88). */
import { set16, set32 } from "@podwire/wire/bytes"
import { format, parse as ip, write } from "@podwire/wire/ip"
import { expect, it } from "vitest"
import { concat, ether, icmpv6, ip6, macOption } from "./frames.ts"
import { Rig } from "./rig.ts"

const ROUTER = "fe80::5"
const MAC = "02:00:00:00:00:05"

interface Advertised {
  readonly lifetime?: number
  readonly valid?: number
  readonly preferred?: number
  readonly src?: string
  readonly hopLimit?: number
}

function advertisement(o: Advertised = {}): Uint8Array {
  const body = new Uint8Array(8)
  const prefix = new Uint8Array(32)
  prefix.set([3, 4, 64, 0xc0])
  set32(prefix, 4, o.valid ?? 7200)
  set32(prefix, 8, o.preferred ?? 3600)
  write(prefix, 16, ip("2001:db8:5::")!)
  const mtu = new Uint8Array(8)
  mtu.set([5, 1])
  set32(mtu, 4, 1400)
  const first = new Uint8Array(4)
  first[0] = 17
  set16(first, 2, o.lifetime ?? 1800)
  const src = o.src ?? ROUTER
  const word = (first[0]! << 24) | (first[2]! << 8) | first[3]!
  const message = icmpv6(src, "ff02::1", 134, 0, word, concat(body, macOption(1, MAC), mtu, prefix))
  return ether("33:33:00:00:00:01", MAC, 0x86dd, ip6(src, "ff02::1", 58, message, { hopLimit: o.hopLimit ?? 255 }))
}

function host(settings: Readonly<Record<string, number>> = {}) {
  const bench = new Rig().quiet().sysctl(settings)
  const eth0 = bench.card("eth0", "02:00:00:00:00:01")
  bench.run(1)
  const state = () => [
    ...bench.ns.addresses(eth0).map(({ cidr, usable, deprecated }) =>
      `${format(cidr.ip)}/${cidr.bits}${usable ? "" : " tentative"}${deprecated ? " deprecated" : ""}`),
    ...bench.ns.routes(6).map(({ dst, via, metric, protocol }) =>
      `${format(dst.ip)}/${dst.bits}${via === null ? "" : ` via ${format(via)}`} proto ${protocol} metric ${metric}`),
    `hop_limit ${bench.ns.sysctl.get("net.ipv6.conf.eth0.hop_limit")}, mtu ${bench.ns.sysctl.get("net.ipv6.conf.eth0.mtu")}`,
    bench.neighbours(6)
  ].join("\n")
  return { bench, eth0, state }
}

it("a host takes address, prefix, default route, hop limit, MTU and the router's MAC, for as long as it says", () => {
  const { bench, eth0, state } = host()
  const before = state()
  bench.inject(eth0, advertisement())
  expect(state()).toMatchInlineSnapshot(`
    "fe80::ff:fe00:1/64
    2001:db8:5::ff:fe00:1/64
    ::/0 via fe80::5 proto ra metric 1024
    2001:db8:5::/64 proto kernel metric 256
    fe80::/64 proto kernel metric 256
    hop_limit 17, mtu 1400
    fe80::5 dev eth0 lladdr 02:00:00:00:00:05 STALE"
  `)
  bench.run(1_801_000)
  expect(state()).not.toContain("::/0 via")
  bench.run(1_800_000)
  expect(state()).toContain("2001:db8:5::ff:fe00:1/64 deprecated")
  bench.run(3_600_000)
  expect(state().split("\n")[0]).toBe(before.split("\n")[0])
  expect(state()).not.toContain("2001:db8:5")
})

it("lifetime 0 takes the default route away, and an address is never taken away at less than two hours' notice", () => {
  const { bench, eth0, state } = host()
  bench.inject(eth0, advertisement({ valid: 20_000, preferred: 20_000 }))
  bench.inject(eth0, advertisement({ lifetime: 0, valid: 5, preferred: 5 }))
  expect(state()).not.toContain("::/0 via")
  bench.run(7_190_000)
  expect(state()).toContain("2001:db8:5::ff:fe00:1/64 deprecated")
  bench.run(20_000)
  expect(state()).not.toContain("2001:db8:5::ff:fe00:1/64")
})

it("nothing is taken by a router, with accept_ra=0, from off the link, or with another hop limit", () => {
  const untouched = (settings: Readonly<Record<string, number>>, o: Advertised = {}) => {
    const { bench, eth0, state } = host(settings)
    const before = state()
    bench.inject(eth0, advertisement(o))
    bench.run(10)
    return state() === before
  }
  expect([
    untouched({}), untouched({ "net.ipv6.conf.all.forwarding": 1 }), untouched({ "net.ipv6.conf.default.accept_ra": 0 }),
    untouched({}, { src: "2001:db8::5" }), untouched({}, { hopLimit: 64 }),
    untouched({ "net.ipv6.conf.default.accept_ra": 2, "net.ipv6.conf.all.forwarding": 1 })
  ]).toEqual([false, true, true, true, true, false])
})

it("solicitations come at once and ever more rarely until an advertisement comes", () => {
  const bench = new Rig().sysctl({ "net.ipv6.conf.default.accept_dad": 0 })
  bench.mark()
  const eth0 = bench.card("eth0", "02:00:00:00:00:01")
  bench.run(40_000)
  expect(bench.text()).toMatchInlineSnapshot(`
    "0 eth0 02:00:00:00:00:01 > 33:33:00:00:00:02: fe80::ff:fe00:1 > ff02::2: ICMP6, router solicitation, length 16
    4334 eth0 02:00:00:00:00:01 > 33:33:00:00:00:02: fe80::ff:fe00:1 > ff02::2: ICMP6, router solicitation, length 16
    13263 eth0 02:00:00:00:00:01 > 33:33:00:00:00:02: fe80::ff:fe00:1 > ff02::2: ICMP6, router solicitation, length 16
    32686 eth0 02:00:00:00:00:01 > 33:33:00:00:00:02: fe80::ff:fe00:1 > ff02::2: ICMP6, router solicitation, length 16"
  `)
  bench.inject(eth0, advertisement())
  bench.mark()
  bench.run(100_000)
  expect(bench.text()).not.toContain("solicitation")
})
