/**
 * A Go program that serves: its log on stderr, what it listens on, its end. The log is kept as kubelet keeps
 * a container's: when it is longer than 10 MiB (containerLogMaxSize) a new one begins.
 */
import { CallbackTimer, type Ns } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import type { Datagram, UdpSocket } from "@podwire/netns"
import type { Ip } from "@podwire/wire/ip"
import { logDate } from "../clock.ts"
import type { HttpServer } from "../http/server.ts"
import { Process } from "../process.ts"
import { hostPort, TcpListener } from "../tcp-listener.ts"
import type { TcpSocket } from "@podwire/tcp"
import { type GoHandler, goServer, goTune } from "./http.ts"
import { decode, errnoText } from "./text.ts"

const LOG_MOST = 10 << 20

export abstract class GoProcess extends Process {
  readonly #open: Array<{ close(): void }> = []
  readonly #timers = new Set<CallbackTimer>()

  /** `log.Printf`: octets. */
  log(line: string): void {
    if (this.stderr.length > LOG_MOST) this.stderr = ""
    this.stderr += `${logDate(this.host.engine.nowNs)} ${decode(line)}${line.endsWith("\n") ? "" : "\n"}`
  }

  /** `log.Fatal`. */
  fatal(line: string): void {
    this.log(line)
    this.exit(1)
  }

  /** `os.Exit`. */
  leave(code: number): void {
    this.exit(code)
  }

  /** Null when the port could not be had; `refused` and `problem` say so then. */
  http(port: number, handler: GoHandler): HttpServer | null {
    const server = goServer(this.host, handler)
    const errno = server.open(port)
    if (errno !== Errno.OK) return this.#refuse("TCP", port, errno)
    this.#open.push(server)
    return server
  }

  tcp(port: number, onConnection: (socket: TcpSocket) => void): TcpListener | null {
    const listener = new TcpListener(this.host.netns, null, (socket) => {
      goTune(socket)
      onConnection(socket)
    })
    const errno = listener.open(port)
    if (errno !== Errno.OK) {
      listener.close()
      return this.#refuse("TCP", port, errno)
    }
    this.#open.push(listener)
    return listener
  }

  udp(ip: Ip | null, port: number, answer: (datagram: Datagram) => Uint8Array | null): UdpSocket | null {
    const socket = this.host.netns.udp(ip === null ? 6 : ip.length === 1 ? 4 : 6)
    const errno = socket.bind(ip, port)
    if (errno !== Errno.OK) {
      socket.close()
      return this.#refuse("UDP", port, errno)
    }
    this.#open.push(socket)
    socket.onReceive = (udp, datagram) => {
      const reply = answer(datagram)
      if (reply !== null && this.running) udp.sendTo(datagram.src, datagram.srcPort, reply, datagram.dst)
    }
    return socket
  }

  /** Why the last port could not be had, as package net says it. */
  problem = ""

  #refuse(protocol: "TCP" | "UDP", port: number, errno: Errno): null {
    this.refused = { port, protocol }
    this.problem = `listen ${protocol.toLowerCase()} :${port}: bind: ${errnoText(errno)}`
    return null
  }

  /** `time.Sleep`, and then; what it returns calls it off. */
  after(delayNs: Ns, then: () => void): () => void {
    const timer = new CallbackTimer(() => {
      this.#timers.delete(timer)
      then()
    })
    this.#timers.add(timer)
    this.host.engine.arm(timer, delayNs)
    return () => {
      this.#timers.delete(timer)
      this.host.engine.disarm(timer)
    }
  }

  /** Whatever is open besides: closed when the process ends. */
  owns(resource: { close(): void }): void {
    this.#open.push(resource)
  }

  disowns(resource: { close(): void }): void {
    const at = this.#open.indexOf(resource)
    if (at >= 0) this.#open.splice(at, 1)
  }

  protected override release(): void {
    for (const resource of [...this.#open]) resource.close()
    for (const timer of this.#timers) this.host.engine.disarm(timer)
    this.#open.length = 0
    this.#timers.clear()
  }
}

export function peerOf(datagram: Datagram): string {
  return hostPort(datagram.src, datagram.srcPort)
}
