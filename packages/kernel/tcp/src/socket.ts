/**
 * A TCP socket as a program sees it: bind, listen, accept, connect, send, recv, shutdown, close, with
 * Linux's errnos (net/ipv4/af_inet.c, tcp.c). Nothing blocks: what would block answers EAGAIN or
 * EINPROGRESS, and `wake` tells that asking again is worth it. Options are fields (SocketOptions); `apply`
 * makes a change on a connected socket felt.
 * Not supported: urgent data out, MSG_PEEK, TCP_FASTOPEN, SO_REUSEPORT, SO_BINDTODEVICE, blocking close
 * with SO_LINGER.
 */
import { Errno, type NetDevice } from "@podwire/netdev"
import { refusal } from "@podwire/netns/errno"
import { family, type Ip, isLinkLocal, isLoopback, isMulticast, isUnspecified, unmapped, v4 } from "@podwire/wire/ip"
import { Connection } from "./connection.ts"
import { sendMemory, sizeGoal } from "./burst.ts"
import { restartAfterIdle } from "./cwnd.ts"
import { hasRead } from "./data.ts"
import { loopbackMayLeave, route } from "./emit.ts"
import { abort, finish, limitOrphans } from "./finish.ts"
import { isBroadcast, Listener } from "./listener.ts"
import { open } from "./open.ts"
import { SocketOptions } from "./options.ts"
import { current } from "./mss.ts"
import { grown, markPush, Nagle, nagleOf, push, pushEarly, pushPending, sendReset } from "./output.ts"
import type { BoundPort } from "./ports.ts"
import { distance } from "./seq.ts"
import { State } from "./state.ts"
import type { Tcp } from "./tcp.ts"
import { finTimeNs, restartKeepalive, setKeepalive } from "./timers.ts"
import { restAfterFin, TIMEWAIT_NS } from "./time-wait.ts"
import * as window from "./window.ts"

export class TcpSocket extends SocketOptions {
  readonly tcp: Tcp
  readonly family: 4 | 6
  /** Null is every address. */
  local: Ip | null = null
  localPort = 0
  remote: Ip | null = null
  remotePort = 0
  /** The device that a link-local peer is behind (sin6_scope_id). */
  dev: NetDevice | null = null
  /**
   * An edge without data: something changed; ask what. Called by the engine at the same instant, never from
   * inside a call.
   */
  wake: ((socket: TcpSocket) => void) | null = null
  /** Somebody asked for this very port: no connect picks it. */
  boundByNumber = false
  listener: Listener | null = null
  connection: Connection | null = null
  #port: BoundPort | null = null
  #localChosen = false
  /** connect answered EINPROGRESS and was not asked again. */
  #connecting = false
  #waking = false
  #closed = false

  constructor(tcp: Tcp, version: 4 | 6) {
    super()
    this.tcp = tcp
    this.family = version
    this.v6only = version === 6 && tcp.ns.sysctl.globals.bindv6only !== 0
  }

  get state(): State {
    if (this.listener !== null) return State.LISTEN
    return this.connection === null ? State.CLOSED : this.connection.state
  }

