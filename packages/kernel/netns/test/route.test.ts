/** Routes as `ip route` shows them, which one wins, and the source address that comes with it (RFC 6724 as Linux does it). */
import { Errno, errnoName } from "@podwire/netdev"
import { TABLE_LOCAL, TABLE_MAIN } from "@podwire/netns"
import { parse as cidr } from "@podwire/wire/cidr"
import { format, parse as ip } from "@podwire/wire/ip"
import { describe, expect, it } from "vitest"
import { Rig } from "./rig.ts"

const bench = () => {
  const rig = new Rig().quiet()
  return { rig, ns: rig.ns, eth0: rig.card("eth0", "02:00:00:00:00:01"), eth1: rig.card("eth1", "02:00:00:00:01:01") }
}
type Bench = ReturnType<typeof bench>

function add({ ns, eth0, eth1 }: Bench, text: string, o: { readonly deprecated?: boolean } = {}): Errno {
  const [address, name] = text.split(" ")
  const dev = name === "eth0" ? eth0 : name === "eth1" ? eth1 : ns.lo
  return ns.addAddress(dev, cidr(address!)!, { nodad: true, ...o })
}

function show({ ns }: Bench, version: 4 | 6): string {
  const rows = (table: number) => ns.routes(version, table).map((route) =>
    `${route.type} ${format(route.dst.ip)}/${route.dst.bits}${route.dev === null ? "" : ` dev ${route.dev.name}`}` +
    `${table === TABLE_LOCAL ? " table local" : ""} proto ${route.protocol}` +
    `${route.metric === 0 ? "" : ` metric ${route.metric}`}${route.src === null ? "" : ` src ${format(route.src)}`}`)
  return [...rows(TABLE_MAIN), ...rows(TABLE_LOCAL)].join("\n")
}

describe("the kernel's own routes, as 6.18 listed them", () => {
  it("of IPv4: secondaries lead with their primary, one address on two devices has two", () => {
    const net = bench()
    for (const text of ["10.0.0.1/24 eth0", "10.0.0.11/24 eth0", "10.0.0.1/25 eth1", "10.7.7.7/32 lo"]) add(net, text)
    expect(show(net, 4)).toMatchInlineSnapshot(`
      "unicast 10.0.0.0/24 dev eth0 proto kernel src 10.0.0.1
      unicast 10.0.0.0/25 dev eth1 proto kernel src 10.0.0.1
      local 10.0.0.1/32 dev eth0 table local proto kernel src 10.0.0.1
      local 10.0.0.1/32 dev eth1 table local proto kernel src 10.0.0.1
      local 10.0.0.11/32 dev eth0 table local proto kernel src 10.0.0.1
      broadcast 10.0.0.127/32 dev eth1 table local proto kernel src 10.0.0.1
      broadcast 10.0.0.255/32 dev eth0 table local proto kernel src 10.0.0.1
      local 10.7.7.7/32 dev lo table local proto kernel src 10.7.7.7
      local 127.0.0.0/8 dev lo table local proto kernel src 127.0.0.1
      local 127.0.0.1/32 dev lo table local proto kernel src 127.0.0.1
      broadcast 127.255.255.255/32 dev lo table local proto kernel src 127.0.0.1"
    `)
  })

  it("of IPv6: one for each prefix, also of 128 bits and on lo", () => {
    const net = bench()
    for (const text of ["fd00::1/128 eth0", "fd07::7/128 lo", "fd07:1::7/64 lo", "fd00::1/128 eth1"]) add(net, text)
    expect(show(net, 6)).toMatchInlineSnapshot(`
      "unicast fd00::1/128 dev eth0 proto kernel metric 256
      unicast fd00::1/128 dev eth1 proto kernel metric 256
      unicast fd07::7/128 dev lo proto kernel metric 256
      unicast fd07:1::/64 dev lo proto kernel metric 256
      unicast fe80::/64 dev eth0 proto kernel metric 256
      unicast fe80::/64 dev eth1 proto kernel metric 256
      local ::1/128 dev lo table local proto kernel
      local fd00::1/128 dev eth0 table local proto kernel
      local fd00::1/128 dev eth1 table local proto kernel
      local fd07::7/128 dev lo table local proto kernel
      local fd07:1::7/128 dev lo table local proto kernel
      local fe80::ff:fe00:1/128 dev eth0 table local proto kernel
      local fe80::ff:fe00:101/128 dev eth1 table local proto kernel
      multicast ff00::/8 dev eth0 table local proto kernel metric 256
      multicast ff00::/8 dev eth1 table local proto kernel metric 256"
    `)
  })

  it("go with their address; a primary takes its secondaries along, or makes one primary", () => {
    const left = (promote: number) => {
      const net = bench()
      net.rig.sysctl({ "net.ipv4.conf.all.promote_secondaries": promote })
      const before = show(net, 4)
      for (const text of ["10.0.0.1/24 eth0", "10.0.0.2/24 eth0", "10.0.0.3/24 eth0"]) add(net, text)
      net.ns.delAddress(net.eth0, cidr("10.0.0.1/24")!)
      return show(net, 4).replace(before, "").split("\n").filter((row) => !row.includes("127.")).join("\n")
    }
    expect(left(0)).toBe("")
    expect(left(1)).toMatchInlineSnapshot(`
      "unicast 10.0.0.0/24 dev eth0 proto kernel src 10.0.0.2
      local 10.0.0.2/32 dev eth0 table local proto kernel src 10.0.0.2
      local 10.0.0.3/32 dev eth0 table local proto kernel src 10.0.0.2
      broadcast 10.0.0.255/32 dev eth0 table local proto kernel src 10.0.0.2
      "
    `)
  })
})

