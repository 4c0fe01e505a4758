/** The default listener over TCP: what curl and nc see of it, and that it keeps nothing. */
import { MILLISECOND, SECOND } from "@podwire/engine"
import { PortListener } from "@podwire/workload"
import { expect, it } from "vitest"
import { makePair, run, talk, Talker } from "./pair.ts"

function listening() {
  const pair = makePair()
  const listener = new PortListener(pair.server, ["app"], [{ port: 80, protocol: "TCP" }], "web-0 default")
  const at = (to: string, words: string | ReadonlyArray<string>, options: Parameters<typeof talk>[4] = {}) =>
    talk(pair, to, 80, words, options).replace(/(10\.0\.0\.2|\[fd00::2\]):\d+/g, "$1:PORT")
  return { pair, listener, at }
}

it("HTTP gets the line as a body, anything else gets the line", () => {
  const { at, listener } = listening()
  expect(at("10.0.0.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n")).toMatchInlineSnapshot(`
    "HTTP/1.1 200 OK
    Content-Type: text/plain; charset=utf-8
    Content-Length: 38
    Date: Thu, 01 Jan 2026 00:00:02 GMT

    web-0 default 10.0.0.1 10.0.0.2:PORT
    <OPEN>"
  `)
  expect(at("fd00::1", "POST /x HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi")).toMatchInlineSnapshot(`
    "HTTP/1.1 200 OK
    Content-Type: text/plain; charset=utf-8
    Content-Length: 38
    Date: Thu, 01 Jan 2026 00:00:07 GMT
    Connection: close

    web-0 default fd00::1 [fd00::2]:PORT
    <EOF>"
  `)
  expect(at("fd00::1", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    .toMatchInlineSnapshot(`
      "HTTP/1.1 200 OK
      Content-Type: text/plain; charset=utf-8
      Content-Length: 38
      Date: Thu, 01 Jan 2026 00:00:12 GMT

      HTTP/1.1 200 OK
      Content-Type: text/plain; charset=utf-8
      Content-Length: 38
      Date: Thu, 01 Jan 2026 00:00:12 GMT
      Connection: close

      web-0 default fd00::1 [fd00::2]:PORT
      <EOF>"
    `)
  expect(at("fd00::1", "GET / HTTP/1.1\r\n\r\n")).toMatchInlineSnapshot(`
    "HTTP/1.1 400 Bad Request
    Content-Type: text/plain; charset=utf-8
    Content-Length: 29
    Connection: close

    missing required Host header
    <EOF>"
  `)
  expect(at("10.0.0.1", [..."GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"], { pauseNs: 10 * MILLISECOND }))
    .toMatch(/^HTTP\/1.1 200 OK\r\n.*\r\n\r\nweb-0 default 10.0.0.1 10.0.0.2:PORT\n<EOF>$/s)
  const line = "web-0 default fd00::1 [fd00::2]:PORT\n<EOF>"
  expect(at("fd00::1", "hello\n")).toBe(line)
  expect(at("fd00::1", "hello", { half: true, waitNs: SECOND / 2 })).toBe(line)
  expect(at("fd00::1", [], { half: true, waitNs: SECOND / 2 })).toBe(line)
  expect(at("fd00::1", "GET / HTTP/1.1", { waitNs: SECOND / 2 })).toBe("<OPEN>")
  expect(at("fd00::1", "GET / HTTP/1.1", { waitNs: 1.1 * SECOND })).toBe(line)
  expect(at("fd00::1", [], { waitNs: 1.1 * SECOND })).toBe(line)
  expect(at("fd00::1", "x".repeat(20_000))).toMatch(/^web-0 default fd00::1/)
  expect(listener.openCount).toBe(1)
})

it("many at once, each with its own line", () => {
  const { pair, listener } = listening()
  const talkers = Array.from({ length: 200 }, (_, i) =>
    new Talker(pair.client, i % 2 === 0 ? "10.0.0.1" : "fd00::1", 80, [i % 3 === 0 ? "hi\n" : "GET / HTTP/1.0\r\n\r\n"]))
  run(pair.engine, SECOND)
  for (const talker of talkers) {
    expect(talker.heard).toContain(`:${talker.socket.localPort}\n`)
    expect(talker.ended).toBe("<EOF>")
  }
  expect(listener.openCount).toBe(1)
})

it("a client that resets, and the end of the process, leave nothing", () => {
  const { pair, listener } = listening()
  const talkers = ["", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"].map((words) =>
    new Talker(pair.client, "10.0.0.1", 80, words === "" ? [] : [words]))
  run(pair.engine, SECOND / 2)
  expect(listener.openCount).toBe(5)
  for (const { socket } of talkers.slice(0, 2)) {
    socket.lingerSeconds = 0
    socket.close()
  }
  run(pair.engine, SECOND / 4)
  expect(listener.openCount).toBe(3)
  listener.kill()
  run(pair.engine, SECOND / 4)
  expect(talkers.slice(2).map(({ ended }) => ended)).toEqual(["<EOF>", "<EOF>"])
  expect(listener.openCount).toBe(0)
  expect(talk(pair, "10.0.0.1", 80, "x")).toBe("<REFUSED>")
})
