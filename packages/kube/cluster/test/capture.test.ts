import { Engine } from "@podwire/engine"
import {
  addTap, Bridge, Checksum, DropReason, Dummy, type Frame, FramePool, Loopback, type NetDevice, Nic, Veth, Vlan
} from "@podwire/netdev"
import { finish, pseudo4, pseudo6 } from "@podwire/wire/checksum"
import { set16 } from "@podwire/wire/bytes"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as ipproto from "@podwire/wire/ipproto"
import type { Ip } from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import * as udp from "@podwire/wire/udp"
import { type CaptureFile, readCapture } from "pcap-writer"
import { expect, it } from "vitest"
import { EPOCH_SECONDS } from "@podwire/api"
import { Capture, type CaptureOptions } from "../src/capture.ts"

/** Captures carry the date of virtual time; tests read nanoseconds of the run. */
function sinceEpoch(seconds: number, nanoseconds: number): number {
  return (seconds - EPOCH_SECONDS) * 1e9 + nanoseconds
}

/** Statistics are read as one number, which is exact to 256 ns today. */
function nearEpoch(ns: number): number {
  return Math.round((ns - EPOCH_SECONDS * 1e9) / 1000) * 1000
}

class World {
  readonly engine = new Engine(7)
  readonly pool = new FramePool(this.engine)
  readonly files = new Map<string, Array<Buffer>>()
  readonly capture: Capture

  constructor(options: CaptureOptions = {}) {
    this.capture = new Capture(this.engine, (name, format) => {
      const chunks: Array<Buffer> = []
      expect(this.files.has(`${name}.${format}`)).toBe(false)
      this.files.set(`${name}.${format}`, chunks)
      return { write: (chunk) => void chunks.push(Buffer.from(chunk)) }
    }, options)
    this.pool.observer = this.capture
  }

  attach<D extends NetDevice>(dev: D, ns: string): D {
    dev.ns = ns
    dev.up = true
    addTap(dev, this.capture)
    return dev
  }

  dummy(ns: string, name: string, mac = 0x020000000009): Dummy {
    return this.attach(new Dummy(this.engine, this.pool, name, mac), ns)
  }

  file(name: string): CaptureFile {
    const file = readCapture(new Uint8Array(Buffer.concat(this.files.get(name)!)))
    expect(file.fault).toBe(null)
    return file
  }

  /** As a person would list it. */
  list(name: string): string {
    const { packets, statistics } = this.file(name)
    return [
      ...packets.map(({ interface: on, seconds, nanoseconds, flags, packetId, bytes, comments }) =>
        [`${on.name} ${sinceEpoch(seconds, nanoseconds)} flags=${flags} id=${packetId} ${bytes.length} bytes`,
          ...comments.map((text) => `"${text}"`)].join(" ")),
      ...statistics.map(({ interface: on, startNs, endNs, received }) =>
        `statistics ${on.name} ${nearEpoch(startNs!)}-${nearEpoch(endNs!)} received=${received}`)
    ].join("\n")
  }
}

interface Build {
  readonly v6?: boolean
  readonly protocol?: number
  /** Leave the checksum to hardware, as for a local packet. */
  readonly partial?: boolean
  /** Ethernet's padding after the packet. */
  readonly padding?: number
}

const SRC = 0x0a000001
const DST = 0x0a000002
const SRC6: Ip = [0xfd000010, 0, 0, 1] as unknown as Ip
const DST6: Ip = [0xfd000010, 0, 0, 2] as unknown as Ip

