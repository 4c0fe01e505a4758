/** What a bridge does with a frame, as one picture: who got what, in which order, and how the rest ended. */
import { Engine } from "@podwire/engine"
import {
  addTap, Bridge, BridgePort, DETACHED, dropReasonName, Errno, FdbKind, type Frame, FramePool, type NetDevice,
  PORTS_MAX, Veth
} from "@podwire/netdev"
import { set16, set32 } from "@podwire/wire/bytes"
import { of, hi, lo, parse } from "@podwire/wire/mac"
import { beforeEach, expect, it } from "vitest"

const BROADCAST = "ff:ff:ff:ff:ff:ff"
let engine: Engine
let pool: FramePool
let bridge: Bridge
let log: Array<string>
const pods: Array<Veth> = []
const inside: Array<Veth> = []

const pod = (i: number) => `02:00:00:00:00:a${i}`
const outer = (i: number) => `02:00:00:00:00:0${i}`

function connect(i: number): BridgePort {
  const [end, port] = Veth.pair(engine, pool, `pod${i}`, parse(pod(i))!, `port${i}`, parse(outer(i))!)
  end.up = port.up = true
  end.handler = { receive(dev, frame) {
    log.push(`${dev.name} got ${describe(frame)}`)
    pool.free(frame)
  } }
  pods[i] = end
  inside[i] = port
  expect(bridge.addPort(port)).toBe(Errno.OK)
  return bridge.port(port)!
}

function describe(frame: Frame): string {
  const { bytes, head } = frame
  const last = (at: number) => bytes[head + at]!.toString(16).padStart(2, "0")
  return `${last(6 + 5)}>${last(5)} ${frame.length}`
}

function send(dev: NetDevice, src: string, dst: string, length = 60): string {
  log = []
  const frame = pool.alloc(length)!
  const { bytes, head } = frame
  set16(bytes, head, hi(parse(dst)!))
  set32(bytes, head + 2, lo(parse(dst)!))
  set16(bytes, head + 6, hi(parse(src)!))
  set32(bytes, head + 8, lo(parse(src)!))
  frame.tail = head + length
  dev.xmit(frame)
  engine.advance(engine.nowNs, 1e6)
  expect([pool.inFlight, pool.leaks(), pool.balance()]).toEqual([0, [], null])
  return log.join("\n")
}

const fdb = () => bridge.fdb.list(engine.nowNs)
  .map(({ mac, port, kind }) => `${of(0, mac).toString(16)} ${port < 0 ? "br0" : `port${port}`} ${["learned", "local", "static", "sticky"][kind]}`)

beforeEach(() => {
  engine = new Engine(7)
  pool = new FramePool(engine)
  pool.observer = { dropped: (frame, reason, dev) => void log.push(`${dev?.name ?? "-"} dropped ${describe(frame)} ${dropReasonName(reason)}`) }
  bridge = new Bridge(engine, pool, "br0")
  bridge.up = true
  bridge.handler = { receive(dev, frame) {
    log.push(`${dev.name} got ${describe(frame)}`)
    pool.free(frame)
  } }
  for (const i of [1, 2, 3]) connect(i)
})

it("12: broadcast, multicast and unknown unicast leave by every other port, newest first, then groups go up", () => {
  // Devices receive from the backlog in the order in which the bridge sent; the bridge's own copy goes up at once.
  expect(send(pods[1]!, pod(1), BROADCAST)).toBe("br0 got a1>ff 60\npod3 got a1>ff 60\npod2 got a1>ff 60")
  expect(send(pods[1]!, pod(1), "33:33:00:00:00:01")).toBe("br0 got a1>01 60\npod3 got a1>01 60\npod2 got a1>01 60")
  expect(send(pods[1]!, pod(1), "02:00:00:00:00:ee")).toBe("pod3 got a1>ee 60\npod2 got a1>ee 60")
  expect(send(bridge, outer(1), BROADCAST)).toBe("pod3 got 01>ff 60\npod2 got 01>ff 60\npod1 got 01>ff 60")
})

