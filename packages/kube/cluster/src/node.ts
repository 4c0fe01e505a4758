/**
 * A node: a namespace with `lo`, `eth0` on the underlay and the bridge `cni0`, and the pods on it, each a
 * namespace of its own behind a veth pair. The bridge holds the first address of the node's share of the
 * pod range and is its pods' gateway, as the bridge plugin with isDefaultGateway makes it.
 */
import { canonicalize, HostLocal, MemoryStore } from "@podwire/cni"
import { assert, type Engine, type Prng } from "@podwire/engine"
import { Bridge, type FramePool, type Nic, Veth } from "@podwire/netdev"
import { DEFAULT4, DEFAULT6, Netns } from "@podwire/netns"
import type { Cidr } from "@podwire/wire/cidr"
import { family, type Ip, next } from "@podwire/wire/ip"
import { type Fabric, macOf } from "./fabric.ts"

export interface PodSandbox {
  readonly namespace: string
  readonly name: string
  readonly node: NodeHost
  readonly netns: Netns
  readonly ips: ReadonlyArray<Ip>
}

export class NodeHost {
  readonly name: string
  readonly netns: Netns
  readonly nic: Nic
  readonly addresses: ReadonlyArray<Cidr>
  readonly podCidrs: ReadonlyArray<Cidr>
  readonly bridge: Bridge
  readonly #engine: Engine
  readonly #pool: FramePool
  readonly #prng: Prng
  readonly #ipam: HostLocal

  constructor(
    engine: Engine, pool: FramePool, fabric: Fabric, name: string, podCidrs: ReadonlyArray<Cidr>,
    watch: (netns: Netns) => void
  ) {
    this.name = name
    this.#engine = engine
    this.#pool = pool
    this.#prng = engine.prng(`veth:${name}`)
    this.podCidrs = podCidrs
    const sets = podCidrs.map((subnet) => {
      const range = canonicalize({ subnet })
      assert(typeof range !== "string", `a node's share is a range: ${String(range)}`)
      return [range]
    })
    this.#ipam = new HostLocal(sets, new MemoryStore())
    this.netns = new Netns(engine, pool, name)
    watch(this.netns)
    this.netns.setUp(this.netns.lo)
    this.netns.sysctl.set("net.ipv4.ip_forward", "1")
    this.netns.sysctl.set("net.ipv6.conf.all.forwarding", "1")
    const { nic, addresses } = fabric.attach(this.netns)
    this.nic = nic
    this.addresses = addresses
    this.bridge = new Bridge(engine, pool, "cni0", macOf(engine, `${name}/cni0`))
    this.netns.attach(this.bridge)
    this.netns.setUp(this.bridge)
    for (const { ip, bits } of podCidrs) {
      this.netns.addAddress(this.bridge, { ip: next(ip, 1), bits }, { nodad: true })
    }
  }

  /** The pod's sandbox, or IPAM's error. */
  addPod(namespace: string, name: string, watch: (netns: Netns) => void): PodSandbox | string {
    const leases = this.#ipam.add(`${namespace}/${name}`, "eth0")
    if (typeof leases === "string") return leases
    const netns = new Netns(this.#engine, this.#pool, `${namespace}/${name}`)
    watch(netns)
    netns.setUp(netns.lo)
    const hostEnd = `veth${this.#prng.u32().toString(16).padStart(8, "0")}`
    const [inside, outside] = Veth.pair(
      this.#engine, this.#pool, "eth0", macOf(this.#engine, netns.name), hostEnd, macOf(this.#engine, `${this.name}/${hostEnd}`)
    )
    netns.attach(inside)
    this.netns.attach(outside)
    this.bridge.addPort(outside)
    this.netns.setUp(outside)
    netns.setUp(inside)
    const ips = leases.map(({ ip, range: { subnet, gateway } }) => {
      netns.addAddress(inside, { ip, bits: subnet.bits }, { nodad: true })
      netns.addRoute({ dst: family(ip) === 4 ? DEFAULT4 : DEFAULT6, via: gateway, dev: inside })
      return ip
    })
    return { namespace, name, node: this, netns, ips }
  }
}
