/**
 * The side of iperf3 that asks: opens the control connection and the streams, ends the test and shows the
 * results.
 */
import { CallbackTimer, type Ns, SECOND } from "@podwire/engine"
import { Errno, strerror } from "@podwire/netdev"
import type { UdpSocket } from "@podwire/netns"
import type { TcpSocket } from "@podwire/tcp"
import { ascii } from "@podwire/wire/bytes"
import { family, type Ip, parse } from "@podwire/wire/ip"
import { connect, open } from "../connection.ts"
import { type Host, Process } from "../process.ts"
import { lookup } from "../resolve.ts"
import { Control, COOKIE_BYTES, Message } from "./control.ts"
import { jsonText } from "./json.ts"
import type { IperfOptions } from "./options.ts"
import { connectedText } from "./report.ts"
import { parametersOf, resultsOf, takeResults } from "./results.ts"
import { Run } from "./run.ts"
import { ConnectedUdp, type Stream, tcpInfo, TcpStream, UDP_CONNECT, UdpStream } from "./stream.ts"

const COOKIE_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
/** Numbers of the real program's sockets: the control connection and a file are before them. */
const FIRST_ID = 5
const UDP_MSS = 1460
/** SO_RCVTIMEO of a UDP stream: neither its first datagram nor the answer is sent again. */
const UDP_ANSWER_NS = 30 * SECOND

export class Client extends Process {
  readonly #options: IperfOptions
  readonly #startNs: Ns
  readonly #cookie: string
  readonly #run: Run
  #target: Ip | null = null
  #control: Control | null = null
  /** A connection that is being made. */
  #opening: TcpSocket | UdpSocket | null = null
  #mayStart = false
  readonly #unanswered = new CallbackTimer(() =>
    this.#fail(`unable to read from stream socket: ${strerror(Errno.EAGAIN)}`))
  #mss = 0
  #congestion = ""
  #peerCongestion = ""

