/**
 * Bad input, and too much of it: whatever comes, memory is bounded, each drop has its reason and its counter
 * (the names of nstat), and who behaves is served.
 */
import { Errno } from "@podwire/netdev"
import { set32 } from "@podwire/wire/bytes"
import { parse as ip } from "@podwire/wire/ip"
import { ACK, RST, SYN } from "@podwire/wire/tcp"
import { describe, expect, it } from "vitest"
import type { TcpSocket } from "../src/socket.ts"
import { State } from "../src/state.ts"
import { Pair } from "./pair.ts"
import { LoneHost, segment } from "./lone-host.ts"

const PORT = 8080

function listening(host: LoneHost, backlog: number): TcpSocket {
  const socket = host.tcp.socket(6)
  expect([socket.bind(null, PORT), socket.listen(backlog)]).toEqual([Errno.OK, Errno.OK])
  return socket
}

/** A peer that does it right. */
function connected(host: LoneHost, listener: TcpSocket, from: number, family: 4 | 6 = 4): TcpSocket {
  const options = Uint8Array.of(2, 4, 5, 0xb4, 1, 1, 4, 2)
  host.send({ family, from, to: PORT, seq: 1000, flags: SYN, options })
  host.send({ family, from, to: PORT, seq: 1001, ack: (host.last!.seq + 1) | 0, flags: ACK })
  const made = listener.accept()
  if (typeof made === "number") throw new Error(`accept: ${made}`)
  return made
}

/** Counters that are not zero. */
function counters(host: LoneHost, ...names: ReadonlyArray<keyof LoneHost["tcp"]["mib"]>): string {
  return names.map((name) => `${name} ${host.tcp.mib[name]}`).join(", ")
}

describe("SYNs", () => {
  const FLOOD = 100_000
  const BACKLOG = 128

  /** The same frame, from everywhere. */
  function flood(host: LoneHost): void {
    for (let i = 0; i < FLOOD; i++) {
      host.send({ host: 2 + (i & 3), from: 1024 + (i >> 2), to: PORT, seq: i, flags: SYN })
    }
  }

  it("a hundred thousand fill one queue; cookies answer the rest, and a client gets in by one", () => {
    const host = new LoneHost()
    for (const peer of [3, 4, 5]) host.knows(4, peer)
    const listener = listening(host, BACKLOG)
    flood(host)
    expect(host.tcp.flows.size).toBe(BACKLOG + 1)
    expect(listener.listener!.requests).toBe(BACKLOG + 1)
    expect(host.replies).toBe(FLOOD)
    expect(host.dropped).toBe("")
    expect(counters(host, "SyncookiesSent", "TCPReqQFullDoCookies", "ListenDrops")).toBe(
      `SyncookiesSent ${FLOOD - BACKLOG - 1}, TCPReqQFullDoCookies ${FLOOD - BACKLOG - 1}, ListenDrops 0`
    )
    const client = connected(host, listener, 50_000)
    const data = Uint8Array.of(7, 8, 9)
    host.send({ from: 50_000, to: PORT, seq: 1001, ack: client.connection!.sndNxt, flags: ACK, data })
    expect(client.available).toBe(3)
    expect(counters(host, "SyncookiesRecv", "TcpPassiveOpens")).toBe("SyncookiesRecv 1, TcpPassiveOpens 1")
    // A cookie that nobody made.
    host.send({ from: 50_001, to: PORT, seq: 1001, ack: 12345, flags: ACK })
    expect([host.dropped, counters(host, "SyncookiesFailed")]).toEqual(["TCP_FLAGS 1", "SyncookiesFailed 1"])
    client.close()
    listener.close()
    host.run(300)
    expect([host.tcp.flows.size, host.pool.balance(), host.pool.inFlight]).toEqual([0, null, 0])
  })

  it("without cookies the queue is all there is", () => {
    const host = new LoneHost({ "net.ipv4.tcp_syncookies": 0 })
    for (const peer of [3, 4, 5]) host.knows(4, peer)
    const listener = listening(host, BACKLOG)
    flood(host)
    expect(listener.listener!.requests).toBe(BACKLOG + 1)
    expect(host.replies).toBe(BACKLOG + 1)
    expect(host.dropped).toBe(`TCP_REQQ_FULL ${FLOOD - BACKLOG - 1}`)
    expect(counters(host, "SyncookiesSent", "TCPReqQFullDrop", "ListenDrops")).toBe(
      `SyncookiesSent 0, TCPReqQFullDrop ${FLOOD - BACKLOG - 1}, ListenDrops ${FLOOD - BACKLOG - 1}`
    )
    // When they have timed out there is room again: half of them soon, as nobody answers, the others after 63 s.
    host.run(10)
    expect(listener.listener!.requests).toBe(BACKLOG / 2)
    host.run(60)
    expect(listener.listener!.requests).toBe(0)
    connected(host, listener, 50_000)
  })
})

