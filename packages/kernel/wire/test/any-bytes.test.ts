/** Any bytes at all, and real frames with some bits wrong or cut short: an answer, never a throw, never a read past the end. */
import * as arp from "@podwire/wire/arp"
import { frame, packet, quote } from "@podwire/wire/dissect"
import * as eth from "@podwire/wire/eth"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv4options from "@podwire/wire/ipv4-options"
import * as ipv6 from "@podwire/wire/ipv6"
import * as ext from "@podwire/wire/ipv6-ext"
import * as ndp from "@podwire/wire/ndp"
import * as print from "@podwire/wire/print"
import * as sctp from "@podwire/wire/sctp"
import * as tcp from "@podwire/wire/tcp"
import * as tcpOptions from "@podwire/wire/tcp-options"
import * as udp from "@podwire/wire/udp"
import * as vlan from "@podwire/wire/vlan"
import fc from "fast-check"
import { expect, it } from "vitest"
import { FRAMES } from "./support/frames.ts"

const run = { seed: 7, numRuns: 1500 }

/** A frame of the corpus with a few bits flipped, then perhaps cut. */
const mutated = fc.tuple(
  fc.nat({ max: FRAMES.length - 1 }), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }), fc.nat()
).map(([which, edits, cut]) => {
  const bytes = FRAMES[which]!.bytes.slice()
  for (const [at, value] of edits) bytes[at % bytes.length] = value
  return cut % 3 === 0 ? bytes.slice(0, cut % bytes.length) : bytes
})
const anything = fc.oneof(fc.uint8Array({ maxLength: 120 }), mutated)

it("the corpus itself has no faults but the two that its names announce", () => {
  const faults = FRAMES.flatMap(({ name, bytes }) => frame(bytes, 0, bytes.length).faults.map((fault) => `${name}: ${fault}`))
  expect(faults).toEqual(["UDP, wrong checksum: udp Checksum", "UDP, wrong length: udp Length"])
})

it("a dissection stays inside the bytes, each layer where the one before it ends or inside it", () => {
  fc.assert(fc.property(anything, (bytes) => {
    for (const { layers } of [frame(bytes, 0, bytes.length), packet(bytes, 0, bytes.length)]) {
      let least = 0
      for (const { kind, at, body, end } of layers) {
        // A tag begins with the type field of the header before it.
        expect(at).toBeGreaterThanOrEqual(kind === "vlan" ? least - 2 : least)
        expect(body).toBeGreaterThanOrEqual(at)
        expect(body).toBeLessThanOrEqual(bytes.length)
        expect(end).toBeGreaterThanOrEqual(body)
        expect(end).toBeLessThanOrEqual(bytes.length)
        least = body
      }
    }
  }), run)
})

it("a dissection does not look beyond its end", () => {
  fc.assert(fc.property(anything, fc.uint8Array({ maxLength: 40 }), (bytes, behind) => {
    const longer = Uint8Array.from([...bytes, ...behind])
    expect(frame(longer, 0, bytes.length)).toEqual(frame(bytes, 0, bytes.length))
    expect(print.line(longer, 0, bytes.length)).toBe(print.line(bytes, 0, bytes.length))
  }), { ...run, numRuns: 300 })
})

it("a frame prints as one line of printable characters, whatever it is", () => {
  const conversations = new print.Conversations()
  fc.assert(fc.property(anything, (bytes) => {
    for (const options of [{}, { link: true, conversations }]) {
      expect(print.line(bytes, 0, bytes.length, options)).toMatch(/^[ -~]*$/)
    }
  }), run)
})

it("every codec's check and read take anything", () => {
  const upper = new ext.Upper()
  const options = new tcpOptions.Options()
  const verdict = new ipv4options.Verdict()
  fc.assert(fc.property(anything, fc.nat({ max: 60 }), (bytes, at) => {
    const end = bytes.length
    const from = Math.min(at, end)
    for (const codec of [arp, eth, icmp, ipv4, ipv6, sctp, tcp, udp, vlan]) {
      const fault = codec.check(bytes, from, end)
      expect(Object.values(codec.Fault)).toContain(fault)
      codec.read(bytes, from)
    }
    expect(Object.values(icmp6.Fault)).toContain(icmp6.check(bytes, from, end, 0))
    expect(Object.values(tcpOptions.Fault)).toContain(tcpOptions.read(bytes, from, end, options))
    expect(options.sackCount).toBeLessThanOrEqual(tcpOptions.SACK_BLOCKS_MAX)
    expect(Object.values(ipv4options.Fault)).toContain(ipv4options.check(bytes, from, verdict))
    ndp.optionsValid(bytes, from, end)
    ndp.optionMac(bytes, from, end, ndp.OPTION_SOURCE_MAC)
    ext.walk(bytes, from, end, upper)
    quote(bytes, from, end, 4)
    quote(bytes, from, end, 6)
  }), run)
})
