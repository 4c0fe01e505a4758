/**
 * Who reaches whom as rows with one verdict each, in the words of a trace. Between pods and nodes nobody
 * translates addresses, so an answer to a request that came under another source address is no delivery.
 */
import type { Reach, ReachCell } from "@podwire/cluster"

export const FAMILIES = ["IPv4", "IPv6"] as const
/** `Translated`: answered, but the receiver saw an address that is not the sender's. */
export const VERDICTS = ["Delivered", "Translated", "Rejected", "Unreachable", "TimedOut"] as const

export interface Pair {
  /** A pod by namespace and name, or node/NAME. */
  readonly from: string
  readonly to: string
  readonly family: (typeof FAMILIES)[number]
  /** `absent`: expected, and nobody of that name is there. */
  readonly verdict: (typeof VERDICTS)[number] | "absent"
}

export function pairsOf({ cells }: Reach): ReadonlyArray<Pair> {
  return cells.map((cell) => ({
    from: cell.from, to: cell.to, family: cell.family === 4 ? "IPv4" : "IPv6", verdict: verdictOf(cell)
  }))
}

/** ICMP unreachable codes of filters: RFC 792 and 1812 section 5.2.7.1; RFC 4443 section 3.1. */
const REJECTED = ["3/9", "3/10", "3/13"]
const REJECTED6 = ["1/1", "1/5", "1/6"]

function verdictOf({ answered, sourceKept, family, why }: ReachCell): Pair["verdict"] {
  if (answered) return sourceKept ? "Delivered" : "Translated"
  if (!why.startsWith("ICMP ")) return why === "Unreachable" ? "Unreachable" : "TimedOut"
  const message = why.slice("ICMP ".length)
  return (family === 4 ? REJECTED : REJECTED6).includes(message) ? "Rejected" : "Unreachable"
}
