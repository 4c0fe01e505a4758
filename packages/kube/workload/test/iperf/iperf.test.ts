/** iperf3 on a link that is known: its layout is the real one's, its numbers the link's. */
import { readFileSync } from "node:fs"
import { findProgram, type Process } from "@podwire/workload"
import { expect, it } from "vitest"
import { commandsOf, finish, rendered, transcript, twoHosts, type TwoHosts, wordsOf } from "../two-hosts.ts"

const golden = readFileSync(new URL("iperf.golden.txt", import.meta.url), "utf8").replace(/^#.*\n/gm, "")
  .trim()
const iperf3 = findProgram("iperf3")!
/** As the real one's: 100 Mbit/s, some milliseconds, a queue that TCP fills. */
const LINK = { rateBps: 100_000_000, delayNs: 2_000_000, queuePackets: 70 }

/** Client and server of one test, without the server's banner. */
function both(hosts: TwoHosts, command: string): string {
  const server = iperf3.start(hosts.server, ["iperf3", "-s", "-1"])
  const client = iperf3.start(hosts.client, wordsOf(command))
  finish(hosts.engine, client)
  finish(hosts.engine, server)
  expect([client.exitCode, client.stderr, server.exitCode, server.stderr]).toEqual([0, "", 0, ""])
  return `$ ${command}\n${client.stdout}${server.stdout.replace(/^-{59}\nServer.*\n-{59}\n/, "")}`
}

/** The shapes of its lines, each once for each command: numbers and units as they stand in their columns. */
function layout(text: string): string {
  const masked = text.replace(/ +\d+\.\d\d-\d+\.\d\d +sec/g, "   SPAN sec")
    .replace(/port \d{5}/g, "port PORT")
    .replace(/[ \d.]{4} [KMG](?=Bytes|bits\/sec)/g, "NNNN ?")
      .replace(/(?<=sec  )[ \d]{3,4}(?=   NNNN| {13})/g, "RRR")
    .replace(/\d\.\d{3} ms  \d+\/\d+ \([\d.]+%\)/g, "JITTER LOST").replace(/(?<=sec  )\d+(?=  $)/gm, "COUNT")
  return masked.split(/^(?=\$)/m).map((part) => [...new Set(part.split("\n"))].join("\n")).join("\n").trim()
}

it("lays out what iperf 3.12 lays out", () => {
  const said = commandsOf(golden).map((command) => both(twoHosts([], LINK), command)).join("\n")
  expect(layout(said)).toBe(layout(golden))
})

/** Octets, bits a second and retransmissions of the summaries, sender's then receiver's. */
function sums(hosts: TwoHosts,
  command: string): { sent: number; received: number; rate: number; retransmits: number } {
  const server = iperf3.start(hosts.server, ["iperf3", "-s", "-1"])
  const client = iperf3.start(hosts.client, wordsOf(`${command} -J`))
  finish(hosts.engine, client)
  finish(hosts.engine, server)
  const { sum_sent, sum_received } = JSON.parse(client.stdout).end
  return {
    sent: sum_sent.bytes, received: sum_received.bytes, rate: sum_received.bits_per_second / 1e6,
    retransmits: sum_sent.retransmits ?? 0
  }
}

it("fills a link, and less of a bad one", () => {
  const full = sums(twoHosts([], LINK), "iperf3 -c 10.0.0.2 -t 3")
  expect(full.rate).toBeGreaterThan(90)
  // 1448 octets of 1514, and the frame's end, preamble and gap are not counted.
  expect(full.rate).toBeLessThan(100 * 1448 / 1514)
  const bad = sums(twoHosts([], { ...LINK, lossPpm: 20_000 }), "iperf3 -c fd00::2 -t 3 -R")
  expect(bad.rate).toBeLessThan(full.rate / 2)
  expect(bad.retransmits).toBeGreaterThan(10)
})

it("gives a link without a rate no more than a processor makes", () => {
  const { rate } = sums(twoHosts(), "iperf3 -c 10.0.0.2 -n 20M")
  expect(rate).toBeGreaterThan(9000)
  expect(rate).toBeLessThan(10_100)
})

it("stops after octets or blocks, and keeps to a rate", () => {
  const { sent } = sums(twoHosts([], LINK), "iperf3 -c 10.0.0.2 -n 1M")
  expect(Math.floor(sent / 131_072)).toBe(8)
  expect(Math.ceil(sums(twoHosts([], LINK),
    "iperf3 -c 10.0.0.2 -k 20 -l 10K").sent / 10_240)).toBeLessThanOrEqual(20)
  const slow = sums(twoHosts([], LINK), "iperf3 -c 10.0.0.2 -t 4 -b 3M -P 2 -l 8K")
  expect(slow.rate).toBeGreaterThan(5.9)
  expect(slow.rate).toBeLessThan(6.1)
  expect(sums(twoHosts([], LINK), "iperf3 -c 10.0.0.2 -u -n 100K -b 20M"))
    .toMatchObject({ sent: 71 * 1448, received: 71 * 1448 })
})

it("counts what a link loses", () => {
  const hosts = twoHosts()
  const text = both(hosts, "iperf3 -c fd00::2 -u -b 4M -t 2")
  expect(text).toContain("0/700 (0%)  receiver")
  const lossy = twoHosts([], { delayNs: 5_000_000, jitterNs: 1_000_000, lossPpm: 50_000 })
  const [, lost, all] = /ms  (\d+)\/(\d+) \(.*receiver/.exec(both(lossy, "iperf3 -c 10.0.0.2 -u -b 4M -t 4"))!
  expect(Number(lost) / Number(all)).toBeGreaterThan(0.035)
  expect(Number(lost) / Number(all)).toBeLessThan(0.065)
})

it("begins when it has its streams, also when the word for that overtook the last answer", () => {
  const hosts = twoHosts([], { delayNs: 5_000_000, jitterNs: 4_000_000 })
  const sent = Array.from({ length: 12 }, () => sums(hosts, "iperf3 -c 10.0.0.2 -u -n 10K -l 1K -b 4M").sent)
  expect(sent).toEqual(Array.from({ length: 12 }, () => 10 * 1024))
})

it("does not wait for ever for the answer to a UDP stream", () => {
  const hosts = twoHosts([], { delayNs: 1_000_000, lossPpm: 250_000 })
  iperf3.start(hosts.server, ["iperf3", "-s"])
  const ends = Array.from({ length: 8 }, () => {
    const beganNs = hosts.engine.nowNs
    const client = iperf3.start(hosts.client, wordsOf("iperf3 -c 10.0.0.2 -u -n 10K -b 1M"))
    finish(hosts.engine, client)
    const seconds = (hosts.engine.nowNs - beganNs) / 1e9
    // The server hears of it, also when the first word of that is lost.
    hosts.engine.advance(hosts.engine.nowNs + 60e9, 1_000_000)
    return client.stderr === "" ? "" : `${client.stderr}${seconds > 30}`
  })
  expect(new Set(ends)).toEqual(
    new Set(["", "iperf3: error - unable to read from stream socket: Resource temporarily unavailable\ntrue"]))
})

it("one object with -J", () => {
  const hosts = twoHosts([], LINK)
  iperf3.start(hosts.server, ["iperf3", "-s"])
  const process = iperf3.start(hosts.client, wordsOf("iperf3 -c 10.0.0.2 -t 1 -J"))
  finish(hosts.engine, process)
  // What depends on how TCP fares is another test's.
  const fixed = process.stdout
    .replace(/("(?:bytes|bits_per_second|retransmits|\w*cwnd|\w*wnd|\w*rtt\w*)":\t)[\d.]+/g, "$1N")
    .replace(/("(?:end|seconds)":\t)1\.0\d+/g, "$1LATER").replace(/("(?:cookie|local_port)":\t).*/g, "$1…")
  expect(fixed).toMatchInlineSnapshot(`
    "{
    	"start":	{
    		"connected":	[{
    				"socket":	5,
    				"local_host":	"10.0.0.1",
    				"local_port":	…
    				"remote_host":	"10.0.0.2",
    				"remote_port":	5201
    			}],
    		"version":	"iperf 3.12",
    		"system_info":	"Podwire",
    		"timestamp":	{
    			"time":	"Thu, 01 Jan 2026 00:00:02 GMT",
    			"timesecs":	1767225602
    		},
    		"connecting_to":	{
    			"host":	"10.0.0.2",
    			"port":	5201
    		},
    		"cookie":	…
    		"tcp_mss_default":	1448,
    		"target_bitrate":	0,
    		"test_start":	{
    			"protocol":	"TCP",
    			"num_streams":	1,
    			"blksize":	131072,
    			"omit":	0,
    			"duration":	1,
    			"bytes":	N,
    			"blocks":	0,
    			"reverse":	0,
    			"tos":	0,
    			"target_bitrate":	0
    		}
    	},
    	"intervals":	[{
    			"streams":	[{
    					"socket":	5,
    					"start":	0,
    					"end":	1,
    					"seconds":	1,
    					"bytes":	N,
    					"bits_per_second":	N,
    					"retransmits":	N,
    					"snd_cwnd":	N,
    					"snd_wnd":	N,
    					"rtt":	N,
    					"rttvar":	N,
    					"pmtu":	1500,
    					"omitted":	false,
    					"sender":	true
    				}],
    			"sum":	{
    				"start":	0,
    				"end":	1,
    				"seconds":	1,
    				"bytes":	N,
    				"bits_per_second":	N,
    				"retransmits":	N,
    				"omitted":	false,
    				"sender":	true
    			}
    		}],
    	"end":	{
    		"streams":	[{
    				"sender":	{
    					"socket":	5,
    					"start":	0,
    					"end":	1,
    					"seconds":	1,
    					"bytes":	N,
    					"bits_per_second":	N,
    					"retransmits":	N,
    					"max_snd_cwnd":	N,
    					"max_snd_wnd":	N,
    					"max_rtt":	N,
    					"min_rtt":	N,
    					"mean_rtt":	N,
    					"sender":	true
    				},
    				"receiver":	{
    					"socket":	5,
    					"start":	0,
    					"end":	LATER,
    					"seconds":	LATER,
    					"bytes":	N,
    					"bits_per_second":	N,
    					"sender":	true
    				}
    			}],
    		"sum_sent":	{
    			"start":	0,
    			"end":	1,
    			"seconds":	1,
    			"bytes":	N,
    			"bits_per_second":	N,
    			"retransmits":	N,
    			"sender":	true
    		},
    		"sum_received":	{
    			"start":	0,
    			"end":	LATER,
    			"seconds":	LATER,
    			"bytes":	N,
    			"bits_per_second":	N,
    			"sender":	true
    		},
    		"cpu_utilization_percent":	{
    			"host_total":	0,
    			"host_user":	0,
    			"host_system":	0,
    			"remote_total":	0,
    			"remote_user":	0,
    			"remote_system":	0
    		},
    		"sender_tcp_congestion":	"cubic",
    		"receiver_tcp_congestion":	"cubic"
    	}
    }
    "
  `)
  const failed = iperf3.start(hosts.client, wordsOf("iperf3 -c 10.0.0.2 -p 83 -J"))
  finish(hosts.engine, failed)
  expect([failed.exitCode, JSON.parse(failed.stdout).error])
    .toEqual([1, "error - unable to connect to server: Connection refused"])
})

it("serves one client after the other, and only one at a time", () => {
  const hosts = twoHosts([], LINK)
  const server = iperf3.start(hosts.server, ["iperf3", "-s"])
  const first = iperf3.start(hosts.client, wordsOf("iperf3 -c 10.0.0.2 -t 1"))
  hosts.engine.advance(hosts.engine.nowNs + 500_000_000, 1_000_000)
  expect(transcript(hosts, iperf3, "iperf3 -c 10.0.0.2 -t 1")).toMatchInlineSnapshot(`
    "$ iperf3 -c 10.0.0.2 -t 1
    2|iperf3: error - the server is busy running a test. try again later
    exit 1
    "
  `)
  finish(hosts.engine, first)
  expect(first.exitCode).toBe(0)
  const killed = iperf3.start(hosts.client, wordsOf("iperf3 -c 10.0.0.2 -t 9"))
  hosts.engine.advance(hosts.engine.nowNs + 1_000_000_000, 1_000_000)
  killed.kill()
  hosts.engine.advance(hosts.engine.nowNs + 1_000_000_000, 1_000_000)
  expect(server.stderr).toMatchInlineSnapshot(`
    "iperf3: the client has unexpectedly closed the connection
    "
  `)
  expect(transcript(hosts, iperf3, "iperf3 -c 10.0.0.2 -n 1K").split("\n").at(-2)).toBe("exit 0")
  hosts.engine.advance(hosts.engine.nowNs + 1_000_000_000, 1_000_000)
  expect(server.stdout.match(/test #\d/g)).toEqual(["test #1", "test #2", "test #3", "test #4"])
  server.kill()
  hosts.engine.advance(hosts.engine.nowNs + 300_000_000_000, 1_000_000)
  expect([hosts.client, hosts.server].map((host) => host.netns.sockets.tcpRows().length)).toEqual([0, 0])
})

it("says what is wrong with its options", () => {
  const ends = (process: Process) =>
    rendered(process).split("\n").filter((line) => !/^2\|( |$|Podwire|Usage)/.test(line)).join("\n")
  expect([
    "", "-s -c h", "-c h -t 1 -n 1", "-s -u", "-c h -P 200", "-c h -l 99M", "-c h -u -l 8", "-c h -i 99",
      "-c h -p 0",
    "-c h -t 99999999", "-Q", "--foo", "-c", "-c h -w 1M", "-c h --bidir", "-c h -u -b 0", "-c nobody",
      "-6 -c 10.0.0.2", "-c 10.0.0.2"
  ].map((words) => {
    const hosts = twoHosts()
    const process = iperf3.start(hosts.client, wordsOf(`iperf3 ${words}`))
    finish(hosts.engine, process)
    return `$ iperf3 ${words}\n${ends(process)}`
  }).join("")).toMatchInlineSnapshot(`
    "$ iperf3 
    2|iperf3: parameter error - must either be a client (-c) or server (-s)
    exit 1
    $ iperf3 -s -c h
    2|iperf3: parameter error - cannot be both server and client
    exit 1
    $ iperf3 -c h -t 1 -n 1
    2|iperf3: parameter error - only one test end condition (-t, -n, -k) may be specified
    exit 1
    $ iperf3 -s -u
    2|iperf3: parameter error - some option you are trying to set is client only
    exit 1
    $ iperf3 -c h -P 200
    2|iperf3: parameter error - number of parallel streams too large (maximum = 128)
    exit 1
    $ iperf3 -c h -l 99M
    2|iperf3: parameter error - block size too large (maximum = 1048576 bytes)
    exit 1
    $ iperf3 -c h -u -l 8
    2|iperf3: parameter error - block size invalid (minimum = 16 bytes, maximum = 65507 bytes)
    exit 1
    $ iperf3 -c h -i 99
    2|iperf3: parameter error - invalid report interval (min = 0.1, max = 60 seconds)
    exit 1
    $ iperf3 -c h -p 0
    2|iperf3: parameter error - port number must be between 1 and 65535 inclusive
    exit 1
    $ iperf3 -c h -t 99999999
    2|iperf3: parameter error - test duration too long (maximum = 86400 seconds)
    exit 1
    $ iperf3 -Q
    2|iperf3: invalid option -- 'Q'
    2|Try \`iperf3 --help' for more information.
    exit 1
    $ iperf3 --foo
    2|iperf3: unrecognized option '--foo'
    2|Try \`iperf3 --help' for more information.
    exit 1
    $ iperf3 -c
    2|iperf3: option requires an argument -- 'c'
    2|Try \`iperf3 --help' for more information.
    exit 1
    $ iperf3 -c h -w 1M
    2|iperf3: parameter error - --window is not modelled in Podwire
    exit 1
    $ iperf3 -c h --bidir
    2|iperf3: parameter error - --bidir is not modelled in Podwire
    exit 1
    $ iperf3 -c h -u -b 0
    2|iperf3: parameter error - UDP without a rate (-b 0) is not modelled in Podwire
    exit 1
    $ iperf3 -c nobody
    2|iperf3: error - unable to connect to server: Resource temporarily unavailable
    exit 1
    $ iperf3 -6 -c 10.0.0.2
    2|iperf3: error - unable to connect to server: Address family for hostname not supported
    exit 1
    $ iperf3 -c 10.0.0.2
    2|iperf3: error - unable to connect to server: Connection refused
    exit 1
    "
  `)
})