describe("what no port waits for", () => {
  const STRAY = 150_000

  it.each([4, 6] as const)("is answered by RST, every one, IPv%i", (family) => {
    const host = new LoneHost()
    const bytes = segment({ family, to: 81, flags: ACK, ack: 1 })
    for (let i = 0; i < STRAY; i++) host.inject(bytes)
    expect([host.resets, host.dropped, host.tcp.flows.size]).toEqual([STRAY, `NO_SOCKET ${STRAY}`, 0])
    expect(counters(host, "TcpInSegs", "TcpOutRsts", "TcpOutSegs")).toBe(
      `TcpInSegs ${STRAY}, TcpOutRsts ${STRAY}, TcpOutSegs ${STRAY}`
    )
    host.send({ family, to: 81, flags: RST, seq: 1 })
    expect([host.resets, host.dropped]).toEqual([STRAY, "NO_SOCKET 1"])
    expect([host.pool.balance(), host.pool.inFlight]).toEqual([null, 0])
  })
})

describe("a reader that does not read", () => {
  it.each([["that grows", 0, 100_000, 99_999], ["of 16 KiB", 16_384, 50_000, 11_067]] as const)(
    "octet by octet into a buffer %s: what they cost is bounded, what was acknowledged is kept",
    (_, rcvbuf, octets, most) => {
      const host = new LoneHost()
      const listener = listening(host, 1)
      listener.rcvbuf = rcvbuf
      const socket = connected(host, listener, 50_000)
      const c = socket.connection!
      const given = { from: 50_000, to: PORT, ack: c.sndNxt, flags: ACK }
      let seq = 1001
      let over = 0
      for (let i = 0; i < octets; i++) {
        host.send({ ...given, seq, data: Uint8Array.of((seq - 1001) & 255) })
        over = Math.max(over, c.queue.rmem - c.rcvbuf)
        if (c.rcvNxt === ((seq + 1) | 0)) seq++
      }
      const taken = seq - 1001
      expect([taken, socket.available]).toEqual([most, most])
      expect(c.rcvbuf).toBeLessThanOrEqual(rcvbuf || 6_291_456)
      // The last one may cost more than there was left (tcp_can_ingest).
      expect(over).toBeLessThan(1000)
      // Nobody offered room for the others.
      expect(host.dropped).toBe(`TCP_INVALID_END_SEQUENCE ${octets - taken}`)
      const { mib } = host.tcp
      expect([mib.BeyondWindow, mib.PruneCalled > 100, mib.RcvPruned]).toEqual([octets - taken, true, 0])
      // It grows as long as it may, and is packed tighter then.
      expect(mib.TCPRcvCollapsed > 0 && mib.TCPRcvCollapsed <= mib.PruneCalled).toBe(true)
      const into = new Uint8Array(taken)
      expect(socket.recv(into)).toBe(taken)
      expect(into.findIndex((octet, i) => octet !== (i & 255))).toBe(-1)
      host.send({ ...given, seq, data: Uint8Array.of(1) })
      expect(socket.available).toBe(1)
    }
  )

  it("what begins where the window ends is answered and dropped", () => {
    const host = new LoneHost()
    const c = connected(host, listening(host, 1), 50_000).connection!
    const given = { from: 50_000, to: PORT, ack: c.sndNxt, flags: ACK, data: Uint8Array.of(1) }
    const edge = (c.rcvNxt + c.receiveWindow) | 0
    host.send({ ...given, seq: edge - 1 })
    expect([host.dropped, c.queue.gaps]).toEqual(["", 1])
    const { replies } = host
    host.send({ ...given, seq: edge })
    host.send({ ...given, seq: edge + 1 })
    expect(host.dropped).toBe("TCP_INVALID_SEQUENCE 1, TCP_OVERWINDOW 1")
    expect([c.queue.gaps, host.replies - replies]).toEqual([1, 2])
  })

  /** Every second octet: of Linux's own, only a buffer's price (832 instead of 704) is another. */
  function gapped(host: LoneHost, gaps: number, backwards: boolean): TcpSocket {
    const socket = connected(host, listening(host, 1), 50_000)
    const given = { from: 50_000, to: PORT, ack: socket.connection!.sndNxt, flags: ACK }
    for (let i = 0; i < gaps; i++) {
      const at = 2 * (backwards ? gaps - 1 - i : i) + 1
      host.send({ ...given, seq: 1001 + at, data: Uint8Array.of(at & 255) })
    }
    return socket
  }

  const GAPS = ["TCPOFOQueue", "TCPOFODrop", "PruneCalled", "OfoPruned", "RcvPruned"] as const

  it("three thousand gaps: the buffer grows for them, and the stream goes on when they are filled", () => {
    const host = new LoneHost()
    const socket = gapped(host, 3000, false)
    const c = socket.connection!
    expect(counters(host, ...GAPS)).toBe(
      "TCPOFOQueue 3000, TCPOFODrop 0, PruneCalled 2813, OfoPruned 0, RcvPruned 0"
    )
    expect([host.dropped, c.queue.gaps]).toEqual(["", 3000])
    const whole = Uint8Array.from({ length: 6000 }, (_, i) => i & 255)
    for (let at = 0; at < whole.length; at += 1000) {
      const data = whole.subarray(at, at + 1000)
      host.send({ from: 50_000, to: PORT, seq: 1001 + at, ack: c.sndNxt, flags: ACK, data })
    }
    const into = new Uint8Array(whole.length + 1)
    expect(socket.recv(into)).toBe(whole.length)
    expect(into.subarray(0, whole.length)).toEqual(whole)
    expect([c.queue.gaps, c.queue.rmem]).toEqual([0, 0])
  })

  it.each([
    [
      "forwards: the last find no room", false,
      "TCPOFOQueue 8937, TCPOFODrop 3063, PruneCalled 11813, OfoPruned 0, RcvPruned 3063"
    ],
    [
      "backwards: the furthest make room", true,
      "TCPOFOQueue 12000, TCPOFODrop 0, PruneCalled 8753, OfoPruned 3, RcvPruned 0"
    ]
  ] as const)("twelve thousand gaps fill the largest buffer, %s", (_, backwards, counted) => {
    const host = new LoneHost()
    const c = gapped(host, 12_000, backwards).connection!
    expect(counters(host, ...GAPS)).toBe(counted)
    expect(host.dropped).toBe(backwards ? "" : "PROTO_MEM 3063")
    expect(c.rcvbuf).toBe(6_291_456)
    expect(c.queue.rmem).toBeLessThan(c.rcvbuf + 1000)
  })
})

