/**
 * A cluster for tests: store, informer, controllers, and kubelets that only keep statuses. A bound pod runs
 * and is ready after a while; a deleted one is gone after a while; `fate` lets pods end by themselves.
 */
import { ApiError, ApiStore, Informer, keyOf, type KubeObject, timeText } from "@podwire/api"
import type { Node, Pod } from "@podwire/api"
import { CallbackTimer, Engine, MILLISECOND, type Ns, SECOND } from "@podwire/engine"
import {
  type Controller, daemonSet, deployment, garbageCollector, job, namespace, nodeLifecycle, type ObjectEvent, podGarbageCollector,
  replicaSet, Runner, scheduler, statefulSet, taintEviction
} from "@podwire/controllers"

export const ALL = (): ReadonlyArray<Controller> =>
  [
    namespace, garbageCollector, deployment, replicaSet, statefulSet, daemonSet, job, nodeLifecycle, taintEviction,
    podGarbageCollector(), scheduler()
  ]

export interface Options {
  readonly seed?: number
  readonly lagNs?: Ns
  readonly controllers?: ReadonlyArray<Controller>
  readonly startNs?: Ns
  readonly stopNs?: Ns
  /** How a pod ends and after how long; null for one that runs on. */
  readonly fate?: (pod: Pod) => { readonly phase: "Succeeded" | "Failed"; readonly afterNs: Ns; readonly exitCode?: number } | null
}

export class Cluster {
  readonly engine: Engine
  readonly store: ApiStore
  readonly runner: Runner
  readonly events: Array<string> = []
  readonly lines: Array<string> = []
  /** Called after every write. */
  check: () => void = () => {}
  readonly #options: Options

  constructor(options: Options = {}) {
    this.#options = options
    this.engine = new Engine(options.seed ?? 1)
    this.store = new ApiStore(this.engine)
    const informer = new Informer(this.engine, this.store, options.lagNs ?? 10 * MILLISECOND)
    this.runner = new Runner(this.engine, this.store, informer, options.controllers ?? ALL(), (event) => this.#record(event))
    this.store.observe({
      wrote: ({ object, before, type }) => {
        const line = describe(type, object, before)
        if (line !== "") this.lines.push(`${this.clock} ${object.kind} ${keyOf(object)} ${line}`)
        if (object.kind === "Pod" && type !== "DELETED") this.#kubelet(object as Pod, before as Pod | null)
        this.check()
      }
    })
  }

  get clock(): string {
    return (this.engine.nowNs / SECOND).toFixed(2)
  }

  /** What happened since the last call, of these kinds or of all. */
  timeline(...kinds: ReadonlyArray<string>): string {
    const lines = this.lines.splice(0).filter((line) => kinds.length === 0 || kinds.includes(line.split(" ")[1]!))
    return `\n${lines.join("\n")}\n`
  }

  /** Events of these reasons since the last call. */
  told(...reasons: ReadonlyArray<string>): string {
    return `\n${this.events.splice(0).filter((line) => reasons.includes(line.split(" ")[2]!)).join("\n")}\n`
  }

  /** Conditions of a status, one a line. */
  conditions(kind: string, name: string): string {
    const { status } = this.get<KubeObject & { status: { conditions?: ReadonlyArray<Record<string, string>> } }>(kind, name)
    const line = ({ type, status: is, reason = "", message = "" }: Record<string, string>) => `${type} ${is} ${reason}: ${message}`
    return `\n${(status.conditions ?? []).map(line).join("\n")}\n`
  }

  /** Creates, or replaces what has that name as `kubectl apply` does. */
  apply(object: KubeObject): KubeObject {
    const { namespace = "", name } = object.metadata
    const before = this.store.get(object.kind, namespace, name!)
    const result = before === null ? this.store.create(object)
      : this.store.update({ ...object, metadata: { ...before.metadata, ...object.metadata } })
    if (result instanceof ApiError) throw new Error(result.reason)
    return result
  }

  patch<T extends KubeObject>(kind: string, name: string, spec: (object: T) => unknown): void {
    const object = this.get<T>(kind, name)
    const result = this.store.update({ ...object, spec: spec(object) })
    if (result instanceof ApiError) throw new Error(result.reason)
  }

  get<T extends KubeObject>(kind: string, name: string): T {
    return (this.store.get(kind, "default", name) ?? this.store.get(kind, "", name)) as T
  }

  nodes(count: number, make: (i: number) => Node = (i) => node(`node${i + 1}`)): void {
    for (let i = 0; i < count; i++) this.apply(make(i) as KubeObject)
  }

  run(ns: Ns): void {
    this.engine.advance(this.engine.nowNs + ns, 10_000_000)
  }

  /** Until nothing but deadlines is left, or `maxNs` have gone by. */
  settle(maxNs: Ns = 3600 * SECOND): void {
    const untilNs = this.engine.nowNs + maxNs
    while (this.engine.nextNs <= untilNs && !(this.runner.idle && this.#busy === 0)) this.engine.advance(this.engine.nextNs, 10_000_000)
    if (!this.runner.idle) throw new Error("does not settle")
  }

  pods(owner?: string): ReadonlyArray<Pod> {
    const all = this.store.list("Pod") as ReadonlyArray<Pod>
    return owner === undefined ? all : all.filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === owner)
  }

  remove(kind: string, name: string, graceSeconds = 0): void {
    const object = this.get(kind, name)
    this.store.delete({ kind, namespace: object.metadata.namespace ?? "", name }, graceSeconds)
  }

  setStatus(pod: Pod, phase: string, exitCode = phase === "Failed" ? 1 : 0): void {
    const now = timeText(this.engine.nowNs)
    const runs = phase === "Running"
    const conditions = [
      ...pod.status?.conditions?.filter(({ type }) => type === "PodScheduled") ?? [],
      ...["Initialized", "ContainersReady", "Ready"].map((type) => ({ type, status: runs ? "True" : "False", lastTransitionTime: now }))
    ]
    const state = runs ? { running: { startedAt: now } } : { terminated: { exitCode, finishedAt: now } }
    const containerStatuses = pod.spec.containers.map(({ name, image = "" }) =>
      ({ name, image, imageID: image, ready: runs, restartCount: 0, state }))
    this.store.updateStatus({ ...pod, status: { ...pod.status, phase, conditions, containerStatuses } } as KubeObject)
  }

  #busy = 0

  #in(ns: Ns, act: () => void): void {
    this.#busy++
    this.engine.arm(new CallbackTimer(() => {
      this.#busy--
      act()
    }), ns)
  }

  #kubelet(pod: Pod, before: Pod | null): void {
    const { startNs = 1 * SECOND, stopNs = 2 * SECOND, fate = () => null } = this.#options
    const { namespace, name, uid } = pod.metadata
    const now = () => {
      const current = this.store.get("Pod", namespace!, name!) as Pod | null
      return current?.metadata.uid === uid ? current! : null
    }
    if ((pod.spec.nodeName ?? "") !== "" && (before?.spec.nodeName ?? "") === "") {
      this.#in(startNs, () => {
        const current = now()
        if (current === null || current.metadata.deletionTimestamp !== undefined || current.status?.phase !== "Pending") return
        this.setStatus(current, "Running")
        const end = fate(current)
        if (end !== null) this.#in(end.afterNs, () => now() !== null && this.setStatus(now()!, end.phase, end.exitCode))
      })
    }
    if (pod.metadata.deletionTimestamp !== undefined && before?.metadata.deletionTimestamp === undefined) {
      this.#in(stopNs, () => now() !== null && this.store.delete({ kind: "Pod", namespace: namespace!, name: name! }))
    }
  }

  #record({ about, type, reason, message }: ObjectEvent): void {
    this.events.push(`${this.clock} ${type} ${reason} ${about.kind}/${about.name} ${message}`)
  }
}

