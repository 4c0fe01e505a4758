/** `conntrack` as its users see it; the layout is that of conntrack-tools 1.4.7 on Linux 6.18. */
import { beforeEach, describe, expect, it } from "vitest"
import { procLine } from "../../src/conntrack/print.ts"
import { Status } from "../../src/conntrack/status.ts"
import { run } from "../../src/conntrack/tool.ts"
import { F, icmp, ip, tcp, udp } from "./packets.ts"
import { Rig } from "./rig.ts"

let rig: Rig

beforeEach(() => {
  rig = new Rig({ nf_conntrack_acct: 1 })
  rig.send(udp({ src: "10.0.0.1", dst: "10.0.0.9" }, 4000, 53, 2))
  rig.send(tcp({ src: "10.0.0.1", dst: "10.0.0.9" }, { sport: 4000, dport: 80, flags: F.SYN, seq: 1 }))
  rig.send(tcp({ src: "10.0.0.9", dst: "10.0.0.1" }, { sport: 80, dport: 4000, flags: F.SYN | F.ACK, seq: 7, ack: 2 }))
  rig.send(tcp({ src: "10.0.0.1", dst: "10.0.0.9" }, { sport: 4000, dport: 80, flags: F.ACK, seq: 2, ack: 8 }))
  rig.send(icmp({ src: "fd00::1", dst: "fd00::9" }, 128, 0, 5 << 16, new Uint8Array(2)))
  rig.send(ip({ src: "10.0.0.1", dst: "10.0.0.9", protocol: 47 }, new Uint8Array(8)))
  rig.send(ip({ src: "10.0.0.1", dst: "10.0.0.9", protocol: 253 }, new Uint8Array(8)))
  rig.conntrack.table.mark[1] = 5
  rig.conntrack.table.status[3]! |= Status.DST_NAT
  rig.wait(1.5)
})

const lines = (...args: ReadonlyArray<string>): ReadonlyArray<string> =>
  run(rig.conntrack, ["-L", ...args]).out.split("\n").slice(0, -1).map((line) => line.slice(0, 12).trimEnd())

it("lists", () => {
  expect(run(rig.conntrack, ["-L"])).toEqual({
    out: `udp      17 28 src=10.0.0.1 dst=10.0.0.9 sport=4000 dport=53 packets=1 bytes=30 [UNREPLIED] src=10.0.0.9 dst=10.0.0.1 sport=53 dport=4000 packets=0 bytes=0 mark=0 use=1
tcp      6 431998 ESTABLISHED src=10.0.0.1 dst=10.0.0.9 sport=4000 dport=80 packets=2 bytes=80 src=10.0.0.9 dst=10.0.0.1 sport=80 dport=4000 packets=1 bytes=40 [ASSURED] mark=5 use=1
icmpv6   58 28 src=fd00::1 dst=fd00::9 type=128 code=0 id=5 packets=1 bytes=50 [UNREPLIED] src=fd00::9 dst=fd00::1 type=129 code=0 id=5 packets=0 bytes=0 mark=0 use=1
gre      47 28 src=10.0.0.1 dst=10.0.0.9 srckey=0x0 dstkey=0x0 packets=1 bytes=28 [UNREPLIED] src=10.0.0.9 dst=10.0.0.1 srckey=0x0 dstkey=0x0 packets=0 bytes=0 mark=0 use=1
unknown  253 598 src=10.0.0.1 dst=10.0.0.9 packets=1 bytes=28 [UNREPLIED] src=10.0.0.9 dst=10.0.0.1 packets=0 bytes=0 mark=0 use=1
`, err: "conntrack v1.4.7 (conntrack-tools): 5 flow entries have been shown.\n", code: 0
  })
  expect(run(rig.conntrack, ["-L", "-f", "ipv6", "-o", "extended,id"]).out).toBe(
    "ipv6     10 icmpv6   58 28 src=fd00::1 dst=fd00::9 type=128 code=0 id=5 packets=1 bytes=50 [UNREPLIED] " +
    "src=fd00::9 dst=fd00::1 type=129 code=0 id=5 packets=0 bytes=0 mark=0 use=1 id=3\n"
  )
  expect(procLine(rig.conntrack, 2)).toBe(
    "ipv6     10 icmpv6   58 28 src=fd00:0000:0000:0000:0000:0000:0000:0001 dst=fd00:0000:0000:0000:0000:0000:0000:0009 " +
    "type=128 code=0 id=5 packets=1 bytes=50 [UNREPLIED] src=fd00:0000:0000:0000:0000:0000:0000:0009 " +
    "dst=fd00:0000:0000:0000:0000:0000:0000:0001 type=129 code=0 id=5 packets=0 bytes=0 mark=0 zone=0 use=2"
  )
})

