/** A node with a CNI runtime, and the picture of a namespace that tests compare before and after. */
import { CniError, CniRuntime, decodeNetwork, formatLeases, formatProblem, type NetworkConfig, type Result } from "@podwire/cni"
import { Engine } from "@podwire/engine"
import { Bridge, FramePool } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import * as cidr from "@podwire/wire/cidr"
import { format } from "@podwire/wire/ip"
import * as mac from "@podwire/wire/mac"

export class World {
  readonly engine: Engine
  readonly pool: FramePool
  readonly host: Netns
  readonly cni: CniRuntime

  constructor(options: { readonly quiet?: boolean; readonly seed?: number } = {}) {
    this.engine = new Engine(options.seed ?? 7)
    this.pool = new FramePool(this.engine)
    this.host = new Netns(this.engine, this.pool, "node1")
    this.host.setUp(this.host.lo)
    const { host: netns, engine, pool } = this
    this.cni = new CniRuntime({ netns, engine, pool, quiet: options.quiet ?? false })
  }

  pod(name: string): Netns {
    return new Netns(this.engine, this.pool, name)
  }

  /** Added, or the error thrown: for tests of what comes after. */
  add(network: NetworkConfig, id: string, pod = this.pod(id)): { readonly pod: Netns; readonly result: Result } {
    const result = this.cni.add(network, { containerId: id, ifName: "eth0", netns: pod })
    if (result instanceof CniError) throw new Error(String(result))
    return { pod, result }
  }

  /** Let what is under way arrive. */
  settle(): void {
    this.engine.advance(this.engine.nowNs + 5_000_000_000, 1_000_000)
  }

  leases(network: string): string {
    const store = this.cni.leases(network)
    return typeof store === "string" ? store : formatLeases(store)
  }
}

export function network(value: object): NetworkConfig {
  const made = decodeNetwork(value)
  if (Array.isArray(made)) throw new Error(made.map(formatProblem).join("\n"))
  return made as NetworkConfig
}

const HOST_LOCAL = { type: "host-local", ranges: [[{ subnet: "10.244.1.0/24" }], [{ subnet: "fd00:1::/64" }]] }

export function bridgeNetwork(more: object = {}, list: object = {}, ...chained: ReadonlyArray<object>): NetworkConfig {
  const plugin = { type: "bridge", bridge: "cni0", isDefaultGateway: true, hairpinMode: true, ipam: HOST_LOCAL, ...more }
  return network({ cniVersion: "1.1.0", name: "pods", ...list, plugins: [plugin, ...chained] })
}

export function ptpNetwork(): NetworkConfig {
  const ipam = { ...HOST_LOCAL, routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }] }
  return network({ cniVersion: "1.1.0", name: "pods", plugins: [{ type: "ptp", mtu: 1400, ipam }] })
}

/** Links, addresses, main routes; in order, without numbers that only count up. */
export function picture(ns: Netns): string {
  let text = ""
  for (const dev of ns.links.list()) {
    const master = dev.master === null ? "" : ` master ${dev.master.name}`
    text += `${dev.name}: ${dev.up ? "up" : "down"} mtu ${dev.mtu} ${mac.format(dev.mac)}${master}\n`
    for (const { cidr: one, scope } of ns.addresses(dev)) text += `    ${cidr.format(one)} ${scope}\n`
  }
  return text + routes(ns, 254)
}

/** Everything else that a pod could leave behind, too. */
export function wholePicture(ns: Netns): string {
  let text = picture(ns) + routes(ns, 255)
  for (const dev of ns.links.list()) {
    if (!(dev instanceof Bridge)) continue
    text += `${dev.name} ports ${dev.ports().map((port) => port.dev.name).join(" ")}\n`
    for (const entry of dev.fdb.list(ns.engine.nowNs)) text += `${dev.name} fdb ${mac.format(entry.mac)}\n`
  }
  for (const neigh of [...ns.neigh4.list(), ...ns.neigh6.list()]) text += `neigh ${format(neigh.ip)} dev ${neigh.dev.name}\n`
  for (const [key] of ns.sysctl.list()) text += `${key}\n`
  return text
}

function routes(ns: Netns, table: number): string {
  let text = ""
  for (const route of [...ns.routes(4, table), ...ns.routes(6, table)]) {
    const via = route.via === null ? "" : ` via ${format(route.via)}`
    const src = route.src === null ? "" : ` src ${format(route.src)}`
    const type = route.type === "unicast" ? "" : `${route.type} `
    text += `${type}${cidr.format(route.dst)}${via} dev ${route.dev?.name} scope ${route.scope}${src}\n`
  }
  return text
}
