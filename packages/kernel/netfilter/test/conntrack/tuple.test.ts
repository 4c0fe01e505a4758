/** What a packet's bytes say of its flow, however they are wrapped. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { unhex } from "@podwire/wire/bytes"
import * as tuples from "../../src/conntrack/tuple.ts"
import { icmp, ip, udp } from "./packets.ts"
import { Rig } from "./rig.ts"

const V6 = { src: "fd00::1", dst: "fd00::9" }

/** A UDP datagram behind these extension headers; `next` names the first of them. */
function wrapped(next: number, headers: string): Uint8Array {
  const datagram = udp(V6, 4000, 53, 0)
  return ip({ ...V6, protocol: next }, Uint8Array.from([...unhex(headers), ...datagram.slice(40)]))
}

function located(packet: Uint8Array): string {
  const place = new tuples.Place()
  if (!tuples.locate(packet, 0, packet.length, place)) return "no"
  const tuple = tuples.create()
  const ports = tuples.read(packet, 0, place, tuple) ? `${tuple[tuples.KEY]! >>> 16}-${tuple[tuples.KEY]! & 0xffff}` : "cut"
  return `${place.protocol} at ${place.l4} to ${place.end}: ${ports}`
}

describe("the transport header", () => {
  const ipv4 = udp({ src: "10.0.0.1", dst: "10.0.0.2" }, 4000, 53, 3)
  const changed = (at: number, value: number): Uint8Array => {
    const copy = ipv4.slice()
    copy[at] = value
    return copy
  }
  it.each([
    ["IPv4", ipv4, "17 at 20 to 31: 4000-53"],
    ["with padding behind it", Uint8Array.from([...ipv4, 0, 0, 0]), "17 at 20 to 31: 4000-53"],
    ["a first fragment", changed(6, 0x20), "17 at 20 to 31: 4000-53"],
    ["a later fragment", changed(7, 1), "no"],
    ["options over the end", changed(0, 0x4f), "no"],
    ["cut in the addresses", ipv4.slice(0, 19), "no"],
    ["cut in the ports", ipv4.slice(0, 23), "17 at 20 to 23: cut"],
    ["no version", changed(0, 0x55), "no"],
    ["IPv6", udp(V6, 4000, 53, 0), "17 at 40 to 48: 4000-53"],
    ["hop-by-hop and destination options", wrapped(0, "3c00010400000000 1100010400000000"), "17 at 56 to 64: 4000-53"],
    ["a routing header with segments left", wrapped(43, "1100040100000000"), "17 at 48 to 56: 4000-53"],
    ["an authentication header", wrapped(51, "1104000000000000 0000000000000000 0000000000000000"), "17 at 64 to 72: 4000-53"],
    ["a first fragment of IPv6", wrapped(44, "1100000100000007"), "17 at 48 to 56: 4000-53"],
    ["a later fragment of IPv6", wrapped(44, "1100000800000007"), "no"],
    ["no next header", wrapped(59, ""), "no"],
    ["options over the end of IPv6", wrapped(60, "11ff010400000000"), "no"]
  ])("%s", (_, packet, text) => {
    expect(located(packet)).toBe(text)
  })
})

it("an answer's answer is the question, and both hash as they are", () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  fc.assert(fc.property(fc.array(word, { minLength: 9, maxLength: 9 }), fc.constantFrom(6, 17, 47, 253, 1, 58), fc.boolean(), (words, proto, six) => {
    const tuple = Int32Array.from([...words, tuples.meta(six ? 6 : 4, proto)])
    const [once, twice] = [tuples.create(), tuples.create()]
    const type = (tuple[tuples.KEY]! >>> 8) & 255
    const pair = proto === 1 ? tuples.icmpAnswer(type) : proto === 58 ? tuples.icmp6Answer(type) : 0
    expect(tuples.invert(tuple, once)).toBe(pair >= 0)
    if (pair < 0) return
    tuples.invert(once, twice)
    expect([...twice]).toEqual([...tuple])
    expect(tuples.hash(twice)).toBe(tuples.hash(tuple))
    expect(tuples.equal(once, tuple)).toBe([...once].every((value, i) => value === tuple[i]))
  }), { seed: 7, numRuns: 300 })
})

describe("an IPv6 redirect", () => {
  const redirect = (src: string, ttl: number, code: number, option: ReadonlyArray<number>): Uint8Array =>
    icmp({ src, dst: "fd00::1", ttl }, 137, code, 0, Uint8Array.from([...new Uint8Array(32), ...option]))
  const quote = [4, 7, 0, 0, 0, 0, 0, 0, ...udp(V6, 4000, 53, 0)]

  it.each([
    ["about a flow", redirect("fe80::1", 255, 0, quote), "RELATED reply"],
    ["about another", redirect("fe80::1", 255, 0, [...quote.slice(0, 8), ...udp(V6, 4001, 53, 0)]), "INVALID"],
    ["from afar", redirect("fe80::1", 254, 0, quote), "INVALID"],
    ["from a global address", redirect("fd00::5", 255, 0, quote), "INVALID"],
    ["without a quote", redirect("fe80::1", 255, 0, []), "INVALID"],
    ["with another option first", redirect("fe80::1", 255, 0, [2, 1, 0, 0, 0, 0, 0, 0]), "INVALID"],
    ["too short", icmp({ src: "fe80::1", dst: "fd00::1", ttl: 255 }, 137, 0, 0, new Uint8Array(31)), "INVALID"]
  ])("%s", (_, packet, state) => {
    const rig = new Rig()
    rig.send(udp(V6, 4000, 53, 0))
    expect(rig.send(packet)).toBe(state)
  })

  it("discovery and listeners are of a link", () => {
    const rig = new Rig()
    const states = [130, 131, 132, 133, 134, 135, 136, 143].map((type) => rig.send(icmp(V6, type, 0, 0, new Uint8Array(20))))
    expect([new Set(states), rig.conntrack.count]).toEqual([new Set(["UNTRACKED"]), 0])
  })
})
