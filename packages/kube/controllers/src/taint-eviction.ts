/**
 * Pods leave a node with a NoExecute taint that they don't tolerate, or no longer
 * (pkg/controller/tainteviction). Every pod bears a node that isn't ready or can't be reached for five
 * minutes: the server's DefaultTolerationSeconds admission says so on each pod that doesn't speak of it; here
 * it is taken as said.
 */
import { timeNs, timeText, tolerates } from "@podwire/api"
import type { Node } from "@podwire/api/schema/node"
import type { Pod } from "@podwire/api/schema/pod"
import type { Taint, Toleration } from "@podwire/api/schema/scheduling"
import { type Ns, SECOND } from "@podwire/engine"
import { type Change, type Controller, NOTHING, type Outcome } from "./controller.ts"
import { normal } from "./event.ts"
import { isTerminal, isTerminating, removal } from "./pod.ts"
import { NOT_READY, UNREACHABLE } from "./taint.ts"

const PATIENCE_SECONDS = 300

export const taintEviction: Controller = {
  name: "taint-eviction-controller",
  watches: ["Node", "Pod"],

  keysOf(object, before, view) {
    if (object.kind === "Node") return [object.metadata.name!]
    const { nodeName = "" } = (object as Pod).spec
    const arrives = before === null || (before as Pod).spec.nodeName !== nodeName
    return nodeName !== "" && arrives && noExecuteOf(view.get("Node", "", nodeName) as Node | null).length > 0
      ? [nodeName]
      : []
  },

  reconcile(key, view, nowNs): Outcome {
    const taints = noExecuteOf(view.get("Node", "", key) as Node | null)
    if (taints.length === 0) return NOTHING
    const changes: Array<Change> = []
    let nextNs = Infinity
    for (const object of view.eachPodOn(key)) {
      const pod = object as Pod
      if (isTerminating(pod) || isTerminal(pod)) continue
      const leftNs = patienceNs(pod, taints, nowNs)
      if (leftNs <= 0) changes.push(...eviction(pod, nowNs))
      else nextNs = Math.min(nextNs, leftNs)
    }
    // The node may be back before: a deadline, not work.
    return { changes, ...nextNs === Infinity ? {} : { requeueNs: nextNs } }
  }
}

function noExecuteOf(node: Node | null): ReadonlyArray<Taint> {
  return node?.spec?.taints?.filter(({ effect }) => effect === "NoExecute") ?? []
}

/** Of all taints; the shortest toleration of each counts. */
function patienceNs({ spec }: Pod, taints: ReadonlyArray<Taint>, nowNs: Ns): Ns {
  let leastNs = Infinity
  for (const taint of taints) {
    const tolerations = withDefaults(spec.tolerations ?? [])
      .filter((toleration) => tolerates(toleration, taint))
    if (tolerations.length === 0) return 0
    const seconds = Math.min(
      ...tolerations.map(({ tolerationSeconds = Infinity }) => Math.max(0, tolerationSeconds))
    )
    leastNs = Math.min(leastNs, (timeNs(taint.timeAdded ?? "") ?? nowNs) + seconds * SECOND - nowNs)
  }
  return leastNs
}

function withDefaults(tolerations: ReadonlyArray<Toleration>): ReadonlyArray<Toleration> {
  const effect = "NoExecute"
  const missing = [NOT_READY, UNREACHABLE].filter((key) =>
    !tolerations.some((toleration) => tolerates(toleration, { key, effect })))
  return [
    ...tolerations,
    ...missing.map((key) => ({ key, operator: "Exists", effect, tolerationSeconds: PATIENCE_SECONDS }))
  ]
}

function eviction(pod: Pod, nowNs: Ns): ReadonlyArray<Change> {
  const condition = {
    type: "DisruptionTarget", status: "True", lastTransitionTime: timeText(nowNs),
    reason: "DeletionByTaintManager", message: "Taint manager: deleting due to NoExecute taint"
  }
  const conditions = [
    ...pod.status?.conditions?.filter(({ type }) => type !== condition.type) ?? [], condition
  ]
  const { namespace, name } = pod.metadata
  const told = () => normal(pod, "TaintManagerEviction", `Marking for deletion Pod ${namespace!}/${name!}`)
  return [
    { _tag: "UpdateStatus", object: { ...pod, status: { ...pod.status, conditions } } }, removal(pod, told)
  ]
}
