/** `capture` and `reach` as a user runs them: whole lines, a capture read back, filters, expectations. */
import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readCapture } from "pcap-writer"
import { afterAll, it } from "vitest"

const SCENARIO = "scenarios/010-first-light"
const folder = mkdtempSync(join(tmpdir(), "podwire-capture-"))
afterAll(() => rmSync(folder, { recursive: true }))

interface Ended {
  readonly status: number
  readonly stdout: Buffer
  readonly text: string
  readonly stderr: string
}

function podwire(command: string, ...args: ReadonlyArray<string>): Promise<Ended> {
  const words = ["packages/edge/cli/bin/podwire.mjs", command, "-f", SCENARIO, ...args]
  return new Promise((resolve) => {
    const process = execFile(globalThis.process.execPath, words, { encoding: "buffer" }, (_, stdout, stderr) =>
      resolve({ status: process.exitCode!, stdout, text: stdout.toString(), stderr: stderr.toString() }))
  })
}

it.concurrent("lines as tcpdump prints them", async ({ expect }) => {
  const { status, text, stderr } = await podwire("capture", "-c", "4", "icmp", "or", "arp[6:2]", "=", "2")
  expect(`${status} ${stderr}`).toBe("0 seed 7\n4 packets captured\n")
  expect(text).toMatchInlineSnapshot(`
    "00:00:02.507000 default/db-0/lo In  IP 10.244.1.2 > 10.244.1.2: ICMP echo request, id 16795, seq 1, length 64
    00:00:02.507000 default/db-0/lo In  IP 10.244.1.2 > 10.244.1.2: ICMP echo reply, id 16795, seq 1, length 64
    00:00:02.507000 node2/cni0 Out ARP, Reply 10.244.1.1 is-at 36:bc:72:01:48:c8, length 28
    00:00:02.507000 node2/veth58dcf978 Out ARP, Reply 10.244.1.1 is-at 36:bc:72:01:48:c8, length 28
    "
  `)
  expect((await podwire("capture", "db-0", "-q", "-e", "-c", "3", "icmp")).text).toMatchInlineSnapshot(`
    "00:00:02.507000 ca:4f:42:1a:26:b6 > 36:bc:72:01:48:c8, ethertype IPv4 (0x0800), length 98: 10.244.1.2 > 10.244.2.4: ICMP echo request, id 17570, seq 1, length 64
    00:00:02.507800 36:bc:72:01:48:c8 > ca:4f:42:1a:26:b6, ethertype IPv4 (0x0800), length 98: 10.244.2.4 > 10.244.1.2: ICMP echo reply, id 17570, seq 1, length 64
    00:00:02.509000 ca:4f:42:1a:26:b6 > 36:bc:72:01:48:c8, ethertype IPv4 (0x0800), length 98: 10.244.1.2 > 10.244.0.2: ICMP echo request, id 39229, seq 1, length 64
    "
  `)
})

it.concurrent("one capture, into a file or a pipe", async ({ expect }) => {
  const piped = await podwire("capture", "-q", "node1/cni0", "-w", "-", "-c", "20", "icmp6")
  expect(piped.stderr).toBe("")
  const { packets, interfaces, fault } = readCapture(new Uint8Array(piped.stdout))
  expect(fault).toBe(null)
  expect(interfaces.map(({ name }) => name)).toEqual(["node1/cni0"])
  expect(packets.length).toBe(20)
  const file = join(folder, "a.pcap")
  const { stderr } = await podwire("capture", "node1/cni0", "--pcap", "-w", file, "-c", "20", "icmp6")
  expect(stderr).toBe("seed 7\n20 packets captured\n")
  const classic = readCapture(new Uint8Array(readFileSync(file)))
  expect(classic.packets.map(({ bytes }) => bytes)).toEqual(packets.map(({ bytes }) => bytes))
})

it.concurrent("what is wrong is said with its place, exit code 2", async ({ expect }) => {
  const filter = await podwire("capture", "tcp prot 80")
  expect(`${filter.status} ${filter.text}${filter.stderr}`).toBe(
    "2 podwire: filter: found prot, expected and, or, or the end\n  tcp prot 80\n      ^\n"
  )
  const place = await podwire("capture", "-q", "node9", "--", "tcp")
  expect(place.status).toBe(2)
  expect(place.stderr).toMatch(/^podwire: no interface is called "node9"; there are any, node1\/lo, /)
})

it.concurrent("reach is what a file says it is", async ({ expect }) => {
  const { status, text } = await podwire("reach", "-q", "--nodes", "1", "-o", "csv")
  expect(status).toBe(0)
  expect(text.split("\n").slice(0, 3)).toEqual([
    "from,to,family,verdict", "default/db-0,default/db-0,IPv4,Delivered",
    "default/db-0,default/db-0,IPv6,Delivered"
  ])
  const file = join(folder, "reach.csv")
  writeFileSync(file, text)
  const same = await podwire("reach", "-q", "--nodes", "1", "--expect", file)
  expect(`${same.status} ${same.text}`).toBe("0 112 pairs are as expected\n")
  const rows = [
    "verdict,family,from,to", "TimedOut,4,default/web-*,default/db-1", "Delivered,IPv6,nobody,default/db-1"
  ]
  writeFileSync(file, rows.join("\n"))
  const differs = await podwire("reach", "--nodes", "1", "--expect", file, "-o", "csv")
  expect(`${differs.status} ${differs.text}`).toMatchInlineSnapshot(`
    "1 from,to,family,verdict,expected
    default/web-5699994f96-89tht,default/db-1,IPv4,Delivered,TimedOut
    default/web-5699994f96-crzvn,default/db-1,IPv4,Delivered,TimedOut
    default/web-5699994f96-fdx6m,default/db-1,IPv4,Delivered,TimedOut
    nobody,default/db-1,IPv6,absent,Delivered
    "
  `)
  expect(differs.stderr).toBe("seed 7\n109 pairs that the file does not name were not compared\n")
})
