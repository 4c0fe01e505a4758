/** Round trips of every codec, and checksums kept by difference against whole sums (RFC 1624). */
import * as arp from "@podwire/wire/arp"
import { set16, set32 } from "@podwire/wire/bytes"
import * as checksum from "@podwire/wire/checksum"
import * as eth from "@podwire/wire/eth"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import * as ip from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as ext from "@podwire/wire/ipv6-ext"
import * as mld from "@podwire/wire/mld"
import * as sctp from "@podwire/wire/sctp"
import * as tcp from "@podwire/wire/tcp"
import * as udp from "@podwire/wire/udp"
import fc from "fast-check"
import { expect, it } from "vitest"

const run = { seed: 7, numRuns: 300 }
const octet = fc.nat({ max: 0xff })
const half = fc.nat({ max: 0xffff })
const word = fc.integer({ min: -0x80000000, max: 0x7fffffff })
const mac = fc.nat({ max: 0xffff_ffff_ffff })
const address6 = fc.tuple(word, word, word, word).map((words) => Int32Array.from(words))
const room = () => new Uint8Array(64).fill(0xa5)

it("what is written is read", () => {
  fc.assert(fc.property(fc.record({ dst: mac, src: mac, etherType: half }), (fields) => {
    const bytes = room()
    expect([eth.write(bytes, 3, fields), eth.read(bytes, 3), bytes[2], bytes[17]]).toEqual([14, fields, 0xa5, 0xa5])
  }), run)
  const arpFields = fc.record({ operation: half, senderMac: mac, senderIp: word, targetMac: mac, targetIp: word })
  fc.assert(fc.property(arpFields, (fields) => {
    const bytes = room()
    expect([arp.write(bytes, 3, fields), arp.read(bytes, 3), arp.check(bytes, 3, 31), bytes[31]]).toEqual([28, fields, 0, 0xa5])
  }), run)
  const fields4 = fc.record({
    tos: octet, totalLength: fc.integer({ min: 20, max: 64 }), id: half, flagsAndOffset: half, ttl: octet, protocol: octet,
    src: word, dst: word
  })
  fc.assert(fc.property(fields4, (fields) => {
    const bytes = room()
    expect([ipv4.write(bytes, 0, fields), ipv4.read(bytes, 0), ipv4.check(bytes, 0, 64)]).toEqual([20, fields, 0])
  }), run)
  const fields6 = fc.record({
    trafficClass: octet, flowLabel: fc.nat({ max: 0xfffff }), payloadLength: fc.nat({ max: 24 }), nextHeader: octet,
    hopLimit: octet, src: address6, dst: address6
  })
  fc.assert(fc.property(fields6, (fields) => {
    const bytes = room()
    expect([ipv6.write(bytes, 0, fields), ipv6.read(bytes, 0), ipv6.check(bytes, 0, 64)]).toEqual([40, fields, 0])
  }), run)
  fc.assert(fc.property(half, half, word, word, octet, half, (srcPort, dstPort, seq, ack, flags, window) => {
    const bytes = room()
    tcp.writeHeader(bytes, 0, srcPort, dstPort, seq, ack, 24, flags, window)
    expect(tcp.read(bytes, 0)).toEqual({ srcPort, dstPort, seq, ack, headerBytes: 24, flags, window, checksum: 0, urgentPointer: 0 })
  }), run)
  fc.assert(fc.property(octet, half, fc.boolean(), word, (next, offset, more, id) => {
    const bytes = room()
    ext.writeFragment(bytes, 0, next, offset & 0xfff8, more, id)
    expect([ext.nextHeader(bytes, 0), ext.fragmentOffsetBytes(bytes, 0), ext.moreFragments(bytes, 0), ext.fragmentId(bytes, 0)])
      .toEqual([next, offset & 0xfff8, more, id])
  }), run)
})

it("a report of version 2 names its group", () => {
  const bytes = room()
  const group = ip.parse("ff02::1:ff00:b")!
  expect(mld.writeReport2(bytes, 0, mld.Record.ToExclude, group)).toBe(28)
  expect([icmp6.type(bytes, 0), mld.records(bytes, 0), bytes[8], ip.format(ip.read6(bytes, 12))]).toEqual([143, 1, 4, "ff02::1:ff00:b"])
})

it("a checksum kept by difference is the whole sum's, whichever word changes", () => {
  // All zeros are the one case in which one's complement has two answers; no header is all zeros.
  const data = fc.uint8Array({ minLength: 8, maxLength: 60 }).filter((bytes) => bytes[0] !== 0)
  fc.assert(fc.property(data, fc.nat(), word, (bytes, where, value) => {
    const whole = () => checksum.finish(checksum.sum(bytes, 0, bytes.length))
    const at = 2 + 2 * (where % ((bytes.length - 5) >> 1))
    const before = whole()
    const old = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    set32(bytes, at, value)
    expect(checksum.replace32(before, old, value)).toBe(whole())
    const middle = whole()
    set16(bytes, at, where & 0xffff)
    expect(checksum.replace16(middle, value >>> 16, where & 0xffff)).toBe(whole())
  }), { ...run, numRuns: 2000 })
})

