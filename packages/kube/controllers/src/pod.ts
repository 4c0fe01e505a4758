/**
 * What controllers ask of a pod (api/v1/pod/util.go, controller_utils.go), and the change that ends one.
 */
import { type KubeObject, refOf, timeNs } from "@podwire/api"
import type { Pod } from "@podwire/api/schema/pod"
import type { PodCondition } from "@podwire/api/schema/pod-status"
import { type Ns, SECOND } from "@podwire/engine"
import type { Change, ObjectEvent } from "./controller.ts"

const GRACE_SECONDS = 30

export function conditionOf(pod: Pod, type: string): PodCondition | undefined {
  const conditions = pod.status?.conditions
  if (conditions !== undefined) {
    for (const condition of conditions) if (condition.type === type) return condition
  }
  return undefined
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod, "Ready")?.status === "True"
}

/** How long until the pod has been ready for that long: 0 when it has, Infinity when it isn't ready. */
export function availableInNs(pod: Pod, minReadySeconds: number, nowNs: Ns): Ns {
  const ready = conditionOf(pod, "Ready")
  if (ready?.status !== "True") return Infinity
  if (minReadySeconds === 0) return 0
  return Math.max(0, (timeNs(ready.lastTransitionTime ?? "") ?? nowNs) + minReadySeconds * SECOND - nowNs)
}

export function isAvailable(pod: Pod, minReadySeconds: number, nowNs: Ns): boolean {
  return availableInNs(pod, minReadySeconds, nowNs) === 0
}

/** Succeeded or Failed: its containers never run again. */
export function isTerminal(pod: Pod): boolean {
  const phase = pod.status?.phase
  return phase === "Succeeded" || phase === "Failed"
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined
}

export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && !isTerminating(pod)
}

/** Pods that no kubelet has, or whose containers have ended, go at once (registry/core/pod/strategy.go). */
export function removal(pod: Pod, event?: (written: KubeObject) => ObjectEvent): Change {
  const atOnce = (pod.spec.nodeName ?? "") === "" || isTerminal(pod)
  const graceSeconds = atOnce ? 0 : pod.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS
  return { _tag: "Delete", ref: refOf(pod), graceSeconds, ...event === undefined ? {} : { event } }
}
