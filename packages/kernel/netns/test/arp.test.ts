/** ARP and IPv4 neighbours in virtual time, as facts 1 to 11 of a 6.18 kernel have it. */
import { parse as ip } from "@podwire/wire/ip"
import { expect, it } from "vitest"
import { arp, echo, ether, ip4 } from "./frames.ts"
import { Rig } from "./rig.ts"

const US = "02:00:00:00:00:01"
const A = "02:00:00:00:00:0a"
const B = "02:00:00:00:00:0b"
const ALL = "ff:ff:ff:ff:ff:ff"
const NOBODY = "00:00:00:00:00:00"

const rig = () => {
  const bench = new Rig().quiet()
  return { bench, eth0: bench.card("eth0", US, "10.0.0.1/24") }
}
const ask = (sender: string, senderIp: string, target: string, to = ALL) =>
  ether(to, sender, 0x0806, arp(1, sender, senderIp, NOBODY, target))
const reply = (sender: string, senderIp: string, target = "10.0.0.1", to = US) =>
  ether(to, sender, 0x0806, arp(2, sender, senderIp, to, target))
const ping = (src: string, dst: string, from = A) =>
  ether(US, from, 0x0800, ip4(src, dst, 1, echo(8, 0, 5, 1, new Uint8Array(8))))

it("three requests a second apart, then every waiting datagram fails, by an error over lo", () => {
  const { bench } = rig()
  const socket = bench.watchLo().udp(4)
  socket.bind(null, 5000)
  bench.mark()
  for (let i = 0; i < 2; i++) socket.sendTo(ip("10.0.0.9")!, 7, new Uint8Array(i + 1))
  bench.run(10_000)
  expect(bench.text()).toMatchInlineSnapshot(`
    "0 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.9 tell 10.0.0.1, length 28
    1000 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.9 tell 10.0.0.1, length 28
    2000 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.9 tell 10.0.0.1, length 28
    3000 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: 10.0.0.1 > 10.0.0.1: ICMP host 10.0.0.9 unreachable, length 37
    3000 lo 00:00:00:00:00:00 > 00:00:00:00:00:00: 10.0.0.1 > 10.0.0.1: ICMP host 10.0.0.9 unreachable, length 38
    3000 socket: EHOSTUNREACH (3/1 from 10.0.0.1)
    3000 socket: EHOSTUNREACH (3/1 from 10.0.0.1)"
  `)
  expect(bench.neighbours(4)).toMatchInlineSnapshot(`"10.0.0.9 dev eth0 FAILED"`)
  // There is no negative cache.
  bench.mark()
  socket.sendTo(ip("10.0.0.9")!, 7, new Uint8Array(3))
  bench.run(100)
  expect(bench.text()).toMatchInlineSnapshot(`"0 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.9 tell 10.0.0.1, length 28"`)
  bench.run(10_000)
  expect(bench.atRest).toEqual({ inFlight: 0, balance: null })
})

it("how often it asks everybody is mcast_solicit, not the number of unicast probes", () => {
  const { bench } = rig()
  bench.sysctl({ "net.ipv4.neigh.eth0.mcast_solicit": 2, "net.ipv4.neigh.eth0.ucast_solicit": 5 })
  bench.mark()
  bench.ns.udp(4).sendTo(ip("10.0.0.9")!, 7, new Uint8Array(1))
  bench.run(10_000)
  expect(bench.text().split("\n").filter((line) => line.includes("who-has")).map((line) => line.split(" ")[0])).toEqual(["0", "1000"])
})

it("the sender of a forwarded packet is told, one error a packet, with the TTL already less", () => {
  const { bench, eth0 } = rig()
  bench.card("eth1", "02:00:00:00:01:01", "10.0.1.1/24")
  bench.sysctl({ "net.ipv4.ip_forward": 1 })
  bench.neigh(eth0, "10.0.0.10", A)
  bench.mark()
  bench.inject(eth0, ping("10.0.0.10", "10.0.1.9"))
  bench.inject(eth0, ping("10.0.0.10", "10.0.1.9"))
  bench.run(5000)
  const quotes = bench.sent.filter(({ bytes }) => bytes[23] === 1 && bytes[34] === 3).map(({ bytes }) => bytes[50])
  expect(bench.text()).toMatchInlineSnapshot(`
    "0 eth1 02:00:00:00:01:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.1.9 tell 10.0.1.1, length 28
    1000 eth1 02:00:00:00:01:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.1.9 tell 10.0.1.1, length 28
    2000 eth1 02:00:00:00:01:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.1.9 tell 10.0.1.1, length 28
    3000 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.0.1 > 10.0.0.10: ICMP host 10.0.1.9 unreachable, length 44
    3000 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.0.1 > 10.0.0.10: ICMP host 10.0.1.9 unreachable, length 44"
  `)
  expect(quotes).toEqual([63, 63])
})