  /** Null is every address; port 0 asks for any. OK, EINVAL, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT. */
  bind(where: Ip | null, port: number): Errno {
    const ip = where === null || this.family === 4 ? where : unmapped(where)
    if (this.#closed || this.localPort !== 0 || this.connection !== null || this.listener !== null) return Errno.EINVAL
    const { ns } = this.tcp
    const { globals } = ns.sysctl
    if (ip !== null && !isUnspecified(ip)) {
      if (this.family === 4 && family(ip) === 6) return Errno.EAFNOSUPPORT
      if (this.v6only && family(ip) === 4) return Errno.EINVAL
      // Of IPv4 also what no connection can come from.
      if (family(ip) === 6 && (isMulticast(ip) || (isLinkLocal(ip) && this.dev === null))) return Errno.EINVAL
      const address = ns.findAddress(ip)
      const here = family(ip) === 6
        ? ns.ip6.isLocal(ip)
        : ns.ip4.isLocal(ip[0]!) || isMulticast(ip) || isBroadcast(ns, ip)
      if (globals.ip_nonlocal_bind === 0 && (!here || (address !== null && !address.usable))) return Errno.EADDRNOTAVAIL
      this.local = ip
    } else this.local = null
    const wanted = port === 0 ? this.tcp.ports.free(this, globals.port_low, globals.port_high, this.tcp.prng.u32()) : port
    const errno = wanted === 0 ? Errno.EADDRINUSE : this.tcp.ports.bind(this, wanted)
    if (errno !== Errno.OK) {
      this.local = null
      return errno
    }
    this.localPort = wanted
    this.boundByNumber = port !== 0
    this.#port = this.tcp.ports.at(wanted)!
    return Errno.OK
  }

  /** OK, EINVAL, EADDRINUSE. The backlog is at most net.core.somaxconn; again, it changes the backlog. */
  listen(backlog: number): Errno {
    if (this.#closed || this.connection !== null) return Errno.EINVAL
    const most = Math.min(backlog < 0 ? Infinity : backlog, this.tcp.ns.sysctl.globals.somaxconn)
    if (this.listener !== null) {
      this.listener.backlog = most
      return Errno.OK
    }
    if (this.localPort === 0) {
      const errno = this.bind(this.local, 0)
      if (errno !== Errno.OK) return errno
    }
    this.listener = new Listener(this.tcp, this, this, this.family, most)
    // Who shared the port by SO_REUSEADDR may not share it with a listener (inet_csk_listen_start).
    if (!this.tcp.ports.mayListen(this, this.#port!)) {
      this.listener = null
      return Errno.EADDRINUSE
    }
    this.#port!.listeners.push(this)
    return Errno.OK
  }

  /** The oldest connection that is complete; EAGAIN, or EINVAL when this is no listener. */
  accept(): TcpSocket | Errno {
    if (this.listener === null) return Errno.EINVAL
    const connection = this.listener.accept()
    if (connection === null) return Errno.EAGAIN
    const socket = new TcpSocket(this.tcp, this.family)
    socket.copyFrom(connection.options)
    socket.#take(connection)
    return socket
  }

  #take(connection: Connection): void {
    this.connection = connection
    this.local = connection.local
    this.localPort = connection.localPort
    this.remote = connection.remote
    this.remotePort = connection.remotePort
    this.dev = connection.dev
    if (connection.port !== null) this.tcp.ports.hand(connection.holder, this, connection.port)
    connection.holder = this
    connection.options = this
    connection.owner = this
    this.#port = connection.port
  }

  /** EINPROGRESS, or at once ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EISCONN, EALREADY, ECONNREFUSED, … */
  connect(to: Ip, port: number): Errno {
    const ip = this.family === 4 ? to : unmapped(to)
    if (this.#closed) return Errno.EINVAL
    if (this.listener !== null) return Errno.EISCONN
    const c = this.connection
    if (c !== null && c.state !== State.CLOSED) {
      if (c.state === State.SYN_SENT || c.state === State.SYN_RECV) return Errno.EALREADY
      // The first one after EINPROGRESS learns that it went well.
      const errno = this.#connecting ? Errno.OK : Errno.EISCONN
      this.#connecting = false
      return errno
    }
    if (c !== null) {
      // Who was connected stays so for connect, whatever became of it (SS_CONNECTED).
      if (!this.#connecting) return Errno.EISCONN
      const errno = this.#hardError()
      this.#disconnected()
      return errno || Errno.ECONNABORTED
    }
    if (this.family === 4 && family(ip) === 6) return Errno.EAFNOSUPPORT
    if (this.v6only && family(ip) === 4) return Errno.ENETUNREACH
    // The unspecified address is this host (INADDR_ANY in ip_route_connect, in6addr_any in tcp_v6_connect).
    const as4 = ip.length === 1 || this.local?.length === 1
    const remote = !isUnspecified(ip) ? ip : as4 ? v4(0x7f000001) : Int32Array.of(0, 0, 0, 1)
    return this.#connect(remote, port)
  }

  #connect(remote: Ip, port: number): Errno {
    const { ns } = this.tcp
    if (remote.length === 4 && isLinkLocal(remote) && this.dev === null) return Errno.EINVAL
    const way = route(ns, remote, this.dev)
    const refused = refusal(way)
    if (refused !== Errno.OK) return refused
    if (way.type === "broadcast" || way.type === "multicast") return Errno.ENETUNREACH
    const bound = this.local
    if (bound !== null && bound.length !== remote.length) {
      return bound.length === 1 ? Errno.EAFNOSUPPORT : Errno.ENETUNREACH
    }
    const local = bound ?? way.src
    if (local === null) return Errno.EADDRNOTAVAIL
    if (local.length === 1 && isLoopback(local) && !loopbackMayLeave(ns, way.dev!)) return Errno.EINVAL
    const byNumber = this.localPort !== 0
    const localPort = byNumber ? this.localPort : this.tcp.portFor(local, remote, port)
    if (localPort === 0) return Errno.EADDRNOTAVAIL
    if (byNumber && !this.tcp.mayConnect(local, remote, localPort, port, true)) return Errno.EADDRNOTAVAIL
    const c = new Connection(this.tcp, this, local, remote, localPort, port)
    c.dev = this.dev
    c.family = this.family
    c.holder = this
    this.#localChosen ||= this.local === null
    this.local = local
    this.localPort = localPort
    this.remote = remote
    this.remotePort = port
    this.#port ??= this.tcp.ports.take(this, localPort, true)
    c.port = this.#port
    c.iss = this.tcp.isn.sequence(local, remote, localPort, port, ns.engine.nowNs)
    c.tsOffset = ns.sysctl.globals.tcp_timestamps === 1 ? this.tcp.isn.timestampOffset(local, remote) : 0
    this.tcp.takeFromRest(c)
    this.tcp.enter(c)
    c.owner = this
    this.connection = c
    const errno = open(c)
    if (errno !== Errno.OK) {
      finish(c, Errno.OK)
      this.#disconnected()
      return errno
    }
    this.#connecting = true
    return Errno.EINPROGRESS
  }

  /** A connection that came to nothing leaves the socket as it was before, for the next connect. */
  #disconnected(): void {
    if (this.#localChosen) this.local = null
    this.#localChosen = false
    this.remote = null
    this.remotePort = 0
    this.#connecting = false
    if (!this.boundByNumber) {
      this.#releasePort()
      this.localPort = 0
    }
    this.connection = null
  }

  /** Octets taken, more than zero; or a negative errno: -EAGAIN, -EPIPE, -ENOTCONN, -ECONNRESET, … */
  send(bytes: Uint8Array, from = 0, end = bytes.length): number {
    const c = this.connection
    const pending = this.#hardError()
    if (pending !== Errno.OK) return -pending
    if (c === null) return -Errno.EPIPE
    if (c.state === State.SYN_SENT || c.state === State.SYN_RECV) {
      c.noSpace = true
      return -Errno.EAGAIN
    }
    if (c.sndShutdown || (c.state !== State.ESTABLISHED && c.state !== State.CLOSE_WAIT)) return -Errno.EPIPE
    if (end <= from) return 0
    const count = this.#write(c, bytes, from, end)
    if (count < end - from) c.noSpace = true
    if (count === 0) return -Errno.EAGAIN
    markPush(c)
    push(c, count < end - from ? Nagle.Push : nagleOf(c))
    return count
  }

  /** Packet by packet, as the kernel builds them: what a long write has so far may leave before its end. */
  #write(c: Connection, bytes: Uint8Array, from: number, end: number): number {
    restartAfterIdle(c)
    const mss = current(c)
    const goal = sizeGoal(c, mss)
    let at = from
    while (at < end) {
      let tail = Math.min(c.tailBytes, c.unsent)
      if (tail === 0 || tail >= goal) {
        if (sendMemory(c, mss) >= c.sndbuf) break
        tail = 0
      }
      const count = Math.min(end - at, goal - tail)
      const held = distance(c.sndUna, c.writeSeq)
      c.ring.reserve(held + count, c.sndUna, held)
      c.ring.write(c.writeSeq, bytes, at, at + count)
      if (tail > 0) grown(c, count)
      c.writeSeq = (c.writeSeq + count) | 0
      c.tailBytes = tail + count
      at += count
      if (c.tailBytes >= goal && at < end) pushEarly(c)
    }
    return at - from
  }

  /**
   * Octets copied; 0 at the end of the stream; or a negative errno: -EAGAIN, -ENOTCONN, -ECONNRESET,
   * -ETIMEDOUT, …
   */
  recv(into: Uint8Array): number {
    return this.#receive(into.length, into)
  }

  /** As recv with MSG_TRUNC: at most `count` octets are thrown away. */
  skip(count: number): number {
    return this.#receive(count, null)
  }

  #receive(most: number, into: Uint8Array | null): number {
    const c = this.connection
    if (c === null) return -Errno.ENOTCONN
    if (c.hasUrgent) passUrgent(c)
    const { available } = c
    if (available === 0) return this.#nothing(c)
    if (most === 0) return 0
    const count = Math.min(available, most, c.hasUrgent ? distance(c.copiedSeq, c.urgent) : available)
    if (into === null) c.queue.skip(c.copiedSeq, count)
    else c.queue.read(c.copiedSeq, into, available)
    c.copiedSeq = (c.copiedSeq + count) | 0
    window.adjust(c)
    hasRead(c, count)
    return count
  }

  #nothing(c: Connection): number {
    if (c.finReceived) return 0
    const errno = this.#hardError()
    if (errno !== Errno.OK) return -errno
    return c.rcvShutdown ? 0 : -Errno.EAGAIN
  }

