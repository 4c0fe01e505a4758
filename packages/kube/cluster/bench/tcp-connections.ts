/**
 * Whole connections from a pod to a pod on the other node: connect, one request of 100 octets, one answer
 * of 100, close; and what a connection costs that is established and silent.
 */
import { assert } from "@podwire/engine"
import type { TcpSocket } from "@podwire/tcp"
import { cpuNs, figure, RUNS, say, small } from "./figure.ts"
import { TcpPods } from "./tcp-pods.ts"

const CONNECTIONS = small() ? 200 : 10_000
const AT_ONCE = 64
const IDLE = small() ? 200 : 10_000
const REQUEST = new Uint8Array(100).fill(0x72)

const pods = new TcpPods(4)
const into = new Uint8Array(4096)
const idle: Array<TcpSocket> = []
let keeps = false

pods.listen(4096, (socket) => {
  if (keeps) {
    idle.push(socket)
    return
  }
  socket.wake = () => {
    for (;;) {
      const count = socket.recv(into)
      if (count > 0) socket.send(REQUEST)
      else {
        if (count === 0) socket.close()
        return
      }
    }
  }
  socket.wake(socket)
})

/** One after the other in each of AT_ONCE lanes; ports in TIME_WAIT come free as virtual time goes on. */
function connections(count: number): void {
  let begun = 0
  let done = 0
  const next = () => {
    if (begun >= count) return
    begun++
    const socket = pods.connect()
    let sent = false
    socket.wake = () => {
      if (!sent && socket.writable) {
        sent = socket.send(REQUEST) > 0
        return
      }
      if (socket.recv(into) > 0) {
        socket.close()
        done++
        next()
      }
    }
  }
  for (let lane = 0; lane < AT_ONCE; lane++) next()
  pods.until(() => done === count)
  const { engine } = pods.cluster
  engine.advance(engine.nowNs + 65_000_000_000, Infinity)
}

connections(CONNECTIONS / 4)
const samples: Array<number> = []
for (let run = 0; run < RUNS; run++) samples.push(cpuNs(() => connections(CONNECTIONS)) / CONNECTIONS)
const checksum = pods.checksum

const collect = globalThis.gc
const heap = () => {
  for (let i = 0; i < 3; i++) collect?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
keeps = true
const before = heap()
const clients: Array<TcpSocket> = []
for (let i = 0; i < IDLE; i++) {
  clients.push(pods.connect())
  if (i % AT_ONCE === 0) pods.until(() => idle.length > i)
}
pods.until(() => idle.length === IDLE)
const bytes = (heap() - before) / (2 * IDLE)
assert(clients.every((socket) => socket.state === 1), "all connections stand")

say("tcp-connections", checksum, [
  figure("connect, request, answer, close", "us", samples.map((ns) => ns / 1000)),
  figure("connections per second of CPU", "1/s", samples.map((ns) => 1e9 / ns)),
  ...collect === undefined ? [] : [figure("memory of an idle connection, one end", "B", [bytes])]
])
