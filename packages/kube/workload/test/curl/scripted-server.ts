/**
 * The other side of what curl does in its goldens: a server of raw texts by path, the twin of the Python
 * server that the real curl was run against.
 */
import { CallbackTimer, SECOND } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import { Tcp, type TcpSocket } from "@podwire/tcp"
import { ascii, latin1 } from "@podwire/wire/bytes"
import type { Ip } from "@podwire/wire/ip"
import type { Host } from "@podwire/workload"

/** `once`: the next request on this connection is answered by its end. */
export type Then = "keep" | "close" | "reset" | "hang" | "once"
export type Answer = readonly [text: string, then?: Then]

const HELLO = "hello\n"
const CHUNKED = "Transfer-Encoding: chunked\r\n"
const ok = (fields: string, body: string, version = "1.1") => `HTTP/${version} 200 OK\r\n${fields}\r\n${body}`
const sized = (body: string) => `Content-Length: ${body.length}\r\n`
const found = (status: string, location: string) =>
  `HTTP/1.1 ${status}\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`

const ANSWERS: Readonly<Record<string, Answer>> = {
  "/empty": ["", "close"],
  "/reset": ["", "reset"],
  "/midreset": [ok("Content-Length: 100\r\n", "hello"), "reset"],
  "/silent": ["", "hang"],
  "/partial": [ok("Content-Length: 100\r\n", "hello"), "hang"],
  "/short": [ok("Content-Length: 100\r\n", "hello"), "close"],
  "/shortchunk": [ok(CHUNKED, "5\r\nhello\r\n"), "close"],
  "/badchunk": [ok(CHUNKED, "zz\r\nhello\r\n"), "close"],
  "/chunked": [ok(CHUNKED, "6\r\nhello\n\r\n6\r\nworld\n\r\n0\r\nX-Trailer: yes\r\n\r\n")],
  "/close": [ok("Content-Type: text/plain\r\n", HELLO), "close"],
  "/cclose": [ok(`Connection: close\r\n${sized(HELLO)}`, HELLO), "close"],
  "/http10": [ok(sized(HELLO), HELLO, "1.0"), "close"],
  "/http10ka": [ok(`Connection: keep-alive\r\n${sized(HELLO)}`, HELLO, "1.0")],
  "/once": [ok("Content-Length: 3\r\n", "hi\n"), "once"],
  "/notfound": ["HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nnot here!\n"],
  "/busy": ["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nbusy\n"],
  "/busyra": ["HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 5\r\n\r\nbusy\n"],
  "/nocontent": ["HTTP/1.1 204 No Content\r\n\r\n"],
  "/garbage": ["SSH-2.0-OpenSSH\r\n", "close"],
  "/redirect": ["HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 6\r\n\r\nmoved\n"],
  "/redirectabs": [found("301 Moved Permanently", "http://b.test:81/hello")],
  "/redirect307": [found("307 Temporary Redirect", "echo")],
  "/redirect303": [found("303 See Other", "echo?x=1")],
  "/loop": [found("302 Found", "/loop")],
  "/httpsredir": [found("301 Moved Permanently", "https://10.0.0.2/")],
  "/big": [ok("Content-Length: 100000\r\n", "x".repeat(100_000))],
  "/excess": [ok("Content-Length: 5\r\n", "hello world")],
  "/cookie": [ok("Set-Cookie: a=b\r\nServer: x\r\nETag: \"1\"\r\nContent-Length: 0\r\n", "")]
}

/** Serves on one address until the test ends; `stop` closes its listener only. */
export class ScriptedServer {
  readonly #host: Host
  readonly #listener: TcpSocket

  constructor(host: Host, ip: Ip, port: number) {
    this.#host = host
    this.#listener = Tcp.of(host.netns).socket(ip.length === 1 ? 4 : 6)
    this.#listener.reuseAddr = true
    if (this.#listener.bind(ip, port) !== Errno.OK || this.#listener.listen(16) !== Errno.OK) {
      throw new Error(`cannot serve on port ${port}`)
    }
    this.#listener.wake = () => {
      for (let next = this.#listener.accept(); typeof next !== "number"; next = this.#listener.accept()) {
        new Conversation(this.#host, next)
      }
    }
  }

