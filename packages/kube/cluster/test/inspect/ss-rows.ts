/**
 * The TCP sockets of two namespaces of Linux 6.18 as its netlink told them, of which `ss.golden.txt` has what ss of
 * iproute2 6.1.0 printed: a client and a server with listeners, full queues, retransmissions and keepalive.
 */
import type { TcpInfo, TcpRow, TcpRowTimer } from "@podwire/netns"
import * as ip from "@podwire/wire/ip"

export function row(
  state: number, family: 4 | 6, recvQ: number, sendQ: number, local: string | null, port: number,
  remote: string | null, remotePort: number, timer: TcpRowTimer | null, info: TcpInfo | null, v6only = false
): TcpRow {
  const at = (text: string | null) => text === null ? null : ip.parse(text)!
  return {
    protocol: "tcp", family, v6only, state, resting: info === null, orphan: false, ip: at(local), port,
    remote: at(remote), remotePort, recvQ, sendQ, timer, info, socket: null
  }
}

export const CLIENT: ReadonlyArray<TcpRow> = [
  row(1, 4, 0, 0, "10.9.0.1", 45630, "10.9.0.2", 83, null, { timestamps: true, sack: true, congestion:
    "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 4, rttvar: 2, snd_mss: 1448,
    pmtu: 1500, rcv_mss: 536, advmss: 1448, snd_cwnd: 10, bytes_acked: 1, segs_out: 2, segs_in: 1,
    last_data_sent_ms: 1344, last_data_recv_ms: 1344, last_ack_recv_ms: 1344, pacing_rate: 7240000000,
    delivered: 1, delivery_rate_app_limited: true, rcv_space: 14480, rcv_ssthresh: 64088, min_rtt: 4,
    snd_wnd: 65160, reordering: 3 }),
  row(1, 4, 0, 0, "10.9.0.1", 45642, "10.9.0.2", 83, null, { timestamps: true, sack: true, congestion:
    "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 2, rttvar: 1, snd_mss: 1448,
    pmtu: 1500, rcv_mss: 536, advmss: 1448, snd_cwnd: 10, bytes_acked: 1, segs_out: 2, segs_in: 1,
    last_data_sent_ms: 1344, last_data_recv_ms: 1344, last_ack_recv_ms: 1344, pacing_rate: 14480000000,
    delivered: 1, delivery_rate_app_limited: true, rcv_space: 14480, rcv_ssthresh: 64088, min_rtt: 2,
    snd_wnd: 65160, reordering: 3 }),
  row(2, 4, 0, 1, "10.9.0.1", 45656, "10.9.0.2", 83, { kind: "on", remainingNs: 676e6, retransmits: 1 },
    { congestion: "cubic", rto: 1000000, snd_mss: 524, pmtu: 1500, rcv_mss: 88, advmss: 1460, snd_cwnd:
    1, snd_ssthresh: 7, segs_out: 2, last_data_sent_ms: 12300004, last_data_recv_ms: 12300004,
    last_ack_recv_ms: 12300004, delivery_rate_app_limited: true, unacked: 1, retrans: 1, total_retrans:
    1, lost: 1, rcv_ssthresh: 64240, reordering: 3 }),
  row(2, 4, 0, 1, "10.9.0.1", 45672, "10.9.0.2", 83, { kind: "on", remainingNs: 676e6, retransmits: 1 },
    { congestion: "cubic", rto: 1000000, snd_mss: 524, pmtu: 1500, rcv_mss: 88, advmss: 1460, snd_cwnd:
    1, snd_ssthresh: 7, segs_out: 2, last_data_sent_ms: 12300004, last_data_recv_ms: 12300004,
    last_ack_recv_ms: 12300004, delivery_rate_app_limited: true, unacked: 1, retrans: 1, total_retrans:
    1, lost: 1, rcv_ssthresh: 64240, reordering: 3 }),
  row(1, 4, 0, 0, "10.9.0.1", 57932, "10.9.0.2", 80, null, { timestamps: true, sack: true, congestion:
    "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 44, rttvar: 28, snd_mss:
    1448, pmtu: 1500, rcv_mss: 536, advmss: 1448, snd_cwnd: 31, bytes_sent: 30000, bytes_acked: 30001,
    segs_out: 23, segs_in: 5, data_segs_out: 21, last_data_sent_ms: 1444, last_data_recv_ms: 1444,
    last_ack_recv_ms: 1444, pacing_rate: 2040363636, delivery_rate: 3982000000, delivered: 22, rcv_space:
    14480, rcv_ssthresh: 64088, min_rtt: 4, snd_wnd: 89088, reordering: 3 }),
  row(5, 4, 0, 0, "10.9.0.1", 57940, "10.9.0.2", 80, { kind: "timewait", remainingNs: 58000e6,
    retransmits: 0 }, null),
  row(2, 4, 0, 1, "10.9.0.1", 58406, "10.9.0.77", 99, { kind: "on", remainingNs: 676e6, retransmits: 1 },
    { congestion: "cubic", rto: 1000000, snd_mss: 524, pmtu: 1500, rcv_mss: 88, advmss: 1460, snd_cwnd:
    1, snd_ssthresh: 7, segs_out: 1, last_data_sent_ms: 12300004, last_data_recv_ms: 12300004,
    last_ack_recv_ms: 12300004, delivery_rate_app_limited: true, unacked: 1, lost: 1, rcv_ssthresh:
    64240, reordering: 3 }),
  row(1, 4, 0, 0, "10.9.0.1", 50884, "10.9.0.2", 81, null, { timestamps: true, sack: true, congestion:
    "reno", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 208000, rtt: 5258, rttvar: 10501, snd_mss:
    1448, pmtu: 1500, rcv_mss: 536, advmss: 1448, snd_cwnd: 79, bytes_sent: 100088, bytes_retrans: 88,
    bytes_acked: 100001, segs_out: 73, segs_in: 7, data_segs_out: 71, last_data_sent_ms: 1336,
    last_data_recv_ms: 1344, last_ack_recv_ms: 1300, pacing_rate: 43511601, delivery_rate: 1362346,
    delivered: 72, busy_time: 44000, retrans: 0, total_retrans: 1, dsack_dups: 1, rcv_space: 14480,
    rcv_ssthresh: 64088, min_rtt: 2, snd_wnd: 25600, reordering: 3 }),
  row(1, 6, 0, 0, "fd09::1", 46174, "fd09::2", 84, null, { timestamps: true, sack: true, congestion:
    "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 4, rttvar: 2, snd_mss: 1428,
    pmtu: 1500, rcv_mss: 536, advmss: 1428, snd_cwnd: 10, bytes_acked: 1, segs_out: 2, segs_in: 1,
    last_data_sent_ms: 1344, last_data_recv_ms: 1344, last_ack_recv_ms: 1344, pacing_rate: 7140000000,
    delivered: 1, delivery_rate_app_limited: true, rcv_space: 14280, rcv_ssthresh: 64108, min_rtt: 4,
    snd_wnd: 64260, reordering: 3 }),
  row(1, 6, 0, 0, "fd09::1", 33746, "fd09::2", 81, { kind: "keepalive", remainingNs: 7140000e6,
    retransmits: 0 }, { timestamps: true, sack: true, congestion: "cubic", wscale: true, snd_wscale: 10,
    rcv_wscale: 10, rto: 204000, rtt: 55, rttvar: 32, snd_mss: 1428, pmtu: 1500, rcv_mss: 536, advmss:
    1428, snd_cwnd: 10, bytes_sent: 10, bytes_acked: 11, segs_out: 3, segs_in: 2, data_segs_out: 1,
    last_data_sent_ms: 1344, last_data_recv_ms: 1344, last_ack_recv_ms: 1344, pacing_rate: 513438202,
    delivery_rate: 357000000, delivered: 2, delivery_rate_app_limited: true, rcv_space: 14280,
    rcv_ssthresh: 64108, min_rtt: 4, snd_wnd: 64512, reordering: 3 })
]

