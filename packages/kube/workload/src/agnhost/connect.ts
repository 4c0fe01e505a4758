/**
 * `agnhost connect HOST:PORT`: one connection attempt, whose outcome is a word on stderr that tests look for:
 * TIMEOUT, DNS, REFUSED, OTHER, UNKNOWN (test/images/agnhost/connect/connect.go).
 * Not supported: SCTP; names but /etc/hosts.
 */
import { Errno } from "@podwire/netdev"
import { State, Tcp } from "@podwire/tcp"
import { ascii } from "@podwire/wire/bytes"
import { family, type Ip, parse } from "@podwire/wire/ip"
import { GoProcess } from "../go/process.ts"
import { errnoText, parseDuration } from "../go/text.ts"
import type { Host } from "../process.ts"
import { resolve } from "../resolve.ts"
import { hostPort } from "../tcp-listener.ts"

export const CONNECT_FLAGS = {
  timeout: "0s", protocol: "tcp", "udp-data": "hostname", "sctp-data": "hostname"
}
export type ConnectFlags = typeof CONNECT_FLAGS

export class Connect extends GoProcess {
  constructor(host: Host, argv: ReadonlyArray<string>, flags: ConnectFlags, destination: string) {
    super(host, argv)
    this.#begin(flags, destination)
  }

  #begin(flags: ConnectFlags, destination: string): void {
    const timeoutNs = parseDuration(flags.timeout)
    const { protocol } = flags
    if (timeoutNs === null) {
      const what = `invalid argument "${flags.timeout}" for "--timeout" flag`
      return this.#end(`Error: ${what}: time: invalid duration "${flags.timeout}"\n`, 0)
    }
    if (protocol === "sctp") return this.#end("OTHER: protocol not supported\n")
    if (!["", "tcp", "udp"].includes(protocol)) return this.#end("Unsupported protocol\n")
    const [, bracketed, plain, portText] = /^(?:\[([^\]]*)\]|([^:]*)):(\d*)$/.exec(destination) ?? []
    const name = bracketed ?? plain
    if (name === undefined) {
      const what = destination.includes(":") ? "too many colons in address" : "missing port in address"
      return this.#end(`${protocol === "udp" ? "DNS" : "UNKNOWN"}: address ${destination}: ${what}\n`)
    }
    const ip = parse(name) ?? resolve(this.host, name, null)
    const port = Number(portText)
    if (ip === null) return this.#end(`DNS: lookup ${name}: no such host\n`)
    if (port > 65_535) return this.#end(`DNS: address ${portText}: invalid port\n`)
    if (protocol === "udp") this.#udp(ip, port, timeoutNs, flags["udp-data"])
    else this.#tcp(ip, port, timeoutNs)
  }

  #end(text: string, code = 1): void {
    this.stderr += text
    this.exit(code)
  }

  #tcp(ip: Ip, port: number, timeoutNs: number): void {
    const socket = Tcp.of(this.host.netns).socket(family(ip))
    this.owns(socket)
    const outcome = (errno: number) => {
      if (errno === Errno.OK) this.exit(0)
      else if (errno === Errno.ETIMEDOUT) this.#end("TIMEOUT\n")
      else if (errno === Errno.ECONNREFUSED) this.#end("REFUSED\n")
      else this.#end(`OTHER: dial tcp ${hostPort(ip, port)}: connect: ${errnoText(errno)}\n`)
    }
    socket.wake = () => {
      if (socket.state !== State.SYN_SENT && this.running) outcome(socket.takeError())
    }
    const errno = socket.connect(ip, port)
    if (errno !== Errno.OK && errno !== Errno.EINPROGRESS) return outcome(errno)
    if (timeoutNs > 0) this.after(timeoutNs, () => this.#end("TIMEOUT\n"))
  }

  #udp(ip: Ip, port: number, timeoutNs: number, data: string): void {
    const socket = this.host.netns.udp(family(ip))
    this.owns(socket)
    const failed = (call: string, errno: number) => {
      const between = `${hostPort(socket.local, socket.localPort)}->${hostPort(ip, port)}`
      const word = errno === Errno.ECONNREFUSED ? "REFUSED" : "UNKNOWN"
      this.#end(`${word}: ${call} udp ${between}: ${call}: ${errnoText(errno)}\n`)
    }
    const connected = socket.connect(ip, port)
    if (connected !== Errno.OK) {
      return this.#end(`OTHER: dial udp ${hostPort(ip, port)}: connect: ${errnoText(connected)}\n`)
    }
    socket.onReceive = (_, { payload }) => {
      if (payload.length > 0) return this.exit(0)
      this.#end("OTHER: No data received from the server. " +
        "Cannot guarantee the server received the request.\n")
    }
    socket.onError = () => {
      const errno = socket.takeError()
      if (errno !== Errno.OK) failed("read", errno)
    }
    const sent = socket.send(ascii(`${data}\n`))
    if (sent !== Errno.OK) return failed("write", sent)
    if (timeoutNs <= 0) return
    this.after(timeoutNs, () => {
      const between = `${hostPort(socket.local, socket.localPort)}->${hostPort(ip, port)}`
      this.#end(`TIMEOUT: read udp ${between}: i/o timeout\n`)
    })
  }
}
