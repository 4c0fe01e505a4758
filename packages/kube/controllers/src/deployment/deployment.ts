/**
 * Deployment (pkg/controller/deployment): a ReplicaSet per template, and the way from one to the next.
 *
 * Invariant: it writes ReplicaSets and itself, never pods. Of one look, ReplicaSets are written first: when
 * one of them is refused, the status waits for the next look.
 * Not supported: rollback by annotation (`kubectl rollout undo` writes the template), ReplicaFailure
 * conditions (no write of a pod is refused by quota or admission here).
 */
import { controllerOf, keyOf } from "@podwire/api"
import type { Deployment } from "@podwire/api/schema/deployment"
import type { ReplicaSet } from "@podwire/api/schema/replica-set"
import { claim, ownerKeys } from "../claim.ts"
import { type Controller, NOTHING, type Outcome } from "../controller.ts"
import { isScaling, scaleAll } from "./proportion.ts"
import { oldPodsRun, takeDown } from "./recreate.ts"
import { cleanUp, find, sync } from "./replica-sets.ts"
import { step } from "./rolling-update.ts"
import { Rollout } from "./rollout.ts"
import { deadlineInNs, isComplete, writeStatus } from "./status.ts"

export const deployment: Controller = {
  name: "deployment-controller",
  watches: ["Deployment", "ReplicaSet", "Pod"],

  keysOf(object, before, view) {
    if (object.kind === "Deployment") return [keyOf(object)]
    if (object.kind === "ReplicaSet") return ownerKeys("Deployment", object, before, view)
    // Recreate waits for the last old pod; pods matter to nobody else here.
    const owner = controllerOf(object)
    const namespace = object.metadata.namespace!
    if (owner?.kind !== "ReplicaSet" || view.get("Pod", namespace, object.metadata.name!) !== null) return []
    const set = view.get("ReplicaSet", namespace, owner.name)
    const by = set === null ? null : controllerOf(set)
    if (by?.kind !== "Deployment") return []
    const spec = view.get("Deployment", namespace, by.name)?.spec as Deployment["spec"] | undefined
    return spec?.strategy?.type === "Recreate" ? [`${namespace}/${by.name}`] : []
  },

  reconcile(key, view, nowNs): Outcome {
    const [namespace, name] = key.split("/") as [string, string]
    const object = view.get("Deployment", namespace, name) as Deployment | null
    if (object === null) return NOTHING
    const rollout = new Rollout(object, view, nowNs)
    const { objects, changes } = claim<ReplicaSet>(
      object, "ReplicaSet", object.spec.selector, view, () => true
    )
    // Adopted sets are known as ours at the next look.
    if (changes.length > 0) return { changes }
    find(rollout, objects)
    if (object.metadata.deletionTimestamp !== undefined) writeStatus(rollout, false)
    else proceed(rollout)
    const deadlineNs = deadlineInNs(rollout)
    return { changes: rollout.written(), ...deadlineNs === Infinity ? {} : { requeueNs: deadlineNs } }
  }
}

function proceed(rollout: Rollout): void {
  notePause(rollout)
  const { paused = false } = rollout.deployment.spec
  if (paused || isScaling(rollout)) {
    sync(rollout, false)
    scaleAll(rollout)
    if (paused) cleanUp(rollout)
    return writeStatus(rollout, false)
  }
  if (rollout.rolling) roll(rollout)
  else recreate(rollout)
  writeStatus(rollout, true)
}

function roll(rollout: Rollout): void {
  sync(rollout, true)
  if (rollout.current === null || step(rollout)) return
  if (isComplete(rollout)) cleanUp(rollout)
}

function recreate(rollout: Rollout): void {
  sync(rollout, false)
  if (takeDown(rollout) || oldPodsRun(rollout)) return
  if (rollout.current === null) sync(rollout, true)
  if (rollout.current === null) return
  rollout.scale(rollout.current, rollout.replicas)
  if (isComplete(rollout)) cleanUp(rollout)
}

/** So that the time spent paused doesn't count as lack of progress. */
function notePause({ conditions, deployment: { spec }, hasDeadline }: Rollout): void {
  const reason = conditions.get("Progressing")?.reason
  if (!hasDeadline || reason === "ProgressDeadlineExceeded") return
  if (spec.paused === true && reason !== "DeploymentPaused") {
    conditions.set("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
  } else if (spec.paused !== true && reason === "DeploymentPaused") {
    conditions.set("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
  }
}
