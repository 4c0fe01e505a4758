/** What `ss` shows of a namespace's TCP (tcp_diag, tcp_get_info). */
import type { TcpInfo, TcpRow, TcpRowTimer } from "@podwire/netns/tcp-row"
import { type Connection, Pending } from "./connection.ts"
import { NOTHING } from "./min-filter.ts"
import { TcpSocket } from "./socket.ts"
import { State } from "./state.ts"
import type { Tcp } from "./tcp.ts"

/** Listeners by port, then flows by their addresses: an order that does not depend on hashes. */
export function rowsOf(tcp: Tcp): ReadonlyArray<TcpRow> {
  const rows: Array<TcpRow> = []
  for (const holder of tcp.ports.list()) {
    if (holder instanceof TcpSocket && holder.listener !== null) rows.push(listening(holder))
  }
  for (const flow of tcp.flows.list()) {
    const base = {
      protocol: "tcp", ip: flow.local, port: flow.localPort, remote: flow.remote, remotePort: flow.remotePort,
      socket: null, v6only: false
    } as const
    if (flow.kind === "connection") rows.push(connected(flow))
    else if (flow.kind === "request") {
      rows.push({
        ...base, family: flow.listener.family, state: State.SYN_RECV, resting: false, orphan: false, recvQ: 0, sendQ: 0,
        info: null, timer: { kind: "on", remainingNs: Math.max(0, flow.dueNs - tcp.engine.nowNs), retransmits: flow.timeouts }
      })
    } else {
      rows.push({
        ...base, family: flow.family, state: flow.state, resting: true, orphan: false, recvQ: 0, sendQ: 0,
        info: null, timer: { kind: "timewait", remainingNs: Math.max(0, flow.dueNs - tcp.engine.nowNs), retransmits: 0 }
      })
    }
  }
  return rows.sort((a, b) => a.port - b.port || rank(a) - rank(b) || a.remotePort - b.remotePort || compareIp(a, b))
}

function rank(row: TcpRow): number {
  return row.state === State.LISTEN ? 0 : 1
}

function compareIp(a: TcpRow, b: TcpRow): number {
  for (let i = 0; i < 4; i++) {
    const order = ((a.remote?.[i] ?? 0) >>> 0) - ((b.remote?.[i] ?? 0) >>> 0) ||
      ((a.ip?.[i] ?? 0) >>> 0) - ((b.ip?.[i] ?? 0) >>> 0)
    if (order !== 0) return order
  }
  return 0
}

function listening(socket: TcpSocket): TcpRow {
  const listener = socket.listener!
  return {
    protocol: "tcp", family: socket.family, v6only: socket.v6only, state: State.LISTEN, resting: false, orphan: false,
    ip: socket.local, port: socket.localPort, remote: null, remotePort: 0, recvQ: listener.waiting,
    sendQ: listener.backlog, timer: null, socket: null,
    info: {
      congestion: socket.congestion || socket.tcp.ns.sysctl.globals.tcp_congestion_control, snd_cwnd: 10,
      unacked: listener.waiting
    }
  }
}

function connected(c: Connection): TcpRow {
  return {
    protocol: "tcp", family: c.family, v6only: false, state: c.state, resting: false, orphan: c.dead,
    ip: c.local, port: c.localPort, remote: c.remote, remotePort: c.remotePort, recvQ: (c.rcvNxt - c.copiedSeq) >>> 0,
    sendQ: (c.writeSeq - c.sndUna) >>> 0, timer: timerOf(c), info: infoOf(c), socket: null
  }
}

function timerOf(c: Connection): TcpRowTimer | null {
  const { nowNs } = c
  if (c.pending === Pending.Probe0) {
    return { kind: "persist", remainingNs: Math.max(0, c.rto.dueNs - nowNs), retransmits: c.probesOut }
  }
  if (c.pending !== Pending.None) {
    return { kind: "on", remainingNs: Math.max(0, c.rto.dueNs - nowNs), retransmits: c.retransmits }
  }
  if (c.keepalive === null || !c.keepalive.pending) return null
  return { kind: "keepalive", remainingNs: Math.max(0, c.keepalive.dueNs - nowNs), retransmits: c.probesOut }
}

function infoOf(c: Connection): TcpInfo {
  const { nowNs, rtt } = c
  const sinceMs = (ns: number) => Math.floor((nowNs - ns) / 1_000_000)
  return {
    congestion: c.congestion?.name ?? c.tcp.ns.sysctl.globals.tcp_congestion_control,
    timestamps: c.tstampOk, sack: c.sackOk, wscale: c.wscaleOk, snd_wscale: c.sndWscale, rcv_wscale: c.rcvWscale,
    retransmits: c.retransmits, probes: c.probesOut, backoff: c.backoff, rto: Math.floor(rtt.rtoNs / 1000),
    ato: Math.floor(c.atoNs / 1000), snd_mss: c.mssCache, rcv_mss: c.rcvMss, unacked: c.packetsOut, sacked: c.sackedOut,
    lost: c.lostOut, retrans: c.retransOut, last_data_sent_ms: sinceMs(c.lsndNs), last_data_recv_ms: sinceMs(c.lrcvNs),
    last_ack_recv_ms: sinceMs(c.rcvTstampNs), pmtu: c.pmtuCookie, rcv_ssthresh: c.rcvSsthresh,
    rtt: Math.floor(rtt.srttUs8 / 8), rttvar: Math.floor(rtt.mdevUs4 / 4), snd_ssthresh: c.ssthresh, snd_cwnd: c.cwnd,
    advmss: c.advmss, reordering: c.reordering, rcv_rtt: Math.floor(c.rcvRttUs8 / 8), rcv_space: c.spaceBytes,
    total_retrans: c.totalRetrans, pacing_rate: c.pacingRate, bytes_acked: c.bytesAcked,
    bytes_received: c.bytesReceived + (c.finReceived ? 1 : 0), segs_out: c.segsOut, segs_in: c.segsIn,
    notsent_bytes: c.unsent, min_rtt: c.minRttUs === NOTHING ? 0 : c.minRttUs, data_segs_in: c.dataSegsIn, data_segs_out: c.dataSegsOut,
    delivered: c.delivered, bytes_sent: c.bytesSent, bytes_retrans: c.bytesRetrans, dsack_dups: c.dsackDups,
    reord_seen: c.reordSeen, rcv_ooopack: c.oooPackets, snd_wnd: c.sndWnd,
    quickack: (c.quick << 1) | (c.pingpongMode ? 1 : 0)
  }
}