/** UDP or TCP with five bytes of data from port 1000 to 2000. */
function packet(
  pool: FramePool, { v6 = false, protocol = ipproto.UDP, partial = false, padding = 0 }: Build = {}
): Frame {
  const frame = pool.alloc()!
  const { bytes, head } = frame
  bytes.fill(0, head, head + 200)
  eth.setDst(bytes, head, 0x0200, 2)
  eth.setSrc(bytes, head, 0x0200, 1)
  frame.protocol = v6 ? ethertype.IPV6 : ethertype.IPV4
  eth.setEtherType(bytes, head, frame.protocol)
  const l3 = head + eth.HEADER_BYTES
  const l4 = l3 + (v6 ? 40 : 20)
  const length = (protocol === ipproto.UDP ? 8 : 20) + 5
  if (v6) ipv6.writeHeader(bytes, l3, 0, 0, length, protocol, 64, SRC6, DST6)
  else ipv4.writeHeader(bytes, l3, 0, 20 + length, 1, 0, 64, protocol, SRC, DST)
  if (protocol === ipproto.UDP) udp.writeHeader(bytes, l4, 1000, 2000, length)
  else tcp.writeHeader(bytes, l4, 1000, 2000, 1, 2, 20, 0x18, 100)
  bytes.set([1, 2, 3, 4, 5], l4 + length - 5)
  const { finishChecksum4, finishChecksum6 } = protocol === ipproto.UDP ? udp : tcp
  if (partial) {
    const pseudo = v6
      ? pseudo6(bytes, l3 + 8, l3 + 24, protocol, length)
      : pseudo4(SRC, DST, protocol, length)
    set16(bytes, l4 + (protocol === ipproto.UDP ? 6 : 16), ~finish(pseudo) & 0xffff)
    frame.csum = Checksum.Partial
  } else if (v6) finishChecksum6(bytes, l4, l4 + length, l3)
  else finishChecksum4(bytes, l4, l4 + length, SRC, DST)
  bytes.fill(0xee, l4 + length, l4 + length + padding)
  frame.tail = l4 + length + padding
  return frame
}

it("a packet has one number at every hop, a direction, and its place in the order of time", () => {
  const world = new World()
  const [a, b] = Veth.pair(world.engine, world.pool, "veth1", 0x020000000001, "eth0", 0x020000000002)
  world.attach(a, "node1")
  world.attach(b, "default/web-0").handler = { receive: (_, frame) => world.pool.free(frame) }
  a.xmit(packet(world.pool))
  world.engine.advance(1_000, 100)
  world.engine.advance(2_000, 100)
  b.xmit(packet(world.pool, { v6: true }))
  world.engine.advance(5_000, 100)
  world.capture.close()
  expect([...world.files.keys()]).toEqual(
    ["all.pcapng", "node1/veth1.pcapng", "default/web-0/eth0.pcapng", "node1/drop.pcapng"])
  expect(world.list("all.pcapng")).toBe(`\
node1/veth1 0 flags=2 id=1 47 bytes
default/web-0/eth0 0 flags=1 id=1 47 bytes
default/web-0/eth0 2000 flags=2 id=2 67 bytes
node1/veth1 2000 flags=1 id=2 67 bytes
node1/drop 2000 flags=0 id=2 67 bytes "DEV_DETACHED on veth1"
statistics node1/veth1 0-5000 received=2
statistics default/web-0/eth0 0-5000 received=2
statistics node1/drop 2000-5000 received=1`)
})

it("interfaces say what they are", () => {
  const world = new World()
  world.dummy("node1", "dummy0").xmit(packet(world.pool))
  world.pool.drop(packet(world.pool), DropReason.NO_SOCKET, null)
  world.capture.close()
  const { interfaces, sections } = world.file("all.pcapng")
  expect(sections.map((section) => section.application)).toEqual(["Podwire"])
  expect(interfaces.map(({ name, description, mac }) => [name, description, mac])).toEqual([
    ["node1/dummy0", "dummy", 0x020000000009], ["nowhere/drop", "frames that ended inside, and why", null]
  ])
  for (const found of interfaces) {
    expect(found).toMatchObject({ linkType: 1, snapLength: 0, unitsPerSecond: 1e9 })
  }
})

it("a checksum left to hardware is finished in the copy, without padding, and only there", () => {
  for (const v6 of [false, true]) {
    for (const protocol of [ipproto.UDP, ipproto.TCP]) {
      for (const [known, padding] of [[false, 0], [true, 7]] as const) {
        const world = new World()
        const dev = world.dummy("node1", "lo")
        const frame = packet(world.pool, { v6, protocol, partial: true, padding })
        if (known) {
          frame.l4 = frame.head + eth.HEADER_BYTES + (v6 ? 40 : 20)
          frame.l4Protocol = protocol
        }
        const before = frame.bytes.slice()
        const whole = packet(world.pool, { v6, protocol, padding })
        const want = Buffer.from(whole.bytes.slice(whole.head, whole.tail)).toString("hex")
        dev.xmit(frame)
        expect(frame.bytes).toEqual(before)
        world.capture.flush()
        expect(Buffer.from(world.file("node1/lo.pcapng").packets[0]!.bytes).toString("hex")).toBe(want)
      }
    }
  }
})