  /** Octets that `recv` would give now. */
  get available(): number {
    return this.connection === null ? 0 : this.connection.available
  }

  /** As poll(2): POLLIN (data, end of stream, error, or somebody to accept). */
  get readable(): boolean {
    if (this.listener !== null) return this.listener.waiting > 0
    const c = this.connection
    if (c === null) return false
    return c.available >= this.rcvlowat || c.rcvShutdown || c.error !== Errno.OK || c.state === State.CLOSED
  }

  /** POLLOUT: connected, and a third of the buffer is free; or it has failed. */
  get writable(): boolean {
    const c = this.connection
    if (c === null) return this.listener === null
    if (c.error !== Errno.OK || c.sndShutdown || c.state === State.CLOSED) return true
    if (c.state === State.SYN_SENT || c.state === State.SYN_RECV) return false
    const used = sendMemory(c, c.mssCache)
    if (c.sndbuf - used >= used >>> 1) return true
    c.noSpace = true
    return false
  }

  /** OK, ENOTCONN. */
  shutdown(how: "read" | "write" | "both"): Errno {
    if (this.listener !== null) {
      if (how === "write") return Errno.OK
      this.#stopListening()
      return Errno.OK
    }
    const c = this.connection
    if (c === null || c.state === State.CLOSED) return Errno.ENOTCONN
    if (c.state === State.SYN_SENT) {
      // As if it had never asked (inet_shutdown, tcp_disconnect).
      abort(c, Errno.OK)
      this.#disconnected()
      this.wakeUp()
      return Errno.OK
    }
    this.#connecting = false
    if (how !== "write") c.rcvShutdown = true
    if (how !== "read" && !c.sndShutdown) {
      c.sndShutdown = true
      if (c.state === State.ESTABLISHED || c.state === State.CLOSE_WAIT) this.tcp.closeWrite(c)
    }
    this.wakeUp()
    return Errno.OK
  }

