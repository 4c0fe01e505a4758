/**
 * The emulated cluster: nodes on one underlay, pods on the nodes, routes between them, and taps on every
 * device that comes. Pods are placed by the caller for now; the API store and its controllers are not
 * built yet.
 */
import { Engine } from "@podwire/engine"
import { addTap, FramePool } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import type { Cidr } from "@podwire/wire/cidr"
import { family, type Ip, next } from "@podwire/wire/ip"
import type { Capture } from "./capture.ts"
import { Fabric } from "./fabric.ts"
import { NodeHost, type PodSandbox } from "./node.ts"
import type { Plan } from "./plan.ts"

export class Cluster {
  readonly engine: Engine
  readonly pool: FramePool
  readonly plan: Plan
  readonly fabric: Fabric
  readonly nodes: ReadonlyArray<NodeHost>
  readonly #pods: Array<PodSandbox> = []
  readonly #watch: (netns: Netns) => void

  /** `capture` is made with the engine, before the first device exists. */
  constructor(plan: Plan, capture: ((engine: Engine) => Capture) | null) {
    this.plan = plan
    this.engine = new Engine(plan.seed)
    this.pool = new FramePool(this.engine)
    const tap = capture === null ? null : capture(this.engine)
    this.pool.observer = tap
    this.#watch = (netns) => {
      if (tap === null) return
      for (const dev of netns.links.list()) addTap(dev, tap)
      netns.links.onAttach = (dev) => addTap(dev, tap)
    }
    this.fabric = new Fabric(this.engine, this.pool, plan)
    this.nodes = plan.nodes.map(({ name }, i) =>
      new NodeHost(this.engine, this.pool, this.fabric, name, plan.podCidrs.map((range) => share(plan, range, i)), this.#watch))
    for (const from of this.nodes) {
      for (const to of this.nodes) {
        if (from === to) continue
        for (const pods of to.podCidrs) this.fabric.route(from.netns, from.nic, pods, to.addresses)
      }
    }
    for (const { between: [a, b], spec } of plan.links) {
      const nic = (name: string) => this.nodes.find((node) => node.name === name)!.nic
      this.fabric.impair(nic(a), nic(b), spec)
    }
  }

  get pods(): ReadonlyArray<PodSandbox> {
    return this.#pods
  }

  /** The pod, or why its node has no address for it. */
  addPod(namespace: string, name: string, node: NodeHost): PodSandbox | string {
    const pod = node.addPod(namespace, name, this.#watch)
    if (typeof pod !== "string") this.#pods.push(pod)
    return pod
  }
}

/** The n-th node's share of a pod range. */
function share(plan: Plan, range: Cidr, index: number): Cidr {
  const bits = plan.nodeBits[family(range.ip)]
  const width = 32 * range.ip.length
  // A share of up to 2^32 addresses is one addition; a larger one counts in the word that it fills.
  if (width - bits <= 32) return { ip: next(range.ip, index * 2 ** (width - bits)), bits }
  const ip = range.ip.slice() as Ip
  const word = (bits - 1) >>> 5
  ip[word] = (ip[word]! + index * 2 ** (32 * (word + 1) - bits)) | 0
  return { ip, bits }
}
