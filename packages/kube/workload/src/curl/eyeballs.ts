/**
 * Connecting to one of several addresses (lib/connect.c of curl 8.14): IPv6 first, IPv4 when that has failed
 * or 200 ms have gone, each family one address after the other; the first connection wins and the others are
 * closed.
 */
import { CallbackTimer, MILLISECOND, type Ns } from "@podwire/engine"
import { Errno, strerror } from "@podwire/netdev"
import type { TcpSocket } from "@podwire/tcp"
import { family, format, type Ip } from "@podwire/wire/ip"
import { connect, open } from "../connection.ts"
import type { Host } from "../process.ts"
import type { Config } from "./config.ts"
import { Fault } from "./response.ts"
import type { Trace } from "./trace.ts"
import { Code, describe } from "./words.ts"

export interface EyeballsEvents {
  connected(socket: TcpSocket, ip: Ip): void
  /** All have failed; `errno` is the last one's. */
  failed(code: Code, errno: Errno): void
}

/** With more time than this half of it is one address's share (TIMEOUT_LARGE). */
const SHARED_ABOVE_NS = 600 * MILLISECOND

/** One family's way through its addresses. */
interface Runner {
  readonly family: 4 | 6
  readonly addresses: ReadonlyArray<Ip>
  readonly timer: CallbackTimer
  next: number
  socket: TcpSocket | null
  isStarted: boolean
  isDone: boolean
  shareNs: Ns
}

export class Eyeballs {
  readonly #host: Host
  readonly #config: Config
  readonly #trace: Trace
  readonly #port: number
  readonly #deadlineNs: Ns
  readonly #events: EyeballsEvents
  readonly #runners: Array<Runner> = []
  readonly #delay: CallbackTimer
  #errno: Errno = Errno.OK
  #fault: Fault | null = null

  constructor(
    host: Host, config: Config, trace: Trace, port: number, deadlineNs: Ns, events: EyeballsEvents
  ) {
    this.#host = host
    this.#config = config
    this.#trace = trace
    this.#port = port
    this.#deadlineNs = deadlineNs
    this.#events = events
    this.#delay = new CallbackTimer(() => this.#start(1))
  }