describe("selects", () => {
  it.each([
    [["-p", "udp"], ["udp      17"]], [["-p", "UDP"], ["udp      17"]], [["-p", "253"], ["unknown  253"]],
    [["conntrack", "-s", "10.0.0.1", "-p", "tcp"], ["tcp      6 4"]], [["-d", "fd00::9"], ["icmpv6   58"]],
    [["-r", "10.0.0.9", "-p", "17", "--reply-port-src", "53"], ["udp      17"]],
    [["-p", "tcp", "--dport", "80"], ["tcp      6 4"]], [["-p", "tcp", "--sport", "81"], []],
    [["-p", "tcp", "--state", "established"], ["tcp      6 4"]], [["-u", "ASSURED"], ["tcp      6 4"]],
    [["-m", "0x1/0x3"], ["tcp      6 4"]], [["-p", "icmpv6", "--icmpv6-id", "5"], ["icmpv6   58"]], [["-n"], []],
    [["-g"], ["gre      47"]], [["-g", "10.0.0.9"], ["gre      47"]], [["-g", "10.0.0.8"], []], [["-j"], ["gre      47"]],
    [["-n", "10.0.0.1"], []], [["-s", "10.0.0.0/8", "-u", "SEEN_REPLY"], ["tcp      6 4"]]
  ] as const)("%j", (args, expected) => {
    expect(lines(...args).map((line, i) => line.slice(0, expected[i]?.length ?? 99))).toEqual([...expected])
  })

  it.each([
    [["-x"], "unknown option `-x'"], [["-p"], "option `-p' requires an argument"], [["-p", "blah"], "`blah' unsupported protocol"],
    [["--dport", "80"], "unknown option `--dport'"], [["--dport", "53", "-p", "udp"], "unknown option `--dport'"],
    [["-p", "udp", "--state", "CLOSE"], "unknown option `--state'"], [["-p", "icmp", "--icmpv6-type", "8"], "unknown option `--icmpv6-type'"],
    [["-f", "ipv5"], "`ipv5' unsupported protocol"], [["-s", "10.0.0"], "Invalid IP address `10.0.0'"],
    [["-p", "tcp", "--dport", "70000"], "Invalid value `70000'"], [["-o", "bogus"], "Bad parameter `bogus'"],
    [["-u", "GONE"], "Bad parameter `GONE'"], [["-p", "tcp", "--state", "X"], "unknown TCP state `X'"]
  ] as const)("not %j", (args, why) => {
    const { out, err, code } = run(rig.conntrack, ["-D", ...args])
    expect([out, err.split("\n")[0], code, rig.conntrack.count]).toEqual(["", `conntrack v1.4.7 (conntrack-tools): ${why}`, 2, 5])
  })
})

it("deletes what it selects, says so, and fails when that is nothing", () => {
  const first = run(rig.conntrack, ["-D", "-p", "udp", "--dport", "53"])
  expect([first.out.slice(0, 30), first.err, first.code]).toEqual(
    ["udp      17 28 src=10.0.0.1 ds", "conntrack v1.4.7 (conntrack-tools): 1 flow entries have been deleted.\n", 0])
  const second = run(rig.conntrack, ["-D", "-p", "udp"])
  expect(second).toEqual({ out: "", err: "conntrack v1.4.7 (conntrack-tools): 0 flow entries have been deleted.\n", code: 1 })
  expect([run(rig.conntrack, ["-C"]).out, rig.conntrack.check()]).toEqual(["4\n", null])
  run(rig.conntrack, ["-F"])
  expect([run(rig.conntrack, ["-C"]).out, rig.conntrack.check()]).toEqual(["0\n", null])
})

it("counts", () => {
  rig.send(tcp({ src: "10.0.0.1", dst: "10.0.0.9" }, { sport: 4000, dport: 81, flags: 0, seq: 1 }))
  expect(run(rig.conntrack, ["-S"]).out).toBe(
    "cpu=0   \tfound=0 invalid=1 insert=0 insert_failed=0 drop=0 early_drop=0 error=0 search_restart=0 clash_resolve=0 chaintoolong=0 \n")
})
