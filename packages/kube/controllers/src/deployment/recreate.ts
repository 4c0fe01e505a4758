/** Recreate: nothing old may run before the first new pod (pkg/controller/deployment/recreate.go). */
import type { Pod } from "@podwire/api/schema/pod"
import { isTerminal } from "../pod.ts"
import { isInUse, observed, type Rollout } from "./rollout.ts"

/** True when there was something to take down. */
export function takeDown(rollout: Rollout): boolean {
  let any = false
  for (const set of rollout.old.filter(isInUse)) any = rollout.scale(set, 0) || any
  return any
}

/** Pods that are being deleted run still. */
export function oldPodsRun(rollout: Rollout): boolean {
  if (observed(rollout.old, "replicas") > 0) return true
  return rollout.old.some((set) => {
    for (const pod of rollout.view.eachOwnedBy(set.metadata.uid!)) {
      if (pod.kind === "Pod" && !isTerminal(pod as Pod)) return true
    }
    return false
  })
}
