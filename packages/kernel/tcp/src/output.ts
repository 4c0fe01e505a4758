/**
 * What a connection sends and when (net/ipv4/tcp_output.c): new data within both windows and by Nagle's
 * rule, data again, acknowledgements, probes, FIN and RST.
 * Not supported: TSO and GSO (a segment is a frame), pacing, autocorking, TCP small queues, urgent data
 * out.
 */
import type { Ns } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import * as tcp from "@podwire/wire/tcp"
import { AckPending, ATO_MIN_NS, Ca, type Connection, Pending } from "./connection.ts"
import { emit, emitSyn, noWay, route, waitsForNeighbour } from "./emit.ts"
import { burstBytes, nagleHolds, sendMemory } from "./burst.ts"
import { validateWindow } from "./cwnd.ts"
import * as ecn from "./ecn.ts"
import { current } from "./mss.ts"
import { scheduleProbe } from "./rack.ts"
import { EVER_RETRANS, LOST, RETRANS, SACKED_ACKED, SACKED_RETRANS, type Sent } from "./rtx-queue.ts"
import { after, before, distance } from "./seq.ts"
import { State } from "./state.ts"
import { clearTimer, rearmRto, setTimer, startProbeTimer } from "./timers.ts"
import * as window from "./window.ts"

/** How `write` treats a last segment that is not full. */
export const Nagle = { Normal: 0, Off: 1, Cork: 2, Push: 4 } as const
/** Marks of pushes that are kept; what is beyond is marked by later ones. */
const PUSHES_MAX = 64
export const DELACK_MAX_NS: Ns = 200_000_000
const DELACK_HALF_SECOND_NS: Ns = 500_000_000

export function nagleOf(c: Connection): number {
  return c.options.cork ? Nagle.Cork : c.options.noDelay ? Nagle.Off : Nagle.Normal
}

/**
 * A write ends at `writeSeq` (tcp_mark_push): the packet that ends there says so, and wherever it grows to.
 */
export function markPush(c: Connection): void {
  const { pushes } = c
  c.pushedSeq = c.writeSeq
  const last = pushes[pushes.length - 1]
  const joined = last !== undefined && distance(last, c.writeSeq) < c.tailBytes
  if (joined || pushes.length >= PUSHES_MAX) pushes[pushes.length - 1] = c.writeSeq
  else pushes.push(c.writeSeq)
}

/** The last packet takes in `count` octets more, and if it was to be pushed it still is. */
export function grown(c: Connection, count: number): void {
  const { pushes, writeSeq } = c
  const last = pushes.length - 1
  if (last >= 0 && pushes[last] === writeSeq) pushes[last] = (writeSeq + count) | 0
}

/**
 * In the middle of a write: more than half a window waits since the last push, or nothing else does
 * (forced_push).
 */
export function pushEarly(c: Connection): void {
  if (after(c.writeSeq, (c.pushedSeq + (c.maxWindow >>> 1)) | 0)) {
    markPush(c)
    push(c, Nagle.Push)
  } else if (c.unsent === c.tailBytes) push(c, Nagle.Push)
}

/** __tcp_push_pending_frames. */
export function push(c: Connection, nagle: number): void {
  if (c.state === State.CLOSED || c.unsent === 0) return
  if (write(c, current(c), nagle, 0)) startProbeTimer(c)
}

/** tcp_data_snd_check: an acknowledgement may have made room. */
export function pushPending(c: Connection): void {
  if (c.unsent > 0) push(c, nagleOf(c))
  checkSpace(c)
}

/**
 * tcp_write_xmit. `probe` 2 sends one segment whatever the congestion window says. True: nothing is in
 * flight and data waits, so only a probe can go on.
 */
