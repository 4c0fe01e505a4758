/**
 * `agnhost tcp-reset`: reads one octet of each connection and closes it; what it has not read makes the close
 * a reset (test/images/agnhost/tcp-reset/tcp_reset.go). One connection after the other, as there.
 */
import { Errno } from "@podwire/netdev"
import type { TcpSocket } from "@podwire/tcp"
import { GoProcess } from "../go/process.ts"
import type { Host } from "../process.ts"
import { hostPort } from "../tcp-listener.ts"

export const TCP_RESET_FLAGS = { port: 8080 }
export type TcpResetFlags = typeof TCP_RESET_FLAGS

export class TcpReset extends GoProcess {
  readonly #waiting: Array<TcpSocket> = []

  constructor(host: Host, argv: ReadonlyArray<string>, flags: TcpResetFlags) {
    super(host, argv)
    const listener = this.tcp(flags.port, (socket) => {
      this.owns(socket)
      this.#waiting.push(socket)
      socket.wake = () => this.#serve()
      this.#serve()
    })
    if (listener === null) this.fatal(`Error from net.Listen(): ${this.problem}`)
    else this.log(`Serving on port ${flags.port}.\n`)
  }

  /** The oldest one that is not done holds up the others. */
  #serve(): void {
    for (let socket = this.#waiting[0]; socket !== undefined; socket = this.#waiting[0]) {
      const { remote, remotePort } = socket
      if (socket.recv(new Uint8Array(1)) === -Errno.EAGAIN) return
      this.#waiting.shift()
      socket.wake = null
      socket.close()
      this.disowns(socket)
      this.log(`TCP request from ${hostPort(remote, remotePort)}`)
    }
  }
}
