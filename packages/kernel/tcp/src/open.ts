/**
 * The active open (tcp_v4_connect, tcp_connect, tcp_rcv_synsent_state_process), the crossing of two SYNs,
 * and what every connection begins its transfer with (tcp_init_transfer).
 */
import { DropReason, Errno } from "@podwire/netdev"
import * as wire from "@podwire/wire/tcp"
import type { Options } from "@podwire/wire/tcp-options"
import { acknowledge, storeTsRecent } from "./ack.ts"
import { AckPending, type Connection, Pending } from "./connection.ts"
import { congestionNamed } from "./congestion/table.ts"
import { enterQuickAck } from "./data.ts"
import { route } from "./emit.ts"
import { resetByPeer } from "./finish.ts"
import type { Outcome } from "./input.ts"
import { advertised, MSS_DEFAULT, MSS_MIN, pathMtu, sync } from "./mss.ts"
import { DELACK_MAX_NS, record, sendAck, sendSyn } from "./output.ts"
import type { Segment } from "./segment.ts"
import { after, between } from "./seq.ts"
import { Input, next, State } from "./state.ts"
import { restartKeepalive, setTimer } from "./timers.ts"
import * as window from "./window.ts"

/** TCP_TIMEOUT_MIN. */
const SOON_NS = 8_000_000
const INITIAL = new window.InitialWindow()

/** The connection is in its tables: send the SYN. An errno: it cannot be sent at all. */
export function open(c: Connection): Errno {
  const { ns } = c.tcp
  const { globals } = ns.sysctl
  const way = route(ns, c.remote, c.dev)
  c.state = next(State.CLOSED, Input.Connect) as State
  c.headerBytes = wire.HEADER_BYTES_MIN + (globals.tcp_timestamps !== 0 ? 12 : 0)
  c.mssClamp = c.options.maxSegment || MSS_DEFAULT[c.version]
  c.advmss = advertised(way, c.version, c.options.maxSegment)
  sync(c, pathMtu(ns, way))
  initRcvMss(c)
  const unit = c.advmss - (c.tsRecentStamp !== 0 ? c.headerBytes - wire.HEADER_BYTES_MIN : 0)
  window.initialWindow(ns, c.rcvbuf, unit, c.windowClamp, globals.tcp_window_scaling !== 0, INITIAL)
  c.rcvWnd = c.rcvSsthresh = INITIAL.window
  c.windowClamp = INITIAL.clamp
  c.rcvWscale = INITIAL.wscale
  c.sndUna = c.sndSml = c.sndNxt = c.iss
  c.writeSeq = c.sndNxt = (c.iss + 1) | 0
  c.pushedSeq = c.writeSeq
  c.retransStampNs = Math.max(c.nowNs, 1)
  c.congestion = chosen(c)
  c.tcp.mib.TcpActiveOpens++
  record(c, c.iss, c.writeSeq, wire.SYN)
  c.ecnOk = globals.tcp_ecn === 1
  const errno = sendSyn(c, wire.SYN | (c.ecnOk ? wire.ECE | wire.CWR : 0))
  // Waiting for a neighbour, or dropped by a rule: the timer goes on (tcp_connect).
  setTimer(c, c.rto, c.rtt.rtoNs, Pending.Retransmit)
  return errno === Errno.ECONNREFUSED ? errno : Errno.OK
}

function chosen(c: Connection): Connection["congestion"] {
  const name = c.options.congestion || c.tcp.ns.sysctl.globals.tcp_congestion_control
  return congestionNamed(name)!(c)
}

/** tcp_initialize_rcv_mss. */
export function initRcvMss(c: Connection): void {
  const hint = Math.min(c.advmss, c.mssCache, c.rcvWnd >>> 1, 536)
  c.rcvMss = Math.max(hint, MSS_MIN)
}

/** tcp_init_transfer, tcp_finish_connect. */
export function established(c: Connection): void {
  c.rtt.fallBack()
  c.cwnd = c.totalRetrans > 1 && c.hasUndoMarker ? 1 : window.INIT_CWND
  c.cwndStampNs = c.nowNs
  c.congestion = chosen(c)
  window.init(c)
  initRcvMss(c)
  c.lsndNs = c.nowNs
  if (c.options.keepAlive) restartKeepalive(c)
}

/** What a SYN or SYN-ACK says of its sender (tcp_parse_options). */
export function agree(c: Connection, options: Options): void {
  const { globals } = c.tcp.ns.sysctl
  if (options.maxSegment > 0) {
    const most = c.options.maxSegment
    c.mssClamp = most > 0 && most < options.maxSegment ? most : options.maxSegment
  }
  c.wscaleOk = options.windowScale >= 0 && globals.tcp_window_scaling !== 0
  c.sndWscale = c.wscaleOk ? options.windowScale : 0
  c.sackOk = options.sackPermitted && globals.tcp_sack !== 0
  c.sawTstamp = options.hasTimestamps && globals.tcp_timestamps !== 0
  if (c.sawTstamp) {
    c.rcvTsval = options.tsValue
    c.rcvTsecr = options.tsEcho
  }
}

