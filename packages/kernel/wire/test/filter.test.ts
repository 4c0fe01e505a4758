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
  "", "ip", "ip6", "arp", "tcp", "udp", "sctp", "icmp", "icmp6", "not tcp", "vlan", "vlan and ip",
  "vlan 5 or arp", "vlan and vlan", "not vlan", "port 53", "tcp port http", "udp dst port 53 or 67",
  "src port 80 or dst port 80", "portrange 1-1024", "tcp src portrange 1000-60000", "host 10.0.0.10",
  "src 10.0.0.10 or 10.0.0.11", "src host 10.0.0.10 and dst host 10.0.0.11", "net 10", "net 10.0.0.0/24",
  "src net 10.0.0", "host fd00::a", "net fd00::/8", "ip6 host fd00::b", "arp host 10.0.0.11",
  "ether host 02:00:00:00:00:0a", "ether src 2:0:0:0:0:b", "ether proto \\arp", "ether proto 0x86dd",
  "ip proto 17", "ip6 proto \\udp", "proto \\icmp", "ip or ip6 and tcp", "not (tcp or udp)",
  "port (53 or 80) and not ip6", "src or dst port 80", "not port 53", "ip && !icmp || arp",
  "src and dst net 10", "port 53 and (tcp) or 80", "tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn",
  "tcp[13] & 2 != 0", "tcp[tcpflags]&tcp-rst!=0 or arp", "icmp[icmptype] = icmp-echo",
  "icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply",
  "icmp6[icmp6type] = icmp6-neighborsolicit", "icmp6[0] >= 133 and icmp6[0] <= 137", "ip6[6] = 58",
  "ip6[4:2] > 24", "ip[2:2] - (ip[0] & 0xf) * 4 > 20", "ip[8] < 64", "ip[6:2] & 0x1fff != 0",
  "ip[12:4] = 0x0a00000a", "arp[6:2] = 2", "arp[arp[5]] = 1", "rarp[0] = 1", "ether[12:2] = 0x86dd",
  "ether[0] & 1 != 0", "link[0] = 2", "udp[2:2] = 53", "udp[4:2] > 8 and not port 53", "sctp[12] = 1",
  "igmp[0] = 0x16", "pim[0] = 1", "vrrp[0] = 1", "len > 60", "len = 60 or len < 50", "less 60",
  "greater 60", "greater tcp-rst", "len & 1 = 1", "(len) <= 42", "len % 7 + 1 = 3", "len ^ 3 & 1 = 2",
  "len + 1 ^ 3 = 62", "len & 3 | 4 = 6", "len | 4 & 3 = 2", "len << 1 + 1 = 168", "len / 4 * 4 = len",
  "len - 100 > 5", "- len + 100 < 60", "-len % 5 = 2", "1 + tcp[0] = 5", "tcp[0] + udp[0] < 100",
  "len / (len - 60) > 0", "len >> (len - 14) = 0", "1 << len = 0", "ip[tcp[12] >> 4] = 64",
  "tcp[-8:4] = 0x0a00000a", "ether[-1] = 0", "ip[4294967295] = 1", "tcp[len] = 1", "not tcp[0] = 1",
  "not ip[70:4] = 1", "((tcp[0])) = 1 or (tcp)", "(tcp[0] = 1 or udp)", "5 = 5", "(5) = 6 or arp",
  "vlan and ip[8] = 64", "vlan and tcp[13] = 2", "0x10 = 020", "broadcast", "ether broadcast", "multicast",
  "ether multicast", "ip multicast", "ip6 multicast", "not multicast", "port 53 and len > 10 or arp",
  "len | 4 << 3 = 34", "len << 1 & 7 = 4", "len * 3 % 2 + 1 = 42",
  "host 10.0.0.10 and (icmp[0] = 8 or host 10.0.0.11)"
]

const version = spawnSync("tcpdump", ["--version"], { encoding: "utf8" })
if (version.status !== 0) console.warn("skipped: comparison with tcpdump, which is not here")

it.skipIf(version.status !== 0)("tcpdump picks the same frames", () => {
  const folder = mkdtempSync(join(tmpdir(), "podwire-filter-"))
  try {
    const file = join(folder, "frames.pcap")
    // Cut ones too: what reads beyond its end is false, also under `not`.
    const ends = [undefined, 13, 22, 35]
    const frames = FRAMES.flatMap(({ bytes }) => ends.map((end) => bytes.subarray(0, end)))
    writeFileSync(file, pcap(frames))
    const different = FILTERS.flatMap((filter) => {
      const args = ["-r", file, "-O", "-n", "-tt", "-q", "--", filter]
      const { stdout, stderr } = spawnSync("tcpdump", args, { encoding: "utf8" })
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
    "host example.com", "gateway 10.0.0.1", "tcp[0", "tcp[0] 1", "tcp[0:3] = 1", "ah[0] = 1", "len / 0 = 1",
    "len >> 32 = 1", "len = 4294967296", "len = 5 or 6", "(len + 1)", "less x", "ip broadcast",
    "arp multicast", "port 99999", "net 10.0.0.1/8", "(tcp", "tcp or 80", "constructor",
    "tcp or constructor", "ip proto tcp", "tcp host 10.0.0.1", "ip host ::1", "mpls", "port"
  ].map(compileFilter)).toMatchInlineSnapshot(`
    [
      "at 6: "example.com": names are not looked up, say an address",
      "at 1: "gateway" is not supported here",
      "at 6: found the end, expected ]",
      "at 8: found 1, expected a comparison: =, !=, <, <=, > or >=",
      "at 7: 3: the size is 1, 2 or 4",
      "at 1: ah[…] is not supported",
      "at 5: division by zero",
      "at 5: shift by more than 31 bits",
      "at 7: 4294967296: no number of 32 bits",
      "at 12: 6: say what it is: host, net, port",
      "at 9: found ), expected a comparison: =, !=, <, <=, > or >=",
      "at 6: found x, expected a length of 32 bits",
      "at 4: broadcast: the netmask is not known here; say dst host",
      "at 5: multicast: not behind arp",
      "at 6: port 99999: more than 65535",
      "at 5: 10.0.0.1: bits outside the network are set",
      "at 5: found the end, expected )",
      "at 8: 80: say what it is: host, net, port",
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
  const words = fc.constantFrom(...(
    "not and or ( ) ! src dst host net port portrange ether ip ip6 tcp udp vlan proto 80 " +
    "10 10.0.0.1 ::1 / 8 mask - http \\tcp [ ] : = > & - len tcp-syn less 02:00:00:00:00:0a constructor"
  ).split(" "))
  const sentence = fc.array(words, { maxLength: 12 }).map((list) => list.join(" "))
  const text = fc.oneof(fc.string({ maxLength: 60 }), sentence)
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
