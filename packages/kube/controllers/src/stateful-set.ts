/**
 * StatefulSet: pods with numbers, one after the other (pkg/controller/statefulset).
 *
 * Invariant: a number never has two pods. With OrderedReady at most one pod is made or taken a look, upwards
 * only when every lower one is available, downwards from the highest.
 * Not supported: `volumeClaimTemplates` are kept and nothing is claimed; pods that are adopted with other
 * labels than their number's are not relabelled.
 */
import { type KubeObject, keyOf } from "@podwire/api"
import type { Pod } from "@podwire/api/schema/pod"
import type { StatefulSet, StatefulSetStatus } from "@podwire/api/schema/stateful-set"
import type { Ns } from "@podwire/engine"
import { claim, ownerKeys } from "./claim.ts"
import { type Change, type Controller, NOTHING, type ObjectEvent, type Outcome } from "./controller.ts"
import { equal } from "./equal.ts"
import { normal } from "./event.ts"
import { scaled } from "./int-or-percent.ts"
import { availableInNs, isAvailable, isReady, isTerminal, isTerminating, removal } from "./pod.ts"
import { type ControllerRevision, type History, historyOf, truncation } from "./revision.ts"
import { podOf } from "./template.ts"

const HASH = "controller-revision-hash"
const REVISION_HASH = "controller.kubernetes.io/hash"
const POD_NAME = "statefulset.kubernetes.io/pod-name"
const POD_INDEX = "apps.kubernetes.io/pod-index"

export const statefulSet: Controller = {
  name: "statefulset-controller",
  watches: ["StatefulSet", "Pod", "ControllerRevision"],

  keysOf(object, before, view) {
    return object.kind === "StatefulSet" ? [keyOf(object)] : ownerKeys("StatefulSet", object, before, view)
  },

  reconcile(key, view, nowNs): Outcome {
    const [namespace, name] = key.split("/") as [string, string]
    const object = view.get("StatefulSet", namespace, name) as StatefulSet | null
    if (object === null) return NOTHING
    const { objects: pods, changes } = claim<Pod>(object, "Pod", object.spec.selector, view,
      (pod) => ordinalOf(object, pod) !== null)
    const history = historyOf(object, REVISION_HASH, view)
    const set = new Look(object, pods, history, nowNs)
    if (object.metadata.deletionTimestamp === undefined) {
      changes.push(...history.changes, ...set.step())
      const live = new Set([set.current.metadata.name!, ...pods.map(revisionOf)])
      changes.push(...truncation(object, history, ({ metadata }) => live.has(metadata.name!)))
    }
    const status = set.status()
    if (!equal(status, object.status)) changes.push({ _tag: "UpdateStatus", object: { ...object, status } })
    const dueNs = set.dueNs()
    return { changes, ...dueNs === Infinity ? {} : { dueNs } }
  }
}

/** One look at a set: its pods by number, and what is to be done. */
class Look {
  readonly #set: StatefulSet
  readonly #nowNs: Ns
  readonly #update: ControllerRevision
  readonly #collisionCount: number
  readonly #ordered: boolean
  readonly #start: number
  readonly #minReadySeconds: number
  readonly current: ControllerRevision
  /** By number from the first one on; null where there is none. */
  readonly #replicas: Array<Pod | null>
  /** Beyond the declared number, the highest first. */
  readonly #condemned: ReadonlyArray<Pod>

