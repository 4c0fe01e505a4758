/**
 * Where TCP's segments come in: they are checked, and handed to the namespace's TCP once it has one
 * (package tcp). Until then no port is open, and RST is the answer.
 */
import { Checksum, DropReason, type Frame, type NetDevice, PacketType } from "@podwire/netdev"
import { type Ip, read6, v4 } from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import type { Netns } from "./netns.ts"
import { answer4, answer6 } from "./tcp-reset.ts"
import type { TcpLister } from "./tcp-row.ts"

/** A namespace's TCP, as the namespace sees it. */
export interface TcpProtocol extends TcpLister {
  /** A whole segment for this host with a right checksum. Consumes. */
  receive(dev: NetDevice, frame: Frame, version: 4 | 6): void
  /**
   * An ICMP error whose quoted headers start at `inner` and `innerL4`. True: it is about something that we
   * sent and is believed; false: nobody knows of it; null: it is of no consequence.
   */
  error(
    frame: Frame, inner: number, innerL4: number, type: number, code: number, info: number, version: 4 | 6
  ): boolean | null
  /** What was learnt of the path to there counts now. */
  pathChanged(local: Ip, remote: Ip, localPort: number, remotePort: number): void
  close(): void
}

export class TcpDoor {
  readonly #ns: Netns
  protocol: TcpProtocol | null = null

  constructor(ns: Netns) {
    this.#ns = ns
  }

  close(): void {
    this.protocol?.close()
  }

  /** The quoted packet was too long for the way, and the way's size is known by now. */
  pathChanged4(bytes: Uint8Array, inner: number, innerL4: number): void {
    this.protocol?.pathChanged(
      v4(ipv4.src(bytes, inner)), v4(ipv4.dst(bytes, inner)), tcp.srcPort(bytes, innerL4), tcp.dstPort(bytes, innerL4)
    )
  }

  pathChanged6(bytes: Uint8Array, inner: number, innerL4: number): void {
    this.protocol?.pathChanged(
      read6(bytes, inner + ipv6.SRC), read6(bytes, inner + ipv6.DST), tcp.srcPort(bytes, innerL4),
      tcp.dstPort(bytes, innerL4)
    )
  }

  receive4(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4, tail } = frame
    const fault = frame.csum === Checksum.Partial
      ? tcp.check(bytes, l4, tail)
      : tcp.check4(bytes, l4, tail, ipv4.src(bytes, l3), ipv4.dst(bytes, l3), frame.words)
    this.#segment(dev, frame, fault, 4)
  }

  receive6(dev: NetDevice, frame: Frame): void {
    const { bytes, l3, l4, tail } = frame
    const fault = frame.csum === Checksum.Partial
      ? tcp.check(bytes, l4, tail)
      : tcp.check6(bytes, l4, tail, l3, frame.words)
    this.#segment(dev, frame, fault, 6)
  }

  #segment(dev: NetDevice, frame: Frame, fault: tcp.Fault, version: 4 | 6): void {
    const { pool } = this.#ns
    const { tcpMib } = this.#ns.sockets
    if (frame.packetType === PacketType.Host) tcpMib.TcpInSegs++
    if (fault !== tcp.Fault.None) {
      tcpMib.TcpInErrs++
      if (fault === tcp.Fault.Checksum) tcpMib.TcpInCsumErrors++
      const why = fault === tcp.Fault.Checksum ? DropReason.TCP_CSUM : DropReason.PKT_TOO_SMALL
      return pool.drop(frame, why, dev)
    }
    if (frame.packetType !== PacketType.Host) return pool.drop(frame, DropReason.OTHERHOST, dev)
    if (this.protocol !== null) return this.protocol.receive(dev, frame, version)
    if (version === 4) answer4(this.#ns, frame)
    else answer6(this.#ns, frame, dev)
    pool.drop(frame, DropReason.NO_SOCKET, dev)
  }
}