  /** False when there is no address of a family that may be used. */
  start(addresses: ReadonlyArray<Ip>): boolean {
    for (const version of [6, 4] as const) {
      const own = addresses.filter((ip) => family(ip) === version)
      if (own.length === 0 || (this.#config.only !== null && this.#config.only !== version)) continue
      const runner: Runner = {
        family: version, addresses: own, next: 0, socket: null, isStarted: false, isDone: false,
        shareNs: 0,        timer: new CallbackTimer(() => this.#tooSlow(runner))
      }
      this.#runners.push(runner)
    }
    if (this.#runners.length === 0) return false
    if (this.#runners.length > 1) this.#host.engine.arm(this.#delay, this.#config.eyeballsNs)
    this.#start(0)
    return true
  }

  cancel(): void {
    this.#host.engine.disarm(this.#delay)
    for (const runner of this.#runners) {
      this.#drop(runner)
      runner.isDone = true
    }
  }

  #start(index: number): void {
    const runner = this.#runners[index]
    if (runner === undefined || runner.isStarted) return
    runner.isStarted = true
    this.#tryNext(runner)
  }

  #tryNext(runner: Runner): void {
    while (runner.next < runner.addresses.length) {
      const ip = runner.addresses[runner.next++]!
      const shown = runner.family === 6 ? `[${format(ip)}]` : format(ip)
      this.#trace.note(`  Trying ${shown}:${this.#port}...`)
      const socket = this.#open(ip)
      if (socket === null) continue
      const errno = connect(socket, ip, this.#port, (result) => {
        this.#settled(runner, socket, ip, from, result)
      })
      const from = `${socket.local === null ? "" : format(socket.local)} port ${socket.localPort}`
      if (errno === Errno.OK) {
        runner.socket = socket
        this.#limit(runner)
        return
      }
      this.#errno = errno
      this.#trace.note(`Immediate connect fail for ${format(ip)}: ${strerror(errno)}`)
      socket.close()
    }
    this.#ended(runner)
  }

  /** A socket with its options and its local end, or null with the fault kept. */
  #open(ip: Ip): TcpSocket | null {
    const config = this.#config
    const socket = open(this.#host, ip)
    socket.noDelay = config.noDelay
    socket.keepAlive = config.keepAlive
    if (config.keepAlive) {
      socket.keepIdleSeconds = config.keepAliveSeconds
      socket.keepIntervalSeconds = config.keepAliveSeconds
      socket.keepCount = config.keepAliveCount
    }
    if (config.localIp === null && config.localPort === 0) return socket
    if (config.localIp !== null) {
      const [name, version] = [format(config.localIp), family(config.localIp) === 4 ? 2 : 10]
      this.#trace.note(`Name '${name}' family ${version} resolved to '${name}' family ${version}`)
    }
    for (let i = 0; ; i++) {
      const port = config.localPort + i
      const errno = socket.bind(config.localIp, port)
      if (errno === Errno.OK) {
        this.#trace.note(`Local port: ${port}`)
        return socket
      }
      if (i + 1 < config.localPorts) {
        this.#trace.note(`Bind to local port ${port} failed, trying next`)
        continue
      }
      this.#fault = new Fault(Code.INTERFACE_FAILED, `bind failed with errno ${errno}: ${strerror(errno)}`)
      this.#trace.note(this.#fault.text)
      socket.close()
      return null
    }
  }

  /** An address that is not the last one gets its share of the time only. */
  #limit(runner: Runner): void {
    if (runner.next >= runner.addresses.length) return
    const { engine } = this.#host
    const left = this.#deadlineNs - engine.nowNs
    runner.shareNs = left > SHARED_ABOVE_NS ? Math.floor(left / 2) : left
    engine.arm(runner.timer, runner.shareNs)
  }

  #tooSlow(runner: Runner): void {
    const ms = Math.floor(runner.shareNs / MILLISECOND)
    this.#trace.note(`ipv${runner.family} connect timeout after ${ms}ms, move on!`)
    this.#errno = Errno.ETIMEDOUT
    this.#drop(runner)
    this.#tryNext(runner)
  }

  #settled(runner: Runner, socket: TcpSocket, ip: Ip, from: string, errno: Errno): void {
    this.#host.engine.disarm(runner.timer)
    runner.socket = null
    if (errno === Errno.OK) {
      this.cancel()
      this.#events.connected(socket, ip)
      return
    }
    this.#errno = errno
    this.#trace.note(`connect to ${format(ip)} port ${this.#port} from ${from} failed: ${strerror(errno)}`)
    socket.close()
    this.#tryNext(runner)
  }

  #ended(runner: Runner): void {
    runner.isDone = true
    const waiting = this.#runners.findIndex((other) => !other.isStarted)
    if (waiting >= 0) {
      this.#host.engine.disarm(this.#delay)
      this.#start(waiting)
    } else if (this.#runners.every((other) => other.isDone)) {
      this.#events.failed(this.#fault === null ? Code.COULDNT_CONNECT : this.#fault.code, this.#errno)
    }
  }

  /** What was said of a local end that could not be had. */
  get fault(): Fault | null {
    return this.#fault
  }

  #drop(runner: Runner): void {
    this.#host.engine.disarm(runner.timer)
    if (runner.socket === null) return
    runner.socket.wake = null
    runner.socket.close()
    runner.socket = null
  }
}

export function failedText(host: string, port: number, elapsedNs: Ns, code: Code): string {
  const ms = Math.floor(elapsedNs / MILLISECOND)
  return `Failed to connect to ${host} port ${port} after ${ms} ms: ${describe(code)}`
}
