/**
 * The scheduler: a node for every pod that has none (pkg/scheduler). One key stands for all pending pods, so
 * a pass sees every placement before it and needs to assume nothing.
 *
 * Invariant: no node ever gets more than it offers, by what the view knows. The only state beside the view is
 * a cache of sums per node, thrown away by the news that changes them.
 * Approximated: of the nodes that will do, the one with the fewest pods of the same controller is taken, then
 * the one with the fewest pods, then the eldest. Kubernetes' plugins weigh more and break ties by chance.
 * Not supported: preemption, preferred affinities, ScheduleAnyway, volumes, extended resources, other
 * schedulers (their pods stay pending), `pod.spec.resourceClaims`.
 */
import { controllerOf, type KubeObject, refOf, timeText } from "@podwire/api"
import type { Node } from "@podwire/api/schema/node"
import type { Pod, PodSpec } from "@podwire/api/schema/pod"
import type { Ns } from "@podwire/engine"
import { type Change, type Controller, NOTHING, type Outcome, type View } from "../controller.ts"
import { equal } from "../equal.ts"
import { normal, warning } from "../event.ts"
import { conditionOf, isTerminal, isTerminating } from "../pod.ts"
import { newStatus } from "../template.ts"
import { NodeInfo } from "./node-info.ts"
import { type Pass, PodClass } from "./pod-class.ts"

const NAME = "default-scheduler"
const PENDING = ["pending pods"]
const NOBODY: ReadonlyArray<string> = []

export function scheduler(): Controller {
  const infos = new Map<string, NodeInfo>()
  return {
    name: NAME,
    watches: ["Node", "Pod"],
    keysOf(object, before) {
      if (object.kind === "Node") {
        infos.delete(object.metadata.name!)
        return before === null || before === object || nodeChanged(object as Node, before as Node) ? PENDING
          : NOBODY
      }
      return podKeys(object as Pod, before as Pod | null, infos)
    },
    reconcile: (_, view, nowNs) => schedule(view, nowNs, infos)
  }
}

/** Pods that wait, and pods that make room. */
function podKeys(pod: Pod, before: Pod | null, infos: Map<string, NodeInfo>): ReadonlyArray<string> {
  const deleted = before === pod
  const node = pod.spec.nodeName ?? ""
  if (node === "") {
    if (deleted || before === null) return deleted ? NOBODY : PENDING
    return before.spec !== pod.spec || before.metadata.labels !== pod.metadata.labels ? PENDING : NOBODY
  }
  const ended = deleted || (isTerminal(pod) && before !== null && !isTerminal(before))
  if (ended || before === null || before.spec !== pod.spec ||
    before.metadata.labels !== pod.metadata.labels) {
    infos.delete(node)
  }
  return ended ? PENDING : NOBODY
}

/** A heartbeat is no news. */
function nodeChanged(node: Node, before: Node): boolean {
  const ready = ({ status }: Node) => status?.conditions?.find(({ type }) => type === "Ready")?.status
  return !equal(node.spec, before.spec) || !equal(node.metadata.labels, before.metadata.labels) ||
    !equal(node.status?.allocatable, before.status?.allocatable) || ready(node) !== ready(before)
}

function schedule(view: View, nowNs: Ns, infos: Map<string, NodeInfo>): Outcome {
  const pending = pendingPods(view)
  if (pending.length === 0) return NOTHING
  const pass = begin(view, infos, pending.some(isAverse))
  const classOf = classifier(view, pass)
  const changes: Array<Change> = []
  let stuck = false
  for (const pod of pending) {
    if ((pod.spec.schedulingGates ?? []).length > 0) {
      refuse(
        changes, pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", nowNs
      )
      continue
    }
    const podClass = classOf(pod)
    const info = podClass.place()
    if (info === null) {
      refuse(changes, pod, "Unschedulable", podClass.failure(), nowNs)
      stuck ||= podClass.movesOn
      continue
    }
    podClass.placed(info, pod)
    const nodeName = info.node.metadata.name!
    changes.push({ _tag: "Bind", ref: refOf(pod), nodeName, event: assigned(nodeName) })
  }
  // The sums here hold what is only wished for until the news of it comes back.
  for (const { info } of pass.log) infos.delete(info.node.metadata.name!)
  // Who wants company may find it among those placed after him.
  return { changes, ...stuck && pass.log.length > 0 ? { dueNs: 0 } : {} }
}

