/**
 * Pods of a node that is gone have no kubelet to end them: after the node has been missing for a while they
 * go at once (pkg/controller/podgc). Since when it has been missing is this controller's one piece of memory.
 *
 * Not supported: `--terminated-pod-gc-threshold`: pods that have ended stay.
 */
import { refOf, timeText } from "@podwire/api"
import type { Pod } from "@podwire/api/schema/pod"
import { type Ns, SECOND } from "@podwire/engine"
import { type Change, type Controller, NOTHING, type Outcome } from "./controller.ts"
import { isTerminal } from "./pod.ts"

const QUARANTINE_NS = 40 * SECOND

export function podGarbageCollector(): Controller {
  const missingSince = new Map<string, Ns>()
  return {
    name: "pod-garbage-collector-controller",
    watches: ["Node", "Pod"],

    keysOf(object, before, view) {
      if (object.kind === "Node") return object === before || before === null ? [object.metadata.name!] : []
      const { nodeName = "" } = (object as Pod).spec
      const arrives = before === null || (before as Pod).spec.nodeName !== nodeName
      return nodeName !== "" && arrives && view.get("Node", "", nodeName) === null ? [nodeName] : []
    },

    reconcile(key, view, nowNs): Outcome {
      if (view.get("Node", "", key) !== null || view.podCount(key) === 0) {
        missingSince.delete(key)
        return NOTHING
      }
      const sinceNs = missingSince.get(key) ?? nowNs
      missingSince.set(key, sinceNs)
      const leftNs = sinceNs + QUARANTINE_NS - nowNs
      if (leftNs > 0) return { changes: [], dueNs: leftNs }
      missingSince.delete(key)
      return { changes: [...view.eachPodOn(key)].flatMap((pod) => ending(pod as Pod, nowNs)) }
    }
  }
}

function ending(pod: Pod, nowNs: Ns): ReadonlyArray<Change> {
  const removed: Change = { _tag: "Delete", ref: refOf(pod), graceSeconds: 0 }
  if (isTerminal(pod)) return [removed]
  const condition = {
    type: "DisruptionTarget", status: "True", lastTransitionTime: timeText(nowNs), reason: "DeletionByPodGC",
    message: "PodGC: node no longer exists"
  }
  const conditions = [
    ...pod.status?.conditions?.filter(({ type }) => type !== condition.type) ?? [], condition
  ]
  return [
    { _tag: "UpdateStatus", object: { ...pod, status: { ...pod.status, phase: "Failed", conditions } } },
    removed
  ]
}
