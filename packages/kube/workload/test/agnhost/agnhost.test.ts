/** agnhost's servers and clients as a shell and their peers see them. */
import { MILLISECOND, SECOND } from "@podwire/engine"
import { findProgram, type Host, type Process } from "@podwire/workload"
import { goServer } from "@podwire/workload/go/http"
import { redirect } from "@podwire/workload/go/mux"
import { Tcp } from "@podwire/tcp"
import { ascii, latin1 } from "@podwire/wire/bytes"
import { family, parse } from "@podwire/wire/ip"
import { expect, it } from "vitest"
import { makePair, type Pair, run, talk, Talker } from "../pair.ts"

function start(host: Host, ...words: ReadonlyArray<string>): Process {
  return findProgram(words[0]!)!.start(host, words)
}

/** The body of the answer to a GET. */
function get(pair: Pair, port: number, target: string, waitNs = 8 * SECOND): string {
  const heard = talk(pair, "10.0.0.1", port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, { waitNs })
  return heard.replace(/^HTTP\/1.1 (\d+) [^\r]*\r\n[^]*?\r\n\r\n/, "$1 ").replace(/<EOF>$/, "")
}

/** What a UDP server answers; "-" is nothing. */
function ask(pair: Pair, to: string, port: number, text: string): string {
  const ip = parse(to)!
  const socket = pair.client.netns.udp(family(ip))
  let heard = "-"
  socket.onReceive = (_, { payload }) => heard = latin1(payload, 0, payload.length)
  socket.connect(ip, port)
  socket.send(ascii(text))
  run(pair.engine, 100 * MILLISECOND)
  socket.close()
  return heard.replace(/:\d+$/, ":PORT")
}

it("netexec over UDP, and what it writes down", () => {
  const pair = makePair()
  const server = start(pair.server, "agnhost", "netexec", "--http-port=80", "--udp-port", "90")
  expect([
    ask(pair, "10.0.0.1", 90, "hostname"), ask(pair, "fd00::1", 90, " HostName\n"),
    ask(pair, "fd00::1", 90, "clientip"),
    ask(pair, "10.0.0.1", 90, "ClientIP"), ask(pair, "10.0.0.1", 90, "echo Hello There"),
    ask(pair, "10.0.0.1", 90, "what"),
    get(pair, 80, "/healthz"), get(pair, 80, "/"), get(pair, 80, "/clientip").replace(/:\d+$/, ":PORT"),
    get(pair, 80, "/shell?cmd=id")
  ]).toMatchInlineSnapshot(`
    [
      "web-0",
      "web-0",
      "[fd00::2]:PORT",
      "10.0.0.2:PORT",
      "hello there",
      "-",
      "200 ",
      "200 NOW: 2026-01-01 00:00:10.6 +0000 UTC m=+8.600000000",
      "200 10.0.0.2:PORT",
      "200 {"error":"not modelled: nothing real is executed"}",
    ]
  `)
  expect(server.stderr.replace(/:\d{5}\b/g, ":PORT")).toMatchInlineSnapshot(`
    "2026/01/01 00:00:02 Started UDP server on port  90
    2026/01/01 00:00:02 Started HTTP server on port 80
    2026/01/01 00:00:02 Sending udp hostName response
    2026/01/01 00:00:02 Sending udp hostName response
    2026/01/01 00:00:02 Sending clientip back to UDP client [fd00::2]:PORT
    2026/01/01 00:00:02 Sending clientip back to UDP client 10.0.0.2:PORT
    2026/01/01 00:00:02 Echoing hello there to UDP client 10.0.0.2:PORT
    2026/01/01 00:00:02 Unknown UDP command received from 10.0.0.2:PORT: what
    2026/01/01 00:00:02 GET /healthz
    2026/01/01 00:00:10 GET /
    2026/01/01 00:00:18 GET /clientip
    2026/01/01 00:00:26 GET /shell?cmd=id
    "
  `)
})

