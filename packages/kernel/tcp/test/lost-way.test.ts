/**
 * What becomes of connections whose way is gone (no route, no device, no address, no neighbour) and of data that a rule
 * forbids: what is told when is what Linux 6.18 told in namespaces of its own. With data in flight IPv4 remembers why,
 * IPv6 also without.
 */
import { SECOND } from "@podwire/engine"
import { DropReason, Errno, errnoName } from "@podwire/netdev"
import { parse as cidr } from "@podwire/wire/cidr"
import { parse as ip } from "@podwire/wire/ip"
import { expect, it } from "vitest"
import type { TcpSocket } from "../src/socket.ts"
import { State } from "../src/state.ts"
import { Pair } from "./pair.ts"

const PORT = 80
/** Netfilter's hook and verdicts. */
const OUTPUT = 3
const DROP = 0
const ACCEPT = 1
const HOSTS = { 4: ["10.0.0.1/24", "10.0.0.2", "10.0.0.0/24"], 6: ["fd00::1/64", "fd00::2", "fd00::/64"] } as const
const NOBODY = { lossPpm: 1_000_000 }

function connected(pair: Pair, version: 4 | 6): TcpSocket {
  const socket = pair.tcpA.socket(version)
  socket.connect(ip(HOSTS[version][1])!, PORT)
  pair.run(SECOND / 10)
  expect(socket.state).toBe(State.ESTABLISHED)
  return socket
}

function started(version: 4 | 6): Pair {
  const pair = new Pair()
  pair.run(3 * SECOND)
  const listener = pair.tcpB.socket(version)
  listener.bind(null, PORT)
  listener.listen(5)
  return pair
}

/** A probed connection, one with data in flight, one with data that has not left, a new one: what each is told. */
function told(version: 4 | 6, what: "route" | "device" | "address" | "neighbour"): string {
  const pair = started(version)
  const probed = connected(pair, version)
  Object.assign(probed, { keepIdleSeconds: 1, keepIntervalSeconds: 1, keepCount: 3, keepAlive: true })
  probed.apply()
  const flying = connected(pair, version)
  flying.userTimeoutMs = 6000
  const waiting = connected(pair, version)
  waiting.userTimeoutMs = 3000
  pair.cable.back.set(NOBODY)
  const nic = pair.a.links.byName("eth0")!
  if (what === "neighbour") (version === 4 ? pair.a.neigh4 : pair.a.neigh6).flush(nic)
  flying.send(new Uint8Array(10))
  const [own, other, net] = HOSTS[version]
  if (what === "route") pair.a.delRoute({ dst: cidr(net)!, dev: nic, type: "unicast" })
  else if (what === "device") pair.a.setDown(nic)
  else if (what === "address") pair.a.delAddress(nic, cidr(own)!)
  waiting.send(new Uint8Array(100))
  const fresh = pair.tcpA.socket(version)
  let text = errnoName(fresh.connect(ip(other)!, PORT))
  for (const [name, socket] of Object.entries({ probed, flying, waiting })) {
    for (let i = 0; i < 80 && socket.state !== State.CLOSED; i++) pair.run(SECOND / 10)
    text += `, ${name} ${errnoName(socket.takeError())}`
  }
  return text
}

it.each(["route", "device", "address"] as const)("IPv4 without its %s", (what) => {
  expect(told(4, what)).toBe("ENETUNREACH, probed ETIMEDOUT, flying ENETUNREACH, waiting ETIMEDOUT")
})

it.each(["route", "device", "address"] as const)("IPv6 without its %s", (what) => {
  expect(told(6, what)).toBe("ENETUNREACH, probed ENETUNREACH, flying ENETUNREACH, waiting ENETUNREACH")
})

it("a neighbour that is gone is waited for with longer and longer timeouts", () => {
  const pair = started(4)
  const socket = connected(pair, 4)
  pair.cable.back.set(NOBODY)
  pair.a.neigh4.flush(pair.a.links.byName("eth0")!)
  socket.userTimeoutMs = 6000
  socket.send(new Uint8Array(10))
  pair.run(7 * SECOND)
  expect(errnoName(socket.takeError())).toBe("EHOSTUNREACH")
  // After 0.2, 0.6, 1.4 and 3 s, and by what the neighbour cache then says, sooner (RFC 6069).
  expect(pair.tcpA.mib.TCPTimeouts).toBe(6)
})

it("what a rule forbids has not left: it is tried again like a shut window, and still pushed", () => {
  const pair = started(4)
  const socket = connected(pair, 4)
  let forbids = true
  pair.a.hooks4.register({
    hook: OUTPUT, priority: 0,
    run: (frame) => {
      if (forbids) pair.pool.drop(frame, DropReason.NETFILTER_DROP, null)
      return forbids ? DROP : ACCEPT
    }
  })
  expect(socket.send(new Uint8Array(100))).toBe(100)
  pair.run(SECOND)
  const row = () => pair.tcpA.list().map(({ timer, info }) => `${timer?.kind} ${timer?.retransmits} ${info?.unacked}`)
  expect(row()).toEqual(["persist 2 0"])
  forbids = false
  pair.trace = true
  pair.run(2 * SECOND)
  expect(pair.log.filter((line) => line.includes(">")).join("\n")).toContain("Flags [P.]")
  expect(row()).toEqual(["undefined undefined 0"])
  expect(socket.takeError()).toBe(Errno.OK)
})

const OTHERS = [[4, "persist 2 0"], [6, "on 2 1"]] as const

it.each(OTHERS)("IPv%d without its address, another one left", (version, waits) => {
  const pair = started(version)
  const nic = pair.a.links.byName("eth0")!
  const own = cidr(version === 4 ? "10.0.0.7/24" : "fd00::7/64")!
  pair.a.addAddress(nic, own, { nodad: true })
  const socket = pair.tcpA.socket(version)
  socket.bind(own.ip, 0)
  socket.connect(ip(HOSTS[version][1])!, PORT)
  pair.run(SECOND / 10)
  expect(socket.state).toBe(State.ESTABLISHED)
  pair.a.delAddress(nic, own)
  pair.cable.forth.set(NOBODY)
  socket.send(new Uint8Array(10))
  pair.run(SECOND)
  const [row] = pair.tcpA.list()
  expect(`${row!.timer!.kind} ${row!.timer!.retransmits} ${row!.info!.unacked}`).toBe(waits)
})
