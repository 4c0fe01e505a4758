/**
 * UDP of one namespace (net/ipv4/udp.c, net/ipv6/udp.c): ports, sending, and which socket a datagram or
 * an error is for. A socket of family 6 takes IPv4 too, unless it is v6only.
 */
import { Checksum, completeChecksum, DropReason, Errno, type Frame, type NetDevice } from "@podwire/netdev"
import { get32 } from "@podwire/wire/bytes"
import { pseudo4, pseudo6 } from "@podwire/wire/checksum"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import { equal, type Ip, read6, v4 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as udp from "@podwire/wire/udp"
import { meaning4, meaning6, refusal } from "./errno.ts"
import type { Mib } from "./mib.ts"
import type { Netns } from "./netns.ts"
import { hops6, sendIp4, way6 } from "./send.ts"
import { type Datagram, type SendOptions, UdpSocket } from "./socket.ts"

const UDP_PAYLOAD_MAX4 = 65_535 - ipv4.HEADER_BYTES_MIN - udp.HEADER_BYTES
const UDP_PAYLOAD_MAX6 = 65_535 - udp.HEADER_BYTES

export class UdpTable {
  readonly #ns: Netns
  /** Sockets by port; made with the first. */
  #ports: Map<number, Array<UdpSocket>> | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  socket(version: 4 | 6): UdpSocket {
    return new UdpSocket(this, this.#ns, version)
  }

  list(): ReadonlyArray<UdpSocket> {
    return this.#ports === null ? [] : [...this.#ports.values()].flat()
  }

  bind(socket: UdpSocket, wanted: number): Errno {
    const port = wanted === 0 ? this.#ephemeral(socket) : wanted
    if (port === 0) return Errno.EADDRINUSE
    const holders = this.#at(port)
    if (holders !== undefined && holders.some((other) => clash(socket, other))) return Errno.EADDRINUSE
    socket.localPort = port
    if (holders === undefined) (this.#ports ??= new Map()).set(port, [socket])
    else holders.push(socket)
    return Errno.OK
  }

  remove(socket: UdpSocket): void {
    const holders = this.#at(socket.localPort)
    if (holders === undefined) return
    const at = holders.indexOf(socket)
    if (at >= 0) holders.splice(at, 1)
    if (holders.length === 0) this.#ports!.delete(socket.localPort)
  }

  send4(socket: UdpSocket, ip: Ip, port: number, payload: Uint8Array, from: Ip | null, options: SendOptions): Errno {
    if (payload.length > UDP_PAYLOAD_MAX4) return Errno.EMSGSIZE
    const { ip4 } = this.#ns
    const way = ip4.route(ip[0]!)
    const refused = refusal(way)
    if (refused === Errno.ENETUNREACH) ip4.mib.OutNoRoutes++
    if (refused !== Errno.OK) return refused
    if (way.type === "broadcast" && !socket.broadcast) return Errno.EACCES
    const src = from !== null && from.length === 1 ? from[0]! : way.src === null ? 0 : way.src[0]!
    const frame = ip4.alloc(udp.HEADER_BYTES + payload.length)
    if (frame === null) return Errno.ENOBUFS
    const { bytes, l4, tail } = frame
    frame.l4Protocol = ipproto.UDP
    udp.writeHeader(bytes, l4, socket.localPort, port, tail - l4)
    bytes.set(payload, l4 + udp.HEADER_BYTES)
    udp.setChecksum(bytes, l4, pseudo4(src, ip[0]!, ipproto.UDP, tail - l4))
    frame.csum = Checksum.Partial
    const numbered = socket.remote !== null
    return counted(ip4.mib, sendIp4(this.#ns, frame, way, src, ip[0]!, ipproto.UDP, numbered, options))
  }

  send6(socket: UdpSocket, ip: Ip, port: number, payload: Uint8Array, from: Ip | null, options: SendOptions): Errno {
    if (payload.length > UDP_PAYLOAD_MAX6) return Errno.EMSGSIZE
    const { ip6 } = this.#ns
    const way = way6(this.#ns, ip, from)
    const refused = refusal(way)
    if (refused === Errno.ENETUNREACH) ip6.mib.OutNoRoutes++
    if (refused !== Errno.OK) return refused
    const src = from !== null && from.length === 4 ? from : way.src
    if (src === null) return Errno.EADDRNOTAVAIL
    const frame = ip6.alloc(udp.HEADER_BYTES + payload.length)
    if (frame === null) return Errno.ENOBUFS
    const { bytes, l3, l4, tail } = frame
    frame.l4Protocol = ipproto.UDP
    ipv6.writeHeader(bytes, l3, 0, 0, tail - l4, ipproto.UDP, hops6(this.#ns, way, options), src, ip)
    udp.writeHeader(bytes, l4, socket.localPort, port, tail - l4)
    bytes.set(payload, l4 + udp.HEADER_BYTES)
    udp.setChecksum(bytes, l4, pseudo6(bytes, l3 + ipv6.SRC, l3 + ipv6.DST, ipproto.UDP, tail - l4, frame.words))
    frame.csum = Checksum.Partial
    if (tail - l3 > ip6.mtu(way)) completeChecksum(frame)
    return counted(ip6.mib, ip6.output(frame, way))
  }

  receive4(dev: NetDevice, frame: Frame): void {
    const { pool, ip4 } = this.#ns
    const { bytes, l3, l4 } = frame
    const src = ipv4.src(bytes, l3)
    const dst = ipv4.dst(bytes, l3)
    const fault = frame.csum === Checksum.Partial
      ? udp.check(bytes, l4, frame.tail)
      : udp.check4(bytes, l4, frame.tail, src, dst, frame.words)
    if (fault !== udp.Fault.None) return this.#refuse(dev, frame, fault, ip4.mib)
    const port = udp.dstPort(bytes, l4)
    if (dst >>> 28 === 14 || dst === -1 || ip4.route(dst).type === "broadcast") return this.#toAll(dev, frame, dst, port)
    const socket = this.#find4(dst, port, src, udp.srcPort(bytes, l4))
    if (socket === null) {
      ip4.mib.UdpNoPorts++
      this.#ns.icmp4.error(frame, icmp.DEST_UNREACH, icmp.PORT_UNREACH, 0)
      return pool.drop(frame, DropReason.NO_SOCKET, dev)
    }
    if (this.#handOver(socket, dev, frame, 4)) pool.free(frame)
    else pool.drop(frame, DropReason.SOCKET_RCVBUFF, dev)
  }

  receive6(dev: NetDevice, frame: Frame): void {
    const { pool, ip6 } = this.#ns
    const { bytes, l3, l4 } = frame
    const fault = frame.csum === Checksum.Partial
      ? udp.check(bytes, l4, frame.tail)
      : udp.check6(bytes, l4, frame.tail, l3, frame.words)
    if (fault !== udp.Fault.None) return this.#refuse(dev, frame, fault, ip6.mib)
    const socket = this.#find6(
      bytes, l3 + ipv6.DST, udp.dstPort(bytes, l4), l3 + ipv6.SRC, udp.srcPort(bytes, l4)
    )
    if (socket === null) {
      ip6.mib.UdpNoPorts++
      this.#ns.icmp6.error(frame, icmp6.DEST_UNREACH, icmp6.PORT_UNREACH, 0)
      return pool.drop(frame, DropReason.NO_SOCKET, dev)
    }
    if (this.#handOver(socket, dev, frame, 6)) pool.free(frame)
    else pool.drop(frame, DropReason.SOCKET_RCVBUFF, dev)
  }

  /** An ICMP error whose quote starts at `inner`. True: it is about something that we sent. */
  error4(frame: Frame, inner: number, innerL4: number, type: number, code: number, info: number): boolean {
    const { bytes, l3 } = frame
    const dst = ipv4.dst(bytes, inner)
    const dstPort = udp.dstPort(bytes, innerL4)
    const socket = this.#find4(ipv4.src(bytes, inner), udp.srcPort(bytes, innerL4), dst, dstPort)
    if (socket === null) return false
    const [errno, fatal] = meaning4(type, code)
    if (errno !== Errno.OK) {
      socket.report({ errno, type, code, info, offender: v4(ipv4.src(bytes, l3)), dst: v4(dst), dstPort }, fatal)
    }
    return true
  }

  error6(frame: Frame, inner: number, innerL4: number, type: number, code: number, info: number): boolean {
    const { bytes, l3 } = frame
    const dstPort = udp.dstPort(bytes, innerL4)
    const socket = this.#find6(bytes, inner + ipv6.SRC, udp.srcPort(bytes, innerL4), inner + ipv6.DST, dstPort)
    if (socket === null) return false
    const [errno, fatal] = meaning6(type, code)
    if (errno !== Errno.OK) {
      const offender = read6(bytes, l3 + ipv6.SRC)
      socket.report({ errno, type, code, info, offender, dst: read6(bytes, inner + ipv6.DST), dstPort }, fatal)
    }
    return true
  }

  #refuse(dev: NetDevice, frame: Frame, fault: udp.Fault, mib: Mib): void {
    mib.UdpInErrors++
    if (fault === udp.Fault.Checksum) mib.UdpInCsumErrors++
    const why = fault === udp.Fault.Checksum ? DropReason.UDP_CSUM : DropReason.PKT_TOO_SMALL
    this.#ns.pool.drop(frame, why, dev)
  }

  /** A broadcast is for every socket that would take it, and nobody answers that there is none. */
  #toAll(dev: NetDevice, frame: Frame, dst: number, port: number): void {
    let taken = false
    for (const socket of [...this.#at(port) ?? []]) {
      if (socket.family === 6 && socket.v6only) continue
      if (socket.local !== null && (socket.local.length !== 1 || socket.local[0] !== dst)) continue
      taken = this.#handOver(socket, dev, frame, 4) || taken
    }
    if (taken) this.#ns.pool.free(frame)
    else this.#ns.pool.drop(frame, DropReason.NO_SOCKET, dev)
  }

  /** Does not consume. False: the receive buffer is full. */
  #handOver(socket: UdpSocket, dev: NetDevice, frame: Frame, version: 4 | 6): boolean {
    const { bytes, l3, l4 } = frame
    const at = l4 + udp.HEADER_BYTES
    const end = l4 + udp.length(bytes, l4)
    const mib = version === 4 ? this.#ns.ip4.mib : this.#ns.ip6.mib
    if (socket.onFrame !== null) {
      mib.UdpInDatagrams++
      socket.onFrame(socket, frame, at, end)
      return true
    }
    const datagram: Datagram = {
      src: version === 4 ? v4(ipv4.src(bytes, l3)) : read6(bytes, l3 + ipv6.SRC),
      srcPort: udp.srcPort(bytes, l4),
      dst: version === 4 ? v4(ipv4.dst(bytes, l3)) : read6(bytes, l3 + ipv6.DST),
      dstPort: udp.dstPort(bytes, l4),
      payload: bytes.slice(at, end),
      ttl: version === 4 ? ipv4.ttl(bytes, l3) : ipv6.hopLimit(bytes, l3),
      dev
    }
    if (socket.onReceive === null && !socket.enqueue(datagram)) {
      mib.UdpInErrors++
      mib.UdpRcvbufErrors++
      return false
    }
    mib.UdpInDatagrams++
    socket.onReceive?.(socket, datagram)
    return true
  }

  /** The most specific socket wins: connected, then bound to the address, then wildcard. */
  #find4(dst: number, port: number, src: number, srcPort: number): UdpSocket | null {
    const holders = this.#at(port)
    if (holders === undefined) return null
    let best: UdpSocket | null = null
    let bestScore = -1
    for (let i = 0; i < holders.length; i++) {
      const socket = holders[i]!
      if (socket.family === 6 && (socket.v6only || (socket.local !== null && socket.local.length === 4))) continue
      let score = socket.family === 4 ? 1 : 0
      if (socket.local !== null) {
        if (socket.local.length !== 1 || socket.local[0] !== dst) continue
        score += 4
      }
      if (socket.remote !== null) {
        if (socket.remote.length !== 1 || socket.remote[0] !== src || socket.remotePort !== srcPort) continue
        score += 8
      }
      if (score > bestScore) {
        best = socket
        bestScore = score
      }
    }
    return best
  }

  /** Addresses are read where they are: nothing is made per datagram. */
  #find6(bytes: Uint8Array, dstAt: number, port: number, srcAt: number, srcPort: number): UdpSocket | null {
    const holders = this.#at(port)
    if (holders === undefined) return null
    let best: UdpSocket | null = null
    let bestScore = -1
    for (let i = 0; i < holders.length; i++) {
      const socket = holders[i]!
      if (socket.family === 4) continue
      let score = 0
      if (socket.local !== null) {
        if (!equalAt(socket.local, bytes, dstAt)) continue
        score += 4
      }
      if (socket.remote !== null) {
        if (socket.remotePort !== srcPort || !equalAt(socket.remote, bytes, srcAt)) continue
        score += 8
      }
      if (score > bestScore) {
        best = socket
        bestScore = score
      }
    }
    return best
  }

  #at(port: number): Array<UdpSocket> | undefined {
    return this.#ports === null ? undefined : this.#ports.get(port)
  }

  #ephemeral(socket: UdpSocket): number {
    const { port_low: low, port_high: high } = this.#ns.sysctl.globals
    const span = high - low + 1
    const start = this.#ns.engine.prng(`port:${this.#ns.name}`).below(span)
    for (let i = 0; i < span; i++) {
      const port = low + (start + i) % span
      const holders = this.#at(port)
      if (holders === undefined || !holders.some((other) => clash(socket, other))) return port
    }
    return 0
  }
}

/** Two sockets cannot have one port on one address, an IPv6 wildcard counting for both families. */
function clash(a: UdpSocket, b: UdpSocket): boolean {
  if (a === b) return false
  const anyA = a.local === null
  const anyB = b.local === null
  if (a.family !== b.family && (a.v6only || b.v6only)) return false
  if (anyA || anyB) {
    const specific = anyA ? b : a
    const wild = anyA ? a : b
    if (specific.local === null) return a.family === b.family || !(a.v6only || b.v6only)
    return wild.family === 6 ? !(wild.v6only && specific.local.length === 1) : specific.local.length === 1
  }
  return equal(a.local!, b.local!)
}

function equalAt(ip: Ip, bytes: Uint8Array, at: number): boolean {
  return ip.length === 4 && ip[3] === get32(bytes, at + 12) && ip[2] === get32(bytes, at + 8) &&
    ip[1] === get32(bytes, at + 4) && ip[0] === get32(bytes, at)
}

/** What left, or at least was not refused (udp_send_skb). */
function counted(mib: Mib, errno: Errno): Errno {
  if (errno === Errno.OK) mib.UdpOutDatagrams++
  return errno
}
