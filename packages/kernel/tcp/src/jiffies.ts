/**
 * The kernel's tick. TCP rounds its timeouts, and CUBIC its clock, to jiffies; this kernel ticks 250 times a
 * second, as Debian's and Ubuntu's did and as the referee's does (netns/conf.ts keeps its seconds likewise),
 * so that a timeout is a multiple of 4 ms. Timestamps are not jiffies: they count milliseconds at any HZ
 * (TCP_TS_HZ). *Not supported*: a tick's phase; jiffy n begins at n times JIFFY_NS of the engine's clock.
 */
import type { Ns } from "@podwire/engine"

export const HZ = 250
export const JIFFY_NS: Ns = 1_000_000_000 / HZ
export const JIFFY_US = 1_000_000 / HZ

/** tcp_jiffies32, without its wrap. */
export function jiffiesAt(nowNs: Ns): number {
  return Math.floor(nowNs / JIFFY_NS)
}

/** usecs_to_jiffies: rounded up. */
export function usToJiffies(us: number): number {
  return Math.ceil(us / JIFFY_US)
}
