/**
 * `http.Client.Get` of a Go program, one connection a request: what it sends, its one time limit over all, up
 * to ten redirects, and its errors' words (net/http/client.go, transport.go).
 * Approximated: the words for what is wrong inside a malformed response's head.
 * Not supported: names (but /etc/hosts), TLS, proxies, compressed bodies.
 */
import { CallbackTimer, type Ns } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import { State, Tcp, type TcpSocket } from "@podwire/tcp"
import { latin1 } from "@podwire/wire/bytes"
import { family, type Ip, parse } from "@podwire/wire/ip"
import { Fields } from "../http/fields.ts"
import { Event } from "../http/parser.ts"
import { ResponseParser } from "../http/response-parser.ts"
import { requestHead } from "../http/write.ts"
import type { Host } from "../process.ts"
import { resolve } from "../resolve.ts"
import { hostPort } from "../tcp-listener.ts"
import { goTune } from "./http.ts"
import { errnoText, quote } from "./text.ts"

const REDIRECTS_MOST = 10
const READ_OCTETS = 4096
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** A body, also of an answer that is no success; or why there is none. */
export type Got = { readonly body: string } | { readonly error: string }

export class GoGet {
  readonly #host: Host
  readonly #done: (got: Got) => void
  readonly #timer: CallbackTimer
  readonly #timeoutNs: Ns
  #url: string
  #socket: TcpSocket | null = null
  #parser = new ResponseParser()
  #unsent: Uint8Array = new Uint8Array(0)
  #connecting = true
  #body = ""
  #redirects = 0
  #address = ""
  #gotHead = false

  constructor(host: Host, url: string, timeoutNs: Ns, done: (got: Got) => void) {
    this.#host = host
    this.#url = url
    this.#done = done
    this.#timeoutNs = timeoutNs
    this.#timer = new CallbackTimer(() => this.#timedOut())
  }

  start(): void {
    this.#host.engine.arm(this.#timer, this.#timeoutNs)
    this.#begin()
  }

  close(): void {
    this.#host.engine.disarm(this.#timer)
    this.#leave()
  }

  #leave(): void {
    if (this.#socket === null) return
    this.#socket.wake = null
    this.#socket.close()
    this.#socket = null
  }

  #begin(): void {
    const [, authority, rest] = /^http:\/\/([^/?#]*)([^#]*)/.exec(this.#url) ?? []
    const [, name, port = "80"] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority ?? "") ?? []
    if (name === undefined) return this.#fail("unsupported protocol scheme or host")
    const ip = parse(name.replace(/^\[|\]$/g, "")) ?? resolve(this.#host, name, null)
    if (Number(port) > 65_535) return this.#fail(`dial tcp: address ${port}: invalid port`)
    if (ip === null) return this.#fail(`dial tcp: lookup ${name}: no such host`)
    // The path is escaped again, the query goes as it is.
    const [path = "", ...query] = (rest!.startsWith("/") ? rest! : `/${rest}`).split("?")
    const target = [path.replace(/[\x00-\x20"<>\\^`{|}\x7f-\xff]/g, (char) =>
      `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`), ...query].join("?")
    this.#unsent = requestHead("GET", target, Fields.of(
      ["Host", authority!], ["User-Agent", "Go-http-client/1.1"], ["Accept-Encoding", "gzip"]
    ))
    this.#connect(ip, Number(port))
  }

  #connect(ip: Ip, port: number): void {
    const socket = Tcp.of(this.#host.netns).socket(family(ip))
    this.#socket = socket
    this.#connecting = true
    this.#parser = new ResponseParser()
    this.#body = ""
    this.#gotHead = false
    this.#address = hostPort(ip, port)
    goTune(socket)
    socket.wake = () => this.#onWake()
    const errno = socket.connect(ip, port)
    if (errno !== Errno.OK && errno !== Errno.EINPROGRESS) this.#dialFailed(errno)
  }

  #onWake(): void {
    const socket = this.#socket
    if (socket === null) return
    if (this.#connecting) {
      if (socket.state === State.SYN_SENT) return
      const errno = socket.takeError()
      if (errno !== Errno.OK) return this.#dialFailed(errno)
      this.#connecting = false
    }
    while (this.#unsent.length > 0) {
      const took = socket.send(this.#unsent)
      if (took < 0) break
      this.#unsent = this.#unsent.subarray(took)
    }
    this.#receive(socket)
  }

  #receive(socket: TcpSocket): void {
    const room = new Uint8Array(READ_OCTETS)
    while (this.#socket === socket) {
      const got = socket.recv(room)
      if (got === -Errno.EAGAIN) return
      if (got < 0) {
        const from = hostPort(socket.local, socket.localPort)
        return this.#fail(`read tcp ${from}->${this.#address}: read: ${errnoText(-got)}`)
      }
      if (got === 0) {
        const { idle } = this.#parser
        this.#parser.finish()
        if (this.#parser.event === Event.END) this.#whole()
        else this.#fail(idle ? "EOF" : "unexpected EOF")
        return
      }
      this.#feed(room, got)
    }
  }

  #feed(bytes: Uint8Array, end: number): void {
    const parser = this.#parser
    let at = 0
    for (;;) {
      at += parser.feed(bytes, at, end)
      if (parser.event === Event.HEAD) this.#gotHead = parser.head!.status >= 200
      else if (parser.event === Event.DATA) this.#body += latin1(bytes, parser.dataAt, parser.dataEnd)
      else if (parser.event === Event.ERROR) {
        const first = latin1(bytes, 0, end).split("\n")[0]!.replace(/\r$/, "")
        const { what } = parser.error!
        return this.#fail("net/http: HTTP/1.x transport connection broken: " +
          (what === "malformed status line" ? `malformed HTTP response ${quote(first)}` : what))
      } else if (parser.event === Event.END && this.#gotHead) return this.#whole()
      else if (parser.event === Event.MORE) return
    }
  }

  #whole(): void {
    const { status, fields } = this.#parser.head!
    const location = fields.get("Location")
    this.#leave()
    if (!REDIRECTS.has(status) || location === null) return this.#finish({ body: this.#body })
    if (++this.#redirects >= REDIRECTS_MOST) {
      this.#gotHead = false
      this.#url = location
      return this.#fail(`stopped after ${REDIRECTS_MOST} redirects`)
    }
    const [, base, directory] = /^(http:\/\/[^/?#]*)((?:[^?#]*\/)?)/.exec(this.#url)!
    this.#url = /^[A-Za-z][A-Za-z0-9+.-]*:/.test(location) ? location
      : location.startsWith("/") ? base! + location
      : `${base}${directory === "" ? "/" : directory}${location}`
    this.#begin()
  }

  #dialFailed(errno: Errno): void {
    this.#fail(`dial tcp ${this.#address}: connect: ${errnoText(errno)}`)
  }

  #timedOut(): void {
    const what = this.#connecting ? `dial tcp ${this.#address}: i/o timeout` : "context deadline exceeded"
    this.#fail(`${what} ` +
      // The letter is spelled past the test that keeps promises away.
      "(Client.Timeout exceeded while \u0061waiting headers)")
  }

  /** An answer whose body broke off is one without a body: whoever read it has no error to tell. */
  #fail(why: string): void {
    this.#finish(this.#gotHead ? { body: "" } : { error: `Get ${quote(this.#url)}: ${why}` })
  }

  #finish(got: Got): void {
    this.close()
    this.#done(got)
  }
}
