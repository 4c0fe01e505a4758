/**
 * Sockets as programs see them: UDP, and ICMP echo ("ping sockets", IPPROTO_ICMP datagrams). Errors come
 * as Linux gives them, at once or pending on the socket. A socket without a callback keeps what arrives
 * until `recv`, within its receive buffer.
 * Not supported: TCP, raw sockets, multicast membership, SO_REUSEPORT, SO_BINDTODEVICE.
 */
import { Errno, type Frame, type NetDevice } from "@podwire/netdev"
import { family, type Ip, isUnspecified, unmapped } from "@podwire/wire/ip"
import { refusal } from "./errno.ts"
import type { Netns } from "./netns.ts"
import type { PingTable } from "./ping.ts"
import { truesize } from "./truesize.ts"
import type { UdpTable } from "./udp.ts"

export interface Datagram {
  readonly src: Ip
  readonly srcPort: number
  readonly dst: Ip
  readonly dstPort: number
  /** A copy: it is the program's. */
  readonly payload: Uint8Array
  readonly ttl: number
  readonly dev: NetDevice
}

export interface PingReply {
  readonly src: Ip
  readonly seq: number
  readonly ttl: number
  readonly payload: Uint8Array
  readonly type: number
  readonly code: number
  /** An ICMP error about our request rather than an answer to it. */
  readonly isError: boolean
  /** Who sent the error, and its second word (MTU, pointer). */
  readonly offender?: Ip
  readonly info?: number
}

export interface SendOptions {
  /** 0 is the namespace's default. */
  readonly ttl: number
  /** Null lets path MTU discovery decide, as Linux does by default. */
  readonly df: boolean | null
}

const DEFAULTS: SendOptions = { ttl: 0, df: null }

/** One entry of the error queue (IP_RECVERR, struct sock_extended_err). */
export interface SocketError {
  readonly errno: Errno
  readonly type: number
  readonly code: number
  /** MTU, pointer, or 0. */
  readonly info: number
  readonly offender: Ip
  /** Where the datagram was going that the error is about. */
  readonly dst: Ip
  readonly dstPort: number
}

/** An IP and a UDP header, which the buffer holds too. */
const HEADERS_BYTES = { 4: 28, 6: 48 } as const
const ERRORS_MAX = 64

export class UdpSocket {
  readonly family: 4 | 6
  readonly #table: UdpTable
  readonly #ns: Netns
  local: Ip | null = null
  localPort = 0
  remote: Ip | null = null
  remotePort = 0
  broadcast = false
  v6only = false
  error: Errno = Errno.OK
  /** IP_RECVERR: errors that are not fatal are told too, and all are kept in `errors`. */
  recvErr = false
  readonly errors: Array<SocketError> = []
  /** SO_RCVBUF, of which `rmem` is in use. */
  rcvbuf: number
  rmem = 0
  /** Datagrams that found the buffer full. */
  drops = 0
  readonly #queue: Array<Datagram> = []
  onReceive: ((socket: UdpSocket, datagram: Datagram) => void) | null = null
  /** Instead of `onReceive`, without a copy: the payload is [at, end) of the frame, during the call only. */
  onFrame: ((socket: UdpSocket, frame: Frame, at: number, end: number) => void) | null = null
  onError: ((socket: UdpSocket) => void) | null = null
  closed = false

  constructor(table: UdpTable, ns: Netns, version: 4 | 6) {
    this.#table = table
    this.#ns = ns
    this.family = version
    this.rcvbuf = ns.sysctl.globals.rmem_default
    this.v6only = version === 6 && ns.sysctl.globals.bindv6only !== 0
  }

  /** Null is every address; port 0 asks for any. */
  bind(where: Ip | null, port: number): Errno {
    const ip = where === null || this.family === 4 ? where : unmapped(where)
    if (this.localPort !== 0) return Errno.EINVAL
    if (ip !== null && !isUnspecified(ip)) {
      if (this.family === 4 && family(ip) === 6) return Errno.EAFNOSUPPORT
      const address = this.#ns.findAddress(ip)
      const local = family(ip) === 4 ? this.#ns.ip4.isLocal(ip[0]!) : this.#ns.ip6.isLocal(ip)
      const anywhere = this.#ns.sysctl.globals.ip_nonlocal_bind !== 0
      if (!anywhere && (!local || (address !== null && !address.usable))) return Errno.EADDRNOTAVAIL
    }
    this.local = ip === null || isUnspecified(ip) ? null : ip
    return this.#table.bind(this, port)
  }