describe("a lookup", () => {
  it("takes the longest prefix, then the lowest metric, then the oldest; local before main; throw goes on", () => {
    const net = bench()
    add(net, "10.0.0.1/24 eth0")
    add(net, "10.0.1.1/24 eth1")
    const { ns } = net
    const route = (dst: string, via: string, metric: number) => ns.addRoute({ dst: cidr(dst)!, via: ip(via)!, metric })
    route("10.9.0.0/16", "10.0.0.2", 100)
    route("10.9.0.0/16", "10.0.1.2", 50)
    route("10.9.9.0/24", "10.0.0.3", 500)
    ns.addRoute({ dst: cidr("10.9.9.9/32")!, type: "throw" })
    route("0.0.0.0/0", "10.0.0.254", 0)
    const hop = (to: string) => {
      const way = ns.ip4.route(ip(to)![0]!)
      return `${to} ${way.type} ${way.dev?.name ?? "-"} ${format(way.nextHop)}`
    }
    expect(["10.9.1.1", "10.9.9.1", "10.9.9.9", "10.0.1.1", "10.0.1.9", "8.8.8.8", "10.0.0.255", "127.0.0.7"].map(hop).join("\n"))
      .toMatchInlineSnapshot(`
        "10.9.1.1 unicast eth1 10.0.1.2
        10.9.9.1 unicast eth0 10.0.0.3
        10.9.9.9 none - 10.9.9.9
        10.0.1.1 local lo 10.0.1.1
        10.0.1.9 unicast eth1 10.0.1.9
        8.8.8.8 unicast eth0 10.0.0.254
        10.0.0.255 broadcast eth0 10.0.0.255
        127.0.0.7 local lo 127.0.0.7"
      `)
    ns.delRoute({ dst: cidr("10.9.0.0/16")!, metric: 50 })
    expect(hop("10.9.1.1")).toBe("10.9.1.1 unicast eth0 10.0.0.2")
  })

  it("passes over a device that is down, not over one without a carrier", () => {
    const net = bench()
    add(net, "10.0.0.1/24 eth0")
    add(net, "10.0.1.1/24 eth1")
    net.rig.route("10.9.0.0/16", "10.0.0.2")
    net.rig.route("0.0.0.0/0", "10.0.1.2")
    net.eth0.carrier = false
    expect(net.ns.ip4.route(ip("10.9.0.1")![0]!).dev?.name).toBe("eth0")
    net.ns.setDown(net.eth0)
    expect(net.ns.ip4.route(ip("10.9.0.1")![0]!).dev?.name).toBe("eth1")
  })

  it("refuses as ip route add does", () => {
    const net = bench()
    add(net, "10.0.0.1/24 eth0")
    add(net, "fd00::1/64 eth0")
    const { ns, eth0 } = net
    const tries = ([
      ["10.9.0.0/16", "10.0.0.2"], ["10.9.0.0/16", "10.0.0.3"], ["10.8.0.0/16", "10.1.0.2"], ["10.8.0.0/16", "10.0.0.1"],
      ["10.8.0.1/16", "10.0.0.2"], ["fd09::/16", "fd00::2"], ["fd09::/16", "fd00::3"], ["fd08::/16", "fd01::3"]
    ] as const).map(([dst, via]) => `${dst} via ${via}: ${errnoName(ns.addRoute({ dst: cidr(dst)!, via: ip(via)! }))}`)
    tries.push(`without a device: ${errnoName(ns.addRoute({ dst: cidr("10.7.0.0/16")! }))}`)
    tries.push(`of a foreign source: ${errnoName(ns.addRoute({ dst: cidr("10.7.0.0/16")!, dev: eth0, src: ip("10.3.3.3")! }))}`)
    ns.setDown(eth0)
    tries.push(`over a device that is down: ${errnoName(ns.addRoute({ dst: cidr("10.7.0.0/16")!, dev: eth0 }))}`)
    tries.push(`del of none: ${errnoName(ns.delRoute({ dst: cidr("10.66.0.0/16")! }))}`)
    expect(tries.join("\n")).toMatchInlineSnapshot(`
      "10.9.0.0/16 via 10.0.0.2: OK
      10.9.0.0/16 via 10.0.0.3: EEXIST
      10.8.0.0/16 via 10.1.0.2: ENETUNREACH
      10.8.0.0/16 via 10.0.0.1: EINVAL
      10.8.0.1/16 via 10.0.0.2: EINVAL
      fd09::/16 via fd00::2: OK
      fd09::/16 via fd00::3: EEXIST
      fd08::/16 via fd01::3: ENETUNREACH
      without a device: ENODEV
      of a foreign source: EINVAL
      over a device that is down: ENETDOWN
      del of none: ESRCH"
    `)
  })
})

