/**
 * What a cluster is built from, decided before any time has passed: nodes, families, address ranges,
 * links. Everything has a default that Kubernetes users recognise. `checkPlan` names what cannot be.
 */
import type { KubeObject } from "@podwire/api"
import type { LinkSpec } from "@podwire/netdev"
import { type Cidr, format, hostBitsSet, overlaps, parse } from "@podwire/wire/cidr"
import { family, type Ip } from "@podwire/wire/ip"
import { networkOf } from "./cni-network.ts"
import { NODES_MAX, PODS_PER_NODE_MAX } from "./limits.ts"

export interface NodePlan {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: ReadonlyArray<{ readonly key: string; readonly value?: string; readonly effect: string }>
  /** What the node can hold, as Kubernetes quantities; default: enough of everything, 110 pods. */
  readonly allocatable?: Readonly<Record<string, string>>
  readonly unschedulable?: boolean
}

/** A link between two nodes that is not perfect, from the start. */
export interface LinkPlan {
  readonly between: readonly [string, string]
  readonly spec: Partial<LinkSpec>
}

/** A machine on the nodes' network that is no node. */
export interface HostPlan {
  readonly name: string
  readonly addresses: ReadonlyArray<Cidr>
  /** It knows the way to the pods through the nodes, as a router's neighbour would. */
  readonly routesToPods: boolean
  readonly program: ReadonlyArray<string> | null
}

/** What runs in a container, whatever its image says. */
export interface ProgramPlan {
  readonly namespace: string
  /** A pod's name, or the name of what manages it. */
  readonly pod: string
  readonly container: string | null
  readonly argv: ReadonlyArray<string>
}

export interface Plan {
  readonly seed: number
  readonly nodes: ReadonlyArray<NodePlan>
  /** Address families, primary first. */
  readonly ipFamilies: ReadonlyArray<4 | 6>
  /** One range per family, and how large each node's share of it is. */
  readonly podCidrs: ReadonlyArray<Cidr>
  readonly nodeBits: Readonly<{ 4: number; 6: number }>
  readonly serviceCidrs: ReadonlyArray<Cidr>
  /** The network that the nodes' eth0 share. */
  readonly underlay: ReadonlyArray<Cidr>
  readonly mtu: number
  /** Delay of the underlay for every pair of nodes that `links` does not name. */
  readonly delayNs: number
  readonly links: ReadonlyArray<LinkPlan>
  readonly hosts: ReadonlyArray<HostPlan>
  readonly programs: ReadonlyArray<ProgramPlan>
  /** A CNI configuration list as read from a `.conflist`; null: Podwire's default. */
  readonly conflist: unknown
  /** How long a change takes from the API server to a watcher. */
  readonly watchNs: number
}

/** Namespaces that a new cluster has. */
export const SYSTEM_NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"] as const

const ALLOCATABLE = { cpu: "64", memory: "256Gi", pods: String(PODS_PER_NODE_MAX), "ephemeral-storage": "1Ti" }

/** The Node object that the node's agent registers. */
export function nodeObject(node: NodePlan): KubeObject {
  const resources = { ...ALLOCATABLE, ...node.allocatable }
  const spec = {
    ...node.taints === undefined ? {} : { taints: node.taints },
    ...node.unschedulable === true ? { unschedulable: true } : {}
  }
  return {
    apiVersion: "v1", kind: "Node",
    metadata: {
      name: node.name,
      labels: {
        "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux", ...node.labels
      }
    },
    spec,
    status: { capacity: resources, allocatable: resources, nodeInfo: NODE_INFO }
  }
}

const NODE_INFO = {
  architecture: "amd64", bootID: "", containerRuntimeVersion: "podwire://0.1.0", kernelVersion: "6.18.0", kubeProxyVersion: "",
  kubeletVersion: "v1.36.0", machineID: "", operatingSystem: "linux", osImage: "Podwire", systemUUID: ""
}

