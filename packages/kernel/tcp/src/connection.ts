/**
 * One connection: what struct tcp_sock and inet_connection_sock hold, under the kernel's names. It knows no
 * rules: segments come in through `input.ts`, calls through `socket.ts`, and both act on these fields with
 * `ack.ts`, `recovery.ts`, `output.ts`, `window.ts` and `timers.ts`.
 *
 * Invariants: sndUna <= sndNxt <= writeSeq; packetsOut is the length of `rtx`; in flight is never negative;
 * a closed connection is in no table and has no timer.
 */
import type { Ns } from "@podwire/engine"
import { Errno, type NetDevice } from "@podwire/netdev"
import type { Ip } from "@podwire/wire/ip"
import { ByteRing } from "./byte-ring.ts"
import { type Congestion, type CongestionView, SSTHRESH_INFINITE } from "./congestion.ts"
import { pacingRate } from "./congestion/pacing.ts"
import type { Flow } from "./flow.ts"
import { MinFilter } from "./min-filter.ts"
import type { BoundPort, Holder } from "./ports.ts"
import { ReceiveQueue } from "./receive-queue.ts"
import { RttEstimator } from "./rtt.ts"
import { RtxQueue } from "./rtx-queue.ts"
import { distance } from "./seq.ts"
import type { SocketOptions } from "./options.ts"
import { State } from "./state.ts"
import type { Tcp } from "./tcp.ts"
import { DelayedAckTimer, KeepaliveTimer, RetransmitTimer } from "./timers.ts"

/** icsk_ca_state, in this order: what is above another has more reason to worry. */
export const Ca = { Open: 0, Disorder: 1, Cwr: 2, Recovery: 3, Loss: 4 } as const
export type Ca = (typeof Ca)[keyof typeof Ca]

/** What the one timer of retransmission waits for (icsk_pending). */
export const Pending = { None: 0, Retransmit: 1, Probe0: 3, LossProbe: 5, Reorder: 6 } as const
export type Pending = (typeof Pending)[keyof typeof Pending]

/** icsk_ack.pending. */
export const AckPending = { Scheduled: 1, Timer: 2, Pushed: 4, Pushed2: 8, Now: 16 } as const

/** TCP_ATO_MIN and TCP_DELACK_MIN, 40 ms. */
export const ATO_MIN_NS = 40_000_000

/** Whom a connection tells that something changed. */
export interface Owner {
  wakeUp(): void
}

export class Connection implements Flow, CongestionView, Holder {
  readonly tcp: Tcp
  readonly version: 4 | 6
  readonly local: Ip
  readonly remote: Ip
  readonly localPort: number
  readonly remotePort: number
  readonly kind = "connection"
  hash = 0
  hashNext: Flow | null = null
  hashed = false
  /** sk->sk_socket; null until somebody accepts it, and again when it is an orphan. */
  owner: Owner | null = null
  /** SOCK_DEAD: its program has closed it. */
  dead = false
  options: SocketOptions
  state: State = State.CLOSED
  error: Errno = Errno.OK
  /** sk_err_soft: what an ICMP error said that may pass. */
  softError: Errno = Errno.OK
  rcvShutdown = false
  sndShutdown = false
  /** inet_id, counted by packets. */
  ipId: number
  /**
   * The socket's family: 6 that speaks IPv4 is 6. And who holds its port: its socket, or itself without
   * one.
   */
  family: 4 | 6
  readonly v6only = false
  holder: Holder = this
  port: BoundPort | null = null
  /** The device that a link-local peer is behind. */
  dev: NetDevice | null = null
  /** Whether the host still has its address, as of a state of routes and addresses. */
  localGone = false
  localAsOf = -1

  // What was agreed
  tstampOk = false
  sackOk = false
  wscaleOk = false
  sndWscale = 0
  rcvWscale = 0
  /** What the peer can take in one segment, options not counted (mss_clamp), and what we told it. */
  mssClamp = 536
  advmss = 536
  /** 20, and 12 with timestamps. */
  headerBytes = 20
  tsOffset = 0
  tsRecent = 0
  /** Seconds of virtual time, 0 never. */
  tsRecentStamp = 0
  sawTstamp = false
  rcvTsval = 0
  rcvTsecr = 0

