/**
 * A node's network: a namespace with `lo` and `eth0` on the underlay. The bridge and the pods' ends come from
 * CNI, once the node has its share of the pod ranges. Forwarding is on from the start, as kubeadm demands.
 */
import { CniRuntime, type NetworkConfig } from "@podwire/cni"
import { assert, type Engine } from "@podwire/engine"
import type { FramePool, Nic } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import type { Cidr } from "@podwire/wire/cidr"
import type { Ip } from "@podwire/wire/ip"
import type { Host } from "@podwire/workload"
import { capabilityArgs, networkOf } from "./cni-network.ts"
import { type Fabric, macOf } from "./fabric.ts"
import { hostFiles } from "./host-files.ts"
import type { Plan } from "./plan.ts"

/** A pod as the runtime names it to CNI. */
export interface Attachee {
  readonly uid: string
  readonly namespace: string
  readonly name: string
}

export class NodeHost {
  readonly name: string
  readonly netns: Netns
  readonly nic: Nic
  readonly addresses: ReadonlyArray<Cidr>
  /** Where programs of the node itself run: its agent, `exec node/NAME`. */
  readonly host: Host
  readonly cni: CniRuntime
  podCidrs: ReadonlyArray<Cidr> = []
  readonly #plan: Plan
  #network: NetworkConfig | null = null

  constructor(
    engine: Engine, pool: FramePool, fabric: Fabric, plan: Plan, name: string, watch: (netns: Netns) => void
  ) {
    this.name = name
    this.#plan = plan
    this.netns = new Netns(engine, pool, name)
    watch(this.netns)
    this.netns.setUp(this.netns.lo)
    this.netns.sysctl.set("net.ipv4.ip_forward", "1")
    this.netns.sysctl.set("net.ipv6.conf.all.forwarding", "1")
    const { nic, addresses } = fabric.attach(this.netns)
    this.nic = nic
    this.addresses = addresses
    this.cni = new CniRuntime({ netns: this.netns, engine, pool, macFor: (owner) => macOf(engine, owner) })
    this.host = {
      engine, netns: this.netns, hostname: name,
      files: hostFiles(name, [[name, this.ips]]), env: new Map([["HOSTNAME", name]])
    }
  }

  get ips(): ReadonlyArray<Ip> {
    return this.addresses.map(({ ip }) => ip)
  }

  get networkReady(): boolean {
    return this.#network !== null
  }

  /** The node has been given its share of the pod ranges: the CNI configuration can be written. */
  configure(podCidrs: ReadonlyArray<Cidr>): void {
    const network = networkOf(this.#plan, podCidrs)
    assert("plugins" in network, "the plan's CNI configuration was checked before anything was built")
    this.podCidrs = podCidrs
    this.#network = network
  }

  /** ADD: the pod's `eth0` and its addresses, or the plugin's error text. */
  attach(pod: Attachee, netns: Netns): ReadonlyArray<Ip> | string {
    const result = this.cni.add(this.#network!, {
      containerId: pod.uid, ifName: "eth0", netns,
      args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name};` +
        `K8S_POD_INFRA_CONTAINER_ID=${pod.uid}`,
      capabilityArgs: capabilityArgs(this.podCidrs)
    })
    return "ips" in result ? result.ips.map(({ address }) => address.ip) : result.toString()
  }

  /** DEL: whatever is there goes; nothing there is no error. */
  detach(pod: Attachee): void {
    if (this.#network !== null) this.cni.del(this.#network, { containerId: pod.uid, ifName: "eth0" })
  }
}
