/**
 * ICMP echo sockets (net/ipv4/ping.c): the kernel picks the identifier, as it picks a port. They get
 * the answers and the errors about what they sent.
 */
import { DropReason, Errno, type Frame, type NetDevice } from "@podwire/netdev"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import { type Ip, read6, v4 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import { refusal } from "./errno.ts"
import type { Netns } from "./netns.ts"
import { hops6, sendIp4, way6 } from "./send.ts"
import { PingSocket, type SendOptions } from "./socket.ts"

export class PingTable {
  readonly #ns: Netns
  #ids: Map<number, PingSocket> | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  socket(version: 4 | 6): PingSocket {
    const ids = (this.#ids ??= new Map())
    let id = this.#ns.engine.prng(`ping:${this.#ns.name}`).below(0x10000)
    while (ids.has(id)) id = (id + 1) & 0xffff
    const socket = new PingSocket(this, version, id)
    ids.set(id, socket)
    return socket
  }

  close(): void {
    this.#ids = null
  }

  send4(socket: PingSocket, ip: Ip, seq: number, payload: Uint8Array, options: SendOptions): Errno {
    const { ip4 } = this.#ns
    const way = ip4.route(ip[0]!)
    const refused = refusal(way)
    if (refused === Errno.ENETUNREACH) ip4.mib.OutNoRoutes++
    if (refused !== Errno.OK) return refused
    if (way.type === "broadcast") return Errno.EACCES
    const src = way.src === null ? 0 : way.src[0]!
    const frame = ip4.alloc(icmp.HEADER_BYTES + payload.length)
    if (frame === null) return Errno.ENOBUFS
    const { bytes, l4, tail } = frame
    frame.l4Protocol = ipproto.ICMP
    icmp.writeHeader(bytes, l4, icmp.ECHO_REQUEST, 0, (socket.id << 16) | (seq & 0xffff))
    bytes.set(payload, l4 + icmp.HEADER_BYTES)
    icmp.finishChecksum(bytes, l4, tail, frame.words)
    const errno = sendIp4(this.#ns, frame, way, src, ip[0]!, ipproto.ICMP, true, options)
    if (errno === Errno.EMSGSIZE) socket.mtu = ip4.mtu(way)
    else ip4.mib.countIcmpOut(icmp.ECHO_REQUEST)
    return errno
  }

  send6(socket: PingSocket, ip: Ip, seq: number, payload: Uint8Array, options: SendOptions): Errno {
    const { ip6 } = this.#ns
    const way = way6(this.#ns, ip, null)
    const refused = refusal(way)
    if (refused === Errno.ENETUNREACH) ip6.mib.OutNoRoutes++
    if (refused !== Errno.OK) return refused
    const src = way.src
    if (src === null) return Errno.EADDRNOTAVAIL
    const frame = ip6.alloc(icmp6.HEADER_BYTES + payload.length)
    if (frame === null) return Errno.ENOBUFS
    const { bytes, l3, l4, tail } = frame
    frame.l4Protocol = ipproto.ICMPV6
    ipv6.writeHeader(bytes, l3, 0, 0, tail - l4, ipproto.ICMPV6, hops6(this.#ns, way, options), src, ip)
    icmp6.writeHeader(bytes, l4, icmp6.ECHO_REQUEST, 0, (socket.id << 16) | (seq & 0xffff))
    bytes.set(payload, l4 + icmp6.HEADER_BYTES)
    icmp6.finishChecksum(bytes, l4, tail, l3, frame.words)
    if (options.df === true && tail - l3 > ip6.mtu(way)) {
      this.#ns.pool.drop(frame, DropReason.PKT_TOO_BIG, way.dev)
      socket.mtu = ip6.mtu(way)
      return Errno.EMSGSIZE
    }
    ip6.mib.countIcmpOut(icmp6.ECHO_REQUEST)
    return ip6.output(frame, way)
  }

  remove(socket: PingSocket): void {
    if (this.#ids?.get(socket.id) === socket) this.#ids.delete(socket.id)
  }

  receive4(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4 } = frame
    this.#echoReply(dev, frame, 4, icmp.echoId(bytes, l4), icmp.echoSeq(bytes, l4), ipv4.ttl(bytes, l3))
  }

  receive6(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4 } = frame
    this.#echoReply(dev, frame, 6, icmp6.echoId(bytes, l4), icmp6.echoSeq(bytes, l4), ipv6.hopLimit(bytes, l3))
  }

  #echoReply(dev: NetDevice, frame: Frame, version: 4 | 6, id: number, seq: number, ttl: number): void {
    const socket = this.#ids?.get(id)
    if (socket === undefined || socket.family !== version) {
      return this.#ns.pool.drop(frame, DropReason.NO_SOCKET, dev)
    }
    const { bytes, l3, l4, tail } = frame
    socket.onReply?.(socket, {
      src: version === 4 ? v4(ipv4.src(bytes, l3)) : read6(bytes, l3 + ipv6.SRC),
      seq, ttl, payload: bytes.slice(l4 + icmp.HEADER_BYTES, tail),
      type: bytes[l4]!, code: 0, isError: false
    })
    this.#ns.pool.free(frame)
  }

  error(
    frame: Frame, version: 4 | 6, id: number, seq: number, type: number, code: number, info: number
  ): boolean {
    const socket = this.#ids?.get(id)
    if (socket === undefined || socket.family !== version) return false
    const { bytes, l3 } = frame
    const src = version === 4 ? v4(ipv4.src(bytes, l3)) : read6(bytes, l3 + ipv6.SRC)
    socket.onReply?.(socket, {
      src, seq, ttl: 0, payload: new Uint8Array(0), type, code, isError: true, offender: src, info
    })
    return true
  }
}
