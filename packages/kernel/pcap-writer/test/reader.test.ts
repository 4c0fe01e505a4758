import fc from "fast-check"
import { type Item, PcapngWriter, readCapture, readItems } from "pcap-writer"
import { unitsPerSecond, time } from "../src/field.ts"
import { fromUtf8, utf8 } from "../src/text.ts"
import { expect, it } from "vitest"
import { anyCapture, collect, writePcap, writePcapng } from "./capture-arbitrary.ts"

const runs = { seed: 11, numRuns: 200 }

it("what was written in pcapng, in either byte order, is read again", () => {
  fc.assert(fc.property(anyCapture, (capture) => {
    const file = readCapture(writePcapng(capture))
    expect(file.fault).toBe(null)
    expect(file.sections).toEqual([{
      kind: "section", offset: 0, bigEndian: capture.bigEndian, hardware: null, os: null, application: "test",
      comments: []
    }])
    const wanted = capture.packets.map(({ on, more, comments, bytes, ...rest }) => {
      const { name, description, mac, speed } = capture.interfaces[on % capture.interfaces.length]!
      return { ...rest, from: { name, description, mac, speed }, bytes: [...bytes], comments,
        originalLength: bytes.length + more }
    })
    expect(file.packets.map(({ interface: on, bytes, kind: _, offset, seconds, nanoseconds, ...rest }) => ({
      ...rest, bytes: [...bytes],
      from: { name: on.name, description: on.description, mac: on.mac, speed: on.speed }
    }))).toEqual(wanted)
  }), runs)
})

it("what was written in pcap, in either byte order and resolution, is read again", () => {
  fc.assert(fc.property(anyCapture, fc.boolean(), (capture, nanosecond) => {
    const file = readCapture(writePcap(capture, nanosecond))
    expect(file.fault).toBe(null)
    expect(file.packets.map(({ atNs, bytes, originalLength }) => ({
      atNs, bytes: [...bytes], originalLength
    }))).toEqual(capture.packets.map(({ atNs, bytes, more }) => ({
        atNs: nanosecond ? atNs : atNs - atNs % 1000, bytes: [...bytes], originalLength: bytes.length + more
      })))
  }), runs)
})

it("cut anywhere, every whole packet before the cut is read, and the fault is named", () => {
  fc.assert(fc.property(anyCapture, fc.constantFrom("pcapng", "pcap"), fc.nat(), (capture, format, where) => {
    const bytes = format === "pcap" ? writePcap(capture, true) : writePcapng(capture)
    const items = [...readItems(bytes)]
    const cut = where % (bytes.length + 1)
    const got = [...readItems(bytes.subarray(0, cut))]
    // Items end where the next one begins; a classic file's interface ends with the file header.
    const ends = items.map((item, i) => item.kind === "interface" && format === "pcap" ? 24
      : items[i + 1]?.offset ?? bytes.length)
    const whole = items.filter((_, i) => ends[i]! <= cut)
    const atBoundary = cut !== 0 && (cut === bytes.length || ends.includes(cut))
    expect(got.filter((item) => item.kind !== "fault")).toEqual(whole)
    const faults = got.filter((item) => item.kind === "fault")
    expect(faults.map((item) => [item.code, item.offset])).toEqual(
      atBoundary ? [] : [["Truncated", ends.filter((end) => end <= cut).at(-1) ?? 0]]
    )
  }), { seed: 12, numRuns: 1000 })
})

/** Everything in an item is looked at, so that a view beyond the bytes would show. */
function touch(items: Iterable<Item>): ReadonlyArray<Item> {
  return structuredClone([...items].map((item) =>
    item.kind === "packet" ? { ...item, bytes: item.bytes.slice() } : item))
}

