/** UDP and echo sockets, and segments to TCP ports that nobody listens on (facts 52, 73, 84). */
import { Errno, errnoName } from "@podwire/netdev"
import { format, parse as ip } from "@podwire/wire/ip"
import { describe, expect, it } from "vitest"
import { concat, count, echo, ether, icmp4, icmpv6, ip4, ip6, tcpSegment, udp4, udp6 } from "./frames.ts"
import { Rig } from "./rig.ts"

const US = "02:00:00:00:00:01"
const A = "02:00:00:00:00:0a"

function host() {
  const bench = new Rig().quiet()
  const eth0 = bench.card("eth0", US, "10.0.0.1/24", "fd00::1/64")
  bench.run(1)
  bench.neigh(eth0, "10.0.0.2", A)
  bench.neigh(eth0, "fd00::2", A)
  return { bench, eth0 }
}

describe("bind", () => {
  it("EADDRINUSE as 6.18 says it, the second down, the first across", () => {
    const kinds = [
      [4, null, false], [4, "127.0.0.1", false], [4, "10.0.0.1", false], [6, null, false], [6, null, true],
      [6, "::1", false], [6, "fd00::1", false], [6, "127.0.0.1", false]
    ] as const
    const { bench } = host()
    const open = ([version, address, v6only]: (typeof kinds)[number]) => {
      const socket = bench.ns.udp(version)
      socket.v6only = v6only
      return { socket, errno: socket.bind(address === null ? null : ip(address)!, 5353) }
    }
    const rows = kinds.map((first) => kinds.map((second) => {
      const pair = [open(first), open(second)]
      for (const { socket } of pair) socket.close()
      return pair[1]!.errno === Errno.EADDRINUSE ? "X" : "-"
    }).join(" "))
    expect(rows).toEqual([
      "X X X X - - - X",
      "X X - X - - - X",
      "X - X X - - - -",
      "X X X X X X X X",
      "- - - X X X X -",
      "- - - X X X - -",
      "- - - X X - X -",
      "X X - X - - - X"
    ])
  })

  it("only to addresses of ours, unless ip_nonlocal_bind says so; twice is EINVAL", () => {
    const { bench } = host()
    const bound = (version: 4 | 6, address: string) => errnoName(bench.ns.udp(version).bind(ip(address)!, 0))
    expect([bound(4, "10.0.0.2"), bound(6, "fd00::2"), bound(4, "127.5.5.5"), bound(4, "fd00::1"), bound(6, "10.0.0.1")])
      .toEqual(["EADDRNOTAVAIL", "EADDRNOTAVAIL", "OK", "EAFNOSUPPORT", "OK"])
    bench.sysctl({ "net.ipv4.ip_nonlocal_bind": 1 })
    expect(bound(4, "10.0.0.2")).toBe("OK")
    const socket = bench.ns.udp(4)
    expect([socket.bind(null, 9), socket.bind(null, 10)].map(errnoName)).toEqual(["OK", "EINVAL"])
  })

  it("an ephemeral port comes from ip_local_port_range, until there is none", () => {
    const { bench } = host()
    bench.sysctl({ "net.ipv4.ip_local_port_range": "40000 40003" })
    const sockets = [1, 2, 3, 4, 5].map(() => bench.ns.udp(4))
    const errors = sockets.map((socket) => socket.bind(null, 0))
    expect(sockets.slice(0, 4).map((socket) => socket.localPort).sort((a, b) => a - b)).toEqual([40000, 40001, 40002, 40003])
    expect(errors[4]).toBe(Errno.EADDRINUSE)
  })
})