it("12: on the wire the order of ports is newest first and the bridge device last", () => {
  const order: Array<string> = []
  for (const dev of [...inside.filter(Boolean), bridge]) addTap(dev, { see: ({ name }, direction) => void order.push(`${name}${direction === 1 ? "<" : ">"}`) })
  send(pods[2]!, pod(2), BROADCAST)
  expect(order.join(" ")).toBe("port2< port3> port1> br0<")
})

it("13: a frame for the port that it came from ends, unless the port is a hairpin; then also floods come back", () => {
  send(pods[1]!, pod(1), BROADCAST)
  expect(send(pods[1]!, pod(1), pod(1))).toBe("port1 dropped a1>a1 60 BRIDGE_SAME_PORT")
  bridge.port(inside[1]!)!.hairpin = true
  expect(send(pods[1]!, pod(1), pod(1))).toBe("pod1 got a1>a1 60")
  expect(send(pods[1]!, pod(1), BROADCAST)).toBe("br0 got a1>ff 60\npod3 got a1>ff 60\npod2 got a1>ff 60\npod1 got a1>ff 60")
  expect(send(pods[1]!, pod(1), "02:00:00:00:00:ee")).toBe("pod3 got a1>ee 60\npod2 got a1>ee 60\npod1 got a1>ee 60")
})

it("14: reserved groups, invalid sources, own source", () => {
  expect(send(pods[1]!, pod(1), "01:80:c2:00:00:00")).toBe("br0 got a1>00 60\npod3 got a1>00 60\npod2 got a1>00 60")
  expect(send(pods[1]!, pod(1), "01:80:c2:00:00:01")).toBe("port1 dropped a1>01 60 BRIDGE_LINK_LOCAL")
  expect(send(pods[1]!, pod(1), "01:80:c2:00:00:0e")).toBe("port1 dropped a1>0e 60 BRIDGE_LINK_LOCAL")
  expect(send(pods[1]!, pod(1), "01:80:c2:00:00:10")).toBe("br0 got a1>10 60\npod3 got a1>10 60\npod2 got a1>10 60")
  expect(send(pods[1]!, "03:00:00:00:00:a1", BROADCAST)).toBe("port1 dropped a1>ff 60 MAC_INVALID_SOURCE")
  expect(send(pods[1]!, "00:00:00:00:00:00", BROADCAST)).toBe("port1 dropped 00>ff 60 MAC_INVALID_SOURCE")
  expect(send(pods[2]!, outer(1), pod(1))).toBe("pod1 got 01>a1 60")
})

it("14: LLDP teaches its source all the same, a pause frame does not; a mask lets LLDP through, not STP or LACP", () => {
  send(pods[1]!, pod(8), "01:80:c2:00:00:01")
  send(pods[1]!, pod(9), "01:80:c2:00:00:0e")
  expect(fdb().filter((line) => line.endsWith("learned"))).toEqual(["a9 port1 learned"])
  expect(bridge.setGroupForwardMask(0x0004)).toBe(Errno.EINVAL)
  expect(bridge.setGroupForwardMask(0x4000)).toBe(Errno.OK)
  expect(send(pods[1]!, pod(1), "01:80:c2:00:00:0e")).toBe("br0 got a1>0e 60\npod3 got a1>0e 60\npod2 got a1>0e 60")
  bridge.port(inside[1]!)!.groupForwardMask = 0x0008
  expect(send(pods[1]!, pod(1), "01:80:c2:00:00:03")).toBe("br0 got a1>03 60\npod3 got a1>03 60\npod2 got a1>03 60")
})

it("15: the MAC of any port, and the bridge's own, is the bridge device's business", () => {
  for (const i of [1, 2, 3]) expect(send(pods[3]!, pod(3), outer(i))).toBe(`br0 got a3>0${i} 60`)
  expect(send(bridge, outer(1), outer(2))).toBe("pod2 got 01>02 60")
  bridge.setMac(parse("02:00:00:00:00:77")!)
  expect(send(pods[3]!, pod(3), "02:00:00:00:00:77")).toBe("br0 got a3>77 60")
  expect(send(bridge, outer(1), "02:00:00:00:00:77")).toBe("br0 dropped 01>77 60 BRIDGE_NO_EGRESS")
})