/** A segment in SYN_SENT. */
export function receiveSynSent(c: Connection, segment: Segment, out: Outcome): void {
  segment.readOptions()
  if (segment.has(wire.ACK)) return synAckReceived(c, segment, out)
  if (segment.has(wire.RST)) {
    out.reason = DropReason.TCP_RESET
    return
  }
  if (!segment.has(wire.SYN)) {
    out.reason = DropReason.TCP_FLAGS
    return
  }
  const { options } = segment
  // The last connection of these ports had later timestamps (PAWS).
  if (c.tsRecentStamp !== 0 && options.hasTimestamps && ((c.tsRecent - options.tsValue) | 0) > 0) {
    out.reason = DropReason.TCP_RFC7323_PAWS
    return
  }
  simultaneousOpen(c, segment)
}

function synAckReceived(c: Connection, segment: Segment, out: Outcome): void {
  const { options, ack } = segment
  if (!after(ack, c.sndUna) || after(ack, c.sndNxt)) {
    // It answers something of ours that is long gone: try again soon.
    if (c.retransmits === 0) setTimer(c, c.rto, SOON_NS, Pending.Retransmit)
    out.reset = true
    out.reason = DropReason.TCP_INVALID_ACK_SEQUENCE
    return
  }
  if (options.hasTimestamps && options.tsEcho !== 0 && c.tcp.ns.sysctl.globals.tcp_timestamps !== 0) {
    const began = c.stampAt(c.retransStampNs)
    if (!between(options.tsEcho, began, c.timestamp)) {
      c.tcp.mib.PAWSActive++
      out.reset = true
      out.reason = DropReason.TCP_RFC7323_PAWS
      return
    }
  }
  if (segment.has(wire.RST)) {
    resetByPeer(c)
    out.reason = DropReason.TCP_RESET
    return
  }
  if (!segment.has(wire.SYN)) {
    out.reason = DropReason.TCP_FLAGS
    return
  }
  agree(c, options)
  if (!segment.has(wire.ECE) || segment.has(wire.CWR)) c.ecnOk = false
  c.sndWl1 = segment.seq
  const syn = c.stampAt(c.retransStampNs)
  if (c.hasUndoMarker && c.sawTstamp && syn === c.rcvTsecr) c.hasUndoMarker = false
  acknowledge(c, segment, 0)
  c.irs = segment.seq
  c.rcvNxt = c.rcvWup = c.copiedSeq = (segment.seq + 1) | 0
  c.sndWnd = segment.window
  c.maxWindow = Math.max(c.maxWindow, c.sndWnd)
  if (!c.wscaleOk) {
    c.rcvWscale = 0
    c.windowClamp = Math.min(c.windowClamp, 65_535)
  }
  stamps(c)
  sync(c, c.pmtuCookie)
  c.state = next(c.state, Input.SynAck) as State
  c.lrcvNs = c.nowNs
  established(c)
  c.wakeUp()
  if (c.pingpongMode || c.sndShutdown) {
    c.ackPending |= AckPending.Scheduled | AckPending.Timer
    enterQuickAck(c)
    c.ackDueNs = setTimer(c, c.delack, DELACK_MAX_NS)
  } else sendAck(c)
}

function stamps(c: Connection): void {
  c.tstampOk = c.sawTstamp
  if (c.sawTstamp) {
    c.headerBytes = wire.HEADER_BYTES_MIN + 12
    c.advmss -= 12
    storeTsRecent(c)
  } else c.headerBytes = wire.HEADER_BYTES_MIN
}

/** Two SYNs cross (RFC 9293, figure 7): ours is not acknowledged yet, the other one is. */
function simultaneousOpen(c: Connection, segment: Segment): void {
  agree(c, segment.options)
  c.tstampOk = c.sawTstamp
  c.headerBytes = wire.HEADER_BYTES_MIN + (c.sawTstamp ? 12 : 0)
  if (c.sawTstamp) storeTsRecent(c)
  c.irs = segment.seq
  c.rcvNxt = c.rcvWup = c.copiedSeq = (segment.seq + 1) | 0
  c.sndWnd = segment.window
  c.sndWl1 = segment.seq
  c.maxWindow = c.sndWnd
  c.ecnOk &&= segment.has(wire.ECE) && segment.has(wire.CWR)
  sync(c, c.pmtuCookie)
  initRcvMss(c)
  c.state = next(c.state, Input.Syn) as State
  sendSyn(c, wire.SYN | wire.ACK)
}

