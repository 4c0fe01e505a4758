/** TCP of one namespace: its ports, listeners and connections. */
import { Bug } from "@podwire/engine"
import type { Netns } from "@podwire/netns"
import { TcpSocket } from "./socket.ts"

export class Tcp {
  /** The namespace's TCP; the first call installs it. */
  static of(_ns: Netns): Tcp {
    throw new Bug("not built yet")
  }

  /** A family 6 socket takes IPv4 too, unless it is v6only. */
  socket(version: 4 | 6): TcpSocket {
    return new TcpSocket(version)
  }
}
