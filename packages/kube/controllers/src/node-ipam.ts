/**
 * Each node's part of the cluster's ranges (pkg/controller/nodeipam/ipam, the range allocator): one part of
 * every range, written to `spec.podCIDR` and `spec.podCIDRs` in the order of the nodes' creation.
 *
 * Invariant: no two nodes' parts overlap, nor do parts and the service ranges. As the real allocator it goes
 * on behind the part it gave last and comes back to freed ones only after the range went by; where it stands
 * is its one piece of memory.
 */
import type { Node } from "@podwire/api/schema/node"
import { refOf } from "@podwire/api"
import * as cidr from "./cidr.ts"
import {
  type Change, type Controller, NOTHING, type ObjectEvent, type Outcome, type View
} from "./controller.ts"

export interface NodeIpamOptions {
  /**
   * `--cluster-cidr`, one of each family at most, with the length of a node's part (`--node-cidr-mask-size`).
   */
  readonly ranges: ReadonlyArray<{ readonly cidr: string; readonly nodeLength: number }>
  /** `--service-cluster-ip-range`: not given to nodes. */
  readonly serviceCidrs?: ReadonlyArray<string>
}

const KEY = ["nodes"]

interface Range {
  readonly cidr: cidr.Cidr
  readonly nodeLength: number
  next: number
}

/** Null for a range that is none, or that has no part of that length. */
export function nodeIpam({ ranges, serviceCidrs = [] }: NodeIpamOptions): Controller | null {
  const parsed = ranges.map(({ cidr: text, nodeLength }): Range | null => {
    const range = cidr.parse(text)
    if (range === null || nodeLength > range.bits || cidr.partCount(range, nodeLength) === 0) return null
    return { cidr: range, nodeLength, next: 0 }
  })
  const services = serviceCidrs.map(cidr.parse)
  if (parsed.includes(null) || services.includes(null)) return null
  // Exhausted nodes are said so once: the allocator's own queue would say it at every retry.
  const refused = new Set<string>()
  return {
    name: "node-ipam-controller",
    watches: ["Node"],
    keysOf: (object, before) => {
      if (object === before) refused.delete(object.metadata.uid!)
      return object === before || before === null || cidrsOf(object as Node) !== cidrsOf(before as Node) ? KEY
        : []
    },
    reconcile: (_, view) => allocate(view, parsed as Array<Range>, services as Array<cidr.Cidr>, refused)
  }
}

function cidrsOf({ spec }: Node): string {
  return spec?.podCIDRs?.join() ?? spec?.podCIDR ?? ""
}

function allocate(
  view: View, ranges: ReadonlyArray<Range>, services: ReadonlyArray<cidr.Cidr>, refused: Set<string>
): Outcome {
  const nodes = [...view.each("Node")] as Array<Node>
  const waiting = nodes.filter((node) => cidrsOf(node) === "")
  if (waiting.length === 0 || ranges.length === 0) return NOTHING
  const given = nodes.flatMap(({ spec }) => spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : []))
    .map(cidr.parse).filter((part) => part !== null)
  const taken = ranges.map((range) => occupied(range, [...services, ...given]))
  const changes: Array<Change> = []
  const events: Array<ObjectEvent> = []
  for (const node of waiting) {
    const parts = ranges.map((range, i) => nextFree(range, taken[i]!))
    if (parts.includes(null)) {
      if (!refused.has(node.metadata.uid!)) events.push(notAvailable(node))
      refused.add(node.metadata.uid!)
      continue
    }
    parts.forEach((index, i) => {
      taken[i]!.add(index!)
      ranges[i]!.next = index! + 1
    })
    const podCIDRs = parts.map((index, i) =>
      cidr.format(cidr.part(ranges[i]!.cidr, ranges[i]!.nodeLength, index!)))
    changes.push({ _tag: "Update", object: withParts(node, podCIDRs) })
  }
  return { changes, events }
}

/** A patch in the real allocator: a status that the node's agent wrote meanwhile is no conflict. */
function withParts(
  { metadata: { resourceVersion: _, ...metadata }, ...node }: Node, podCIDRs: ReadonlyArray<string>
): Node {
  return { ...node, metadata, spec: { ...node.spec, podCIDR: podCIDRs[0]!, podCIDRs } }
}

function occupied({ cidr: range, nodeLength }: Range, others: ReadonlyArray<cidr.Cidr>): Set<number> {
  const taken = new Set<number>()
  for (const other of others) {
    const covered = cidr.partsCovered(range, nodeLength, other)
    if (covered === null) continue
    for (let index = covered[0]; index <= covered[1]; index++) taken.add(index)
  }
  return taken
}

/** From where the last one was given, once around. */
function nextFree(range: Range, taken: ReadonlySet<number>): number | null {
  const count = cidr.partCount(range.cidr, range.nodeLength)
  if (taken.size >= count) return null
  for (let i = 0; i < count; i++) {
    const index = (range.next + i) % count
    if (!taken.has(index)) return index
  }
  return null
}

function notAvailable(node: Node): ObjectEvent {
  const message = `Node ${node.metadata.name!} status is now: CIDRNotAvailable`
  return { about: refOf(node), type: "Normal", reason: "CIDRNotAvailable", message }
}