it("rawChecksums keeps Linux's bytes and says that the checksum is not ready", () => {
  const world = new World({ rawChecksums: true })
  const frame = packet(world.pool, { partial: true })
  const want = [...frame.bytes.subarray(frame.head, frame.tail)]
  world.dummy("node1", "lo").xmit(frame)
  world.capture.flush()
  const [got] = world.file("node1/lo.pcapng").packets
  expect([[...got!.bytes], got!.flags]).toEqual([want, 2 | 512])
})

it("on every device a left checksum is finished; raw bytes stay open until the packet has come over a wire", () => {
  for (const rawChecksums of [false, true]) {
    for (const v6 of [false, true]) {
      const world = new World({ rawChecksums })
      const { engine, pool } = world
      const [inside, outside] = Veth.pair(engine, pool, "eth0", 0x0a, "veth1", 0x0b)
      const bridge = world.attach(new Bridge(engine, pool, "cni0"), "node1")
      world.attach(inside, "pod")
      bridge.addPort(world.attach(outside, "node1"))
      const card = new Nic(engine, pool, "eth0", 0x0c)
      const tagged = new Vlan("eth0.7", card, 7)
      const other = world.attach(new Nic(engine, pool, "eth0", 0x0d), "node2")
      world.attach(card, "node1")
      bridge.addPort(world.attach(tagged, "node1"))
      card.wire = { send: (_, frame) => engine.soon(other, frame) }
      other.handler = { receive: (dev, frame) => pool.drop(frame, DropReason.NO_SOCKET, dev) }
      const [open, whole] = [true, false].map((partial) => {
        const frame = packet(pool, { v6, protocol: ipproto.TCP, partial })
        const text = Buffer.from(frame.bytes.slice(frame.head + 12, frame.tail)).toString("hex")
        if (partial) inside.xmit(frame)
        else pool.free(frame)
        return text
      })
      engine.advance(1, 100)
      world.capture.flush()
      const seen = world.file("all.pcapng").packets.map(({ interface: on, flags, bytes }) => {
        const text = Buffer.from(bytes.subarray(12)).toString("hex").replace(/^81000007/, "")
        return `${on.name} ${flags! & 512} ${text === open ? "open" : text === whole ? "whole" : text}`
      })
      const before = rawChecksums ? "512 open" : "0 whole"
      expect(seen).toEqual([
        `pod/eth0 ${before}`, `node1/veth1 ${before}`, `node1/eth0.7 ${before}`, `node1/eth0 ${before}`,
        "node2/eth0 0 whole", "node2/drop 0 whole"
      ])
    }
  }
})

it("dead frames stand on an interface of their own with reason and device; corrupted ones say so", () => {
  const world = new World()
  const dev = world.dummy("node1", "eth0")
  dev.up = false
  dev.xmit(packet(world.pool))
  dev.up = true
  const broken = packet(world.pool)
  broken.corrupted = true
  dev.xmit(broken)
  const again = packet(world.pool)
  again.corrupted = true
  world.pool.drop(again, DropReason.IP_CSUM, dev)
  // Never got an Ethernet header: what stood in the buffer before must not be taken for one.
  const bare = packet(world.pool, { v6: true })
  bare.l3 = bare.head + eth.HEADER_BYTES
  bare.bytes.fill(0x77, bare.head, bare.l3)
  world.pool.drop(bare, DropReason.IP_OUTNOROUTES, null)
  world.capture.flush()
  expect(world.list("all.pcapng")).toBe(`\
node1/drop 0 flags=0 id=1 47 bytes "DEV_READY on eth0"
node1/eth0 0 flags=2 id=2 47 bytes "corrupted: a link fault changed this frame"
node1/drop 0 flags=0 id=3 47 bytes "IP_CSUM on eth0; corrupted: a link fault changed this frame"
nowhere/drop 0 flags=0 id=4 67 bytes "IP_OUTNOROUTES"`)
  expect(Buffer.from(world.file("nowhere/drop.pcapng").packets[0]!.bytes.subarray(0, 14)).toString("hex"))
    .toBe("000000000000" + "000000000000" + "86dd")
})

