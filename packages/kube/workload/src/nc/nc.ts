/**
 * `nc` as OpenBSD's netcat of Debian (1.219) behaves: connecting, scanning, listening, TCP and UDP, its texts
 * and exit codes. The standard input is the host's, all of it at once, and at its end when there is none; so
 * is a container's.
 * Differences: output is text (UTF-8, and what is none is replaced); a peer is named by /etc/hosts or by its
 * address.
 * Not supported, and refused: unix sockets, proxies, file descriptor passing, TELNET, -i, -r, -T, -M, -m, -V,
 * -Z.
 */
import { CallbackTimer, SECOND } from "@podwire/engine"
import { Errno, strerror } from "@podwire/netdev"
import { Tcp, type TcpSocket } from "@podwire/tcp"
import type { UdpSocket } from "@podwire/netns"
import { ascii } from "@podwire/wire/bytes"
import { equal, family, format, type Ip, parse as parseIp } from "@podwire/wire/ip"
import { connect, open } from "../connection.ts"
import { Finished, type Host, Process, type Program } from "../process.ts"
import { lookup } from "../resolve.ts"
import { type Channel, TcpChannel, UdpChannel } from "./channel.ts"
import { type NcOptions, parseOptions, portOf } from "./options.ts"
import { type Input, Relay } from "./relay.ts"
import { serviceName } from "./services.ts"

/** UDP_SCAN_TIMEOUT, in seconds. */
const UDP_SCAN_SECONDS = 3

export const nc: Program = {
  name: "nc",
  synopsis: "nc [-46CdklNnuvz] [-p source_port] [-q seconds] [-s sourceaddr] [-W recvlimit] [-w timeout] " +
    "[destination] [port]",
  start(host, argv) {
    const options = parseOptions(host, argv.slice(1))
    if (typeof options === "string") {
      return new Finished(host, argv, options.startsWith("OpenBSD") ? 0 : 1, "", options)
    }
    return options.listens ? new Listener(host, argv, options) : new Connector(host, argv, options)
  }
}

abstract class Nc extends Process {
  protected readonly options: NcOptions
  protected readonly input: Input
  protected relay: Relay | null = null
  /** What connects or listens; a relay's sockets are its own. */
  protected tcp: TcpSocket | null = null
  protected udp: UdpSocket | null = null

  constructor(host: Host, argv: ReadonlyArray<string>, options: NcOptions) {
    super(host, argv)
    this.options = options
    this.input = { bytes: inputOf(host, options), at: 0 }
  }

  protected relayOver(channel: Channel, ended: () => void): void {
    this.relay = new Relay(this.host.engine, channel, this.options, this.input, (text) => {
      this.stdout += text
    }, () => {
      this.relay = null
      ended()
    })
    this.relay.start()
  }

  protected fail(text: string): void {
    this.stderr += `nc: ${text}\n`
    this.exit(1)
  }

  protected override release(): void {
    this.relay?.cancel()
    this.dropSockets()
  }

  protected dropSockets(): void {
    if (this.tcp !== null) {
      this.tcp.wake = null
      this.tcp.close()
      this.tcp = null
    }
    this.udp?.close()
    this.udp = null
  }
}

/** One port after the other, each over the addresses of the host until one takes it. */
class Connector extends Nc {
  readonly #tooLong: CallbackTimer
  readonly #probe: CallbackTimer
  #addresses: ReadonlyArray<Ip> = []
  #port = -1
  #address = 0
  #code = 1
  #probesLeft = 0
  #isAdvancing = false
  #isReady = true

  constructor(host: Host, argv: ReadonlyArray<string>, options: NcOptions) {
    super(host, argv, options)
    this.#tooLong = new CallbackTimer(() => this.#failed(Errno.EINPROGRESS, "timed out"))
    this.#probe = new CallbackTimer(() => this.#probeAgain())
    this.#resolve(options.host!)
  }

