/** The side of iperf3 that serves: one test at a time, another client is told that it is busy. */
import type { Ns } from "@podwire/engine"
import { Errno, strerror } from "@podwire/netdev"
import type { Datagram, UdpSocket } from "@podwire/netns"
import { Tcp, type TcpSocket } from "@podwire/tcp"
import { utf8Decode } from "@podwire/wire/bytes"
import { equal, family, type Ip } from "@podwire/wire/ip"
import { type Host, Process } from "../process.ts"
import { Control, COOKIE_BYTES, Message } from "./control.ts"
import { jsonText } from "./json.ts"
import type { IperfOptions } from "./options.ts"
import { connectedText } from "./report.ts"
import { adopt, resultsOf, takeResults } from "./results.ts"
import { Run } from "./run.ts"
import {
  type Stream, tcpInfo, TcpStream, textOf, UDP_CONNECT, UDP_REPLY, type UdpPath, UdpStream
} from "./stream.ts"

const BACKLOG = 2_147_483_647
const LINE = "-----------------------------------------------------------\n"
const FIRST_ID = 5

export class Server extends Process {
  readonly #options: IperfOptions
  #listener: TcpSocket | null = null
  #session: Session | null = null
  #tests = 0

  constructor(host: Host, argv: ReadonlyArray<string>, options: IperfOptions) {
    super(host, argv)
    this.#options = options
    const { bind, only, port } = options
    const version = bind === null ? only ?? 6 : family(bind)
    const socket = Tcp.of(host.netns).socket(version)
    this.#listener = socket
    socket.reuseAddr = true
    if (only === 6) socket.v6only = true
    socket.wake = () => this.#accept()
    const bound = socket.bind(bind, port)
    const errno = bound === Errno.OK ? socket.listen(BACKLOG) : bound
    if (errno !== Errno.OK) {
      const why = strerror(errno)
      this.stderr += `iperf3: error - unable to start listener for connections: ${why}\niperf3: exiting\n`
      this.exit(1)
    } else this.#announce()
  }

  protected override release(): void {
    this.#session?.close()
    if (this.#listener === null) return
    this.#listener.wake = null
    this.#listener.close()
    this.#listener = null
  }

  #announce(): void {
    this.#tests++
    const { json, port } = this.#options
    if (!json) this.stdout += `${LINE}Server listening on ${port} (test #${this.#tests})\n${LINE}`
  }

  #accept(): void {
    while (this.running) {
      const socket = this.#listener!.accept()
      if (typeof socket === "number") return
      if (this.#session === null) this.#begin(socket)
      else if (!this.#session.take(socket)) refuse(socket)
    }
  }

  #begin(socket: TcpSocket): void {
    const session = new Session(this.host, this.#options, socket, (text) => {
      this.stdout += text
    }, (error) => {
      this.#session = null
      if (error !== null && !this.#options.json) this.stderr += `iperf3: ${error}\n`
      if (this.#options.oneOff) this.exit(error === null ? 0 : 1)
      else this.#announce()
    })
    this.#session = session
    session.start()
  }
}

function refuse(socket: TcpSocket): void {
  socket.send(Uint8Array.of(Message.ACCESS_DENIED))
  socket.close()
}

/** One client's test. */
class Session {
  readonly #host: Host
  readonly #own: IperfOptions
  readonly #control: Control
  readonly #startNs: Ns
  readonly #write: (text: string) => void
  readonly #ended: (error: string | null) => void
  readonly #congestion: string
  #cookie = ""
  #run: Run | null = null
  #udp: UdpSocket | null = null
  /** Data connections whose cookie is still to come. */
  readonly #strangers = new Set<TcpSocket>()
  #isOver = false

