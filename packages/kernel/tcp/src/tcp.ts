/**
 * TCP of one namespace: which connection, request or listener a segment is for, which ports are taken, and
 * what ICMP says about all of them (net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c, inet_hashtables.c).
 */
import type { Engine, Prng } from "@podwire/engine"
import { DropReason, type Frame, type NetDevice } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import type { TcpMib } from "@podwire/netns/mib"
import type { TcpProtocol } from "@podwire/netns"
import { answer4, answer6 } from "@podwire/netns/tcp-reset"
import type { TcpRow } from "@podwire/netns/tcp-row"
import { get32 } from "@podwire/wire/bytes"
import { equal, type Ip, isLoopback, read6, v4 } from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as wire from "@podwire/wire/tcp"
import { Options } from "@podwire/wire/tcp-options"
import type { Connection } from "./connection.ts"
import { Cookies } from "./cookie.ts"
import { type AnyFlow, FlowTable } from "./flow.ts"
import * as icmpError from "./icmp-error.ts"
import { Outcome, receive } from "./input.ts"
import { Isn } from "./isn.ts"
import { receiveSynSent } from "./open.ts"
import { sendFin } from "./output.ts"
import { Ports } from "./ports.ts"
import { rowsOf } from "./row.ts"
import type { Sent } from "./rtx-queue.ts"
import { Segment } from "./segment.ts"
import { TcpSocket } from "./socket.ts"
import { Input, next, State } from "./state.ts"
import { Fate, TimeWait } from "./time-wait.ts"

export class Tcp implements TcpProtocol {
  readonly ns: Netns
  readonly engine: Engine
  readonly mib: TcpMib
  readonly flows = new FlowTable()
  readonly ports = new Ports()
  /** Options of a segment that is being written. */
  readonly scratch = new Options()
  /** Records that no queue uses just now. */
  readonly spareSent: Array<Sent> = []
  readonly #segment = new Segment()
  readonly #outcome = new Outcome()
  #prng: Prng | null = null
  #isn: Isn | null = null
  #cookies: Cookies | null = null
  #orphans = 0
  #resting = 0
  #challengeSecond = -1
  #challenges = 0
  /** Where the next search for a port begins (table_perturb). */
  #perturb = 0

  /** The namespace's TCP; the first call installs it. */
  static of(ns: Netns): Tcp {
    const installed = ns.sockets.tcp.protocol
    if (installed instanceof Tcp) return installed
    const tcp = new Tcp(ns)
    ns.sockets.tcp.protocol = tcp
    return tcp
  }

  private constructor(ns: Netns) {
    this.ns = ns
    this.engine = ns.engine
    this.mib = ns.sockets.tcpMib
  }

  /** A family 6 socket takes IPv4 too, unless it is v6only. */
  socket(version: 4 | 6): TcpSocket {
    return new TcpSocket(this, version)
  }

  // Secrets are drawn when first asked for: a listener that nobody calls has none.

  get prng(): Prng {
    return this.#prng ??= this.engine.prng(`tcp:${this.ns.name}`)
  }

  get isn(): Isn {
    return this.#isn ??= new Isn(this.engine.prng(`isn:${this.ns.name}`))
  }

  get cookies(): Cookies {
    return this.#cookies ??= new Cookies(this.engine.prng(`cookie:${this.ns.name}`))
  }

  // Segments

  /** A whole segment with a right checksum, for this host. Consumes. */
  receive(dev: NetDevice, frame: Frame, version: 4 | 6): void {
    const { bytes, l3, l4 } = frame
    const segment = this.#segment.read(frame)
    const remotePort = wire.srcPort(bytes, l4)
    const localPort = wire.dstPort(bytes, l4)
    const flow = version === 4
      ? this.flows.find4(ipv4.dst(bytes, l3), ipv4.src(bytes, l3), localPort, remotePort)
      : this.flows.find6At(bytes, l3 + ipv6.DST, l3 + ipv6.SRC, localPort, remotePort)
    const out = this.#outcome
    out.reason = DropReason.NOT_SPECIFIED
    out.reset = false
    if (flow === null) this.#toListener(dev, frame, segment, version, localPort, remotePort)
    else if (flow.kind === "connection") this.#toConnection(flow, segment)
    else if (flow.kind === "request") flow.listener.check(flow, segment, out)
    else this.#toRest(flow, dev, segment)
    if (out.reset) this.#answerReset(dev, frame, version)
    if (out.reason === DropReason.NOT_SPECIFIED) this.ns.pool.free(frame)
    else this.ns.pool.drop(frame, out.reason, dev)
  }

