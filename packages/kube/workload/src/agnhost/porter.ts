/**
 * `agnhost porter`: for every SERVE_PORT_N, SERVE_TCP_PORT_N and SERVE_UDP_PORT_N in its environment a server
 * on port N that answers with the value (test/images/agnhost/porter/porter.go). A port that cannot be had is
 * a line in the log; the others go on.
 * Not supported: SERVE_TLS_PORT_N and SERVE_SCTP_PORT_N, which are a line in the log.
 */
import { ascii } from "@podwire/wire/bytes"
import { GoProcess } from "../go/process.ts"
import { encode, json, quote } from "../go/text.ts"
import type { Host } from "../process.ts"

export const PORTER_FLAGS = { "json-response": false }
export type PorterFlags = typeof PORTER_FLAGS

export class Porter extends GoProcess {
  constructor(host: Host, argv: ReadonlyArray<string>, flags: PorterFlags) {
    super(host, argv)
    for (const [key, value] of host.env) {
      const [, kind, port] = /^SERVE_(|TCP_|UDP_|TLS_|SCTP_)PORT_(.*)$/.exec(key) ?? []
      if (kind === undefined) continue
      const number = /^\d{1,5}$/.test(port!) ? Number(port) : -1
      if (kind === "TLS_" || kind === "SCTP_") this.log(`${key}: ${kind.slice(0, -1)} is not modelled`)
      else if (number < 0 || number > 65_535) this.#unknown(kind, port!)
      else if (kind === "UDP_") this.#serveUdp(number, encode(value))
      else this.#serveHttp(number, encode(value), flags["json-response"])
      if (!this.running) return
    }
  }

  #unknown(kind: string, port: string): void {
    const why = `address ${port}: invalid port`
    if (kind === "UDP_") this.fatal(`UDP: failed to resolve address: ${why}`)
    else this.log(`server on port ${quote(port)} failed: listen tcp: ${why}`)
  }

  #serveHttp(port: number, value: string, asJson: boolean): void {
    const server = this.http(port, (response, request) => {
      if (asJson) response.header.set("Content-Type", "application/json")
      response.write(asJson ? json({ Method: request.method, Body: value }) : value)
    })
    if (server === null) this.log(`server on port ${quote(String(port))} failed: ${this.problem}`)
  }

  #serveUdp(port: number, value: string): void {
    const socket = this.udp(null, port, () => ascii(value))
    if (socket === null) this.fatal(`UDP: failed to listen on port ${port}: ${this.problem}`)
    else this.log(`Started UDP server on port ${port}`)
  }
}
