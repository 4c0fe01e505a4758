/**
 * What a container does when nothing better is known of it: answer on every port that it declares with who
 * answered and whom it saw:
 *
 *   web-0 default 10.244.1.2 10.244.0.3:40000
 *
 * UDP: to every datagram. TCP: as the body of an answer to each request when the first line of a connection
 * looks like one of HTTP/1.x; else once, after the first line, or when the client closes its half, or after a
 * second in which it said nothing more; then the connection is closed. So both `curl` and `nc` show it.
 * A port that is taken ends the container with EADDRINUSE, as the real program would.
 * Not supported: SCTP, whose ports are not held.
 */
import { CallbackTimer, type Engine, SECOND } from "@podwire/engine"
import { Errno, strerror } from "@podwire/netdev"
import type { Datagram, UdpSocket } from "@podwire/netns"
import type { TcpSocket } from "@podwire/tcp"
import { ascii, latin1, utf8Encode } from "@podwire/wire/bytes"
import { format, type Ip, unmapped } from "@podwire/wire/ip"
import { Connection, type Dialect, type Handler } from "./http/connection.ts"
import { Fields } from "./http/fields.ts"
import { LIMITS, persists, reasonOf } from "./http/message.ts"
import { responseHead } from "./http/write.ts"
import { DATE_FIELD, httpDate } from "./clock.ts"
import { type Host, type ListenPort, Process } from "./process.ts"
import { hostPort, TcpListener } from "./tcp-listener.ts"

/** After this long without another octet the client wants to hear something. */
const SILENCE_NS = SECOND
/** A first line that is longer is none of HTTP. */
const LINE_MOST = 8192
const READ_OCTETS = 4096
const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [^ ]+ HTTP\/1\.[0-9]\r?$/

const DIALECT: Dialect = {
  limits: LIMITS,
  lingers: () => true,
  refuse: ({ status, what }) => {
    const body = `${what}\n`
    return ascii(latin1Head(status, body, ["Connection", "close"]) + body)
  }
}

export class PortListener extends Process {
  readonly #open = new Set<{ close(): void }>()
  readonly #identity: string

  constructor(
    host: Host, argv: ReadonlyArray<string>, ports: ReadonlyArray<ListenPort>, identity: string
  ) {
    super(host, argv)
    this.#identity = identity
    for (const port of ports) {
      const errno = port.protocol === "UDP" ? this.#openUdp(port.port)
        : port.protocol === "TCP" ? this.#openTcp(port.port) : Errno.OK
      if (errno === Errno.OK) continue
      this.refused = port
      this.stderr = `listen ${port.protocol.toLowerCase()} :${port.port}: bind: ${strerror(errno)}\n`
      this.exit(1)
      return
    }
  }

  /** Connections and sockets that are open, for those who look for leaks. */
  get openCount(): number {
    return this.#open.size
  }

  protected override release(): void {
    for (const resource of [...this.#open]) resource.close()
    this.#open.clear()
  }

  #openUdp(port: number): Errno {
    const socket: UdpSocket = this.host.netns.udp(6)
    this.#open.add(socket)
    socket.onReceive = (udp, datagram: Datagram) => {
      const { src, srcPort, dst } = datagram
      udp.sendTo(src, srcPort, utf8Encode(this.#answer(dst, src, srcPort)), dst)
    }
    return socket.bind(null, port)
  }

  #openTcp(port: number): Errno {
    const listener = new TcpListener(this.host.netns, null, (socket) => this.#accept(socket))
    this.#open.add(listener)
    return listener.open(port)
  }

  #accept(socket: TcpSocket): void {
    const { engine } = this.host
    const text = this.#answer(socket.local, socket.remote!, socket.remotePort)
    const greeting = new Greeting(socket, engine, text, (first) => {
      this.#open.delete(greeting)
      if (first === null) return
      const connection = new Connection(socket, engine, this.#serve(text), DIALECT,
        () => this.#open.delete(connection), first)
      this.#open.add(connection)
      connection.run()
    })
    this.#open.add(greeting)
    greeting.run()
  }

  #serve(text: string): Handler {
    const body = utf8Encode(text)
    return (exchange) => {
      const { request } = exchange
      const respond = (whole: boolean) => {
        const keep = whole && persists(request)
        const date = httpDate(this.host.engine.nowNs)
        const connection = keep && request.minor > 0 ? []
          : [["Connection", keep ? "keep-alive" : "close"]] as const
        exchange.write(responseHead(200, "OK", Fields.of(["Content-Type", "text/plain; charset=utf-8"],
          ["Content-Length", String(body.length)], [DATE_FIELD, date], ...connection)))
        if (request.method !== "HEAD") exchange.write(body.slice())
        exchange.end(keep)
      }
      exchange.readBody(() => {}, respond)
    }
  }

  #answer(own: Ip | null, peer: Ip, peerPort: number): string {
    const address = own === null ? "?" : format(unmapped(own))
    return `${this.#identity} ${address} ${hostPort(peer, peerPort)}\n`
  }
}

/** A connection of which nobody knows yet what it speaks. */
class Greeting {
  readonly #socket: TcpSocket
  readonly #engine: Engine
  readonly #text: string
  /** With what was read of an HTTP request; null: it is over. */
  readonly #done: (first: Uint8Array | null) => void
  readonly #silence = new CallbackTimer(() => this.#answer())
  #said = ""
  #unsent: Uint8Array | null = null

  constructor(socket: TcpSocket, engine: Engine, text: string, done: (first: Uint8Array | null) => void) {
    this.#socket = socket
    this.#engine = engine
    this.#text = text
    this.#done = done
    socket.wake = () => this.run()
    engine.arm(this.#silence, SILENCE_NS)
  }

  close(): void {
    this.#socket.wake = null
    this.#socket.close()
    this.#engine.disarm(this.#silence)
    this.#done(null)
  }

  run(): void {
    if (this.#unsent !== null) return this.#send()
    const room = new Uint8Array(READ_OCTETS)
    for (;;) {
      const got = this.#socket.recv(room)
      if (got === -Errno.EAGAIN) return
      if (got < 0) return this.close()
      if (got === 0) return this.#answer()
      this.#said += latin1(room, 0, got)
      const end = this.#said.indexOf("\n")
      if (end >= 0 && REQUEST_LINE.test(this.#said.slice(0, end))) return this.#hand()
      if (end >= 0 || this.#said.length > LINE_MOST) return this.#answer()
      this.#engine.disarm(this.#silence)
      this.#engine.arm(this.#silence, SILENCE_NS)
    }
  }

  #hand(): void {
    this.#engine.disarm(this.#silence)
    this.#done(ascii(this.#said))
  }

  /** What more was said is read away, or the close would be a reset. */
  #answer(): void {
    this.#engine.disarm(this.#silence)
    const room = new Uint8Array(READ_OCTETS)
    while (this.#socket.recv(room) > 0);
    this.#unsent = utf8Encode(this.#text)
    this.#send()
  }

  #send(): void {
    while (this.#unsent!.length > 0) {
      const took = this.#socket.send(this.#unsent!)
      if (took === -Errno.EAGAIN) return
      if (took < 0) break
      this.#unsent = this.#unsent!.subarray(took)
    }
    this.close()
  }
}

function latin1Head(status: number, body: string, ...more: ReadonlyArray<readonly [string, string]>): string {
  const fields = Fields.of(
    ["Content-Type", "text/plain; charset=utf-8"], ["Content-Length", String(body.length)], ...more
  )
  return String.fromCharCode(...responseHead(status, reasonOf(status), fields))
}
