/**
 * An HTTP server on a port: IPv4 and IPv6, any number of connections at once, no time limits (as Go's server
 * has none by default).
 * Not supported: TLS, HTTP/2, `Upgrade`.
 */
import { Errno } from "@podwire/netdev"
import type { TcpSocket } from "@podwire/tcp"
import type { Ip } from "@podwire/wire/ip"
import type { Host } from "../process.ts"
import { TcpListener } from "../tcp-listener.ts"
import { Connection, type Dialect, type Handler } from "./connection.ts"

export interface ServerOptions {
  readonly dialect: Dialect
  readonly handler: Handler
  /** Null is every address of both families. */
  readonly ip?: Ip | null
  readonly backlog?: number
  /** The options that this server sets on a connection. */
  readonly tune?: (socket: TcpSocket) => void
}

export class HttpServer {
  readonly #host: Pick<Host, "engine" | "netns">
  readonly #options: ServerOptions
  readonly #listener: TcpListener
  readonly #connections = new Set<Connection>()
  #whenEmpty: (() => void) | null = null

  constructor(host: Pick<Host, "engine" | "netns">, options: ServerOptions) {
    this.#host = host
    this.#options = options
    this.#listener = new TcpListener(host.netns, options.ip ?? null, (socket) => this.#accept(socket))
  }

  get connections(): number {
    return this.#connections.size
  }

  open(port: number): Errno {
    const errno = this.#listener.open(port, this.#options.backlog)
    if (errno !== Errno.OK) this.#listener.close()
    return errno
  }

  /** At once, with whatever is under way. */
  close(): void {
    this.#listener.close()
    for (const connection of this.#connections) connection.close()
  }

  /** Nobody new, idle ones closed, the others after their answer; then `whenEmpty`. */
  shutdown(whenEmpty: () => void): void {
    this.#whenEmpty = whenEmpty
    this.#listener.close()
    for (const connection of this.#connections) connection.drain()
    this.#maybeEmpty()
  }

  #accept(socket: TcpSocket): void {
    this.#options.tune?.(socket)
    const { handler, dialect } = this.#options
    const connection = new Connection(socket, this.#host.engine, handler, dialect, (gone) => {
      this.#connections.delete(gone)
      this.#maybeEmpty()
    })
    this.#connections.add(connection)
    // The first request may have come with the handshake's end.
    connection.run()
  }

  #maybeEmpty(): void {
    if (this.#whenEmpty === null || this.#connections.size > 0) return
    const whenEmpty = this.#whenEmpty
    this.#whenEmpty = null
    whenEmpty()
  }
}