  #toConnection(c: Connection, segment: Segment): void {
    c.segsIn++
    if (c.state === State.SYN_SENT) receiveSynSent(c, segment, this.#outcome)
    else receive(c, segment, this.#outcome)
  }

  #toListener(
    dev: NetDevice, frame: Frame, segment: Segment, version: 4 | 6, localPort: number, remotePort: number
  ): void {
    const { bytes, l3 } = frame
    const out = this.#outcome
    const local = version === 4 ? v4(ipv4.dst(bytes, l3)) : read6(bytes, l3 + ipv6.DST)
    const socket = this.listenerFor(local, localPort)
    if (socket === null) {
      out.reset = true
      out.reason = DropReason.NO_SOCKET
      return
    }
    const remote = version === 4 ? v4(ipv4.src(bytes, l3)) : read6(bytes, l3 + ipv6.SRC)
    socket.listener!.receive(segment, local, remote, localPort, remotePort, dev, out)
  }

  /** TIME_WAIT, or FIN_WAIT2 without a socket. */
  #toRest(rest: TimeWait, dev: NetDevice, segment: Segment): void {
    const out = this.#outcome
    segment.readOptions()
    const fate = rest.receive(segment)
    if (fate === Fate.Syn) {
      const socket = this.listenerFor(rest.local, rest.localPort)
      if (socket !== null) {
        this.rested(rest)
        const iss = (rest.sndNxt + 65_535 + 2) | 0 || 1
        const { local, remote, localPort, remotePort } = rest
        out.reason = socket.listener!.open(segment, local, remote, localPort, remotePort, dev, iss)
        return
      }
      rest.acknowledge()
    } else if (fate === Fate.Ack) rest.acknowledge()
    else if (fate === Fate.Reset) {
      this.rested(rest)
      out.reset = true
    }
    out.reason = DropReason.TCP_TIMEWAIT
  }

  #answerReset(dev: NetDevice, frame: Frame, version: 4 | 6): void {
    if (version === 4) answer4(this.ns, frame)
    else answer6(this.ns, frame, dev)
  }

  /** The most specific listener: its address before every address, its own family before the other. */
  listenerFor(local: Ip, port: number): TcpSocket | null {
    const bound = this.ports.at(port)
    if (bound === undefined) return null
    let best: TcpSocket | null = null
    let bestScore = -1
    for (let i = 0; i < bound.listeners.length; i++) {
      const holder = bound.listeners[i] as TcpSocket
      let score = holder.family === 4 ? 1 : 0
      if (holder.local !== null) {
        if (!equal(holder.local, local)) continue
        score += 4
      } else if (local.length === 1 ? holder.family === 6 && holder.v6only : holder.family === 4) continue
      if (score > bestScore) {
        best = holder
        bestScore = score
      }
    }
    return best
  }

  // ICMP

  /**
   * An ICMP error whose quote starts at `inner`. True: it is believed; false: it is about nobody; null: about
   * somebody whom it does not concern.
   */
  error(
    frame: Frame, inner: number, innerL4: number, type: number, code: number, info: number, version: 4 | 6
  ): boolean | null {
    const { bytes } = frame
    const localPort = wire.srcPort(bytes, innerL4)
    const remotePort = wire.dstPort(bytes, innerL4)
    const flow = version === 4
      ? this.flows.find4(ipv4.src(bytes, inner), ipv4.dst(bytes, inner), localPort, remotePort)
      : this.flows.find6(read6(bytes, inner + ipv6.SRC), read6(bytes, inner + ipv6.DST), localPort, remotePort)
    if (flow === null) return false
    return icmpError.receive(flow, get32(bytes, innerL4 + 4), type, code, info)
  }

  /** The path to somebody has become narrower, and the namespace knows by now. */
  pathChanged(local: Ip, remote: Ip, localPort: number, remotePort: number): void {
    const flow = remote.length === 1
      ? this.flows.find4(local[0]!, remote[0]!, localPort, remotePort)
      : this.flows.find6(local, remote, localPort, remotePort)
    if (flow?.kind === "connection") icmpError.pathChanged(flow)
  }

  // What exists

  /** A child of a listener: it has its listener's port. */
  adopt(c: Connection): void {
    c.port = this.ports.take(c.holder, c.localPort)
    this.enter(c)
  }

  /** Segments find it from now on. */
  enter(c: Connection): void {
    this.flows.add(c)
    c.hashed = true
  }

  /**
   * A connection has ended: out of the table. Its port goes with it, unless its program asked for that very
   * one (SOCK_BINDPORT_LOCK).
   */
  leave(c: Connection): void {
    this.#unhash(c)
    if (c.dead) this.#orphans--
    if (!(c.holder instanceof TcpSocket && c.holder.boundByNumber)) this.dropPort(c)
  }

  #unhash(c: Connection): void {
    if (c.hashed) this.flows.remove(c)
    c.hashed = false
  }

  dropPort(c: Connection): void {
    if (c.port === null) return
    this.ports.release(c.holder, c.port)
    c.port = null
  }

  orphaned(): void {
    this.#orphans++
  }

  /** Each `penalty` makes one count twice (tcp_too_many_orphans). */
  tooManyOrphans(penalty = 0): boolean {
    return this.#orphans * 2 ** penalty > this.ns.sysctl.globals.tcp_max_orphans
  }

  /** tcp_time_wait: `rest` takes the place of `c`, and holds its port too. */
  rest(c: Connection, rest: TimeWait): void {
    this.#unhash(c)
    this.flows.add(rest)
    this.#resting++
    if (c.port !== null) rest.held = this.ports.take(rest, c.localPort)
  }

  rested(rest: TimeWait): void {
    this.engine.disarm(rest)
    this.flows.remove(rest)
    this.#resting--
    if (rest.held !== null) this.ports.release(rest, rest.held)
    rest.held = null
  }

  mayRest(): boolean {
    return this.#resting < this.ns.sysctl.globals.tcp_max_tw_buckets
  }

  /** Of a namespace, tcp_challenge_ack_limit a second; without limit by default. */
  mayChallenge(): boolean {
    const { tcp_challenge_ack_limit: limit } = this.ns.sysctl.globals
    if (limit === 2_147_483_647) return true
    const second = Math.floor(this.engine.nowNs / 1_000_000_000)
    if (second !== this.#challengeSecond) {
      this.#challengeSecond = second
      this.#challenges = Math.ceil(limit / 2) + this.prng.below(Math.max(limit, 1))
    }
    return this.#challenges-- > 0
  }

  /** tcp_close_state and tcp_send_fin: our direction ends. */
  closeWrite(c: Connection): void {
    const state = next(c.state, Input.Close)
    const sends = c.state === State.ESTABLISHED || c.state === State.SYN_RECV || c.state === State.CLOSE_WAIT
    if (state > 0) c.state = state as State
    if (sends) sendFin(c)
  }

  /**
   * A local port for a connection to there (__inet_hash_connect): `low` and every other one first, each
   * seldom twice in a row. 0 when every one is taken. What rests in TIME_WAIT may give way.
   */
  portFor(local: Ip, remote: Ip, remotePort: number): number {
    const { port_low: low, port_high: high } = this.ns.sysctl.globals
    const start = (this.isn.portOffset(local, remote, remotePort) + this.#perturb) >>> 0
    for (const parity of [0, 1]) {
      const first = low + parity
      const count = Math.floor((high - first) / 2) + 1
      for (let i = 0; i < count; i++) {
        const port = first + 2 * ((start + i) % count)
        if (!this.#usable(port, local, remote, remotePort)) continue
        this.#perturb += 2 * i + 2
        return port
      }
    }
    return 0
  }

  #usable(port: number, local: Ip, remote: Ip, remotePort: number): boolean {
    const bound = this.ports.at(port)
    if (bound === undefined) return true
    return bound.forConnects && this.mayConnect(local, remote, port, remotePort, false)
  }

  /** __inet_check_established: nobody has these ports and addresses, or it may be taken from who rests. */
  mayConnect(local: Ip, remote: Ip, localPort: number, remotePort: number, byNumber: boolean): boolean {
    const flow = this.#find(local, remote, localPort, remotePort)
    if (flow === null) return true
    return flow.kind === "time-wait" && this.#mayReuse(flow, byNumber)
  }

  #find(local: Ip, remote: Ip, localPort: number, remotePort: number): AnyFlow | null {
    return remote.length === 1
      ? this.flows.find4(local[0]!, remote[0]!, localPort, remotePort)
      : this.flows.find6(local, remote, localPort, remotePort)
  }

  /** tcp_twsk_unique: its timestamps must tell old segments from new ones. */
  #mayReuse(rest: TimeWait, byNumber: boolean): boolean {
    const { tcp_tw_reuse, tcp_tw_reuse_delay } = this.ns.sysctl.globals
    if (rest.tsRecentStamp === 0) return false
    if (byNumber) return true
    // The peer has not closed yet.
    if (rest.state === State.FIN_WAIT2) return false
    const loop = isLoopback(rest.local) || isLoopback(rest.remote)
    const on = tcp_tw_reuse === 1 || (tcp_tw_reuse === 2 && loop)
    return on && Math.floor(this.engine.nowNs / 1_000_000) - rest.entryMs > tcp_tw_reuse_delay
  }

  /** What rested there, if something did, goes; its numbers go on. */
  takeFromRest(c: Connection): void {
    const flow = this.#find(c.local, c.remote, c.localPort, c.remotePort)
    if (flow === null || flow.kind !== "time-wait") return
    this.mib.TWRecycled++
    c.iss = (flow.sndNxt + 65_535 + 2) | 0 || 1
    c.tsRecent = flow.tsRecent
    c.tsRecentStamp = flow.tsRecentStamp
    this.rested(flow)
  }

  /** What `ss` shows. */
  list(): ReadonlyArray<TcpRow> {
    return rowsOf(this)
  }

  /** The namespace goes: nothing is sent, nothing stays. */
  close(): void {
    for (const flow of this.flows.list()) {
      if (flow.kind === "connection") {
        flow.rto.cancel()
        flow.delack.cancel()
        flow.keepalive?.cancel()
        flow.state = State.CLOSED
      } else this.engine.disarm(flow)
    }
    this.ports.close()
    this.ns.sockets.tcp.protocol = null
  }
}

