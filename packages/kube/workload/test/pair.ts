/** Two hosts on one cable, and a client that says what it is told and writes down what comes back. */
import { CallbackTimer, Engine, type Ns, SECOND } from "@podwire/engine"
import { Errno, FramePool, Veth } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import { State, Tcp, type TcpSocket } from "@podwire/tcp"
import { ascii, latin1 } from "@podwire/wire/bytes"
import { parse as cidr } from "@podwire/wire/cidr"
import { family, parse } from "@podwire/wire/ip"
import type { Host } from "@podwire/workload"

export interface Pair {
  readonly engine: Engine
  readonly server: Host
  readonly client: Host
}

/** `server` is 10.0.0.1 and fd00::1, `client` 10.0.0.2 and fd00::2. */
export function makePair(env: ReadonlyMap<string, string> = new Map()): Pair {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const cable = Veth.pair(engine, pool, "eth0", 0x02000000000a, "eth0", 0x02000000000b)
  const [server, client] = cable.map((end, i): Host => {
    const hostname = i === 0 ? "web-0" : "client"
    const netns = new Netns(engine, pool, hostname)
    netns.setUp(netns.lo)
    netns.attach(end)
    netns.setUp(end)
    netns.addAddress(end, cidr(`10.0.0.${i + 1}/24`)!)
    netns.addAddress(end, cidr(`fd00::${i + 1}/64`)!, { nodad: true })
    return { engine, netns, hostname, files: new Map([["/etc/hosts", "10.0.0.1 web\n"]]), env }
  }) as [Host, Host]
  run(engine, 2 * SECOND)
  return { engine, server, client }
}

/** All that happens in `ns` of time. */
export function run(engine: Engine, ns: Ns): void {
  engine.advance(engine.nowNs + ns, 10_000_000)
}

export interface Talk {
  /** Close our half after the last word. */
  readonly half?: boolean
  /** How long the other side is listened to. */
  readonly waitNs?: Ns
  /** Between the words. */
  readonly pauseNs?: Ns
}

/** What came back to these words, and how it ended: `<EOF>`, `<RST>`, `<OPEN>` or why nobody listens. */
export class Talker {
  heard = ""
  ended = ""
  readonly socket: TcpSocket
  readonly #words: Array<Uint8Array>
  readonly #options: Talk
  readonly #engine: Engine
  readonly #pause: CallbackTimer
  #waiting = false
  #connected = false

  constructor(host: Host, to: string, port: number, words: ReadonlyArray<string>, options: Talk = {}) {
    const ip = parse(to)!
    this.#engine = host.engine
    this.#words = words.map(ascii)
    this.#options = options
    this.#pause = new CallbackTimer(() => {
      this.#waiting = false
      this.#go()
    })
    this.socket = Tcp.of(host.netns).socket(family(ip))
    this.socket.wake = () => this.#go()
    const errno = this.socket.connect(ip, port)
    if (errno !== Errno.OK && errno !== Errno.EINPROGRESS) this.#end(`<errno ${errno}>`)
  }

  #end(how: string): void {
    this.ended = how
    this.socket.wake = null
    this.socket.close()
  }

  #go(): void {
    if (this.ended !== "" || this.socket.state === State.SYN_SENT) return
    if (!this.#connected) {
      const errno = this.socket.takeError()
      if (errno === Errno.ECONNREFUSED) return this.#end("<REFUSED>")
      if (errno !== Errno.OK) return this.#end(`<errno ${errno}>`)
      this.#connected = true
      if (this.#words.length === 0) this.#half()
    }
    while (this.#words.length > 0 && !this.#waiting) {
      const word = this.#words[0]!
      const took = this.socket.send(word)
      if (took < 0) break
      this.#words[0] = word.subarray(took)
      if (took < word.length) continue
      this.#words.shift()
      if (this.#words.length === 0) this.#half()
      else if (this.#options.pauseNs !== undefined) {
        this.#waiting = true
        this.#engine.arm(this.#pause, this.#options.pauseNs)
      }
    }
    const room = new Uint8Array(65_536)
    for (;;) {
      const got = this.socket.recv(room)
      if (got === -Errno.EAGAIN) return
      if (got === 0) return this.#end("<EOF>")
      if (got < 0) return this.#end(got === -Errno.ECONNRESET ? "<RST>" : `<errno ${-got}>`)
      this.heard += latin1(room, 0, got)
    }
  }

  #half(): void {
    if (this.#options.half === true) this.socket.shutdown("write")
  }

  /** What it heard and how it ended; it lets go of the connection. */
  close(): string {
    const how = this.ended === "" ? "<OPEN>" : this.ended
    if (this.ended === "") this.#end(how)
    return this.heard + how
  }
}

export function talk(
  pair: Pair, to: string, port: number, words: string | ReadonlyArray<string>, options: Talk = {}
): string {
  const talker = new Talker(pair.client, to, port, typeof words === "string" ? [words] : words, options)
  run(pair.engine, options.waitNs ?? 5 * SECOND)
  return talker.close()
}
