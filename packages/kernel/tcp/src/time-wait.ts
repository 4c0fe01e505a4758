/**
 * What is left of a connection after its FINs: enough to answer what still comes, for 60 seconds
 * (tcp_timewait_sock, tcp_timewait_state_process). Also FIN_WAIT2 of a connection that nobody has any more.
 */
import type { Ns } from "@podwire/engine"
import { Errno, type NetDevice } from "@podwire/netdev"
import type { Ip } from "@podwire/wire/ip"
import * as wire from "@podwire/wire/tcp"
import { limited } from "./challenge.ts"
import type { Connection } from "./connection.ts"
import { route, sendIp, synFrame } from "./emit.ts"
import { finish } from "./finish.ts"
import type { Flow } from "./flow.ts"
import type { BoundPort, Holder } from "./ports.ts"
import type { Segment } from "./segment.ts"
import { after, before } from "./seq.ts"
import { State } from "./state.ts"
import type { Tcp } from "./tcp.ts"
import { LazyTimer } from "./timer.ts"
import { fireNs } from "./wheel.ts"

/** TCP_TIMEWAIT_LEN. */
export const TIMEWAIT_NS: Ns = 60_000_000_000
/** What rests no longer is counted apart (inet_twsk_schedule). */
const SHORT_NS: Ns = 4_000_000_000
/**
 * TCP_PAWS_WRAP, seconds: after so much silence a timestamp has no meaning any more. A clock of microseconds
 * comes half round in it; RFC 7323's 24 days are of milliseconds.
 */
export const PAWS_SECONDS = 2147

/** What the segment's sender is told. */
export const Fate = { Nothing: 0, Ack: 1, Reset: 2, Syn: 3 } as const
export type Fate = (typeof Fate)[keyof typeof Fate]

export class TimeWait extends LazyTimer implements Flow, Holder {
  readonly kind = "time-wait"
  hash = 0
  hashNext: Flow | null = null
  readonly tcp: Tcp
  readonly version: 4 | 6
  readonly local: Ip
  readonly remote: Ip
  readonly localPort: number
  readonly remotePort: number
  readonly dev: NetDevice | null
  readonly family: 4 | 6
  readonly v6only = false
  /** The port that it keeps. */
  held: BoundPort | null = null
  readonly reuseAddr: boolean
  /** FIN_WAIT2 until the peer's FIN comes. */
  state: State
  rcvNxt: number
  readonly sndNxt: number
  readonly rcvWnd: number
  readonly rcvWscale: number
  tsRecent: number
  tsRecentStamp: number
  readonly tsOffset: number
  lastOowNs: Ns
  /** Since when it rests so (tw_entry_stamp). */
  entryMs: number

  constructor(c: Connection, state: State) {
    super(c.tcp.engine)
    this.tcp = c.tcp
    this.version = c.version
    this.local = c.local
    this.remote = c.remote
    this.localPort = c.localPort
    this.remotePort = c.remotePort
    this.dev = c.dev
    this.family = c.family
    this.reuseAddr = c.options.reuseAddr
    this.state = state
    this.rcvNxt = c.rcvNxt
    this.sndNxt = c.sndNxt
    this.rcvWnd = c.receiveWindow
    this.rcvWscale = c.rcvWscale
    this.tsRecent = c.tsRecent
    this.tsRecentStamp = c.tsRecentStamp
    this.tsOffset = c.tsOffset
    this.lastOowNs = c.lastOowNs
    this.entryMs = Math.floor(c.nowNs / 1_000_000)
  }

  /** It runs out `delayNs` from now. */
  schedule(delayNs: Ns): void {
    this.set(fireNs(this.tcp.engine.nowNs, delayNs))
  }

  protected override expired(): void {
    this.tcp.rested(this)
  }

  /** A segment for it (tcp_timewait_state_process). */
  receive(segment: Segment): Fate {
    const { options } = segment
    const stamped = options.hasTimestamps && this.tsRecentStamp !== 0
    const rejected = stamped && this.#rejects(options.tsValue, segment.has(wire.RST))
    if (this.state === State.FIN_WAIT2) return this.#finWait(segment, rejected, stamped)
    const inOrder = segment.seq === this.rcvNxt
    if (!rejected && inOrder && (segment.seq === segment.end || segment.has(wire.RST))) {
      if (segment.has(wire.RST)) {
        if (this.tcp.ns.sysctl.globals.tcp_rfc1337 === 0) this.tcp.rested(this)
      } else this.schedule(TIMEWAIT_NS)
      if (stamped) this.#store(options.tsValue)
      return Fate.Nothing
    }
    const opens = segment.has(wire.SYN) && !segment.has(wire.RST) && !segment.has(wire.ACK)
    const newer = after(segment.seq, this.rcvNxt) || (stamped && before(this.tsRecent, options.tsValue))
    if (opens && !rejected && newer) return Fate.Syn
    if (rejected) this.tcp.mib.PAWSTimewait++
    if (segment.has(wire.RST)) return Fate.Nothing
    if (rejected || segment.has(wire.ACK)) this.schedule(TIMEWAIT_NS)
    return this.#outOfPlace(segment)
  }

