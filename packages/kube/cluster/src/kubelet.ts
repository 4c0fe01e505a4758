/**
 * The agent of one node: watches the pods bound to it, gives each a sandbox with an address from CNI, starts
 * its containers, writes its status, and takes it down again.
 *
 * Everything happens at the instant the news arrives: image pulls and start-up take no virtual time.
 * Not supported: probes (a container that runs is ready), volumes, resource limits, eviction, static pods;
 * containers end at once when told to, within their grace period, and their network a little later.
 */
import {
  type ApiStore, type KubeObject, type Node, type Pod, type PodStatus, timeText, type WatchEvent
} from "@podwire/api"
import { hostPortsOf, portsConflict } from "@podwire/controllers"
import { CallbackTimer, type Engine, type Ns, SECOND, Timer } from "@podwire/engine"
import type { FramePool } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import { type Cidr, parse } from "@podwire/wire/cidr"
import { format, type Ip } from "@podwire/wire/ip"
import type { EventLog } from "./event-log.ts"
import type { Attachee, NodeHost } from "./node.ts"
import { type ProgramOverride, PodSandbox } from "./pod.ts"
import { phaseOf, podStatus, waitingStatus } from "./pod-status.ts"
import { hostNetSysctl, writeSysctls } from "./sysctls.ts"

/** The kubelet's sync loop comes back to a pod whose sandbox could not be made. */
const RETRY_NS = 10 * SECOND
const RUNC_FAILED = "failed to create containerd task: failed to create shim task: OCI runtime create " +
  "failed: runc create failed: unable to start container process: error during container init"
/** Approximated: from a container's end until the runtime takes the sandbox's network down. */
const TEAR_DOWN_NS = SECOND / 20

export class Kubelet extends Timer {
  readonly node: NodeHost
  readonly sandboxes = new Map<string, PodSandbox>()
  readonly #engine: Engine
  readonly #pool: FramePool
  readonly #store: ApiStore
  readonly #events: EventLog
  readonly #programs: ProgramOverride
  readonly #watch: (netns: Netns) => void
  /** Pods whose status is to be written at the end of this instant. */
  readonly #dirty = new Set<PodSandbox>()
  /** Pods waiting for a sandbox: news came before the node was ready, or CNI refused. */
  readonly #pending = new Map<string, Pod>()
  readonly #retry: CallbackTimer
  /** UIDs of pods whose containers have ended and whose network is still there, and what follows when it is gone. */
  readonly #leaving = new Map<string, () => void>()

  constructor(
    engine: Engine, pool: FramePool, store: ApiStore, node: NodeHost, events: EventLog,
    programs: ProgramOverride,
    watch: (netns: Netns) => void
  ) {
    super()
    this.node = node
    this.#engine = engine
    this.#pool = pool
    this.#store = store
    this.#events = events
    this.#programs = programs
    this.#watch = watch
    this.#retry = new CallbackTimer(() => this.#syncPending())
  }

  /**
   * No status is waiting to be written, no network to be taken down. Pods that CNI refuses are tried again,
   * but nothing is in motion.
   */
  get idle(): boolean {
    return this.#dirty.size === 0 && this.#leaving.size === 0
  }

