/**
 * Opening a TCP connection from a program that waits for nothing: an errno at once, or a socket and one call
 * when it is known how it went. From then on the socket is its owner's, who sets `wake` and looks at once
 * what is there: an edge that came with the connection is not repeated.
 */
import { Errno } from "@podwire/netdev"
import { State, Tcp, type TcpSocket } from "@podwire/tcp"
import { family, type Ip } from "@podwire/wire/ip"
import type { Host } from "./process.ts"

/** Connects a socket that its owner has made and perhaps bound; OK means that `settled` will be called. */
export function connect(
  socket: TcpSocket, ip: Ip, port: number, settled: (errno: Errno) => void
): Errno {
  socket.wake = () => {
    if (socket.state === State.SYN_SENT) return
    const errno = socket.takeError()
    socket.wake = null
    settled(errno === Errno.OK && socket.state === State.CLOSED ? Errno.ECONNREFUSED : errno)
  }
  const errno = socket.connect(ip, port)
  if (errno === Errno.EINPROGRESS || errno === Errno.OK) return Errno.OK
  socket.wake = null
  return errno
}

export function open(host: Host, ip: Ip): TcpSocket {
  return Tcp.of(host.netns).socket(family(ip))
}