  /** ECN was agreed; a mark was seen; CWR is to come; CWR is to be said. */
  ecnOk = false
  ecnSeen = false
  ecnDemandCwr = false
  ecnQueueCwr = false

  // Send
  iss = 0
  sndUna = 0
  sndNxt = 0
  writeSeq = 0
  sndWnd = 0
  sndWl1 = 0
  maxWindow = 0
  /** Behind the last small segment (Minshall). */
  sndSml = 0
  /** Ends of writes, oldest first: the segment that holds one carries PSH. */
  readonly pushes: Array<number> = []
  pushedSeq = 0
  /** Octets in the last packet that was built and has not left whole. */
  tailBytes = 0
  finQueued = false
  readonly ring = new ByteRing()
  readonly rtx: RtxQueue
  sndbuf: number
  /** Transmissions and bursts so far. */
  sentCount = 0
  burstCount = 0
  /** Pieces of one packet are leaving, and this is not the last. */
  inBurst = false
  /** A send found no room: the writer waits (SOCK_NOSPACE). */
  noSpace = false
  mssCache = 536
  pmtuCookie = 0
  lsndNs: Ns = 0
  /** When data last left, new or again (tcp_wstamp_ns). */
  lastSentNs: Ns = -1_000_000_000

  // Receive
  irs = 0
  rcvNxt = 0
  rcvWup = 0
  rcvWnd = 0
  copiedSeq = 0
  readonly queue = new ReceiveQueue()
  rcvbuf: number
  rcvbufLocked = false
  windowClamp = 0
  rcvSsthresh = 0
  /** What part of a buffer is payload, of 256 (scaling_ratio). */
  scalingRatio = 128
  rcvMss = 536
  lastSegSize = 0
  rcvTstampNs: Ns = 0
  /** The FIN has been taken in: what is behind `rcvNxt` is nobody's. */
  finReceived = false
  /** A FIN behind a gap, and where it stands. */
  earlyFin = false
  earlyFinSeq = 0
  urgent = 0
  hasUrgent = false
  rcvRttUs8 = 0
  rcvRttSeq = 0
  rcvRttNs: Ns = 0
  rcvRttLastEcho = 0
  spaceBytes = 0
  spaceSeq = 0
  spaceNs: Ns = 0

  // Acknowledgements that we owe
  ackPending = 0
  quick = 0
  pingpong = 0
  atoNs: Ns = 0
  lrcvNs: Ns = 0
  ackDueNs: Ns = 0
  compressedAck = 0
  compressedRcvNxt = 0
  dupAckCounter = 0
  lastOowNs: Ns = -1

  // Loss
  ca: Ca = Ca.Open
  sackedOut = 0
  lostOut = 0
  retransOut = 0
  highSeq = 0
  /** tcp_highest_sack_seq while something is sacked. */
  highestSack = 0
  reordering: number
  reordSeen = 0
  retransStampNs: Ns = 0
  undoMarker = 0
  hasUndoMarker = false
  undoRetrans = 0
  priorSsthresh = 0
  priorCwnd = 0
  prrDelivered = 0
  prrOut = 0
  frto = false
  dsackDups = 0
  tlpHighSeq = 0
  hasTlp = false
  tlpRetrans = false
  rackCount = 0
  rackRttUs = 0
  rackAdvanced = false
  rackSteps = 1
  rackPersist = 0
  rackDsackSeen = false
  rackLastDelivered = 0
  delivered = 0
  lost = 0

  // Congestion
  cwnd = 10
  ssthresh = SSTHRESH_INFINITE
  cwndCount = 0
  readonly cwndClamp = 0xffff_ffff
  cwndUsed = 0
  cwndStampNs: Ns = 0
  cwndUsageSeq = 0
  cwndLimited = false
  maxPacketsOut = 0
  congestion: Congestion | null = null
  readonly rtt: RttEstimator
  readonly minRtt = new MinFilter()

  // Timers
  pending: Pending = Pending.None
  readonly rto: RetransmitTimer
  readonly delack: DelayedAckTimer
  keepalive: KeepaliveTimer | null = null
  /** The silence that it was set for. */
  keepaliveIdleNs: Ns = 0
  retransmits = 0
  backoff = 0
  probesOut = 0
  probesStartNs: Ns = -1
  /** Timeouts since the last progress, for the SYN's linear ones (total_rto). */
  totalRto = 0

