/**
 * How much of what waits goes out in one go. Linux builds long packets that the device cuts (TSO, GSO):
 * here each piece is a frame of its own, but when a burst leaves, how long it is and where it ends follow
 * the same rules (tcp_mss_split_point, tcp_tso_should_defer, tcp_xmit_size_goal).
 */
import { Ca, type Connection } from "./connection.ts"
import { SENT_OVERHEAD_BYTES } from "./cost.ts"
import { after, distance } from "./seq.ts"

/** GSO_MAX_SIZE without the headers. */
const GOAL_BYTES_MAX = 65_535 - 320
/** tcp_tso_win_divisor: this part of a window is worth a burst. */
const WINDOW_DIVISOR = 3
/** tcp_min_tso_segs. */
const BURST_SEGMENTS_MIN = 2
/** TSO is put off only just after something was sent. */
const RECENT_NS = 1_000_000

/**
 * tcp_xmit_size_goal: the longest packet that is built, a multiple of segments; never more than half a
 * window.
 */
export function sizeGoal(c: Connection, mss: number): number {
  const half = c.maxWindow > 536 ? c.maxWindow >>> 1 : c.maxWindow
  const goal = half > 0 && half < GOAL_BYTES_MAX ? Math.max(half, 68 - c.headerBytes) : GOAL_BYTES_MAX
  return Math.max(goal - goal % mss, mss)
}

/**
 * tcp_tso_autosize: the longest burst, segments; about a millisecond's worth, and more where the path is
 * short.
 */
function mostSegments(c: Connection, mss: number): number {
  const nearness = Math.floor(c.minRttUs / 512)
  if (nearness === 0 || c.srttUs8 === 0) return Math.max(Math.floor(GOAL_BYTES_MAX / mss), BURST_SEGMENTS_MIN)
  const { pacingRate } = c
  const bytes = Math.floor(pacingRate / 1024) + (nearness < 32 ? GOAL_BYTES_MAX >>> nearness : 0)
  return Math.max(Math.floor(Math.min(bytes, GOAL_BYTES_MAX) / mss), BURST_SEGMENTS_MIN)
}

/** sk_wmem_queued: what is written costs its octets and a head for each packet. */
export function sendMemory(c: Connection, mss: number): number {
  const packets = Math.ceil(c.unsent / sizeGoal(c, mss)) + (c.packetsOut > 0 ? 1 : 0)
  return c.queued + packets * SENT_OVERHEAD_BYTES
}

/** tcp_nagle_check: a segment that is not full has to wait. */
export function nagleHolds(c: Connection, corked: boolean, noDelay: boolean): boolean {
  if (corked) return true
  return !noDelay && c.packetsOut > 0 && after(c.sndSml, c.sndUna) && !after(c.sndSml, c.sndNxt)
}

/**
 * Octets of the next burst, of `data` that wait; at least one segment of them fits the window, and `quota`
 * segments fit the congestion window. 0: better wait for more room.
 */
export function burstBytes(
  c: Connection, data: number, mss: number, quota: number, corked: boolean, noDelay: boolean, mayDefer: boolean
): number {
  // A packet at the head takes in what follows it, as far as it may leave (tcp_grow_skb).
  const segments = mostSegments(c, mss)
  const most = mss * Math.min(quota, segments)
  const packet = Math.min(data, Math.max(most, sizeGoal(c, mss)))
  const isTail = packet === data
  if (mayDefer && isTail && !c.finQueued && defers(c, mss, quota, segments)) return 0
  const room = distance(c.sndNxt, c.wndEnd)
  if (most <= room && !isTail) return Math.min(most, packet)
  const needed = Math.min(packet, room)
  if (most <= needed) return most
  const partial = needed % mss
  return partial > 0 && nagleHolds(c, corked, noDelay) ? needed - partial : needed
}

/** tcp_tso_should_defer, of a tail that may still grow: an acknowledgement is about to make more room. */
function defers(c: Connection, mss: number, quota: number, segments: number): boolean {
  if (c.ca >= Ca.Recovery) return false
  if (c.nowNs - c.lastSentNs > RECENT_NS) return false
  const room = distance(c.sndNxt, c.wndEnd)
  const limit = Math.min(room, quota * mss)
  if (limit >= segments * mss) return false
  const chunk = Math.floor(Math.min(c.sndWnd, c.cwnd * mss) / WINDOW_DIVISOR)
  if (limit >= chunk) return false
  const { first } = c.rtx
  if (first === null) return false
  // The next acknowledgement comes within half a round trip, or it is not worth it.
  return c.nowNs - first.sentNs >= Math.floor(c.srttUs8 / 16) * 1000
}