it("transport checksums check, over both families, and any flipped bit shows", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), word, word, address6, address6, fc.nat(), (payload, src, dst, src6, dst6, bit) => {
    const bytes = new Uint8Array(128)
    ipv6.writeHeader(bytes, 0, 0, 0, 20 + payload.length, 6, 64, src6, dst6)
    const end = 60 + payload.length
    bytes.set(payload, 60)
    const flip = (from: number) => {
      // In a length field or data offset a flip is another fault than a wrong sum, but a fault.
      const at = (from << 3) + bit % ((end - from) << 3)
      bytes[at >>> 3]! ^= 1 << (at & 7)
      return () => bytes[at >>> 3]! ^= 1 << (at & 7)
    }
    tcp.writeHeader(bytes, 40, 1, 2, src, dst, 20, tcp.ACK, 9)
    for (const [finish, check] of [
      [() => tcp.finishChecksum4(bytes, 40, end, src, dst), () => tcp.check4(bytes, 40, end, src, dst)],
      [() => tcp.finishChecksum6(bytes, 40, end, 0), () => tcp.check6(bytes, 40, end, 0)],
      [() => icmp.finishChecksum(bytes, 40, end), () => icmp.check(bytes, 40, end)],
      [() => icmp6.finishChecksum(bytes, 40, end, 0), () => icmp6.check(bytes, 40, end, 0)],
      [() => sctp.finishChecksum(bytes, 40, end), () => sctp.check(bytes, 40, end)]
    ] as const) {
      const saved = bytes.slice()
      finish()
      expect(check()).toBe(0)
      flip(40)()
      expect(check()).toBe(0)
      flip(40)
      expect(check()).not.toBe(0)
      bytes.set(saved)
    }
    udp.writeHeader(bytes, 52, 1, 2, 8 + payload.length)
    udp.finishChecksum4(bytes, 52, end, src, dst)
    expect(udp.check4(bytes, 52, end, src, dst)).toBe(0)
    udp.setChecksum(bytes, 52, 0)
    expect([udp.check4(bytes, 52, end, src, dst), udp.check6(bytes, 52, end, 0)]).toEqual([udp.Fault.None, udp.Fault.Checksum])
  }), run)
})

it("SCTP's checksum of 32 zero octets is CRC-32c's, as on the wire (RFC 3720, B.4)", () => {
  const bytes = new Uint8Array(32)
  sctp.finishChecksum(bytes, 0, 32)
  expect([...bytes.subarray(8, 12)].map((value) => value.toString(16)).join(" ")).toBe("aa 36 91 8a")
})

it("a sum by words is the sum by bytes, wherever it begins and ends", () => {
  const bytes = new Uint8Array(4096 + 8)
  const words = new Int32Array(bytes.buffer)
  const content = fc.uint8Array({ minLength: 0, maxLength: 160 })
  fc.assert(fc.property(content, fc.nat({ max: 7 }), half, octet, (some, at, initial, around) => {
    bytes.fill(around)
    bytes.set(some, at)
    const end = at + some.length
    expect(checksum.sumWords(words, at, end, initial)).toBe(checksum.sum(bytes, at, end, initial))
  }), { ...run, numRuns: 2000 })
  bytes.fill(0xff)
  for (const end of [0, 1, 2, 3, 4, 5, 4095, 4096]) {
    expect(checksum.sumWords(words, 0, end)).toBe(checksum.sum(bytes, 0, end))
    expect(checksum.sumWords(words, end, 0, 5)).toBe(5)
  }
  const most = new Uint8Array(65_536 + 512).fill(0xff)
  expect(checksum.sumWords(new Int32Array(most.buffer), 0, most.length)).toBe(0xffff)
})

it("transport checksums by words are those by bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 20, maxLength: 90 }), word, word, address6, (payload, src, dst, from) => {
    const [one, other] = [new Uint8Array(256), new Uint8Array(256)]
    const words = new Int32Array(other.buffer)
    for (const bytes of [one, other]) {
      ipv6.writeHeader(bytes, 104, 0, 0, payload.length, 6, 64, from, from)
      bytes.set(payload, 144)
    }
    const end = 144 + payload.length
    tcp.finishChecksum4(one, 144, end, src, dst)
    tcp.finishChecksum4(other, 144, end, src, dst, words)
    expect(other).toEqual(one)
    set16(one, 156, 0x5010)
    set16(other, 156, 0x5010)
    tcp.finishChecksum6(one, 144, end, 104)
    tcp.finishChecksum6(other, 144, end, 104, words)
    expect([other, tcp.check6(other, 144, end, 104, words)]).toEqual([one, 0])
    for (const bytes of [one, other]) set16(bytes, 148, payload.length)
    udp.finishChecksum6(one, 144, end, 104)
    udp.finishChecksum6(other, 144, end, 104, words)
    expect([other, udp.check6(other, 144, end, 104, words)]).toEqual([one, 0])
    udp.finishChecksum4(one, 144, end, src, dst)
    udp.finishChecksum4(other, 144, end, src, dst, words)
    expect([other, udp.check4(one, 144, end, src, dst, words)]).toEqual([one, 0])
    icmp.finishChecksum(one, 144, end)
    icmp.finishChecksum(other, 144, end, words)
    expect([other, icmp.check(other, 144, end, words)]).toEqual([one, 0])
    icmp6.finishChecksum(one, 144, end, 104)
    icmp6.finishChecksum(other, 144, end, 104, words)
    expect([other, icmp6.check(other, 144, end, 104, words)]).toEqual([one, 0])
  }), run)
})
