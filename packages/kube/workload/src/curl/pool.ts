/**
 * Connections that stay open between the transfers of one curl, and the names that it has looked up. A
 * connection is used again for the same host and port as they were written, when it is idle and nothing has
 * come on it.
 */
import { type Ns, SECOND } from "@podwire/engine"
import type { TcpSocket } from "@podwire/tcp"
import type { Ip } from "@podwire/wire/ip"
import type { Trace } from "./trace.ts"

/** CURLOPT_DNS_CACHE_TIMEOUT. */
const NAMES_AGE_NS = 60 * SECOND

export class Connection {
  readonly id: number
  readonly key: string
  /** The URL's host, and the one that is connected to in its place. */
  readonly urlHost: string
  readonly hostName: string
  /** Null until it is connected. */
  socket: TcpSocket | null = null
  remote: Ip | null = null
  remotePort = 0
  local: Ip | null = null
  localPort = 0
  /** An answer of HTTP/1.0 came on it. */
  sawHttp10 = false
  reused = false

  constructor(id: number, key: string, urlHost: string, hostName: string) {
    this.id = id
    this.key = key
    this.urlHost = urlHost
    this.hostName = hostName
  }

  close(): void {
    if (this.socket === null) return
    this.socket.wake = null
    this.socket.close()
    this.socket = null
  }
}

interface Names {
  readonly addresses: ReadonlyArray<Ip>
  readonly untilNs: Ns
}

export class Pool {
  #ids = 0
  readonly #idle: Array<Connection> = []
  readonly #names = new Map<string, Names>()

  make(key: string, urlHost: string, hostName: string): Connection {
    return new Connection(this.#ids++, key, urlHost, hostName)
  }

  /** An idle connection of that key. One that the peer has ended, or sent something on, is dead. */
  take(key: string, trace: Trace): Connection | null {
    for (let i = 0; i < this.#idle.length;) {
      const connection = this.#idle[i]!
      if (connection.key !== key) {
        i++
        continue
      }
      this.#idle.splice(i, 1)
      if (connection.socket !== null && !connection.socket.readable) {
        connection.reused = true
        return connection
      }
      trace.note(`Connection ${connection.id} seems to be dead`)
      trace.note(`shutting down connection #${connection.id}`)
      connection.close()
    }
    return null
  }

  keep(connection: Connection): void {
    if (connection.socket !== null) connection.socket.wake = null
    this.#idle.push(connection)
  }

  closeAll(): void {
    for (const connection of this.#idle) connection.close()
    this.#idle.length = 0
  }

  known(host: string, port: number, nowNs: Ns): ReadonlyArray<Ip> | null {
    const names = this.#names.get(nameKey(host, port)) ?? this.#names.get(nameKey("*", port))
    return names === undefined || names.untilNs < nowNs ? null : names.addresses
  }

  /** False when nothing was there before. */
  remember(host: string, port: number, addresses: ReadonlyArray<Ip>, nowNs: Ns, ages: boolean): boolean {
    const key = nameKey(host, port)
    const before = this.#names.has(key)
    this.#names.set(key, { addresses, untilNs: ages ? nowNs + NAMES_AGE_NS : Infinity })
    return before
  }

  forget(host: string, port: number): void {
    this.#names.delete(nameKey(host, port))
  }
}

function nameKey(host: string, port: number): string {
  return `${host.toLowerCase()}:${port}`
}
