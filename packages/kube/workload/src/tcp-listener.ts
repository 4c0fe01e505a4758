/**
 * A listening socket and its accept loop: every connection that is complete is handed over at once, IPv4 and
 * IPv6 by one socket unless it is bound to one address. The backlog is Go's, net.core.somaxconn.
 */
import { Errno } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import { Tcp, type TcpSocket } from "@podwire/tcp"
import { family, format, type Ip, unmapped } from "@podwire/wire/ip"

const SOMAXCONN = 4096

export class TcpListener {
  readonly #ip: Ip | null
  readonly #socket: TcpSocket
  readonly #onConnection: (socket: TcpSocket) => void

  constructor(netns: Netns, ip: Ip | null, onConnection: (socket: TcpSocket) => void) {
    this.#onConnection = onConnection
    this.#socket = Tcp.of(netns).socket(ip === null ? 6 : family(ip))
    this.#socket.reuseAddr = true
    // Whatever net.ipv6.bindv6only says (Go's favoriteAddrFamily).
    this.#socket.v6only = false
    this.#ip = ip
  }

  open(port: number, backlog = SOMAXCONN): Errno {
    this.#socket.wake = () => this.#accept()
    const errno = this.#socket.bind(this.#ip, port)
    return errno === Errno.OK ? this.#socket.listen(backlog) : errno
  }

  close(): void {
    this.#socket.wake = null
    this.#socket.close()
  }

  #accept(): void {
    for (;;) {
      const socket = this.#socket.accept()
      if (typeof socket === "number") return
      this.#onConnection(socket)
      // The program may have ended over it.
      if (this.#socket.wake === null) return
    }
  }
}

/** `10.0.0.1:80`, `[fd00::1]:80`: also what a family 6 socket knows as ::ffff:10.0.0.1. */
export function hostPort(ip: Ip | null, port: number): string {
  if (ip === null) return `[::]:${port}`
  const plain = unmapped(ip)
  return family(plain) === 6 ? `[${format(plain)}]:${port}` : `${format(plain)}:${port}`
}