/** What changed, in few words; "" for what no timeline needs. */
function describe(type: string, object: KubeObject, before: KubeObject | null): string {
  if (type === "ADDED") return `created${countOf(object)}`
  if (type === "DELETED") return "gone"
  const words: Array<string> = []
  if (object.metadata.deletionTimestamp !== undefined && before!.metadata.deletionTimestamp === undefined) words.push("terminating")
  const [pod, was] = [object as Pod, before as Pod]
  if (object.kind === "Pod") {
    if (pod.spec.nodeName !== was.spec.nodeName) words.push(`on ${pod.spec.nodeName!}`)
    if (pod.status?.phase !== was.status?.phase) words.push(pod.status!.phase!)
  } else if (countOf(object) !== countOf(before!)) words.push(countOf(object).trim())
  return words.join(" ")
}

function countOf({ spec }: KubeObject): string {
  const replicas = (spec as { readonly replicas?: number } | undefined)?.replicas
  return replicas === undefined ? "" : ` replicas ${replicas}`
}

export function node(name: string, more: { readonly labels?: Record<string, string>; readonly spec?: unknown; readonly allocatable?: Record<string, string> } = {}): Node {
  const labels = { "kubernetes.io/hostname": name, ...more.labels }
  return {
    apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec: (more.spec ?? {}) as Node["spec"],
    status: {
      allocatable: { cpu: "4", memory: "8Gi", pods: "110", ...more.allocatable },
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }]
    }
  }
}

export function template(labels: Record<string, string>, image = "web:1", spec: object = {}) {
  return { metadata: { labels }, spec: { containers: [{ name: "main", image }], ...spec } }
}

export function workload(kind: string, name: string, spec: object, image = "web:1", podSpec: object = {}): KubeObject {
  return {
    apiVersion: kind === "Job" ? "batch/v1" : "apps/v1", kind, metadata: { name, namespace: "default" },
    spec: {
      ...kind === "Job" ? {} : { selector: { matchLabels: { app: name } } }, template: template({ app: name }, image, podSpec), ...spec
    }
  }
}