export function write(c: Connection, mss: number, nagle: number, probe: 0 | 2): boolean {
  let sent = 0
  let cwndLimited = false
  while (c.unsent > 0) {
    let quota = c.cwnd - c.inFlight
    if (quota <= 0) {
      if (probe !== 2) {
        cwndLimited = true
        break
      }
      quota = 1
    }
    const bytes = nextBurst(c, mss, probe === 2 ? 1 : quota, nagle, probe)
    if (bytes < 0) break
    const count = sendBurst(c, mss, bytes)
    sent += count
    if (count === 0 || probe === 2) break
  }
  if (c.inFlight >= c.cwnd) cwndLimited = true
  if (sent > 0 || cwndLimited) validateWindow(c, cwndLimited)
  if (sent === 0) return c.packetsOut === 0 && c.unsent > 0
  if (c.ca === Ca.Cwr || c.ca === Ca.Recovery) c.prrOut += sent
  if (probe !== 2) scheduleProbe(c, false)
  return false
}

/** tcp_snd_wnd_test: something waits, and the peer's window has room for its first segment. */
export function fitsWindow(c: Connection, mss: number): boolean {
  if (c.unsent === 0) return false
  const fin = c.finQueued ? 1 : 0
  const data = c.unsent - fin
  return !after((c.sndNxt + Math.min(data, mss) + (data <= mss ? fin : 0)) | 0, c.wndEnd)
}

/** Octets to send now; 0 is a FIN alone, -1 nothing. */
function nextBurst(c: Connection, mss: number, quota: number, nagle: number, probe: 0 | 2): number {
  if (!fitsWindow(c, mss)) return -1
  const fin = c.finQueued ? 1 : 0
  const data = c.unsent - fin
  const corked = (nagle & Nagle.Cork) !== 0
  const noDelay = (nagle & Nagle.Off) !== 0
  if (data <= mss) {
    const goes = fin === 1 || data === mss || (nagle & Nagle.Push) !== 0 || !nagleHolds(c, corked, noDelay)
    return goes ? data : -1
  }
  const bytes = burstBytes(c, data, mss, quota, corked, noDelay, probe !== 2)
  return bytes === 0 ? -1 : bytes
}

/** One burst, cut into segments; how many of them left. */
function sendBurst(c: Connection, mss: number, bytes: number): number {
  const end = (c.sndNxt + bytes) | 0
  const hasFin = c.finQueued && ((end + 1) | 0) === c.writeSeq
  const pushed = takePush(c, c.sndNxt, bytes)
  c.burstCount++
  let count = 0
  do {
    const data = Math.min(distance(c.sndNxt, end), mss)
    const stop = (c.sndNxt + data) | 0
    const fin = hasFin && stop === end
    // The packet was built once and then cut: what it reports of duplicates stands in each piece.
    c.inBurst = stop !== end
    if (sendNew(c, data, fin ? (stop + 1) | 0 : stop, fin, pushed && stop === end) !== Errno.OK) break
    count++
  } while (before(c.sndNxt, end))
  c.inBurst = false
  // The rest has not left: whenever it does, it is to be pushed.
  if (pushed && before(c.sndNxt, end)) c.pushes.unshift(end)
  if (bytes < count * mss) c.sndSml = c.sndNxt
  return count
}

/** One segment of new data, which joins what is in flight (tcp_event_new_data_sent). */
function sendNew(c: Connection, data: number, end: number, fin: boolean, pushed: boolean): Errno {
  const seq = c.sndNxt
  const flags = tcp.ACK | (fin ? tcp.FIN : 0) | (pushed ? tcp.PSH : 0)
  const errno = transmit(c, seq, data, flags)
  // No way, or a rule forbids it: it waits, and with nothing in flight is tried again like a shut window.
  if (errno !== Errno.OK) return errno
  const wasIdle = c.packetsOut === 0
  record(c, seq, end, flags & ~tcp.ACK)
  c.sndNxt = end
  c.tcp.mib.TCPOrigDataSent++
  if (wasIdle || c.pending === Pending.LossProbe) rearmRto(c)
  return Errno.OK
}

function stampSent(c: Connection, sent: Sent): void {
  sent.sentCount = ++c.sentCount
  sent.txDelivered = c.delivered
  c.rtx.list(sent)
}

/** What is in flight is remembered with the time it left. */
export function record(c: Connection, seq: number, end: number, flags: number): Sent {
  const sent = c.rtx.push(seq, end, flags)
  sent.burst = c.burstCount
  sent.sentNs = c.nowNs
  stampSent(c, sent)
  return sent
}

