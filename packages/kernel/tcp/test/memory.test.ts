/** What a connection held for a big transfer is given back when all is read and acknowledged. */
import { SECOND } from "@podwire/engine"
import { parse as ip } from "@podwire/wire/ip"
import { expect, it } from "vitest"
import { ByteRing } from "../src/byte-ring.ts"
import type { TcpSocket } from "../src/socket.ts"
import { Pair } from "./pair.ts"

const KEPT = 65_536

it("an idle connection keeps little of what it needed for a megabyte", () => {
  const pair = new Pair(7, { delayNs: 10_000_000, rateBps: 1_000_000_000 })
  pair.run(3 * SECOND)
  const listener = pair.tcpB.socket(4)
  listener.bind(null, 80)
  listener.listen(1)
  const client = pair.tcpA.socket(4)
  const into = new Uint8Array(100_000)
  let left = 3_000_000
  let most = 0
  client.wake = () => {
    for (let took = 1; left > 0 && took > 0; left -= Math.max(took, 0)) {
      took = client.send(into, 0, Math.min(left, into.length))
    }
    most = Math.max(most, client.connection!.ring.capacity)
  }
  client.connect(ip("10.0.0.2")!, 80)
  pair.run(SECOND)
  const server = listener.accept() as TcpSocket
  let got = 0
  server.wake = () => {
    for (let count = server.recv(into); count > 0; count = server.recv(into)) got += count
  }
  server.wake(server)
  pair.run(5 * SECOND)
  expect(got).toBe(3_000_000)
  expect(most).toBeGreaterThan(4 * KEPT)
  expect(client.connection!.ring.capacity).toBeLessThanOrEqual(KEPT)
})

it("a ring that was emptied begins anew, wherever the stream stands", () => {
  const ring = new ByteRing()
  ring.reserve(3 * KEPT, 0x7fff_ff00, 0)
  ring.write(0x7fff_ff00, Uint8Array.of(1, 2, 3), 0, 3)
  ring.emptied()
  expect(ring.capacity).toBe(0)
  ring.reserve(3, -7, 0)
  ring.write(-7, Uint8Array.of(4, 5, 6), 0, 3)
  ring.emptied()
  const into = new Uint8Array(3)
  ring.read(-7, into, 0, 3)
  expect([...into]).toEqual([4, 5, 6])
})
