/** The status of a Deployment (pkg/controller/deployment/sync.go, calculateStatus; progress.go). */
import { timeNs } from "@podwire/api"
import type { DeploymentStatus } from "@podwire/api/schema/deployment"
import { type Ns, SECOND } from "@podwire/engine"
import { equal } from "../equal.ts"
import { observed, type Rollout, specReplicas } from "./rollout.ts"

type Counts = Required<
  Pick<DeploymentStatus, "replicas" | "updatedReplicas" | "readyReplicas" | "availableReplicas">
>

/** Everything declared runs with the current template, and nothing else does. */
export function isComplete(rollout: Rollout): boolean {
  const { replicas, updatedReplicas, availableReplicas } = count(rollout)
  return updatedReplicas === rollout.replicas && replicas === rollout.replicas &&
    availableReplicas === rollout.replicas
}

/** Decides Available, and Progressing when `rolledOut`; the status is written when anything in it is new. */
export function writeStatus(rollout: Rollout, rolledOut: boolean): void {
  const { deployment, conditions } = rollout
  const counts = count(rollout)
  if (counts.availableReplicas >= rollout.replicas - rollout.maxUnavailable) {
    conditions.set("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
  } else {
    conditions.set(
      "Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
    )
  }
  if (rolledOut) decideProgress(rollout, counts)
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation!,
    ...counts,
    unavailableReplicas: Math.max(0, specReplicas(rollout.all) - counts.availableReplicas),
    terminatingReplicas: observed(rollout.all, "terminatingReplicas"),
    conditions: conditions.list,
    ...rollout.collisionCount === undefined ? {} : { collisionCount: rollout.collisionCount }
  }
  if (equal(status, deployment.status)) return
  // The Deployment itself may have been written just before, so no version: only the status is taken.
  const { resourceVersion: _, ...metadata } = deployment.metadata
  rollout.changes.push({ _tag: "UpdateStatus", object: { ...deployment, metadata, status } })
}

/** How long until a rollout that makes no progress has failed; Infinity when none is under way. */
export function deadlineInNs(rollout: Rollout): Ns {
  const progress = rollout.conditions.get("Progressing")
  const over = progress === undefined || progress.reason === "ProgressDeadlineExceeded" || isComplete(rollout)
  if (over || !rollout.hasDeadline || progress.status === "Unknown") return Infinity
  const updatedNs = timeNs(progress.lastUpdateTime ?? "") ?? rollout.nowNs
  // A second more, since times have no fraction (requeueStuckDeployment).
  return Math.max(0, updatedNs + rollout.deadlineSeconds * SECOND - rollout.nowNs) + SECOND
}

function count(rollout: Rollout): Counts {
  return {
    replicas: observed(rollout.all, "replicas"),
    updatedReplicas: rollout.current?.status?.replicas ?? 0,
    readyReplicas: observed(rollout.all, "readyReplicas"),
    availableReplicas: observed(rollout.all, "availableReplicas")
  }
}

function decideProgress(rollout: Rollout, counts: Counts): void {
  const { conditions, current, deployment } = rollout
  if (!rollout.hasDeadline) return conditions.remove("Progressing")
  const before = deployment.status?.conditions?.find(({ type }) => type === "Progressing")
  if (counts.replicas === counts.updatedReplicas && before?.reason === "NewReplicaSetAvailable") return
  const what = current === null
    ? `Deployment "${deployment.metadata.name!}"`
    : `ReplicaSet "${current.metadata.name!}"`
  if (isComplete(rollout)) {
    conditions.set("Progressing", "True", "NewReplicaSetAvailable", `${what} has successfully progressed.`)
  } else if (hasProgressed(rollout, counts)) {
    conditions.renew("Progressing", "True", "ReplicaSetUpdated", `${what} is progressing.`)
  } else if (hasTimedOut(rollout)) {
    conditions.set("Progressing", "False", "ProgressDeadlineExceeded", `${what} has timed out progressing.`)
  }
}

function hasProgressed({ deployment }: Rollout, now: Counts): boolean {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = deployment.status ??
    {}
  return now.updatedReplicas > updatedReplicas ||
    now.replicas - now.updatedReplicas < replicas - updatedReplicas ||
    now.readyReplicas > readyReplicas || now.availableReplicas > availableReplicas
}

function hasTimedOut({ conditions, deadlineSeconds, nowNs }: Rollout): boolean {
  const progress = conditions.get("Progressing")
  if (progress === undefined || progress.reason === "NewReplicaSetAvailable") return false
  if (progress.reason === "ProgressDeadlineExceeded") return true
  return (timeNs(progress.lastUpdateTime ?? "") ?? nowNs) + deadlineSeconds * SECOND < nowNs
}
