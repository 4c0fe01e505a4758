import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { PcapngWriter, PcapWriter } from "pcap-writer"
import { expect, it } from "vitest"

function collect(write: (sink: { write(chunk: Uint8Array): void }) => void): Buffer {
  const chunks: Array<Buffer> = []
  write({ write: (chunk) => chunks.push(Buffer.from(chunk)) })
  return Buffer.concat(chunks)
}

/** Types and lengths of the blocks; throws when the two lengths of a block differ or bytes are left over. */
function blocks(file: Buffer): ReadonlyArray<number> {
  const types: Array<number> = []
  for (let at = 0; at < file.length;) {
    const total = file.readUInt32LE(at + 4)
    if (total % 4 !== 0 || file.readUInt32LE(at + total - 4) !== total) throw new Error(`block at ${at}`)
    types.push(file.readUInt32LE(at))
    at += total
  }
  return types
}

it("whatever is written, the sink only ever gets whole blocks", () => {
  const packet = fc.record({
    bytes: fc.uint8Array({ maxLength: 3000 }), comment: fc.option(fc.string({ unit: "binary" })),
    atNs: fc.maxSafeNat()
  })
  fc.assert(fc.property(fc.array(packet, { maxLength: 60 }), (packets) => {
    let types = 0
    const writer = new PcapngWriter({ write: (chunk) => (types += blocks(Buffer.from(chunk)).length) }, { application: "t" })
    const id = writer.interface({ name: "node1/eth0", mac: 0x020000000001 })
    for (const { bytes, comment, atNs } of packets) {
      if (comment === null) writer.record(id, atNs, bytes, 0, bytes.length, 1, 7)
      else writer.packet(id, atNs, bytes, 0, bytes.length, { comment, direction: 2, packetId: 7 })
    }
    writer.flush()
    expect(types).toBe(2 + packets.length)
  }), { seed: 7, numRuns: 100 })
})

it("the classic format has its magic, version and nanoseconds", () => {
  const file = collect((sink) => {
    const writer = new PcapWriter(sink, { nanosecond: true })
    writer.packet(1_000_000_002, Uint8Array.of(1, 2, 3), 1, 3)
    writer.flush()
  })
  expect(file.toString("hex")).toBe(
    "4d3cb2a1" + "02000400" + "00000000" + "00000000" + "00000400" + "01000000" +
      "01000000" + "02000000" + "02000000" + "02000000" + "0203"
  )
})

it("tshark reads interfaces, times, directions, numbers and comments", (context) => {
  if (spawnSync("tshark", ["-v"]).status !== 0) context.skip("tshark is not on the PATH")
  const file = collect((sink) => {
    const writer = new PcapngWriter(sink, { application: "Podwire" })
    const a = writer.interface({ name: "node1/cni0", description: "bridge" })
    const b = writer.interface({ name: "default/web-0/eth0" })
    const frame = new Uint8Array(60).fill(0xff, 0, 6)
    writer.record(a, 5_000_000_001, frame, 0, 60, 1, 42)
    writer.packet(b, 5_000_000_002, frame, 0, 60, { direction: 2, packetId: 42, comment: "dropped: ünreachable" })
    writer.flush()
  })
  const folder = mkdtempSync(join(tmpdir(), "pcapng-"))
  writeFileSync(join(folder, "a.pcapng"), file)
  const fields = ["frame.interface_name", "frame.time_epoch", "frame.packet_flags_direction", "frame.comment"]
  const { stdout } = spawnSync("tshark", [
    "-r", join(folder, "a.pcapng"), "-T", "fields", ...fields.flatMap((field) => ["-e", field])
  ], { encoding: "utf8" })
  rmSync(folder, { recursive: true })
  expect(stdout).toMatch(/^node1\/cni0\t[^\t]*5\.000000001[^\t]*\t[^\t]*1\t\n/)
  expect(stdout).toMatch(/\ndefault\/web-0\/eth0\t[^\t]*5\.000000002[^\t]*\t[^\t]*2\tdropped: ünreachable\n$/)
})
