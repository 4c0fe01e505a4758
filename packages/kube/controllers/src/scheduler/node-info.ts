/**
 * What the scheduler knows of a node: what it offers and what its pods have taken
 * (pkg/scheduler/framework, NodeInfo). A pod takes from the moment it is bound until it has ended or is gone.
 */
import { quantity } from "@podwire/api"
import type { Container } from "@podwire/api/schema/container"
import type { Node } from "@podwire/api/schema/node"
import type { Pod, PodSpec } from "@podwire/api/schema/pod"
import type { View } from "../controller.ts"
import { isTerminal } from "../pod.ts"

export interface Resources {
  readonly cpuMilli: number
  readonly memory: number
}

/** kubelet's --max-pods, for nodes that don't say. */
const PODS_MAX = 110

export class NodeInfo {
  readonly node: Node
  /** Its place in the order of creation. */
  readonly order: number
  readonly podsMax: number
  readonly offered: Resources
  pods = 0
  cpuMilli = 0
  memory = 0
  readonly #ports = new Set<string>()
  /** Those that keep others away. */
  readonly averse: Array<Pod> = []

  constructor(node: Node, order: number, view: View) {
    this.node = node
    this.order = order
    const allocatable = node.status?.allocatable ?? node.status?.capacity ?? {}
    this.podsMax = allocatable["pods"] === undefined ? PODS_MAX : quantity.whole(allocatable["pods"])
    this.offered = {
      cpuMilli: allocatable["cpu"] === undefined ? Infinity : quantity.milli(allocatable["cpu"]),
      memory: allocatable["memory"] === undefined ? Infinity : quantity.whole(allocatable["memory"])
    }
    for (const pod of view.eachPodOn(node.metadata.name!)) {
      if (!isTerminal(pod as Pod)) {
        this.add(pod as Pod, requestsOf((pod as Pod).spec), hostPortsOf((pod as Pod).spec))
      }
    }
  }

  add(pod: Pod, requests: Resources, ports: ReadonlyArray<string>): void {
    this.pods++
    this.cpuMilli += requests.cpuMilli
    this.memory += requests.memory
    for (const port of ports) this.#ports.add(port)
    if (pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined) {
      this.averse.push(pod)
    }
  }

  hasPorts(ports: ReadonlyArray<string>): boolean {
    return portsConflict(ports, this.#ports)
  }

  fits({ cpuMilli, memory }: Resources): boolean {
    return this.pods < this.podsMax &&
      (cpuMilli === 0 || this.cpuMilli + cpuMilli <= this.offered.cpuMilli) &&
      (memory === 0 || this.memory + memory <= this.offered.memory)
  }

  /** What is short, in the words of noderesources/fit.go. */
  shortages({ cpuMilli, memory }: Resources): ReadonlyArray<string> {
    const short: Array<string> = []
    if (this.pods >= this.podsMax) short.push("Too many pods")
    if (cpuMilli > 0 && this.cpuMilli + cpuMilli > this.offered.cpuMilli) short.push("Insufficient cpu")
    if (memory > 0 && this.memory + memory > this.offered.memory) short.push("Insufficient memory")
    return short
  }

  /** No pod's going away would make room. */
  couldNeverFit({ cpuMilli, memory }: Resources): boolean {
    return cpuMilli > this.offered.cpuMilli || memory > this.offered.memory
  }
}

/** Containers run together, init containers one by one before them, sidecars beside all after them. */
export function requestsOf(spec: PodSpec): Resources {
  return {
    cpuMilli: requestOf(spec, "cpu", quantity.milli), memory: requestOf(spec, "memory", quantity.whole)
  }
}

/** component-helpers/resource, PodRequests. */
function requestOf(spec: PodSpec, name: string, unit: (amount: quantity.Quantity) => number): number {
  const whole = spec.resources?.requests?.[name] ?? spec.resources?.limits?.[name]
  const overhead = spec.overhead?.[name] === undefined ? 0 : unit(spec.overhead[name])
  if (whole !== undefined) return unit(whole) + overhead
  const of = ({ resources }: Container) => {
    const amount = resources?.requests?.[name] ?? resources?.limits?.[name]
    return amount === undefined ? 0 : unit(amount)
  }
  let sum = 0
  for (const container of spec.containers) sum += of(container)
  let sidecars = 0
  let most = 0
  for (const container of spec.initContainers ?? []) {
    const request = of(container)
    if (container.restartPolicy === "Always") sidecars += request
    most = Math.max(most, container.restartPolicy === "Always" ? sidecars : sidecars + request)
  }
  return Math.max(sum + sidecars, most) + overhead
}

/** `TCP/0.0.0.0/80` for each port that the node itself must have free. */
export function hostPortsOf(spec: PodSpec): ReadonlyArray<string> {
  const ports: Array<string> = []
  for (const container of spec.containers) {
    for (const { containerPort, hostIP, hostPort, protocol = "TCP" } of container.ports ?? []) {
      const port = hostPort ?? (spec.hostNetwork === true ? containerPort : 0)
      if (port > 0) ports.push(`${protocol}/${hostIP === undefined || hostIP === "" ? ANY : hostIP}/${port}`)
    }
  }
  return ports
}

/** Whether one of the ports is taken; both as `hostPortsOf` writes them. */
export function portsConflict(ports: ReadonlyArray<string>, taken: ReadonlySet<string>): boolean {
  return ports.length > 0 && taken.size > 0 && ports.some((port) => conflicts(port, taken))
}

const ANY = "0.0.0.0"

/** Any address conflicts with every address (framework, HostPortInfo.CheckConflict). */
function conflicts(port: string, taken: ReadonlySet<string>): boolean {
  const [protocol, ip, number] = port.split("/") as [string, string, string]
  if (ip !== ANY) return taken.has(port) || taken.has(`${protocol}/${ANY}/${number}`)
  return [...taken].some((other) => other.startsWith(`${protocol}/`) && other.endsWith(`/${number}`))
}
