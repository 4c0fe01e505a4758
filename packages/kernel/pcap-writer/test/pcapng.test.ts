import fc from "fast-check"
import { PcapngWriter, PcapWriter, readCapture } from "pcap-writer"
import { expect, it } from "vitest"
import { anyCapture, collect, writePcap, writePcapng } from "./capture-arbitrary.ts"

it("whatever is written, the sink only ever gets whole blocks, one after the other", () => {
  fc.assert(fc.property(anyCapture, (capture) => {
    const chunks: Array<Buffer> = []
    const { bigEndian, bufferBytes } = capture
    const sink = { write: (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk)) }
    const writer = new PcapngWriter(sink, { bigEndian, bufferBytes })
    const id = writer.interface({ name: "node1/eth0" })
    for (const { atNs, bytes, comments } of capture.packets) {
      if (comments.length === 0) writer.record(id, atNs, bytes, 0, bytes.length, 1, 7)
      else writer.packet(id, atNs, bytes, 0, bytes.length, { comment: comments, flags: 2, packetId: 7 })
    }
    writer.flush()
    for (let i = 0; i <= chunks.length; i++) {
      const file = readCapture(Buffer.concat(chunks.slice(0, i)))
      if (i > 0) expect(file.fault).toBe(null)
      if (i === chunks.length) expect(file.packets.length).toBe(capture.packets.length)
    }
  }), { seed: 7, numRuns: 100 })
})

it("the size of the buffer and the order of calls to flush change nothing in the bytes", () => {
  fc.assert(fc.property(anyCapture, (capture) => {
    expect(writePcapng({ ...capture, bufferBytes: 100_000 })).toEqual(writePcapng(capture))
    expect(writePcap({ ...capture, bufferBytes: 100_000 }, true)).toEqual(writePcap(capture, true))
  }), { seed: 8, numRuns: 100 })
})

it("record and packet with the same options are the same bytes, also for a number kept as signed", () => {
  const bytes = Uint8Array.of(9, 8, 7, 6, 5)
  const write = (call: (writer: PcapngWriter, id: number) => void) => collect((sink) => {
    const writer = new PcapngWriter(sink)
    call(writer, writer.interface({ name: "a" }))
    writer.flush()
  })
  for (const packetId of [0, 1, 0xffffffff, -1, 2 ** 40]) {
    const one = write((writer, id) => writer.record(id, 2 ** 53 - 1, bytes, 1, 4, 2, packetId))
    const options = { flags: 2, packetId }
    expect(one).toEqual(write((writer, id) => writer.packet(id, 2 ** 53 - 1, bytes, 1, 4, options)))
    expect(readCapture(one).packets[0]).toMatchObject({
      atNs: 2 ** 53 - 1, packetId: packetId === -1 ? 0xffffffff : packetId, bytes: Uint8Array.of(8, 7, 6)
    })
  }
})

it("a block, byte for byte", () => {
  const file = collect((sink) => {
    const writer = new PcapngWriter(sink)
    const id = writer.interface({ name: "a" })
    writer.record(id, 0x1_0000_0002, Uint8Array.of(0xaa), 0, 1, 1, 3)
    writer.flush()
  })
  expect(Buffer.from(file).toString("hex").replace(/(.{8})(?=.)/g, "$1 ")).toBe(
    "0a0d0d0a 20000000 4d3c2b1a 01000000 ffffffff ffffffff 00000000 20000000 " +
      "01000000 28000000 01000000 00000000 02000100 61000000 09000100 09000000 00000000 28000000 " +
      "06000000 3c000000 00000000 01000000 02000000 01000000 01000000 aa000000 " +
      "02000400 01000000 05000800 03000000 00000000 00000000 3c000000"
  )
})

it("the classic format has its magic, version and nanoseconds", () => {
  const file = (options: ConstructorParameters<typeof PcapWriter>[1]) => Buffer.from(collect((sink) => {
    const writer = new PcapWriter(sink, options)
    writer.packet(1_000_002_003, Uint8Array.of(1, 2, 3), 1, 3)
    writer.flush()
  })).toString("hex")
  expect(file({ nanosecond: true })).toBe(
    "4d3cb2a1" + "02000400" + "00000000" + "00000000" + "00000400" + "01000000" +
      "01000000" + "d3070000" + "02000000" + "02000000" + "0203"
  )
  expect(file({ bigEndian: true, epochSeconds: 10 })).toBe(
    "a1b2c3d4" + "00020004" + "00000000" + "00000000" + "00040000" + "00000001" +
      "0000000b" + "00000002" + "00000002" + "00000002" + "0203"
  )
})

it("a caller's broken promise is refused before it is a broken file", () => {
  const bytes = new Uint8Array(10)
  const file = collect((sink) => {
    const writer = new PcapngWriter(sink)
    const wrong = [
      () => writer.record(0, 0, bytes, 0, 10, 1, 1),
      () => writer.record(writer.interface({ name: "a" }), -1, bytes, 0, 10, 1, 1),
      () => writer.record(0, 2 ** 53, bytes, 0, 10, 1, 1),
      () => writer.record(0, NaN, bytes, 0, 10, 1, 1),
      () => writer.record(0, 0, bytes, 0, 11, 1, 1),
      () => writer.packet(0, 0, bytes, 5, 4),
      () => writer.names([{ address: bytes, names: ["a"] }])
    ]
    expect(wrong.map((call) => {
      try {
        call()
        return "taken"
      } catch (error) {
        return (error as Error).message
      }
    })).toEqual([
      "interface 0: 0 are described so far",
      "time -1: expected 0 to 2^53 - 1 nanoseconds",
      "time 9007199254740992: expected 0 to 2^53 - 1 nanoseconds",
      "time NaN: expected 0 to 2^53 - 1 nanoseconds",
      "bytes [0, 11): expected a range within the 10 given",
      "bytes [5, 4): expected a range within the 10 given",
      "an address of 10 bytes, expected 4 or 16"
    ])
    writer.record(0, 0, bytes, 0, 10, 1, 1)
    writer.flush()
  })
  expect(readCapture(file)).toMatchObject({ fault: null, packets: { length: 1 } })
})

it("a sink that throws is not given the same bytes again", () => {
  let calls = 0
  const writer = new PcapngWriter({ write: () => { if (calls++ === 0) throw new Error("full") } })
  expect(() => writer.flush()).toThrow("full")
  writer.flush()
  expect(calls).toBe(1)
})
