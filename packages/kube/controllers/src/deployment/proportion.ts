/**
 * Scaling in the middle of a rollout, or while paused: every set in use gets its share
 * (pkg/controller/deployment/sync.go, scale; util, GetReplicaSetProportion).
 */
import type { ReplicaSet } from "@podwire/api/schema/replica-set"
import { byCreation } from "./replica-sets.ts"
import { DESIRED_REPLICAS, isInUse, MAX_REPLICAS, type Rollout, specReplicas } from "./rollout.ts"

/** A set in use was last scaled for another number of replicas than is declared now. */
export function isScaling(rollout: Rollout): boolean {
  return rollout.all.some((set) => {
    const desired = set.metadata.annotations?.[DESIRED_REPLICAS]
    return isInUse(set) && desired !== undefined && Number(desired) !== rollout.replicas
  })
}

export function scaleAll(rollout: Rollout): void {
  const inUse = rollout.all.filter(isInUse)
  const only = inUse.length === 1
    ? inUse[0]!
    : inUse.length === 0 ? rollout.current ?? rollout.old.at(-1) ?? null : null
  if (only !== null) rollout.scale(only, rollout.replicas)
  else if (isSaturated(rollout)) {
    for (const set of rollout.old.filter(isInUse)) rollout.scale(set, 0)
  } else if (rollout.rolling && inUse.length > 0) share(rollout, inUse)
}

/** The current set has all that is declared, and all of them serve. */
function isSaturated({ current, replicas }: Rollout): boolean {
  if (current === null) return false
  const desired = Number(current.metadata.annotations?.[DESIRED_REPLICAS] ?? "NaN")
  return (current.spec.replicas ?? 1) === replicas && desired === replicas &&
    current.status?.availableReplicas === replicas
}

function share(rollout: Rollout, inUse: Array<ReplicaSet>): void {
  const allowed = rollout.replicas > 0 ? rollout.replicas + rollout.maxSurge : 0
  const toAdd = allowed - specReplicas(inUse)
  const size = (set: ReplicaSet) => set.spec.replicas ?? 1
  // The larger takes more; of two alike the newer when growing, the older when shrinking.
  const sets = inUse.sort((a, b) => size(b) - size(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)))
  let added = 0
  const sizes = sets.map((set) => {
    const part = toAdd === 0 ? 0 : proportion(rollout, set, toAdd, added)
    added += part
    return size(set) + part
  })
  sizes[0] = Math.max(0, sizes[0]! + toAdd - added)
  sets.forEach((set, i) => rollout.scale(set, sizes[i]!))
}

function proportion(rollout: Rollout, set: ReplicaSet, toAdd: number, added: number): number {
  const replicas = set.spec.replicas ?? 1
  if (replicas === 0 || toAdd === added) return 0
  const left = toAdd - added
  const part = fraction(rollout, set, replicas)
  return toAdd > 0 ? Math.min(part, left) : Math.max(part, left)
}

function fraction(rollout: Rollout, set: ReplicaSet, replicas: number): number {
  if (rollout.replicas === 0) return -replicas
  const noted = set.metadata.annotations?.[MAX_REPLICAS]
  const former = noted === undefined ? rollout.deployment.status?.replicas ?? 0 : Number(noted)
  if (former === 0) return 0
  return Math.floor(replicas * (rollout.replicas + rollout.maxSurge) / former + 0.5) - replicas
}