  /** SO_ERROR: read once; without an error that ends calls, one that did not (sk_err_soft). */
  takeError(): Errno {
    const errno = this.#hardError()
    const c = this.connection
    if (errno !== Errno.OK || c === null) return errno
    const soft = c.softError
    c.softError = Errno.OK
    return soft
  }

  #hardError(): Errno {
    const c = this.connection
    if (c === null) return Errno.OK
    const errno = c.error
    c.error = Errno.OK
    return errno
  }

  /** Fields that were set on a connected socket take effect: TCP_NODELAY, TCP_CORK, SO_KEEPALIVE. */
  apply(): void {
    const c = this.connection
    if (c === null || c.state === State.CLOSED) return
    if (!this.cork && c.unsent > 0) push(c, this.noDelay ? Nagle.Off | Nagle.Push : nagleOf(c))
    if (!this.keepAlive) c.keepalive?.clear()
    else if (c.state !== State.SYN_SENT) restartKeepalive(c)
    if (this.rcvbuf > 0) {
      c.rcvbuf = this.rcvbuf
      c.rcvbufLocked = true
    }
    if (this.sndbuf > 0) c.sndbuf = this.sndbuf
    pushPending(c)
  }

  /** tcp_close: nobody has it any more. It goes on alone until its data and its FIN are acknowledged. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.wake = null
    if (this.listener !== null) return this.#stopListening()
    const c = this.connection
    if (c === null || c.state === State.CLOSED) {
      this.#releasePort()
      return
    }
    c.owner = null
    c.rcvShutdown = true
    const unread = c.available > 0
    this.#abandon(c)
    if (c.state === State.SYN_SENT) abort(c, Errno.OK)
    else if (unread) {
      this.tcp.mib.TCPAbortOnClose++
      sendReset(c)
      finish(c, Errno.OK)
    } else if (this.lingerSeconds === 0) {
      this.tcp.mib.TCPAbortOnData++
      abort(c, Errno.OK)
    } else this.#finish(c)
    limitOrphans(c)
  }

  /** It is an orphan from now on, and its port is its own. */
  #abandon(c: Connection): void {
    c.options = new SocketOptions().copyFrom(this)
    c.dead = true
    this.tcp.orphaned()
    c.holder = c
    if (c.port !== null) this.tcp.ports.hand(this, c.holder, c.port)
    this.#port = null
  }

  #finish(c: Connection): void {
    if (!c.sndShutdown) {
      c.sndShutdown = true
      this.tcp.closeWrite(c)
    }
    if (c.state !== State.FIN_WAIT2) return
    if (this.linger2Seconds < 0) {
      this.tcp.mib.TCPAbortOnLinger++
      sendReset(c)
      finish(c, Errno.OK)
      return
    }
    const waitNs = finTimeNs(c)
    if (waitNs > TIMEWAIT_NS) setKeepalive(c, waitNs - TIMEWAIT_NS)
    else restAfterFin(c, State.FIN_WAIT2, waitNs)
  }

  #stopListening(): void {
    const { listener } = this
    this.listener = null
    const { listeners } = this.#port!
    listeners.splice(listeners.indexOf(this), 1)
    if (this.#closed || !this.boundByNumber) this.#releasePort()
    if (!this.boundByNumber) this.localPort = 0
    listener!.close()
    this.wakeUp()
  }

  #releasePort(): void {
    if (this.#port !== null) this.tcp.ports.release(this, this.#port)
    this.#port = null
    if (this.connection !== null) this.connection.port = null
  }

  /** Something changed: the program hears of it once this event is over. */
  wakeUp(): void {
    if (this.#waking || this.wake === null) return
    this.#waking = true
    this.tcp.engine.soon(WAKER, this)
  }

  /** The engine's. */
  run(): void {
    this.#waking = false
    if (this.wake !== null) this.wake(this)
  }
}

/** Out of band: reading stops before it, and goes on behind it. */
function passUrgent(c: Connection): void {
  if (c.urgent !== c.copiedSeq || c.available === 0) return
  c.queue.skip(c.copiedSeq, 1)
  c.copiedSeq = (c.copiedSeq + 1) | 0
  c.hasUrgent = false
}

const WAKER = {
  run(socket: TcpSocket): void {
    socket.run()
  }
}