  stop(): void {
    this.#listener.close()
  }
}

const SCRATCH = new Uint8Array(65_536)

class Conversation {
  readonly #host: Host
  readonly #socket: TcpSocket
  #received = ""
  #unsent = new Uint8Array(0)
  #then: Then = "keep"
  #isOver = false
  #hasContinued = false

  constructor(host: Host, socket: TcpSocket) {
    this.#host = host
    this.#socket = socket
    socket.wake = () => this.#pump()
    this.#pump()
  }

  #pump(): void {
    while (!this.#isOver) {
      this.#send()
      if (this.#isOver) return
      const count = this.#socket.recv(SCRATCH)
      if (count === -Errno.EAGAIN) return
      if (count <= 0) return this.#close("close")
      this.#received += latin1(SCRATCH, 0, count)
      while ((this.#then === "keep" || this.#then === "once") && this.#answer()) { /* the next of them */ }
    }
  }

  /** False: no whole request is there. */
  #answer(): boolean {
    const headEnd = this.#received.indexOf("\r\n\r\n")
    if (headEnd < 0) return false
    const head = this.#received.slice(0, headEnd)
    const path = /^\S+ ([^ ?]*)/.exec(head)?.[1]
    if (path === undefined) {
      this.#close("close")
      return false
    }
    if (/^Expect: 100-continue/mi.test(head) && !this.#hasContinued && path !== "/nocontinue") {
      this.#hasContinued = true
      if (path === "/417") {
        this.#received = this.#received.slice(headEnd + 4)
        this.#hasContinued = false
        this.#queue("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
        return true
      }
      this.#queue("HTTP/1.1 100 Continue\r\n\r\n")
    }
    const length = Number(/^Content-Length: (\d+)/mi.exec(head)?.[1] ?? 0)
    const end = headEnd + 4 + length
    if (this.#received.length < end) return false
    const body = this.#received.slice(headEnd + 4, end)
    this.#received = this.#received.slice(end)
    this.#hasContinued = false
    if (this.#then === "once") {
      this.#close("close")
      return false
    }
    const [text, then = "keep"] = ANSWERS[path] ?? [usual(path, head, body)]
    this.#queue(/^HEAD /.test(head) && !/^\/(close|chunked|redirect)$/.test(path)
      ? text.slice(0, text.indexOf("\r\n\r\n") + 4) : text)
    const asksClose = /^Connection: close/mi.test(head) || /^\S+ \S+ HTTP\/1\.0/.test(head)
    this.#then = then === "keep" && asksClose && ANSWERS[path] === undefined ? "close" : then
    if (then === "reset" && text !== "") this.#later("reset")
    return true
  }

  #queue(text: string): void {
    const added = ascii(text)
    const all = new Uint8Array(this.#unsent.length + added.length)
    all.set(this.#unsent)
    all.set(added, this.#unsent.length)
    this.#unsent = all
  }

  #send(): void {
    while (this.#unsent.length > 0) {
      const taken = this.#socket.send(this.#unsent)
      if (taken === -Errno.EAGAIN) return
      if (taken < 0) return this.#close("close")
      this.#unsent = this.#unsent.slice(taken)
    }
    if (this.#then === "close" || (this.#then === "reset" && this.#received === "")) this.#close(this.#then)
  }

  #later(then: Then): void {
    this.#then = "hang"
    this.#host.engine.arm(new CallbackTimer(() => this.#close(then)), SECOND / 10)
  }

  #close(then: Then): void {
    if (this.#isOver) return
    this.#isOver = true
    if (then === "reset") this.#socket.lingerSeconds = 0
    this.#socket.wake = null
    this.#socket.close()
  }
}

function usual(path: string, head: string, body: string): string {
  const text = path === "/echo" ? `${head}\n--\n${body.slice(0, 200)}\n` : HELLO
  return ok(`Content-Type: text/plain\r\n${sized(text)}`, text)
}
