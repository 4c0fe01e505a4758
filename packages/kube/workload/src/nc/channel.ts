/**
 * What nc relays over, TCP or UDP, behind one face: octets in, octets out, and an edge when it is worth to
 * ask again.
 */
import { Errno } from "@podwire/netdev"
import type { Datagram, UdpSocket } from "@podwire/netns"
import type { TcpSocket } from "@podwire/tcp"
import type { Ip } from "@podwire/wire/ip"

export interface Channel {
  readonly isStream: boolean
  wake: (() => void) | null
  /** Octets taken, or a negative errno. */
  send(bytes: Uint8Array, at: number, end: number): number
  /** Octets read, 0 at the end of a stream, or a negative errno. */
  recv(into: Uint8Array): number
  shutdownWrite(): void
  close(): void
}

export class TcpChannel implements Channel {
  readonly isStream = true
  readonly #socket: TcpSocket
  wake: (() => void) | null = null

  constructor(socket: TcpSocket) {
    this.#socket = socket
    socket.wake = () => this.wake?.()
  }

  send(bytes: Uint8Array, at: number, end: number): number {
    return this.#socket.send(bytes, at, end)
  }

  recv(into: Uint8Array): number {
    return this.#socket.recv(into)
  }

  shutdownWrite(): void {
    this.#socket.shutdown("write")
  }

  close(): void {
    this.wake = null
    this.#socket.wake = null
    this.#socket.close()
  }
}

/** Connected, or answering whoever spoke last. */
export class UdpChannel implements Channel {
  readonly isStream = false
  readonly #socket: UdpSocket
  readonly #queue: Array<Uint8Array> = []
  #errno: Errno = Errno.OK
  wake: (() => void) | null = null
  /** Where to, when the socket is not connected. */
  peer: { readonly ip: Ip; readonly port: number; readonly from: Ip } | null = null

  constructor(socket: UdpSocket) {
    this.#socket = socket
    // What came while nobody read: between the connection and the relay.
    for (let datagram = socket.recv(); datagram !== null; datagram = socket.recv()) {
      this.#queue.push(datagram.payload)
    }
    socket.onReceive = (_, datagram) => this.take(datagram)
    socket.onError = (one) => {
      this.#errno = one.takeError()
      this.wake?.()
    }
  }

  /** A datagram that is for this channel. */
  take(datagram: Datagram): void {
    if (this.#socket.remote === null) {
      this.peer = { ip: datagram.src, port: datagram.srcPort, from: datagram.dst }
    }
    this.#queue.push(datagram.payload)
    this.wake?.()
  }

  send(bytes: Uint8Array, at: number, end: number): number {
    const payload = bytes.slice(at, end)
    const errno = this.#socket.remote !== null ? this.#socket.send(payload)
      : this.peer === null ? Errno.EDESTADDRREQ
      : this.#socket.sendTo(this.peer.ip, this.peer.port, payload, this.peer.from)
    return errno === Errno.OK ? end - at : -errno
  }

  recv(into: Uint8Array): number {
    if (this.#errno !== Errno.OK) {
      const errno = this.#errno
      this.#errno = Errno.OK
      return -errno
    }
    const payload = this.#queue.shift()
    if (payload === undefined) return -Errno.EAGAIN
    const count = Math.min(payload.length, into.length)
    into.set(payload.subarray(0, count))
    // An empty datagram ends what nc reads, as a stream's end does.
    return count
  }

  /** A datagram socket says nothing to its peer when it is shut. */
  shutdownWrite(): void {}

  close(): void {
    this.wake = null
    this.#socket.close()
  }
}
