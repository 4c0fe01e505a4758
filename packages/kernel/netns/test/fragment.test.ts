/** Fragments put together and cut, time running out on them, and the path MTUs that they follow from (facts 65, 72, 89). */
import { Errno } from "@podwire/netdev"
import { parse as ip } from "@podwire/wire/ip"
import { describe, expect, it } from "vitest"
import { concat, count, echo, ether, fragment6, icmp4, icmpv6, ip4, ip6, udp4, udp6 } from "./frames.ts"
import { Rig } from "./rig.ts"

const US = "02:00:00:00:00:01"
const A = "02:00:00:00:00:0a"

function host(mtu = 1500) {
  const bench = new Rig().quiet()
  const eth0 = bench.card("eth0", US, "10.0.0.1/24", "fd00::1/64")
  bench.ns.setMtu(eth0, mtu)
  bench.run(1)
  for (const to of ["10.0.0.2", "10.0.0.254"]) bench.neigh(eth0, to, A)
  for (const to of ["fd00::2", "fd00::fe"]) bench.neigh(eth0, to, A)
  bench.route("0.0.0.0/0", "10.0.0.254")
  bench.route("::/0", "fd00::fe")
  return { bench, eth0 }
}
const whole = echo(8, 0, 5, 9, count(40))
const whole6 = icmpv6("fd00::2", "fd00::1", 128, 0, 0x50009, count(40))
const piece = (id: number, from: number, to: number, more: boolean) =>
  ether(US, A, 0x0800, ip4("10.0.0.2", "10.0.0.1", 1, whole.slice(from, to), { id, offset: from, flags: more ? 0x2000 : 0 }))
const piece6 = (id: number, from: number, to: number, more: boolean) =>
  ether(US, A, 0x86dd, ip6("fd00::2", "fd00::1", 44, concat(fragment6(58, from, more, id), whole6.slice(from, to))))

describe("reassembly", () => {
  it("after 30 s tells the sender of a first fragment, and of IPv6 after 60 s; nobody of a later one", () => {
    const { bench, eth0 } = host()
    bench.mark()
    bench.inject(eth0, piece(1, 0, 24, true))
    bench.inject(eth0, piece(2, 24, 48, false))
    bench.inject(eth0, piece6(1, 0, 24, true))
    bench.inject(eth0, piece6(2, 24, 48, false))
    expect([bench.ns.ip4.reassembling, bench.ns.ip6.reassembling, bench.pool.inFlight]).toEqual([2, 2, 4])
    bench.run(90_000)
    expect(bench.text()).toMatchInlineSnapshot(`
      "30000 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.0.1 > 10.0.0.2: ICMP ip reassembly time exceeded, length 52
      60000 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fd00::1 > fd00::2: ICMP6, time exceeded in-transit (reassembly), length 80"
    `)
    expect(bench.ns.ip4.reassembling + bench.ns.ip6.reassembling).toBe(0)
    expect(bench.atRest).toEqual({ inFlight: 0, balance: null })
  })

  it("goes by ipfrag_time as it was when the first came", () => {
    const { bench, eth0 } = host()
    bench.sysctl({ "net.ipv4.ipfrag_time": 2 })
    bench.mark()
    bench.inject(eth0, piece(1, 0, 24, true))
    bench.run(1900)
    expect(bench.text()).toBe("")
    bench.run(200)
    expect(bench.text()).toContain("ip reassembly time exceeded")
  })

  it.each([
    ["in order", [[0, 24, true], [24, 48, false]], true],
    ["in reverse", [[24, 48, false], [0, 24, true]], true],
    ["one twice", [[0, 24, true], [0, 24, true], [24, 48, false]], true],
    ["a part again", [[0, 24, true], [8, 16, true], [24, 48, false]], true],
    ["an overlap spoils all", [[0, 24, true], [16, 48, false], [24, 48, false]], false],
    ["two ends", [[24, 48, false], [16, 40, false], [0, 24, true]], false],
    ["a hole", [[0, 16, true], [24, 48, false]], false]
  ] as const)("%s", (_, parts, answers) => {
    const { bench, eth0 } = host()
    bench.mark()
    for (const [from, to, more] of parts) bench.inject(eth0, piece(7, from, to, more))
    const four = bench.text().includes("echo reply")
    for (const [from, to, more] of parts) bench.inject(eth0, piece6(7, from, to, more))
    expect([four, bench.text().includes("echo reply")]).toEqual([answers, answers])
  })

  it("keeps what fits ipfrag_high_thresh, and goes on after a timeout", () => {
    const { bench, eth0 } = host()
    bench.sysctl({ "net.ipv4.ipfrag_high_thresh": 10_000 })
    for (let i = 1; i <= 100; i++) bench.inject(eth0, piece(i, 0, 24, true))
    expect(bench.ns.ip4.reassembling).toBe(13)
    bench.run(31_000)
    bench.mark()
    bench.inject(eth0, piece(500, 0, 24, true))
    bench.inject(eth0, piece(500, 24, 48, false))
    expect(bench.text()).toContain("echo reply")
  })
})