describe("a datagram", () => {
  const datagram = (src: string, from: number, dst: string, to: number, bytes = 1) => src.includes(":")
    ? ether(US, A, 0x86dd, ip6(src, dst, 17, udp6(src, dst, from, to, count(bytes))))
    : ether(US, A, 0x0800, ip4(src, dst, 17, udp4(src, dst, from, to, count(bytes))))

  it("goes to the socket that holds its address", () => {
    const { bench, eth0 } = host()
    for (const address of ["10.0.0.1", "127.0.0.1", "fd00::1", "::1"]) {
      expect(bench.udp(address.includes(":") ? 6 : 4, address).bind(ip(address)!, 53)).toBe(Errno.OK)
    }
    bench.mark()
    bench.inject(eth0, datagram("10.0.0.2", 1000, "10.0.0.1", 53))
    bench.inject(eth0, datagram("fd00::2", 1000, "fd00::1", 53))
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 10.0.0.1: 1 octets from 10.0.0.2.1000
      0 fd00::1: 1 octets from fd00::2.1000"
    `)
  })

  it("of another peer than the connected one finds no socket", () => {
    const { bench, eth0 } = host()
    const socket = bench.udp(4)
    socket.bind(null, 53)
    socket.connect(ip("10.0.0.2")!, 1000)
    bench.mark()
    bench.inject(eth0, datagram("10.0.0.2", 1000, "10.0.0.1", 53))
    bench.inject(eth0, datagram("10.0.0.2", 1001, "10.0.0.1", 53))
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 socket: 1 octets from 10.0.0.2.1000
      0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.1 udp port 53 unreachable, length 37"
    `)
  })

  it("waits for recv within SO_RCVBUF, which counts memory; what does not fit is dropped", () => {
    const { bench, eth0 } = host()
    const fit = (bytes: number) => {
      const socket = bench.ns.udp(4)
      socket.bind(null, 53)
      socket.rcvbuf = 100_000
      for (let i = 0; i < 150; i++) bench.inject(eth0, datagram("10.0.0.2", 1000, "10.0.0.1", 53, bytes))
      let got = 0
      while (socket.recv() !== null) got++
      expect([socket.drops, socket.rmem]).toEqual([150 - got, 0])
      socket.close()
      return got
    }
    // As many as a 6.18 kernel kept.
    expect([1, 100, 128, 300, 400, 700, 1000, 1400].map(fit)).toEqual([120, 120, 120, 78, 78, 43, 43, 43])
  })

  it("of IPv4 reaches a socket of IPv6 that is not v6only, and its answer leaves as IPv4", () => {
    const { bench, eth0 } = host()
    const socket = bench.udp(6)
    socket.bind(null, 53)
    bench.mark()
    bench.inject(eth0, datagram("10.0.0.2", 1000, "10.0.0.1", 53))
    socket.sendTo(ip("10.0.0.2")!, 1000, count(2))
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 socket: 1 octets from 10.0.0.2.1000
      0 eth0 02:00:00:00:00:01 > 02:00:00:00:00:0a: 10.0.0.1.53 > 10.0.0.2.1000: UDP, length 2"
    `)
  })

  it("to a broadcast address takes SO_BROADCAST, and reaches every socket of the port", () => {
    const { bench, eth0 } = host()
    const socket = bench.udp(4, "one")
    socket.bind(null, 53)
    expect(socket.sendTo(ip("10.0.0.255")!, 9, count(1))).toBe(Errno.EACCES)
    socket.broadcast = true
    bench.mark()
    expect(socket.sendTo(ip("10.0.0.255")!, 9, count(1))).toBe(Errno.OK)
    bench.inject(eth0, ether("ff:ff:ff:ff:ff:ff", A, 0x0800, ip4("10.0.0.2", "10.0.0.255", 17, udp4("10.0.0.2", "10.0.0.255", 1000, 53, count(3)))))
    expect(bench.text()).toMatchInlineSnapshot(`
      "0 eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: 10.0.0.1.53 > 10.0.0.255.9: UDP, length 1
      0 one: 3 octets from 10.0.0.2.1000"
    `)
  })

  it("without a way is refused at once", () => {
    const { bench } = host()
    const send = (version: 4 | 6, to: string, port = 9, bytes = 1) => errnoName(bench.ns.udp(version).sendTo(ip(to)!, port, count(bytes)))
    expect([
      send(4, "192.0.2.1"), send(6, "2001:db8::1"), send(4, "10.0.0.2", 0), send(4, "fd00::2"), send(4, "10.0.0.2", 9, 65_508),
      errnoName(bench.ns.udp(4).send(count(1)))
    ]).toEqual(["ENETUNREACH", "ENETUNREACH", "EINVAL", "EAFNOSUPPORT", "EMSGSIZE", "EDESTADDRREQ"])
  })
})

describe("an ICMP error", () => {
  const error4 = (type: number, code: number) => ether(US, A, 0x0800, ip4("10.0.0.2", "10.0.0.1", 1,
    icmp4(type, code, 0, ip4("10.0.0.1", "10.0.0.2", 17, udp4("10.0.0.1", "10.0.0.2", 5000, 9, count(4))))))
  const error6 = (type: number, code: number) => ether(US, A, 0x86dd, ip6("fd00::2", "fd00::1", 58,
    icmpv6("fd00::2", "fd00::1", type, code, 0, ip6("fd00::1", "fd00::2", 17, udp6("fd00::1", "fd00::2", 5000, 9, count(4))))))

  it("is the connected socket's errno if it is fatal, any socket's that asks for all", () => {
    const heard = (frame: Uint8Array, version: 4 | 6, recvErr: boolean) => {
      const { bench, eth0 } = host()
      const socket = bench.ns.udp(version)
      socket.recvErr = recvErr
      socket.bind(null, 5000)
      socket.connect(ip(version === 4 ? "10.0.0.2" : "fd00::2")!, 9)
      bench.inject(eth0, frame)
      return errnoName(socket.send(count(1)))
    }
    const rows = [
      ...[[3, 0], [3, 1], [3, 2], [3, 3], [3, 5], [3, 9], [3, 10], [3, 13], [11, 0], [12, 0], [4, 0]].map(([type, code]) =>
        `${type}/${code}: ${heard(error4(type!, code!), 4, false)} ${heard(error4(type!, code!), 4, true)}`),
      ...[[1, 0], [1, 1], [1, 3], [1, 4], [1, 5], [3, 0], [4, 0]].map(([type, code]) =>
        `6 ${type}/${code}: ${heard(error6(type!, code!), 6, false)} ${heard(error6(type!, code!), 6, true)}`)
    ]
    expect(rows.join("\n")).toMatchInlineSnapshot(`
      "3/0: OK ENETUNREACH
      3/1: OK EHOSTUNREACH
      3/2: ENOPROTOOPT ENOPROTOOPT
      3/3: ECONNREFUSED ECONNREFUSED
      3/5: OK EOPNOTSUPP
      3/9: ENETUNREACH ENETUNREACH
      3/10: EHOSTUNREACH EHOSTUNREACH
      3/13: EHOSTUNREACH EHOSTUNREACH
      11/0: OK EHOSTUNREACH
      12/0: EPROTO EPROTO
      4/0: OK OK
      6 1/0: OK ENETUNREACH
      6 1/1: EACCES EACCES
      6 1/3: OK EHOSTUNREACH
      6 1/4: ECONNREFUSED ECONNREFUSED
      6 1/5: EACCES EACCES
      6 3/0: OK EHOSTUNREACH
      6 4/0: EPROTO EPROTO"
    `)
  })

  it("is nobody's when the socket is not connected, or the quote is of another flow", () => {
    const { bench, eth0 } = host()
    const socket = bench.ns.udp(4)
    socket.bind(null, 5000)
    bench.inject(eth0, error4(3, 3))
    expect(socket.sendTo(ip("10.0.0.2")!, 9, count(1))).toBe(Errno.OK)
    socket.connect(ip("10.0.0.2")!, 10)
    bench.inject(eth0, error4(3, 3))
    expect(socket.send(count(1))).toBe(Errno.OK)
  })
})

describe("an echo socket", () => {
  it("gets answers and errors about its own requests, and nobody else's", () => {
    const { bench, eth0 } = host()
    const socket = bench.ns.ping(4)
    socket.onReply = (_, reply) => bench.note(`${reply.isError ? "error" : "reply"} ${reply.type}/${reply.code} seq ${reply.seq} from ${format(reply.src)} ttl ${reply.ttl}`)
    bench.mark()
    socket.sendTo(ip("10.0.0.2")!, 3, count(4))
    const request = bench.sent[0]!.bytes.slice(14)
    const answer = (id: number, type = 0) => ether(US, A, 0x0800, ip4("10.0.0.2", "10.0.0.1", 1, echo(type, 0, id, 3, count(4)), { ttl: 61 }))
    bench.inject(eth0, answer(socket.id))
    bench.inject(eth0, answer((socket.id + 1) & 0xffff))
    bench.inject(eth0, ether(US, A, 0x0800, ip4("10.0.0.9", "10.0.0.1", 1, icmp4(11, 0, 0, request))))
    const lines = bench.text().split("\n").slice(1)
    expect(lines).toEqual(["0 reply 0/0 seq 3 from 10.0.0.2 ttl 61", "0 error 11/0 seq 3 from 10.0.0.9 ttl 0"])
    socket.close()
    bench.inject(eth0, answer(socket.id))
    expect(bench.text()).toBe("")
  })

  it("is refused as a datagram would be", () => {
    const { bench } = host()
    const send = (version: 4 | 6, to: string) => errnoName(bench.ns.ping(version).sendTo(ip(to)!, 1, count(1)))
    expect([send(4, "192.0.2.1"), send(6, "2001:db8::1"), send(4, "10.0.0.255"), send(4, "fd00::2"), send(6, "10.0.0.2")])
      .toEqual(["ENETUNREACH", "ENETUNREACH", "EACCES", "EAFNOSUPPORT", "EAFNOSUPPORT"])
  })
})

describe("a segment to a port that nobody has (fact 73)", () => {
  const FLAGS = [["S", 2, 0], ["S with 10", 2, 10], ["A", 16, 0], ["SA", 18, 0], ["F", 1, 0], ["FA", 17, 0], ["none", 0, 0], ["PU with 10", 40, 10], ["SF", 3, 0], ["R", 4, 0], ["RA", 20, 0], ["SR", 6, 0]] as const
  const fields = (bytes: Uint8Array, at: number) => {
    const word = (offset: number) => ((bytes[at + offset]! << 24) | (bytes[at + offset + 1]! << 16) | (bytes[at + offset + 2]! << 8) | bytes[at + offset + 3]!) >>> 0
    const flags = bytes[at + 13]!
    return `${(flags & 4) !== 0 ? "R" : ""}${(flags & 16) !== 0 ? "A" : ""} seq ${word(4)} ack ${word(8)} win ${(bytes[at + 14]! << 8) | bytes[at + 15]!}`
  }
  it.each([4, 6] as const)("IPv%i", (version) => {
    const { bench, eth0 } = host()
    const [src, dst] = version === 4 ? ["10.0.0.2", "10.0.0.1"] : ["fd00::2", "fd00::1"]
    const l4 = version === 4 ? 34 : 54
    const rows = FLAGS.map(([name, flags, data]) => {
      const segment = tcpSegment(src, dst, flags, 1000, 77, count(data))
      bench.mark()
      bench.inject(eth0, version === 4 ? ether(US, A, 0x0800, ip4(src, dst, 6, segment, { tos: 0x10 })) : ether(US, A, 0x86dd, ip6(src, dst, 6, segment, { trafficClass: 0x10 })))
      const [sent] = bench.sent
      return `${name}: ${sent === undefined ? "nothing" : fields(sent.bytes, l4)}`
    })
    expect(rows).toEqual([
      "S: RA seq 0 ack 1001 win 0", "S with 10: RA seq 0 ack 1011 win 0", "A: R seq 77 ack 0 win 0", "SA: R seq 77 ack 0 win 0",
      "F: RA seq 0 ack 1001 win 0", "FA: R seq 77 ack 0 win 0", "none: RA seq 0 ack 1000 win 0", "PU with 10: RA seq 0 ack 1010 win 0",
      "SF: RA seq 0 ack 1002 win 0", "R: nothing", "RA: nothing", "SR: nothing"
    ])
    bench.mark()
    bench.inject(eth0, version === 4 ? ether(US, A, 0x0800, ip4(src, dst, 6, tcpSegment(src, dst, 2, 1000, 0), { tos: 0x10 })) : ether(US, A, 0x86dd, ip6(src, dst, 6, tcpSegment(src, dst, 2, 1000, 0), { trafficClass: 0x10 })))
    const { bytes } = bench.sent[0]!
    // 40 octets, id 0, DF, the asker's TOS.
    expect(version === 4 ? [bytes.length, bytes[15], bytes[18]! | bytes[19]!, bytes[20]] : [bytes.length, ((bytes[14]! & 15) << 4) | (bytes[15]! >> 4)])
      .toEqual(version === 4 ? [54, 0x10, 0, 0x40] : [74, 0x10])
    const bad = tcpSegment(src, dst, 2, 1000, 0)
    bench.mark()
    bench.inject(eth0, version === 4
      ? ether(US, A, 0x0800, ip4(src, dst, 6, concat(bad.slice(0, 16), [1, 2, 0, 0])))
      : ether(US, A, 0x86dd, ip6(src, dst, 6, concat(bad.slice(0, 16), [1, 2, 0, 0]))))
    expect(bench.sent).toEqual([])
  })
})
