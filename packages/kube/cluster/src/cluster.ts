/**
 * The emulated cluster: an API store with its controllers, nodes on one underlay with an agent each, and
 * machines outside. Objects go into the store; everything else follows from them in virtual time.
 *
 * Every namespace that comes is tapped before its first frame. At rest nothing is on its way: the store, its
 * watchers and the agents agree, and no frame is due at this instant.
 */
import { ApiStore, Informer, type Node, type Pod, type Ref, type WatchEvent } from "@podwire/api"
import { type Controller, Runner } from "@podwire/controllers"
import { Engine, type Ns, SECOND } from "@podwire/engine"
import {
  addTap, type DropObserver, type DropReason, type Frame, FramePool, type Link, type NetDevice,
  specFault, type Tap
} from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import { type Cidr, parse } from "@podwire/wire/cidr"
import { family, type Ip } from "@podwire/wire/ip"
import { networkOf } from "./cni-network.ts"
import { controllersFor } from "./control-plane.ts"
import { EventLog } from "./event-log.ts"
import { ExternalHost } from "./external-host.ts"
import { Fabric } from "./fabric.ts"
import { LinkFaults } from "./fault.ts"
import { Kubelet } from "./kubelet.ts"
import { SETTLE_NS_MAX, SETTLE_STEPS } from "./limits.ts"
import { NodeHost } from "./node.ts"
import { type LinkPlan, nodeObject, type Plan, SYSTEM_NAMESPACES } from "./plan.ts"
import type { PodSandbox } from "./pod.ts"
import { programOverride } from "./program-override.ts"

/**
 * Duplicate address detection of a new link-local address: up to 1 s at random, then 1 s (kernel facts, 87).
 */
const ADDRESS_SETTLES_NS = 2.5 * SECOND

/** Sees every frame of every device, and why a frame ended. */
export type Observer = Tap & DropObserver

/** What hangs on the underlay. */
export type Machine = NodeHost | ExternalHost

export interface FaultSpec {
  readonly spec: LinkPlan["spec"]
  readonly down: boolean
  readonly forNs: Ns | null
}

export class Cluster {
  readonly engine: Engine
  readonly pool: FramePool
  readonly plan: Plan
  readonly fabric: Fabric
  readonly store: ApiStore
  readonly informer: Informer
  readonly events: EventLog
  readonly nodes: ReadonlyArray<NodeHost>
  readonly hosts: ReadonlyArray<ExternalHost>
  readonly #kubelets = new Map<string, Kubelet>()
  readonly #runner: Runner
  readonly #observers: ReadonlyArray<Observer>
  readonly #faults: LinkFaults
  /** Shares of the pod ranges that the other machines have no route to yet. */
  #unrouted: Array<{ readonly to: NodeHost; readonly pods: Cidr; readonly via: Ip }> = []
  /** When the last namespace was made. */
  #youngestNs: Ns = 0

