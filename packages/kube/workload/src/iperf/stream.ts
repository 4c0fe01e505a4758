/**
 * One data stream of a test, sending or receiving, with what is counted of it. Data goes without cost per
 * octet: the same buffer is sent over and over, and what comes is read into one that nobody looks at. A rate
 * is kept as iperf3 keeps it: every millisecond whatever has become due.
 */
import { type Ns, SECOND } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import type { TcpInfo, UdpSocket } from "@podwire/netns"
import type { TcpSocket } from "@podwire/tcp"
import { get32, set32 } from "@podwire/wire/bytes"
import { equal, format, type Ip, unmapped } from "@podwire/wire/ip"
import type { Host } from "../process.ts"

/** What is counted over one interval. */
export interface Counts {
  bytes: number
  packets: number
  errors: number
  retransmits: number
}

const BLOCK_MOST = 1_048_576
let block = new Uint8Array(0)
const SCRATCH = new Uint8Array(BLOCK_MOST)

/** Its contents do not matter: iperf3's are random. */
function blockOf(size: number): Uint8Array {
  if (block.length < size) block = new Uint8Array(size)
  return block
}

export abstract class Stream {
  /** As reports name it: the number of the real program's socket. */
  readonly id: number
  readonly isSender: boolean
  bytes = 0
  blocks = 0
  /** UDP: the highest number sent or seen. */
  packets = 0
  errors = 0
  outOfOrder = 0
  /** Seconds. */
  jitter = 0
  /** What had been counted when the interval began. */
  #before: Counts = { bytes: 0, packets: 0, errors: 0, retransmits: 0 }
  /** Of the peer, from its results. */
  peer = { bytes: 0, packets: 0, errors: 0, jitter: 0, retransmits: -1, endSeconds: 0 }

  constructor(id: number, isSender: boolean) {
    this.id = id
    this.isSender = isSender
  }

  abstract readonly local: string
  abstract readonly localPort: number
  abstract readonly remote: string
  abstract readonly remotePort: number

  /** From now on data counts; `changed` is called after something was sent or received. */
  abstract start(changed: () => void): void
  /** As much as the limit allows; called on every tick of a rate, and whenever the socket may take more. */
  abstract send(): void
  /** Nothing is sent or counted any more. */
  abstract stop(): void
  abstract close(): void
  abstract info(): TcpInfo | null

  /** What has been counted since the last call. */
  takeCounts(): Counts {
    const now = {
      bytes: this.bytes, packets: this.packets, errors: this.errors,
      retransmits: this.info()?.total_retrans ?? 0
    }
    const before = this.#before
    this.#before = now
    return {
      bytes: now.bytes - before.bytes, packets: now.packets - before.packets,
      errors: now.errors - before.errors, retransmits: now.retransmits - before.retransmits
    }
  }
}

/** How much a sender may send. */
export interface Limit {
  readonly blockSize: number
  /** True while this stream is to send one block more. */
  mayGo(stream: Stream): boolean
}

/** Bits a second: what has been sent must not be ahead of it. */
export function isBehind(stream: Stream, rate: number, elapsedNs: Ns): boolean {
  return (stream.bytes * 8 * SECOND) / rate <= elapsedNs
}

export class TcpStream extends Stream {
  readonly #host: Host
  readonly socket: TcpSocket
  readonly #limit: Limit
  #changed: (() => void) | null = null
  #isSending = false

  constructor(host: Host, id: number, isSender: boolean, socket: TcpSocket, limit: Limit) {
    super(id, isSender)
    this.#host = host
    this.socket = socket
    this.#limit = limit
  }

  get local(): string {
    return textOf(this.socket.local)
  }

  get localPort(): number {
    return this.socket.localPort
  }

  get remote(): string {
    return textOf(this.socket.remote)
  }

  get remotePort(): number {
    return this.socket.remotePort
  }

  override start(changed: () => void): void {
    this.#changed = changed
    this.socket.wake = () => this.#pump()
    this.#pump()
  }

  override stop(): void {
    this.#changed = null
    this.socket.wake = null
  }

  override close(): void {
    this.stop()
    this.socket.close()
  }

  override info(): TcpInfo | null {
    return tcpInfo(this.#host, this.socket)
  }

  #pump(): void {
    if (this.isSender) this.send()
    else this.#receive()
  }

  override send(): void {
    if (this.#isSending || !this.isSender) return
    this.#isSending = true
    const size = this.#limit.blockSize
    const bytes = blockOf(size)
    while (this.#changed !== null && this.#limit.mayGo(this)) {
      const taken = this.socket.send(bytes, 0, size)
      if (taken <= 0) break
      this.bytes += taken
      this.blocks++
      this.#changed()
    }
    this.#isSending = false
  }

  #receive(): void {
    while (this.#changed !== null) {
      const count = this.socket.recv(SCRATCH)
      if (count <= 0) return
      this.bytes += count
      this.#changed()
    }
  }
}

