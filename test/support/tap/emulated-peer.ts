/** The emulated side: programs in a pod, over its TCP sockets, as a test's promises. */
import { createHash } from "node:crypto"
import { Errno, errnoName, Nic } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import { State, stateName, Tcp, type TcpSocket } from "@podwire/tcp"
import { parse as cidr } from "@podwire/wire/cidr"
import { parse as parseIp } from "@podwire/wire/ip"
import { parse as parseMac } from "@podwire/wire/mac"
import {
  type Bound, type Family, type Options, pattern, type Peer, type Received, Refused, TIMEOUT_SECONDS
} from "./peer.ts"
import type { Span } from "./span.ts"

export interface PodPlan {
  readonly mac: string
  readonly ips: Readonly<Record<Family, string>>
  /** Networks behind the other side, and its address there. */
  readonly routes: ReadonlyArray<readonly [string, string]>
}

interface Open {
  readonly socket: TcpSocket
  /** Who asks again when something has changed; true when it is done. */
  readonly waiting: Set<() => boolean>
}

export class EmulatedPeer implements Peer {
  readonly name = "pod"
  readonly ips: Readonly<Record<Family, string>>
  readonly ns: Netns
  readonly nic: Nic
  readonly #span: Span
  readonly #open: Array<Open> = []
  readonly #into = new Uint8Array(1 << 18)
  #tcp: Tcp | null = null

  constructor(span: Span, { mac, ips, routes }: PodPlan) {
    this.#span = span
    this.ips = ips
    this.ns = new Netns(span.engine, span.pool, "pod")
    for (const name of ["all.accept_dad", "default.accept_dad", "default.router_solicitations"]) {
      this.ns.sysctl.set(`net.ipv6.conf.${name}`, "0")
    }
    this.ns.setUp(this.ns.lo)
    this.nic = new Nic(span.engine, span.pool, "eth0", parseMac(mac)!)
    span.attach(this.nic)
    this.ns.attach(this.nic)
    this.ns.setUp(this.nic)
    for (const text of [`${ips[4]}/24`, `${ips[6]}/64`]) {
      this.ns.addAddress(this.nic, cidr(text)!, { nodad: true })
    }
    for (const [dst, via] of routes) this.ns.addRoute({ dst: cidr(dst)!, via: parseIp(via)! })
  }

