/** The filter language: tcpdump, where it is there, picks the same frames, and any text gives an answer. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compileFilter } from "@podwire/wire/filter"
import fc from "fast-check"
import { expect, it } from "vitest"
import { FRAMES } from "./support/frames.ts"

const FILTERS = [
  "", "ip", "ip6", "arp", "tcp", "udp", "sctp", "icmp", "icmp6", "not tcp", "vlan", "vlan and ip", "vlan 5 or arp",
  "vlan and vlan", "not vlan", "port 53", "tcp port http", "udp dst port 53 or 67", "src port 80 or dst port 80",
  "portrange 1-1024", "tcp src portrange 1000-60000", "host 10.0.0.10", "src 10.0.0.10 or 10.0.0.11",
  "src host 10.0.0.10 and dst host 10.0.0.11", "net 10", "net 10.0.0.0/24", "src net 10.0.0", "host fd00::a",
  "net fd00::/8", "ip6 host fd00::b", "arp host 10.0.0.11", "ether host 02:00:00:00:00:0a", "ether src 2:0:0:0:0:b",
  "ether proto \\arp", "ether proto 0x86dd", "ip proto 17", "ip6 proto \\udp", "proto \\icmp", "ip or ip6 and tcp",
  "not (tcp or udp)", "port (53 or 80) and not ip6", "src or dst port 80", "not port 53", "ip && !icmp || arp",
  "src and dst net 10", "port 53 and (tcp) or 80"
]

const version = spawnSync("tcpdump", ["--version"], { encoding: "utf8" })
if (version.status !== 0) console.warn("skipped: comparison with tcpdump, which is not here")

it.skipIf(version.status !== 0)("tcpdump picks the same frames", () => {
  const folder = mkdtempSync(join(tmpdir(), "podwire-filter-"))
  try {
    const file = join(folder, "frames.pcap")
    // Cut ones too: what reads beyond its end is false, also under `not`.
    const frames = FRAMES.flatMap(({ bytes }) => [bytes, bytes.subarray(0, 13), bytes.subarray(0, 22), bytes.subarray(0, 35)])
    writeFileSync(file, pcap(frames))
    const different = FILTERS.flatMap((filter) => {
      const { stdout, stderr } = spawnSync("tcpdump", ["-r", file, "-O", "-n", "-tt", "-q", filter], { encoding: "utf8" })
      const theirs = [...stdout.matchAll(/^(\d+)\.0+ /gm)].map((match) => Number(match[1]))
      const accepts = compileFilter(filter)
      if (typeof accepts === "string") return [`${filter}: ${accepts}`]
      const ours = frames.flatMap((bytes, i) => accepts(bytes, 0, bytes.length) ? [i] : [])
      const said = stderr.split("\n").filter((line) => line.startsWith("tcpdump:")).join("")
      return String(ours) === String(theirs) ? [] : [`${filter}: ours ${ours}, theirs ${theirs} ${said}`]
    })
    expect(different).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it("what is not supported or wrong is refused with its place", () => {
  expect([
    "host example.com", "gateway 10.0.0.1", "tcp[0] = 1", "port 99999", "net 10.0.0.1/8", "(tcp", "tcp or 80",
    "less 100", "constructor", "tcp or constructor", "ip proto tcp", "tcp host 10.0.0.1", "ip host ::1", "mpls", "port"
  ].map(compileFilter)).toMatchInlineSnapshot(`
    [
      "at 6: "example.com": names are not looked up, say an address",
      "at 1: "gateway" is not supported here",
      "at 4: "[" is not supported here",
      "at 6: port 99999: more than 65535",
      "at 5: 10.0.0.1: bits outside the network are set",
      "at 5: found the end, expected )",
      "at 8: 80: say what it is: host, net, port",
      "at 1: "less" is not supported here",
      "at 1: "constructor" is not supported here",
      "at 8: "constructor" is not supported here",
      "at 10: protocol "tcp" is not known; names stand behind a backslash: \\tcp",
      "at 10: "tcp" applies to ports, not to host",
      "at 9: an IPv6 address, behind ip",
      "at 1: "mpls" is not supported here",
      "at 5: found the end, expected port to be named",
    ]
  `)
})

it("any text is a filter or an error", () => {
  const words = fc.constantFrom(..."not and or ( ) ! src dst host net port portrange ether ip ip6 tcp udp vlan proto 80 10 10.0.0.1 ::1 / 8 mask - http \\tcp [ ] : = 02:00:00:00:00:0a constructor".split(" "))
  const text = fc.oneof(fc.string({ maxLength: 60 }), fc.array(words, { maxLength: 12 }).map((list) => list.join(" ")))
  fc.assert(fc.property(text, (filter) => {
    const accepts = compileFilter(filter)
    if (typeof accepts === "string") expect(accepts).toMatch(/^at \d+: /)
    else for (const { bytes } of FRAMES) accepts(bytes, 0, bytes.length)
  }), { seed: 7, numRuns: 1000 })
  expect(compileFilter("not ".repeat(2000))).toMatch(/^at \d+: more than 200 levels/)
})

function pcap(frames: ReadonlyArray<Uint8Array>): Buffer {
  const words = (...values: ReadonlyArray<number>) => Buffer.from(Uint32Array.from(values).buffer)
  return Buffer.concat([
    words(0xa1b2c3d4, 0x00040002, 0, 0, 65_535, 1),
    ...frames.flatMap((bytes, i) => [words(i, 0, bytes.length, bytes.length), bytes])
  ])
}