it("netexec tells the header that it got", () => {
  const pair = makePair()
  const server = start(pair.server, "agnhost", "netexec", "--delay-shutdown=3")
  const ask = (target: string, fields: string) => talk(pair, "10.0.0.1", 8080,
    `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n`, { waitNs: SECOND })
    .replace(/^[^]*?\r\n\r\n/, "")
  expect([
    ask("/header?key=x-forwarded-for", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n"),
    ask("/header?key=none", ""), ask("/header?key=Host", ""),
    ask("/header", "x-b: 2\r\n__proto__: p\r\nX-A: <1>\r\nX-B: 3\r\n"), get(pair, 8080, "/readyz")
  ]).toMatchInlineSnapshot(`
    [
      "192.0.2.1<EOF>",
      "<EOF>",
      "<EOF>",
      "{"Connection":["close"],"X-A":["\\u003c1\\u003e"],"X-B":["2","3"],"__proto__":["p"]}<EOF>",
      "200 ok",
    ]
  `)
  expect(server.stderr).toMatchInlineSnapshot(`
    "2026/01/01 00:00:02 --delay-shutdown is not modelled: the container ends at once
    2026/01/01 00:00:02 Started UDP server on port  8081
    2026/01/01 00:00:02 Started HTTP server on port 8080
    2026/01/01 00:00:02 GET /header?key=x-forwarded-for
    2026/01/01 00:00:03 GET /header?key=none
    2026/01/01 00:00:04 GET /header?key=Host
    2026/01/01 00:00:05 GET /header
    2026/01/01 00:00:06 GET /readyz
    "
  `)
})

it("netexec ends as it is told", () => {
  const ends = (target: string, waitNs = 8 * SECOND) => {
    const pair = makePair()
    const server = start(pair.server, "agnhost", "netexec")
    const atNs = pair.engine.nowNs
    let lived = -1
    server.onExit = () => lived = (pair.engine.nowNs - atNs) / SECOND
    const heard = get(pair, 8080, target, waitNs)
    return `${target}: ${JSON.stringify(heard)} exit ${server.exitCode} after ${lived} s`
  }
  expect([
    ends("/shutdown"), ends("/exit"), ends("/exit?code=7"), ends("/exit?code=7&wait=2s"),
    ends("/exit?code=3&timeout=5s"),
    ends("/exit?code=3&timeout=5s&wait=1m", 70 * SECOND), ends("/exit?code=x"), ends("/exit?wait=5"),
    ends("/exit?timeout=s")
  ]).toMatchInlineSnapshot(`
    [
      "/shutdown: "" exit 0 after 0 s",
      "/exit: "" exit 0 after 0 s",
      "/exit?code=7: "" exit 7 after 0 s",
      "/exit?code=7&wait=2s: "" exit 7 after 2 s",
      "/exit?code=3&timeout=5s: "200 " exit 3 after 0 s",
      "/exit?code=3&timeout=5s&wait=1m: "200 " exit 3 after 60 s",
      "/exit?code=x: "200 argument 'code' must be an integer [0-127] or empty, got \\"x\\"\\n" exit null after -1 s",
      "/exit?wait=5: "200 argument 'wait' must be a valid golang duration or empty, got \\"5\\"\\n" exit null after -1 s",
      "/exit?timeout=s: "200 argument 'timeout' must be a valid golang duration or empty, got \\"s\\"\\n" exit null after -1 s",
    ]
  `)
})

it("netexec dials others over HTTP and UDP", () => {
  const pair = makePair()
  start(pair.server, "agnhost", "netexec")
  start(pair.client, "agnhost", "netexec", "--http-port=8082", "--udp-port=8083")
  start(pair.client, "agnhost", "tcp-reset", "--port=8084")
  const silent = pair.client.netns.udp(6)
  silent.bind(null, 8085)
  silent.onReceive = () => {}
  for (const port of [8086, 8087]) {
    const deaf = Tcp.of(pair.client.netns).socket(6)
    deaf.bind(null, port)
    deaf.listen(port === 8086 ? 10 : 0)
  }
  // Its queue holds one, and nobody takes it out.
  new Talker(pair.server, "10.0.0.2", 8087, [])
  run(pair.engine, SECOND)
  goServer(pair.client, (response, request) => redirect(response, request, "/loop", 302)).open(8088)
  const dial = (query: string) => get(pair, 8080, `/dial?${query}`, 40 * SECOND).replace(/:\d{5}\b/g, ":PORT")
  expect([
    "host=10.0.0.2&port=8082&request=hostname",
    "host=fd00::2&port=8082&protocol=HTTP&request=hostName&tries=3",
    "host=10.0.0.2&port=8082&request=echo?msg=a%2520b%26code=404", "host=10.0.0.2&port=8082&request=clientip",
    "host=10.0.0.2&port=8082&request=redirect?location=/hostname",
    "host=10.0.0.2&port=8082&request=redirect?location=/redirect?location=/redirect",
    "host=fd00::2&port=8083&protocol=udp&request=echo+hi&tries=2",
    "host=10.0.0.2&port=9&protocol=udp&request=x",
    "host=10.0.0.2&port=8085&protocol=udp&request=x", "host=10.0.0.2&port=9&request=x&tries=2",
    "host=10.0.0.2&port=8084&request=x",
    "host=10.0.0.2&port=8086&request=x", "host=fd00::2&port=8087&request=x",
    "host=10.0.0.2&port=8088&request=start",
    "host=10.0.0.9&port=9&request=x", "host=192.0.2.1&port=9&request=x",
    "host=10.0.0.2&port=8083&protocol=sctp&request=x",
    "host=nobody&port=1&request=x", "host=10.0.0.2&port=x&request=x", "host=10.0.0.2&port=1",
    "host=a&port=1&request=x&protocol=icmp",
    "host=a&port=1&request=x&tries=many", "host=10.0.0.2&port=8082&request=x&tries=0"
  ].map((query) => `${query}\n  ${dial(query)}`).join("\n")).toMatchInlineSnapshot(`
    "host=10.0.0.2&port=8082&request=hostname
      200 {"responses":["client"]}
    host=fd00::2&port=8082&protocol=HTTP&request=hostName&tries=3
      200 {"responses":["client","client","client"]}
    host=10.0.0.2&port=8082&request=echo?msg=a%2520b%26code=404
      200 {"responses":["a b"]}
    host=10.0.0.2&port=8082&request=clientip
      200 {"responses":["10.0.0.1:PORT"]}
    host=10.0.0.2&port=8082&request=redirect?location=/hostname
      200 {"responses":["client"]}
    host=10.0.0.2&port=8082&request=redirect?location=/redirect?location=/redirect
      200 {"responses":["NOW: 2026-01-01 00:03:23 +0000 UTC m=+201.000000000"]}
    host=fd00::2&port=8083&protocol=udp&request=echo+hi&tries=2
      200 {"responses":["hi","hi"]}
    host=10.0.0.2&port=9&protocol=udp&request=x
      200 {"errors":["reading from udp connection failed. err:'read udp 10.0.0.1:PORT-\\u003e10.0.0.2:9: read: connection refused'"]}
    host=10.0.0.2&port=8085&protocol=udp&request=x
      200 {"errors":["reading from udp connection failed. err:'read udp 10.0.0.1:PORT-\\u003e10.0.0.2:8085: i/o timeout'"]}
    host=10.0.0.2&port=9&request=x&tries=2
      200 {"errors":["Get \\"http://10.0.0.2:9/x\\": dial tcp 10.0.0.2:9: connect: connection refused","Get \\"http://10.0.0.2:9/x\\": dial tcp 10.0.0.2:9: connect: connection refused"]}
    host=10.0.0.2&port=8084&request=x
      200 {"errors":["Get \\"http://10.0.0.2:8084/x\\": read tcp 10.0.0.1:PORT-\\u003e10.0.0.2:8084: read: connection reset by peer"]}
    host=10.0.0.2&port=8086&request=x
      200 {"errors":["Get \\"http://10.0.0.2:8086/x\\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"]}
    host=fd00::2&port=8087&request=x
      200 {"errors":["Get \\"http://[fd00::2]:8087/x\\": dial tcp [fd00::2]:8087: i/o timeout (Client.Timeout exceeded while awaiting headers)"]}
    host=10.0.0.2&port=8088&request=start
      200 {"errors":["Get \\"/loop\\": stopped after 10 redirects"]}
    host=10.0.0.9&port=9&request=x
      200 {"errors":["Get \\"http://10.0.0.9:9/x\\": dial tcp 10.0.0.9:9: connect: no route to host"]}
    host=192.0.2.1&port=9&request=x
      200 {"errors":["Get \\"http://192.0.2.1:9/x\\": dial tcp 192.0.2.1:9: connect: network is unreachable"]}
    host=10.0.0.2&port=8083&protocol=sctp&request=x
      200 {"errors":["sctp dial failed. err:protocol not supported"]}
    host=nobody&port=1&request=x
      400 host and/or port param are invalid. lookup nobody: no such host

    host=10.0.0.2&port=x&request=x
      400 host and/or port param are invalid. address x: invalid port

    host=10.0.0.2&port=1
      400 request parameter not specified. <nil>

    host=a&port=1&request=x&protocol=icmp
      400 unsupported protocol. icmp

    host=a&port=1&request=x&tries=many
      400 tries parameter is invalid. strconv.Atoi: parsing "many": invalid syntax

    host=10.0.0.2&port=8082&request=x&tries=0
      200 {}"
  `)
})

it("netexec's flags", () => {
  const outcome = (...words: ReadonlyArray<string>) => {
    const pair = makePair()
    start(pair.server, "udp-echo", "-l", "99")
    const server = start(pair.server, "agnhost", ...words)
    return `${words.join(" ")}: ${server.exitCode} ${server.stderr.replace(/^[\d/]+ [\d:]+ /gm, "").trimEnd().split("\n").at(-1)}`
  }
  expect([
    outcome("netexec", "--nope"), outcome("netexec", "-x"), outcome("netexec", "--http-port=no"),
    outcome("netexec", "word"),
    outcome("netexec", "--http-port"), outcome("netexec", "-v=4", "--logtostderr", "--http-port=81"),
    outcome("netexec", "--udp-port=99"),
    outcome("netexec", "--udp-listen-addresses=10.0.0.1,fd00::1"),
    outcome("netexec", "--udp-listen-addresses=x"),
    outcome("netexec", "--sctp-port=5"), outcome("netexec", "--tls-cert-file=/a"), outcome("guestbook"),
    outcome("--nope"),
    outcome("serve-hostname", "--tcp"), outcome("serve-hostname", "--http=maybe"), outcome("connect"),
    outcome("pause", "--x")
  ]).toMatchInlineSnapshot(`
    [
      "netexec --nope: 0 Error: unknown flag: --nope",
      "netexec -x: 0 Error: unknown shorthand flag: 'x' in -x",
      "netexec --http-port=no: 0 Error: invalid argument "no" for "--http-port" flag: strconv.ParseInt: parsing "no": invalid syntax",
      "netexec word: 0 Error: unknown command "word" for "app netexec"",
      "netexec --http-port: 0 Error: flag needs an argument: --http-port",
      "netexec -v=4 --logtostderr --http-port=81: null Started HTTP server on port 81",
      "netexec --udp-port=99: 1 Error occurred: failed to create listener for UDP address :99:listen udp :99: bind: address already in use",
      "netexec --udp-listen-addresses=10.0.0.1,fd00::1: null Started HTTP server on port 8080",
      "netexec --udp-listen-addresses=x: 1 parseAddress: invalid address x",
      "netexec --sctp-port=5: 1 SCTP is not modelled",
      "netexec --tls-cert-file=/a: 1 TLS is not modelled",
      "guestbook: 1 Error: unknown command "guestbook" for "app", or it is not modelled",
      "--nope: 1 Error: unknown flag: --nope",
      "serve-hostname --tcp: 1 Can't server TCP/UDP mode and HTTP mode at the same time",
      "serve-hostname --http=maybe: 0 Error: invalid argument "maybe" for "--http" flag: strconv.ParseBool: parsing "maybe": invalid syntax",
      "connect: 0 Error: accepts 1 arg(s), received 0",
      "pause --x: 0 Error: unknown flag: --x",
    ]
  `)
  const pair = makePair()
  start(pair.server, "agnhost", "netexec", "--http-override=/echo?msg=fixed")
  expect(get(pair, 8080, "/hostname")).toBe("200 fixed")
  expect(`${start(pair.server, "agnhost", "netexec").exitCode}`).toBe("1")
})

it("serve-hostname, porter, pause, tcp-reset", () => {
  const env = new Map([
    ["SERVE_PORT_81", "eighty-one"], ["SERVE_TCP_PORT_82", "two"], ["SERVE_UDP_PORT_83", "three"],
    ["SERVE_TLS_PORT_84", "x"],
    ["SERVE_PORT_nope", "x"], ["HOSTNAME", "x"]
  ])
  const pair = makePair(env)
  start(pair.server, "agnhost", "serve-hostname")
  start(pair.server, "agnhost", "serve-hostname", "--http=false", "--tcp", "--udp", "--port=90")
  start(pair.server, "agnhost", "serve-hostname", "--close", "--port=91")
  const porter = start(pair.server, "agnhost", "porter")
  start(pair.server, "agnhost", "tcp-reset", "--port=92")
  const plain = (port: number) => talk(pair, "fd00::1", port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").split("\r\n\r\n").at(-1)
  expect([
    plain(9376), talk(pair, "10.0.0.1", 90, []), ask(pair, "10.0.0.1", 90, "x"), plain(91), plain(81),
    plain(82), ask(pair, "fd00::1", 83, "x"),
    talk(pair, "10.0.0.1", 92, "hello"), talk(pair, "10.0.0.1", 92, "x")
  ]).toMatchInlineSnapshot(`
    [
      "web-0<OPEN>",
      "web-0<EOF>",
      "web-0",
      "web-0<EOF>",
      "eighty-one<OPEN>",
      "two<OPEN>",
      "three",
      "<RST>",
      "<EOF>",
    ]
  `)
  expect(porter.stderr).toMatchInlineSnapshot(`
    "2026/01/01 00:00:02 Started UDP server on port 83
    2026/01/01 00:00:02 SERVE_TLS_PORT_84: TLS is not modelled
    2026/01/01 00:00:02 server on port "nope" failed: listen tcp: address nope: invalid port
    "
  `)
  porter.kill()
  start(pair.server, "agnhost", "porter", "--json-response")
  expect(plain(81)).toMatchInlineSnapshot(`"{"Method":"GET","Body":"eighty-one"}<OPEN>"`)
  const pause = start(pair.server, "agnhost")
  expect([pause.stdout, pause.exitCode]).toEqual(["Paused\n", null])
})

it("connect says in one word how it went", () => {
  const pair = makePair()
  start(pair.server, "agnhost", "netexec")
  const connect = (...words: ReadonlyArray<string>) => {
    const atNs = pair.engine.nowNs
    const process = start(pair.client, "agnhost", "connect", ...words)
    let tookNs = 0
    process.onExit = () => tookNs = pair.engine.nowNs - atNs
    run(pair.engine, 200 * SECOND)
    return `${words.join(" ")}: ${process.exitCode} ${process.stderr.trimEnd().replace(/:\d{5}->/, ":PORT->")} ` +
      `${(tookNs / SECOND).toFixed(1)} s`
  }
  expect([
    connect("10.0.0.1:8080"), connect("[fd00::1]:8080"), connect("web:8080"), connect("10.0.0.1:9"),
    connect("10.0.0.9:9"),
    connect("192.0.2.1:9"), connect("10.0.0.9:9", "--timeout=1s"), connect("nobody:1"), connect("10.0.0.1"),
    connect("fd00::1:1"),
    connect("--protocol=udp", "10.0.0.1:8081"), connect("--protocol=udp", "10.0.0.1:9"),
    connect("--protocol=sctp", "10.0.0.1:9"),
    connect("--protocol", "udp", "--udp-data=what", "--timeout=2s", "fd00::1:8081"),
    connect("--protocol", "udp", "--udp-data=what", "--timeout=2s", "[fd00::1]:8081"),
    connect("--timeout=soon", "a:1"), connect("10.0.0.1:99999")
  ]).toMatchInlineSnapshot(`
    [
      "10.0.0.1:8080: 0  0.0 s",
      "[fd00::1]:8080: 0  0.0 s",
      "web:8080: 0  0.0 s",
      "10.0.0.1:9: 1 REFUSED 0.0 s",
      "10.0.0.9:9: 1 OTHER: dial tcp 10.0.0.9:9: connect: no route to host 3.0 s",
      "192.0.2.1:9: 1 OTHER: dial tcp 192.0.2.1:9: connect: network is unreachable 0.0 s",
      "10.0.0.9:9 --timeout=1s: 1 TIMEOUT 1.0 s",
      "nobody:1: 1 DNS: lookup nobody: no such host 0.0 s",
      "10.0.0.1: 1 UNKNOWN: address 10.0.0.1: missing port in address 0.0 s",
      "fd00::1:1: 1 UNKNOWN: address fd00::1:1: too many colons in address 0.0 s",
      "--protocol=udp 10.0.0.1:8081: 0  0.0 s",
      "--protocol=udp 10.0.0.1:9: 1 REFUSED: read udp 10.0.0.2:PORT->10.0.0.1:9: read: connection refused 0.0 s",
      "--protocol=sctp 10.0.0.1:9: 1 OTHER: protocol not supported 0.0 s",
      "--protocol udp --udp-data=what --timeout=2s fd00::1:8081: 1 DNS: address fd00::1:8081: too many colons in address 0.0 s",
      "--protocol udp --udp-data=what --timeout=2s [fd00::1]:8081: 1 TIMEOUT: read udp [fd00::2]:PORT->[fd00::1]:8081: i/o timeout 2.0 s",
      "--timeout=soon a:1: 0 Error: invalid argument "soon" for "--timeout" flag: time: invalid duration "soon" 0.0 s",
      "10.0.0.1:99999: 1 DNS: address 99999: invalid port 0.0 s",
    ]
  `)
})
