/**
 * When a timer of the kernel really fires. Its wheel (kernel/time/timer.c) keeps near deadlines to the
 * jiffy and far ones coarsely, always rounded up: within 64 jiffies to one, within 512 to 8, within 4096 to
 * 64, and so on. That is why a SYN is sent again after 1.03 s and not after 1.
 */
import type { Ns } from "@podwire/engine"
import { JIFFY_NS, jiffiesAt } from "./jiffies.ts"

const SLOTS = 64
const LEVELS_MAX = 8

/**
 * The instant at which a timer set at `nowNs` for `delayNs` later fires; the delay is rounded up to
 * jiffies.
 */
export function fireNs(nowNs: Ns, delayNs: Ns): Ns {
  const delay = delayNs <= 0 ? 0 : Math.ceil(delayNs / JIFFY_NS)
  let granularity = 1
  let reach = SLOTS - 1
  for (let level = 0; level < LEVELS_MAX && delay >= reach; level++) {
    granularity *= 8
    reach = (SLOTS - 1) * granularity
  }
  return (Math.floor((jiffiesAt(nowNs) + delay) / granularity) + 1) * granularity * JIFFY_NS
}
