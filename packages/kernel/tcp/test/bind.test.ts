/**
 * Who may have which port and address, as Linux 6.18 answered: `recorded/bind.txt` is a first socket a line (family,
 * v6only, address, SO_REUSEADDR, whether it listens) and what a second one hears for each kind with and without
 * SO_REUSEADDR: o is that it may bind and listen, l that it may only bind, X that it may not.
 */
import { readFileSync } from "node:fs"
import { errnoName } from "@podwire/netdev"
import { parse as ip } from "@podwire/wire/ip"
import { describe, expect, it } from "vitest"
import { Rig } from "../../netns/test/rig.ts"
import type { TcpSocket } from "../src/socket.ts"
import { Tcp } from "../src/tcp.ts"

const PORT = 8080
const KINDS = [
  "4,0,0.0.0.0", "4,0,10.0.0.1", "4,0,10.0.0.9", "6,0,::", "6,1,::", "6,0,fd00::1", "6,0,::ffff:10.0.0.1", "6,1,fd00::1"
]

function host(): Rig {
  const rig = new Rig().quiet()
  rig.card("eth0", "02:00:00:00:00:01", "10.0.0.1/24", "10.0.0.9/24", "fd00::1/64", "fe80::1/64")
  rig.loopback("127.0.0.1/8", "::1/128")
  rig.route("0.0.0.0/0", "10.0.0.254")
  rig.run(3000)
  return rig
}

function address(text: string): ReturnType<typeof ip> {
  return ip(text)
}

function made(tcp: Tcp, kind: string, reuse: boolean): TcpSocket {
  const [family, v6only] = kind.split(",").map(Number)
  const socket = tcp.socket(family as 4 | 6)
  socket.v6only = v6only === 1
  socket.reuseAddr = reuse
  return socket
}

function second(tcp: Tcp, kind: string, reuse: boolean): string {
  const socket = made(tcp, kind, reuse)
  const refused = socket.bind(address(kind.split(",")[2]!), PORT) !== 0
  const result = refused ? "X" : socket.listen(5) === 0 ? "o" : "l"
  socket.close()
  return result
}

it("two sockets and one port", () => {
  const tcp = Tcp.of(host().ns)
  const lines = KINDS.flatMap((kind) => [0, 1].flatMap((reuse) => [0, 1].map((listens) => {
    const first = made(tcp, kind, reuse === 1)
    first.bind(address(kind.split(",")[2]!), PORT)
    if (listens === 1) first.listen(5)
    const heard = KINDS.flatMap((other) => [false, true].map((shares) => second(tcp, other, shares)))
    first.close()
    return `${kind} reuse${reuse} listen${listens}: ${heard.join(" ")}`
  })))
  const recorded = readFileSync(new URL("recorded/bind.txt", import.meta.url), "utf8").trim()
  expect(lines.join("\n")).toBe(recorded)
})

describe("bind", () => {
  it.each([
    [4, "224.0.0.1", "OK"], [4, "10.0.0.255", "OK"], [4, "255.255.255.255", "OK"], [4, "10.0.0.77", "EADDRNOTAVAIL"],
    [4, "127.0.0.5", "OK"], [6, "ff02::1", "EINVAL"], [6, "::ffff:224.0.0.1", "OK"], [6, "fe80::1", "EINVAL"],
    [6, "::ffff:10.0.0.1", "OK"], [6, "fd00::77", "EADDRNOTAVAIL"]
  ] as const)("IPv%d to %s: %s", (family, text, result) => {
    expect(errnoName(Tcp.of(host().ns).socket(family).bind(address(text), 0))).toBe(result)
  })
})

describe("connect of a bound socket", () => {
  it.each([
    [6, "fd00::1", "::ffff:10.0.0.9", "ENETUNREACH"], [6, "::ffff:10.0.0.1", "fd00::1", "EAFNOSUPPORT"],
    [6, "::ffff:10.0.0.1", "::", "EINPROGRESS"], [6, "::1", "fd00::1", "EINPROGRESS"],
    [4, "127.0.0.1", "10.0.0.9", "EINPROGRESS"], [4, "127.0.0.1", "10.0.0.77", "EINVAL"],
    [4, "127.0.0.1", "9.9.9.9", "EINVAL"], [4, "10.0.0.1", "127.0.0.1", "EINPROGRESS"],
    [4, "0.0.0.0", "10.0.0.255", "ENETUNREACH"], [4, "0.0.0.0", "224.0.0.1", "ENETUNREACH"]
  ] as const)("IPv%d from %s to %s: %s", (family, from, to, result) => {
    const socket = Tcp.of(host().ns).socket(family)
    expect(socket.bind(address(from), 0)).toBe(0)
    expect(errnoName(socket.connect(address(to)!, 99))).toBe(result)
  })
})

it("ports that bind(0) gave are shared neither by SO_REUSEADDR nor by a connect", () => {
  const rig = host().sysctl({ "net.ipv4.ip_local_port_range": "40000 40001" })
  const tcp = Tcp.of(rig.ns)
  const bound = [0, 1, 2].map(() => errnoName(made(tcp, "4,0,0.0.0.0", true).bind(null, 0)))
  expect(bound).toEqual(["OK", "OK", "EADDRINUSE"])
  expect(errnoName(tcp.socket(4).connect(ip("10.0.0.9")!, 99))).toBe("EADDRNOTAVAIL")
})

it("a client of ::1 has its ports again after a second of TIME_WAIT, as timestamps tell who is who", () => {
  const rig = host().sysctl({ "net.ipv4.ip_local_port_range": "40000 40000" })
  rig.run(900)
  const tcp = Tcp.of(rig.ns)
  const listener = tcp.socket(6)
  listener.bind(ip("::1"), 99)
  listener.listen(5)
  const told = [0, 300, 600, 100].map((waitMs) => {
    rig.run(waitMs)
    const client = tcp.socket(6)
    const errno = errnoName(client.connect(ip("::1")!, 99))
    rig.run(20)
    client.close()
    rig.run(20)
    const child = listener.accept()
    if (typeof child !== "number") child.close()
    return errno
  })
  expect(told).toEqual(["EINPROGRESS", "EADDRNOTAVAIL", "EADDRNOTAVAIL", "EINPROGRESS"])
})

it("a socket that connects to itself talks to itself", () => {
  const rig = host()
  const tcp = Tcp.of(rig.ns)
  const socket = tcp.socket(4)
  socket.bind(ip("10.0.0.1"), 7777)
  expect(errnoName(socket.connect(ip("10.0.0.1")!, 7777))).toBe("EINPROGRESS")
  rig.run(50)
  expect(socket.send(Uint8Array.of(1, 2, 3))).toBe(3)
  rig.run(50)
  expect(socket.recv(new Uint8Array(9))).toBe(3)
  socket.shutdown("write")
  rig.run(50)
  expect(socket.recv(new Uint8Array(9))).toBe(0)
  expect(tcp.list().map(({ state, resting }) => `${state} ${resting}`)).toEqual(["6 true"])
})
