/**
 * `udp-echo`: a server that sends every datagram back to where it came from, and a client that sends
 * one and prints what comes back.
 *
 *   udp-echo -l PORT                       serve on every address, both families
 *   udp-echo [-c COUNT] [-W SECONDS] ADDRESS PORT [TEXT]
 */
import { CallbackTimer, type Ns, SECOND } from "@podwire/engine"
import { Errno, strerror } from "@podwire/netdev"
import type { Datagram, UdpSocket } from "@podwire/netns"
import { utf8Decode, utf8Encode } from "@podwire/wire/bytes"
import { family, format, type Ip } from "@podwire/wire/ip"
import { Finished, type Host, Process, type Program } from "./process.ts"
import { resolve } from "./resolve.ts"

const USAGE = "usage: udp-echo -l PORT | udp-echo [-c COUNT] [-W SECONDS] ADDRESS PORT [TEXT]\n"
const EXIT_USAGE = 2

export const udpEcho: Program = {
  name: "udp-echo",
  synopsis: "udp-echo -l PORT | udp-echo [-c count] [-W seconds] address port [text]",
  start(host, argv) {
    const words = argv.slice(1)
    if (words[0] === "-l") {
      const port = portOf(words[1])
      return port === null || words.length !== 2
        ? new Finished(host, argv, EXIT_USAGE, "", USAGE)
        : new UdpListener(host, argv, port, (datagram) => datagram.payload)
    }
    let count = 1
    let waitNs = 2 * SECOND
    while (words[0] === "-c" || words[0] === "-W") {
      const value = Number(words[1])
      if (!Number.isFinite(value) || value <= 0) return new Finished(host, argv, EXIT_USAGE, "", USAGE)
      if (words[0] === "-c") count = Math.floor(value)
      else waitNs = Math.floor(value * SECOND)
      words.splice(0, 2)
    }
    const [name, portText, text = "hello"] = words
    const port = portOf(portText)
    if (name === undefined || port === null || words.length > 3) {
      return new Finished(host, argv, EXIT_USAGE, "", USAGE)
    }
    const target = resolve(host, name, null)
    if (target === null) {
      return new Finished(host, argv, 1, "", `udp-echo: ${name}: Name or service not known\n`)
    }
    return new UdpClient(host, argv, target, port, text, count, waitNs)
  }
}

/** Answers every datagram on one port; `answer` makes the reply (null: none). */
export class UdpListener extends Process {
  readonly #socket: UdpSocket

  constructor(
    host: Host, argv: ReadonlyArray<string>, port: number,
    answer: (datagram: Datagram) => Uint8Array | null
  ) {
    super(host, argv)
    this.#socket = host.netns.udp(6)
    const errno = this.#socket.bind(null, port)
    if (errno !== Errno.OK) {
      this.stderr = `${argv[0]}: bind: port ${port}/UDP: ${strerror(errno)}\n`
      this.exit(1)
      return
    }
    this.#socket.onReceive = (socket, datagram) => {
      const reply = answer(datagram)
      if (reply !== null) socket.sendTo(datagram.src, datagram.srcPort, reply, datagram.dst)
    }
  }

  protected override release(): void {
    this.#socket.close()
  }
}

class UdpClient extends Process {
  readonly #socket: UdpSocket
  readonly #timer: CallbackTimer
  readonly #payload: Uint8Array
  readonly #waitNs: Ns
  readonly #count: number
  #sent = 0
  #received = 0

  constructor(
    host: Host, argv: ReadonlyArray<string>, target: Ip, port: number, text: string,
    count: number, waitNs: Ns
  ) {
    super(host, argv)
    this.#payload = utf8Encode(text)
    this.#waitNs = waitNs
    this.#count = count
    this.#timer = new CallbackTimer(() => this.#timedOut())
    this.#socket = host.netns.udp(family(target))
    this.#socket.onReceive = (_, datagram) => this.#onReply(datagram)
    // A blocked recv() returns as soon as the socket has an error.
    this.#socket.onError = (socket) => {
      const errno = socket.takeError()
      if (errno !== Errno.OK) this.#fail("recv", errno)
    }
    const errno = this.#socket.connect(target, port)
    if (errno !== Errno.OK) this.#fail("connect", errno)
    else this.#send()
  }

  protected override release(): void {
    this.#socket.close()
    this.host.engine.disarm(this.#timer)
  }

  #send(): void {
    this.#sent++
    const errno = this.#socket.send(this.#payload)
    if (errno !== Errno.OK) this.#fail("send", errno)
    else if (this.running) this.host.engine.arm(this.#timer, this.#waitNs)
  }

  #onReply(datagram: Datagram): void {
    this.#received++
    const text = utf8Decode(datagram.payload, 0, datagram.payload.length)
    this.stdout += `${datagram.payload.length} bytes from ${format(datagram.src)} port ` +
      `${datagram.srcPort}: ${text}${text.endsWith("\n") ? "" : "\n"}`
    this.#next()
  }

  #timedOut(): void {
    this.stderr += "udp-echo: recv: no answer\n"
    this.#next()
  }

  #next(): void {
    this.host.engine.disarm(this.#timer)
    if (this.#sent < this.#count) this.#send()
    else this.exit(this.#received > 0 ? 0 : 1)
  }

  #fail(call: string, errno: Errno): void {
    this.stderr += `udp-echo: ${call}: ${strerror(errno)}\n`
    this.exit(1)
  }
}

function portOf(text: string | undefined): number | null {
  const port = Number(text)
  return text !== undefined && /^\d+$/.test(text) && port >= 1 && port <= 65_535 ? port : null
}
