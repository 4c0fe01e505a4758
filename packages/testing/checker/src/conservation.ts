/** The books of the frame pool: what was taken was delivered or dropped, once; at rest nothing is on its way. */
import type { Cluster } from "@podwire/cluster"

/** What is wrong, or nothing. */
export function conservation({ pool }: Cluster): ReadonlyArray<string> {
  const wrong: Array<string> = []
  const balance = pool.balance()
  if (balance !== null) wrong.push(balance)
  if (pool.allocated !== pool.delivered + pool.dropped) {
    wrong.push(`${pool.allocated} frames were taken, ${pool.delivered} delivered, ${pool.dropped} dropped`)
  }
  if (pool.exhausted > 0) wrong.push(`${pool.exhausted} frames could not be had`)
  const byReason = pool.dropsByReason.reduce((sum, count) => sum + count, 0)
  if (byReason !== pool.dropped) wrong.push(`${pool.dropped} drops, ${byReason} by reason`)
  wrong.push(...pool.leaks())
  return wrong
}