function pendingPods(view: View): ReadonlyArray<Pod> {
  const pending: Array<Pod> = []
  let ranked = false
  for (const object of view.eachPodOn("")) {
    const pod = object as Pod
    if (isTerminal(pod) || isTerminating(pod) || (pod.spec.schedulerName ?? NAME) !== NAME) continue
    pending.push(pod)
    ranked ||= (pod.spec.priority ?? 0) !== 0
  }
  return ranked ? pending.sort((a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0)) : pending
}

function isAverse({ spec }: Pod): boolean {
  return spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined
}

function begin(view: View, infos: Map<string, NodeInfo>, averse: boolean): Pass {
  const byName = new Map<string, NodeInfo>()
  const nodes: Array<NodeInfo> = []
  for (const node of view.each("Node")) {
    const name = node.metadata.name!
    const known = infos.get(name)
    const info = known?.order === nodes.length ? known : new NodeInfo(node as Node, nodes.length, view)
    if (info !== known) infos.set(name, info)
    byName.set(name, info)
    nodes.push(info)
  }
  return {
    nodes, byName, log: [], averse: averse || nodes.some((info) => info.averse.length > 0),
    podsOf: (info) => view.eachPodOn(info.node.metadata.name!) as Iterable<Pod>
  }
}

function classifier(view: View, pass: Pass): (pod: Pod) => PodClass {
  const classes = new Map<PodSpec, Map<string, PodClass>>()
  const owns = new Map<string, Map<NodeInfo, number>>()
  const ownOf = (uid: string) => {
    if (uid === "") return new Map<NodeInfo, number>()
    let own = owns.get(uid)
    if (own === undefined) owns.set(uid, own = spreadOf(uid, view, pass))
    return own
  }
  return (pod) => {
    const uid = controllerOf(pod)?.uid ?? ""
    let byOwner = classes.get(pod.spec)
    if (byOwner === undefined) classes.set(pod.spec, byOwner = new Map())
    let podClass = byOwner.get(uid)
    if (podClass === undefined || podClass.pod.metadata.labels !== pod.metadata.labels) {
      byOwner.set(uid, podClass = new PodClass(pod, pass, ownOf(uid)))
    }
    return podClass
  }
}

/** How many pods of this controller each node has; pods of nobody are spread by node alone. */
function spreadOf(uid: string, view: View, { byName }: Pass): Map<NodeInfo, number> {
  const own = new Map<NodeInfo, number>()
  for (const object of view.eachOwnedBy(uid)) {
    const info = object.kind === "Pod" ? byName.get((object as Pod).spec.nodeName ?? "") : undefined
    if (info !== undefined) own.set(info, (own.get(info) ?? 0) + 1)
  }
  return own
}

/** Said once for as long as it stays the same. */
function refuse(changes: Array<Change>, pod: Pod, reason: string, message: string, nowNs: Ns): void {
  const before = conditionOf(pod, "PodScheduled")
  if (before?.status === "False" && before.reason === reason && before.message === message) return
  const lastTransitionTime = before?.status === "False" ? before.lastTransitionTime ?? timeText(nowNs)
    : timeText(nowNs)
  const condition = { type: "PodScheduled", status: "False", lastTransitionTime, reason, message }
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== condition.type)
  const status = { ...newStatus(pod.spec), ...pod.status, conditions: [...others, condition] }
  const event = reason === "SchedulingGated" ? {} : { event: () => warning(pod, "FailedScheduling", message) }
  changes.push({ _tag: "UpdateStatus", object: { ...pod, status }, ...event })
}

function assigned(nodeName: string): (written: KubeObject) => ReturnType<typeof normal> {
  return (written) => {
    const { namespace, name } = written.metadata
    return normal(written, "Scheduled", `Successfully assigned ${namespace!}/${name!} to ${nodeName}`)
  }
}
