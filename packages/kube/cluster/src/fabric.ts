/**
 * The network between the nodes: one segment that every node's eth0 is on, and the routes to the other
 * nodes' pods through their eth0 addresses, as flannel's host-gw backend and kind's kindnet write them.
 */
import { type Engine, Prng } from "@podwire/engine"
import { type Errno, type FramePool, type LinkSpec, Nic, Segment } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import type { Cidr } from "@podwire/wire/cidr"
import { family, type Ip } from "@podwire/wire/ip"
import { of } from "@podwire/wire/mac"
import { type Plan, underlayAddress } from "./plan.ts"

export interface Attachment {
  readonly nic: Nic
  readonly addresses: ReadonlyArray<Cidr>
}

export class Fabric {
  readonly segment: Segment
  readonly #engine: Engine
  readonly #pool: FramePool
  readonly #plan: Plan
  #count = 0

  constructor(engine: Engine, pool: FramePool, plan: Plan) {
    this.#engine = engine
    this.#pool = pool
    this.#plan = plan
    this.segment = new Segment(engine, pool, "underlay", { delayNs: plan.delayNs })
  }

  /** Give a node its eth0 on the segment, with an address of each family. */
  attach(netns: Netns): Attachment {
    const index = this.#count++
    const nic = new Nic(this.#engine, this.#pool, "eth0", macOf(this.#engine, netns.name))
    const addresses = this.#plan.underlay.map((range) => underlayAddress(range, index))
    this.join(netns, nic, addresses)
    return { nic, addresses }
  }

  join(netns: Netns, nic: Nic, addresses: ReadonlyArray<Cidr>): void {
    netns.attach(nic)
    this.segment.attach(nic)
    netns.setMtu(nic, this.#plan.mtu)
    netns.setUp(nic)
    for (const address of addresses) netns.addAddress(nic, address, { nodad: true })
  }

  /** `ip route add PODS via NODE dev eth0`, as host-gw does on every other node. */
  route(from: Netns, nic: Nic, pods: Cidr, via: ReadonlyArray<Cidr>): Errno {
    const gateway = via.find((address) => family(address.ip) === family(pods.ip))!
    return from.addRoute({ dst: pods, via: gateway.ip as Ip, dev: nic })
  }

  impair(a: Nic, b: Nic, spec: Partial<LinkSpec>): void {
    for (const link of this.segment.between(a, b)) link.set({ ...link.spec, ...spec })
  }
}

/** A locally administered unicast address, drawn for its owner. */
export function macOf(engine: Engine, owner: string): number {
  const prng = new Prng(engine.seed, `mac:${owner}`)
  return of((prng.below(0x10000) & 0xfcff) | 0x0200, prng.u32() | 0)
}
