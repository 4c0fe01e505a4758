/**
 * The window that we offer: at first (tcp_select_initial_window), with each segment (__tcp_select_window),
 * how fast it opens (tcp_grow_window), and the buffer that grows with what the program reads in a round
 * trip (tcp_rcv_space_adjust).
 */
import type { Netns } from "@podwire/netns"
import { received } from "./cost.ts"
import type { Connection } from "./connection.ts"
import { distance } from "./seq.ts"
import { AckPending } from "./connection.ts"

const WINDOW_MAX = 65_535
const SIGNED_WINDOW_MAX = 32_767
const WSCALE_MAX = 14
export const INIT_CWND = 10

/** What a handshake offers. */
export class InitialWindow {
  window = 0
  clamp = 0
  wscale = 0
}

/** `mss` is the unit that the window is a multiple of; `clamp` 0 is none. */
export function initialWindow(
  ns: Netns, rcvbuf: number, mss: number, clamp: number, scales: boolean, into: InitialWindow
): InitialWindow {
  const { globals } = ns.sysctl
  const most = clamp === 0 ? WINDOW_MAX * 2 ** WSCALE_MAX : clamp
  let space = Math.min(fromSpace(rcvbuf, 128), most)
  if (space > mss) space -= space % mss
  into.window = Math.min(space, globals.tcp_workaround_signed_windows !== 0 ? SIGNED_WINDOW_MAX : WINDOW_MAX)
  into.wscale = 0
  if (scales) {
    let reach = Math.min(Math.max(space, globals.tcp_rmem_max, globals.rmem_max), most)
    while (reach > WINDOW_MAX && into.wscale < WSCALE_MAX) {
      reach = Math.floor(reach / 2)
      into.wscale++
    }
  }
  into.clamp = Math.min(WINDOW_MAX * 2 ** into.wscale, most)
  return into
}

/** tcp_win_from_space: what of a buffer is left for payload. */
export function fromSpace(bytes: number, ratio: number): number {
  return Math.floor(bytes * ratio / 256)
}

/** tcp_space and tcp_full_space. */
export function space(c: Connection): number {
  return fromSpace(Math.max(c.rcvbuf - c.queue.rmem, 0), c.scalingRatio)
}

export function fullSpace(c: Connection): number {
  return fromSpace(c.rcvbuf, c.scalingRatio)
}

/** __tcp_select_window: what we could offer now. */
export function select(c: Connection): number {
  let free = space(c)
  // A window that may shrink is never more than there is room for (shrink_window_allowed).
  if (c.rcvWscale > 0 && c.tcp.ns.sysctl.globals.tcp_shrink_window !== 0) free -= free % 2 ** c.rcvWscale
  const allowed = fullSpace(c)
  const full = Math.min(c.windowClamp, allowed)
  const mss = Math.min(c.rcvMss, full)
  if (mss <= 0) return 0
  const unit = 2 ** c.rcvWscale
  let room = free
  if (free < full >>> 1) {
    c.quick = 0
    room -= room % unit
    if (room < allowed >>> 4 || room < mss) return 0
  }
  if (room > c.rcvSsthresh) room = c.rcvSsthresh
  if (c.rcvWscale > 0) return Math.ceil(room / unit) * unit
  if (c.rcvWnd <= room - mss || c.rcvWnd > room) return room - room % mss
  return mss === full && room > c.rcvWnd + (full >>> 1) ? room : c.rcvWnd
}

/**
 * tcp_select_window: the header's field for the segment that goes out now; never less than what was
 * promised.
 */
export function announce(c: Connection): number {
  const { mib, ns } = c.tcp
  const before = c.rcvWnd
  const left = c.receiveWindow
  const unit = 2 ** c.rcvWscale
  let window = select(c)
  if (window < left && (ns.sysctl.globals.tcp_shrink_window === 0 || c.rcvWscale === 0)) {
    if (window === 0) mib.TCPWantZeroWindowAdv++
    window = Math.ceil(left / unit) * unit
  }
  c.rcvWnd = window
  c.rcvWup = c.rcvNxt
  const signed = c.rcvWscale === 0 && ns.sysctl.globals.tcp_workaround_signed_windows !== 0
  const field = Math.floor(Math.min(window, signed ? SIGNED_WINDOW_MAX : WINDOW_MAX * unit) / unit)
  if (field === 0) {
    if (before !== 0) mib.TCPToZeroWindowAdv++
  } else if (before === 0) mib.TCPFromZeroWindowAdv++
  return field
}

/** tcp_init_buffer_space: the connection is established. */
export function init(c: Connection): void {
  expandSend(c)
  const most = fullSpace(c)
  if (c.windowClamp >= most) c.windowClamp = most
  // One segment is kept back.
  if (c.windowClamp > 2 * c.advmss && c.windowClamp + c.advmss > most) {
    c.windowClamp = Math.max(2 * c.advmss, most - c.advmss)
  }
  c.rcvSsthresh = Math.min(c.rcvSsthresh, c.windowClamp)
  c.spaceNs = c.nowNs
  c.spaceSeq = c.copiedSeq
  c.spaceBytes = Math.min(c.rcvSsthresh, c.rcvWnd, INIT_CWND * c.advmss)
}

/** tcp_sndbuf_expand: room for two windows of segments as the kernel's memory counts them. */
export function expandSend(c: Connection): void {
  if (c.options.sndbuf > 0) return
  const segment = powerOfTwo(Math.max(c.mssClamp, c.mssCache) + SKB_OVERHEAD) + SKB_BYTES
  const segments = Math.max(INIT_CWND, c.cwnd, c.reordering + 1)
  const bytes = 2 * segments * segment
  if (c.sndbuf < bytes) c.sndbuf = Math.min(bytes, c.tcp.ns.sysctl.globals.tcp_wmem_max)
}