/** Sizes and offsets of the datagrams that left. */
const shape = (bench: Rig) => bench.sent.map(({ bytes }) => {
  if (bytes[12] === 8) return `${bytes.length - 14}@${((bytes[20]! & 0x1f) << 8 | bytes[21]!) * 8}${(bytes[20]! & 0x40) !== 0 ? " DF" : ""}`
  return bytes[20] === 44 ? `${bytes.length - 14}@${(bytes[56]! << 8 | bytes[57]!) & ~7}` : `${bytes.length - 14}@0`
}).join(", ")

describe("cutting", () => {
  it("a datagram longer than the MTU leaves in pieces of eights, without DF", () => {
    const { bench } = host(1000)
    const socket = bench.udp(4)
    bench.mark()
    socket.sendTo(ip("10.0.0.2")!, 7, count(2000))
    socket.sendTo(ip("10.0.0.2")!, 7, count(972))
    expect(shape(bench)).toMatchInlineSnapshot(`"996@0, 996@976, 76@1952, 1000@0 DF"`)
    const { bench: other } = host(1280)
    other.mark()
    other.udp(6).sendTo(ip("fd00::2")!, 7, count(2000))
    expect(shape(other)).toMatchInlineSnapshot(`"1280@0, 824@1232"`)
  })

  it("a router without conntrack cuts each fragment, IPv4 only", () => {
    const { bench, eth0 } = host()
    bench.sysctl({ "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 })
    const eth1 = bench.card("eth1", "02:00:00:00:01:01", "10.0.1.1/24", "fd01::1/64")
    bench.ns.setMtu(eth1, 1280)
    bench.neigh(eth1, "10.0.1.2", A)
    bench.neigh(eth1, "fd01::2", A)
    bench.ns.setMtu(eth1, 1000)
    bench.mark()
    bench.inject(eth0, ether(US, A, 0x0800, ip4("10.0.0.2", "10.0.1.2", 17, count(1480), { id: 9, flags: 0x2000 })))
    bench.inject(eth0, ether(US, A, 0x0800, ip4("10.0.0.2", "10.0.1.2", 17, count(1480), { id: 9, flags: 0x2000, offset: 1480 })))
    bench.inject(eth0, ether(US, A, 0x0800, ip4("10.0.0.2", "10.0.1.2", 17, count(48), { id: 9, offset: 2960 })))
    // 996 524 996 524 68, as fact 40 has it.
    expect(shape(bench)).toMatchInlineSnapshot(`"996@0, 524@976, 996@1480, 524@2456, 68@2960"`)
  })
})

const tooBig4 = (dst: string, mtu: number) => ether(US, A, 0x0800, ip4("10.0.0.254", "10.0.0.1", 1,
  icmp4(3, 4, mtu, ip4("10.0.0.1", dst, 17, udp4("10.0.0.1", dst, 5000, 7, count(100))))))
const tooBig6 = (dst: string, mtu: number) => ether(US, A, 0x86dd, ip6("fd00::fe", "fd00::1", 58,
  icmpv6("fd00::fe", "fd00::1", 2, 0, mtu, ip6("fd00::1", dst, 17, udp6("fd00::1", dst, 5000, 7, count(100))))))

describe("path MTU", () => {
  it("fragmentation needed: EMSGSIZE on the socket, then pieces to that host alone, for 600 s", () => {
    const { bench, eth0 } = host()
    const socket = bench.udp(4)
    socket.bind(null, 5000)
    const send = (to = "192.0.2.9") => {
      bench.mark()
      const errno = socket.sendTo(ip(to)!, 7, count(1472))
      return errno === Errno.OK ? shape(bench) : `errno ${errno}`
    }
    const steps = [send()]
    bench.mark()
    bench.inject(eth0, tooBig4("192.0.2.9", 1400))
    steps.push(bench.text(), send(), send("192.0.2.10"))
    bench.run(599_000)
    steps.push(send())
    bench.run(2000)
    steps.push(send())
    expect(steps.join("\n")).toMatchInlineSnapshot(`
      "1500@0 DF
      0 socket: EMSGSIZE (3/4 from 10.0.0.254)
      1396@0, 124@1376
      1500@0 DF
      1396@0, 124@1376
      1500@0 DF"
    `)
  })

  it("packet too big, of IPv6: never below 1280, never above what is", () => {
    const { bench, eth0 } = host()
    const socket = bench.udp(6)
    socket.bind(null, 5000)
    const send = () => {
      bench.mark()
      const errno = socket.sendTo(ip("2001:db8::9")!, 7, count(1452))
      return errno === Errno.OK ? shape(bench) : `errno ${errno}`
    }
    const steps = [send()]
    bench.inject(eth0, tooBig6("2001:db8::9", 9000))
    steps.push(send())
    bench.mark()
    bench.inject(eth0, tooBig6("2001:db8::9", 1400))
    steps.push(bench.text(), send())
    bench.inject(eth0, tooBig6("2001:db8::9", 600))
    steps.push(send())
    bench.run(601_000)
    steps.push(send())
    expect(steps.join("\n")).toMatchInlineSnapshot(`
      "1500@0
      1500@0
      0 socket: EMSGSIZE (2/0 from fd00::fe)
      1400@0, 156@1352
      1400@0, 156@1352
      1500@0"
    `)
  })

  it("below min_pmtu it stays there, and DF is given up", () => {
    const { bench, eth0 } = host()
    const socket = bench.udp(4)
    socket.bind(null, 5000)
    bench.inject(eth0, tooBig4("192.0.2.9", 300))
    bench.mark()
    socket.sendTo(ip("192.0.2.9")!, 7, count(100))
    expect(shape(bench)).toBe("128@0")
    bench.mark()
    socket.sendTo(ip("192.0.2.9")!, 7, count(1000))
    expect(shape(bench)).toMatchInlineSnapshot(`"548@0, 500@528"`)
  })

  it("DF by will: EMSGSIZE at once, and ip_no_pmtu_disc learns nothing", () => {
    const { bench, eth0 } = host()
    const socket = bench.udp(4)
    socket.bind(null, 5000)
    expect(socket.sendTo(ip("192.0.2.9")!, 7, count(1473), undefined, { ttl: 0, df: true })).toBe(Errno.EMSGSIZE)
    bench.sysctl({ "net.ipv4.ip_no_pmtu_disc": 1 })
    bench.inject(eth0, tooBig4("192.0.2.9", 1400))
    bench.mark()
    socket.sendTo(ip("192.0.2.9")!, 7, count(1472))
    expect(shape(bench)).toContain("1500@0")
  })

  it("an error about nothing that we sent teaches nothing", () => {
    const { bench, eth0 } = host()
    const socket = bench.udp(4)
    socket.bind(null, 5001)
    bench.inject(eth0, tooBig4("192.0.2.9", 1400))
    bench.mark()
    socket.sendTo(ip("192.0.2.9")!, 7, count(1472))
    expect(shape(bench)).toContain("1500@0")
  })
})
