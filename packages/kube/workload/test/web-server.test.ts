/** nginx against what the real one said, octet by octet; httpd's fields; how long they wait. */
import { readFileSync } from "node:fs"
import { SECOND } from "@podwire/engine"
import { nginx } from "@podwire/workload/web-server"
import { findProgram } from "@podwire/workload"
import { expect, it } from "vitest"
import { makePair, talk } from "./pair.ts"

const golden = readFileSync(new URL("nginx.golden.txt", import.meta.url), "utf8").split("\n\n").slice(1)
const even = (answer: string) => answer.replace(/Date: [^\r]*/g, "Date: D")
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

it("every answer is nginx's", () => {
  const pair = makePair()
  nginx("1.22.1").start(pair.server, ["nginx"])
  for (const [n, text] of golden.entries()) {
    const [name, request, answer] = text.trim().split("\n") as [string, string, string]
    const heard = talk(pair, n % 2 === 0 ? "10.0.0.1" : "fd00::1", 80, JSON.parse(request.slice(2)), { half: name === "half" })
    expect([name, even(heard)]).toEqual([name, even(JSON.parse(answer.slice(2)))])
  }
  expect(golden.length).toBe(34)
})

it("httpd answers, both log, and both hang up on who says nothing more", () => {
  const pair = makePair()
  const httpd = findProgram("httpd")!.start(pair.server, ["httpd"])
  expect(talk(pair, "10.0.0.1", 80, GET, { waitNs: 6 * SECOND })).toMatchInlineSnapshot(`
    "HTTP/1.1 200 OK
    Date: Thu, 01 Jan 2026 00:00:02 GMT
    Server: Apache/2.4.65 (Unix)
    Last-Modified: Mon, 11 Jun 2007 18:53:14 GMT
    ETag: "2d-432a5e4a73a80"
    Accept-Ranges: bytes
    Content-Length: 45
    Content-Type: text/html

    <html><body><h1>It works!</h1></body></html>
    <EOF>"
  `)
  const second = findProgram("nginx")!.start(pair.server, ["nginx"])
  expect(`${second.exitCode} ${second.stderr}`).toMatchInlineSnapshot(`
    "1 nginx: bind() to 0.0.0.0:80 failed (98: Address already in use)
    "
  `)
  expect(httpd.stdout).toMatchInlineSnapshot(`
    "10.0.0.2 - - [01/Jan/2026:00:00:02 +0000] "GET / HTTP/1.1" 200 45
    "
  `)
  httpd.kill()
  const server = findProgram("nginx")!.start(pair.server, ["nginx"])
  const ends = (words: string, seconds: number) => talk(pair, "fd00::1", 80, words, { waitNs: seconds * SECOND }).slice(-5)
  expect([ends("", 59), ends("", 61), ends("GET", 61), ends(GET, 64), ends(GET, 66)]).toMatchInlineSnapshot(`
    [
      "OPEN>",
      "<EOF>",
      "<EOF>",
      "OPEN>",
      "<EOF>",
    ]
  `)
  expect(server.stdout).toMatchInlineSnapshot(`
    "fd00::2 - - [01/Jan/2026:00:03:09 +0000] "GET / HTTP/1.1" 200 159 "-" "-" "-"
    fd00::2 - - [01/Jan/2026:00:04:13 +0000] "GET / HTTP/1.1" 200 159 "-" "-" "-"
    "
  `)
})
