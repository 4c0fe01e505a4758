/**
 * `kind: Cluster` of podwire.dev/v1: what the manifests run on. Everything may be left out; what is given
 * becomes a part of the plan. The document is strict: an unknown field is an error.
 */
import * as Schema from "effect/Schema"
import type { HostPlan, LinkPlan, NodePlan, Plan, ProgramPlan } from "@podwire/cluster"
import { family } from "@podwire/wire/ip"
import {
  Count, Duration, durationNs, bitsPerSecond, cidrOf, CidrText, Part, partsPerMillion, Rate
} from "./units.ts"

const optional = Schema.optionalKey

/** Impairments, in the words of tc-netem. */
export const Impairment = {
  delay: optional(Duration),
  jitter: optional(Duration),
  loss: optional(Part),
  duplicate: optional(Part),
  reorder: optional(Part),
  corrupt: optional(Part),
  rate: optional(Rate),
  limit: optional(Count)
}
const ImpairmentStruct = Schema.Struct(Impairment)
export type Impairment = typeof ImpairmentStruct.Type

const NodeEntry = Schema.Struct({
  name: Schema.String,
  zone: optional(Schema.String),
  labels: optional(Schema.Record(Schema.String, Schema.String)),
  taints: optional(Schema.Array(Schema.Struct({
    key: Schema.String, value: optional(Schema.String),
    effect: Schema.Literals(["NoSchedule", "PreferNoSchedule", "NoExecute"])
  }))),
  allocatable: optional(Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Number]))),
  unschedulable: optional(Schema.Boolean)
})

const HostEntry = Schema.Struct({
  name: Schema.String,
  addresses: Schema.Array(CidrText),
  routesToPods: optional(Schema.Boolean),
  program: optional(Schema.Array(Schema.String))
})

const ProgramEntry = Schema.Struct({
  namespace: optional(Schema.String),
  pod: Schema.String,
  container: optional(Schema.String),
  argv: Schema.Array(Schema.String)
})

export const ClusterDocument = Schema.Struct({
  apiVersion: Schema.Literals(["podwire.dev/v1"]),
  kind: Schema.Literals(["Cluster"]),
  metadata: optional(Schema.Struct({ name: optional(Schema.String) })),
  spec: optional(Schema.Struct({
    nodes: optional(Schema.Union([Count, Schema.Array(NodeEntry)])),
    zones: optional(Schema.Array(Schema.String)),
    ipFamilies: optional(Schema.Array(Schema.Literals(["IPv4", "IPv6"]))),
    podCIDRs: optional(Schema.Array(CidrText)),
    nodeCIDRMaskSize: optional(Schema.Struct({ ipv4: optional(Count), ipv6: optional(Count) })),
    serviceCIDRs: optional(Schema.Array(CidrText)),
    underlay: optional(
      Schema.Struct({
        cidrs: optional(Schema.Array(CidrText)), delay: optional(Duration), mtu: optional(Count)
      })
    ),
    links: optional(Schema.Array(Schema.Struct({
      between: Schema.Tuple([Schema.String, Schema.String]), ...Impairment
    }))),
    hosts: optional(Schema.Array(HostEntry)),
    programs: optional(Schema.Array(ProgramEntry)),
    cni: optional(Schema.Struct({ conflist: Schema.Unknown })),
    watchDelay: optional(Duration)
  }))
})
export type ClusterDocument = typeof ClusterDocument.Type
type Spec = NonNullable<ClusterDocument["spec"]>

