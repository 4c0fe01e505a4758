/**
 * A TCP socket as a program sees it: bind, listen, accept, connect, send, recv, shutdown, close, with Linux's
 * errnos. Nothing blocks: what would block answers EAGAIN or EINPROGRESS, and `wake` tells that asking again is
 * worth it.
 */
import { Bug } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import type { Ip } from "@podwire/wire/ip"
import { State } from "./state.ts"

export class TcpSocket {
  readonly family: 4 | 6
  state: State = State.CLOSED
  /** Null is every address. */
  local: Ip | null = null
  localPort = 0
  remote: Ip | null = null
  remotePort = 0
  /** An edge without data: something changed; ask what. Called by the engine at the same instant, never from inside a call. */
  wake: ((socket: TcpSocket) => void) | null = null
  /** SO_REUSEADDR, IPV6_V6ONLY, TCP_NODELAY, TCP_CORK, SO_KEEPALIVE. */
  reuseAddr = false
  v6only = false
  noDelay = false
  cork = false
  keepAlive = false
  /** SO_LINGER in seconds; -1 is off, 0 resets at close. */
  lingerSeconds = -1
  /** TCP_USER_TIMEOUT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT, TCP_LINGER2, TCP_MAXSEG; 0 is the namespace's. */
  userTimeoutMs = 0
  keepIdleSeconds = 0
  keepIntervalSeconds = 0
  keepCount = 0
  synCount = 0
  linger2Seconds = 0
  maxSegment = 0

  constructor(version: 4 | 6) {
    this.family = version
  }

  /** Null is every address; port 0 asks for any. OK, EINVAL, EADDRINUSE, EADDRNOTAVAIL. */
  bind(_ip: Ip | null, _port: number): Errno {
    throw new Bug("not built yet")
  }

  /** OK, EINVAL, EADDRINUSE. */
  listen(_backlog: number): Errno {
    throw new Bug("not built yet")
  }

  /** The oldest connection that is complete, or EAGAIN, EINVAL as an errno. */
  accept(): TcpSocket | Errno {
    throw new Bug("not built yet")
  }

  /** EINPROGRESS, or ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EISCONN, EALREADY, … at once. */
  connect(_ip: Ip, _port: number): Errno {
    throw new Bug("not built yet")
  }

  /** Octets taken, more than zero; or a negative errno: -EAGAIN, -EPIPE, -ENOTCONN, -ECONNRESET, … */
  send(_bytes: Uint8Array, _from = 0, _end = _bytes.length): number {
    throw new Bug("not built yet")
  }

  /** Octets copied; 0 at the end of the stream; or a negative errno: -EAGAIN, -ENOTCONN, -ECONNRESET, -ETIMEDOUT, … */
  recv(_into: Uint8Array): number {
    throw new Bug("not built yet")
  }

  /** Octets that `recv` would give now. */
  get available(): number {
    throw new Bug("not built yet")
  }

  /** As poll(2): POLLIN (data, end of stream, error, or somebody to accept) and POLLOUT. */
  get readable(): boolean {
    throw new Bug("not built yet")
  }

  get writable(): boolean {
    throw new Bug("not built yet")
  }

  /** OK, ENOTCONN. */
  shutdown(_how: "read" | "write" | "both"): Errno {
    throw new Bug("not built yet")
  }

  /** SO_ERROR: read once. */
  takeError(): Errno {
    throw new Bug("not built yet")
  }

  close(): void {
    throw new Bug("not built yet")
  }
}