  async listen(family: Family, backlog = 16, options: Options = {}, port = 0): Promise<Bound> {
    return this.#span.pacer.act(() => {
      const socket = this.#socket(family, options)
      this.#check("bind", socket.bind(parseIp(this.ips[family])!, port))
      this.#check("listen", socket.listen(backlog))
      return { sock: this.#keep(socket), port: socket.localPort }
    })
  }

  async listenToAll(): Promise<Bound> {
    return this.#span.pacer.act(() => {
      const socket = this.#socket(6, {})
      this.#check("bind", socket.bind(null, 0))
      this.#check("listen", socket.listen(16))
      return { sock: this.#keep(socket), port: socket.localPort }
    })
  }

  accept(sock: number): Promise<Bound> {
    return this.#until("accept", sock, (listener) => {
      const socket = listener.accept()
      if (typeof socket === "number") {
        if (socket === Errno.EAGAIN) return undefined
        throw new Refused("pod accept", errnoName(socket))
      }
      return { sock: this.#keep(socket), port: socket.remotePort }
    })
  }

  async connect(
    family: Family, ip: string, to: number, options: Options = {}, port = 0
  ): Promise<Bound> {
    const sock = this.#span.pacer.act(() => {
      const socket = this.#socket(family, options)
      if (port !== 0) this.#check("bind", socket.bind(parseIp(this.ips[family])!, port))
      const errno = socket.connect(parseIp(ip)!, to)
      if (errno !== Errno.EINPROGRESS) this.#check("connect", errno)
      return this.#keep(socket)
    })
    return this.#until("connect", sock, (socket) => {
      if (socket.state === State.SYN_SENT || socket.state === State.SYN_RECV) return undefined
      this.#check("connect", socket.takeError())
      return { sock, port: socket.localPort }
    })
  }

  send(sock: number, seed: string, octets: number): Promise<void> {
    const data = pattern(seed, octets)
    let sent = 0
    return this.#until("send", sock, (socket) => {
      while (sent < octets) {
        const taken = socket.send(data, sent, octets)
        if (taken === -Errno.EAGAIN) return undefined
        if (taken < 0) throw new Refused("pod send", errnoName(-taken))
        sent += taken
      }
      return true
    }).then(() => {})
  }

  receive(sock: number, octets?: number): Promise<Received> {
    const digest = createHash("sha256")
    let count = 0
    const done = (end: string): Received => ({ octets: count, sha256: digest.digest("hex"), end })
    return this.#until("receive", sock, (socket) => {
      for (;;) {
        const room = octets === undefined ? this.#into.length : Math.min(this.#into.length, octets - count)
        if (room === 0) return done("octets")
        const got = socket.recv(this.#into.subarray(0, room))
        if (got === -Errno.EAGAIN) return undefined
        if (got <= 0) return done(got === 0 ? "eof" : errnoName(-got))
        digest.update(this.#into.subarray(0, got))
        count += got
      }
    })
  }

  echo(sock: number): Promise<number> {
    const held: Array<Uint8Array> = []
    let count = 0
    let ended = false
    return this.#until("echo", sock, (socket) => {
      for (;;) {
        while (held.length > 0) {
          const taken = socket.send(held[0]!)
          if (taken === -Errno.EAGAIN) return undefined
          if (taken < 0) throw new Refused("pod send", errnoName(-taken))
          if (taken < held[0]!.length) held[0] = held[0]!.subarray(taken)
          else held.shift()
        }
        if (ended) return count
        const got = socket.recv(this.#into)
        if (got === -Errno.EAGAIN) return undefined
        if (got < 0) throw new Refused("pod recv", errnoName(-got))
        if (got === 0) ended = true
        else held.push(this.#into.slice(0, got))
        count += got
      }
    })
  }

  async shutdown(sock: number, how: "read" | "write" | "both"): Promise<void> {
    this.#span.pacer.act(() => this.#check("shutdown", this.#at(sock).shutdown(how)))
  }

  async close(sock: number): Promise<void> {
    this.#span.pacer.act(() => this.#at(sock).close())
  }

  async option(sock: number, name: keyof Options, value: number): Promise<void> {
    set(this.#at(sock), name, value)
  }

  async linger(sock: number, seconds: number): Promise<void> {
    this.#at(sock).lingerSeconds = seconds
  }

  async error(sock: number): Promise<string> {
    return this.#span.pacer.act(() => errnoName(this.#at(sock).takeError()))
  }

  async resetAll(): Promise<void> {
    this.#span.pacer.act(() => {
      for (const { socket } of this.#open) {
        socket.lingerSeconds = 0
        socket.close()
      }
    })
  }

  /** How many answers come to so many echo requests. */
  ping(family: Family, ip: string, count: number, octets: number): Promise<number> {
    const { pacer } = this.#span
    const socket = this.ns.ping(family)
    let answers = 0
    return this.#span.waitFor<number>((resolve) => {
      const giveUp = setTimeout(() => resolve(answers), TIMEOUT_SECONDS * 1000)
      socket.onReply = (_, { isError }) => {
        if (isError || ++answers < count) return
        clearTimeout(giveUp)
        resolve(answers)
      }
      const payload = new Uint8Array(octets)
      for (let seq = 0; seq < count; seq++) pacer.act(() => socket.sendTo(parseIp(ip)!, seq, payload))
    }).finally(() => pacer.act(() => socket.close()))
  }

  /** How many octets come back of a datagram. */
  datagram(family: Family, ip: string, port: number, octets: number): Promise<number> {
    const { pacer } = this.#span
    const socket = this.ns.udp(family)
    return this.#span.waitFor<number>((resolve) => {
      const giveUp = setTimeout(() => resolve(0), TIMEOUT_SECONDS * 1000)
      socket.onReceive = (_, { payload }) => {
        clearTimeout(giveUp)
        resolve(payload.length)
      }
      pacer.act(() => socket.sendTo(parseIp(ip)!, port, new Uint8Array(octets)))
    }).finally(() => pacer.act(() => socket.close()))
  }

  /** The name of a socket's state. */
  state(sock: number): string {
    return stateName(this.#at(sock).state)
  }

  /** What `check` wants to be true of a socket becomes so. */
  until(sock: number, what: string, check: (socket: TcpSocket) => boolean): Promise<true> {
    return this.#until(what, sock, (socket) => check(socket) || undefined)
  }

  #socket(family: Family, options: Options): TcpSocket {
    this.#tcp ??= Tcp.of(this.ns)
    const socket = this.#tcp.socket(family)
    for (const [name, value] of Object.entries(options)) set(socket, name as keyof Options, value as number)
    return socket
  }

  #keep(socket: TcpSocket): number {
    const open: Open = { socket, waiting: new Set() }
    socket.wake = () => {
      for (const again of [...open.waiting]) if (again()) open.waiting.delete(again)
    }
    return this.#open.push(open) - 1
  }

  #at(sock: number): TcpSocket {
    return this.#open[sock]!.socket
  }

  #check(call: string, errno: Errno): void {
    if (errno !== Errno.OK) throw new Refused(`pod ${call}`, errnoName(errno))
  }

  /**
   * `attempt` now, and whenever the socket says that something has changed, until it gives something or
   * throws.
   */
  #until<T>(call: string, sock: number, attempt: (socket: TcpSocket) => T | undefined): Promise<T> {
    const { socket, waiting } = this.#open[sock]!
    return this.#span.waitFor<T>((resolve, reject) => {
      const again = (): boolean => {
        try {
          const result = attempt(socket)
          if (result === undefined) return false
          resolve(result)
        } catch (cause) {
          reject(cause as Error)
        }
        clearTimeout(giveUp)
        return true
      }
      const giveUp = setTimeout(() => {
        waiting.delete(again)
        reject(new Error(`pod ${call}: nothing for ${TIMEOUT_SECONDS} s in ${stateName(socket.state)}`))
      }, TIMEOUT_SECONDS * 1000)
      this.#span.pacer.act(() => {
        if (!again()) waiting.add(again)
      })
    })
  }
}

function set(socket: TcpSocket, name: keyof Options, value: number): void {
  if (name === "reuseaddr") socket.reuseAddr = value !== 0
  else if (name === "keepalive") socket.keepAlive = value !== 0
  else if (name === "nodelay") socket.noDelay = value !== 0
  else if (name === "keepidle") socket.keepIdleSeconds = value
  else if (name === "keepintvl") socket.keepIntervalSeconds = value
  else if (name === "keepcnt") socket.keepCount = value
  else if (name === "maxseg") socket.maxSegment = value
  else throw new Error(`${name} is not an option of an emulated socket`)
}
