/** A flood is as if each port had been sent a frame of its own, and needs one buffer. */
import { Engine } from "@podwire/engine"
import { Bridge, FramePool, Nic, Veth } from "@podwire/netdev"
import { expect, it } from "vitest"

const PORTS = 600

function rig() {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const bridge = new Bridge(engine, pool, "br0")
  bridge.up = true
  const log: Array<string> = []
  const broadcast = (from: Veth) => {
    const frame = pool.alloc(60)!
    frame.bytes.fill(0xff, frame.head, frame.head + 6).fill(2, frame.head + 6, frame.head + 60)
    frame.tail = frame.head + 60
    frame.mark = 9
    from.xmit(frame)
  }
  const connect = (i: number) => {
    const [end, port] = Veth.pair(engine, pool, `pod${i}`, 0x020000000000 + i, `port${i}`, 0x020000010000 + i)
    end.up = port.up = true
    end.handler = { receive(dev, frame) {
      log.push(`${dev.name} ${frame.id} ${frame.mark} ${frame.length}`)
      // What a receiver does to its frame is nobody else's business.
      frame.bytes.fill(0, frame.head, frame.tail)
      frame.mark = 1
      pool.free(frame)
    } }
    bridge.addPort(port)
    return end
  }
  return { engine, pool, bridge, log, broadcast, connect }
}

it("newest port first, each with bytes and knowledge of its own, all with the packet's number", () => {
  const { engine, pool, log, broadcast, connect } = rig()
  const [from] = [1, 2, 3, 4].map(connect)
  broadcast(from!)
  engine.advance(0, 1e6)
  expect(log).toEqual(["pod4 1 0 60", "pod3 1 0 60", "pod2 1 0 60"])
  broadcast(from!)
  engine.advance(0, 1e6)
  expect(log.slice(3)).toEqual(["pod4 2 0 60", "pod3 2 0 60", "pod2 2 0 60"])
  expect([pool.inFlight, pool.leaks(), pool.balance()]).toEqual([0, [], null])
})

it("a port that is no veth, one without a peer, and one that went down on the way", () => {
  const { engine, pool, bridge, log, broadcast, connect } = rig()
  const [from, second, third] = [1, 2, 3].map(connect)
  const nic = new Nic(engine, pool, "eth0", 0x020000020000)
  nic.up = true
  nic.wire = { send(_, frame) {
    log.push(`wire ${frame.id}`)
    pool.free(frame)
  } }
  bridge.addPort(nic)
  connect(4)
  third!.up = false
  broadcast(from!)
  engine.advance(0, 1)
  second!.up = false
  engine.advance(0, 1e6)
  expect(log).toEqual(["wire 1", "pod4 1 0 60"])
  expect(second!.stats.rxDropped).toBe(1)
  expect([pool.inFlight, pool.leaks(), pool.balance()]).toEqual([0, [], null])
})

it("a broadcast from each of hundreds of ports at once takes hundreds of buffers, not their square", () => {
  const { engine, pool, log, broadcast, connect } = rig()
  const ends = Array.from({ length: PORTS }, (_, i) => connect(i))
  let most = 0
  for (const end of ends) broadcast(end)
  while (engine.nextNs === 0) {
    engine.advance(0, 1)
    most = Math.max(most, pool.inFlight)
  }
  expect(log.length).toBe(PORTS * (PORTS - 1))
  expect([pool.exhausted, most < 3 * PORTS]).toEqual([0, true])
})
