/** tcp_max_orphans: what is closed beyond it is reset at once, and whatever ends gives its place back. */
import { SECOND } from "@podwire/engine"
import { parse as ip } from "@podwire/wire/ip"
import { expect, it } from "vitest"
import type { TcpSocket } from "../src/socket.ts"
import { State } from "../src/state.ts"
import { Pair } from "./pair.ts"

const MOST = 3

function connected(pair: Pair): TcpSocket {
  const socket = pair.tcpA.socket(4)
  socket.connect(ip("10.0.0.2")!, 80)
  pair.run(SECOND / 100)
  return socket
}

it("one too many is reset, and its peer learns of it", () => {
  const pair = new Pair()
  pair.run(3 * SECOND)
  pair.a.sysctl.set("net.ipv4.tcp_max_orphans", String(MOST))
  const listener = pair.tcpB.socket(4)
  listener.bind(null, 80)
  listener.listen(20)
  // A peer's listener that is closed makes no orphans that stay.
  for (let i = 0; i < 2 * MOST; i++) connected(pair)
  listener.close()
  pair.run(SECOND)
  listener.close()
  const again = pair.tcpB.socket(4)
  again.bind(null, 80)
  again.listen(20)
  const sockets = Array.from({ length: 2 * MOST }, () => connected(pair))
  const states = sockets.map((socket) => {
    const c = socket.connection!
    socket.close()
    return c.state === State.CLOSED ? "reset" : "closing"
  })
  expect(states).toEqual([...Array(MOST).fill("closing"), ...Array(MOST).fill("reset")])
  expect(pair.tcpA.mib.TCPAbortOnMemory).toBe(MOST)
  expect(pair.tcpA.mib.TcpOutRsts).toBe(MOST)
  pair.run(2000 * SECOND)
  expect(pair.tcpA.flows.size).toBe(0)
  const later = connected(pair)
  const c = later.connection!
  later.close()
  expect(c.state).toBe(State.FIN_WAIT1)
})

it("children that a closed listener resets are not counted off twice", () => {
  const pair = new Pair()
  pair.run(3 * SECOND)
  pair.b.sysctl.set("net.ipv4.tcp_max_orphans", "0")
  const listener = pair.tcpB.socket(4)
  listener.bind(null, 80)
  listener.listen(20)
  for (let i = 0; i < MOST; i++) connected(pair)
  listener.close()
  const other = pair.tcpB.socket(4)
  other.bind(null, 80)
  other.listen(20)
  connected(pair)
  const child = other.accept() as TcpSocket
  child.close()
  expect(pair.tcpB.mib.TCPAbortOnMemory).toBe(1)
})
