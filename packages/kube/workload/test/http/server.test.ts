/** The server between two namespaces: order, back pressure, clients that leave, its own end. */
import { CallbackTimer, MILLISECOND, SECOND } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import { type Dialect, type Exchange, type Handler } from "@podwire/workload/http/connection"
import { Fields, LIMITS, persists, responseHead } from "@podwire/workload/http/index"
import { HttpServer } from "@podwire/workload/http/server"
import { ascii, latin1 } from "@podwire/wire/bytes"
import { expect, it } from "vitest"
import { makePair, type Pair, run, talk, Talker } from "../pair.ts"

const PORT = 80
const DIALECT: Dialect = {
  limits: LIMITS, lingers: () => false,
  refuse: ({ status, what }) => ascii(`HTTP/1.1 ${status} ${what}\r\n\r\n`)
}
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

function serve(handler: Handler): { pair: Pair; server: HttpServer } {
  const pair = makePair()
  const server = new HttpServer(pair.server, { dialect: DIALECT, handler })
  expect(server.open(PORT)).toBe(Errno.OK)
  return { pair, server }
}

function answer(exchange: Exchange, body: string): void {
  exchange.write(responseHead(200, "OK", Fields.of(["Content-Length", String(body.length)])))
  exchange.write(ascii(body))
  exchange.end(persists(exchange.request))
}

function later(pair: Pair, ns: number, then: () => void): void {
  pair.engine.arm(new CallbackTimer(then), ns)
}

it("answers leave in the order of requests, however late they come", () => {
  let n = 0
  const { pair, server } = serve((exchange) => {
    const mine = n++
    later(pair, (3 - mine) * 100 * MILLISECOND, () => answer(exchange, `answer ${mine}\n`))
  })
  const talker = new Talker(pair.client, "fd00::1", PORT, [GET.repeat(3)])
  run(pair.engine, 350 * MILLISECOND)
  expect(talker.heard.split(/HTTP.*\r\n.*\r\n\r\n/)).toEqual(["", "answer 0\n"])
  expect(n).toBe(2)
  run(pair.engine, SECOND)
  expect(talker.close().split(/HTTP.*\r\n.*\r\n\r\n/)).toEqual(["", "answer 0\n", "answer 1\n", "answer 2\n<OPEN>"])
  run(pair.engine, SECOND)
  expect(server.connections).toBe(0)
})

it("a thousand requests in one go, and one an octet at a time", () => {
  let n = 0
  const { pair } = serve((exchange) => answer(exchange, `${n++};`))
  const heard = talk(pair, "10.0.0.1", PORT, GET.repeat(1000)).replace(/HTTP.*\r\n.*\r\n\r\n/g, "")
  expect(heard).toBe(`${Array.from({ length: 1000 }, (_, i) => `${i};`).join("")}<OPEN>`)
  expect(talk(pair, "10.0.0.1", PORT, [...GET], { pauseNs: MILLISECOND })).toContain("\r\n\r\n1000;<OPEN>")
})

