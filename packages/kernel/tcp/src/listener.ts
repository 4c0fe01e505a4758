/**
 * A listening socket's two queues (net/ipv4/inet_connection_sock.c, tcp_conn_request, tcp_check_req): SYNs
 * that were answered, and connections that nobody has accepted. Both are bounded by the backlog; when the
 * first is full SYN cookies take its place, when the second is full SYNs and last ACKs are ignored.
 * Not supported: SO_REUSEPORT, TCP_DEFER_ACCEPT, fast open.
 */
import type { Ns } from "@podwire/engine"
import { DropReason, type NetDevice } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import { type Ip, isMulticast } from "@podwire/wire/ip"
import * as wire from "@podwire/wire/tcp"
import { limited } from "./challenge.ts"
import { Connection } from "./connection.ts"
import { congestionNamed } from "./congestion/table.ts"
import {
  COOKIE_VALID_NS, cookieEcn, cookieMss, cookieSack, cookieTimestamp, cookieWscale, FORGED
} from "./cookie.ts"
import { asks } from "./ecn.ts"
import { route } from "./emit.ts"
import { abort } from "./finish.ts"
import { type Outcome, receive } from "./input.ts"
import { advertised, MSS_DEFAULT, pathMtu, sync } from "./mss.ts"
import { initRcvMss } from "./open.ts"
import { SocketOptions } from "./options.ts"
import { Request } from "./request.ts"
import type { Segment } from "./segment.ts"
import { after, between } from "./seq.ts"
import { State } from "./state.ts"
import type { Tcp } from "./tcp.ts"
import { inWindow } from "./time-wait.ts"
import { fromSpace, InitialWindow, initialWindow } from "./window.ts"

const INITIAL = new InitialWindow()

/** Who owns it: the socket. */
export interface ListenOwner {
  wakeUp(): void
}

export class Listener {
  readonly tcp: Tcp
  readonly options: SocketOptions
  readonly owner: ListenOwner
  readonly family: 4 | 6
  backlog: number
  readonly #requests = new Set<Request>()
  /** Requests that were answered once only so far. */
  young = 0
  readonly #ready: Array<Connection> = []
  #overflowNs: Ns = -Infinity

  constructor(tcp: Tcp, options: SocketOptions, owner: ListenOwner, family: 4 | 6, backlog: number) {
    this.tcp = tcp
    this.options = options
    this.owner = owner
    this.family = family
    this.backlog = backlog
  }

  /** Connections to accept. */
  get waiting(): number {
    return this.#ready.length
  }

  get requests(): number {
    return this.#requests.size
  }

  /**
   * How many SYN-ACKs a request is worth: fewer, the more of a queue that is half full is old
   * (reqsk_timer_handler).
   */
  get synAckRetries(): number {
    let retries = this.options.synCount || this.tcp.ns.sysctl.globals.tcp_synack_retries
    const { size } = this.#requests
    if (2 * size <= Math.max(8, this.backlog)) return retries
    for (let young = 2 * this.young; retries > 2 && size >= young; young *= 2) retries--
    return retries
  }

  accept(): Connection | null {
    return this.#ready.shift() ?? null
  }

