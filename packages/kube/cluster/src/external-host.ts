/** A machine on the nodes' network that is no node: clients from outside, servers the cluster calls. */
import type { Engine } from "@podwire/engine"
import { type FramePool, Nic } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import { chooseProgram, type Host, type Process } from "@podwire/workload"
import type { Ip } from "@podwire/wire/ip"
import { type Fabric, macOf } from "./fabric.ts"
import { hostFiles } from "./host-files.ts"
import type { HostPlan } from "./plan.ts"

export class ExternalHost {
  readonly name: string
  readonly netns: Netns
  readonly nic: Nic
  readonly ips: ReadonlyArray<Ip>
  readonly host: Host
  readonly process: Process | null

  constructor(
    engine: Engine, pool: FramePool, fabric: Fabric, plan: HostPlan, watch: (netns: Netns) => void
  ) {
    this.name = plan.name
    this.netns = new Netns(engine, pool, `host/${plan.name}`)
    watch(this.netns)
    this.netns.setUp(this.netns.lo)
    this.nic = new Nic(engine, pool, "eth0", macOf(engine, this.netns.name))
    fabric.join(this.netns, this.nic, plan.addresses)
    this.ips = plan.addresses.map(({ ip }) => ip)
    this.host = {
      engine, netns: this.netns, hostname: plan.name,
      files: hostFiles(plan.name, [[plan.name, this.ips]]), env: new Map([["HOSTNAME", plan.name]])
    }
    const container = { name: plan.name, ...plan.program === null ? {} : { command: plan.program } }
    this.process = plan.program === null
      ? null
      : chooseProgram(container).start(this.host, `${plan.name} host`)
  }
}
