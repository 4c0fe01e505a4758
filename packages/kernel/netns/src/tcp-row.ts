/**
 * What a namespace's TCP tells about its sockets, for whoever shows them: struct inet_diag_msg and tcp_info
 * under their Linux names. Octet counts beyond 2^53 are nobody's; an absent field is zero or false.
 */
import type { Ns } from "@podwire/engine"
import type { Ip } from "@podwire/wire/ip"

/** One connection, listener or connection at rest. */
export interface TcpRow {
  readonly protocol: "tcp"
  readonly family: 4 | 6
  /** A listener of family 6 that takes IPv6 only. */
  readonly v6only: boolean
  /** include/net/tcp_states.h: 1 is ESTABLISHED, 3 a request, 6 TIME_WAIT, 10 LISTEN. */
  readonly state: number
  /** FIN_WAIT2 and TIME_WAIT without a socket (inet_timewait_sock). */
  readonly resting: boolean
  /** Closed by its program, still at work. */
  readonly orphan: boolean
  /** Null is every address. Of a socket of family 6 that speaks IPv4 the addresses are IPv4's. */
  readonly ip: Ip | null
  readonly port: number
  readonly remote: Ip | null
  readonly remotePort: number
  /** Octets unread; of a listener connections that nobody has accepted. */
  readonly recvQ: number
  /** Octets not acknowledged; of a listener the most it lets wait. */
  readonly sendQ: number
  readonly timer: TcpRowTimer | null
  /** Null for what has no tcp_info: connections at rest and requests. */
  readonly info: TcpInfo | null
  readonly socket: null
}

/** idiag_timer: 1, 2, 3, 4 in this order. */
export interface TcpRowTimer {
  readonly kind: "on" | "keepalive" | "timewait" | "persist"
  readonly remainingNs: Ns
  readonly retransmits: number
}

/** Times in microseconds, but where the name says milliseconds; rates in octets per second. */
export interface TcpInfo {
  /** Of a listener too. */
  readonly congestion: string
  readonly timestamps?: boolean
  readonly sack?: boolean
  readonly ecn?: boolean
  readonly wscale?: boolean
  readonly snd_wscale?: number
  readonly rcv_wscale?: number
  readonly retransmits?: number
  readonly probes?: number
  readonly backoff?: number
  readonly rto?: number
  readonly ato?: number
  readonly snd_mss?: number
  readonly rcv_mss?: number
  /** Segments; of a listener its backlog in use (what recvQ says). */
  readonly unacked?: number
  readonly sacked?: number
  readonly lost?: number
  readonly retrans?: number
  readonly last_data_sent_ms?: number
  readonly last_data_recv_ms?: number
  readonly last_ack_recv_ms?: number
  readonly pmtu?: number
  readonly rcv_ssthresh?: number
  readonly rtt?: number
  readonly rttvar?: number
  /** Segments; from 0xffff on it is infinite, and not shown. */
  readonly snd_ssthresh?: number
  readonly snd_cwnd?: number
  readonly advmss?: number
  readonly reordering?: number
  readonly rcv_rtt?: number
  readonly rcv_space?: number
  readonly total_retrans?: number
  readonly pacing_rate?: number
  readonly bytes_acked?: number
  readonly bytes_received?: number
  readonly segs_out?: number
  readonly segs_in?: number
  readonly notsent_bytes?: number
  readonly min_rtt?: number
  readonly data_segs_in?: number
  readonly data_segs_out?: number
  readonly delivery_rate?: number
  readonly delivery_rate_app_limited?: boolean
  readonly busy_time?: number
  readonly rwnd_limited?: number
  readonly sndbuf_limited?: number
  readonly delivered?: number
  readonly delivered_ce?: number
  readonly bytes_sent?: number
  readonly bytes_retrans?: number
  readonly dsack_dups?: number
  readonly reord_seen?: number
  readonly rcv_ooopack?: number
  readonly snd_wnd?: number
  /** icsk_ack: (quick << 1) | pingpong, for /proc/net/tcp. */
  readonly quickack?: number
}

/** Who has the connections of a namespace. */
export interface TcpLister {
  list(): ReadonlyArray<TcpRow>
}
