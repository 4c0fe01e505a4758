/** The sockets of one namespace, by protocol, and which of them an ICMP error is for. */
import type { Frame } from "@podwire/netdev"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import { TcpMib } from "./mib.ts"
import type { Netns } from "./netns.ts"
import { PingTable } from "./ping.ts"
import { TcpDoor } from "./tcp-door.ts"
import type { TcpRow } from "./tcp-row.ts"
import { UdpTable } from "./udp.ts"

export class SocketTable {
  readonly udp: UdpTable
  readonly ping: PingTable
  readonly tcp: TcpDoor
  #tcpMib: TcpMib | null = null

  constructor(ns: Netns) {
    this.udp = new UdpTable(ns)
    this.ping = new PingTable(ns)
    this.tcp = new TcpDoor(ns)
  }

  /** TCP's counters, of both families. */
  get tcpMib(): TcpMib {
    return this.#tcpMib ??= new TcpMib()
  }

  /** TCP's listeners and connections. */
  tcpRows(): ReadonlyArray<TcpRow> {
    return this.tcp.protocol?.list() ?? []
  }

  close(): void {
    for (const socket of this.udp.list()) socket.close()
    this.ping.close()
    this.tcp.close()
  }

  /**
   * An ICMP error whose quote starts at `inner`; `innerL4` is its transport header. True: it is about
   * something that this host may have sent, and its path MTU counts.
   */
  error4(frame: Frame, inner: number, innerL4: number, type: number, code: number, info: number): boolean | null {
    const { bytes } = frame
    switch (ipv4.protocol(bytes, inner)) {
      case ipproto.ICMP:
        if (bytes[innerL4] !== icmp.ECHO_REQUEST) return bytes[innerL4] === icmp.ECHO_REPLY
        this.ping.error(
          frame, 4, icmp.echoId(bytes, innerL4), icmp.echoSeq(bytes, innerL4), type, code, info & 0xffff
        )
        return true
      case ipproto.UDP:
        return this.udp.error4(frame, inner, innerL4, type, code, info & 0xffff)
      case ipproto.TCP:
        return this.tcp.protocol === null ? false : this.tcp.protocol.error(frame, inner, innerL4, type, code, info, 4)
      default:
        return false
    }
  }

  error6(
    frame: Frame, inner: number, innerL4: number, protocol: number, type: number, code: number, info: number
  ): boolean | null {
    const { bytes } = frame
    switch (protocol) {
      case ipproto.ICMPV6:
        if (bytes[innerL4] === icmp6.ECHO_REQUEST) {
          this.ping.error(frame, 6, icmp6.echoId(bytes, innerL4), icmp6.echoSeq(bytes, innerL4), type, code, info)
        }
        return true
      case ipproto.UDP:
        return this.udp.error6(frame, inner, innerL4, type, code, info)
      case ipproto.TCP:
        return this.tcp.protocol === null ? false : this.tcp.protocol.error(frame, inner, innerL4, type, code, info, 6)
      default:
        return false
    }
  }
}