/** The part of the plan that the document decides. */
export function planOf({ spec = {} }: ClusterDocument): Partial<Plan> {
  const ranges = { podCidrs: spec.podCIDRs, serviceCidrs: spec.serviceCIDRs, underlay: spec.underlay?.cidrs }
  const families = spec.ipFamilies?.map((name): 4 | 6 => (name === "IPv4" ? 4 : 6)) ??
    (
      spec.podCIDRs === undefined
        ? undefined
        : [...new Set(spec.podCIDRs.map((text) => family(cidrOf(text).ip)))]
    )
  return {
    ...families === undefined ? {} : { ipFamilies: families },
    ...Object.fromEntries(
      Object.entries(ranges).flatMap(([key, list]) => (list === undefined ? [] : [[key, list.map(cidrOf)]]))
    ),
    ...spec.nodes === undefined ? {} : { nodes: nodesOf(spec.nodes, spec.zones) },
    ...spec.nodeCIDRMaskSize === undefined
      ? {}
      : { nodeBits: { 4: spec.nodeCIDRMaskSize.ipv4 ?? 24, 6: spec.nodeCIDRMaskSize.ipv6 ?? 64 } },
    ...spec.underlay?.delay === undefined ? {} : { delayNs: durationNs(spec.underlay.delay)! },
    ...spec.underlay?.mtu === undefined ? {} : { mtu: spec.underlay.mtu },
    ...spec.links === undefined
      ? {}
      : { links: spec.links.map((link): LinkPlan => ({ between: link.between, spec: linkSpec(link) })) },
    ...spec.hosts === undefined ? {} : { hosts: spec.hosts.map(hostOf) },
    ...spec.programs === undefined ? {} : { programs: spec.programs.map(programOf) },
    ...spec.cni === undefined ? {} : { conflist: spec.cni.conflist },
    ...spec.watchDelay === undefined ? {} : { watchNs: durationNs(spec.watchDelay)! }
  }
}

export function linkSpec(given: Impairment): LinkPlan["spec"] {
  const ns = (text: string | undefined, key: "delayNs" | "jitterNs") => (
    text === undefined ? {} : { [key]: durationNs(text)! }
  )
  const ppm = (part: string | number | undefined, key: keyof LinkPlan["spec"]) =>
    part === undefined ? {} : { [key]: partsPerMillion(part)! }
  return {
    ...ns(given.delay, "delayNs"), ...ns(given.jitter, "jitterNs"), ...ppm(given.loss, "lossPpm"),
    ...ppm(given.duplicate, "duplicatePpm"), ...ppm(given.reorder, "reorderPpm"),
    ...ppm(given.corrupt, "corruptPpm"),
    ...given.rate === undefined ? {} : { rateBps: bitsPerSecond(given.rate)! },
    ...given.limit === undefined ? {} : { queuePackets: given.limit }
  }
}

function nodesOf(
  nodes: NonNullable<Spec["nodes"]>, zones: ReadonlyArray<string> = []
): ReadonlyArray<NodePlan> {
  const entries = typeof nodes === "number"
    ? Array.from({ length: nodes }, (_, i) => ({ name: `node${i + 1}` }))
    : nodes
  return entries.map((entry: typeof NodeEntry.Type, i) => {
    const zone = entry.zone ?? (zones.length === 0 ? undefined : zones[i % zones.length]!)
    const labels = { ...zone === undefined ? {} : { "topology.kubernetes.io/zone": zone }, ...entry.labels }
    const { allocatable } = entry
    return {
      name: entry.name,
      ...Object.keys(labels).length === 0 ? {} : { labels },
      ...entry.taints === undefined ? {} : { taints: entry.taints },
      ...allocatable === undefined
        ? {}
        : { allocatable: Object.fromEntries(Object.entries(allocatable).map(([k, v]) => [k, String(v)])) },
      ...entry.unschedulable === undefined ? {} : { unschedulable: entry.unschedulable }
    }
  })
}

function hostOf(host: typeof HostEntry.Type): HostPlan {
  return {
    name: host.name, addresses: host.addresses.map(cidrOf), routesToPods: host.routesToPods ?? false,
    program: host.program ?? null
  }
}

function programOf(program: typeof ProgramEntry.Type): ProgramPlan {
  return {
    namespace: program.namespace ?? "default", pod: program.pod, container: program.container ?? null,
    argv: program.argv
  }
}
