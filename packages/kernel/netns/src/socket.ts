/**
 * Sockets of one namespace: UDP, ICMP echo ("ping sockets", IPPROTO_ICMP datagrams), and TCP ports held
 * without a stack behind them. Errors come as Linux gives them, at once or pending on the socket.
 * Not supported yet: TCP itself (a segment to a held port ends unanswered), raw sockets, multicast
 * membership, SO_REUSEPORT.
 */
import { Checksum, DropReason, Errno, type Frame, type NetDevice, PacketType } from "@podwire/netdev"
import { pseudo4, pseudo6 } from "@podwire/wire/checksum"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import { equal, family, type Ip, isLinkLocal, isMulticast, isUnspecified, read6, v4 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import * as udp from "@podwire/wire/udp"
import type { Dst } from "./dst.ts"
import type { Netns } from "./netns.ts"
import { Reset } from "./tcp-reset.ts"

const UDP_PAYLOAD_MAX4 = 65_535 - ipv4.HEADER_BYTES_MIN - udp.HEADER_BYTES
const UDP_PAYLOAD_MAX6 = 65_535 - udp.HEADER_BYTES

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

export interface TcpReservation {
  release(): void
}

export interface SendOptions {
  /** 0 is the namespace's default. */
  readonly ttl: number
  /** Null lets path MTU discovery decide, as Linux does by default. */
  readonly df: boolean | null
}

const DEFAULTS: SendOptions = { ttl: 0, df: null }

export class UdpSocket {
  readonly family: 4 | 6
  readonly #table: SocketTable
  readonly #ns: Netns
  local: Ip | null = null
  localPort = 0
  remote: Ip | null = null
  remotePort = 0
  broadcast = false
  v6only = false
  error: Errno = Errno.OK
  onReceive: ((socket: UdpSocket, datagram: Datagram) => void) | null = null
  /** Instead of `onReceive`, without a copy: the payload is [at, end) of the frame, during the call only. */
  onFrame: ((socket: UdpSocket, frame: Frame, at: number, end: number) => void) | null = null
  onError: ((socket: UdpSocket) => void) | null = null
  closed = false

  constructor(table: SocketTable, ns: Netns, version: 4 | 6) {
    this.#table = table
    this.#ns = ns
    this.family = version
  }

  /** Null is every address; port 0 asks for any. */
  bind(ip: Ip | null, port: number): Errno {
    if (this.localPort !== 0) return Errno.EINVAL
    if (ip !== null && !isUnspecified(ip)) {
      const address = this.#ns.findAddress(ip)
      const local = family(ip) === 4 ? this.#ns.ip4.isLocal(ip[0]!) : this.#ns.ip6.isLocal(ip)
      if (!local || (address !== null && !address.usable)) return Errno.EADDRNOTAVAIL
    }
    this.local = ip === null || isUnspecified(ip) ? null : ip
    return this.#table.bindUdp(this, port)
  }

  connect(ip: Ip, port: number): Errno {
    const way = family(ip) === 4 ? this.#ns.ip4.route(ip[0]!) : this.#ns.ip6.route(ip)
    const refused = refusal(way)
    if (refused !== Errno.OK) return refused
    if (this.localPort === 0) {
      const errno = this.#table.bindUdp(this, 0)
      if (errno !== Errno.OK) return errno
    }
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
  sendTo(ip: Ip, port: number, payload: Uint8Array, src?: Ip, options: SendOptions = DEFAULTS): Errno {
    const pending = this.takeError()
    if (pending !== Errno.OK) return pending
    if (port === 0) return Errno.EINVAL
    if (this.family === 4 && family(ip) === 6) return Errno.EAFNOSUPPORT
    if (this.localPort === 0) {
      const errno = this.#table.bindUdp(this, 0)
      if (errno !== Errno.OK) return errno
    }
    const from = src ?? this.local
    return family(ip) === 4
      ? this.#table.sendUdp4(this, ip, port, payload, from, options)
      : this.#table.sendUdp6(this, ip, port, payload, from, options)
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
    this.#table.removeUdp(this)
  }
}

export class PingSocket {
  readonly family: 4 | 6
  readonly id: number
  readonly #table: SocketTable
  /** The path MTU that the last EMSGSIZE was about. */
  mtu: number | undefined = undefined
  onReply: ((socket: PingSocket, reply: PingReply) => void) | null = null

  constructor(table: SocketTable, version: 4 | 6, id: number) {
    this.#table = table
    this.family = version
    this.id = id
  }

  sendTo(ip: Ip, seq: number, payload: Uint8Array, options: SendOptions = DEFAULTS): Errno {
    if (family(ip) !== this.family) return Errno.EAFNOSUPPORT
    return this.family === 4
      ? this.#table.sendPing4(this, ip, seq, payload, options)
      : this.#table.sendPing6(this, ip, seq, payload, options)
  }

  close(): void {
    this.#table.removePing(this)
  }
}

export class SocketTable {
  readonly #ns: Netns
  readonly #reset: Reset
  readonly #udp = new Map<number, Array<UdpSocket>>()
  readonly #ping = new Map<number, PingSocket>()
  readonly #tcp = new Map<number, Array<Ip | null>>()

  constructor(ns: Netns) {
    this.#ns = ns
    this.#reset = new Reset(ns)
  }

  udp(version: 4 | 6): UdpSocket {
    return new UdpSocket(this, this.#ns, version)
  }

  ping(version: 4 | 6): PingSocket {
    const prng = this.#ns.engine.prng(`ping:${this.#ns.name}`)
    let id = prng.below(0x10000)
    while (this.#ping.has(id)) id = (id + 1) & 0xffff
    const socket = new PingSocket(this, version, id)
    this.#ping.set(id, socket)
    return socket
  }

  reserveTcp(ip: Ip | null, port: number): TcpReservation | Errno {
    if (port < 1 || port > 65_535) return Errno.EINVAL
    const held = this.#tcp.get(port) ?? []
    if (held.some((other) => other === null || ip === null || equal(other, ip))) return Errno.EADDRINUSE
    held.push(ip)
    this.#tcp.set(port, held)
    return {
      release: () => {
        const at = held.indexOf(ip)
        if (at >= 0) held.splice(at, 1)
        if (held.length === 0) this.#tcp.delete(port)
      }
    }
  }

  /** What `ss` lists: UDP sockets and held TCP ports, by port. */
  list(): ReadonlyArray<{ readonly protocol: "tcp" | "udp"; readonly ip: Ip | null; readonly port: number; readonly socket: UdpSocket | null }> {
    const rows = [
      ...[...this.#udp.values()].flat().map((socket) =>
        ({ protocol: "udp" as const, ip: socket.local, port: socket.localPort, socket })),
      ...[...this.#tcp].flatMap(([port, ips]) =>
        ips.map((ip) => ({ protocol: "tcp" as const, ip, port, socket: null })))
    ]
    return rows.sort((a, b) =>
      (a.protocol < b.protocol ? 1 : a.protocol > b.protocol ? -1 : 0) || a.port - b.port)
  }

  close(): void {
    for (const sockets of [...this.#udp.values()]) for (const socket of [...sockets]) socket.close()
    this.#ping.clear()
    this.#tcp.clear()
  }

  // UDP

  bindUdp(socket: UdpSocket, wanted: number): Errno {
    const port = wanted === 0 ? this.#ephemeral(socket) : wanted
    if (port === 0) return Errno.EADDRINUSE
    const holders = this.#udp.get(port)
    if (holders !== undefined && holders.some((other) => clash(socket, other))) return Errno.EADDRINUSE
    socket.localPort = port
    if (holders === undefined) this.#udp.set(port, [socket])
    else holders.push(socket)
    return Errno.OK
  }

  removeUdp(socket: UdpSocket): void {
    const holders = this.#udp.get(socket.localPort)
    if (holders === undefined) return
    const at = holders.indexOf(socket)
    if (at >= 0) holders.splice(at, 1)
    if (holders.length === 0) this.#udp.delete(socket.localPort)
  }

  sendUdp4(socket: UdpSocket, ip: Ip, port: number, payload: Uint8Array, from: Ip | null, options: SendOptions): Errno {
    if (payload.length > UDP_PAYLOAD_MAX4) return Errno.EMSGSIZE
    const { ip4 } = this.#ns
    const way = ip4.route(ip[0]!)
    const refused = refusal(way)
    if (refused !== Errno.OK) return refused
    if (way.type === "broadcast" && !socket.broadcast) return Errno.EACCES
    const src = from !== null && from.length === 1 ? from[0]! : way.src === null ? 0 : way.src[0]!
    const frame = ip4.alloc(udp.HEADER_BYTES + payload.length)
    if (frame === null) return Errno.ENOBUFS
    const { bytes, l4, tail } = frame
    frame.l4Protocol = ipproto.UDP
    udp.writeHeader(bytes, l4, socket.localPort, port, tail - l4)
    bytes.set(payload, l4 + udp.HEADER_BYTES)
    if (way.dev!.loopback) {
      udp.setChecksum(bytes, l4, pseudo4(src, ip[0]!, ipproto.UDP, tail - l4))
      frame.csum = Checksum.Partial
    } else udp.finishChecksum4(bytes, l4, tail, src, ip[0]!)
    return this.#sendIp4(frame, way, src, ip[0]!, ipproto.UDP, socket.remote !== null, options)
  }

  sendUdp6(socket: UdpSocket, ip: Ip, port: number, payload: Uint8Array, from: Ip | null, options: SendOptions): Errno {
    if (payload.length > UDP_PAYLOAD_MAX6) return Errno.EMSGSIZE
    const { ip6 } = this.#ns
    const way = this.#way6(ip, from)
    const refused = refusal(way)
    if (refused !== Errno.OK) return refused
    const src = from !== null && from.length === 4 ? from : way.src
    if (src === null) return Errno.EADDRNOTAVAIL
    const frame = ip6.alloc(udp.HEADER_BYTES + payload.length)
    if (frame === null) return Errno.ENOBUFS
    const { bytes, l3, l4, tail } = frame
    frame.l4Protocol = ipproto.UDP
    ipv6.writeHeader(bytes, l3, 0, 0, tail - l4, ipproto.UDP, options.ttl || ip6.conf(way.dev!).hop_limit, src, ip)
    udp.writeHeader(bytes, l4, socket.localPort, port, tail - l4)
    bytes.set(payload, l4 + udp.HEADER_BYTES)
    if (way.dev!.loopback) {
      udp.setChecksum(bytes, l4, pseudo6(bytes, l3 + ipv6.SRC, l3 + ipv6.DST, ipproto.UDP, tail - l4))
      frame.csum = Checksum.Partial
    } else udp.finishChecksum6(bytes, l4, tail, l3)
    return ip6.output(frame, way)
  }

  receiveUdp4(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l3, l4 } = frame
    const src = ipv4.src(bytes, l3)
    const dst = ipv4.dst(bytes, l3)
    const fault = frame.csum === Checksum.Partial
      ? udp.check(bytes, l4, frame.tail)
      : udp.check4(bytes, l4, frame.tail, src, dst)
    if (fault !== udp.Fault.None) return pool.drop(frame, udpFault(fault), dev)
    const socket = this.#findUdp4(dst, udp.dstPort(bytes, l4), src, udp.srcPort(bytes, l4))
    if (socket === null) {
      this.#ns.icmp4.error(frame, icmp.DEST_UNREACH, icmp.PORT_UNREACH, 0)
      return pool.drop(frame, DropReason.NO_SOCKET, dev)
    }
    this.#handOver(socket, dev, frame, 4)
  }

  receiveUdp6(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l3, l4 } = frame
    const fault = frame.csum === Checksum.Partial
      ? udp.check(bytes, l4, frame.tail)
      : udp.check6(bytes, l4, frame.tail, l3)
    if (fault !== udp.Fault.None) return pool.drop(frame, udpFault(fault), dev)
    const socket = this.#findUdp6(
      read6(bytes, l3 + ipv6.DST), udp.dstPort(bytes, l4), read6(bytes, l3 + ipv6.SRC), udp.srcPort(bytes, l4)
    )
    if (socket === null) {
      this.#ns.icmp6.error(frame, icmp6.DEST_UNREACH, icmp6.PORT_UNREACH, 0)
      return pool.drop(frame, DropReason.NO_SOCKET, dev)
    }
    this.#handOver(socket, dev, frame, 6)
  }

  #handOver(socket: UdpSocket, dev: NetDevice, frame: Frame, version: 4 | 6): void {
    const { bytes, l3, l4 } = frame
    const at = l4 + udp.HEADER_BYTES
    const end = l4 + udp.length(bytes, l4)
    if (socket.onFrame !== null) socket.onFrame(socket, frame, at, end)
    else if (socket.onReceive !== null) {
      socket.onReceive(socket, {
        src: version === 4 ? v4(ipv4.src(bytes, l3)) : read6(bytes, l3 + ipv6.SRC),
        srcPort: udp.srcPort(bytes, l4),
        dst: version === 4 ? v4(ipv4.dst(bytes, l3)) : read6(bytes, l3 + ipv6.DST),
        dstPort: udp.dstPort(bytes, l4),
        payload: bytes.slice(at, end),
        ttl: version === 4 ? ipv4.ttl(bytes, l3) : ipv6.hopLimit(bytes, l3),
        dev
      })
    }
    this.#ns.pool.free(frame)
  }

  /** The most specific socket wins: connected, then bound to the address, then wildcard. */
  #findUdp4(dst: number, port: number, src: number, srcPort: number): UdpSocket | null {
    const holders = this.#udp.get(port)
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

  #findUdp6(dst: Ip, port: number, src: Ip, srcPort: number): UdpSocket | null {
    let best: UdpSocket | null = null
    let bestScore = -1
    for (const socket of this.#udp.get(port) ?? []) {
      if (socket.family === 4) continue
      let score = 0
      if (socket.local !== null) {
        if (!equal(socket.local, dst)) continue
        score += 4
      }
      if (socket.remote !== null) {
        if (!equal(socket.remote, src) || socket.remotePort !== srcPort) continue
        score += 8
      }
      if (score > bestScore) {
        best = socket
        bestScore = score
      }
    }
    return best
  }

  #ephemeral(socket: UdpSocket): number {
    const [low, high] = (this.#ns.sysctl.get("net.ipv4.ip_local_port_range") ?? "32768\t60999")
      .split("\t").map(Number) as [number, number]
    const span = high - low + 1
    const start = this.#ns.engine.prng(`port:${this.#ns.name}`).below(span)
    for (let i = 0; i < span; i++) {
      const port = low + (start + i) % span
      const holders = this.#udp.get(port)
      if (holders === undefined || !holders.some((other) => clash(socket, other))) return port
    }
    return 0
  }

  // ICMP echo

  sendPing4(socket: PingSocket, ip: Ip, seq: number, payload: Uint8Array, options: SendOptions): Errno {
    const { ip4 } = this.#ns
    const way = ip4.route(ip[0]!)
    const refused = refusal(way)
    if (refused !== Errno.OK) return refused
    if (way.type === "broadcast") return Errno.EACCES
    const src = way.src === null ? 0 : way.src[0]!
    const frame = ip4.alloc(icmp.HEADER_BYTES + payload.length)
    if (frame === null) return Errno.ENOBUFS
    const { bytes, l4, tail } = frame
    frame.l4Protocol = ipproto.ICMP
    icmp.writeHeader(bytes, l4, icmp.ECHO_REQUEST, 0, (socket.id << 16) | (seq & 0xffff))
    bytes.set(payload, l4 + icmp.HEADER_BYTES)
    icmp.finishChecksum(bytes, l4, tail)
    const errno = this.#sendIp4(frame, way, src, ip[0]!, ipproto.ICMP, true, options)
    if (errno === Errno.EMSGSIZE) socket.mtu = ip4.mtu(way)
    return errno
  }

  sendPing6(socket: PingSocket, ip: Ip, seq: number, payload: Uint8Array, options: SendOptions): Errno {
    const { ip6 } = this.#ns
    const way = this.#way6(ip, null)
    const refused = refusal(way)
    if (refused !== Errno.OK) return refused
    const src = way.src
    if (src === null) return Errno.EADDRNOTAVAIL
    const frame = ip6.alloc(icmp6.HEADER_BYTES + payload.length)
    if (frame === null) return Errno.ENOBUFS
    const { bytes, l3, l4, tail } = frame
    frame.l4Protocol = ipproto.ICMPV6
    ipv6.writeHeader(bytes, l3, 0, 0, tail - l4, ipproto.ICMPV6, options.ttl || ip6.conf(way.dev!).hop_limit, src, ip)
    icmp6.writeHeader(bytes, l4, icmp6.ECHO_REQUEST, 0, (socket.id << 16) | (seq & 0xffff))
    bytes.set(payload, l4 + icmp6.HEADER_BYTES)
    icmp6.finishChecksum(bytes, l4, tail, l3)
    if (options.df === true && tail - l3 > ip6.mtu(way)) {
      this.#ns.pool.drop(frame, DropReason.PKT_TOO_BIG, way.dev)
      socket.mtu = ip6.mtu(way)
      return Errno.EMSGSIZE
    }
    return ip6.output(frame, way)
  }

  removePing(socket: PingSocket): void {
    if (this.#ping.get(socket.id) === socket) this.#ping.delete(socket.id)
  }

  receiveEchoReply4(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4 } = frame
    this.#echoReply(dev, frame, 4, icmp.echoId(bytes, l4), icmp.echoSeq(bytes, l4), ipv4.ttl(bytes, l3))
  }

  receiveEchoReply6(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4 } = frame
    this.#echoReply(dev, frame, 6, icmp6.echoId(bytes, l4), icmp6.echoSeq(bytes, l4), ipv6.hopLimit(bytes, l3))
  }

  #echoReply(dev: NetDevice, frame: Frame, version: 4 | 6, id: number, seq: number, ttl: number): void {
    const socket = this.#ping.get(id)
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

  // TCP ports

  receiveTcp4(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4, tail } = frame
    const fault = tcp.check4(bytes, l4, tail, ipv4.src(bytes, l3), ipv4.dst(bytes, l3))
    this.#segment(dev, frame, frame.csum === Checksum.Partial ? tcp.check(bytes, l4, tail) : fault, 4)
  }

  receiveTcp6(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4, tail } = frame
    const fault = tcp.check6(bytes, l4, tail, l3)
    this.#segment(dev, frame, frame.csum === Checksum.Partial ? tcp.check(bytes, l4, tail) : fault, 6)
  }

  #segment(dev: NetDevice, frame: Frame, fault: tcp.Fault, version: 4 | 6): void {
    const { pool } = this.#ns
    const { bytes, l3, l4 } = frame
    if (fault !== tcp.Fault.None) {
      const why = fault === tcp.Fault.Checksum ? DropReason.TCP_CSUM : DropReason.PKT_TOO_SMALL
      return pool.drop(frame, why, dev)
    }
    if (frame.packetType !== PacketType.Host) return pool.drop(frame, DropReason.OTHERHOST, dev)
    const held = this.#tcp.get(tcp.dstPort(bytes, l4))
    const to = version === 4 ? v4(ipv4.dst(bytes, l3)) : read6(bytes, l3 + ipv6.DST)
    if (held !== undefined && held.some((ip) => ip === null || equal(ip, to))) {
      return pool.drop(frame, DropReason.TCP_NO_LISTENER, dev)
    }
    if (version === 4) this.#reset.answer4(frame)
    else this.#reset.answer6(frame, dev)
    pool.drop(frame, DropReason.NO_SOCKET, dev)
  }

  // Errors from the network

  /** An ICMP error whose quote starts at `inner`; `innerL4` is its transport header. */
  error4(frame: Frame, inner: number, innerL4: number, type: number, code: number, info: number): void {
    const { bytes } = frame
    const protocol = ipv4.protocol(bytes, inner)
    if (protocol === ipproto.ICMP && bytes[innerL4] === icmp.ECHO_REQUEST) {
      this.#pingError(frame, 4, icmp.echoId(bytes, innerL4), icmp.echoSeq(bytes, innerL4), type, code, info & 0xffff)
    } else if (protocol === ipproto.UDP) {
      const socket = this.#findUdp4(
        ipv4.src(bytes, inner), udp.srcPort(bytes, innerL4), ipv4.dst(bytes, inner), udp.dstPort(bytes, innerL4)
      )
      this.#udpError(socket, errno4(type, code))
    }
  }

  error6(
    frame: Frame, inner: number, innerL4: number, protocol: number, type: number, code: number, info: number
  ): void {
    const { bytes } = frame
    if (protocol === ipproto.ICMPV6 && bytes[innerL4] === icmp6.ECHO_REQUEST) {
      this.#pingError(frame, 6, icmp6.echoId(bytes, innerL4), icmp6.echoSeq(bytes, innerL4), type, code, info)
    } else if (protocol === ipproto.UDP) {
      const socket = this.#findUdp6(
        read6(bytes, inner + ipv6.SRC), udp.srcPort(bytes, innerL4), read6(bytes, inner + ipv6.DST),
        udp.dstPort(bytes, innerL4)
      )
      this.#udpError(socket, errno6(type, code))
    }
  }

  /** Only a connected socket hears of hard errors (RFC 1122, 4.1.3.3, as Linux does it without IP_RECVERR). */
  #udpError(socket: UdpSocket | null, errno: Errno): void {
    if (socket === null || socket.remote === null || errno === Errno.OK) return
    socket.error = errno
    socket.onError?.(socket)
  }

  #pingError(
    frame: Frame, version: 4 | 6, id: number, seq: number, type: number, code: number, info: number
  ): void {
    const socket = this.#ping.get(id)
    if (socket === undefined || socket.family !== version) return
    const { bytes, l3 } = frame
    const src = version === 4 ? v4(ipv4.src(bytes, l3)) : read6(bytes, l3 + ipv6.SRC)
    socket.onReply?.(socket, {
      src, seq, ttl: 0, payload: new Uint8Array(0), type, code, isError: true, offender: src, info
    })
  }

  // Common

  #sendIp4(
    frame: Frame, way: Dst, src: number, dst: number, protocol: number, numbered: boolean, options: SendOptions
  ): Errno {
    const { ip4, pool, sysctl } = this.#ns
    const { bytes, l3, tail } = frame
    const fits = tail - l3 <= ip4.mtu(way)
    if (!fits && options.df === true) {
      pool.drop(frame, DropReason.PKT_TOO_BIG, way.dev)
      return Errno.EMSGSIZE
    }
    const df = options.df === null ? fits : options.df
    // What may not be fragmented needs no number, unless its socket counts its packets.
    const id = df && !numbered ? 0 : ip4.nextId()
    ipv4.writeHeader(
      bytes, l3, 0, tail - l3, id, df ? ipv4.DF : 0, options.ttl || sysctl.defaultTtl, protocol, src, dst
    )
    // A datagram that is cut leaves its host with a whole checksum.
    if (!fits && frame.csum === Checksum.Partial) {
      udp.finishChecksum4(bytes, frame.l4, tail, src, dst)
      frame.csum = Checksum.None
    }
    return ip4.output(frame, way)
  }

  #way6(ip: Ip, from: Ip | null): Dst {
    const { ip6 } = this.#ns
    if (!isLinkLocal(ip) && !isMulticast(ip)) return ip6.route(ip)
    // Without a scope the device is the source's, or the only one that has link-local addresses.
    const owner = from === null ? null : this.#ns.findAddress(from)
    const dev = owner?.dev ?? this.#ns.links.list().find((link) => !link.loopback && link.up) ?? null
    return dev === null ? ip6.route(ip) : ip6.routeVia(ip, dev)
  }
}

