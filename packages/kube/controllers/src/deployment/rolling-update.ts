/**
 * RollingUpdate (pkg/controller/deployment/rolling.go). Invariants, as far as the statuses read are true:
 * pods declared over all sets never exceed replicas + maxSurge, available ones never fall below
 * replicas − maxUnavailable by our doing.
 */
import type { ReplicaSet } from "@podwire/api/schema/replica-set"
import { isInUse, type Rollout, specReplicas } from "./rollout.ts"

/** What the current set may have now (deployment_util.go, NewRSNewReplicas). */
export function newSetReplicas(rollout: Rollout, set: ReplicaSet): number {
  if (!rollout.rolling) return rollout.replicas
  const replicas = set.spec.replicas ?? 1
  const room = rollout.replicas + rollout.maxSurge - specReplicas(rollout.all)
  return room <= 0 ? replicas : replicas + Math.min(room, rollout.replicas - replicas)
}

/** One step: up, or else down. True when one was made. */
export function step(rollout: Rollout): boolean {
  return scaleCurrent(rollout) || scaleOld(rollout)
}

function scaleCurrent(rollout: Rollout): boolean {
  const current = rollout.current!
  const replicas = current.spec.replicas ?? 1
  if (replicas === rollout.replicas) return false
  const wanted = replicas > rollout.replicas ? rollout.replicas : newSetReplicas(rollout, current)
  return rollout.scale(current, wanted)
}

function scaleOld(rollout: Rollout): boolean {
  if (specReplicas(rollout.old) === 0) return false
  const current = rollout.current!
  const minAvailable = rollout.replicas - rollout.maxUnavailable
  const unavailableInCurrent = (current.spec.replicas ?? 1) - (current.status?.availableReplicas ?? 0)
  const room = specReplicas(rollout.all) - minAvailable - unavailableInCurrent
  if (room <= 0) return false
  const unhealthy = scaleDownUnhealthy(rollout, room)
  return scaleDownAvailable(rollout, minAvailable) || unhealthy
}

/** Pods that serve nobody go first, wherever they are. */
function scaleDownUnhealthy(rollout: Rollout, room: number): boolean {
  let left = room
  for (const set of rollout.old) {
    const replicas = set.spec.replicas ?? 1
    const down = Math.min(left, replicas - (set.status?.availableReplicas ?? 0))
    if (down <= 0 || replicas === 0) continue
    rollout.scale(set, replicas - down)
    left -= down
  }
  return left < room
}

function scaleDownAvailable(rollout: Rollout, minAvailable: number): boolean {
  // A set that was scaled down a moment ago still reports what it had: those don't count, or a slow
  // ReplicaSet controller would let us take the same pods twice. (Kubernetes counts them.)
  const available = ({ spec, status }: ReplicaSet) => Math.min(
    spec.replicas ?? 1, status?.availableReplicas ?? 0
  )
  let left = rollout.all.reduce((sum, set) => sum + available(set), 0) - minAvailable
  let scaled = false
  for (const set of rollout.old) {
    if (left <= 0) break
    if (!isInUse(set)) continue
    const replicas = set.spec.replicas ?? 1
    const down = Math.min(replicas, left)
    scaled = rollout.scale(set, replicas - down) || scaled
    left -= down
  }
  return scaled
}
