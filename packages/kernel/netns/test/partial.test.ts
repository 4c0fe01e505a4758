/**
 * Checksums left to hardware, as IP meets them. Held against Linux 6.18: an error about a packet that came over a
 * veth pair quotes the sum of its pseudo header alone.
 */
import { Checksum, type Frame, type NetDevice } from "@podwire/netdev"
import { get16, hex, set16 } from "@podwire/wire/bytes"
import { pseudo4, pseudo6 } from "@podwire/wire/checksum"
import { parse as ip } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import * as udp from "@podwire/wire/udp"
import { expect, it } from "vitest"
import { count, ether, ip4, ip6 } from "./frames.ts"
import { Rig } from "./rig.ts"

const US = "02:00:00:00:00:01"
const A = "02:00:00:00:00:0a"
const SEGMENT_BYTES = 3000

function host() {
  const bench = new Rig().quiet()
  const eth0 = bench.card("eth0", US, "10.0.0.1/24", "fd00::1/64")
  bench.run(1)
  bench.neigh(eth0, "10.0.0.2", A)
  bench.neigh(eth0, "fd00::2", A)
  bench.mark()
  return { bench, eth0 }
}

/** A segment with its pseudo header's sum in place of the checksum. */
function writeSegment(bytes: Uint8Array, at: number, end: number, pseudo: number): void {
  tcp.writeHeader(bytes, at, 1000, 2000, 1, 2, 20, tcp.ACK, 100)
  bytes.set(count(end - at - 20), at + 20)
  set16(bytes, at + 16, pseudo)
}

it("fragments belong to a finished packet, of either family", () => {
  const { bench } = host()
  const { ip4: four, ip6: six } = bench.ns
  const [src, dst] = [ip("10.0.0.1")!, ip("10.0.0.2")!]
  const frame = four.alloc(SEGMENT_BYTES)!
  frame.csum = Checksum.Partial
  frame.l4Protocol = ipproto.TCP
  ipv4.writeHeader(frame.bytes, frame.l3, 0, frame.tail - frame.l3, 1, 0, 64, ipproto.TCP, src[0]!, dst[0]!)
  writeSegment(frame.bytes, frame.l4, frame.tail, pseudo4(src[0]!, dst[0]!, ipproto.TCP, SEGMENT_BYTES))
  expect(four.output(frame, four.route(dst[0]!))).toBe(0)
  const pieces = bench.sent.splice(0).map(({ bytes }) => bytes)
  expect(pieces.map(({ length }) => length)).toEqual([1514, 1514, 74])
  const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece.subarray(34)]))
  expect(tcp.check4(whole, 0, whole.length, src[0]!, dst[0]!)).toBe(tcp.Fault.None)

  const [src6, dst6] = [ip("fd00::1")!, ip("fd00::2")!]
  const frame6 = six.alloc(SEGMENT_BYTES)!
  frame6.csum = Checksum.Partial
  frame6.l4Protocol = ipproto.TCP
  const { bytes, l3, l4, tail } = frame6
  ipv6.writeHeader(bytes, l3, 0, 0, SEGMENT_BYTES, ipproto.TCP, 64, src6, dst6)
  writeSegment(bytes, l4, tail, pseudo6(bytes, l3 + ipv6.SRC, l3 + ipv6.DST, ipproto.TCP, SEGMENT_BYTES))
  expect(six.output(frame6, six.route(dst6))).toBe(0)
  const pieces6 = bench.sent.splice(0).map(({ bytes: piece }) => piece)
  expect(pieces6.map(({ length }) => length)).toEqual([1510, 1510, 166])
  const whole6 = Uint8Array.from([
    ...pieces6[0]!.subarray(14, 54), ...pieces6.flatMap((piece) => [...piece.subarray(62)])
  ])
  expect(tcp.check6(whole6, 40, whole6.length, 0)).toBe(tcp.Fault.None)
  expect(bench.atRest).toEqual({ inFlight: 0, balance: null })
})

it("an error quotes what came: unfinished over a veth pair, finished over a wire", () => {
  const { bench, eth0 } = host()
  bench.sysctl({ "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 })
  bench.run(10_000)
  const segment = new Uint8Array(25)
  const answers = (dev: NetDevice, wired: boolean) => {
    const [src, dst] = [ip("10.0.0.2")![0]!, ip("192.0.2.1")![0]!]
    writeSegment(segment, 0, 25, pseudo4(src, dst, ipproto.TCP, 25))
    const four = ether(US, A, 0x0800, ip4("10.0.0.2", "192.0.2.1", ipproto.TCP, segment))
    const six = ether(US, A, 0x86dd, ip6("fd00::2", "2001:db8::1", ipproto.TCP, segment))
    set16(six, 54 + 16, pseudo6(six, 14 + ipv6.SRC, 14 + ipv6.DST, ipproto.TCP, 25))
    return [four, six].map((bytes) => {
      bench.mark()
      const frame: Frame = bench.pool.alloc()!
      frame.bytes.set(bytes, frame.head)
      frame.tail += bytes.length
      frame.csum = Checksum.Partial
      frame.wired = wired
      bench.engine.soon(dev, frame)
      bench.engine.advance(bench.engine.nowNs, 1000)
      const [answer] = bench.sent
      const version = bytes === four ? 4 : 6
      const at = version === 4 ? 14 + 20 + 8 : 14 + 40 + 8
      const l4 = at + (version === 4 ? 20 : 40)
      const quote = answer!.bytes
      expect(hex(quote, l4, l4 + 4)).toBe("03e807d0")
      const fault = version === 4
        ? tcp.check4(quote, l4, quote.length, src, dst)
        : tcp.check6(quote, l4, quote.length, at)
      return [fault === tcp.Fault.None, get16(quote, l4 + 16) === get16(bytes, (version === 4 ? 34 : 54) + 16)]
    })
  }
  expect(answers(eth0, false)).toEqual([[false, true], [false, true]])
  expect(answers(eth0, true)).toEqual([[true, false], [true, false]])
  expect(bench.atRest).toEqual({ inFlight: 0, balance: null })
})

it("a datagram leaves it to hardware if it fits, and is whole before OUTPUT if it does not", () => {
  for (const [version, to] of [[4, "10.0.0.2"], [6, "fd00::2"]] as const) {
    const { bench } = host()
    const seen: Array<unknown> = []
    bench.ns.links.byName("eth0")!.tap = { see: (_dev, _direction, frame) => void seen.push(
      frame.csum === Checksum.Partial ? "open" : "whole"
    ) }
    const socket = bench.udp(version)
    socket.sendTo(ip(to)!, 9, count(100))
    const [sent] = bench.sent.splice(0)
    const l3 = 14
    const { bytes } = sent!
    const fault = version === 4
      ? udp.check4(bytes, l3 + 20, bytes.length, ipv4.src(bytes, l3), ipv4.dst(bytes, l3))
      : udp.check6(bytes, l3 + 40, bytes.length, l3)
    socket.sendTo(ip(to)!, 9, count(2000))
    expect([fault, seen]).toEqual([udp.Fault.None, ["open", "whole", "whole"]])
    bench.run(1)
    expect(bench.atRest).toEqual({ inFlight: 0, balance: null })
  }
})
