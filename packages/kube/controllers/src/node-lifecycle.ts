/**
 * A node's conditions as taints (pkg/controller/nodelifecycle): what the scheduler and the eviction go by.
 * Taints that are not from here stay as they are. Pods of a node that isn't ready aren't either, so that
 * nobody is sent to them.
 *
 * Not supported: watching heartbeats. Whoever stops a kubelet says so by the Ready condition (Unknown is what
 * Kubernetes writes after 50 s of silence); eviction rates by zone.
 */
import { timeText } from "@podwire/api"
import type { Node } from "@podwire/api/schema/node"
import type { Pod } from "@podwire/api/schema/pod"
import type { Taint } from "@podwire/api/schema/scheduling"
import type { Ns } from "@podwire/engine"
import { type Change, type Controller, NOTHING, type Outcome, type View } from "./controller.ts"
import { equal } from "./equal.ts"
import { warning } from "./event.ts"
import { isReady } from "./pod.ts"
import { NOT_READY, UNREACHABLE, UNSCHEDULABLE } from "./taint.ts"

/** Condition, the status that taints, the taint. */
const CONDITIONS = [
  ["MemoryPressure", "True", "node.kubernetes.io/memory-pressure"],
  ["DiskPressure", "True", "node.kubernetes.io/disk-pressure"],
  ["NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"],
  ["PIDPressure", "True", "node.kubernetes.io/pid-pressure"]
] as const
const OURS: ReadonlySet<string> = new Set([
  NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...CONDITIONS.map(([, , key]) => key)
])

export const nodeLifecycle: Controller = {
  name: "node-lifecycle-controller",
  watches: ["Node"],
  keysOf: (object, before) => (object === before ? [] : [object.metadata.name!]),

  reconcile(key, view, nowNs): Outcome {
    const node = view.get("Node", "", key) as Node | null
    if (node === null) return NOTHING
    const before = node.spec?.taints ?? []
    const wanted = taintsOf(node)
    const isOurs = ({ key, effect }: Taint) => OURS.has(key) &&
      (effect !== "NoExecute" || key === NOT_READY || key === UNREACHABLE)
    const kept = before.filter((taint) => !isOurs(taint) || wanted.some((other) => isSame(other, taint)))
    const added = wanted.filter((taint) => !before.some((other) => isSame(other, taint)))
      .map((taint) => ({ ...taint, timeAdded: timeText(nowNs) }))
    const { taints: _, ...spec } = node.spec ?? {}
    const taints = [...kept, ...added]
    const changes = wanted.some(({ effect }) => effect === "NoExecute") ? unready(key, view, nowNs) : []
    if (equal(taints, before)) return changes.length === 0 ? NOTHING : { changes }
    const tainted = { ...node, spec: { ...spec, ...taints.length === 0 ? {} : { taints } } }
    return { changes: [{ _tag: "Update", object: tainted }, ...changes] }
  }
}

/** util/node/controller_utils.go, MarkPodsNotReady. */
function unready(nodeName: string, view: View, nowNs: Ns): ReadonlyArray<Change> {
  const changes: Array<Change> = []
  for (const object of view.eachPodOn(nodeName)) {
    const pod = object as Pod
    if (!isReady(pod)) continue
    const conditions = pod.status!.conditions!.map((condition) => (condition.type !== "Ready" ? condition
      : { ...condition, status: "False", lastTransitionTime: timeText(nowNs) }))
    const event = () => warning(pod, "NodeNotReady", "Node is not ready")
    changes.push({ _tag: "UpdateStatus", object: { ...pod, status: { ...pod.status, conditions } }, event })
  }
  return changes
}

/** What is not ready takes nobody new, and those who are there go (`taint-eviction.ts`). */
function taintsOf({ spec, status }: Node): ReadonlyArray<Taint> {
  const statusOf = (type: string) => status?.conditions?.find((condition) => condition.type === type)?.status
  const taints: Array<Taint> = []
  const ready = statusOf("Ready")
  if (ready !== "True") {
    const key = ready === "Unknown" ? UNREACHABLE : NOT_READY
    taints.push({ key, effect: "NoSchedule" })
    // A node that has said nothing yet has nobody to send away.
    if (ready !== undefined) taints.push({ key, effect: "NoExecute" })
  }
  for (const [type, bad, key] of CONDITIONS) {
    if (statusOf(type) === bad) taints.push({ key, effect: "NoSchedule" })
  }
  if (spec?.unschedulable === true) taints.push({ key: UNSCHEDULABLE, effect: "NoSchedule" })
  return taints
}

function isSame(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect
}