function takePush(c: Connection, seq: number, data: number): boolean {
  const end = (seq + data) | 0
  let pushed = false
  const { pushes } = c
  while (pushes.length > 0 && !after(pushes[0]!, end)) {
    pushed = after(pushes[0]!, seq) || pushed
    pushes.shift()
  }
  return pushed
}

/** tcp_event_data_sent: silence is over, and an answer to what just came makes a conversation of it. */
function dataSent(c: Connection, data: number): void {
  const nowNs = c.nowNs
  if (c.inFlight === 0 && c.congestion !== null) c.congestion.restarted(c, nowNs - c.lsndNs)
  c.lsndNs = nowNs
  if (nowNs - c.lrcvNs < c.atoNs && c.pingpong < 255) c.pingpong++
  c.dataSegsOut++
  c.bytesSent += data
}

/** Any segment that carries an acknowledgement: what we owed is paid (tcp_event_ack_sent). */
export function transmit(c: Connection, seq: number, data: number, flags: number): Errno {
  if (data > 0) dataSent(c, data)
  const field = window.announce(c)
  const errno = c.ecnOk
    ? emit(c, seq, data, flags | ecn.flagsOf(c, seq, data), field, ecn.marks(c, seq, data) ? ecn.ECT0 : 0)
    : emit(c, seq, data, flags, field, 0)
  if (data > 0) c.lastSentNs = c.nowNs
  if (!c.inBurst) c.queue.dsack = false
  if ((flags & tcp.ACK) !== 0) ackSent(c)
  return errno
}

function ackSent(c: Connection): void {
  c.tcp.mib.TCPAckCompressed += c.compressedAck
  c.compressedAck = 0
  if (c.quick > 0) {
    const paid = c.ackScheduled ? 1 : 0
    if (paid >= c.quick) {
      c.quick = 0
      c.atoNs = ATO_MIN_NS
    } else c.quick -= paid
  }
  c.ackPending = 0
  c.delack.clear()
}

/**
 * tcp_acceptable_seq: where a segment without data stands, also when the peer took back part of its window.
 */
function acceptableSeq(c: Connection): number {
  const end = c.wndEnd
  if (!before(end, c.sndNxt)) return c.sndNxt
  return c.wscaleOk && distance(end, c.sndNxt) < 2 ** c.rcvWscale ? c.sndNxt : end
}

/** tcp_send_ack. */
export function sendAck(c: Connection): void {
  if (c.state === State.CLOSED) return
  const errno = transmit(c, acceptableSeq(c), 0, tcp.ACK)
  if (errno !== Errno.ENOBUFS) return
  // No frame to be had: try again later (inet_csk_schedule_ack).
  c.ackPending |= AckPending.Scheduled | AckPending.Timer
  c.ackDueNs = setTimer(c, c.delack, DELACK_MAX_NS)
}

/** tcp_send_active_reset: where it stands, with the options of any segment. */
export function sendReset(c: Connection): void {
  const { mib } = c.tcp
  mib.TcpOutRsts++
  if (transmit(c, acceptableSeq(c), 0, tcp.ACK | tcp.RST) !== Errno.OK) mib.TCPAbortFailed++
}

/** tcp_send_delayed_ack. */
export function sendDelayedAck(c: Connection): void {
  let atoNs = c.atoNs
  if (atoNs > ATO_MIN_NS) {
    let most = c.pingpongMode || (c.ackPending & AckPending.Pushed) !== 0 ? DELACK_MAX_NS : DELACK_HALF_SECOND_NS
    if (c.srttUs8 > 0) most = Math.min(most, Math.max(Math.floor(c.srttUs8 / 8) * 1000, ATO_MIN_NS))
    atoNs = Math.min(atoNs, most)
  }
  atoNs = Math.min(atoNs, DELACK_MAX_NS)
  let dueNs = c.nowNs + atoNs
  if ((c.ackPending & AckPending.Timer) !== 0) {
    // It is about to run out anyway: now.
    if (c.ackDueNs <= c.nowNs + Math.floor(atoNs / 4)) return sendAck(c)
    dueNs = Math.min(dueNs, c.ackDueNs)
  }
  c.ackPending |= AckPending.Scheduled | AckPending.Timer
  c.ackDueNs = dueNs
  setTimer(c, c.delack, dueNs - c.nowNs)
}

