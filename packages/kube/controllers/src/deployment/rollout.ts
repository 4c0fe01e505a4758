/**
 * One look at a Deployment: its ReplicaSets, and the edits that this look makes to them. Edits are collected,
 * so that each object is written once.
 */
import type { Deployment } from "@podwire/api/schema/deployment"
import type { ReplicaSet } from "@podwire/api/schema/replica-set"
import type { Ns } from "@podwire/engine"
import type { Change, View } from "../controller.ts"
import { normal } from "../event.ts"
import { scaled } from "../int-or-percent.ts"
import { Conditions } from "./condition.ts"

export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
const DEADLINE_SECONDS = 600
const NO_DEADLINE = 2 ** 31 - 1
const DEFAULT_LIMIT = "25%"

export class Rollout {
  readonly deployment: Deployment
  readonly replicas: number
  readonly view: View
  readonly nowNs: Ns
  readonly conditions: Conditions
  /** In the order they were made. */
  old: Array<ReplicaSet> = []
  /** The one whose template is the Deployment's; null until it exists. */
  current: ReplicaSet | null = null
  collisionCount: number | undefined
  readonly changes: Array<Change> = []
  readonly #edits = new Map<string, Change & { readonly _tag: "Create" | "Update" }>()

  constructor(deployment: Deployment, view: View, nowNs: Ns) {
    this.deployment = deployment
    this.replicas = deployment.spec.replicas ?? 1
    this.view = view
    this.nowNs = nowNs
    this.conditions = new Conditions(deployment.status?.conditions ?? [], nowNs)
    this.collisionCount = deployment.status?.collisionCount
  }

  get rolling(): boolean {
    return (this.deployment.spec.strategy?.type ?? "RollingUpdate") === "RollingUpdate"
  }

  /** The largest integer means none. */
  get deadlineSeconds(): number {
    const { progressDeadlineSeconds = DEADLINE_SECONDS } = this.deployment.spec
    return progressDeadlineSeconds === NO_DEADLINE ? Infinity : progressDeadlineSeconds
  }

  get hasDeadline(): boolean {
    return this.deadlineSeconds !== Infinity
  }

  get all(): ReadonlyArray<ReplicaSet> {
    return this.current === null ? this.old : [...this.old, this.current]
  }

  /** Pods that may be there beyond the declared number. */
  get maxSurge(): number {
    return this.rolling ? this.#limits()[0] : 0
  }

  /** Pods that may be missing from the declared number. */
  get maxUnavailable(): number {
    if (!this.rolling || this.replicas === 0) return 0
    return Math.min(this.#limits()[1], this.replicas)
  }

  /** Both may not be zero, or nothing could ever move (deployment/util, ResolveFenceposts). */
  #limits(): readonly [surge: number, unavailable: number] {
    const {
      maxSurge = DEFAULT_LIMIT, maxUnavailable = DEFAULT_LIMIT
    } = this.deployment.spec.strategy?.rollingUpdate ?? {}
    const surge = scaled(maxSurge, this.replicas, true)
    const unavailable = scaled(maxUnavailable, this.replicas, false)
    return [surge, surge === 0 && unavailable === 0 ? 1 : unavailable]
  }

  /** The set will be written as `edited`. */
  edit(edited: ReplicaSet): ReplicaSet {
    const name = edited.metadata.name!
    const made = this.#edits.get(name)
    this.#edits.set(name, { ...made, _tag: made?._tag ?? "Update", object: edited })
    this.#replace(edited)
    return edited
  }

  create(made: ReplicaSet): void {
    this.#edits.set(made.metadata.name!, { _tag: "Create", object: made, ...this.#told(made, 0) })
    this.current = made
  }

  /**
   * True when the number changes. Numbers of the whole rollout are noted on each set, for `proportion.ts`.
   */
  scale(set: ReplicaSet, replicas: number): boolean {
    const before = set.spec.replicas ?? 1
    const annotations = { ...set.metadata.annotations, ...this.scaleAnnotations() }
    const noted = set.metadata.annotations?.[DESIRED_REPLICAS] === annotations[DESIRED_REPLICAS] &&
      set.metadata.annotations[MAX_REPLICAS] === annotations[MAX_REPLICAS]
    if (before === replicas && noted) return false
    const spec = before === replicas ? set.spec : { ...set.spec, replicas }
    const edited = { ...set, metadata: { ...set.metadata, annotations }, spec }
    this.edit(edited)
    if (before === replicas) return false
    const name = set.metadata.name!
    this.#edits.set(name, { ...this.#edits.get(name)!, ...this.#told(edited, before) })
    return true
  }

  scaleAnnotations(): Readonly<Record<typeof DESIRED_REPLICAS | typeof MAX_REPLICAS, string>> {
    return {
      [DESIRED_REPLICAS]: String(this.replicas), [MAX_REPLICAS]: String(this.replicas + this.maxSurge)
    }
  }

  /** Every write of this look in its order: ReplicaSets, then the rest. */
  written(): ReadonlyArray<Change> {
    return [...this.#edits.values(), ...this.changes]
  }

  #replace(edited: ReplicaSet): void {
    if (this.current?.metadata.name === edited.metadata.name) this.current = edited
    else this.old = this.old.map((set) => (set.metadata.name === edited.metadata.name ? edited : set))
  }

  #told(set: ReplicaSet, before: number): Pick<Change, "event"> {
    const after = set.spec.replicas ?? 1
    if (after === before) return {}
    const message =
      `Scaled ${after > before ? "up" : "down"} replica set ${set.metadata.name!} from ${before} to ${after}`
    return { event: () => normal(this.deployment, "ScalingReplicaSet", message) }
  }
}

export function specReplicas(sets: ReadonlyArray<ReplicaSet>): number {
  return sets.reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0)
}

export function isInUse(set: ReplicaSet): boolean {
  return (set.spec.replicas ?? 1) > 0
}

type Count = "replicas" | "readyReplicas" | "availableReplicas" | "terminatingReplicas"

export function observed(sets: ReadonlyArray<ReplicaSet>, count: Count): number {
  return sets.reduce((sum, { status }) => sum + (status?.[count] ?? 0), 0)
}
