/**
 * curl against the real one's words: the same commands to the same server, whole output, and what is refused
 * here.
 */
import { readFileSync } from "node:fs"
import { parse } from "@podwire/wire/ip"
import { findProgram } from "@podwire/workload"
import { expect, it } from "vitest"
import { commandsOf, transcript, twoHosts, type TwoHosts } from "../two-hosts.ts"
import { ScriptedServer } from "./scripted-server.ts"

const golden = readFileSync(new URL("curl.golden.txt", import.meta.url), "utf8").replace(/^#.*\n/gm, "")
  .trim()
const FILES: ReadonlyArray<readonly [string, string]> = [
  ["form", "a\nb\r\n"], ["format", "C %{http_code}\\n"], ["big", "z".repeat(1_100_000)],
  ["fields", "X-One: 1\nX-Two: 2\n"]
]
const curl = findProgram("curl")!

function place(): TwoHosts {
  const hosts = twoHosts(FILES)
  for (const [ip, port] of [["10.0.0.2", 80], ["10.0.0.2", 8080], ["fd00::2", 80],
    ["10.0.0.3", 81]] as const) {
    new ScriptedServer(hosts.server, parse(ip)!, port)
  }
  return hosts
}

it("says what curl 8.14.1 says", () => {
  const said = commandsOf(golden).map((command) => transcript(place(), curl, command))
  expect(said.join("\n").trim()).toBe(golden)
})

it("refuses what is not modelled", () => {
  const said = [
    "curl https://10.0.0.2/", "curl -L http://10.0.0.2/httpsredir", "curl -F a=b http://10.0.0.2/",
      "curl -T form 10.0.0.2",
    "curl --http2 10.0.0.2", "curl -x proxy 10.0.0.2", "curl -c jar 10.0.0.2", "curl -b jar 10.0.0.2",
      "curl -Z 10.0.0.2",
    "curl --interface eth0 10.0.0.2", "curl --limit-rate 1k 10.0.0.2"
  ].map((command) => transcript(place(), curl, command)).join("")
  expect(said).toMatchInlineSnapshot(`
    "$ curl https://10.0.0.2/
    2|curl: (1) Protocol "https" not supported: TLS is not modelled in Podwire
    exit 1
    $ curl -L http://10.0.0.2/httpsredir
    2|curl: (1) The redirect target URL could not be parsed: Unsupported URL scheme: TLS is not modelled in Podwire
    exit 1
    $ curl -F a=b http://10.0.0.2/
    2|curl: option -F: is not modelled in Podwire
    2|curl: try 'curl --help' or 'curl --manual' for more information
    exit 2
    $ curl -T form 10.0.0.2
    2|curl: option -T: is not modelled in Podwire
    2|curl: try 'curl --help' or 'curl --manual' for more information
    exit 2
    $ curl --http2 10.0.0.2
    2|curl: option --http2: is not modelled in Podwire
    2|curl: try 'curl --help' or 'curl --manual' for more information
    exit 2
    $ curl -x proxy 10.0.0.2
    2|curl: option -x: is not modelled in Podwire
    2|curl: try 'curl --help' or 'curl --manual' for more information
    exit 2
    $ curl -c jar 10.0.0.2
    2|curl: option -c: is not modelled in Podwire
    2|curl: try 'curl --help' or 'curl --manual' for more information
    exit 2
    $ curl -b jar 10.0.0.2
    2|curl: option -b: is not modelled in Podwire
    2|curl: try 'curl --help' or 'curl --manual' for more information
    exit 2
    $ curl -Z 10.0.0.2
    2|curl: option -Z: is not modelled in Podwire
    2|curl: try 'curl --help' or 'curl --manual' for more information
    exit 2
    $ curl --interface eth0 10.0.0.2
    2|curl: option --interface: is not modelled in Podwire
    2|curl: try 'curl --help' or 'curl --manual' for more information
    exit 2
    $ curl --limit-rate 1k 10.0.0.2
    2|curl: option --limit-rate: is not modelled in Podwire
    2|curl: try 'curl --help' or 'curl --manual' for more information
    exit 2
    "
  `)
})

/** When it ends, in milliseconds from its start, and how. */
function timed(hosts: TwoHosts, command: string): string {
  const beganNs = hosts.engine.nowNs
  const text = transcript(hosts, curl, command)
  return `${(hosts.engine.nowNs - beganNs) / 1_000_000} ms ${text.split("\n").slice(1).join("\n")}`
}

it("waits as long as curl waits", () => {
  expect(timed(place(),
    "curl -sw %{time_connect} -o /dev/null http://dead.test/hello")).toMatchInlineSnapshot(`
    "200 ms 1|0.200000
    exit 0
    "
  `)
  expect(timed(place(),
    "curl -sw %{time_connect} --happy-eyeballs-timeout-ms 50 -o x http://dead.test/hello"))
    .toMatchInlineSnapshot(`
      "50 ms 1|0.050000
      exit 0
      "
    `)
  expect(timed(place(), "curl -m 1.5 -s 10.0.0.2/silent")).toMatchInlineSnapshot(`
    "1500 ms exit 28
    "
  `)
  expect(timed(place(), "curl --retry 3 -s -o /dev/null 10.0.0.2/busy")).toMatchInlineSnapshot(`
    "7000 ms exit 0
    "
  `)
  expect(timed(place(), "curl --retry 9 --retry-max-time 5 -s -o x 10.0.0.2/busy")).toMatchInlineSnapshot(`
    "7000 ms exit 0
    "
  `)
})

it("takes data from the standard input, and obeys the variables of a proxy", () => {
  const hosts = place()
  expect(transcript(hosts, curl, "curl -s -d @- 10.0.0.2/echo",
    new Uint8Array([0x68, 0x69]))).toMatchInlineSnapshot(`
    "$ curl -s -d @- 10.0.0.2/echo
    1|POST /echo HTTP/1.1\\r
    1|Host: 10.0.0.2\\r
    1|User-Agent: curl/8.14.1\\r
    1|Accept: */*\\r
    1|Content-Length: 2\\r
    1|Content-Type: application/x-www-form-urlencoded
    1|--
    1|hi
    exit 0
    "
  `)
  const env = new Map([["http_proxy", "http://proxy:3128"], ["no_proxy", ".test,10.0.0.3"]])
  const behind = { ...hosts, client: { ...hosts.client, env } }
  expect(["10.0.0.2/hello", "b.test/hello", "--noproxy * 10.0.0.2/hello"]
    .map((words) => transcript(behind, curl, `curl -sS ${words}`)).join("")).toMatchInlineSnapshot(`
      "$ curl -sS 10.0.0.2/hello
      2|curl: (5) Proxies are not modelled in Podwire: http_proxy is set
      exit 5
      $ curl -sS b.test/hello
      1|hello
      exit 0
      $ curl -sS --noproxy * 10.0.0.2/hello
      1|hello
      exit 0
      "
    `)
})

it("leaves nothing behind when it is killed", () => {
  for (const at of ["10.0.0.2/silent", "10.0.0.2/partial", "10.0.0.77/", "dead.test:83/",
    "--retry 2 10.0.0.2/busy"]) {
    const hosts = place()
    const process = curl.start(hosts.client, ["curl", "-s", ...at.split(" ")])
    hosts.engine.advance(hosts.engine.nowNs + 300_000_000, 100_000)
    process.kill()
    // TIME_WAIT and the neighbours' timers run out; a socket that is still open would have keep-alives.
    hosts.engine.advance(hosts.engine.nowNs + 200_000_000_000, 1_000_000)
    expect([at, process.exitCode, hosts.client.netns.sockets.tcpRows().length]).toEqual([at, 137, 0])
  }
})