  // Counted for `ss`
  totalRetrans = 0
  bytesAcked = 0
  bytesReceived = 0
  bytesSent = 0
  bytesRetrans = 0
  segsOut = 0
  segsIn = 0
  dataSegsOut = 0
  dataSegsIn = 0
  oooPackets = 0

  constructor(tcp: Tcp, options: SocketOptions, local: Ip, remote: Ip, localPort: number, remotePort: number) {
    const { globals } = tcp.ns.sysctl
    this.tcp = tcp
    this.options = options
    this.version = remote.length === 1 ? 4 : 6
    this.family = this.version
    this.local = local
    this.remote = remote
    this.localPort = localPort
    this.remotePort = remotePort
    this.ipId = tcp.prng.below(0x10000)
    this.sndbuf = options.sndbuf || globals.tcp_wmem_default
    this.rcvbuf = options.rcvbuf || globals.tcp_rmem_default
    this.rcvbufLocked = options.rcvbuf > 0
    this.reordering = globals.tcp_reordering
    this.rtx = new RtxQueue(tcp.spareSent)
    this.rtt = new RttEstimator(globals.tcp_rto_min_us, globals.tcp_rto_max_ms)
    this.rto = new RetransmitTimer(this)
    this.delack = new DelayedAckTimer(this)
  }

  get reuseAddr(): boolean {
    return this.options.reuseAddr
  }

  get nowNs(): Ns {
    return this.tcp.engine.nowNs
  }

  get packetsOut(): number {
    return this.rtx.length
  }

  /** tcp_packets_in_flight. */
  get inFlight(): number {
    return this.rtx.length - this.sackedOut - this.lostOut + this.retransOut
  }

  /** tcp_wnd_end: behind the last octet that the peer lets us send. */
  get wndEnd(): number {
    return (this.sndUna + this.sndWnd) | 0
  }

  get unsent(): number {
    return distance(this.sndNxt, this.writeSeq)
  }

  /** Octets written and not acknowledged; SYN and FIN do not count. */
  get queued(): number {
    return distance(this.sndUna, this.writeSeq) - (this.finQueued && this.sndUna !== this.writeSeq ? 1 : 0)
  }

  /** tcp_receive_window: what of the window that we announced is left. */
  get receiveWindow(): number {
    const left = (this.rcvWup + this.rcvWnd - this.rcvNxt) | 0
    return left < 0 ? 0 : left
  }

  /** Octets to read. */
  get available(): number {
    return distance(this.copiedSeq, this.rcvNxt) - (this.finReceived ? 1 : 0)
  }

  get srttUs8(): number {
    return this.rtt.srttUs8
  }

  get minRttUs(): number {
    return this.minRtt.min
  }

  get isCwndLimited(): boolean {
    return this.cwndLimited
  }

  /** sk_pacing_rate, octets a second. */
  get pacingRate(): number {
    return pacingRate({
      cwnd: this.cwnd, ssthresh: this.ssthresh, packetsOut: this.packetsOut, mss: this.mssCache, srttUs8: this.srttUs8
    })
  }

  /** tcp_time_stamp_ts: milliseconds and the pair's offset, a signed word. */
  get timestamp(): number {
    return this.stampAt(this.nowNs)
  }

  /** The timestamp that a segment of then has. */
  stampAt(ns: Ns): number {
    return (Math.floor(ns / 1_000_000) + this.tsOffset) | 0
  }

  get pingpongMode(): boolean {
    return this.pingpong >= this.tcp.ns.sysctl.globals.tcp_pingpong_thresh
  }

  get ackScheduled(): boolean {
    return (this.ackPending & AckPending.Scheduled) !== 0
  }

  hystartFound(by: "train" | "delay"): void {
    const { mib } = this.tcp
    if (by === "train") {
      mib.TCPHystartTrainDetect++
      mib.TCPHystartTrainCwnd += this.cwnd
    } else {
      mib.TCPHystartDelayDetect++
      mib.TCPHystartDelayCwnd += this.cwnd
    }
  }

  /** Something changed that its program may wait for. */
  wakeUp(): void {
    if (this.owner !== null) this.owner.wakeUp()
  }
}