  constructor(
    host: Host, options: IperfOptions, socket: TcpSocket, write: (text: string) => void,
    ended: (error: string | null) => void
  ) {
    this.#host = host
    this.#own = options
    this.#startNs = host.engine.nowNs
    this.#write = write
    this.#ended = ended
    socket.noDelay = true
    this.#congestion = tcpInfo(host, socket)?.congestion ?? "cubic"
    this.#control = new Control(socket, {
      cookie: (text) => {
        this.#cookie = text
        this.#control.sendState(Message.PARAM_EXCHANGE)
        this.#control.expectJson()
      },
      state: (state) => this.#onState(state),
      json: (value) => this.#onJson(value),
      closed: () => {
        const early = this.#run?.isRunning === true
        this.#end(early ? "the client has unexpectedly closed the connection" : null)
      }
    })
  }

  start(): void {
    this.#control.start("cookie")
  }

  close(): void {
    this.#isOver = true
    this.#control.close()
    this.#run?.close()
    this.#udp?.close()
    for (const socket of this.#strangers) {
      socket.wake = null
      socket.close()
    }
  }

  /** A further connection: a data stream of this test, or nobody's. */
  take(socket: TcpSocket): boolean {
    const run = this.#run
    if (run === null || run.options.udp || run.isRunning) return false
    if (run.streams.length + this.#strangers.size >= run.options.streams) return false
    this.#strangers.add(socket)
    const cookie = new Uint8Array(COOKIE_BYTES)
    let count = 0
    const read = () => {
      const got = socket.recv(cookie.subarray(count))
      if (got === -Errno.EAGAIN) return
      if (got <= 0) {
        this.#strangers.delete(socket)
        socket.wake = null
        return socket.close()
      }
      count += got
      if (count < COOKIE_BYTES) return read()
      this.#strangers.delete(socket)
      socket.wake = null
      if (utf8Decode(cookie, 0, COOKIE_BYTES - 1) !== this.#cookie) return refuse(socket)
      socket.noDelay = run.options.noDelay
      const at = run.streams.length
      const id = at === 0 ? FIRST_ID : FIRST_ID + 1 + 2 * at
      this.#add(new TcpStream(this.#host, id, run.isSender, socket, run))
    }
    socket.wake = read
    read()
    return true
  }

  #print(text: string): void {
    if (!this.#own.json) this.#write(text)
  }

  #onState(state: number): void {
    switch (state) {
      case Message.TEST_END:
        // What is under way is not waited for: the streams are closed with it.
        this.#run?.close()
        this.#control.sendState(Message.EXCHANGE_RESULTS)
        return this.#control.expectJson()
      case Message.IPERF_DONE:
        return this.#end(null)
      case Message.CLIENT_TERMINATE:
        return this.#end("the client has terminated")
      default:
        return this.#end("error - received an unknown control message")
    }
  }

  #onJson(value: unknown): void {
    if (this.#run !== null) return this.#onResults(value)
    const options = adopt(this.#own, value)
    if (options === null) return this.#end("error - unable to receive parameters from client")
    this.#run = new Run(this.#host, options, true, (text) => this.#print(text), () => {})
    const { socket } = this.#control
    this.#print(`Accepted connection from ${textOf(socket.remote)}, port ${socket.remotePort}\n`)
    if (options.udp) {
      const errno = this.#openUdp(options, socket.local!)
      if (errno !== Errno.OK) return this.#end(`error - unable to create stream: ${strerror(errno)}`)
    }
    this.#control.sendState(Message.CREATE_STREAMS)
  }

  #onResults(value: unknown): void {
    const run = this.#run!
    const peer = takeResults(run, value)
    this.#control.sendJson(resultsOf(run, this.#congestion))
    this.#control.sendState(Message.DISPLAY_RESULTS)
    const durations = { sender: run.seconds, receiver: run.seconds }
    if (!this.#own.json) return this.#print(run.finalText(durations))
    const { socket } = this.#control
    const [sender, receiver] = run.isSender ? [this.#congestion, peer] : [peer, this.#congestion]
    this.#write(jsonText({
      side: run.side, options: run.options, startNs: this.#startNs, cookie: this.#cookie, mss: 0,
      intervals: run.intervals, totals: run.totals(), durations, congestion: [sender, receiver], error: null,
      acceptedFrom: { host: textOf(socket.remote), port: socket.remotePort }
    }))
  }

  /**
   * One socket for all streams, told apart by where they come from: on the wire it is what a socket each
   * would be.
   */
  #openUdp(options: IperfOptions, local: Ip): Errno {
    const socket = this.#host.netns.udp(family(local))
    this.#udp = socket
    const streams: Array<{ readonly ip: Ip; readonly port: number; readonly stream: UdpStream }> = []
    socket.onReceive = (_, datagram) => {
      const known = streams.find(({ ip, port }) => port === datagram.srcPort && equal(ip, datagram.src))
      if (known !== undefined) return known.stream.receive(datagram.payload)
      const run = this.#run!
      if (datagram.payload.length !== UDP_CONNECT.length || streams.length === options.streams) return
      const id = FIRST_ID + streams.length
      const stream = new UdpStream(this.#host, id, run.isSender, new ServedUdp(socket, datagram), run)
      streams.push({ ip: datagram.src, port: datagram.srcPort, stream })
      socket.sendTo(datagram.src, datagram.srcPort, UDP_REPLY, datagram.dst)
      this.#add(stream)
    }
    return socket.bind(this.#own.bind, this.#own.port)
  }

  #add(stream: Stream): void {
    const run = this.#run!
    run.streams.push(stream)
    this.#print(connectedText(stream))
    if (run.streams.length < run.options.streams) return
    this.#control.sendState(Message.TEST_START)
    this.#control.sendState(Message.TEST_RUNNING)
    run.start()
  }

  #end(error: string | null): void {
    if (this.#isOver) return
    const run = this.#run
    if (error !== null && run !== null && run.isRunning) {
      run.stop()
      this.#print(run.finalText({ sender: run.seconds, receiver: run.seconds }))
    }
    this.close()
    this.#ended(error)
  }
}

/** The way back to one client's stream over the server's socket. */
class ServedUdp implements UdpPath {
  readonly #socket: UdpSocket
  readonly #from: Datagram

  constructor(socket: UdpSocket, from: Datagram) {
    this.#socket = socket
    this.#from = from
  }

  get local(): string {
    return textOf(this.#from.dst)
  }

  get localPort(): number {
    return this.#from.dstPort
  }

  get remote(): string {
    return textOf(this.#from.src)
  }

  get remotePort(): number {
    return this.#from.srcPort
  }

  send(payload: Uint8Array): Errno {
    return this.#socket.sendTo(this.#from.src, this.#from.srcPort, payload, this.#from.dst)
  }

  /** The socket is the session's. */
  close(): void {}
}