describe("a writer whose peer does not read", () => {
  it("takes no SACK block for what it never sent, nor a duplicate's of what nobody saw", () => {
    const host = new LoneHost()
    const socket = connected(host, listening(host, 1), 50_000)
    const c = socket.connection!
    expect(socket.send(new Uint8Array(3000))).toBe(3000)
    const sacked = (...edges: ReadonlyArray<number>) => {
      const options = new Uint8Array(4 + 4 * edges.length)
      options.set([1, 1, 5, 2 + 4 * edges.length])
      edges.forEach((edge, i) => set32(options, 4 + 4 * i, (c.sndUna + edge) | 0))
      host.send({ from: 50_000, to: PORT, seq: 1001, ack: c.sndUna, flags: ACK, options })
    }
    // Beyond the end; backwards; empty; and a duplicate without a retransmission. Counted as Linux 6.18 did.
    sacked(3000, 4000)
    sacked(2000, 1000)
    sacked(1460, 1460)
    sacked(-2000, -1000)
    expect(counters(host, "TCPSACKDiscard", "TCPDSACKIgnoredDubious", "TCPDSACKRecv")).toBe(
      "TCPSACKDiscard 4, TCPDSACKIgnoredDubious 1, TCPDSACKRecv 1"
    )
    expect([c.sackedOut, c.lostOut, c.retransOut, host.tcp.mib.TcpRetransSegs]).toEqual([0, 0, 0, 0])
  })

  it("gets EAGAIN at the end of its buffer, and is woken when a third of it is free", () => {
    const host = new LoneHost()
    const listener = listening(host, 1)
    listener.sndbuf = 50_000
    const socket = connected(host, listener, 50_000)
    const c = socket.connection!
    let wakes = 0
    let taken = 0
    socket.wake = () => wakes++
    const piece = new Uint8Array(3000)
    for (let took = socket.send(piece); took > 0; took = socket.send(piece)) taken += took
    expect(socket.send(piece)).toBe(-Errno.EAGAIN)
    // The last packet is filled, half a window of it (tcp_xmit_size_goal).
    expect(taken).toBeLessThan(50_000 + 32_768)
    expect(c.ring.capacity).toBeLessThanOrEqual(131_072)
    const una = c.sndUna
    // The window shuts, then all of it is acknowledged, piece by piece.
    expect([socket.writable, wakes]).toEqual([false, 0])
    for (let acked = 1460; wakes === 0 && acked <= taken; acked += 1460) {
      host.send({ from: 50_000, to: PORT, seq: 1001, ack: (una + acked) | 0, flags: ACK })
    }
    expect([socket.writable, wakes]).toEqual([true, 1])
    expect(c.queued).toBeGreaterThan(20_000)
    expect(c.queued).toBeLessThan(34_000)
    expect(socket.send(piece)).toBeGreaterThan(0)
  })
})