  protected override release(): void {
    super.release()
    this.host.engine.disarm(this.#tooLong)
    this.host.engine.disarm(this.#probe)
  }

  #resolve(name: string): void {
    const { numeric, only, ports } = this.options
    const literal = parseIp(name)
    const unknown = (why: string) => this.fail(`getaddrinfo for host "${name}" port ${ports[0]}: ${why}`)
    if (literal !== null) {
      if (only !== null && family(literal) !== only) {
        return unknown("Address family for hostname not supported")
      }
      this.#addresses = [literal]
      return this.#advance()
    }
    if (numeric) return unknown("Name or service not known")
    lookup(this.host, name, only, (addresses) => {
      if (!this.running) return
      if (addresses.length === 0) return unknown("Name or service not known")
      this.#addresses = addresses
      this.#advance()
    })
  }

  /** As long as nothing takes time. */
  #advance(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    while (this.running && this.#isReady) this.#next()
    this.#isAdvancing = false
  }

  #next(): void {
    this.dropSockets()
    this.#port++
    this.#address = 0
    if (this.#port === this.options.ports.length) return this.exit(this.#code)
    this.#isReady = false
    this.#tryAddress()
  }

  /** This port is through. */
  #portDone(): void {
    this.#isReady = true
    this.#advance()
  }

  #tryAddress(): void {
    const ip = this.#addresses[this.#address]
    if (ip === undefined) return this.#portDone()
    const port = this.options.ports[this.#port]!
    if (this.options.udp) return this.#connectUdp(ip, port)
    const socket = open(this.host, ip)
    if (!this.#bind((from, fromPort) => socket.bind(from, fromPort))) return socket.close()
    this.tcp = socket
    const errno = connect(socket, ip, port, (result) => {
      this.host.engine.disarm(this.#tooLong)
      if (result === Errno.OK) this.#connected(ip)
      else this.#failed(result)
    })
    if (errno !== Errno.OK) return this.#failed(errno)
    if (this.options.timeoutNs > 0) this.host.engine.arm(this.#tooLong, this.options.timeoutNs)
  }

  /** False, and nc has ended, when the local end cannot be had. */
  #bind(bind: (ip: Ip | null, port: number) => Errno): boolean {
    const { source, sourcePort } = this.options
    if (source === null && sourcePort === null) return true
    const ip = source === null ? null : parseIp(source)
    const port = sourcePort === null ? 0 : portOf(this.host, this.options, sourcePort)
    if ((source !== null && ip === null) || typeof port === "string") {
      this.fail("getaddrinfo: Name or service not known")
      return false
    }
    const errno = bind(ip, port)
    if (errno !== Errno.OK) this.fail(`bind failed: ${strerror(errno)}`)
    return errno === Errno.OK
  }

  #failed(errno: Errno, how = "failed"): void {
    const ip = this.#addresses[this.#address]!
    if (this.options.verbose) {
      const where = `${this.#shown(ip)} port ${this.options.ports[this.#port]}`
      this.stderr += `nc: connect to ${where} (${this.#protocol}) ${how}: ${strerror(errno)}\n`
    }
    this.host.engine.disarm(this.#tooLong)
    this.dropSockets()
    this.#address++
    this.#tryAddress()
  }

  get #protocol(): "tcp" | "udp" {
    return this.options.udp ? "udp" : "tcp"
  }

  /** The host as it was given, and its address when that is another text. */
  #shown(ip: Ip): string {
    const name = this.options.host!
    return this.options.numeric || name === format(ip) ? name : `${name} (${format(ip)})`
  }

  #connected(ip: Ip): void {
    this.#code = 0
    if (this.options.verbose) this.#sayConnected(ip)
    const socket = this.tcp!
    if (this.options.scans) return this.#portDone()
    this.tcp = null
    this.relayOver(new TcpChannel(socket), () => this.#portDone())
  }

  #sayConnected(ip: Ip): void {
    const port = this.options.ports[this.#port]!
    const service = this.options.numeric ? null : serviceName(this.host, port, this.#protocol)
    const what = `${this.#protocol}/${service ?? "*"}`
    this.stderr += `Connection to ${this.#shown(ip)} ${port} port [${what}] succeeded!\n`
  }

  #connectUdp(ip: Ip, port: number): void {
    const socket = this.host.netns.udp(family(ip))
    this.udp = socket
    if (!this.#bind((from, fromPort) => socket.bind(from, fromPort))) return
    const errno = socket.connect(ip, port)
    if (errno !== Errno.OK) return this.#failed(errno)
    this.#code = 0
    if (!this.options.verbose) return this.#useUdp()
    this.#probesLeft = Math.floor(this.options.timeoutNs / SECOND) || UDP_SCAN_SECONDS
    this.#probed(this.#write() && this.#write())
  }

  /** udptest: an octet a second, until the peer's host says that nobody is there. */
  #probeAgain(): void {
    this.#probesLeft--
    this.#probed(this.#write())
  }

  #probed(good: boolean): void {
    if (!good) {
      this.#code = 1
      return this.#portDone()
    }
    if (this.#probesLeft > 0) return this.host.engine.arm(this.#probe, SECOND)
    this.#sayConnected(this.#addresses[this.#address]!)
    this.#useUdp()
  }

  #write(): boolean {
    return this.udp!.send(ascii("X")) === Errno.OK
  }

  #useUdp(): void {
    if (this.options.scans) return this.#portDone()
    const channel = new UdpChannel(this.udp!)
    this.udp = null
    this.relayOver(channel, () => this.#portDone())
  }
}

