/**
 * Plans: one to six nodes, either family or both in either order, any ranges, links that are perfect or not.
 * Every plan is legal (`checkPlan` has nothing to say, which is asserted). Shrinks to one node, IPv4, perfect
 * links, seed 0.
 */
import { checkPlan, makePlan, type NodePlan, type Plan } from "@podwire/cluster"
import fc from "fast-check"
import { BOUNDS, type ImpairmentBounds, links } from "./link.ts"
import { type Ranges, ranges4, ranges6 } from "./range.ts"

export interface PlanBounds {
  readonly nodesMin?: number
  readonly nodesMax?: number
  readonly links?: ImpairmentBounds | null
  /** Nodes that ordinary pods may not come to. */
  readonly closed?: boolean
  /** A node's share of the pod ranges has room for one to thirteen pods. */
  readonly tight?: boolean
}

const FAMILIES: ReadonlyArray<ReadonlyArray<4 | 6>> = [[4], [6], [4, 6], [6, 4]]
const TAINT = { key: "example.com/closed", value: "", effect: "NoSchedule" }

export function plan(bounds: PlanBounds = {}): fc.Arbitrary<Plan> {
  const { nodesMin = 1, nodesMax = 6, links: linkBounds = BOUNDS, closed = true, tight = false } = bounds
  return fc.record({
    seed: fc.nat({ max: 0x7fffffff }),
    nodes: fc.integer({ min: nodesMin, max: nodesMax }),
    families: fc.constantFrom(...FAMILIES),
    v4: ranges4(tight),
    v6: ranges6(tight),
    mtu: fc.constantFrom(1500, 1280, 1450, 9000),
    delayNs: fc.constantFrom(0, 200_000, 5_000_000),
    watchNs: fc.constantFrom(1_000_000, 0, 50_000_000),
    links: linkBounds === null ? fc.constant([]) : links(linkBounds),
    special: fc.array(fc.constantFrom("", "", "", "unschedulable", "tainted"), { maxLength: closed ? 5 : 0 })
  }).map(({ nodes, families, v4, v6, links: drawn, special, ...rest }) => {
    const of = (f: 4 | 6): Ranges => (f === 4 ? v4 : v6)
    const names = Array.from({ length: nodes }, (_, i) => `node${i + 1}`)
    const pairs = new Set<string>()
    const made = makePlan({
      ...rest,
      // The first node takes everything.
      nodes: names.map((name, i): NodePlan => nodeOf(name, i === 0 ? "" : special[i - 1] ?? "")),
      ipFamilies: families,
      podCidrs: families.map((f) => of(f).pods),
      serviceCidrs: families.map((f) => of(f).services),
      underlay: families.map((f) => of(f).underlay),
      nodeBits: { 4: v4.nodeBits, 6: v6.nodeBits },
      links: drawn.flatMap(({ a, b, spec }) => {
        const key = [Math.min(a, b), Math.max(a, b)].join("-")
        if (a === b || Math.max(a, b) >= nodes || pairs.has(key)) return []
        pairs.add(key)
        return [{ between: [names[a]!, names[b]!] as const, spec }]
      })
    })
    const [issue] = checkPlan(made)
    if (issue !== undefined) throw new Error(`not a legal plan: ${issue.path.join(".")}: ${issue.message}`)
    return made
  })
}

function nodeOf(name: string, special: string): NodePlan {
  if (special === "unschedulable") return { name, unschedulable: true }
  return special === "tainted" ? { name, taints: [TAINT] } : { name }
}