export interface PlanIssue {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

const cidr = (text: string): Cidr => parse(text)!

export const DEFAULT_POD_CIDRS = { 4: cidr("10.244.0.0/16"), 6: cidr("fd00:10:244::/56") }
export const DEFAULT_SERVICE_CIDRS = { 4: cidr("10.96.0.0/12"), 6: cidr("fd00:10:96::/112") }
/** kind's network, so that the addresses look familiar. */
export const DEFAULT_UNDERLAY = { 4: cidr("172.18.0.0/16"), 6: cidr("fc00:f853:ccd:e793::/64") }

export function nodeNames(count: number): ReadonlyArray<NodePlan> {
  return Array.from({ length: count }, (_, i) => ({ name: `node${i + 1}` }))
}

export function makePlan(given: Partial<Plan> & { readonly seed: number }): Plan {
  const ipFamilies = given.ipFamilies ?? [4, 6]
  const defaults = (ranges: { readonly 4: Cidr; readonly 6: Cidr }) => ipFamilies.map((f) => ranges[f])
  return {
    nodes: nodeNames(3),
    podCidrs: defaults(DEFAULT_POD_CIDRS),
    nodeBits: { 4: 24, 6: 64 },
    serviceCidrs: defaults(DEFAULT_SERVICE_CIDRS),
    underlay: defaults(DEFAULT_UNDERLAY),
    mtu: 1500,
    delayNs: 200_000,
    links: [],
    hosts: [],
    programs: [],
    conflist: null,
    watchNs: 1_000_000,
    ...given,
    ipFamilies
  }
}

export function checkPlan(plan: Plan): ReadonlyArray<PlanIssue> {
  const issues: Array<PlanIssue> = []
  const say = (path: ReadonlyArray<string | number>, message: string) => issues.push({ path, message })
  if (plan.nodes.length === 0) say(["nodes"], "must have at least one node")
  if (plan.nodes.length > NODES_MAX) say(["nodes"], `must have at most ${NODES_MAX} nodes`)
  const names = new Set<string>()
  plan.nodes.forEach((node, i) => {
    if (names.has(node.name)) say(["nodes", i, "name"], `Duplicate value: "${node.name}"`)
    names.add(node.name)
  })
  plan.links.forEach((link, i) => {
    for (const name of link.between) {
      if (!names.has(name)) say(["links", i, "between"], `no node is called "${name}"`)
    }
  })
  const ranges = { podCIDRs: plan.podCidrs, serviceCIDRs: plan.serviceCidrs, underlay: plan.underlay }
  const all: Array<{ readonly path: ReadonlyArray<string | number>; readonly range: Cidr }> = []
  for (const [key, list] of Object.entries(ranges)) {
    list.forEach((range, i) => {
      const path = [key, i]
      if (hostBitsSet(range)) say(path, `${format(range)} has bits set to the right of its prefix`)
      for (const other of all) {
        if (family(other.range.ip) === family(range.ip) && overlaps(other.range, range)) {
          say(path, `${format(range)} overlaps ${other.path.join(".")} ${format(other.range)}`)
        }
      }
      all.push({ path, range })
    })
    for (const f of plan.ipFamilies) {
      if (list.filter((range) => family(range.ip) === f).length !== 1) {
        say([key], `must have exactly one IPv${f} range`)
      }
    }
  }
  for (const range of plan.podCidrs) checkShares(plan, range, say)
  const network = networkOf(plan, plan.podCidrs)
  if (!("plugins" in network)) issues.push(...network)
  for (const range of plan.underlay) {
    const hosts = 2 ** Math.min(30, (family(range.ip) === 4 ? 32 : 128) - range.bits) - 3
    if (plan.nodes.length > hosts) {
      say(["underlay"], `${format(range)} has no room for ${plan.nodes.length} nodes`)
    }
  }
  return issues
}

/** kube-controller-manager refuses shares more than 16 bits longer than the range. */
function checkShares(
  plan: Plan, range: Cidr, say: (path: ReadonlyArray<string | number>, message: string) => void
): void {
  const f = family(range.ip)
  const bits = plan.nodeBits[f]
  const path = ["podCIDRs", plan.podCidrs.indexOf(range)]
  if (bits < range.bits) say(path, `${format(range)} is smaller than one node's share, a /${bits}`)
  else if (bits - range.bits > 16) say(path, `${format(range)} cut into /${bits} makes more than 65536 shares`)
  else if (2 ** (bits - range.bits) < plan.nodes.length) {
    say(path, `${format(range)} cut into /${bits} is enough for ${2 ** (bits - range.bits)} nodes, not ` +
      `${plan.nodes.length}`)
  }
}

/** The n-th node's address in the underlay: .1 is left to a gateway. */
export function underlayAddress(range: Cidr, node: number): Cidr {
  const ip = range.ip.slice() as Ip
  const last = ip.length - 1
  ip[last] = (ip[last]! + 2 + node) | 0
  return { ip, bits: range.bits }
}