it("the queue counts memory and drops its oldest", () => {
  const { bench } = rig()
  bench.sysctl({ "net.ipv4.neigh.eth0.unres_qlen_bytes": 3000 })
  const socket = bench.udp(4)
  bench.mark()
  for (let i = 0; i < 10; i++) socket.sendTo(ip("10.0.0.9")!, 100 + i, new Uint8Array(128))
  const heard: Array<number> = []
  socket.onError = () => {
    heard.push(...socket.errors.splice(0).map((error) => error.dstPort))
    socket.takeError()
  }
  bench.run(4000)
  expect(heard).toEqual([107, 108, 109])
})

it("an entry in use is confirmed after five seconds, then three unicast probes, then broadcast again", () => {
  const { bench, eth0 } = rig()
  const socket = bench.udp(4)
  bench.inject(eth0, ask(A, "10.0.0.10", "10.0.0.1"))
  expect(bench.neighbours(4)).toBe(`10.0.0.10 dev eth0 lladdr ${A} STALE`)
  bench.mark()
  socket.bind(null, 5000)
  const send = () => socket.sendTo(ip("10.0.0.10")!, 7, new Uint8Array(1))
  send()
  expect(bench.neighbours(4)).toBe(`10.0.0.10 dev eth0 lladdr ${A} DELAY`)
  bench.run(5001)
  bench.inject(eth0, reply(A, "10.0.0.10"))
  expect(bench.neighbours(4)).toBe(`10.0.0.10 dev eth0 lladdr ${A} REACHABLE`)
  bench.run(60_000)
  expect(bench.neighbours(4)).toBe(`10.0.0.10 dev eth0 lladdr ${A} STALE`)
  send()
  bench.run(6500)
  // Data keeps flowing to the old address meanwhile.
  send()
  bench.run(2500)
  send()
  bench.run(4000)
  expect(bench.text()).toMatchInlineSnapshot(`
    "0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.0.1.5000 > 10.0.0.10.7: UDP, length 1
    65001 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.0.1.5000 > 10.0.0.10.7: UDP, length 1
    70001 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: Request who-has 10.0.0.10 tell 10.0.0.1, length 28
    71001 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: Request who-has 10.0.0.10 tell 10.0.0.1, length 28
    71501 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.0.1.5000 > 10.0.0.10.7: UDP, length 1
    72001 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: Request who-has 10.0.0.10 tell 10.0.0.1, length 28
    74001 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.10 tell 10.0.0.1, length 28
    75001 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.10 tell 10.0.0.1, length 28
    76001 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.10 tell 10.0.0.1, length 28
    77001 socket: EHOSTUNREACH (3/1 from 10.0.0.1)"
  `)
})

it("the target of a request learns its sender, a bystander does not", () => {
  const { bench, eth0 } = rig()
  bench.inject(eth0, ask(A, "10.0.0.10", "10.0.0.99"))
  bench.inject(eth0, reply(B, "10.0.0.11"))
  expect(bench.neighbours(4)).toBe("")
  bench.inject(eth0, ask(A, "10.0.0.10", "10.0.0.1"))
  expect(bench.neighbours(4)).toBe(`10.0.0.10 dev eth0 lladdr ${A} STALE`)
  // A bystander's request refreshes what is known.
  bench.run(1500)
  bench.inject(eth0, ask(B, "10.0.0.10", "10.0.0.99"))
  expect(bench.neighbours(4)).toBe(`10.0.0.10 dev eth0 lladdr ${B} STALE`)
})

it("gratuitous ARP overwrites at once and makes nothing; a rival's reply waits for locktime", () => {
  const { bench, eth0 } = rig()
  const gratuitous = ask(B, "10.0.0.10", "10.0.0.10")
  bench.inject(eth0, gratuitous)
  expect(bench.neighbours(4)).toBe("")
  bench.inject(eth0, ask(A, "10.0.0.10", "10.0.0.1"))
  bench.run(10)
  bench.inject(eth0, gratuitous)
  expect(bench.neighbours(4)).toBe(`10.0.0.10 dev eth0 lladdr ${B} STALE`)
  bench.run(900)
  bench.inject(eth0, reply(A, "10.0.0.10"))
  expect(bench.neighbours(4)).toBe(`10.0.0.10 dev eth0 lladdr ${B} STALE`)
  bench.run(200)
  bench.inject(eth0, reply(A, "10.0.0.10"))
  expect(bench.neighbours(4)).toBe(`10.0.0.10 dev eth0 lladdr ${A} REACHABLE`)
  bench.sysctl({ "net.ipv4.conf.eth0.arp_accept": 1 })
  bench.inject(eth0, ask(B, "10.0.0.77", "10.0.0.77"))
  expect(bench.neighbours(4)).toContain(`10.0.0.77 dev eth0 lladdr ${B} STALE`)
})