  /** What CNI last said of pods that have no sandbox. */
  get refused(): ReadonlyArray<Pod> {
    return [...this.#pending.values()]
  }

  /** The Node object of this node: its share of the pod range makes the network ready. */
  onNode({ object }: WatchEvent): void {
    const node = object as Node
    const cidrs = node.spec?.podCIDRs ?? []
    if (cidrs.length > 0 && !this.node.networkReady) {
      this.node.configure(cidrs.map((text) => parse(text)).filter((cidr): cidr is Cidr => cidr !== null))
      this.#syncPending()
    }
    if (readyOf(node) !== (this.node.networkReady ? "True" : "False")) {
      this.#store.updateStatus({ ...node, metadata: withoutVersion(node), status: this.#nodeStatus(node) })
    }
  }

  onPod({ type, object }: WatchEvent): void {
    const pod = object as Pod
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`
    const sandbox = this.sandboxes.get(key)
    if (type === "DELETED") {
      this.#pending.delete(key)
      if (sandbox?.pod.metadata.uid === pod.metadata.uid) this.#tearDown(sandbox!)
      return
    }
    if (pod.metadata.deletionTimestamp !== undefined) this.#terminate(pod, key, sandbox)
    else if (sandbox !== undefined) sandbox.pod = pod
    else if (pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed") this.#sync(pod, key)
  }

  /** The end of this instant: statuses that changed during it are written once. */
  override fire(nowNs: Ns): void {
    for (const sandbox of this.#dirty) {
      this.#dirty.delete(sandbox)
      if (this.sandboxes.get(sandbox.key) === sandbox) this.#report(sandbox, nowNs)
    }
  }

  #sync(pod: Pod, key: string): void {
    const hostNetwork = pod.spec!.hostNetwork === true
    if (!hostNetwork && !this.node.networkReady) {
      this.#pending.set(key, pod)
      return
    }
    if (this.#portsTaken(pod)) return this.#reject(pod, key, "NodePorts", "Predicate NodePorts failed")
    const forbidden = hostNetwork ? hostNetSysctl(pod) : null
    if (forbidden !== null) return this.#reject(pod, key, "SysctlForbidden", forbidden)
    const netns = hostNetwork ? this.node.netns : new Netns(this.#engine, this.#pool, key)
    let ips: ReadonlyArray<Ip> = this.node.ips
    if (!hostNetwork) {
      this.#watch(netns)
      netns.setUp(netns.lo)
      const got = this.node.attach(attachee(pod), netns)
      if (typeof got === "string") {
        const what = `failed to setup network for sandbox "${pod.metadata.uid}"`
        return this.#refuse(pod, key, netns, `${what}: ${got}`)
      }
      const unwritten = writeSysctls(pod, netns)
      if (unwritten !== null) {
        this.node.detach(attachee(pod))
        return this.#refuse(pod, key, netns, `${RUNC_FAILED}: ${unwritten}`)
      }
      ips = got
    }
    this.#pending.delete(key)
    const sandbox = new PodSandbox(
      this.#engine, pod, netns, ips, this.#programs, (changed) => this.#mark(changed)
    )
    this.sandboxes.set(key, sandbox)
    sandbox.start()
    this.#mark(sandbox)
  }

  /** Admission of a pod that some other way than the scheduler's brought here (lifecycle/predicate.go). */
  #portsTaken(pod: Pod): boolean {
    const ports = hostPortsOf(pod.spec)
    if (ports.length === 0) return false
    const taken = [...this.sandboxes.values()].flatMap((sandbox) => hostPortsOf(sandbox.pod.spec))
    return portsConflict(ports, new Set(taken))
  }

  #reject(pod: Pod, key: string, reason: string, message: string): void {
    this.#pending.delete(key)
    this.#store.updateStatus({
      ...pod, metadata: withoutVersion(pod),
      status: { ...pod.status, phase: "Failed", reason, message: `Pod was rejected: ${message}` }
    })
    this.#events.record({
      about: { kind: "Pod", namespace: pod.metadata.namespace!, name: pod.metadata.name! },
      type: "Warning", reason, message
    })
  }

  #refuse(pod: Pod, key: string, netns: Netns, why: string): void {
    netns.destroy()
    if (!this.#pending.has(key)) {
      this.#store.updateStatus({
        ...pod, metadata: withoutVersion(pod), status: waitingStatus(pod, this.node.ips, this.#engine.nowNs)
      })
    }
    this.#pending.set(key, pod)
    this.#events.record({
      about: { kind: "Pod", namespace: pod.metadata.namespace!, name: pod.metadata.name! },
      type: "Warning", reason: "FailedCreatePodSandBox",
      message: `Failed to create pod sandbox: rpc error: code = Unknown desc = ${why}`
    })
    if (!this.#retry.armed) this.#engine.arm(this.#retry, RETRY_NS)
  }

  #syncPending(): void {
    for (const [key, pod] of [...this.#pending]) this.#sync(pod, key)
  }

  #terminate(pod: Pod, key: string, sandbox: PodSandbox | undefined): void {
    this.#pending.delete(key)
    const uid = pod.metadata.uid!
    const ref = { kind: "Pod", namespace: pod.metadata.namespace!, name: pod.metadata.name! }
    const forget = () => {
      // Another pod may have its name by then.
      if (this.#store.get(ref.kind, ref.namespace, ref.name)?.metadata.uid === uid) this.#store.delete(ref, 0)
    }
    if (this.#leaving.has(uid)) this.#leaving.set(uid, forget)
    else if (sandbox === undefined) forget()
    else this.#tearDown(sandbox, forget)
  }

  /**
   * Containers end, and their sockets say so to their peers; then the network goes: CNI DEL, then the
   * namespace. The runtime takes its time between the two, else nothing that was said would get out.
   */
  #tearDown(sandbox: PodSandbox, then: () => void = () => {}): void {
    sandbox.stop()
    this.sandboxes.delete(sandbox.key)
    const uid = sandbox.pod.metadata.uid!
    this.#leaving.set(uid, then)
    this.#engine.arm(new CallbackTimer(() => {
      const after = this.#leaving.get(uid)!
      this.#leaving.delete(uid)
      this.#releaseNetwork(sandbox)
      after()
    }), TEAR_DOWN_NS)
  }

  #releaseNetwork(sandbox: PodSandbox): void {
    if (sandbox.hostNetwork) return
    this.node.detach(attachee(sandbox.pod))
    sandbox.netns.destroy()
  }

  #mark(sandbox: PodSandbox): void {
    this.#dirty.add(sandbox)
    if (!this.armed) this.#engine.arm(this, 0)
  }

  #report(sandbox: PodSandbox, nowNs: Ns): void {
    const { pod } = sandbox
    const status = podStatus(sandbox, this.node.ips, pod.status as PodStatus | undefined, nowNs)
    const written = this.#store.updateStatus({ ...pod, metadata: withoutVersion(pod), status })
    if ("spec" in written) sandbox.pod = written as Pod
    const phase = phaseOf(sandbox)
    if (phase !== "Succeeded" && phase !== "Failed") return
    // A pod that is over gives its address back; its object stays until somebody deletes it.
    this.#tearDown(sandbox)
  }

  #nodeStatus(node: Node): unknown {
    const now = timeText(this.#engine.nowNs)
    const ready = this.node.networkReady
    return {
      ...node.status,
      conditions: [{
        type: "Ready", status: ready ? "True" : "False", reason: ready ? "KubeletReady" : "KubeletNotReady",
        message: ready
          ? "kubelet is posting ready status"
          : "container runtime network not ready: cni config uninitialized",
        lastHeartbeatTime: now, lastTransitionTime: now
      }],
      addresses: [
        ...this.node.ips.map((ip) => ({ type: "InternalIP", address: format(ip) })),
        { type: "Hostname", address: this.node.name }
      ]
    }
  }
}

function attachee({ metadata }: Pod): Attachee {
  return { uid: metadata.uid!, namespace: metadata.namespace!, name: metadata.name! }
}

function readyOf(node: Node): string | undefined {
  return node.status?.conditions?.find((condition) => condition.type === "Ready")?.status
}

/** A kubelet patches the status: it never conflicts with whoever writes the rest. */
function withoutVersion({ metadata: { resourceVersion: _, ...rest } }: KubeObject) {
  return rest
}
