/**
 * A node's network: a namespace with `lo` and `eth0` on the underlay. The bridge and the pods' ends come from
 * CNI, once the node has its share of the pod range; so does forwarding.
 */
import { canonicalize, HostLocal, MemoryStore } from "@podwire/cni"
import { assert, type Engine, type Prng } from "@podwire/engine"
import { Bridge, type FramePool, type Nic, Veth } from "@podwire/netdev"
import { DEFAULT4, DEFAULT6, Netns } from "@podwire/netns"
import type { Cidr } from "@podwire/wire/cidr"
import { family, type Ip, next } from "@podwire/wire/ip"
import type { Host } from "@podwire/workload"
import { type Fabric, macOf } from "./fabric.ts"
import { hostFiles } from "./host-files.ts"

export class NodeHost {
  readonly name: string
  readonly netns: Netns
  readonly nic: Nic
  readonly addresses: ReadonlyArray<Cidr>
  /** Where programs of the node itself run: its agent, `exec node/NAME`. */
  readonly host: Host
  podCidrs: ReadonlyArray<Cidr> = []
  readonly #engine: Engine
  readonly #pool: FramePool
  readonly #prng: Prng
  #bridge: Bridge | null = null
  #ipam: HostLocal | null = null

  constructor(engine: Engine, pool: FramePool, fabric: Fabric, name: string, watch: (netns: Netns) => void) {
    this.name = name
    this.#engine = engine
    this.#pool = pool
    this.#prng = engine.prng(`veth:${name}`)
    this.netns = new Netns(engine, pool, name)
    watch(this.netns)
    this.netns.setUp(this.netns.lo)
    this.netns.sysctl.set("net.ipv4.ip_forward", "1")
    this.netns.sysctl.set("net.ipv6.conf.all.forwarding", "1")
    const { nic, addresses } = fabric.attach(this.netns)
    this.nic = nic
    this.addresses = addresses
    this.host = {
      engine, netns: this.netns, hostname: name,
      files: hostFiles(name, [[name, this.ips]]), env: new Map([["HOSTNAME", name]])
    }
  }

  get ips(): ReadonlyArray<Ip> {
    return this.addresses.map(({ ip }) => ip)
  }

  get networkReady(): boolean {
    return this.#ipam !== null
  }

  /** The node has been given its share of the pod range: the CNI configuration can be written. */
  configure(podCidrs: ReadonlyArray<Cidr>): void {
    this.podCidrs = podCidrs
    this.#ipam = new HostLocal(podCidrs.map((subnet) => {
      const range = canonicalize({ subnet })
      assert(typeof range !== "string", `a node's share is a range: ${String(range)}`)
      return [range]
    }), new MemoryStore())
  }

  /** ADD: the pod's `eth0` and its addresses, or the plugin's error text. */
  attach(id: string, netns: Netns): ReadonlyArray<Ip> | string {
    const leases = this.#ipam!.add(id, "eth0")
    if (typeof leases === "string") return leases
    const bridge = this.#bridge ?? this.#makeBridge()
    const hostEnd = `veth${this.#prng.u32().toString(16).padStart(8, "0")}`
    const [inside, outside] = Veth.pair(
      this.#engine, this.#pool, "eth0", macOf(this.#engine, netns.name), hostEnd, macOf(this.#engine, `${this.name}/${hostEnd}`)
    )
    netns.attach(inside)
    this.netns.attach(outside)
    bridge.addPort(outside)
    this.netns.setUp(outside)
    netns.setUp(inside)
    return leases.map(({ ip, range: { subnet, gateway } }) => {
      netns.addAddress(inside, { ip, bits: subnet.bits }, { nodad: true })
      netns.addRoute({ dst: family(ip) === 4 ? DEFAULT4 : DEFAULT6, via: gateway, dev: inside })
      return ip
    })
  }

  /** DEL: whatever is there goes; nothing there is no error. */
  detach(id: string): void {
    this.#ipam?.del(id, "eth0")
  }

  #makeBridge(): Bridge {
    const bridge = new Bridge(this.#engine, this.#pool, "cni0", macOf(this.#engine, `${this.name}/cni0`))
    this.netns.attach(bridge)
    this.netns.setUp(bridge)
    for (const { ip, bits } of this.podCidrs) this.netns.addAddress(bridge, { ip: next(ip, 1), bits }, { nodad: true })
    this.#bridge = bridge
    return bridge
  }
}
