/**
 * Frames that ended for a reason that nobody expects fail a scenario; what every healthy network drops does
 * not.
 */
import type { Complaint, Problem } from "./input/index.ts"

/**
 * A bridge floods frames to ports they are not for, or has no second port to flood to, and neighbour and
 * multicast packets reach hosts that do not listen: ends that a Linux counter shows on any idle network.
 */
export const ORDINARY_DROPS: ReadonlySet<string> = new Set([
  "OTHERHOST", "IPV6_NDISC_NS_OTHERHOST", "ARP_IGNORED", "BRIDGE_NO_EGRESS"
])

type Drops = Readonly<Record<string, number | boolean>>

export function unexpectedDrops(
  drops: Readonly<Record<string, number>>, announcements: ReadonlyArray<Drops>,
  place: (complaint: Complaint & { readonly what: string }) => Problem
): ReadonlyArray<Problem> {
  const announced = new Map<string, { count: number; any: boolean }>()
  for (const [reason, count] of announcements.flatMap((some) => Object.entries(some))) {
    const before = announced.get(reason) ?? { count: 0, any: false }
    announced.set(
      reason,
      { count: before.count + (typeof count === "number" ? count : 0), any: before.any || count === true }
    )
  }
  const problems: Array<Problem> = []
  for (const [reason, count] of Object.entries(drops)) {
    const expected = announced.get(reason)
    if (expected?.any === true || expected?.count === count) continue
    problems.push(place({
      what: `${count} frames ended with ${reason}`,
      expected: expected === undefined ? "none" : String(expected.count),
      remedy: `if the scenario means it, say \`drops: { ${reason}: ${count} }\`; ` +
        "the capture's drop interfaces show which frames"
    }))
  }
  for (const [reason, { count, any }] of announced) {
    if (any || count === 0 || drops[reason] !== undefined) continue
    problems.push(place({ what: `no frame ended with ${reason}`, expected: String(count) }))
  }
  return problems
}