  /** The peer has not closed yet. */
  #finWait(segment: Segment, rejected: boolean, stamped: boolean): Fate {
    const { seq, end } = segment
    const edge = (this.rcvNxt + this.rcvWnd) | 0
    if (rejected || !inWindow(seq, end, this.rcvNxt, edge)) return this.#outOfPlace(segment)
    if (segment.has(wire.RST)) {
      this.tcp.rested(this)
      return Fate.Nothing
    }
    if (segment.has(wire.SYN) && !before(seq, this.rcvNxt)) return Fate.Reset
    if (!segment.has(wire.ACK) || !after(end, this.rcvNxt) || end === seq) return Fate.Nothing
    // New data for a connection that nobody reads.
    if (!segment.has(wire.FIN) || end !== ((this.rcvNxt + 1) | 0)) return Fate.Reset
    this.state = State.TIME_WAIT
    this.entryMs = Math.floor(this.tcp.engine.nowNs / 1_000_000)
    this.rcvNxt = end
    if (stamped) this.#store(segment.options.tsValue)
    this.schedule(TIMEWAIT_NS)
    return Fate.Ack
  }

  #outOfPlace(segment: Segment): Fate {
    if (!limited(this, segment)) return Fate.Ack
    if (this.state === State.FIN_WAIT2) this.tcp.mib.TCPACKSkippedFinWait2++
    else this.tcp.mib.TCPACKSkippedTimeWait++
    return Fate.Nothing
  }

  /** tcp_paws_reject. */
  #rejects(tsValue: number, reset: boolean): boolean {
    if (((this.tsRecent - tsValue) | 0) <= 0) return false
    const age = Math.floor(this.tcp.engine.nowNs / 1_000_000_000) - this.tsRecentStamp
    if (age >= PAWS_SECONDS) return false
    return !(reset && age >= 60)
  }

  #store(tsValue: number): void {
    this.tsRecent = tsValue
    this.tsRecentStamp = Math.max(1, Math.floor(this.tcp.engine.nowNs / 1_000_000_000))
  }

  /** tcp_v4_timewait_ack: number 0, as it belongs to no socket. */
  acknowledge(): void {
    const { ns, engine } = this.tcp
    const way = route(ns, this.remote, this.dev)
    if (way.dev === null) return
    const options = this.tcp.scratch.clear()
    if (this.tsRecentStamp !== 0) {
      options.hasTimestamps = true
      options.tsValue = (Math.floor(engine.nowNs / 1_000_000) + this.tsOffset) | 0
      options.tsEcho = this.tsRecent
    }
    const window = this.rcvWnd >>> this.rcvWscale
    const frame = synFrame(ns, this, options, this.sndNxt, this.rcvNxt, wire.ACK, window)
    this.tcp.mib.TcpOutSegs++
    if (frame !== null) sendIp(ns, frame, way, this.local, this.remote, 0, 0, 0)
  }
}

/** tcp_in_window. */
export function inWindow(seq: number, end: number, start: number, stop: number): boolean {
  if (seq === start) return true
  if (after(end, start) && before(seq, stop)) return true
  return seq === stop && seq === end
}

/** tcp_time_wait: the connection ends and this takes its place. */
export function restAfterFin(c: Connection, state: State, delayNs: Ns): void {
  const { tcp } = c
  const rtoNs = c.rtt.rtoNs
  const restNs = state === State.TIME_WAIT ? TIMEWAIT_NS : Math.max(delayNs, 4 * rtoNs - Math.floor(rtoNs / 2))
  const rest = tcp.mayRest() ? new TimeWait(c, state) : null
  if (rest === null) tcp.mib.TCPTimeWaitOverflow++
  else tcp.rest(c, rest)
  finish(c, Errno.OK)
  if (rest === null) return
  rest.schedule(restNs)
  if (restNs > SHORT_NS) tcp.mib.TW++
  else tcp.mib.TWKilled++
}