/** Errno of a route that leads nowhere (ip_route_output_key). */
function refusal(way: Dst): Errno {
  switch (way.type) {
    case "none":
    case "throw":
      return Errno.ENETUNREACH
    case "unreachable":
      return Errno.EHOSTUNREACH
    case "prohibit":
      return Errno.EACCES
    case "blackhole":
      return Errno.EINVAL
    default:
      return way.dev === null ? Errno.ENETUNREACH : Errno.OK
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

function udpFault(fault: udp.Fault): DropReason {
  return fault === udp.Fault.Checksum ? DropReason.UDP_CSUM : DropReason.PKT_TOO_SMALL
}

/** icmp_err_convert and its special cases. */
function errno4(type: number, code: number): Errno {
  if (type === icmp.TIME_EXCEEDED) return Errno.EHOSTUNREACH
  if (type !== icmp.DEST_UNREACH) return Errno.OK
  return UNREACHABLE4[code] ?? Errno.EHOSTUNREACH
}

const UNREACHABLE4: ReadonlyArray<Errno> = [
  Errno.ENETUNREACH, Errno.EHOSTUNREACH, Errno.ENOPROTOOPT, Errno.ECONNREFUSED, Errno.EMSGSIZE,
  Errno.EOPNOTSUPP, Errno.ENETUNREACH, Errno.EHOSTDOWN, Errno.ENETUNREACH, Errno.ENETUNREACH,
  Errno.EHOSTUNREACH, Errno.ENETUNREACH, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH
]

function errno6(type: number, code: number): Errno {
  if (type === icmp6.PACKET_TOO_BIG) return Errno.EMSGSIZE
  if (type === icmp6.TIME_EXCEEDED) return Errno.EHOSTUNREACH
  if (type !== icmp6.DEST_UNREACH) return Errno.OK
  return [Errno.ENETUNREACH, Errno.EACCES, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH, Errno.ECONNREFUSED][code] ??
    Errno.EHOSTUNREACH
}