  constructor(
    set: StatefulSet, pods: ReadonlyArray<Pod>, { revisions, newest, collisionCount }: History, nowNs: Ns
  ) {
    this.#set = set
    this.#nowNs = nowNs
    this.#update = newest
    this.#collisionCount = collisionCount
    this.#ordered = (set.spec.podManagementPolicy ?? "OrderedReady") === "OrderedReady"
    this.#start = set.spec.ordinals?.start ?? 0
    this.#minReadySeconds = set.spec.minReadySeconds ?? 0
    this.current = revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? newest
    this.#replicas = Array<Pod | null>(set.spec.replicas ?? 1).fill(null)
    const condemned: Array<readonly [number, Pod]> = []
    for (const pod of pods) {
      const ordinal = ordinalOf(set, pod)
      if (ordinal === null) continue
      const at = ordinal - this.#start
      if (at >= 0 && at < this.#replicas.length) this.#replicas[at] = pod
      else condemned.push([ordinal, pod])
    }
    this.#condemned = condemned.sort(([a], [b]) => b - a).map(([, pod]) => pod)
  }

  /** stateful_set_control.go, updateStatefulSet: up, then down, then over to the new revision. */
  step(): ReadonlyArray<Change> {
    const changes: Array<Change> = []
    for (let at = 0; at < this.#replicas.length; at++) {
      const pod = this.#replicas[at]!
      if (pod === null) changes.push(this.#creation(at))
      else if (isTerminal(pod)) {
        if (!isTerminating(pod)) changes.push(this.#deletion(pod))
      } else if (this.#isUp(pod) && !isTerminating(pod)) continue
      if (this.#ordered) return changes
    }
    const unhealthy = this.#firstUnhealthy()
    for (const pod of this.#condemned) {
      const waits = isTerminating(pod) || (!this.#isUp(pod) && pod !== unhealthy)
      if (waits && this.#ordered) return changes
      if (isTerminating(pod)) continue
      changes.push(this.#deletion(pod))
      if (this.#ordered) return changes
    }
    if (changes.length === 0 && this.#rolls) changes.push(...this.#rollingUpdate())
    return changes
  }

  status(): StatefulSetStatus {
    const pods = [...this.#replicas.filter((pod) => pod !== null), ...this.#condemned]
    const ready = pods.filter(isRunningAndReady)
    const settled = pods.filter((pod) => !isTerminating(pod))
    const withRevision = (revision: ControllerRevision) =>
      settled.filter((pod) => revisionOf(pod) === revision.metadata.name).length
    const update = this.#update.metadata.name!
    const declared = this.#replicas.length
    const updatedReplicas = withRevision(this.#update)
    const complete = this.#rolls && updatedReplicas === declared && pods.length === declared &&
      ready.length === declared
    return {
      observedGeneration: this.#set.metadata.generation!,
      replicas: pods.length,
      readyReplicas: ready.length,
      availableReplicas: ready.filter((pod) => this.#isUp(pod)).length,
      currentReplicas: complete ? updatedReplicas : withRevision(this.current),
      updatedReplicas,
      currentRevision: complete ? update : this.current.metadata.name!,
      updateRevision: update,
      collisionCount: this.#collisionCount,
      ...this.#set.status?.conditions === undefined ? {} : { conditions: this.#set.status.conditions }
    }
  }

  /** Until the next pod has been ready for long enough. */
  dueNs(): Ns {
    const waits = [...this.#replicas, ...this.#condemned]
      .map((pod) => (pod === null ? 0 : availableInNs(pod, this.#minReadySeconds, this.#nowNs)))
    return Math.min(Infinity, ...waits.filter((ns) => ns > 0))
  }

  get #rolls(): boolean {
    return (this.#set.spec.updateStrategy?.type ?? "RollingUpdate") === "RollingUpdate"
  }

  get #partition(): number {
    return this.#set.spec.updateStrategy?.rollingUpdate?.partition ?? 0
  }

  /**
   * From the highest number down to the partition: whoever is old goes, and the next waits till he is back.
   */
  #rollingUpdate(): ReadonlyArray<Change> {
    const given = this.#set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1
    let room = Math.max(1, scaled(given, this.#replicas.length, true))
    const changes: Array<Change> = []
    for (let at = this.#replicas.length - 1; at >= this.#partition && room > 0; at--) {
      const pod = this.#replicas[at]!
      if (revisionOf(pod) !== this.#update.metadata.name && !isTerminating(pod)) {
        changes.push(this.#deletion(pod))
      } else if (this.#isUp(pod) && !isTerminating(pod)) continue
      room--
    }
    return changes
  }

  #isUp(pod: Pod): boolean {
    return isRunningAndReady(pod) && isAvailable(pod, this.#minReadySeconds, this.#nowNs)
  }

  /** The one with the lowest number. */
  #firstUnhealthy(): Pod | null {
    return [...this.#replicas, ...this.#condemned.toReversed()]
      .find((pod) => pod !== null && (!isRunningAndReady(pod) || isTerminating(pod))) ?? null
  }

  #creation(at: number): Change {
    const name = `${this.#set.metadata.name!}-${this.#start + at}`
    const revision = this.#rolls && at < this.#partition ? this.current : this.#update
    const { template } = revision.data.spec
    const pod = podOf(this.#set, template)
    const labels = {
      ...template.metadata.labels, [POD_INDEX]: String(this.#start + at), [HASH]: revision.metadata.name!,
      [POD_NAME]: name
    }
    const subdomain = this.#set.spec.serviceName ?? ""
    const spec = { ...template.spec, hostname: name, ...subdomain === "" ? {} : { subdomain } }
    return {
      _tag: "Create", object: { ...pod, metadata: { ...pod.metadata, name, labels }, spec },
      event: this.#told("create")
    }
  }

  #deletion(pod: Pod): Change {
    return removal(pod, this.#told("delete"))
  }

  #told(verb: "create" | "delete"): (written: KubeObject) => ObjectEvent {
    const reason = verb === "create" ? "SuccessfulCreate" : "SuccessfulDelete"
    return (written) => normal(this.#set, reason,
      `${verb} Pod ${written.metadata.name!} in StatefulSet ${this.#set.metadata.name!} successful`)
  }
}

/** `web-3` of the set `web`: 3. Null for a pod that isn't one of the set's by name. */
function ordinalOf(set: StatefulSet, pod: Pod): number | null {
  const [, parent, ordinal] = /^(.*)-(0|[1-9]\d*)$/.exec(pod.metadata.name!) ?? []
  return parent === set.metadata.name ? Number(ordinal) : null
}

function revisionOf(pod: Pod): string {
  return pod.metadata.labels?.[HASH] ?? ""
}

function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === "Running" && isReady(pod)
}
