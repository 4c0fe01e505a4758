/**
 * Pods that are alike to the scheduler: one template, one owner. What is asked of nodes is asked once for all
 * of them, whoever comes first.
 */
import { matchesNode, untolerated } from "@podwire/api"
import type { Pod, PodSpec } from "@podwire/api/schema/pod"
import { taintsOf } from "../taint.ts"
import { isBefore, NodeHeap } from "./heap.ts"
import { hostPortsOf, type NodeInfo, requestsOf, type Resources } from "./node-info.ts"
import { HOPELESS, type Placement, Topology } from "./topology.ts"

export interface Pass {
  readonly nodes: ReadonlyArray<NodeInfo>
  readonly byName: ReadonlyMap<string, NodeInfo>
  /** What has been placed, in order. */
  readonly log: Array<Placement>
  /** Some pod keeps others away, so everybody must ask. */
  readonly averse: boolean
  podsOf(info: NodeInfo): Iterable<Pod>
}

const NO_PORTS = "node(s) didn't have free ports for the requested pod ports"
const TAINTED = "node(s) had untolerated taint(s)"
const UNAVAILABLE = "node(s) were unschedulable"
const NO_AFFINITY = "node(s) didn't match Pod's node affinity/selector"
const HARD = ["NoSchedule", "NoExecute"]
const UNSCHEDULABLE_TAINT = [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }]

export class PodClass {
  readonly pod: Pod
  readonly requests: Resources
  readonly ports: ReadonlyArray<string>
  readonly #pass: Pass
  readonly #own: Map<NodeInfo, number>
  readonly #topology: Topology | null
  #heap: NodeHeap | null = null
  #candidates: ReadonlyArray<NodeInfo> | null = null
  #failure: string | null = null

  constructor(pod: Pod, pass: Pass, own: Map<NodeInfo, number>) {
    this.pod = pod
    this.#pass = pass
    this.#own = own
    this.requests = requestsOf(pod.spec)
    this.ports = hostPortsOf(pod.spec)
    const { affinity, topologySpreadConstraints } = pod.spec
    const choosy = affinity?.podAffinity !== undefined || affinity?.podAntiAffinity !== undefined ||
      topologySpreadConstraints !== undefined
    this.#topology = choosy || pass.averse ? new Topology(pod, pass.nodes, pass.podsOf) : null
  }

  get movesOn(): boolean {
    return this.#topology?.movesOn ?? false
  }

  /** The best node for the next one of these; null when no node will do. */
  place(): NodeInfo | null {
    this.#topology?.catchUp(this.#pass.log)
    this.#candidates ??= this.#admitted()
    if (this.movesOn) return this.#scan(this.#candidates)
    this.#heap ??= new NodeHeap(this.#candidates, this.#own)
    for (let info = this.#heap.peek(); info !== null; info = this.#heap.peek()) {
      if (this.#hasRoom(info) && (this.#topology?.refusal(info) ?? null) === null) return info
      this.#heap.drop()
    }
    return null
  }

  placed(info: NodeInfo, pod: Pod): void {
    info.add(pod, this.requests, this.ports)
    this.#own.set(info, (this.#own.get(info) ?? 0) + 1)
    this.#pass.log.push({ pod, info })
  }

  /** Why no node will do, as framework/types.go's FitError says it. */
  failure(): string {
    if (this.#failure !== null && !this.movesOn) return this.#failure
    const { nodes } = this.#pass
    if (nodes.length === 0) return "no nodes available to schedule pods"
    const reasons = new Map<string, number>()
    let hopeless = 0
    for (const info of nodes) {
      const [found, resolvable] = this.#reasons(info)
      for (const reason of found) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      if (!resolvable) hopeless++
    }
    const preemption = new Map<string, number>()
    if (hopeless < nodes.length) {
      preemption.set("No preemption victims found for incoming pod", nodes.length - hopeless)
    }
    if (hopeless > 0) preemption.set("Preemption is not helpful for scheduling", hopeless)
    const none = `0/${nodes.length} nodes are available:`
    return this.#failure = `${none} ${histogram(reasons)}. preemption: ${none} ${histogram(preemption)}.`
  }

  #admitted(): ReadonlyArray<NodeInfo> {
    const names = namedNodes(this.pod.spec)
    const nodes = names === null ? this.#pass.nodes
      : [...names].map((name) => this.#pass.byName.get(name)).filter((info) => info !== undefined)
    return nodes.filter((info) => this.#refusal(info) === null)
  }

  #scan(candidates: ReadonlyArray<NodeInfo>): NodeInfo | null {
    const entry = (info: NodeInfo) => ({ info, own: this.#own.get(info) ?? 0, pods: info.pods })
    let best: NodeInfo | null = null
    for (const info of candidates) {
      if (best !== null && !isBefore(entry(info), entry(best))) continue
      if (this.#hasRoom(info) && this.#topology!.refusal(info) === null) best = info
    }
    return best
  }

  #hasRoom(info: NodeInfo): boolean {
    return info.fits(this.requests) && !info.hasPorts(this.ports)
  }

  /** What doesn't change while pods come and go. */
  #refusal({ node }: NodeInfo): string | null {
    const { spec } = this.pod
    const tolerations = spec.tolerations ?? []
    if (node.spec?.unschedulable === true && untolerated(UNSCHEDULABLE_TAINT, tolerations, HARD) !== null) {
      return UNAVAILABLE
    }
    if (untolerated(taintsOf(node), tolerations, HARD) !== null) return TAINTED
    return matchesNode(spec, node) ? null : NO_AFFINITY
  }

  /** Of the first plugin that refuses, and whether another pod's going could change its mind. */
  #reasons(info: NodeInfo): readonly [ReadonlyArray<string>, resolvable: boolean] {
    const refusal = this.#refusal(info)
    if (refusal !== null) return [[refusal], false]
    if (info.hasPorts(this.ports)) return [[NO_PORTS], true]
    const short = info.shortages(this.requests)
    if (short.length > 0) return [short, !info.couldNeverFit(this.requests)]
    const topology = this.#topology?.refusal(info) ?? null
    return topology === null ? [[], true] : [[topology], !HOPELESS.includes(topology)]
  }
}

/** The only nodes that can match, when every term names them: daemons' pods would else cost nodes². */
function namedNodes(spec: PodSpec): ReadonlySet<string> | null {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (terms === undefined) return null
  const names = new Set<string>()
  for (const { matchFields = [] } of terms) {
    const named = matchFields.find(({ key, operator }) => key === "metadata.name" && operator === "In")
    if (named === undefined) return null
    for (const name of named.values ?? []) names.add(name)
  }
  return names
}

function histogram(reasons: ReadonlyMap<string, number>): string {
  return [...reasons].map(([reason, count]) => `${count} ${reason}`)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)).join(", ")
}
