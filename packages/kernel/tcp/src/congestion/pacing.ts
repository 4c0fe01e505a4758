/**
 * sk_pacing_rate (tcp_update_pacing_rate): the rate at which a window would leave if it were paced. TCP does
 * not pace here, as Linux without fq or bbr does not; HyStart and `ss` read the number.
 */

/** net.ipv4.tcp_pacing_ss_ratio and tcp_pacing_ca_ratio, percent; the sysctls are *not supported*. */
const SLOW_START_PERCENT = 200
const AVOIDANCE_PERCENT = 120

export interface Paced {
  readonly cwnd: number
  readonly ssthresh: number
  readonly packetsOut: number
  /** mss_cache, octets. */
  readonly mss: number
  readonly srttUs8: number
}

/** Octets a second, rounded down; 0 before the first round trip, when Linux has no limit. */
export function pacingRate(paced: Paced): number {
  const { cwnd, ssthresh, srttUs8 } = paced
  if (srttUs8 === 0) return 0
  const percent = cwnd < ssthresh >>> 1 ? SLOW_START_PERCENT : AVOIDANCE_PERCENT
  const octets = paced.mss * Math.max(cwnd, paced.packetsOut) * percent
  // Eight (the scale of srtt) times a million over a hundred; in two steps, as one would pass 2^53.
  return Math.floor(octets / srttUs8) * 80_000 + Math.floor(((octets % srttUs8) * 80_000) / srttUs8)
}
