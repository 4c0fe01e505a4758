/**
 * tshark over captures: that the referee sees what is wrong (each kind made on purpose), passes over what is
 * meant to be wrong, and finds nothing in what the product writes.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { CORRUPTED } from "@podwire/cluster/capture"
import { CaptureFolder } from "@podwire/lab/captures/folder"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as ipproto from "@podwire/wire/ipproto"
import type { Ip } from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import * as udp from "@podwire/wire/udp"
import { PcapngWriter } from "pcap-writer"
import { afterAll, beforeEach, expect, it } from "vitest"
import { deviceReports, expertFindings, folderFindings, tsharkVersion } from "./support/expert-findings.ts"

const base = mkdtempSync(join(tmpdir(), "captures-tshark-"))
afterAll(() => rmSync(base, { recursive: true }))
beforeEach((context) => {
  if (tsharkVersion === null) context.skip("tshark is not on the PATH")
})

interface Sent {
  readonly on?: string
  readonly bytes: Uint8Array
  readonly comment?: string
}

let count = 0

/** One file with these packets, a millisecond apart. */
function capture(
  packets: ReadonlyArray<Sent>, folder = join(base, `${count++}`), name = "node1/eth0"
): string {
  mkdirSync(folder, { recursive: true })
  const files = new CaptureFolder(folder)
  const writer = new PcapngWriter(files.sink(name))
  const ids = new Map<string, number>()
  packets.forEach(({ on = name, bytes, comment = [] }, i) => {
    if (!ids.has(on)) ids.set(on, writer.interface({ name: on }))
    writer.packet(ids.get(on)!, i * 1_000_000, bytes, 0, bytes.length, { comment })
  })
  writer.flush()
  expect(files.close()).toBe(null)
  return join(folder, `${name.replaceAll("/", "-")}.pcapng`)
}

const A = 0x0a000001
const B = 0x0a000002
const A6 = Int32Array.of(0xfd000010, 0, 0, 1) as unknown as Ip
const B6 = Int32Array.of(0xfd000010, 0, 0, 2) as unknown as Ip

interface Segment {
  readonly v6?: boolean
  readonly protocol?: number
  readonly back?: boolean
  readonly seq?: number
  readonly ack?: number
  readonly flags?: number
  readonly data?: number
}

function packet(
  { v6, protocol = ipproto.TCP, back, seq = 0, ack = 0, flags = 0x10, data = 0 }: Segment
): Uint8Array {
  const header = protocol === ipproto.TCP ? 20 : 8
  const l3 = eth.HEADER_BYTES
  const l4 = l3 + (v6 ? 40 : 20)
  const bytes = new Uint8Array(l4 + header + data)
  eth.setSrc(bytes, 0, 0x0200, back ? 2 : 1)
  eth.setDst(bytes, 0, 0x0200, back ? 1 : 2)
  eth.setEtherType(bytes, 0, v6 ? ethertype.IPV6 : ethertype.IPV4)
  const [src, dst] = back ? [B, A] : [A, B]
  if (v6) ipv6.writeHeader(bytes, l3, 0, 0, header + data, protocol, 64, back ? B6 : A6, back ? A6 : B6)
  else ipv4.writeHeader(bytes, l3, 0, 20 + header + data, 1, 0x4000, 64, protocol, src!, dst!)
  const [from, to] = back ? [9, 40000] : [40000, 9]
  if (protocol === ipproto.TCP) tcp.writeHeader(bytes, l4, from!, to!, seq, ack, 20, flags, 1000)
  else udp.writeHeader(bytes, l4, from!, to!, header + data)
  const { finishChecksum4, finishChecksum6 } = protocol === ipproto.TCP ? tcp : udp
  if (v6) finishChecksum6(bytes, l4, bytes.length, l3)
  else finishChecksum4(bytes, l4, bytes.length, src!, dst!)
  return bytes
}

function connection(v6: boolean): ReadonlyArray<Uint8Array> {
  return [
    packet({ v6, seq: 100, flags: 0x02 }), packet({ v6, back: true, seq: 500, ack: 101, flags: 0x12 }),
    packet({ v6, seq: 101, ack: 501 }), packet({ v6, seq: 101, ack: 501, flags: 0x18, data: 10 }),
    packet({ v6, back: true, seq: 501, ack: 111 })
  ]
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"))
}

/** The bytes with one of them changed. */
function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  copy[at < 0 ? copy.length + at : at]! ^= 1
  return copy
}

it("clean traffic of both families has no finding", () => {
  const packets = [...connection(false), ...connection(true), packet({ protocol: ipproto.UDP, data: 5 })]
  expect(expertFindings(capture(packets.map((bytes) => ({ bytes }))))).toBe("")
})