  constructor(host: Host, argv: ReadonlyArray<string>, options: IperfOptions) {
    super(host, argv)
    this.#options = options
    this.#startNs = host.engine.nowNs
    const prng = host.engine.prng("iperf3")
    const letter = () => COOKIE_LETTERS[prng.below(COOKIE_LETTERS.length)]!
    this.#cookie = Array.from({ length: COOKIE_BYTES - 1 }, letter).join("")
    this.#run = new Run(host, options, false, (text) => this.#print(text), () => {
      this.#control?.sendState(Message.TEST_END)
    })
    lookup(host, options.host, options.only, (addresses) => {
      if (!this.running) return
      const [ip] = addresses
      if (ip === undefined) this.#fail(`unable to connect to server: ${unknownHost(options.host)}`)
      else this.#connect(ip)
    })
  }

  protected override release(): void {
    this.host.engine.disarm(this.#unanswered)
    this.#control?.close()
    this.#run.close()
    if (this.#opening !== null && "wake" in this.#opening) this.#opening.wake = null
    this.#opening?.close()
  }

  #print(text: string): void {
    if (!this.#options.json) this.stdout += text
  }

  #fail(text: string): void {
    this.#run.stop()
    if (this.#options.json) this.stdout += this.#json(`error - ${text}`)
    else this.stderr += `iperf3: error - ${text}\n`
    this.exit(1)
  }

  #json(error: string | null): string {
    const run = this.#run
    const [sender, receiver] = run.isSender ? [this.#congestion, this.#peerCongestion]
      : [this.#peerCongestion, this.#congestion]
    return jsonText({
      side: run.side, options: this.#options, startNs: this.#startNs, cookie: this.#cookie, mss: this.#mss,
      intervals: run.intervals, totals: run.totals(), durations: this.#durations,
      congestion: [sender, receiver], error, acceptedFrom: null
    })
  }

  get #durations(): { sender: number; receiver: number } {
    const own = this.#run.seconds
    const peer = this.#run.streams[0]?.peer.endSeconds || own
    return this.#run.isSender ? { sender: own, receiver: peer } : { sender: peer, receiver: own }
  }

  #connect(ip: Ip): void {
    this.#target = ip
    this.#openTcp(ip, true, (socket, errno) => {
      if (errno !== Errno.OK) return this.#fail(`unable to connect to server: ${strerror(errno)}`)
      this.#control = new Control(socket!, {
        cookie: () => {}, state: (state) => this.#onState(state), json: (value) => this.#onResults(value),
        closed: () => this.#fail("control socket has closed unexpectedly")
      })
      const info = tcpInfo(this.host, socket!)
      this.#mss = info?.snd_mss ?? 0
      this.#congestion = info?.congestion ?? "cubic"
      if (this.#options.udp && this.#options.blockSize === 0) this.#options.blockSize = this.#mss || UDP_MSS
      this.#control.sendCookie(this.#cookie)
      this.#control.start("state")
    })
  }

  /** A connection to the server; null with the errno why there is none. */
  #openTcp(ip: Ip, noDelay: boolean, opened: (socket: TcpSocket | null, errno: Errno) => void): void {
    const socket = open(this.host, ip)
    socket.noDelay = noDelay
    const bound = this.#options.bind === null ? Errno.OK : socket.bind(this.#options.bind, 0)
    this.#opening = socket
    const settled = (errno: Errno) => {
      this.#opening = null
      if (errno !== Errno.OK) socket.close()
      opened(errno === Errno.OK ? socket : null, errno)
    }
    const errno = bound === Errno.OK ? connect(socket, ip, this.#options.port, settled) : bound
    if (errno !== Errno.OK) settled(errno)
  }

  #onState(state: number): void {
    const control = this.#control!
    const { host, port, reverse } = this.#options
    switch (state) {
      case Message.PARAM_EXCHANGE:
        control.sendJson(parametersOf(this.#options))
        this.#print(`Connecting to host ${host}, port ${port}\n`)
        if (reverse) this.#print(`Reverse mode, remote host ${host} is sending\n`)
        return
      case Message.CREATE_STREAMS:
        return this.#nextStream()
      case Message.TEST_START:
        return
      case Message.TEST_RUNNING:
        // It may overtake the answer to the last UDP stream; the real client reads it after that.
        if (this.#opening !== null) this.#mayStart = true
        else this.#run.start()
        return
      case Message.EXCHANGE_RESULTS:
        control.sendJson(resultsOf(this.#run, this.#congestion))
        return control.expectJson()
      case Message.DISPLAY_RESULTS:
        return this.#finish()
      case Message.ACCESS_DENIED:
        return this.#fail("the server is busy running a test. try again later")
      case Message.SERVER_TERMINATE:
        return this.#fail("the server has terminated")
      case Message.SERVER_ERROR:
        return this.#fail("the server has reported an error")
      default:
        return this.#fail("received an unknown control message")
    }
  }

  #onResults(value: unknown): void {
    this.#peerCongestion = takeResults(this.#run, value)
  }

  #finish(): void {
    this.#run.stop()
    if (this.#options.json) this.stdout += this.#json(null)
    else this.#print(`${this.#run.finalText(this.#durations)}\niperf Done.\n`)
    this.#control!.sendState(Message.IPERF_DONE)
    this.exit(0)
  }

  /** One stream after the other; the server starts the test when it has them all. */
  #nextStream(): void {
    const { streams } = this.#run
    if (streams.length === this.#options.streams) {
      if (this.#mayStart) this.#run.start()
      return
    }
    const id = FIRST_ID + 2 * streams.length
    const ip = this.#target!
    if (this.#options.udp) return this.#openUdp(id, ip)
    this.#openTcp(ip, this.#options.noDelay, (socket, errno) => {
      if (errno !== Errno.OK) return this.#fail(`unable to connect stream: ${strerror(errno)}`)
      const cookie = new Uint8Array(COOKIE_BYTES)
      cookie.set(ascii(this.#cookie))
      socket!.send(cookie)
      this.#add(new TcpStream(this.host, id, this.#run.isSender, socket!, this.#run))
    })
  }

  #openUdp(id: number, ip: Ip): void {
    const socket = this.host.netns.udp(family(ip))
    this.#opening = socket
    const { bind, port } = this.#options
    const bound = bind === null ? Errno.OK : socket.bind(bind, 0)
    const errno = bound === Errno.OK ? socket.connect(ip, port) : bound
    if (errno !== Errno.OK) return this.#fail(`unable to connect stream: ${strerror(errno)}`)
    const stream = new UdpStream(this.host, id, this.#run.isSender, new ConnectedUdp(socket), this.#run)
    socket.onReceive = () => {
      // The server's first datagram says that it knows this stream; the others are the test's.
      socket.onReceive = (_, datagram) => stream.receive(datagram.payload)
      this.#opening = null
      this.host.engine.disarm(this.#unanswered)
      this.#add(stream)
    }
    this.host.engine.arm(this.#unanswered, UDP_ANSWER_NS)
    socket.onError = () => this.#fail(`unable to read from stream socket: ${strerror(socket.takeError())}`)
    socket.send(UDP_CONNECT)
  }

  #add(stream: Stream): void {
    this.#run.streams.push(stream)
    this.#print(connectedText(stream))
    this.#nextStream()
  }
}

/** A literal of the other family is getaddrinfo's own error; a name without an answer leaves an errno. */
function unknownHost(host: string): string {
  return parse(host) === null ? strerror(Errno.EAGAIN) : "Address family for hostname not supported"
}
