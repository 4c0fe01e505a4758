/**
 * What a cluster is built from, decided before any time has passed: nodes, families, address ranges,
 * links. Everything has a default that Kubernetes users recognise. `checkPlan` names what cannot be.
 */
import type { KubeObject } from "@podwire/api"
import { type LinkSpec, PERFECT, specFault } from "@podwire/netdev"
import { type Cidr, contains, format, hostBitsSet, overlaps, parse } from "@podwire/wire/cidr"
import { family, format as formatIp, type Ip, isLoopback, isMulticast } from "@podwire/wire/ip"
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

const ALLOCATABLE = {
  cpu: "64", memory: "256Gi", pods: String(PODS_PER_NODE_MAX), "ephemeral-storage": "1Ti"
}

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
        "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux",
        ...node.labels
      }
    },
    spec,
    status: { capacity: resources, allocatable: resources, nodeInfo: NODE_INFO }
  }
}

const NODE_INFO = {
  architecture: "amd64", bootID: "", containerRuntimeVersion: "podwire://0.1.0", kernelVersion: "6.18.0",
  kubeProxyVersion: "",
  kubeletVersion: "v1.36.0", machineID: "", operatingSystem: "linux", osImage: "Podwire", systemUUID: ""
}

export interface PlanIssue {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

const cidr = (text: string): Cidr => parse(text)!

export const DEFAULT_POD_CIDRS = { 4: cidr("10.244.0.0/16"), 6: cidr("fd00:10:244::/56") }
export const DEFAULT_SERVICE_CIDRS = { 4: cidr("10.96.0.0/12"), 6: cidr("fd00:10:96::/112") }
/** Addresses that no interface of a cluster can have (IANA special-purpose registries). */
const SPECIAL: ReadonlyArray<{ readonly cidr: Cidr; readonly what: string }> = [
  { cidr: cidr("0.0.0.0/8"), what: "this network" }, { cidr: cidr("127.0.0.0/8"), what: "loopback" },
  { cidr: cidr("169.254.0.0/16"), what: "link-local" },
  { cidr: cidr("224.0.0.0/3"), what: "multicast and reserved" },
  { cidr: cidr("::/96"), what: "unspecified and loopback" },
  { cidr: cidr("::ffff:0:0/96"), what: "IPv4-mapped" },
  { cidr: cidr("fe80::/10"), what: "link-local" }, { cidr: cidr("ff00::/8"), what: "multicast" }
]
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

type Say = (path: ReadonlyArray<string | number>, message: string) => void

export function checkPlan(plan: Plan): ReadonlyArray<PlanIssue> {
  const issues: Array<PlanIssue> = []
  const say: Say = (path, message) => issues.push({ path, message })
  const { ipFamilies } = plan
  checkMachines(plan, say)
  checkLinks(plan, say)
  // Everything below is told by family.
  if (ipFamilies.length === 0 || new Set(ipFamilies).size !== ipFamilies.length) {
    say(["ipFamilies"], "must be one or two different families")
    return issues
  }
  checkRanges(plan, say)
  const mtuMin = ipFamilies.includes(6) ? MTU_MIN_6 : MTU_MIN
  if (plan.mtu < mtuMin || plan.mtu > MTU_MAX) {
    say(["underlay", "mtu"], `must be between ${mtuMin} and ${MTU_MAX}, inclusive`)
  }
  if (issues.length > 0) return issues
  for (const range of plan.podCidrs) checkShares(plan, range, say)
  // The first node's shares stand for everybody's.
  const shares = plan.podCidrs.map(
    ({ ip, bits }) => ({ ip, bits: Math.max(bits, plan.nodeBits[family(ip)]) })
  )
  if (issues.length === 0) {
    const network = networkOf(plan, shares)
    if (!("plugins" in network)) issues.push(...network)
  }
  for (const range of plan.underlay) {
    const hosts = 2 ** Math.min(30, (family(range.ip) === 4 ? 32 : 128) - range.bits) - 3
    if (plan.nodes.length > hosts) {
      say(["underlay"], `${format(range)} has no room for ${plan.nodes.length} nodes`)
    }
  }
  if (issues.length === 0) checkHostAddresses(plan, say)
  return issues
}

/** A link's least MTU (RFC 791), IPv6's (RFC 8200, section 5), and what IPv4's total length can say. */
const MTU_MIN = 68
const MTU_MIN_6 = 1280
const MTU_MAX = 65_535
/** RFC 1123 subdomain, as a Node's name must be. */
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

function checkMachines(plan: Plan, say: Say): void {
  if (plan.nodes.length === 0) say(["nodes"], "must have at least one node")
  if (plan.nodes.length > NODES_MAX) say(["nodes"], `must have at most ${NODES_MAX} nodes`)
  const names = new Set<string>()
  for (const key of ["nodes", "hosts"] as const) {
    plan[key].forEach(({ name }, i) => {
      if (names.has(name)) say([key, i, "name"], `Duplicate value: "${name}"`)
      if (!SUBDOMAIN.test(name) || name.length > 253) {
        say([key, i, "name"], `Invalid value: "${name}": a lowercase RFC 1123 subdomain is expected`)
      }
      names.add(name)
    })
  }
}

function checkLinks(plan: Plan, say: Say): void {
  const names = new Set([...plan.nodes, ...plan.hosts].map(({ name }) => name))
  plan.links.forEach(({ between, spec }, i) => {
    for (const name of between) {
      if (!names.has(name)) say(["links", i, "between"], `no node or host is called "${name}"`)
    }
    if (between[0] === between[1]) {
      say(["links", i, "between"], `"${between[0]}" twice; a link lies between two machines`)
    }
    const fault = specFault({ ...PERFECT, delayNs: plan.delayNs, ...spec })
    if (fault !== null) {
      say(
        ["links", i],
        fault.replace(
          "reorderPpm needs a delay", "reorder needs a delay: what is sent at once overtakes what waits"
        )
      )
    }
  })
}

function checkRanges(plan: Plan, say: Say): void {
  const ranges = { podCIDRs: plan.podCidrs, serviceCIDRs: plan.serviceCidrs, underlay: plan.underlay }
  const all: Array<{ readonly path: ReadonlyArray<string | number>; readonly range: Cidr }> = []
  for (const [key, list] of Object.entries(ranges)) {
    list.forEach((range, i) => {
      const path = key === "underlay" ? [key, "cidrs", i] : [key, i]
      if (hostBitsSet(range)) say(path, `${format(range)} has bits set to the right of its prefix`)
      const special = SPECIAL.find(
        ({ cidr: other }) => family(other.ip) === family(range.ip) && overlaps(other, range)
      )
      if (special !== undefined) {
        say(path, `${format(range)} overlaps ${format(special.cidr)}, ${special.what}`)
      }
      for (const other of all) {
        if (family(other.range.ip) === family(range.ip) && overlaps(other.range, range)) {
          const there = `spec.${other.path.join(".").replace(/\.(\d+)/g, "[$1]")}`
          say(path, `${format(range)} overlaps ${there} ${format(other.range)}`)
        }
      }
      all.push({ path, range })
    })
    for (const f of plan.ipFamilies) {
      if (list.filter((range) => family(range.ip) === f).length !== 1) {
        say([key], `must have exactly one IPv${f} range`)
      }
    }
    if (list.some((range) => !plan.ipFamilies.includes(family(range.ip)))) {
      say([key], "has a range of a family that ipFamilies does not name")
    }
  }
}

function checkHostAddresses(plan: Plan, say: Say): void {
  const taken = new Map<string, string>()
  plan.nodes.forEach(({ name }, i) => {
    for (const range of plan.underlay) taken.set(formatIp(underlayAddress(range, i).ip), name)
  })
  plan.hosts.forEach(({ name, addresses }, i) => {
    addresses.forEach(({ ip }, j) => {
      const text = formatIp(ip)
      const holder = taken.get(text)
      if (holder !== undefined) say(["hosts", i, "addresses", j], `${text} is ${holder}'s address`)
      if (isMulticast(ip) || isLoopback(ip)) {
        say(["hosts", i, "addresses", j], `${text} is no address of an interface`)
      }
      const pods = plan.podCidrs.find((range) => contains(range, ip))
      if (pods !== undefined) say(["hosts", i, "addresses", j], `${text} lies in podCIDRs ${format(pods)}`)
      taken.set(text, name)
    })
  })
}

/** kube-controller-manager refuses shares more than 16 bits longer than the range. */
function checkShares(plan: Plan, range: Cidr, say: Say): void {
  const f = family(range.ip)
  const bits = plan.nodeBits[f]
  const path = ["podCIDRs", plan.podCidrs.indexOf(range)]
  const most = f === 4 ? 30 : 126
  if (bits > most) {
    say(["nodeCIDRMaskSize", `ipv${f}`], `/${bits} leaves no address for a pod; at most /${most}`)
  } else if (bits < range.bits) say(path, `${format(range)} is smaller than one node's share, a /${bits}`)
  else if (bits - range.bits > 16) {
    say(path, `${format(range)} cut into /${bits} makes more than 65536 shares`)
  } else if (2 ** (bits - range.bits) < plan.nodes.length) {
    say(path, `${format(range)} cut into /${bits} is enough for ${2 ** (bits - range.bits)} nodes, not ` +
      `${plan.nodes.length}; give a Cluster document wider podCIDRs, or a longer nodeCIDRMaskSize`)
  }
}

/** The n-th node's address in the underlay: .1 is left to a gateway. */
export function underlayAddress(range: Cidr, node: number): Cidr {
  const ip = range.ip.slice() as Ip
  const last = ip.length - 1
  ip[last] = (ip[last]! + 2 + node) | 0
  return { ip, bits: range.bits }
}

