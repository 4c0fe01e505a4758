/**
 * What a container does when nothing better is known of it: hold every port that it declares. A UDP
 * port answers with who answered and whom it saw:
 *
 *   web-0 default 10.244.1.2 10.244.0.3:40000
 *
 * A TCP port is reserved, so that nobody else binds it. A port that is taken ends the container with
 * EADDRINUSE, as the real program would.
 * Not supported: answering over TCP.
 */
import { Errno, strerror } from "@podwire/netdev"
import type { Datagram, TcpReservation, UdpSocket } from "@podwire/netns"
import { utf8Encode } from "@podwire/wire/bytes"
import { family, format } from "@podwire/wire/ip"
import { type Host, type ListenPort, Process } from "./process.ts"

export class PortListener extends Process {
  readonly #sockets: Array<UdpSocket> = []
  readonly #reservations: Array<TcpReservation> = []
  readonly #identity: string

  constructor(
    host: Host, argv: ReadonlyArray<string>, ports: ReadonlyArray<ListenPort>, identity: string
  ) {
    super(host, argv)
    this.#identity = identity
    for (const port of ports) {
      const errno = port.protocol === "UDP" ? this.#openUdp(port.port)
        : port.protocol === "TCP" ? this.#reserve(port.port) : Errno.OK
      if (errno === Errno.OK) continue
      this.refused = port
      this.stderr = `listen ${port.protocol.toLowerCase()} :${port.port}: bind: ${strerror(errno)}\n`
      this.exit(1)
      return
    }
  }

  protected override release(): void {
    for (const socket of this.#sockets) socket.close()
    for (const reservation of this.#reservations) reservation.release()
  }

  #openUdp(port: number): Errno {
    const socket = this.host.netns.udp(6)
    this.#sockets.push(socket)
    socket.onReceive = (udp, datagram) => {
      udp.sendTo(datagram.src, datagram.srcPort, this.#answer(datagram), datagram.dst)
    }
    return socket.bind(null, port)
  }

  #reserve(port: number): Errno {
    const reservation = this.host.netns.reserveTcp(null, port)
    if (typeof reservation === "number") return reservation
    this.#reservations.push(reservation)
    return Errno.OK
  }

  #answer(datagram: Datagram): Uint8Array {
    const peer = family(datagram.src) === 6 ? `[${format(datagram.src)}]` : format(datagram.src)
    return utf8Encode(`${this.#identity} ${format(datagram.dst)} ${peer}:${datagram.srcPort}\n`)
  }
}
