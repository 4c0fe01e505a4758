/** ICMP errors of both families: form, quote, source and limits (facts 52 to 62). */
import { get16 } from "@podwire/wire/bytes"
import { describe, expect, it } from "vitest"
import { count, echo, ether, icmpv6, ip4, ip6, udp4, udp6 } from "./frames.ts"
import { Rig } from "./rig.ts"

const US = "02:00:00:00:00:01"
const A = "02:00:00:00:00:0a"
const B = "02:00:00:00:01:0b"

function router() {
  const bench = new Rig().quiet().sysctl({ "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 })
  const eth0 = bench.card("eth0", US, "10.0.0.1/24", "fd00::1/64")
  const eth1 = bench.card("eth1", "02:00:00:00:01:01", "10.0.1.1/24", "fd01::1/64")
  bench.run(1)
  for (let i = 2; i < 120; i++) {
    bench.neigh(eth0, `10.0.0.${i}`, A)
    bench.neigh(eth0, `fd00::${i.toString(16)}`, A)
  }
  bench.neigh(eth1, "10.0.1.2", B)
  bench.neigh(eth1, "fd01::2", B)
  return { bench, eth0, eth1 }
}
const udp = (src: string, dst: string, bytes = 4, ttl = 64) => src.includes(":")
  ? ether(US, A, 0x86dd, ip6(src, dst, 17, udp6(src, dst, 5000, 9, count(bytes)), { hopLimit: ttl }))
  : ether(US, A, 0x0800, ip4(src, dst, 17, udp4(src, dst, 5000, 9, count(bytes)), { ttl }))
const ping = (src: string, dst: string) => src.includes(":")
  ? ether(US, A, 0x86dd, ip6(src, dst, 58, icmpv6(src, dst, 128, 0, 0x50001, count(8))))
  : ether(US, A, 0x0800, ip4(src, dst, 1, echo(8, 0, 5, 1, count(8))))

describe("an error", () => {
  it("has precedence 6, TTL 64, no DF, and quotes what fits 576 octets, 1280 of IPv6", () => {
    const { bench, eth0 } = router()
    bench.mark()
    bench.inject(eth0, udp("10.0.0.2", "10.0.0.1", 1200))
    bench.inject(eth0, udp("fd00::2", "fd00::1", 1400))
    const [four, six] = bench.sent
    expect({ tos: four!.bytes[15], ttl: four!.bytes[22], flags: get16(four!.bytes, 20), length: four!.bytes.length - 14 })
      .toEqual({ tos: 0xc0, ttl: 64, flags: 0, length: 576 })
    expect({ hopLimit: six!.bytes[21], length: six!.bytes.length - 14 }).toEqual({ hopLimit: 64, length: 1280 })
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.1 udp port 9 unreachable, length 556
      0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fd00::1 > fd00::2: ICMP6, destination unreachable, unreachable port, fd00::1 udp port 9, length 1240"
    `)
  })

  it("comes from the address of the device that the way back uses, not the one it came in by", () => {
    const { bench, eth0 } = router()
    bench.mark()
    bench.inject(eth0, udp("10.0.1.2", "192.0.2.1"))
    bench.inject(eth0, udp("fd01::2", "2001:db8::1"))
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 eth1 02:00:00:00:01:01 > 02:00:00:00:01:0b: 10.0.1.1 > 10.0.1.2: ICMP net 192.0.2.1 unreachable, length 40
      0 eth1 02:00:00:00:01:01 > 02:00:00:00:01:0b: fd01::1 > fd01::2: ICMP6, destination unreachable, unreachable route 2001:db8::1, length 60"
    `)
  })

  it("about a packet to an address of ours comes from that address", () => {
    const { bench, eth0 } = router()
    bench.mark()
    bench.inject(eth0, udp("10.0.0.2", "10.0.1.1"))
    bench.inject(eth0, udp("fd00::2", "fd01::1"))
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.1.1 > 10.0.0.2: ICMP 10.0.1.1 udp port 9 unreachable, length 40
      0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: fd01::1 > fd00::2: ICMP6, destination unreachable, unreachable port, fd01::1 udp port 9, length 60"
    `)
  })
})

/** Which of the packets were answered. */
function answered(bench: Rig, dev: Parameters<Rig["inject"]>[0], bytes: Uint8Array, times: number, gapMs: number): string {
  let text = ""
  for (let i = 0; i < times; i++) {
    bench.mark()
    bench.inject(dev, bytes)
    text += bench.sent.length > 0 ? "x" : "."
    bench.run(gapMs)
  }
  return text
}

describe("limits, as a 6.18 kernel answered the same packets", () => {
  it.each([
    ["closed port", "10.0.0.2", "10.0.0.1", 64, 4, "xxxxxx...."],
    ["no route", "10.0.0.3", "192.0.2.1", 64, 4, "xx........"],
    ["TTL", "10.0.0.4", "10.0.1.7", 1, 4, "xxxxxx...."],
    ["closed port, IPv6", "fd00::2", "fd00::1", 64, 4, "xxxxxx...."],
    ["no route, IPv6", "fd00::3", "2001:db8::1", 64, 4, "xxxxxx...."],
    ["hop limit", "fd00::4", "fd01::7", 1, 4, "xxxxxx...."],
    ["closed port each 100 ms, IPv6", "fd00::5", "fd00::1", 64, 100, "xxxxxxxxxx"],
    ["no route each second", "10.0.0.5", "192.0.2.1", 64, 1000, "xxxx......"],
    ["no route each half second", "10.0.0.6", "192.0.2.1", 64, 500, "xxx......."],
    ["closed port each half second", "10.0.0.7", "10.0.0.1", 64, 500, "xxxxxxxxxxx.x.x."]
  ] as const)("%s", (_, src, dst, ttl, gapMs, expected) => {
    const { bench, eth0 } = router()
    expect(answered(bench, eth0, udp(src, dst, 4, ttl), expected.length, gapMs)).toBe(expected)
  })

  it("echo is not limited, nor is what says that a packet is too long", () => {
    const { bench, eth0, eth1 } = router()
    bench.ns.setMtu(eth1, 1400)
    const long = ether(US, A, 0x0800, ip4("10.0.0.2", "10.0.1.2", 17, count(1400), { flags: 0x4000 }))
    const long6 = ether(US, A, 0x86dd, ip6("fd00::2", "fd01::2", 17, count(1400)))
    for (const frame of [ping("10.0.0.2", "10.0.0.1"), ping("fd00::2", "fd00::1"), long, long6]) {
      expect(answered(bench, eth0, frame, 25, 0)).toBe("x".repeat(25))
    }
  })

  it("fifty at once to all together, and a thousand a second", () => {
    const { bench, eth0 } = router()
    bench.mark()
    for (let i = 12; i < 112; i++) bench.inject(eth0, udp(`10.0.0.${i}`, "10.0.0.1"))
    expect(bench.sent.length).toBe(50)
    // Both families draw from it.
    bench.inject(eth0, udp("fd00::50", "fd00::1"))
    expect(bench.sent.length).toBe(50)
    bench.run(20)
    bench.mark()
    for (let i = 12; i < 112; i++) bench.inject(eth0, udp(`fd00::${i.toString(16)}`, "fd00::1"))
    expect(bench.sent.length).toBe(20)
  })
})