it("arp_announce chooses whose name a question is asked in", () => {
  const asked = (announce: number) => {
    const { bench } = rig()
    bench.loopback("10.0.7.7/32")
    bench.sysctl({ "net.ipv4.conf.all.arp_announce": announce })
    const socket = bench.udp(4)
    bench.mark()
    socket.sendTo(ip("10.0.0.9")!, 7, new Uint8Array(1), ip("10.0.7.7")!)
    return bench.text()
  }
  expect([0, 1, 2].map(asked).join("\n")).toMatchInlineSnapshot(`
    "0 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.9 tell 10.0.7.7, length 28
    0 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.9 tell 10.0.0.1, length 28
    0 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.9 tell 10.0.0.1, length 28"
  `)
})

it("arp_ignore: 0 answers for any address of ours, 1 for this device's, 2 also only to its subnet, 8 never", () => {
  const rows = [0, 1, 2, 3, 8].map((ignore) => {
    const { bench, eth0 } = rig()
    bench.card("eth1", "02:00:00:00:01:01", "10.0.1.1/24")
    bench.loopback("10.0.7.7/32")
    bench.route("0.0.0.0/0", "10.0.0.254")
    bench.sysctl({ "net.ipv4.conf.eth0.arp_ignore": ignore })
    const answers = [["10.0.0.10", "10.0.0.1"], ["192.0.2.1", "10.0.0.1"], ["10.0.0.10", "10.0.1.1"], ["10.0.0.10", "10.0.7.7"], ["0.0.0.0", "10.0.0.1"]]
      .map(([source, target]) => {
        bench.mark()
        bench.inject(eth0, ask(A, source!, target!))
        return bench.text() === "" ? "-" : "answers"
      })
    return `${ignore}: ${answers.join(" ")}`
  })
  expect(rows.join("\n")).toMatchInlineSnapshot(`
    "0: answers answers answers answers answers
    1: answers answers - - answers
    2: answers - - - answers
    3: answers answers answers answers answers
    8: - - - - -"
  `)
})

it("proxy_arp answers a broadcast after a random while, a unicast at once, and never back to the same link", () => {
  const { bench, eth0 } = rig()
  bench.card("eth1", "02:00:00:00:01:01", "10.0.1.1/24")
  bench.route("0.0.0.0/0", "10.0.1.254")
  bench.sysctl({ "net.ipv4.conf.eth0.proxy_arp": 1 })
  const put = (bytes: Uint8Array) => {
    bench.mark()
    bench.inject(eth0, bytes)
    bench.run(1000)
    return bench.text()
  }
  expect(put(ask(A, "10.0.0.10", "169.254.1.1"))).toBe("")
  bench.sysctl({ "net.ipv4.ip_forward": 1 })
  expect([
    put(ask(A, "10.0.0.10", "169.254.1.1")), put(ask(A, "10.0.0.10", "169.254.1.1", US)),
    put(ask(A, "10.0.0.10", "10.0.0.99", US)), put(ask(A, "10.0.0.10", "10.0.1.7", US))
  ].join("\n")).toMatchInlineSnapshot(`
    "264 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: Reply 169.254.1.1 is-at 02:00:00:00:00:01, length 28
    0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: Reply 169.254.1.1 is-at 02:00:00:00:00:01, length 28

    0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: Reply 10.0.1.7 is-at 02:00:00:00:00:01, length 28"
  `)
})

it("nothing is announced unless arp_notify says so", () => {
  const { bench, eth0 } = rig()
  expect(bench.text()).toBe("")
  bench.ns.setDown(eth0)
  bench.sysctl({ "net.ipv4.conf.eth0.arp_notify": 1 })
  bench.mark()
  bench.ns.setUp(eth0)
  expect(bench.text()).toMatchInlineSnapshot(`"0 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: Request who-has 10.0.0.1 tell 10.0.0.1, length 28"`)
})