describe("ports and queues", () => {
  const LAST = 10
  const narrow = { "net.ipv4.ip_local_port_range": `40000 ${40_000 + LAST - 1}` }

  function link(sysctls: Readonly<Record<string, string>>): Pair {
    const pair = new Pair(7, { delayNs: 1_000_000 })
    for (const [name, value] of Object.entries(sysctls)) expect(pair.a.sysctl.set(name, value)).toBe(Errno.OK)
    pair.run(3e9)
    return pair
  }

  const PORTS = "ten ports are ten connections to one place, and free again after TIME_WAIT, IPv%i"
  it.each([4, 6] as const)(PORTS, (family) => {
    const pair = link(narrow)
    const to = ip(family === 4 ? "10.0.0.2" : "fd00::2")!
    const servers = [PORT, PORT + 1].map((port) => {
      const server = pair.tcpB.socket(6)
      server.bind(null, port)
      server.listen(100)
      return server
    })
    const connect = (port: number) => {
      const client = pair.tcpA.socket(family)
      return { client, errno: client.connect(to, port) }
    }
    const first = Array.from({ length: LAST }, () => connect(PORT))
    expect(new Set(first.map(({ client }) => client.localPort)).size).toBe(LAST)
    expect(first.map(({ errno }) => errno)).toEqual(first.map(() => Errno.EINPROGRESS))
    expect(connect(PORT).errno).toBe(Errno.EADDRNOTAVAIL)
    // Another place is another connection, from a port that is taken.
    const other = connect(PORT + 1)
    expect(other.errno).toBe(Errno.EINPROGRESS)
    pair.run(1e9)
    expect([...first, other].every(({ client }) => client.state === State.ESTABLISHED)).toBe(true)
    for (const { client } of first) client.close()
    for (const server of servers) {
      for (let made = server.accept(); typeof made !== "number"; made = server.accept()) made.close()
    }
    pair.run(1e9)
    expect(pair.tcpA.mib.TW).toBe(LAST)
    expect(connect(PORT).errno).toBe(Errno.EADDRNOTAVAIL)
    pair.run(70e9)
    expect(connect(PORT).errno).toBe(Errno.EINPROGRESS)
  })

  const QUEUE = "a full accept queue keeps clients waiting, and each is accepted in the end, tcp_syncookies %i"
  it.each([0, 1])(QUEUE, (cookies) => {
    const CLIENTS = 15
    const BACKLOG = 2
    const pair = link({})
    pair.b.sysctl.set("net.ipv4.tcp_syncookies", String(cookies))
    const server = pair.tcpB.socket(4)
    server.bind(null, PORT)
    server.listen(BACKLOG)
    for (let i = 0; i < CLIENTS; i++) {
      const client = pair.tcpA.socket(4)
      expect(client.connect(ip("10.0.0.2")!, PORT)).toBe(Errno.EINPROGRESS)
      // Who was answered by a cookie is unknown until it says something.
      client.wake = () => {
        client.wake = null
        client.send(Uint8Array.of(i))
      }
    }
    pair.run(1e9)
    expect(server.listener!.waiting).toBe(BACKLOG + 1)
    const { mib } = pair.tcpB
    const heard = new Set<number>()
    for (let second = 0; second < 100; second++) {
      expect(server.listener!.waiting).toBeLessThanOrEqual(BACKLOG + 1)
      const made = server.accept()
      pair.run(1e9)
      if (typeof made === "number") continue
      const into = new Uint8Array(1)
      expect(made.recv(into)).toBe(1)
      heard.add(into[0]!)
    }
    expect(heard.size).toBe(CLIENTS)
    expect(mib.ListenOverflows > 0).toBe(true)
    expect(mib.ListenDrops).toBe(mib.ListenOverflows + mib.TCPReqQFullDrop)
    expect(mib.SyncookiesRecv > 0).toBe(cookies === 1)
  })
})
