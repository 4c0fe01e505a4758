/** Laws of the codecs: text against an independent library, checksums against full sums, faults never thrown. */
import * as checksum from "@podwire/wire/checksum"
import { get16, set16, utf8Decode, utf8Encode } from "@podwire/wire/bytes"
import * as cidr from "@podwire/wire/cidr"
import * as icmp from "@podwire/wire/icmp"
import * as ip from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ext from "@podwire/wire/ipv6-ext"
import * as mac from "@podwire/wire/mac"
import * as udp from "@podwire/wire/udp"
import fc from "fast-check"
import { Address4, Address6 } from "ip-address"
import { expect, it } from "vitest"

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff })
const word6 = fc.oneof(word, fc.constant(0), fc.nat({ max: 0xffff }))
const run = { seed: 7, numRuns: 500 }

it("addresses read and print as ip-address does, and round-trip", () => {
  fc.assert(fc.property(word, (address) => {
    const text = ip.format4(address)
    expect(text).toBe(Address4.fromInteger(address >>> 0).correctForm())
    expect(ip.parse(text)).toEqual(ip.v4(address))
  }), run)
  fc.assert(fc.property(fc.tuple(word6, word6, word6, word6), (words) => {
    const address = Int32Array.from(words)
    const text = ip.format(address)
    expect(ip.parse(text)).toEqual(address)
    if (!text.startsWith("::ffff:")) expect(text).toBe(new Address6(text).correctForm())
    expect(ip.parse(new Address6(text).canonicalForm())).toEqual(address)
  }), run)
})

it.each(["", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4 ", ":", ":::", "1::2::3", "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9", "12345::", "g::", "::1%eth0", "1.2.3.4::", "1:2:3:4:5:6:7:8::"])("%j is no address", (text) => {
  expect(ip.parse(text)).toBeNull()
})

it("any text is parsed to something or to null", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    ip.parse(text)
    cidr.parse(text)
    mac.parse(text)
  }), run)
})

it("a prefix contains exactly the addresses between its network and its last one", () => {
  fc.assert(fc.property(word, fc.integer({ min: 0, max: 32 }), word, (address, bits, other) => {
    const range = { ip: ip.v4(address), bits }
    const low = cidr.network(range)[0]! >>> 0
    const high = cidr.broadcast(range)[0]! >>> 0
    expect(high - low + 1).toBe(2 ** (32 - bits))
    expect(cidr.contains(range, ip.v4(other))).toBe(other >>> 0 >= low && other >>> 0 <= high)
  }), run)
})

it("setters that adjust the checksum leave a header that still adds up (RFC 1624)", () => {
  fc.assert(fc.property(word, word, word, word, fc.integer({ min: 1, max: 255 }), (a, b, c, d, ttl) => {
    const bytes = new Uint8Array(20)
    ipv4.writeHeader(bytes, 0, 0, 20, a & 0xffff, 0, ttl, 17, a, b)
    ipv4.decrementTtl(bytes, 0)
    ipv4.setSrc(bytes, 0, c)
    ipv4.setDst(bytes, 0, d)
    expect(ipv4.check(bytes, 0, 20)).toBe(ipv4.Fault.None)
    expect([ipv4.src(bytes, 0), ipv4.dst(bytes, 0), ipv4.ttl(bytes, 0)]).toEqual([c, d, ttl - 1])
  }), run)
})

it("sums agree with a sum word by word, at any length", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    let total = 0
    for (let i = 0; i < bytes.length; i += 2) total += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
    while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
    expect(checksum.sum(bytes, 0, bytes.length)).toBe(total)
  }), run)
})

it("a flipped bit is noticed", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), fc.nat(), (bytes, bit) => {
    icmp.finishChecksum(bytes, 0, bytes.length)
    expect(icmp.check(bytes, 0, bytes.length)).toBe(icmp.Fault.None)
    const at = bit % (bytes.length * 8)
    bytes[at >>> 3]! ^= 1 << (at & 7)
    expect(icmp.check(bytes, 0, bytes.length)).toBe(icmp.Fault.Checksum)
  }), run)
})

it("a UDP checksum is never zero on the wire, where zero means none", () => {
  const bytes = new Uint8Array(10)
  for (let word = 0; word < 0x10000; word += 1) {
    udp.writeHeader(bytes, 0, 1, 2, 10)
    set16(bytes, 8, word)
    udp.finishChecksum4(bytes, 0, 10, 0x0a000001, 0x0a000002)
    if (get16(bytes, 6) === 0) expect.unreachable(`payload ${word}`)
  }
})

it("a walk over any extension headers ends inside the packet or names its fault", () => {
  const upper = new ext.Upper()
  fc.assert(fc.property(fc.uint8Array({ minLength: 40, maxLength: 200 }), fc.constantFrom(0, 43, 44, 51, 60, 17), (bytes, next) => {
    bytes[6] = next
    const fault = ext.walk(bytes, 0, bytes.length, upper)
    if (fault === ext.Fault.None) expect(upper.at).toBeLessThanOrEqual(bytes.length)
  }), run)
})

it("UTF-8 agrees with the host's own, for any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const bytes = utf8Encode(text)
    expect(Buffer.from(bytes).toString("hex")).toBe(Buffer.from(text, "utf8").toString("hex"))
    expect(utf8Decode(bytes, 0, bytes.length)).toBe(Buffer.from(bytes).toString("utf8"))
  }), run)
})