  /** `observe` makes the observers with the engine, before the first device exists. */
  constructor(
    plan: Plan, observe: (engine: Engine) => ReadonlyArray<Observer> = () => [],
    extra: ReadonlyArray<Controller> = []
  ) {
    this.plan = plan
    this.engine = new Engine(plan.seed)
    this.pool = new FramePool(this.engine)
    this.#observers = observe(this.engine)
    if (this.#observers.length > 0) {
      this.pool.observer = this.#observers.length === 1 ? this.#observers[0]! : new Ends(this.#observers)
    }
    this.store = new ApiStore(this.engine)
    this.informer = new Informer(this.engine, this.store, plan.watchNs)
    this.events = new EventLog(this.engine)
    this.fabric = new Fabric(this.engine, this.pool, plan)
    this.#faults = new LinkFaults(this.engine)
    const watch = (netns: Netns) => this.#tap(netns)
    const programs = programOverride(plan.programs)
    this.nodes = plan.nodes.map(
      ({ name }) => new NodeHost(this.engine, this.pool, this.fabric, plan, name, watch)
    )
    for (const node of this.nodes) {
      const kubelet = new Kubelet(this.engine, this.pool, this.store, node, this.events, programs, watch)
      this.#kubelets.set(node.name, kubelet)
      this.informer.onPodsOf(node.name, (event) => kubelet.onPod(event))
    }
    this.hosts = plan.hosts.map((host) => new ExternalHost(this.engine, this.pool, this.fabric, host, watch))
    this.informer.on("Node", (event) => this.#onNode(event))
    this.informer.onCaughtUp(() => this.#routeToNew())
    this.#runner = new Runner(
      this.engine, this.store, this.informer, [...controllersFor(plan), ...extra],
      (event) => this.events.record(event)
    )
    for (const { between: [a, b], spec } of plan.links) this.fabric.impair(this.#nic(a), this.#nic(b), spec)
    for (const name of SYSTEM_NAMESPACES) {
      this.store.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } })
    }
    for (const node of plan.nodes) this.store.create(nodeObject(node))
  }

  /** Pods that have a sandbox, by namespace and name. */
  get pods(): ReadonlyArray<PodSandbox> {
    return [...this.#kubelets.values()].flatMap((kubelet) => [...kubelet.sandboxes.values()])
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  pod(namespace: string, name: string): PodSandbox | null {
    const pod = this.store.get("Pod", namespace, name) as Pod | null
    return this.#kubelets.get(pod?.spec?.nodeName ?? "")?.sandboxes.get(`${namespace}/${name}`) ?? null
  }

  node(name: string): NodeHost | null {
    return this.nodes.find((node) => node.name === name) ?? null
  }

  externalHost(name: string): ExternalHost | null {
    return this.hosts.find((host) => host.name === name) ?? null
  }

  /** Pods whose sandbox CNI refuses to make, and those that no node takes. */
  get refused(): ReadonlyArray<Pod> {
    return [...this.#kubelets.values()].flatMap((kubelet) => kubelet.refused)
  }

  eventsOf({ kind, namespace, name }: Ref): ReturnType<EventLog["list"]> {
    return this.events.list().filter(
      ({ about }) => about.kind === kind && about.namespace === namespace && about.name === name
    )
  }

  /** What the CNI configuration asks for that its plugins do not do here. */
  get cniNotModelled(): ReadonlyArray<string> {
    const network = networkOf(this.plan, this.plan.podCidrs)
    return "plugins" in network ? network.notModelled.map(({ what, reason }) => `${what}: ${reason}`) : []
  }

  get atRest(): boolean {
    return this.engine.nextNs > this.engine.nowNs && this.#runner.idle &&
      this.engine.nowNs >= this.#youngestNs + ADDRESS_SETTLES_NS &&
      [...this.#kubelets.values()].every((kubelet) => kubelet.idle)
  }

  /** Let time pass until the cluster is at rest; false when it is not within `mostNs`. */
  settle(mostNs: Ns = SETTLE_NS_MAX): boolean {
    const untilNs = this.engine.nowNs + mostNs
    while (!this.atRest) {
      if (this.engine.nowNs >= untilNs) return false
      const restNs = this.#youngestNs + ADDRESS_SETTLES_NS
      const wakeNs = this.engine.nowNs < restNs ? Math.min(this.engine.nextNs, restNs) : this.engine.nextNs
      this.engine.advance(Math.min(wakeNs, untilNs), SETTLE_STEPS)
    }
    return true
  }

  /** The two machines that `node1-node2` names, or null. Names may hold dashes themselves. */
  link(text: string): readonly [Machine, Machine] | null {
    for (let at = text.indexOf("-"); at > 0; at = text.indexOf("-", at + 1)) {
      const a = this.machine(text.slice(0, at))
      const b = this.machine(text.slice(at + 1))
      if (a !== null && b !== null && a !== b) return [a, b]
    }
    return null
  }

  machine(name: string): Machine | null {
    return this.node(name) ?? this.externalHost(name)
  }

  /**
   * The link between two machines, or all of one machine's, gets worse or is cut, both ways; until `heal` when
   * `forNs` is null. Returns why no link can be like that, and has changed nothing then, or null.
   */
  impair(ends: readonly [Machine, Machine] | Machine, fault: FaultSpec): string | null {
    const links = this.#linksOf(ends)
    for (const link of links) {
      const wrong = specFault({ ...link.spec, ...fault.spec })
      if (wrong !== null) return wrong
    }
    this.#faults.begin(links, fault.spec, fault.down, fault.forNs)
    return null
  }

  /** The faults of the link between two machines, or of all of one machine's, are over. */
  heal(ends: readonly [Machine, Machine] | Machine): void {
    this.#faults.clear(this.#linksOf(ends))
  }

  /** Both directions of each. */
  #linksOf(ends: readonly [Machine, Machine] | Machine): ReadonlyArray<Link> {
    const pairs = "nic" in ends
      ? [...this.nodes, ...this.hosts].filter((other) => other !== ends)
        .map((other) => [ends, other] as const)
      : [ends]
    return pairs.flatMap(([a, b]) => this.fabric.segment.between(a.nic, b.nic))
  }

  /** The books of the whole: what is wrong with them, or nothing. */
  check(): ReadonlyArray<string> {
    const wrong: Array<string> = []
    const balance = this.pool.balance()
    if (balance !== null) wrong.push(balance)
    const owners = new Map<string, string>()
    for (const pod of this.pods) {
      if (pod.hostNetwork) continue
      for (const ip of pod.ips) {
        const key = ip.join(".")
        const other = owners.get(key)
        if (other !== undefined) wrong.push(`${pod.key} and ${other} share an address`)
        owners.set(key, pod.key)
      }
    }
    return wrong
  }

  #nic(name: string) {
    return this.machine(name)!.nic
  }

  #tap(netns: Netns): void {
    this.#youngestNs = this.engine.nowNs
    if (this.#observers.length === 0) return
    const tap = (dev: NetDevice) => {
      for (const observer of this.#observers) addTap(dev, observer)
    }
    netns.links.list().forEach(tap)
    netns.links.onAttach = tap
  }

  /** The node's own agent is told; every other one routes to its pods, as kindnetd does. */
  #onNode(event: WatchEvent): void {
    const node = event.object as Node
    const name = node.metadata.name!
    this.#kubelets.get(name)?.onNode(event)
    const to = this.node(name)
    const before = (event.before as Node | null)?.spec?.podCIDRs ?? []
    if (to === null || before.length > 0) return
    for (const text of node.spec?.podCIDRs ?? []) {
      const pods = parse(text)!
      this.#unrouted.push({ to, pods, via: to.ips.find((ip) => family(ip) === family(pods.ip))! })
    }
  }

  /** At the end of a batch of news, one machine after another: thousands of tables are visited once, not once a node. */
  #routeToNew(): void {
    if (this.#unrouted.length === 0) return
    for (const from of this.nodes) {
      for (const { to, pods, via } of this.#unrouted) {
        if (from !== to) from.netns.addRoute({ dst: pods, via, dev: from.nic })
      }
    }
    this.plan.hosts.forEach(({ routesToPods }, i) => {
      const { netns, nic } = this.hosts[i]!
      if (!routesToPods) return
      for (const { pods, via } of this.#unrouted) netns.addRoute({ dst: pods, via, dev: nic })
    })
    this.#unrouted = []
  }
}

class Ends implements DropObserver {
  readonly #observers: ReadonlyArray<DropObserver>

  constructor(observers: ReadonlyArray<DropObserver>) {
    this.#observers = observers
  }

  dropped(frame: Frame, reason: DropReason, dev: NetDevice | null): void {
    for (const observer of this.#observers) observer.dropped(frame, reason, dev)
  }
}