it("16: an address moves with its first frame, ages after 300 s, and goes with its port", () => {
  send(pods[1]!, pod(1), BROADCAST)
  expect(send(pods[2]!, pod(2), pod(1))).toBe("pod1 got a2>a1 60")
  send(pods[3]!, pod(1), BROADCAST)
  expect(send(pods[2]!, pod(2), pod(1))).toBe("pod3 got a2>a1 60")
  engine.advance(299_999_999_999, 1)
  expect(send(pods[2]!, pod(2), pod(1))).toBe("pod3 got a2>a1 60")
  engine.advance(300_000_000_000, 1)
  expect(send(pods[2]!, pod(2), pod(1))).toBe("pod3 got a2>a1 60\npod1 got a2>a1 60")
  send(pods[1]!, pod(1), BROADCAST)
  bridge.removePort(inside[1]!, DETACHED)
  expect(fdb()).toEqual(["2 port2 local", "3 port3 local", "a2 port2 learned"])
  expect(send(pods[2]!, pod(2), pod(1))).toBe("pod3 got a2>a1 60")
  expect(send(pods[1]!, pod(1), BROADCAST)).toBe("port1 dropped a1>ff 60 DEV_DETACHED")
})

it("16: a port that goes down forgets what was learnt there, not what was entered, and gets nothing", () => {
  send(pods[1]!, pod(1), BROADCAST)
  expect(bridge.addFdb(parse(pod(8))!, inside[1]!)).toBe(Errno.OK)
  expect(bridge.addFdb(parse(pod(8))!, inside[2]!)).toBe(Errno.EEXIST)
  expect(bridge.addFdb(parse(pod(9))!, inside[1]!, FdbKind.Learned)).toBe(Errno.OK)
  inside[1]!.up = false
  expect(fdb()).toEqual(["1 port1 local", "2 port2 local", "3 port3 local", "a8 port1 static"])
  expect(send(pods[2]!, pod(2), BROADCAST)).toBe("br0 got a2>ff 60\npod3 got a2>ff 60")
  expect(send(pods[2]!, pod(2), pod(8))).toBe("port2 dropped a2>a8 60 BRIDGE_NO_EGRESS")
  expect([bridge.delFdb(parse(pod(8))!), bridge.delFdb(parse(pod(8))!)]).toEqual([Errno.OK, Errno.ENOENT])
  bridge.up = false
  expect(send(pods[2]!, pod(2), BROADCAST)).toBe("port2 dropped a2>ff 60 BRIDGE_INGRESS_STP_STATE")
})

it("16: a port that does not learn floods on, and known addresses still reach it", () => {
  bridge.port(inside[1]!)!.learning = false
  send(pods[1]!, pod(1), BROADCAST)
  expect(send(pods[2]!, pod(2), pod(1))).toBe("pod3 got a2>a1 60\npod1 got a2>a1 60")
})

it("17: MAC is the lowest, MTU the smallest, carrier that of any port, until somebody sets them", () => {
  const state = () => `${bridge.mac.toString(16).slice(-2)} ${bridge.mtu} ${bridge.carrier}`
  expect(state()).toBe("01 1500 true")
  inside[2]!.mtu = 1400
  inside[3]!.setMac(parse("02:00:00:00:00:00")!)
  expect(state()).toBe("00 1400 true")
  expect(send(pods[1]!, pod(1), "02:00:00:00:00:00")).toBe("br0 got a1>00 60")
  inside[3]!.setMac(parse("02:00:00:00:00:05")!)
  expect([state(), send(pods[1]!, pod(1), "02:00:00:00:00:00")]).toEqual(["01 1400 true", "pod3 got a1>00 60\npod2 got a1>00 60"])
  inside[1]!.up = inside[2]!.up = false
  expect(state()).toBe("01 1400 true")
  inside[3]!.up = false
  expect(state()).toBe("01 1400 false")
  inside[3]!.up = true
  for (const i of [1, 2]) bridge.removePort(inside[i]!, DETACHED)
  expect(state()).toBe("05 1500 true")
  bridge.removePort(inside[3]!, DETACHED)
  expect(state()).toBe("0 1500 false")
  bridge.mtu = 1600
  bridge.setMac(parse("02:00:00:00:00:77")!)
  expect(bridge.addPort(inside[1]!)).toBe(Errno.OK)
  expect(state()).toBe("77 1600 false")
})