it("any bytes: no throw, at most one fault, the last, within the bytes", () => {
  const valid = anyCapture.chain((capture) => fc.constantFrom(writePcapng(capture), writePcap(capture, true)))
  const changed = fc.tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }))
    .map(([bytes, changes]) => {
      const copy = bytes.slice()
      for (const [at, value] of changes) copy[at % copy.length] = value
      return copy
    })
  const header = fc.constantFrom(
    [0x0a, 0x0d, 0x0d, 0x0a], [0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d], []
  )
  const noise = fc.tuple(header, fc.uint8Array({ maxLength: 100 }))
    .map(([a, b]) => Uint8Array.from([...a, ...b]))
  const faults = new Set<string>()
  fc.assert(fc.property(fc.oneof({ weight: 4, arbitrary: changed }, noise), (bytes) => {
    const items = touch(readItems(bytes))
    items.forEach((item, i) => {
      if (item.kind !== "fault") return
      faults.add(item.code)
      expect(i).toBe(items.length - 1)
      expect(item.offset).toBeLessThanOrEqual(bytes.length)
    })
  }), { seed: 13, numRuns: 3000 })
  expect([...faults].sort()).toEqual([
    "BlockLength", "ByteOrder", "NotACapture", "OptionLength", "PacketLength", "TimeResolution", "Truncated",
    "UnknownInterface", "Version"
  ])
})

it("each fault has its name, its offset and its reason", () => {
  const base = collect((sink) => {
    const writer = new PcapngWriter(sink, { application: "t" })
    const id = writer.interface({ name: "a" })
    writer.packet(id, 1, Uint8Array.of(1, 2, 3, 4), 0, 4, { comment: "c" })
    writer.flush()
  })
  const view = (change: (view: DataView) => void) => {
    const copy = base.slice()
    change(new DataView(copy.buffer))
    const { fault, packets } = readCapture(copy)
    return `${fault?.code} at ${fault?.offset}: ${fault?.message} (${packets.length} packets)`
  }
  // Section header 40 bytes, interface 40, packet 48.
  expect([
    view((v) => v.setUint32(8, 0)),
    view((v) => v.setUint16(12, 2, true)),
    view((v) => v.setUint32(44, 41, true)),
    view((v) => v.setUint32(76, 44, true)),
    view((v) => v.setUint8(68, 15)),
    view((v) => v.setUint32(88, 7, true)),
    view((v) => v.setUint32(100, 500, true)),
    view((v) => v.setUint16(114, 500, true)),
    view((v) => v.setUint32(84, 56, true)),
    view((v) => v.setUint32(0, 0x12345678))
  ].join("\n")).toBe(`\
ByteOrder at 8: the byte-order magic is neither 1a2b3c4d nor 4d3c2b1a (0 packets)
Version at 12: version 2, expected 1 (0 packets)
BlockLength at 44: a block of 41 bytes, expected a multiple of 4 from 20 (0 packets)
BlockLength at 76: the block's lengths differ: 40 before, 44 after (0 packets)
TimeResolution at 68: if_tsresol 15 is too fine (0 packets)
UnknownInterface at 88: interface 7; the section describes 1 so far (0 packets)
PacketLength at 100: a packet of 500 bytes in a block with 16 for it (0 packets)
OptionLength at 114: option 1 of 500 bytes ends outside its block (0 packets)
Truncated at 80: a block of 56 bytes, of which 48 are here (0 packets)
NotACapture at 0: the first bytes are 12345678 (0 packets)`)
})

it("several sections in different orders restart the interfaces; unknown blocks are skipped", () => {
  const section = (bigEndian: boolean, name: string) => collect((sink) => {
    const writer = new PcapngWriter(sink, { application: name, bigEndian })
    writer.packet(writer.interface({ name }), 5, Uint8Array.of(1), 0, 1)
    writer.flush()
  })
  const custom = Buffer.from("ad0b00001000000001020304" + "10000000", "hex")
  const file = readCapture(Buffer.concat(
    [section(false, "one"), custom, section(true, "two"), section(false, "three")]
  ))
  expect(file.fault).toBe(null)
  expect(file.packets.map(({ interface: on }) => `${on.section}/${on.id} ${on.name}`)).toEqual(
    ["0/0 one", "1/0 two", "2/0 three"])
  expect(file.skipped.map(({ type, length }) => [type, length])).toEqual([[0xbad, 16]])
})