describe("the source of a packet", () => {
  it("of IPv4: the route's own, else the egress device's address in the next hop's subnet, else its first, else any", () => {
    const net = bench()
    for (const text of ["10.0.0.1/24 eth0", "10.2.0.1/24 eth0", "10.2.0.5/24 eth0", "10.7.7.7/32 lo"]) add(net, text)
    net.rig.route("0.0.0.0/0", "10.2.0.254")
    net.ns.addRoute({ dst: cidr("10.5.0.0/16")!, via: ip("10.0.0.9")!, src: ip("10.7.7.7")! })
    net.ns.addRoute({ dst: cidr("10.6.0.0/16")!, dev: net.eth0 })
    net.ns.addRoute({ dst: cidr("10.8.0.0/16")!, dev: net.eth1 })
    const from = (to: string) => `${to} from ${format(net.ns.ip4.route(ip(to)![0]!).src!)}`
    expect(["10.2.0.9", "8.8.8.8", "10.5.0.1", "10.6.0.1", "10.8.0.1", "10.2.0.5", "127.0.0.1"].map(from).join("\n"))
      .toMatchInlineSnapshot(`
        "10.2.0.9 from 10.2.0.1
        8.8.8.8 from 10.2.0.1
        10.5.0.1 from 10.7.7.7
        10.6.0.1 from 10.0.0.1
        10.8.0.1 from 10.7.7.7
        10.2.0.5 from 10.2.0.1
        127.0.0.1 from 127.0.0.1"
      `)
  })

  const choose = (to: string, ...addresses: ReadonlyArray<string>) => {
    const net = bench()
    for (const text of addresses) add(net, text.replace(" old", ""), { deprecated: text.endsWith(" old") })
    net.rig.run(1)
    net.rig.route("::/0", "fe80::99", "unicast", net.eth0)
    const target = ip(to)!
    const src = to.startsWith("ff") ? net.ns.ip6.routeVia(target, net.eth0).src : net.ns.ip6.route(target).src
    return src === null ? "none" : format(src)
  }

  it.each([
    ["of equals the newest", "2001:db8:9::1", ["2001:db8:1::1/64 eth0", "2001:db8:1::2/64 eth0", "2001:db8:1::3/64 eth0"], "2001:db8:1::3"],
    ["the longest common prefix", "2001:db8:2::9", ["2001:db8:2::1/64 eth0", "2001:db8:1::1/64 eth0"], "2001:db8:2::1"],
    ["no longer than the address's own prefix", "2001:db8:1::2", ["2001:db8:1::3/32 eth0", "2001:db8:2::1/64 eth0"], "2001:db8:2::1"],
    ["not deprecated", "2001:db8:2::9", ["2001:db8:2::1/64 eth0 old", "2001:db8:1::1/64 eth0"], "2001:db8:1::1"],
    ["deprecated, if there is no other", "2001:db8:2::9", ["2001:db8:2::1/64 eth0 old"], "2001:db8:2::1"],
    ["of the outgoing device", "2001:db8:2::9", ["2001:db8:1::1/64 eth0", "2001:db8:2::1/128 eth1"], "2001:db8:1::1"],
    ["of the same label: local to local", "fd09::1", ["2001:db8::1/64 eth0", "fd00::1/64 eth0", "2001:db8::2/64 eth0"], "fd00::1"],
    ["of the same label: global to global", "2001:db8:9::1", ["2001:db8::1/64 eth0", "fd00::1/64 eth0"], "2001:db8::1"],
    ["of lo, if the device has only its own", "2001:db8:9::1", ["fd07::7/128 lo"], "fd07::7"],
    ["the link-local one, if there is no other", "2001:db8:9::1", [], "fe80::ff:fe00:1"],
    ["narrow enough for a group of the link", "ff02::5", ["2001:db8::1/64 eth0"], "fe80::ff:fe00:1"],
    ["wide enough for a wider group", "ff0e::5", ["2001:db8::1/64 eth0", "2001:db8:1::1/64 eth1"], "2001:db8::1"],
    ["the very same", "2001:db8::1", ["2001:db8::1/64 eth0", "2001:db8::2/64 eth0"], "2001:db8::1"]
  ] as const)("of IPv6: %s", (_, to, addresses, expected) => {
    expect(choose(to, ...addresses)).toBe(expected)
  })
})