it("each thing that is wrong is found", () => {
  const icmp = hex(
    "0200000000020200000000010800" + "4500001c000000004001" + "66df" + "0a0000010a000002" +
      "0800f7fd00010001"
  )
  const icmp6 = hex(
    "02000000000202000000000186dd" + "6000000000083a40" + "fd000010000000000000000000000001" +
      "fd000010000000000000000000000002" + "8000859600010001"
  )
  const syn = packet({ flags: 2 })
  const datagram = packet({ protocol: ipproto.UDP, data: 4 })
  const found = expertFindings(capture([
    // What is right stands first, and is not in the findings.
    icmp, icmp6, datagram,
    // A header checksum of IPv4 lies outside TCP's.
    changed(syn, 24), changed(syn, 35), changed(packet({ v6: true, flags: 2 }), 55), changed(datagram, -1),
    changed(icmp, -1), changed(icmp6, -1),
    // UDP says that it is longer than it is.
    datagram.subarray(0, 40)
  ].map((bytes) => ({ bytes }))))
  // The words differ a little from version to version.
  const short = found.trimEnd().split("\n").map((line) =>
    /^node1-eth0\.pcapng: (frame \d+) on node1\/eth0 .*?(bad checksum|malformed|bad length)/i.exec(line))
    .map((match) => match === null ? "?" : `${match[1]}: ${match[2]}`)
  expect(short.join("\n")).toBe(`\
frame 4: Bad checksum
frame 5: Bad checksum
frame 6: Bad checksum
frame 7: Bad checksum
frame 8: Bad checksum
frame 9: Bad checksum
frame 10: Bad length`)

  const [first, second, third, fourth] = connection(false)
  const twice = capture([first!, second!, third!, fourth!, fourth!].map((bytes) => ({ bytes })))
  expect(expertFindings(twice)).toMatch(/^node1-eth0\.pcapng: frame 5 on node1\/eth0 .*retransmission.*\n$/)
})

it("corrupted frames and dead ones are passed over, allowed analysis too", () => {
  const bad = changed(packet({ flags: 2 }), 35)
  expect(expertFindings(capture([{ bytes: bad, comment: `${CORRUPTED}; DNAT` }]))).toBe("")
  expect(expertFindings(capture([{ bytes: bad, on: "node1/drop" }, { bytes: bad, on: "node1/drop2" }])))
    .toMatch(/^node1-eth0\.pcapng: frame 2 on node1\/drop2 .*\n$/)
  const twice = connection(false).flatMap((bytes, i) => i === 3 ? [bytes, bytes] : [bytes])
  const file = capture(twice.map((bytes) => ({ bytes })))
  expect(expertFindings(file)).not.toBe("")
  expect(expertFindings(file, { allow: ["retransmission"] })).toBe("")
})

it("a file of several interfaces is not asked for the order of its segments, a device's is", () => {
  const hops = connection(false).flatMap((bytes) => ["n1/veth", "n1/eth0"].map((on) => ({ on, bytes })))
  const folder = join(base, "hops")
  expect(expertFindings(capture(hops, folder, "all"))).toBe("")
  expect(folderFindings(folder)).toBe("")
  const other = join(base, "devices")
  capture([...hops, ...hops].filter(({ on }) => on === "n1/eth0"), other, "n1/eth0")
  expect(folderFindings(other)).toMatch(/^n1-eth0\.pcapng: frame \d+ on n1\/eth0/)
})

it("what is flagged is told once for devices that saw the same, what is wrong apart", async () => {
  const folder = join(base, "reports")
  mkdirSync(folder)
  // A folder is emptied by whoever writes captures into it.
  const write = (on: string, packets: ReadonlyArray<Uint8Array>) => {
    const file = capture(packets.map((bytes) => ({ bytes, on })), join(base, `${count++}`), on)
    copyFileSync(file, join(folder, basename(file)))
  }
  const clean = connection(true)
  for (const on of ["n1/eth0", "n1/veth"]) write(on, [...clean, ...clean.slice(3)])
  write("n2/eth0", connection(false))
  write("n3/eth0", [packet({ flags: 2 }), changed(packet({ data: 4 }), -1)])
  write("n4/eth0", [packet({ protocol: ipproto.UDP, data: 5 })])
  const reports = await deviceReports(folder)
  expect(reports).toEqual([
    {
      files: ["n1-eth0.pcapng", "n1-veth.pcapng"], frames: 7, wrong: "",
      flags: [["retransmission", 1], ["spurious_retransmission", 1], ["duplicate_ack", 1]]
    },
    { files: ["n2-eth0.pcapng"], frames: 5, flags: [], wrong: "" },
    {
      files: ["n3-eth0.pcapng"], frames: 2, flags: [],
      wrong: expect.stringMatching(/^n3-eth0\.pcapng: frame 2 \(eth:ethertype:ip:tcp.*\): Bad checksum/)
    }
  ])
})

it("a file that is cut is a finding", () => {
  const packets = connection(false).map((bytes) => ({ bytes }))
  const folder = join(base, "cut")
  const file = capture(packets, folder)
  expect(readdirSync(folder)).toContain("node1-eth0.pcapng")
  const bytes = readFileSync(file)
  writeFileSync(file, bytes.subarray(0, bytes.length - 5))
  expect(folderFindings(folder)).toMatch(/cut short/)
})