  connect(to: Ip, port: number): Errno {
    const ip = this.family === 4 ? to : unmapped(to)
    const way = family(ip) === 4 ? this.#ns.ip4.route(ip[0]!) : this.#ns.ip6.route(ip)
    const refused = refusal(way)
    if (refused !== Errno.OK) return refused
    if (this.localPort === 0) {
      const errno = this.#table.bind(this, 0)
      if (errno !== Errno.OK) return errno
    }
    if (way.type === "broadcast" && !this.broadcast) return Errno.EACCES
    this.local ??= way.src
    this.remote = ip
    this.remotePort = port
    return Errno.OK
  }

  send(payload: Uint8Array): Errno {
    if (this.remote === null) return Errno.EDESTADDRREQ
    return this.sendTo(this.remote, this.remotePort, payload, this.local ?? undefined)
  }

  /** `src` chooses the source as IP_PKTINFO does. A pending error is reported, and cleared, first. */
  sendTo(to: Ip, port: number, payload: Uint8Array, src?: Ip, options: SendOptions = DEFAULTS): Errno {
    const ip = this.family === 4 ? to : unmapped(to)
    const pending = this.takeError()
    if (pending !== Errno.OK) return pending
    if (port === 0) return Errno.EINVAL
    if (this.family === 4 && family(ip) === 6) return Errno.EAFNOSUPPORT
    if (this.localPort === 0) {
      const errno = this.#table.bind(this, 0)
      if (errno !== Errno.OK) return errno
    }
    const from = src ?? this.local
    return family(ip) === 4
      ? this.#table.send4(this, ip, port, payload, from, options)
      : this.#table.send6(this, ip, port, payload, from, options)
  }

  /** What has arrived and was not given to a callback; null is EAGAIN. */
  recv(): Datagram | null {
    const datagram = this.#queue.shift()
    if (datagram === undefined) return null
    this.rmem -= cost(datagram)
    return datagram
  }

  /** Keep it for `recv`; false when the buffer is full (sock_queue_rcv_skb). */
  enqueue(datagram: Datagram): boolean {
    const size = cost(datagram)
    if (this.rmem > 0 && this.rmem + size > this.rcvbuf) {
      this.drops++
      return false
    }
    this.rmem += size
    this.#queue.push(datagram)
    return true
  }

  /** An ICMP error about something sent from here (udp_err). */
  report(error: SocketError, fatal: boolean): void {
    if (this.recvErr) {
      if (this.errors.length < ERRORS_MAX) this.errors.push(error)
    } else if (!fatal || this.remote === null) return
    this.error = error.errno
    this.onError?.(this)
  }

  /** SO_ERROR: read once. */
  takeError(): Errno {
    const errno = this.error
    this.error = Errno.OK
    return errno
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.#table.remove(this)
  }
}

function cost(datagram: Datagram): number {
  return truesize(datagram.payload.length + HEADERS_BYTES[family(datagram.src)])
}

export class PingSocket {
  readonly family: 4 | 6
  readonly id: number
  readonly #table: PingTable
  /** The path MTU that the last EMSGSIZE was about. */
  mtu: number | undefined = undefined
  onReply: ((socket: PingSocket, reply: PingReply) => void) | null = null

  constructor(table: PingTable, version: 4 | 6, id: number) {
    this.#table = table
    this.family = version
    this.id = id
  }

  sendTo(ip: Ip, seq: number, payload: Uint8Array, options: SendOptions = DEFAULTS): Errno {
    if (family(ip) !== this.family) return Errno.EAFNOSUPPORT
    return this.family === 4
      ? this.#table.send4(this, ip, seq, payload, options)
      : this.#table.send6(this, ip, seq, payload, options)
  }

  close(): void {
    this.#table.remove(this)
  }
}