/** One connection at a time; with -k for ever. */
class Listener extends Nc {
  constructor(host: Host, argv: ReadonlyArray<string>, options: NcOptions) {
    super(host, argv, options)
    const port = options.ports[0]!
    const { host: name, only } = options
    if (name === null) this.#listen(null, only ?? 4, port)
    else {
      lookup(host, name, only, (addresses) => {
        const [ip] = addresses
        if (ip === undefined) this.fail("getaddrinfo: Name or service not known")
        else this.#listen(ip, family(ip), port)
      })
    }
  }

  #listen(ip: Ip | null, version: 4 | 6, port: number): void {
    const any = version === 4 ? "0.0.0.0" : "::"
    if (this.options.udp) {
      const socket = this.host.netns.udp(version)
      this.udp = socket
      const errno = socket.bind(ip, port)
      if (errno !== Errno.OK) return this.fail(strerror(errno))
      this.#say("Bound on", ip, any, port)
      socket.onReceive = (_, datagram) => {
        this.#say("Connection received on", datagram.src, any, datagram.srcPort)
        if (!this.options.keepsListening) socket.connect(datagram.src, datagram.srcPort)
        const channel = new UdpChannel(socket)
        channel.take(datagram)
        this.udp = null
        this.relayOver(channel, () => this.exit(0))
      }
      return
    }
    const socket = Tcp.of(this.host.netns).socket(version)
    this.tcp = socket
    socket.reuseAddr = true
    socket.wake = () => this.#accept()
    const bound = socket.bind(ip, port)
    const errno = bound === Errno.OK ? socket.listen(1) : bound
    if (errno !== Errno.OK) return this.fail(strerror(errno))
    this.#say("Listening on", ip, any, port)
  }

  #accept(): void {
    if (this.relay !== null || this.tcp === null) return
    const socket = this.tcp.accept()
    if (typeof socket === "number") return
    this.#say("Connection received on", socket.remote, "", socket.remotePort)
    this.relayOver(new TcpChannel(socket), () => {
      if (!this.options.keepsListening) return this.exit(0)
      this.#accept()
    })
  }

  #say(what: string, ip: Ip | null, any: string, port: number): void {
    if (!this.options.verbose) return
    this.stderr += `${what} ${ip === null ? any : this.#nameOf(ip)} ${port}\n`
  }

  /** getnameinfo: the first name of the address in /etc/hosts. */
  #nameOf(ip: Ip): string {
    if (this.options.numeric) return format(ip)
    for (const line of (this.host.files.get("/etc/hosts") ?? "").split("\n")) {
      const [address, name] = line.replace(/#.*/, "").trim().split(/\s+/)
      const known = address === undefined ? null : parseIp(address)
      if (known !== null && name !== undefined && equal(known, ip)) return name
    }
    return format(ip)
  }
}

/** The standard input as it is sent. */
function inputOf(host: Host, options: NcOptions): Uint8Array {
  const bytes = host.stdin ?? new Uint8Array(0)
  if (!options.crlf || !bytes.includes(LF)) return bytes
  const out: Array<number> = []
  bytes.forEach((byte, i) => {
    if (byte === LF && bytes[i - 1] !== CR) out.push(CR)
    out.push(byte)
  })
  return Uint8Array.from(out)
}

const LF = 0x0a
const CR = 0x0d