it("options: classic files, no common file, only the common file, some devices, comments", () => {
  const files = (options: CaptureOptions) => {
    const world = new World(options)
    world.dummy("node1", "eth0").xmit(packet(world.pool))
    world.dummy("node2", "eth0").xmit(packet(world.pool))
    world.pool.drop(packet(world.pool), DropReason.NO_SOCKET, null)
    world.capture.close()
    return [...world.files.keys()].map((name) => {
      const { format, packets } = world.file(name)
      return `${name}=${format}:${packets.map((one) => one.comments.join()).join("|")}`
    }).join(" ")
  }
  expect(files({ classic: true })).toBe("all.pcapng=pcapng:||NO_SOCKET node1/eth0.pcap=pcap: " +
    "node2/eth0.pcap=pcap: nowhere/drop.pcapng=pcapng:NO_SOCKET")
  expect(files({ all: false })).toBe(
    "node1/eth0.pcapng=pcapng: node2/eth0.pcapng=pcapng: nowhere/drop.pcapng=pcapng:NO_SOCKET")
  expect(files({ devices: false })).toBe("all.pcapng=pcapng:||NO_SOCKET")
  expect(files({ only: (name) => name === "node2/eth0" }))
    .toBe("all.pcapng=pcapng: node2/eth0.pcapng=pcapng:")
  const comment = (dev: NetDevice, direction: number) => dev.ns === "node1" ? `DNAT ${direction}` : ""
  expect(files({ devices: false, comment })).toBe(
    "all.pcapng=pcapng:DNAT 2||NO_SOCKET")
})

it("a device that is renamed is a new interface; one that comes back goes on in its file", () => {
  const world = new World()
  const first = world.dummy("default/web-0", "eth0", 1)
  first.xmit(packet(world.pool))
  first.name = "eth1"
  first.xmit(packet(world.pool))
  world.dummy("default/web-0", "eth0", 1).xmit(packet(world.pool))
  const third = world.dummy("default/web-0", "eth0", 2)
  third.xmit(packet(world.pool))
  third.setMac(3)
  third.xmit(packet(world.pool))
  world.capture.close()
  expect([...world.files.keys()]).toEqual(
    ["all.pcapng", "default/web-0/eth0.pcapng", "default/web-0/eth1.pcapng"])
  expect(world.file("default/web-0/eth0.pcapng").packets.map(({ interface: on }) => [on.id, on.mac]))
    .toEqual([[0, 1], [0, 1], [1, 2], [2, 3]])
})

it("what leaves lo is seen once, when it comes back", () => {
  const world = new World()
  const lo = world.attach(new Loopback(world.engine, world.pool), "node1")
  lo.xmit(packet(world.pool, { partial: true }))
  world.engine.advance(10, 10)
  world.capture.flush()
  expect(world.list("node1/lo.pcapng")).toBe("node1/lo 0 flags=1 id=1 47 bytes")
})

it("a device called drop shares the file of dead frames, not their interface", () => {
  const world = new World({ classic: true })
  world.dummy("node1", "drop").xmit(packet(world.pool))
  world.pool.drop(packet(world.pool), DropReason.NO_SOCKET, world.dummy("node1", "eth0"))
  world.capture.close()
  const { packets } = world.file("node1/drop.pcapng")
  expect(packets.map(({ interface: on, comments }) => [on.id, on.mac, ...comments])).toEqual(
    [[0, 0x020000000009], [1, null, "NO_SOCKET on eth0"]])
})

it("what comes after close is not written, and closing again changes nothing", () => {
  const world = new World()
  const dev = world.dummy("node1", "eth0")
  dev.xmit(packet(world.pool))
  world.capture.close()
  const before = Buffer.concat(world.files.get("all.pcapng")!).length
  dev.xmit(packet(world.pool))
  world.capture.close()
  world.capture.flush()
  expect([Buffer.concat(world.files.get("all.pcapng")!).length, world.capture.frames]).toEqual([before, 1])
})

it("nothing is kept for each frame", () => {
  let bytes = 0
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const capture = new Capture(engine, () => ({ write: (chunk) => void (bytes += chunk.length) }))
  const dev = new Dummy(engine, pool, "eth0", 1)
  dev.ns = "node1"
  dev.up = true
  addTap(dev, capture)
  const send = (count: number) => {
    for (let i = 0; i < count; i++) dev.xmit(packet(pool))
    return process.memoryUsage().arrayBuffers
  }
  const before = send(1_000)
  const after = send(20_000)
  expect(bytes).toBeGreaterThan(20_000 * 2 * 100)
  expect(after - before).toBeLessThan(bytes / 4)
})