function powerOfTwo(count: number): number {
  return 2 ** (32 - Math.clz32(count - 1))
}

/** MAX_TCP_HEADER and skb_shared_info, and sk_buff. */
const SKB_OVERHEAD = 320 + 320
const SKB_BYTES = 256

/** tcp_measure_rcv_mss: how long the peer's segments are, and what part of a buffer they fill. */
export function measureMss(c: Connection, bytes: number, headerBytes: number, push: boolean): void {
  const last = c.lastSegSize
  c.lastSegSize = 0
  if (bytes >= c.rcvMss) {
    if (bytes !== c.rcvMss) adaptRatio(c, bytes)
    c.rcvMss = Math.min(bytes, c.advmss)
    if (push) c.ackPending |= AckPending.Pushed
    return
  }
  const withHeader = bytes + headerBytes
  if (withHeader >= 536 + 20 || (withHeader >= 88 + 20 && push)) {
    const size = withHeader - c.headerBytes
    c.lastSegSize = size
    if (size === last) {
      c.rcvMss = size
      return
    }
  }
  if ((c.ackPending & AckPending.Pushed) !== 0) c.ackPending |= AckPending.Pushed2
  c.ackPending |= AckPending.Pushed
}

function adaptRatio(c: Connection, bytes: number): void {
  const ratio = Math.max(1, Math.min(255, Math.floor(bytes * 256 / received(bytes))))
  if (ratio === c.scalingRatio) return
  c.scalingRatio = ratio
  c.windowClamp = Math.min(fullSpace(c), WINDOW_MAX * 2 ** c.rcvWscale)
  if (c.windowClamp < c.spaceBytes) c.spaceBytes = c.windowClamp
}

/** tcp_grow_window: a segment that costs its buffer little lets the window open. */
export function grow(c: Connection, bytes: number): void {
  const room = Math.min(c.windowClamp, space(c)) - c.rcvSsthresh
  if (room <= 0) return
  const memory = fromSpace(received(bytes), c.scalingRatio)
  let increment = 0
  if (memory <= bytes) increment = 2 * c.advmss
  else {
    let size = memory >> 1
    let window = fromSpace(c.tcp.ns.sysctl.globals.tcp_rmem_max, c.scalingRatio) >> 1
    while (c.rcvSsthresh <= window) {
      if (size <= bytes) {
        increment = 2 * c.rcvMss
        break
      }
      size >>= 1
      window >>= 1
    }
  }
  if (increment === 0) return
  c.rcvSsthresh += Math.min(room, Math.max(increment, 2 * bytes))
  c.quick |= 1
}

/** tcp_rcv_rtt_update. `byWindow`: the sample is a whole window's time, an upper bound. */
function sampleRtt(c: Connection, sampleUs: number, byWindow: boolean): void {
  const us = Math.max(sampleUs, 1)
  if (c.rcvRttUs8 === 0) c.rcvRttUs8 = us * 8
  else if (!byWindow) c.rcvRttUs8 += us - Math.floor(c.rcvRttUs8 / 8)
  else c.rcvRttUs8 = Math.min(c.rcvRttUs8, us * 8)
}

/** tcp_rcv_rtt_measure: how long a window's worth of data takes to come. */
export function measureRtt(c: Connection): void {
  if (c.rcvRttNs !== 0) {
    if (((c.rcvNxt - c.rcvRttSeq) | 0) < 0) return
    sampleRtt(c, Math.max(1, Math.floor((c.nowNs - c.rcvRttNs) / 1000)), true)
  }
  c.rcvRttSeq = (c.rcvNxt + c.rcvWnd) | 0
  c.rcvRttNs = c.nowNs
}

/** tcp_rcv_rtt_measure_ts: full segments that echo a new timestamp of ours. */
export function measureRttByEcho(c: Connection, bytes: number): void {
  if (!c.sawTstamp || c.rcvRttLastEcho === c.rcvTsecr) return
  c.rcvRttLastEcho = c.rcvTsecr
  if (bytes < c.rcvMss) return
  const delta = (c.timestamp - c.rcvTsecr) | 0
  if (delta < 0 || delta > 0x7fffffff / 1000) return
  sampleRtt(c, Math.max(delta, 1) * 1000, false)
}

/** tcp_rcv_space_adjust: the program has read; once a round trip the buffer follows what it read. */
export function adjust(c: Connection): void {
  const elapsedUs = Math.floor((c.nowNs - c.spaceNs) / 1000)
  if (c.rcvRttUs8 === 0 || elapsedUs < c.rcvRttUs8 >>> 3) return
  const copied = distance(c.spaceSeq, c.copiedSeq)
  if (copied > c.spaceBytes) growBuffer(c, copied)
  c.spaceSeq = c.copiedSeq
  c.spaceNs = c.nowNs
}

/** tcp_rcvbuf_grow: twice what a round trip brought, and more while the sender speeds up. */
function growBuffer(c: Connection, bytes: number): void {
  const old = c.spaceBytes
  const { globals } = c.tcp.ns.sysctl
  c.spaceBytes = bytes
  if (globals.tcp_moderate_rcvbuf === 0 || c.rcvbufLocked) return
  let window = bytes * 2
  window += Math.floor(window * (bytes - old) / Math.max(old, 1)) * 2
  if (c.queue.hasGaps) window += distance(c.rcvNxt, c.queue.lastEnd)
  const rcvbuf = Math.min(Math.floor(window * 256 / c.scalingRatio), globals.tcp_rmem_max)
  if (rcvbuf <= c.rcvbuf) return
  c.rcvbuf = rcvbuf
  c.windowClamp = Math.min(fullSpace(c), WINDOW_MAX * 2 ** c.rcvWscale)
}
