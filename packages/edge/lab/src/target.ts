/**
 * Who is meant by a name, as `exec`, `inspect` and `trace` take them: POD, NS/POD, deploy/NAME (any
 * workload), node/NAME, host/NAME. A workload stands for its first running pod, as with kubectl.
 */
import { controllerOf, type KubeObject, lookup, type Pod, resourceOf } from "@podwire/api"
import { type Cluster, type Host, PodSandbox } from "@podwire/cluster"
import * as Data from "effect/Data"
import * as Runtime from "effect/Runtime"
import { userMessage } from "effect/cli/CliError"

export interface Target {
  /** Of its interfaces in captures: `node1`, `default/web-0`, `host/client`. */
  readonly name: string
  readonly host: Host
  readonly pod: PodSandbox | null
}

/** A name that stands for nothing in this cluster; exit code 2. */
export class TargetError extends Data.TaggedError("TargetError")<{ readonly what: string }> {
  override readonly [Runtime.errorExitCode] = 2
  override get [userMessage](): string {
    return this.message
  }
  override get message(): string {
    return this.what
  }
}

export function findTarget(
  cluster: Cluster, text: string, namespace: string, container: string | null = null
): Target | TargetError {
  const slash = text.indexOf("/")
  const [head, name] = slash < 0 ? ["", text] : [text.slice(0, slash), text.slice(slash + 1)]
  if (head === "node" || head === "host") {
    const machine = head === "node" ? cluster.node(name) : cluster.externalHost(name)
    const known = (head === "node" ? cluster.nodes : cluster.hosts).map((other) => other.name)
    if (machine === null) {
      const there = known.length === 0 ? "there is none" : `there are ${known.join(", ")}`
      return new TargetError({ what: `no ${head} is called "${name}"; ${there}` })
    }
    return { name: machine.netns.name, host: machine.host, pod: null }
  }
  const kind = head === "" ? null : lookup(head)
  if (kind !== null && kind.kind !== "Pod" && kind.namespaced) {
    return workload(cluster, kind.kind, resourceOf(kind), namespace, name)
  }
  const podNamespace = head === "" || kind?.kind === "Pod" ? namespace : head
  return podTarget(cluster, podNamespace, name, container)
}

function podTarget(
  cluster: Cluster, namespace: string, name: string, container: string | null
): Target | TargetError {
  const object = cluster.store.get("Pod", namespace, name) as Pod | null
  // A node's bare name is taken too: there is nothing else that it could mean.
  if (object === null) {
    const node = cluster.node(name)
    if (node !== null) return { name: node.netns.name, host: node.host, pod: null }
    const others = cluster.store.list("Pod").filter((pod) => pod.metadata.name === name)
      .map((pod) => pod.metadata.namespace!)
    const hint = others.length === 0
      ? ""
      : `; there is one in namespace ${others.join(", ")}: say ${others[0]}/${name} or -n ${others[0]}`
    const where = namespace === "default" ? "" : ` in namespace ${namespace}`
    return new TargetError({ what: `Error from server (NotFound): pods "${name}" not found${where}${hint}` })
  }
  const pod = cluster.pod(namespace, name)
  if (pod === null) {
    return new TargetError({ what: `pod ${namespace}/${name} does not run: ${whyNot(object)}` })
  }
  const names = [...pod.containers, ...pod.init].map((other) => other.spec.name)
  if (container !== null && !names.includes(container)) {
    return new TargetError({
      what: `container ${container} is not valid for pod ${name}; its containers are ${names.join(", ")}`
    })
  }
  return { name: pod.netns.name, host: pod.host, pod }
}

function workload(
  cluster: Cluster, kind: string, resource: string, namespace: string, name: string
): Target | TargetError {
  const owner = cluster.store.get(kind, namespace, name)
  if (owner === null) {
    return new TargetError({ what: `Error from server (NotFound): ${resource} "${name}" not found` })
  }
  const pod = podsOf(cluster, owner).find((other) => cluster.pod(namespace, other.metadata.name!) !== null)
  if (pod === undefined) {
    return new TargetError({ what: `${resource} ${namespace}/${name} has no running pod` })
  }
  return podTarget(cluster, namespace, pod.metadata.name!, null)
}

/** Directly, or through what it manages (a Deployment's ReplicaSets). */
export function podsOf(cluster: Cluster, owner: KubeObject): ReadonlyArray<Pod> {
  const owners = new Set([owner.metadata.uid])
  for (const set of cluster.store.list("ReplicaSet", owner.metadata.namespace)) {
    if (owners.has(controllerOf(set)?.uid)) owners.add(set.metadata.uid)
  }
  return cluster.store.list("Pod", owner.metadata.namespace)
    .filter((pod) => owners.has(controllerOf(pod)?.uid)) as ReadonlyArray<Pod>
}

/** Why an object has not everything running that it asks for; null when it has. */
export function unready(cluster: Cluster, object: KubeObject): string | null {
  if (object.kind === "Pod") return isReady(object as Pod) ? null : whyNot(object as Pod)
  const pods = podsOf(cluster, object)
  const { replicas } = (object.spec ?? {}) as { readonly replicas?: number }
  const { desiredNumberScheduled } = (object.status ?? {}) as { readonly desiredNumberScheduled?: number }
  const wanted = object.kind === "DaemonSet" ? desiredNumberScheduled ?? 0 : replicas ?? pods.length
  const ready = pods.filter(isReady)
  if (ready.length === wanted && pods.length === wanted) return null
  const culprit = pods.find((pod) => !isReady(pod))
  const why = culprit === undefined ? "" : `; ${culprit.metadata.name}: ${whyNot(culprit)}`
  return `${ready.length} of ${wanted} pods are ready${why}`
}

function isReady(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" ||
    pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true
}

/** The most telling reason why a pod is not running. */
function whyNot(pod: Pod): string {
  const { status } = pod
  const unscheduled = status?.conditions?.find((condition) =>
    condition.type === "PodScheduled" && condition.status === "False")
  const waiting = status?.containerStatuses?.find((container) =>
    container.state?.waiting !== undefined)?.state?.waiting
  return unscheduled?.message ?? waiting?.message ?? waiting?.reason ?? status?.reason ??
    `it is ${status?.phase ?? "Pending"}`
}
