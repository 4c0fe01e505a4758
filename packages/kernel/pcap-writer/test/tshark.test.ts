/** tshark and capinfos as referees of what the writer makes. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PcapngWriter, PcapWriter, readItems, VERDICT_XDP } from "pcap-writer"
import { afterAll, expect, it, type TestContext } from "vitest"
import { collect } from "./capture-arbitrary.ts"

const folder = mkdtempSync(join(tmpdir(), "pcap-writer-"))
afterAll(() => rmSync(folder, { recursive: true }))
const tools = spawnSync("tshark", ["-v"]).status === 0

function tshark(context: TestContext, bytes: Uint8Array, ...args: ReadonlyArray<string>): string {
  if (!tools) context.skip("tshark is not on the PATH")
  const file = join(folder, "capture")
  writeFileSync(file, bytes)
  const { stdout, stderr } = spawnSync("tshark", ["-r", file, ...args], { encoding: "utf8" })
  return stdout + stderr.replaceAll(/^Running as user.*\n/gm, "")
}

function fields(...names: ReadonlyArray<string>): ReadonlyArray<string> {
  return ["-T", "fields", ...names.flatMap((name) => ["-e", name])]
}

/** Ethernet, IPv4 10.0.0.1 to 10.0.0.2, UDP port 9 to 9 without checksum, no data. */
const UDP = Uint8Array.from((
  "0200000000020200000000010800" + "4500001c000100004011" + "66ce" + "0a0000010a000002" + "0009000900080000"
).match(/../g)!, (octet) => parseInt(octet, 16))

function everything(bigEndian: boolean): Uint8Array {
  return collect((sink) => {
    const about = { application: "Podwire", os: "none", hardware: "none" }
    const writer = new PcapngWriter(sink, { ...about, bigEndian })
    writer.names([{ address: Uint8Array.of(10, 0, 0, 1), names: ["web-0.default"] }])
    const bridge = { description: "bridge", mac: 0x020000000001, speed: 1e10 }
    const a = writer.interface({ name: "node1/cni0", ...bridge })
    const b = writer.interface({ name: "default/web-0/eth0", epochSeconds: 1_700_000_000 })
    writer.record(a, 5_000_000_001, UDP, 0, UDP.length, 1, 42)
    writer.packet(b, 2 ** 53 - 1, UDP, 0, UDP.length, {
      flags: 2, packetId: 42, comment: ["dropped: ünreachable", "second"], dropCount: 3,
      verdict: { by: VERDICT_XDP, value: 1 }, originalLength: 1000
    })
    writer.statistics(a, 6_000_000_000, { startNs: 0, endNs: 6_000_000_000, received: 1, dropped: 0 })
    writer.flush()
  })
}

it("tshark reads names, times, directions, numbers and comments in either byte order", (context) => {
  for (const big of [false, true]) {
    const text = tshark(context, everything(big), "-N", "n", ...fields(
      "frame.interface_name", "frame.interface_description", "frame.time_epoch",
      "frame.packet_flags_direction", "frame.packet_id", "frame.verdict.ebpf_xdp", "frame.len",
      "frame.cap_len", "ip.src_host", "frame.comment"
    ))
    // Later versions print the direction in decimal.
    expect(text.replaceAll("0x0000000", "")).toBe(
      "node1/cni0\tbridge\t5.000000001\t1\t42\t\t42\t42\tweb-0.default\t\n" +
        "default/web-0/eth0\t\t1709007199.254740991\t2\t42\t1\t1000\t42\tweb-0.default\t" +
        "dropped: ünreachable,second\n"
    )
  }
})

it("a file that ends with any whole block is a file that tshark accepts", (context) => {
  const file = everything(false)
  const ends = [...readItems(file)].map((item) => item.offset).slice(1)
  expect(ends.length).toBe(6)
  for (const end of [ends[0]!, ends[3]!, ends[5]!]) {
    expect(tshark(context, file.subarray(0, end), ...fields("frame.number")))
      .toBe(end <= ends[3]! ? "" : "1\n2\n")
  }
})

it("tshark reads the classic format in both resolutions, each in another order", (context) => {
  for (const nanosecond of [false, true]) {
    const file = collect((sink) => {
      const writer = new PcapWriter(sink, { nanosecond, bigEndian: nanosecond, epochSeconds: 1_700_000_000 })
      writer.packet(1_000_002_003, UDP, 0, UDP.length)
      writer.packet(1_000_002_004, UDP, 0, UDP.length, 99)
      writer.flush()
    })
    expect(tshark(context, file, ...fields("frame.time_epoch", "frame.len"))).toBe(nanosecond
      ? "1700000001.000002003\t42\n1700000001.000002004\t99\n"
      : "1700000001.000002000\t42\n1700000001.000002000\t99\n")
  }
})