  /** sk_acceptq_is_full: listen(1) lets two wait. */
  get #isFull(): boolean {
    return this.#ready.length > this.backlog
  }

  /** A segment that belongs to no connection and no request. */
  receive(
    segment: Segment, local: Ip, remote: Ip, localPort: number, remotePort: number, dev: NetDevice, out: Outcome
  ): void {
    if (segment.has(wire.ACK)) {
      const request = this.#cookie(segment, local, remote, localPort, remotePort, dev)
      if (request !== null) return this.#complete(request, segment, out)
      out.reset = true
      out.reason = DropReason.TCP_FLAGS
      return
    }
    if (segment.has(wire.RST)) {
      out.reason = DropReason.TCP_RESET
      return
    }
    if (!segment.has(wire.SYN) || segment.has(wire.FIN)) {
      out.reason = DropReason.TCP_FLAGS
      return
    }
    out.reason = this.open(segment, local, remote, localPort, remotePort, dev, 0)
  }

  /** tcp_conn_request. `iss` 0 lets the clock choose; TIME_WAIT chooses another. */
  open(
    segment: Segment, local: Ip, remote: Ip, localPort: number, remotePort: number, dev: NetDevice, iss: number
  ): DropReason {
    const { tcp } = this
    const { mib, ns } = tcp
    const { globals } = ns.sysctl
    if (isMulticast(local) || isBroadcast(ns, local)) return DropReason.TCP_INVALID_SYN
    const full = this.#requests.size > this.backlog
    const cookie = iss === 0 && (globals.tcp_syncookies === 2 || full)
    if (cookie && globals.tcp_syncookies === 0) {
      mib.TCPReqQFullDrop++
      mib.ListenDrops++
      return DropReason.TCP_REQQ_FULL
    }
    if (this.#isFull) {
      mib.ListenOverflows++
      mib.ListenDrops++
      return DropReason.TCP_LISTEN_OVERFLOW
    }
    // Without cookies the last quarter is for those who were here before, whom we do not know
    // (tcp_peer_is_proven).
    const left = globals.tcp_max_syn_backlog - this.#requests.size
    if (!cookie && globals.tcp_syncookies === 0 && iss === 0 && left < globals.tcp_max_syn_backlog >> 2) {
      mib.ListenDrops++
      return DropReason.TCP_REQQ_FULL
    }
    segment.readOptions()
    const request = new Request(this, local, remote, localPort, remotePort, dev)
    this.#fill(request, segment, cookie)
    request.irs = segment.seq
    const { nowNs } = tcp.engine
    request.sentNs = nowNs
    if (cookie) {
      mib.TCPReqQFullDoCookies++
      mib.SyncookiesSent++
      this.#overflowNs = nowNs
      const mss = cookieMss(request.version, request.mss)
      request.iss = tcp.cookies.make(remote, local, remotePort, localPort, segment.seq, mss, nowNs)
      request.isCookie = request.tstampOk
      request.cookieTs = cookieTimestamp(
        Math.floor(nowNs / 1_000_000), request.sndWscale, request.sackOk, request.ecnOk
      )
      request.answer()
      return DropReason.NOT_SPECIFIED
    }
    request.iss = iss !== 0 ? iss : tcp.isn.sequence(local, remote, localPort, remotePort, nowNs)
    this.#requests.add(request)
    this.young++
    tcp.flows.add(request)
    request.schedule()
    request.answer()
    return DropReason.NOT_SPECIFIED
  }

  /** What both sides can do (tcp_openreq_init, tcp_openreq_init_rwin). */
  #fill(request: Request, segment: Segment, cookie: boolean): void {
    const { options } = segment
    const { ns, isn } = this.tcp
    const { globals } = ns.sysctl
    const { version } = request
    const stamped = options.hasTimestamps && globals.tcp_timestamps !== 0
    // A cookie without a timestamp has no room for options.
    const plain = cookie && !stamped
    const most = this.options.maxSegment
    let mss = options.maxSegment > 0 ? options.maxSegment : MSS_DEFAULT[version]
    if (most > 0 && most < mss) mss = most
    request.mss = mss
    request.tstampOk = stamped
    request.tsRecent = stamped ? options.tsValue : 0
    request.tsOffset = globals.tcp_timestamps === 1 ? isn.timestampOffset(request.local, request.remote) : 0
    request.sackOk = !plain && options.sackPermitted && globals.tcp_sack !== 0
    request.sndWscale = !plain && globals.tcp_window_scaling !== 0 ? options.windowScale : -1
    request.ecnOk = !plain && globals.tcp_ecn !== 0 && asks(segment)
    this.#offer(request)
  }

  #offer(request: Request): void {
    const { ns } = this.tcp
    const { globals } = ns.sysctl
    request.advmss = advertised(route(ns, request.remote, request.dev), request.version, this.options.maxSegment)
    const unit = request.advmss - (request.tstampOk ? 12 : 0)
    const rcvbuf = this.options.rcvbuf || globals.tcp_rmem_default
    // Of a locked buffer no more than it holds is ever offered.
    const clamp = this.options.rcvbuf > 0 ? fromSpace(rcvbuf, 128) : 0
    initialWindow(ns, rcvbuf, unit, clamp, request.sndWscale >= 0, INITIAL)
    request.rcvWnd = INITIAL.window
    request.windowClamp = INITIAL.clamp
    request.rcvWscale = INITIAL.wscale
  }

  /** A segment for a request (tcp_check_req). */
  check(request: Request, segment: Segment, out: Outcome): void {
    const { mib } = this.tcp
    segment.readOptions()
    const { options } = segment
    const stamped = request.tstampOk && options.hasTimestamps
    const paws = stamped && request.tsRecent !== 0 && ((request.tsRecent - options.tsValue) | 0) > 0
    // An echo of what no SYN-ACK of ours said (RFC 7323, section 3.2).
    const forged = stamped && options.tsEcho !== 0 && !between(options.tsEcho, request.tsFirst, request.tsLast)
    const flags = segment.flags & (wire.SYN | wire.ACK | wire.RST | wire.FIN)
    if (segment.seq === request.irs && flags === wire.SYN && !paws) {
      // The same SYN again: the same answer, unless it comes too often.
      if (limited(request, segment)) mib.TCPACKSkippedSynRecv++
      else if (request.answerAgain() === 0) request.schedule()
      out.reason = DropReason.NOT_SPECIFIED
      return
    }
    const start = (request.irs + 1) | 0
    const fits = !paws && !forged && inWindow(segment.seq, segment.end, start, (start + request.rcvWnd) | 0)
    if (fits && segment.has(wire.RST) && segment.seq !== start) return this.#challenge(request, segment, out)
    if (segment.has(wire.ACK) && segment.ack !== ((request.iss + 1) | 0)) {
      out.reset = true
      out.reason = DropReason.TCP_INVALID_ACK_SEQUENCE
      return
    }
    if (!fits) {
      if (!segment.has(wire.RST)) {
        if (limited(request, segment)) mib.TCPACKSkippedSynRecv++
        else request.acknowledge()
      }
      if (paws) mib.PAWSEstab++
      else if (forged) mib.TSEcrRejected++
      out.reason = paws || forged ? DropReason.TCP_RFC7323_PAWS : DropReason.TCP_INVALID_SEQUENCE
      return
    }
    if (stamped && !after(segment.seq, start)) request.tsRecent = options.tsValue
    const syn = segment.has(wire.SYN) && segment.seq !== request.irs
    if (segment.has(wire.RST) || syn) {
      mib.TcpAttemptFails++
      mib.EmbryonicRsts++
      if (!segment.has(wire.RST)) out.reset = true
      this.forget(request)
      out.reason = segment.has(wire.RST) ? DropReason.TCP_RESET : DropReason.TCP_INVALID_SYN
      return
    }
    if (!segment.has(wire.ACK)) {
      out.reason = DropReason.TCP_FLAGS
      return
    }
    this.#complete(request, segment, out)
  }

  /** A reset that fits the window and is not exact (RFC 5961, section 3.2). */
  #challenge(request: Request, segment: Segment, out: Outcome): void {
    const { tcp } = this
    out.reason = DropReason.TCP_RESET
    if (limited(request, segment)) tcp.mib.TCPACKSkippedChallenge++
    else if (tcp.mayChallenge()) {
      tcp.mib.TCPChallengeACK++
      request.acknowledge()
    }
  }

  /** The last ACK of the handshake: a connection, if there is room for one. */
  #complete(request: Request, segment: Segment, out: Outcome): void {
    const { tcp } = this
    const { mib, ns } = tcp
    if (this.#isFull) {
      mib.ListenOverflows++
      mib.ListenDrops++
      out.reason = DropReason.TCP_LISTEN_OVERFLOW
      if (ns.sysctl.globals.tcp_abort_on_overflow === 0) request.acked = true
      else {
        this.forget(request)
        mib.EmbryonicRsts++
        out.reset = true
      }
      return
    }
    this.forget(request)
    const child = this.#child(request)
    mib.TcpPassiveOpens++
    this.#ready.push(child)
    receive(child, segment, out)
    this.owner.wakeUp()
  }

  /** tcp_create_openreq_child, tcp_v4_syn_recv_sock. */
  #child(request: Request): Connection {
    const { tcp } = this
    const c = new Connection(
      tcp, new SocketOptions().copyFrom(this.options), request.local, request.remote, request.localPort,
      request.remotePort
    )
    c.dev = request.dev
    c.family = this.family
    c.state = State.SYN_RECV
    c.iss = request.iss
    c.irs = request.irs
    c.rcvNxt = c.rcvWup = c.copiedSeq = (request.irs + 1) | 0
    c.sndUna = c.sndNxt = c.writeSeq = c.sndSml = c.pushedSeq = (request.iss + 1) | 0
    c.sndWl1 = request.irs
    c.mssClamp = request.mss
    c.advmss = request.advmss
    c.tstampOk = request.tstampOk
    c.tsOffset = request.tsOffset
    c.headerBytes = wire.HEADER_BYTES_MIN + (request.tstampOk ? 12 : 0)
    if (request.tstampOk) {
      c.tsRecent = request.tsRecent
      c.tsRecentStamp = Math.max(1, Math.floor(c.nowNs / 1_000_000_000))
    }
    c.sackOk = request.sackOk
    c.ecnOk = request.ecnOk
    c.wscaleOk = request.sndWscale >= 0
    c.sndWscale = Math.max(0, request.sndWscale)
    c.rcvWscale = c.wscaleOk ? request.rcvWscale : 0
    c.rcvWnd = c.rcvSsthresh = request.rcvWnd
    c.windowClamp = c.wscaleOk ? request.windowClamp : Math.min(request.windowClamp, 65_535)
    c.congestion = congestionNamed(c.options.congestion || tcp.ns.sysctl.globals.tcp_congestion_control)!(c)
    if (request.timeouts > 0) {
      c.totalRetrans = request.timeouts
      c.undoMarker = request.iss
      c.hasUndoMarker = true
      c.retransStampNs = Math.max(request.sentNs, 1)
    }
    sync(c, pathMtu(tcp.ns, route(tcp.ns, c.remote, c.dev)))
    initRcvMss(c)
    c.lrcvNs = c.nowNs
    // The SYN and the ACK.
    c.segsIn = 2
    if (request.retransmits === 0 && request.sentNs > 0) {
      const rttUs = Math.floor((c.nowNs - request.sentNs) / 1000)
      c.minRtt.reset(0, Math.max(1, rttUs))
      c.rtt.sample(rttUs, c.sndUna, c.sndNxt)
    }
    tcp.adopt(c)
    return c
  }

  /** It is answered, refused, or over. */
  forget(request: Request): void {
    if (!this.#requests.delete(request)) return
    if (request.timeouts === 0) this.young--
    this.tcp.engine.disarm(request)
    this.tcp.flows.remove(request)
  }

  /** cookie_v4_check: what a cookie proves is as good as a request. */
  #cookie(
    segment: Segment, local: Ip, remote: Ip, localPort: number, remotePort: number, dev: NetDevice
  ): Request | null {
    const { tcp } = this
    const { mib } = tcp
    const { nowNs } = tcp.engine
    if (tcp.ns.sysctl.globals.tcp_syncookies === 0 || segment.has(wire.RST | wire.SYN)) return null
    if (nowNs - this.#overflowNs > COOKIE_VALID_NS) {
      mib.SyncookiesFailed += this.#overflowNs === -Infinity ? 0 : 1
      return null
    }
    const mss = tcp.cookies.check(remote, local, remotePort, localPort, segment.seq, segment.ack, nowNs)
    if (mss === FORGED) {
      mib.SyncookiesFailed++
      return null
    }
    mib.SyncookiesRecv++
    segment.readOptions()
    const { options } = segment
    const request = new Request(this, local, remote, localPort, remotePort, dev)
    request.iss = (segment.ack - 1) | 0
    request.irs = (segment.seq - 1) | 0
    request.mss = mss
    request.tsOffset = tcp.ns.sysctl.globals.tcp_timestamps === 1 ? tcp.isn.timestampOffset(local, remote) : 0
    if (options.hasTimestamps) {
      const echo = (options.tsEcho - request.tsOffset) | 0
      request.tstampOk = true
      request.tsRecent = options.tsValue
      request.sndWscale = cookieWscale(echo)
      request.sackOk = cookieSack(echo)
      request.ecnOk = cookieEcn(echo) && tcp.ns.sysctl.globals.tcp_ecn !== 0
    }
    this.#offer(request)
    return request
  }

  /** The listener goes: half connections are forgotten, whole ones reset. */
  close(): void {
    for (const request of [...this.#requests]) this.forget(request)
    for (const child of this.#ready) {
      if (child.state === State.CLOSED) continue
      child.dead = true
      this.tcp.orphaned()
      abort(child, 0)
    }
    this.#ready.length = 0
  }

  /** Half connections, for `ss`. */
  list(): ReadonlyArray<Request> {
    return [...this.#requests]
  }
}

export function isBroadcast(ns: Netns, local: Ip): boolean {
  return local.length === 1 && ns.ip4.route(local[0]!).type === "broadcast"
}
