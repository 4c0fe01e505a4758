/** ss and /proc/net/tcp of connections, against what Linux printed of the same ones (`ss.golden.txt`). */
import { Engine } from "@podwire/engine"
import { FramePool } from "@podwire/netdev"
import { Netns, type TcpRow } from "@podwire/netns"
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { inspect } from "../../src/inspect/inspect.ts"
import { CLIENT, row, SERVER } from "./ss-rows.ts"

function host(rows: ReadonlyArray<TcpRow>): Netns {
  const engine = new Engine(1)
  const netns = new Netns(engine, new FramePool(engine), "host")
  netns.sockets.tcp.protocol = { list: () => rows, receive() {}, error: () => false, pathChanged() {}, close() {} }
  return netns
}

function text(netns: Netns, line: string): string {
  const { stdout, stderr } = inspect(netns, line.split(" "))
  return stdout + stderr
}

/** A socket's lines, with those that belong to it; the kernel's order is a hash's, and its clock went on. */
function records(output: string): ReadonlyArray<string> {
  return output.replaceAll("\n\t", "@").split("\n").map((line) =>
    line.replace(/(last(?:snd|rcv|ack):)\d+|(timer:\(on,)\d+/g, (all, one = "", other = "") =>
      `${one}${other}${"#".repeat(all.length - one.length - other.length)}`)).sort()
}

const golden = readFileSync(new URL("./ss.golden.txt", import.meta.url), "utf8").split(/^\$ /m).slice(1)

it.each(golden.map((one) => [one.slice(0, one.indexOf("\n")), one.slice(one.indexOf("\n") + 1)] as const))(
  "%s", (command, expected) => {
    const [place = "", ...words] = command.split(" ")
    const netns = host(place === "client" ? CLIENT : SERVER)
    expect(records(text(netns, words.join(" ")))).toEqual(records(expected))
  }
)

it("addresses, ports and families in order", () => {
  const netns = host([...SERVER].reverse())
  const ends = text(netns, "ss -Htan").split("\n").slice(0, -1).map((line) => line.split(/ +/).slice(3, 5).join(" "))
  expect(ends).toEqual([
    "0.0.0.0:80 0.0.0.0:*", "10.9.0.2:80 10.9.0.1:57932", "10.9.0.2:80 10.9.0.1:57940", "10.9.0.2:83 0.0.0.0:*",
    "10.9.0.2:83 10.9.0.1:45630", "10.9.0.2:83 10.9.0.1:45642", "*:81 *:*",
    "[::ffff:10.9.0.2]:81 [::ffff:10.9.0.1]:50884", "[fd09::2]:81 [fd09::1]:33746", "[::]:82 [::]:*",
    "[fd09::2]:84 [::]:*", "[fd09::2]:84 [fd09::1]:46174"
  ])
  expect(text(netns, "ss -Htln6").split("\n")).toHaveLength(4)
})

it("what has no number yet is not said, and what is large in three digits", () => {
  const info = {
    congestion: "cubic", rto: 3_000_000, rtt: 1234, rttvar: 5, snd_cwnd: 10, snd_mss: 1448, ssthresh: 9,
    pacing_rate: 1.25e11, delivery_rate: 150, busy_time: 20_000, rwnd_limited: 5000, sndbuf_limited: 1,
    snd_ssthresh: 65_535, reordering: 5, backoff: 2, rcv_rtt: 123_456_789
  }
  const netns = host([row(1, 4, 0, 0, "10.0.0.1", 1, "10.0.0.2", 2, null, info)])
  expect(text(netns, "ss -tiO").split("\n")[1]!.trimEnd()).toBe(
    "ESTAB 0      0           10.0.0.1:1        10.0.0.2:2    cubic backoff:2 rtt:1.234/0.005 mss:1448 cwnd:10 " +
      "send 93.9Mbps pacing_rate 1Tbps delivery_rate 1.2kbps busy:20ms rwnd_limited:5ms(25.0%) " +
      "sndbuf_limited:0ms(0.0%) reordering:5 rcv_rtt:123457"
  )
})

it("timers: minutes hide seconds, seconds milliseconds, once they are many", () => {
  const said = [0, 7, 1232, 9999, 10_500, 60_000, 72_400, 599_999, 600_500, 7_140_000].map((ms) => {
    const timer = { kind: "on", remainingNs: ms * 1e6, retransmits: 3 } as const
    return /timer:\(on,(.*),3\)/.exec(text(host([row(1, 4, 0, 0, "10.0.0.1", 1, "10.0.0.2", 2, timer, null)]), "ss -to"))![1]
  })
  expect(said).toEqual([
    "", "007ms", "1.232ms", "9.999ms", "10sec", "1min", "1min12sec", "9min59sec", "10min", "119min"
  ])
})

it("sums: at rest, orphaned, by family", () => {
  const orphan = { ...row(4, 4, 0, 1, "10.9.0.1", 5, "10.9.0.2", 6, null, { congestion: "cubic" }), orphan: true }
  const request = row(3, 4, 0, 0, "10.9.0.1", 7, "10.9.0.2", 8, { kind: "on", remainingNs: 1e9, retransmits: 0 }, null)
  const listener = row(10, 6, 0, 4096, "::", 443, "::", 0, null, { congestion: "cubic" })
  const netns = host([...CLIENT, orphan, { ...request, resting: false }, listener])
  netns.udp(4).bind(null, 53)
  expect(text(netns, "ss -s")).toBe(
    "Total: 12\nTCP:   12 (estab 6, closed 1, orphaned 1, timewait 1)\n\n" +
      "Transport Total     IP        IPv6\n" +
      "RAW\t  0         0         0        \nUDP\t  1         1         0        \n" +
      "TCP\t  11        8         3        \nINET\t  12        9         3        \n" +
      "FRAG\t  0         0         0        \n\n"
  )
  expect(text(netns, "cat /proc/net/sockstat /proc/net/sockstat6")).toBe(
    "sockets: used 12\nTCP: inuse 8 orphan 1 tw 1 alloc 11 mem 0\nUDP: inuse 1 mem 0\nUDPLITE: inuse 0\n" +
      "RAW: inuse 0\nFRAG: inuse 0 memory 0\n" +
      "TCP6: inuse 3\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n"
  )
  expect(/CurrEstab.*\nTcp:(?: \S+){4} 0 0 0 0 (\d+)/.exec(text(netns, "cat /proc/net/snmp"))![1]).toBe("6")
})

it("/proc/net/tcp and tcp6", () => {
  const resting = CLIENT.find((one) => one.resting)!
  const asking = CLIENT.find((one) => one.state === 2)!
  const request = { ...row(3, 4, 0, 0, "10.9.0.2", 83, "10.9.0.1", 9, { kind: "on", remainingNs: 1e9, retransmits: 2 }, null), resting: false }
  const some = host([resting, asking, SERVER[5]!, SERVER[1]!, request])
  expect(text(some, "cat /proc/net/tcp").split("\n").map((line) => line.padEnd(149) === line || line === "" ? line.trimEnd() : "narrow"))
    .toMatchInlineSnapshot(`
      [
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        "   0: 00000000:0050 00000000:0000 0A 00000000:00000001 00:00000000 00000000     0        0 0 1 0000000000000000 100 0 0 10 0",
        "   1: 0200090A:0050 0100090A:E254 08 00000000:00000001 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 0 10 -1",
        "   2: 0200090A:0053 0100090A:0009 03 00000000:00000000 01:00000064 00000002     0        0 0 0 0000000000000000",
        "   3: 0100090A:B258 0200090A:0053 02 00000001:00000000 01:00000043 00000001     0        0 0 2 0000000000000000 100 0 0 1 7",
        "   4: 0100090A:E254 0200090A:0050 05 00000000:00000000 03:000016A8 00000000     0        0 0 3 0000000000000000",
        "",
      ]
    `)
  expect(text(host(SERVER), "cat /proc/net/tcp6")).toMatchInlineSnapshot(`
    "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
       0: 00000000000000000000000000000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 100 0 0 10 0
       1: 00000000000000000000000000000000:0052 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 100 0 0 10 0
       2: 000009FD000000000000000002000000:0054 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 100 0 0 10 0
       3: 000009FD000000000000000002000000:0051 000009FD000000000000000001000000:83D2 01 00000000:0000000A 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 0 10 -1
       4: 0000000000000000FFFF00000200090A:0051 0000000000000000FFFF00000100090A:C6C4 01 00000000:000186A0 00:00000000 00000000     0        0 0 1 0000000000000000 20 8 0 10 -1
       5: 000009FD000000000000000002000000:0054 000009FD000000000000000001000000:B45E 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 0 0 10 -1
    "
  `)
})
