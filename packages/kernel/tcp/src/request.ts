/**
 * Half a connection: a SYN that was answered and waits for its ACK (struct tcp_request_sock,
 * tcp_check_req). Small on purpose, as anybody may make us hold one.
 */
import type { Ns } from "@podwire/engine"
import { Errno, type NetDevice } from "@podwire/netdev"
import type { Ip } from "@podwire/wire/ip"
import * as wire from "@podwire/wire/tcp"
import { route, sendIp, synFrame } from "./emit.ts"
import type { Flow } from "./flow.ts"
import type { Listener } from "./listener.ts"
import type { Tcp } from "./tcp.ts"
import { LazyTimer } from "./timer.ts"
import { fireNs } from "./wheel.ts"

const SECOND_NS: Ns = 1_000_000_000

export class Request extends LazyTimer implements Flow {
  readonly kind = "request"
  hash = 0
  hashNext: Flow | null = null
  readonly tcp: Tcp
  readonly listener: Listener
  readonly version: 4 | 6
  readonly local: Ip
  readonly remote: Ip
  readonly localPort: number
  readonly remotePort: number
  readonly dev: NetDevice | null
  /** Our first sequence number, and theirs. */
  iss = 0
  irs = 0
  mss = 0
  advmss = 0
  /** -1: they do not scale. */
  sndWscale = -1
  rcvWscale = 0
  rcvWnd = 0
  windowClamp = 0
  sackOk = false
  ecnOk = false
  tstampOk = false
  tsRecent = 0
  tsOffset = 0
  /** Our first timestamp and our last. */
  tsFirst = 0
  tsLast = 0
  /** The timestamp of a cookie, whose low bits are options; otherwise now. */
  cookieTs = 0
  isCookie = false
  sentNs: Ns = 0
  /** Timeouts, and SYN-ACKs sent again for any reason. */
  timeouts = 0
  retransmits = 0
  /** The ACK came, and nobody had room for the connection (acked). */
  acked = false
  lastOowNs: Ns = -1

  constructor(listener: Listener, local: Ip, remote: Ip, localPort: number, remotePort: number, dev: NetDevice | null) {
    super(listener.tcp.engine)
    this.tcp = listener.tcp
    this.listener = listener
    this.version = remote.length === 1 ? 4 : 6
    this.local = local
    this.remote = remote
    this.localPort = localPort
    this.remotePort = remotePort
    this.dev = dev
  }

  /** The SYN-ACK; number 0, as no socket has it. */
  answer(): Errno {
    const { ns, engine } = this.tcp
    const way = route(ns, this.remote, this.dev)
    if (way.dev === null) return Errno.EHOSTUNREACH
    const options = this.tcp.scratch.clear()
    options.maxSegment = this.advmss
    options.hasTimestamps = this.tstampOk
    options.tsValue = this.isCookie ? (this.cookieTs + this.tsOffset) | 0
      : (Math.floor(engine.nowNs / 1_000_000) + this.tsOffset) | 0
    this.tsLast = options.tsValue
    if (this.tsFirst === 0) this.tsFirst = this.tsLast
    options.tsEcho = this.tsRecent
    options.sackPermitted = this.sackOk
    options.windowScale = this.sndWscale >= 0 ? this.rcvWscale : -1
    const window = Math.min(this.rcvWnd, 65_535)
    const flags = wire.SYN | wire.ACK | (this.ecnOk ? wire.ECE : 0)
    const frame = synFrame(ns, this, options, this.iss, (this.irs + 1) | 0, flags, window)
    if (frame === null) return Errno.ENOBUFS
    this.tcp.mib.TcpOutSegs++
    const { ttl, tos } = this.listener.options
    return sendIp(ns, frame, way, this.local, this.remote, 0, ttl, tos)
  }

  /** tcp_v4_reqsk_send_ack: out of the window; tell where we stand. */
  acknowledge(): void {
    const { ns, engine } = this.tcp
    const way = route(ns, this.remote, this.dev)
    if (way.dev === null) return
    const options = this.tcp.scratch.clear()
    if (this.tstampOk) {
      options.hasTimestamps = true
      options.tsValue = (Math.floor(engine.nowNs / 1_000_000) + this.tsOffset) | 0
      options.tsEcho = this.tsRecent
    }
    const window = this.rcvWnd >>> (this.sndWscale >= 0 ? this.rcvWscale : 0)
    const frame = synFrame(ns, this, options, (this.iss + 1) | 0, (this.irs + 1) | 0, wire.ACK, window)
    this.tcp.mib.TcpOutSegs++
    if (frame !== null) sendIp(ns, frame, way, this.local, this.remote, 0, 0, 0)
  }

  /** The next SYN-ACK, after 1, 2, 4, … seconds (tcp_reqsk_timeout). */
  schedule(): void {
    const { engine, ns } = this.tcp
    const waitNs = Math.min(SECOND_NS * 2 ** Math.min(this.timeouts, 30), ns.sysctl.globals.tcp_rto_max_ms * 1_000_000)
    this.set(fireNs(engine.nowNs, waitNs))
  }

  /** reqsk_timer_handler. */
  protected override expired(): void {
    this.tcp.mib.TCPTimeouts++
    if (this.timeouts >= this.listener.synAckRetries) {
      this.listener.forget(this)
      return
    }
    this.answerAgain()
    if (this.timeouts++ === 0) this.listener.young--
    this.schedule()
  }

  /** inet_rtx_syn_ack. */
  answerAgain(): Errno {
    const errno = this.answer()
    if (errno === Errno.OK) {
      this.retransmits++
      this.tcp.mib.TcpRetransSegs++
      this.tcp.mib.TCPSynRetrans++
    }
    return errno
  }
}
