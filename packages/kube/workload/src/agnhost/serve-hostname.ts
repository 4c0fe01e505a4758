/**
 * `agnhost serve-hostname`: the hostname to whoever asks, over HTTP, or raw over TCP and UDP
 * (test/images/agnhost/serve-hostname/serve_hostname.go).
 * Not supported: waiting a minute after SIGTERM; a signal ends it.
 */
import { ascii } from "@podwire/wire/bytes"
import { GoProcess, peerOf } from "../go/process.ts"
import { encode } from "../go/text.ts"
import type { Host } from "../process.ts"
import { hostPort } from "../tcp-listener.ts"

export const SERVE_HOSTNAME_FLAGS = { tcp: false, udp: false, http: true, close: false, port: 9376 }
export type ServeHostnameFlags = typeof SERVE_HOSTNAME_FLAGS

export class ServeHostname extends GoProcess {
  constructor(host: Host, argv: ReadonlyArray<string>, flags: ServeHostnameFlags) {
    super(host, argv)
    this.#begin(flags)
  }

  #begin(flags: ServeHostnameFlags): void {
    if (flags.http && (flags.tcp || flags.udp)) {
      return this.fatal("Can't server TCP/UDP mode and HTTP mode at the same time")
    }
    const hostname = encode(this.host.hostname)
    if (flags.tcp) {
      const listener = this.tcp(flags.port, (socket) => {
        this.log(`TCP request from ${hostPort(socket.remote, socket.remotePort)}`)
        socket.send(ascii(hostname))
        socket.close()
      })
      if (listener === null) return this.fatal(`Error from net.Listen(): ${this.problem}`)
    }
    if (flags.udp) {
      const socket = this.udp(null, flags.port, (datagram) => {
        this.log(`UDP request from ${peerOf(datagram)}`)
        return ascii(hostname)
      })
      if (socket === null) return this.fatal(`Error from ListenUDP(): ${this.problem}`)
    }
    if (flags.http) {
      const server = this.http(flags.port, (response, request) => {
        this.log(`HTTP request from ${request.remoteAddr}`)
        if (flags.close) response.header.add("Connection", "close")
        response.write(hostname)
      })
      if (server === null) return this.fatal(this.problem)
    }
    this.log(`Serving on port ${flags.port}.\n`)
  }
}
