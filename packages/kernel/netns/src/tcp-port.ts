/**
 * TCP ports without a TCP behind them: a port can be held, and a segment for one that nobody holds is
 * answered by RST.
 * Not supported here: connections. A segment to a held port ends unanswered, as if its queue were full.
 */
import { Checksum, DropReason, Errno, type Frame, type NetDevice, PacketType } from "@podwire/netdev"
import { equal, type Ip, read6, v4 } from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import type { Netns } from "./netns.ts"
import { answer4, answer6 } from "./tcp-reset.ts"

export interface TcpReservation {
  release(): void
}

export class TcpPorts {
  readonly #ns: Netns
  #ports: Map<number, Array<Ip | null>> | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  /** Null is every address of both families. */
  reserve(ip: Ip | null, port: number): TcpReservation | Errno {
    if (port < 1 || port > 65_535) return Errno.EINVAL
    const ports = (this.#ports ??= new Map<number, Array<Ip | null>>())
    const held = ports.get(port) ?? []
    if (held.some((other) => other === null || ip === null || equal(other, ip))) return Errno.EADDRINUSE
    held.push(ip)
    ports.set(port, held)
    return {
      release: () => {
        const at = held.indexOf(ip)
        if (at >= 0) held.splice(at, 1)
        if (held.length === 0) ports.delete(port)
      }
    }
  }

  list(): ReadonlyArray<readonly [number, Ip | null]> {
    return [...this.#ports ?? []].flatMap(([port, ips]) => ips.map((ip) => [port, ip] as const))
  }

  /** Somebody holds the port, whatever the address. */
  holds(port: number): boolean {
    return this.#ports !== null && this.#ports.has(port)
  }

  close(): void {
    this.#ports = null
  }

  receive4(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4, tail } = frame
    const fault = tcp.check4(bytes, l4, tail, ipv4.src(bytes, l3), ipv4.dst(bytes, l3), frame.words)
    this.#segment(dev, frame, frame.csum === Checksum.Partial ? tcp.check(bytes, l4, tail) : fault, 4)
  }

  receive6(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4, tail } = frame
    const fault = tcp.check6(bytes, l4, tail, l3, frame.words)
    this.#segment(dev, frame, frame.csum === Checksum.Partial ? tcp.check(bytes, l4, tail) : fault, 6)
  }

  #segment(dev: NetDevice, frame: Frame, fault: tcp.Fault, version: 4 | 6): void {
    const { pool } = this.#ns
    const { bytes, l3, l4 } = frame
    const { tcpMib } = this.#ns.sockets
    if (frame.packetType === PacketType.Host) tcpMib.TcpInSegs++
    if (fault !== tcp.Fault.None) {
      tcpMib.TcpInErrs++
      if (fault === tcp.Fault.Checksum) tcpMib.TcpInCsumErrors++
      const why = fault === tcp.Fault.Checksum ? DropReason.TCP_CSUM : DropReason.PKT_TOO_SMALL
      return pool.drop(frame, why, dev)
    }
    if (frame.packetType !== PacketType.Host) return pool.drop(frame, DropReason.OTHERHOST, dev)
    const held = this.#ports?.get(tcp.dstPort(bytes, l4))
    const to = version === 4 ? v4(ipv4.dst(bytes, l3)) : read6(bytes, l3 + ipv6.DST)
    if (held !== undefined && held.some((ip) => ip === null || equal(ip, to))) {
      return pool.drop(frame, DropReason.TCP_NO_LISTENER, dev)
    }
    if (version === 4) answer4(this.#ns, frame)
    else answer6(this.#ns, frame, dev)
    pool.drop(frame, DropReason.NO_SOCKET, dev)
  }
}