/** tcp_xmit_probe_skb: an octet that was acknowledged, or the next one, asks the peer where it stands. */
export function sendProbe(c: Connection): Errno {
  return transmit(c, (c.sndUna - 1) | 0, 0, tcp.ACK)
}

/** tcp_write_wakeup: if the window leaves room for something, that; else an old sequence number. */
export function writeWakeup(c: Connection): Errno {
  if (c.state === State.CLOSED) return Errno.EPIPE
  if (c.unsent === 0 || !before(c.sndNxt, c.wndEnd)) return sendProbe(c)
  const fin = c.finQueued ? 1 : 0
  const room = distance(c.sndNxt, c.wndEnd)
  const mss = current(c)
  const data = Math.min(c.unsent - fin, mss, room)
  const isLast = data + fin >= c.unsent && data + fin <= room
  const end = (c.sndNxt + data + (isLast ? fin : 0)) | 0
  const seq = c.sndNxt
  const errno = sendNew(c, data, end, isLast && fin === 1, data > 0)
  if (errno === Errno.OK) takePush(c, seq, data)
  return errno
}

/** tcp_send_fin. */
export function sendFin(c: Connection): void {
  c.finQueued = true
  c.writeSeq = (c.writeSeq + 1) | 0
  push(c, Nagle.Off)
}

/** The connection's SYN or SYN-ACK, first or again. */
export function sendSyn(c: Connection, flags: number): Errno {
  const errno = emitSyn(c, flags, Math.min(c.rcvWnd, 65_535))
  if ((flags & tcp.ACK) !== 0) ackSent(c)
  return errno
}

/**
 * __tcp_retransmit_skb: record `index` again, at most a segment of it, as far as the peer's window allows.
 * Small neighbours go along (tcp_retrans_try_collapse).
 */
export function retransmit(c: Connection, index: number): Errno {
  const { rtx } = c
  const sent = rtx.at(index)
  // The first one still waits here for its neighbour (skb_still_in_host_queue).
  if (waitsForNeighbour(c)) {
    c.tcp.mib.TCPSpuriousRtxHostQueues++
    return Errno.EBUSY
  }
  if (before(sent.seq, c.sndUna) && (sent.flags & tcp.SYN) === 0) sent.seq = c.sndUna
  // Nowhere to send it: nothing is counted, and the reason is remembered (inet_sk_rebuild_header).
  const lost = noWay(c, route(c.tcp.ns, c.remote, c.dev))
  if (lost !== Errno.OK) {
    c.softError = lost
    return Errno.EHOSTUNREACH
  }
  if ((sent.flags & tcp.SYN) !== 0) {
    const errno = sendSyn(c, c.state === State.SYN_SENT ? tcp.SYN : tcp.SYN | tcp.ACK)
    c.tcp.mib.TCPSynRetrans++
    return sentAgain(c, sent, errno, 0)
  }
  const mss = current(c)
  let room = (c.wndEnd - sent.seq) | 0
  if (room <= 0) {
    if (sent.seq !== c.sndUna) return Errno.EAGAIN
    room = mss
  }
  const most = Math.min(mss, room)
  if (dataOf(sent) > most) cut(c, index, most)
  else if (dataOf(sent) < most) collapse(c, index, most)
  const flags = sent.flags & (tcp.FIN | tcp.PSH) | tcp.ACK
  const errno = transmit(c, sent.seq, dataOf(sent), flags)
  return sentAgain(c, sent, errno, dataOf(sent))
}

function sentAgain(c: Connection, sent: Sent, errno: Errno, data: number): Errno {
  const { mib } = c.tcp
  mib.TcpRetransSegs++
  c.totalRetrans++
  c.bytesRetrans += data
  sent.sacked |= EVER_RETRANS
  sent.sentNs = c.nowNs
  if (errno !== Errno.OK) return errno
  stampSent(c, sent)
  return Errno.OK
}