export const SERVER: ReadonlyArray<TcpRow> = [
  row(10, 4, 2, 1, "10.9.0.2", 83, null, 0, null, { congestion: "cubic", snd_cwnd: 10, unacked: 2,
    reordering: 3 }),
  row(10, 4, 1, 128, null, 80, null, 0, null, { congestion: "cubic", snd_cwnd: 10, unacked: 1,
    reordering: 3 }),
  row(1, 4, 0, 0, "10.9.0.2", 83, "10.9.0.1", 45630, null, { timestamps: true, sack: true, congestion:
    "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 3, rttvar: 1, snd_mss: 1448,
    pmtu: 1500, rcv_mss: 536, advmss: 1448, snd_cwnd: 10, segs_in: 2, last_data_sent_ms: 1388,
    last_data_recv_ms: 1388, last_ack_recv_ms: 1388, pacing_rate: 9653333333, delivered: 1,
    delivery_rate_app_limited: true, rcv_space: 14480, rcv_ssthresh: 64088, min_rtt: 3, snd_wnd: 64512,
    reordering: 3 }),
  row(1, 4, 0, 0, "10.9.0.2", 83, "10.9.0.1", 45642, null, { timestamps: true, sack: true, congestion:
    "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 2, rttvar: 1, snd_mss: 1448,
    pmtu: 1500, rcv_mss: 536, advmss: 1448, snd_cwnd: 10, segs_in: 2, last_data_sent_ms: 1388,
    last_data_recv_ms: 1388, last_ack_recv_ms: 1388, pacing_rate: 14480000000, delivered: 1,
    delivery_rate_app_limited: true, rcv_space: 14480, rcv_ssthresh: 64088, min_rtt: 2, snd_wnd: 64512,
    reordering: 3 }),
  row(1, 4, 0, 0, "10.9.0.2", 80, "10.9.0.1", 57932, null, { timestamps: true, sack: true, congestion:
    "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 17, rttvar: 8, ato: 40000,
    snd_mss: 1448, pmtu: 1500, rcv_mss: 1448, advmss: 1448, snd_cwnd: 10, bytes_received: 30000,
    segs_out: 4, segs_in: 23, data_segs_in: 21, last_data_sent_ms: 1492, last_data_recv_ms: 1492,
    last_ack_recv_ms: 1492, pacing_rate: 1703529411, delivered: 1, delivery_rate_app_limited: true,
    rcv_rtt: 1000, rcv_space: 14480, rcv_ssthresh: 94120, min_rtt: 17, snd_wnd: 64512, reordering: 3 }),
  row(8, 4, 1, 0, "10.9.0.2", 80, "10.9.0.1", 57940, null, { timestamps: true, sack: true, congestion:
    "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 4, rttvar: 2, ato: 40000,
    snd_mss: 1448, pmtu: 1500, rcv_mss: 536, advmss: 1448, snd_cwnd: 10, bytes_received: 1, segs_out: 1,
    segs_in: 3, last_data_sent_ms: 1392, last_data_recv_ms: 1392, last_ack_recv_ms: 1392, pacing_rate:
    7240000000, delivered: 1, delivery_rate_app_limited: true, rcv_space: 14480, rcv_ssthresh: 64088,
    min_rtt: 4, snd_wnd: 64512, reordering: 3 }),
  row(10, 6, 0, 7, "fd09::2", 84, null, 0, null, { congestion: "cubic", snd_cwnd: 10, reordering: 3 }),
  row(10, 6, 0, 5, null, 82, null, 0, null, { congestion: "cubic", snd_cwnd: 10, reordering: 3 }, true),
  row(10, 6, 0, 4096, null, 81, null, 0, null, { congestion: "cubic", snd_cwnd: 10, reordering: 3 }),
  row(1, 6, 10, 0, "fd09::2", 81, "fd09::1", 33746, null, { timestamps: true, sack: true, congestion:
    "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 14, rttvar: 7, ato: 40000,
    snd_mss: 1428, pmtu: 1500, rcv_mss: 536, advmss: 1428, snd_cwnd: 10, bytes_received: 10, segs_out: 1,
    segs_in: 3, data_segs_in: 1, last_data_sent_ms: 1392, last_data_recv_ms: 1392, last_ack_recv_ms:
    1392, pacing_rate: 2040000000, delivered: 1, delivery_rate_app_limited: true, rcv_space: 14280,
    rcv_ssthresh: 64108, min_rtt: 14, snd_wnd: 65536, reordering: 3 }),
  row(1, 6, 100000, 0, "10.9.0.2", 81, "10.9.0.1", 50884, null, { timestamps: true, sack: true,
    congestion: "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 6, rttvar: 3,
    ato: 80000, snd_mss: 1448, pmtu: 1500, rcv_mss: 1448, advmss: 1448, snd_cwnd: 10, bytes_received:
    100000, segs_out: 6, segs_in: 73, data_segs_in: 71, last_data_sent_ms: 1392, last_data_recv_ms: 1392,
    last_ack_recv_ms: 1384, pacing_rate: 4826666666, delivered: 1, delivery_rate_app_limited: true,
    rcv_rtt: 22, rcv_space: 14480, rcv_ssthresh: 94120, min_rtt: 6, snd_wnd: 64512, reordering: 3 }),
  row(1, 6, 0, 0, "fd09::2", 84, "fd09::1", 46174, null, { timestamps: true, sack: true, congestion:
    "cubic", wscale: true, snd_wscale: 10, rcv_wscale: 10, rto: 204000, rtt: 3, rttvar: 1, snd_mss: 1428,
    pmtu: 1500, rcv_mss: 536, advmss: 1428, snd_cwnd: 10, segs_in: 2, last_data_sent_ms: 1392,
    last_data_recv_ms: 1392, last_ack_recv_ms: 1392, pacing_rate: 9520000000, delivered: 1,
    delivery_rate_app_limited: true, rcv_space: 14280, rcv_ssthresh: 64108, min_rtt: 3, snd_wnd: 65536,
    reordering: 3 })
]