it("18: what is longer than the outgoing port's MTU and a tag vanishes; shorter ports do not shorten others", () => {
  inside[2]!.mtu = 1396
  pods[2]!.mtu = 1396
  const lengths = (length: number) => send(pods[1]!, pod(1), BROADCAST, length).split("\n").map((line) => line.split(" ").slice(0, 2).join(" ") + (line.includes("TOO_BIG") ? " (too big)" : ""))
  expect(lengths(1414)).toEqual(["br0 got", "pod3 got", "pod2 got"])
  expect(lengths(1415)).toEqual(["port2 dropped (too big)", "br0 got", "pod3 got"])
  expect(inside[2]!.stats.txDropped).toBe(1)
  // A veth's end does not take what its own MTU does not allow, whoever sent it.
  pods[3]!.mtu = 1000
  expect(lengths(1414)).toEqual(["pod3 dropped (too big)", "br0 got", "pod2 got"])
})

it("floods honour the port's flags, except what the bridge itself sends to a group", () => {
  const port = bridge.port(inside[1]!)!
  port.flood = port.broadcastFlood = port.multicastFlood = false
  expect(send(pods[2]!, pod(2), BROADCAST)).toBe("br0 got a2>ff 60\npod3 got a2>ff 60")
  expect(send(pods[2]!, pod(2), "33:33:00:00:00:01")).toBe("br0 got a2>01 60\npod3 got a2>01 60")
  expect(send(pods[2]!, pod(2), "02:00:00:00:00:ee")).toBe("pod3 got a2>ee 60")
  expect(send(bridge, outer(1), BROADCAST)).toBe("pod3 got 01>ff 60\npod2 got 01>ff 60\npod1 got 01>ff 60")
  expect(send(bridge, outer(1), "02:00:00:00:00:ee")).toBe("pod3 got 01>ee 60\npod2 got 01>ee 60")
})

it("isolated ports reach the others and the bridge, not each other", () => {
  bridge.port(inside[1]!)!.isolated = bridge.port(inside[2]!)!.isolated = true
  expect(send(pods[1]!, pod(1), BROADCAST)).toBe("br0 got a1>ff 60\npod3 got a1>ff 60")
  expect(send(pods[2]!, pod(2), pod(1))).toBe("port2 dropped a2>a1 60 BRIDGE_ISOLATED")
  expect(send(pods[3]!, pod(3), pod(1))).toBe("pod1 got a3>a1 60")
})

it("what may be a port, and how many", () => {
  expect(bridge.addPort(inside[1]!)).toBe(Errno.EBUSY)
  expect(bridge.addPort(new Bridge(engine, pool, "br1"))).toBe(Errno.ELOOP)
  expect(bridge.removePort(pods[1]!, DETACHED)).toBe(Errno.EINVAL)
  const full = new Bridge(engine, pool, "full")
  const devices = Array.from({ length: PORTS_MAX + 1 }, (_, i) => Veth.pair(engine, pool, "a", i + 1, "b", 0x1000 + i)[0])
  expect(devices.map((dev) => full.addPort(dev)).filter((errno) => errno !== Errno.OK)).toEqual([Errno.EXFULL])
  // A number that is free again is given again.
  full.removePort(devices[5]!, DETACHED)
  expect([full.addPort(devices[PORTS_MAX]!), full.port(devices[PORTS_MAX]!)!.number]).toEqual([Errno.OK, 6])
})

it("a port whose device is destroyed is no port any more; a destroyed bridge lets its ports go", () => {
  pods[1]!.destroy()
  expect(bridge.ports().map(({ dev }) => dev.name)).toEqual(["port2", "port3"])
  bridge.destroy()
  expect([inside[2]!.master, inside[2]!.masterPort]).toEqual([null, 0])
  expect(send(pods[2]!, pod(2), BROADCAST)).toBe("port2 dropped a2>ff 60 DEV_DETACHED")
})