/** tcp_retransmit_skb: and counted as on its way. */
export function retransmitCounted(c: Connection, index: number): Errno {
  const sent = c.rtx.at(index)
  const errno = retransmit(c, index)
  if (errno === Errno.OK) {
    if ((sent.sacked & SACKED_RETRANS) === 0) c.retransOut++
    sent.sacked |= RETRANS
  }
  // Of one that could not leave it is when it last did.
  if (c.retransStampNs === 0) c.retransStampNs = Math.max(sent.sentNs, 1)
  if (c.undoRetrans < 0) c.undoRetrans = 0
  c.undoRetrans++
  return errno
}

/** Octets of payload. */
export function dataOf(sent: Sent): number {
  return distance(sent.seq, sent.end) - (sent.flags & tcp.FIN) - ((sent.flags & tcp.SYN) >> 1)
}

/** The record becomes two, and the counts with it (tcp_fragment). */
export function cut(c: Connection, index: number, data: number): void {
  const sent = c.rtx.at(index)
  const rest = c.rtx.split(index, (sent.seq + data) | 0, tcp.FIN | tcp.PSH)
  if ((rest.sacked & SACKED_ACKED) !== 0) c.sackedOut++
  if ((rest.sacked & LOST) !== 0) c.lostOut++
  if ((rest.sacked & SACKED_RETRANS) !== 0) c.retransOut++
}

/** Records behind this one that fit beside it and wait for the same go along. */
function collapse(c: Connection, index: number, most: number): void {
  const { rtx } = c
  const sent = rtx.at(index)
  while (index + 1 < rtx.length) {
    const next = rtx.at(index + 1)
    if ((next.sacked & SACKED_ACKED) !== 0 || (next.flags & tcp.SYN) !== 0) return
    if (dataOf(sent) + dataOf(next) > most || after(next.end, c.wndEnd)) return
    if ((next.sacked & LOST) !== 0) c.lostOut--
    if ((next.sacked & SACKED_RETRANS) !== 0) c.retransOut--
    sent.sacked |= next.sacked & EVER_RETRANS
    rtx.merge(index)
  }
}

/** tcp_xmit_retransmit_queue: what is lost again, as far as the congestion window allows. */
export function retransmitLost(c: Connection): void {
  const { rtx } = c
  if (rtx.length === 0) return
  let rearm = false
  let hint = -1
  for (let i = rtx.hint; i < rtx.length; i++) {
    if (c.inFlight >= c.cwnd) {
      if (hint < 0) hint = i
      break
    }
    if (c.retransOut >= c.lostOut) {
      if (hint < 0) hint = i
      break
    }
    const sent = rtx.at(i)
    if ((sent.sacked & LOST) === 0) {
      if (hint < 0 && (sent.sacked & (SACKED_RETRANS | SACKED_ACKED)) === 0) hint = i
      continue
    }
    if ((sent.sacked & (SACKED_ACKED | SACKED_RETRANS)) !== 0) continue
    if (c.ca === Ca.Loss) c.tcp.mib.TCPSlowStartRetrans++
    else c.tcp.mib.TCPFastRetrans++
    if (retransmitCounted(c, i) !== Errno.OK) {
      if (hint < 0) hint = i
      break
    }
    if (c.ca === Ca.Cwr || c.ca === Ca.Recovery) c.prrOut++
    if (i === 0 && c.pending !== Pending.Reorder) rearm = true
  }
  rtx.hint = hint < 0 ? rtx.length : hint
  if (rearm) setTimer(c, c.rto, c.rtt.rtoNs, Pending.Retransmit)
}

/** tcp_check_space: a writer that found no room hears when a third of the buffer is free. */
export function checkSpace(c: Connection): void {
  if (!c.noSpace) return
  if (c.packetsOut < c.cwnd) window.expandSend(c)
  const used = sendMemory(c, c.mssCache)
  if (c.sndbuf - used < used >>> 1) return
  c.noSpace = false
  c.wakeUp()
}

/** Nothing of it is to be sent any more (tcp_write_queue_purge). */
export function purge(c: Connection): void {
  c.rtx.clear()
  c.pushes.length = 0
  c.sackedOut = c.lostOut = c.retransOut = 0
  c.writeSeq = c.sndNxt = c.sndUna
  c.finQueued = false
  c.ring.release()
  c.backoff = 0
  clearTimer(c)
}