it("names, statistics and secrets are read again, in both orders", () => {
  for (const bigEndian of [false, true]) {
    const file = readCapture(collect((sink) => {
      const writer = new PcapngWriter(sink, { hardware: "h", os: "o", comment: "all", bigEndian })
      writer.names([{ address: Uint8Array.of(10, 0, 0, 1), names: ["a", "b.example"] },
        { address: new Uint8Array(16).fill(1), names: ["six"] }])
      writer.secrets(0x544c534b, utf8("CLIENT_RANDOM 00 11\n"))
      const id = writer.interface({ name: "i", epochSeconds: -3, comment: "c" })
      writer.packet(id, 2_000_000_001, new Uint8Array(1), 0, 1)
      writer.statistics(id, 9, {
        startNs: 3, endNs: Number.MAX_SAFE_INTEGER - 2, received: 2 ** 40, dropped: 0, osDropped: 1,
        filterAccepted: 4, delivered: 5, comment: "done"
      })
      writer.flush()
    }))
    expect(file.fault).toBe(null)
    expect(file.names[0]!.entries.map(({ address, names }) => [address.join("."), names])).toEqual([
      ["10.0.0.1", ["a", "b.example"]], ["1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1", ["six"]]
    ])
    expect(fromUtf8(file.secrets[0]!.bytes, 0, 19)).toBe("CLIENT_RANDOM 00 11")
    expect(file.packets[0]).toMatchObject({ seconds: -1, nanoseconds: 1 })
    const { offset: _, interface: on, ...statistics } = file.statistics[0]!
    expect([on.name, on.comments, statistics]).toEqual(["i", ["c"], {
      kind: "statistics", atNs: 9 - 3e9, startNs: 3 - 3e9, endNs: Number.MAX_SAFE_INTEGER - 2 - 3e9,
      received: 2 ** 40, dropped: 0, osDropped: 1, filterAccepted: 4, delivered: 5, comments: ["done"]
    }])
  }
})

it("times of any resolution are exact", () => {
  const resolution = fc.oneof(fc.nat(14), fc.integer({ min: 128, max: 128 + 46 }))
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), resolution, (value, code) => {
    const units = unitsPerSecond(code)
    const { seconds, nanoseconds } = time(Number(value >> 32n), Number(value & 0xffffffffn), units)
    const big = BigInt(units)
    if (value / big <= BigInt(Number.MAX_SAFE_INTEGER)) expect(BigInt(seconds)).toBe(value / big)
    if (seconds > Number.MAX_SAFE_INTEGER) return
    expect(BigInt(nanoseconds)).toBe((value % big) * 1_000_000_000n / big)
  }), { seed: 14, numRuns: 1000 })
  expect([15, 127, 128 + 47, 255].map(unitsPerSecond)).toEqual([0, 0, 0, 0])
})

it("UTF-8 both ways is TextEncoder's and TextDecoder's", () => {
  const encoder = new TextEncoder()
  const surrogates = fc.integer({ min: 0xd700, max: 0xe000 })
  const point = fc.oneof(fc.nat(0x7f), fc.nat(0x7ff), surrogates, fc.nat(0xffff), fc.nat(0x10ffff))
  const anyText = fc.array(point, { maxLength: 20 }).map((points) => String.fromCodePoint(...points))
  fc.assert(fc.property(anyText, (text) => {
    expect([...utf8(text)]).toEqual([...encoder.encode(text)])
    expect(fromUtf8(encoder.encode(text), 0, encoder.encode(text).length)).toBe(text.toWellFormed())
  }), runs)
  // Half a character is never written.
  expect([...utf8("aé", 2)]).toEqual([0x61])
  fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
    const text = fromUtf8(bytes, 0, bytes.length)
    // The decoder may take several bytes for one replacement; without those the texts are the same.
    expect(text.replaceAll("\ufffd", "")).toBe(
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replaceAll("\ufffd", "")
    )
  }), runs)
})