it("a body is read as fast as its reader likes, and the client's window says so", () => {
  const size = 3_000_000
  let got = 0
  let exchange: Exchange | null = null
  const { pair } = serve((mine) => {
    exchange = mine
    mine.readBody((_, at, end) => {
      got += end - at
      if (got > 100_000) mine.pauseBody()
    }, (whole) => answer(mine, `${whole} ${got}\n`))
  })
  const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`
  const talker = new Talker(pair.client, "10.0.0.1", PORT, [head, "x".repeat(size)])
  run(pair.engine, 5 * SECOND)
  expect([got > 100_000, got < 110_000]).toEqual([true, true])
  for (let i = 0; i < 1000 && got < size; i++) {
    exchange!.resumeBody()
    run(pair.engine, 10 * MILLISECOND)
  }
  // The end is an event of its own.
  exchange!.resumeBody()
  run(pair.engine, SECOND)
  expect(talker.close()).toContain(`\r\n\r\ntrue ${size}\n<OPEN>`)
})

it("a writer is told to wait while its client does not read, and goes on when it does", () => {
  const size = 4_000_000
  const piece = new Uint8Array(50_000).fill(0x78)
  let written = 0
  const { pair } = serve((exchange) => {
    exchange.write(responseHead(200, "OK", Fields.of(["Content-Length", String(size)])))
    const more = () => {
      while (written < size) {
        written += piece.length
        if (!exchange.write(piece)) return void (exchange.onDrain = more)
      }
      exchange.end(true)
    }
    more()
  })
  const talker = new Talker(pair.client, "fd00::1", PORT, [GET])
  const { socket } = talker
  const wake = socket.wake!
  socket.wake = (mine) => {
    if (mine.remotePort !== 0 && talker.heard === "") wake(mine)
  }
  run(pair.engine, 5 * SECOND)
  // It read once: its buffer and the server's are full now.
  expect(written).toBeLessThan(size)
  socket.wake = wake
  wake(socket)
  run(pair.engine, 30 * SECOND)
  expect(written).toBe(size)
  expect(talker.close().replace(/x+/, "x")).toMatch(/\r\n\r\nx<OPEN>$/)
  expect(talker.heard.length).toBeGreaterThan(size)
})

it("who left is told to the handler, and a half-closed client still gets its answer", () => {
  const gone: Array<string> = []
  const { pair, server } = serve((exchange) => {
    exchange.onGone = () => gone.push(exchange.request.target)
    later(pair, SECOND, () => answer(exchange, "late\n"))
  })
  const reset = new Talker(pair.client, "10.0.0.1", PORT, ["GET /reset HTTP/1.0\r\n\r\n"])
  const half = new Talker(pair.client, "10.0.0.1", PORT, ["GET /half HTTP/1.0\r\n\r\n"], { half: true })
  run(pair.engine, SECOND / 2)
  reset.socket.lingerSeconds = 0
  reset.close()
  run(pair.engine, SECOND / 4)
  expect(gone).toEqual(["/reset"])
  run(pair.engine, SECOND)
  expect(half.close()).toContain("late\n<EOF>")
  expect(server.connections).toBe(0)
})

it("shutdown waits for the answers under way and nobody else; close waits for none", () => {
  let empty = false
  const { pair, server } = serve((exchange) => later(pair, SECOND, () => answer(exchange, "done\n")))
  const busy = new Talker(pair.client, "10.0.0.1", PORT, [GET])
  const idle = new Talker(pair.client, "10.0.0.1", PORT, [])
  run(pair.engine, SECOND / 2)
  server.shutdown(() => { empty = true })
  run(pair.engine, SECOND / 4)
  expect([idle.ended, busy.ended, empty]).toEqual(["<EOF>", "", false])
  expect(talk(pair, "10.0.0.1", PORT, GET, { waitNs: MILLISECOND })).toBe("<REFUSED>")
  run(pair.engine, SECOND)
  expect([busy.close().slice(-10), empty]).toEqual(["done\n<EOF>", true])

  const other = serve(() => {})
  const waiting = new Talker(other.pair.client, "10.0.0.1", PORT, [GET])
  run(other.pair.engine, SECOND)
  other.server.close()
  run(other.pair.engine, SECOND)
  expect([waiting.close(), other.server.connections]).toEqual(["<EOF>", 0])
})

it("chunks of a request come as data, its trailers at the end, and a broken one ends it", () => {
  const { pair } = serve((exchange) => {
    let body = ""
    exchange.readBody((bytes, at, end) => body += latin1(bytes, at, end), (whole, trailers) =>
      answer(exchange, `${whole} ${body} ${trailers?.get("X-Sum") ?? "-"}`))
  })
  const post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
  const bodies = ["3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", "3\r\nabcd", "3\r\nab"]
  expect(bodies.map((body, n) => talk(pair, "fd00::1", PORT, post + body, { half: n === 2 }).split("\r\n\r\n")[1]))
    .toEqual(["true abc 1<OPEN>", "false abc -<EOF>", "false ab -<EOF>"])
})

it("a body that nobody reads ends the connection, for what comes next could be anything", () => {
  const { pair } = serve((exchange) => answer(exchange, exchange.request.target))
  const words = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 21\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"
  expect(talk(pair, "10.0.0.1", PORT, words)).toMatch(/^HTTP.*\r\n.*\r\n\r\n\/1<EOF>$/)
})

it("many connections in a row leave nothing behind", () => {
  const { pair, server } = serve((exchange) => answer(exchange, "ok"))
  for (let i = 0; i < 500; i++) {
    const talker = new Talker(pair.client, i % 2 === 0 ? "10.0.0.1" : "fd00::1", PORT, ["GET / HTTP/1.0\r\n\r\n"])
    run(pair.engine, MILLISECOND)
    expect(talker.ended).toBe("<EOF>")
  }
  run(pair.engine, SECOND)
  expect(server.connections).toBe(0)
})
