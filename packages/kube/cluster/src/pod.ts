/**
 * A pod on its node: one network namespace, shared by all its containers, which therefore have one address,
 * one MAC and one set of ports. With `hostNetwork` it is the node's namespace.
 *
 * Init containers run first, one after another; those with `restartPolicy: Always` (sidecars) stay and the
 * next one starts. Then all others start, in the order of the manifest.
 */
import type { Pod } from "@podwire/api"
import type { Engine, Ns } from "@podwire/engine"
import type { Netns } from "@podwire/netns"
import { format, type Ip } from "@podwire/wire/ip"
import {
  type Choice, chooseProgram, type ContainerLike, Finished, type Host, type ListenPort, type Process
} from "@podwire/workload"
import { Container, type RestartPolicy } from "./container.ts"
import { podFiles } from "./host-files.ts"

/** The scenario's word on what a container runs; null leaves it to the manifest. */
export type ProgramOverride = (pod: Pod, container: string) => ReadonlyArray<string> | null

/** A container that could not have a port because another one of the namespace holds it. */
export interface PortClash {
  readonly pod: Pod
  readonly container: string
  /** Place in spec.containers. */
  readonly index: number
  readonly port: ListenPort
  readonly message: string
}

export class PodSandbox {
  pod: Pod
  readonly namespace: string
  readonly name: string
  readonly nodeName: string
  readonly netns: Netns
  readonly ips: ReadonlyArray<Ip>
  readonly hostNetwork: boolean
  readonly host: Host
  readonly startNs: Ns
  readonly init: ReadonlyArray<Container>
  readonly containers: ReadonlyArray<Container>
  /** Containers are being ended. */
  stopping = false
  #initDone = 0
  /** What was started in it from outside and still runs. */
  readonly #adopted = new Set<Process>()

  constructor(
    engine: Engine, pod: Pod, netns: Netns, ips: ReadonlyArray<Ip>, programs: ProgramOverride,
    changed: (sandbox: PodSandbox) => void
  ) {
    const spec = pod.spec!
    const meta = pod.metadata
    this.pod = pod
    this.namespace = meta.namespace!
    this.name = meta.name!
    this.nodeName = spec.nodeName!
    this.netns = netns
    this.ips = ips
    this.hostNetwork = spec.hostNetwork === true
    this.startNs = engine.nowNs
    const hostname = spec.hostNetwork === true ? spec.nodeName! : spec.hostname ?? meta.name!.slice(0, 63)
    const domain = spec.subdomain === undefined ? "" : `${spec.subdomain}.${meta.namespace}.svc.cluster.local`
    this.host = {
      engine, netns, hostname,
      files: podFiles(spec, hostname, domain, ips),
      env: new Map([["HOSTNAME", hostname]])
    }
    const policy = (spec.restartPolicy ?? "Always") as RestartPolicy
    const identity = `${this.name} ${this.namespace}`
    const note = () => {
      changed(this)
    }
    const make = (container: ContainerLike, choice: Choice, restarts: RestartPolicy, then: () => void) =>
      new Container(this.host, container, choice, identity, restarts, then)
    this.init = (spec.initContainers ?? []).map((container) => {
      const like = container as ContainerLike
      const sidecar = container.restartPolicy === "Always"
      const argv = programs(pod, container.name)
      const choice = sidecar || argv !== null ? chooseProgram(like, argv, policy !== "Always") : ENDS_AT_ONCE
      return make(like, choice, sidecar ? "Always" : policy === "Never" ? "Never" : "OnFailure", () => {
        this.#initMoved()
        note()
      })
    })
    this.containers = spec.containers.map((container) => {
      const like = container as ContainerLike
      return make(like, chooseProgram(like, programs(pod, container.name), policy !== "Always"), policy, note)
    })
  }

  get key(): string {
    return `${this.namespace}/${this.name}`
  }

  /** Every init container is done, or is a sidecar that runs. */
  get initialized(): boolean {
    return this.#initDone === this.init.length
  }

  start(): void {
    if (this.init.length > 0) this.init[0]!.start()
    else for (const container of this.containers) container.start()
  }

  stop(): void {
    this.stopping = true
    for (const container of [...this.containers, ...this.init]) container.stop()
    for (const process of [...this.#adopted]) process.kill()
  }

  /** What `exec` runs in a container ends with it, as everything in its PID namespace does. */
  adopt(process: Process): void {
    if (!process.running) return
    this.#adopted.add(process)
    process.onExit = () => this.#adopted.delete(process)
  }

  /** Containers that another one keeps from a port that they declare. */
  clashes(): ReadonlyArray<PortClash> {
    return this.containers.flatMap((container, index) => {
      const port = container.refusedPort
      if (port === null) return []
      return [
        {
          pod: this.pod, container: container.spec.name, index, port,
          message: container.process!.stderr.trimEnd()
        }
      ]
    })
  }

  describe(): string {
    return `${this.key} ${this.ips.map(format).join(",")} on ${this.nodeName}`
  }

  #initMoved(): void {
    if (this.stopping || this.initialized) return
    const current = this.init[this.#initDone]!
    const sidecar = current.policy === "Always"
    if (!(sidecar ? current.running : current.succeeded)) return
    this.#initDone++
    if (this.initialized) for (const container of this.containers) container.start()
    else this.init[this.#initDone]!.start()
  }
}

const ENDS_AT_ONCE: Choice = {
  why: "an init container: ends at once",
  start: (host) => new Finished(host, ["init"], 0, "", "")
}