/** What a stream opens with, and what answers it: integers of the sender's byte order, little end first. */
export const UDP_CONNECT = Uint8Array.of(0x39, 0x38, 0x37, 0x36)
export const UDP_REPLY = Uint8Array.of(0x36, 0x37, 0x38, 0x39)

/** Seconds, microseconds and the number of the datagram, 32 bits each, big end first. */
const HEADER_BYTES = 12

export interface UdpPath {
  send(payload: Uint8Array): Errno
  readonly local: string
  readonly localPort: number
  readonly remote: string
  readonly remotePort: number
  close(): void
}

export class UdpStream extends Stream {
  readonly #host: Host
  readonly #path: UdpPath
  readonly #limit: Limit
  #changed: (() => void) | null = null
  /** What came before the test began, as the socket's buffer holds it. */
  #early: Array<Uint8Array> | null = []
  #transit = 0

  constructor(host: Host, id: number, isSender: boolean, path: UdpPath, limit: Limit) {
    super(id, isSender)
    this.#host = host
    this.#path = path
    this.#limit = limit
  }

  get local(): string {
    return this.#path.local
  }

  get localPort(): number {
    return this.#path.localPort
  }

  get remote(): string {
    return this.#path.remote
  }

  get remotePort(): number {
    return this.#path.remotePort
  }

  override start(changed: () => void): void {
    this.#changed = changed
    const early = this.#early ?? []
    this.#early = null
    for (const payload of early) this.receive(payload)
    this.send()
  }

  override stop(): void {
    this.#changed = null
    this.#early = null
  }

  override close(): void {
    this.stop()
    this.#path.close()
  }

  override info(): null {
    return null
  }

  override send(): void {
    if (!this.isSender) return
    const payload = blockOf(this.#limit.blockSize).slice(0, this.#limit.blockSize)
    while (this.#changed !== null && this.#limit.mayGo(this)) {
      const { nowNs } = this.#host.engine
      this.packets++
      set32(payload, 0, Math.floor(nowNs / SECOND))
      set32(payload, 4, Math.floor((nowNs % SECOND) / 1000))
      set32(payload, 8, this.packets)
      if (this.#path.send(payload) !== Errno.OK) {
        this.packets--
        return
      }
      this.bytes += payload.length
      this.blocks++
      this.#changed()
    }
  }

  /** A datagram that is this stream's (iperf_udp_recv). */
  receive(payload: Uint8Array): void {
    if (this.isSender || payload.length < HEADER_BYTES) return
    this.#early?.push(payload)
    if (this.#changed === null) return
    const first = this.bytes === 0
    this.bytes += payload.length
    const number = get32(payload, 8) >>> 0
    if (number > this.packets) {
      this.errors += number - this.packets - 1
      this.packets = number
    } else {
      this.outOfOrder++
      if (this.errors > 0) this.errors--
    }
    const sentSeconds = (get32(payload, 0) >>> 0) + (get32(payload, 4) >>> 0) / 1_000_000
    const transit = Math.floor(this.#host.engine.nowNs / 1000) / 1_000_000 - sentSeconds
    if (first) this.#transit = transit
    // RFC 3550, section 6.4.1.
    this.jitter += (Math.abs(transit - this.#transit) - this.jitter) / 16
    this.#transit = transit
    this.#changed()
  }
}

/** One end of a UDP socket that is connected. */
export class ConnectedUdp implements UdpPath {
  readonly #socket: UdpSocket

  constructor(socket: UdpSocket) {
    this.#socket = socket
  }

  get local(): string {
    return textOf(this.#socket.local)
  }

  get localPort(): number {
    return this.#socket.localPort
  }

  get remote(): string {
    return textOf(this.#socket.remote)
  }

  get remotePort(): number {
    return this.#socket.remotePort
  }

  send(payload: Uint8Array): Errno {
    return this.#socket.send(payload)
  }

  close(): void {
    this.#socket.close()
  }
}

/** TCP_INFO of a socket, as its namespace lists it; null when it does not any more. */
export function tcpInfo(host: Host, socket: TcpSocket): TcpInfo | null {
  const { local, remote } = socket
  if (local === null || remote === null) return null
  const [ip, peer] = [unmapped(local), unmapped(remote)]
  return host.netns.sockets.tcpRows().find((row) =>
    row.port === socket.localPort && row.remotePort === socket.remotePort &&
    row.ip !== null && row.remote !== null && equal(unmapped(row.ip), ip) && equal(unmapped(row.remote), peer)
  )?.info ?? null
}

export function textOf(ip: Ip | null): string {
  return ip === null ? "" : format(unmapped(ip))
}
