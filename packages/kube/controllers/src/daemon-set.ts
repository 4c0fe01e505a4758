/**
 * DaemonSet: a pod on every node that it fits (pkg/controller/daemon). The scheduler binds it, by an affinity
 * for the one node.
 *
 * Invariant: a node gets a new pod only when it has none, or one more while a surge goes on.
 * Approximated: pods that failed are replaced at once (Kubernetes: a growing delay per node).
 * Not supported: the `pod-template-generation` label unless the annotation that it comes from is there.
 */
import { keyOf, matchesNode, tolerates, untolerated } from "@podwire/api"
import type { DaemonSet, DaemonSetStatus } from "@podwire/api/schema/daemon-set"
import type { Node } from "@podwire/api/schema/node"
import type { Pod, PodTemplateSpec } from "@podwire/api/schema/pod"
import type { Toleration } from "@podwire/api/schema/scheduling"
import type { Ns } from "@podwire/engine"
import { claim, ownerKeys } from "./claim.ts"
import {
  type Change, type Controller, NOTHING, type ObjectEvent, type Outcome, type View
} from "./controller.ts"
import { equal } from "./equal.ts"
import { created, deleted, normal, warning } from "./event.ts"
import { scaled } from "./int-or-percent.ts"
import { availableInNs, isAvailable, isReady, isTerminal, isTerminating, removal } from "./pod.ts"
import { historyOf, truncation } from "./revision.ts"
import { podOf } from "./template.ts"
import { NOT_READY, taintsOf, UNREACHABLE, UNSCHEDULABLE } from "./taint.ts"

const HASH = "controller-revision-hash"
const GENERATION = "pod-template-generation"
const GENERATION_ANNOTATION = "deprecated.daemonset.template.generation"
const NO_PODS: ReadonlyArray<Pod> = []

export const daemonSet: Controller = {
  name: "daemonset-controller",
  watches: ["DaemonSet", "Pod", "Node", "ControllerRevision"],

  keysOf(object, before, view) {
    if (object.kind === "DaemonSet") return [keyOf(object)]
    if (object.kind !== "Node") return ownerKeys("DaemonSet", object, before, view)
    const node = object as Node
    const same = before !== null && before !== object &&
      equal(before.metadata.labels, node.metadata.labels) &&
      equal(taintsOf(before as Node), taintsOf(node))
    return same ? [] : [...view.each("DaemonSet")].map(keyOf)
  },

  reconcile(key, view, nowNs): Outcome {
    const [namespace, name] = key.split("/") as [string, string]
    const set = view.get("DaemonSet", namespace, name) as DaemonSet | null
    if (set === null) return NOTHING
    const { objects: pods, changes } = claim<Pod>(
      set, "Pod", set.spec.selector, view, (pod) => nodeOf(pod) !== ""
    )
    const history = historyOf(set, HASH, view)
    const look = new Look(set, pods, history.newest.metadata.labels![HASH]!, view, nowNs)
    const events: Array<ObjectEvent> = []
    if (set.metadata.deletionTimestamp === undefined) {
      changes.push(...history.changes, ...look.manage(events))
      // Who comes and goes is seen first; then the rollout goes on.
      if (changes.length === 0 && (set.spec.updateStrategy?.type ?? "RollingUpdate") === "RollingUpdate") {
        changes.push(...look.roll())
      }
      const live = new Set(pods.map(hashOf))
      changes.push(...truncation(set, history, ({ metadata }) => live.has(metadata.labels?.[HASH])))
    }
    const status = look.status(history.collisionCount)
    if (!equal(status, set.status)) changes.push({ _tag: "UpdateStatus", object: { ...set, status } })
    const dueNs = Math.min(
      Infinity, ...pods.map((pod) => availableInNs(pod, look.minReadySeconds, nowNs)).filter((ns) => ns > 0)
    )
    return { changes, events, ...dueNs === Infinity ? {} : { dueNs } }
  }
}

interface Place {
  readonly node: Node
  readonly runs: boolean
  /** A pod that is there may stay. */
  readonly stays: boolean
  /** By age. */
  readonly pods: ReadonlyArray<Pod>
}

class Look {
  readonly #set: DaemonSet
  readonly #hash: string
  readonly #nowNs: Ns
  readonly #tolerations: ReadonlyArray<Toleration>
  readonly #places: ReadonlyArray<Place>
  /** For nodes that were gone before they came; those that run there are `pod-garbage-collector.ts`'s. */
  readonly #lost: ReadonlyArray<Pod>
  readonly minReadySeconds: number

  constructor(set: DaemonSet, pods: ReadonlyArray<Pod>, hash: string, view: View, nowNs: Ns) {
    this.#set = set
    this.#hash = hash
    this.#nowNs = nowNs
    this.minReadySeconds = set.spec.minReadySeconds ?? 0
    this.#tolerations = daemonTolerations(set.spec.template)
    const byNode = Map.groupBy(pods, nodeOf)
    this.#places = [...view.each("Node")].map((node) =>
      this.#place(node as Node, byNode.get(node.metadata.name!) ?? NO_PODS))
    this.#lost = pods.filter((pod) =>
      (pod.spec.nodeName ?? "") === "" && view.get("Node", "", nodeOf(pod)) === null)
  }

  /** A pod where one is missing, and none where none should be (daemon_controller.go, podsShouldBeOnNode). */
  manage(events: Array<ObjectEvent>): Array<Change> {
    const changes: Array<Change> = []
    for (const { node, runs, stays, pods } of this.#places) {
      if (runs && pods.length === 0) changes.push(this.#creation(node.metadata.name!))
      else if (stays) this.#tidy(node, pods, changes, events)
      else changes.push(...pods.filter((pod) => !isTerminating(pod)).map((pod) => this.#deletion(pod)))
    }
    return [...changes, ...this.#lost.map((pod) => this.#deletion(pod))]
  }

  /** One step of a rolling update (update.go): old pods to delete, or places where a new one comes beside. */
  roll(): ReadonlyArray<Change> {
    const { maxUnavailable = 1, maxSurge = 0 } = this.#set.spec.updateStrategy?.rollingUpdate ?? {}
    const desired = this.#places.filter(({ runs }) => runs).length
    const surge = scaled(maxSurge, desired, true)
    return surge > 0 ? this.#surge(surge) : this.#replace(scaled(maxUnavailable, desired, true))
  }

  status(collisionCount: number): DaemonSetStatus {
    const desired = this.#places.filter(({ runs }) => runs)
    const first = desired.filter(({ pods }) => pods.length > 0).map(({ pods }) => pods[0]!)
    const numberAvailable = first.filter((pod) => this.#isUp(pod)).length
    return {
      observedGeneration: this.#set.metadata.generation!,
      desiredNumberScheduled: desired.length,
      currentNumberScheduled: first.length,
      numberMisscheduled: this.#places.filter(({ runs, pods }) => !runs && pods.length > 0).length,
      numberReady: first.filter(isReady).length,
      numberAvailable,
      numberUnavailable: desired.length - numberAvailable,
      updatedNumberScheduled: first.filter((pod) => hashOf(pod) === this.#hash).length,
      ...collisionCount === 0 ? {} : { collisionCount },
      ...this.#set.status?.conditions === undefined ? {} : { conditions: this.#set.status.conditions }
    }
  }

  #isUp(pod: Pod): boolean {
    return isAvailable(pod, this.minReadySeconds, this.#nowNs)
  }

  #place(node: Node, pods: ReadonlyArray<Pod>): Place {
    const { spec } = this.#set.spec.template
    const named = spec.nodeName === undefined || spec.nodeName === "" || spec.nodeName === node.metadata.name
    if (!named || !matchesNode(spec, node)) return { node, runs: false, stays: false, pods }
    const taints = taintsOf(node)
    const runs = untolerated(taints, this.#tolerations, ["NoSchedule", "NoExecute"]) === null
    const stays = runs || untolerated(taints, this.#tolerations, ["NoExecute"]) === null
    return { node, runs, stays, pods }
  }

  #tidy(node: Node, pods: ReadonlyArray<Pod>, changes: Array<Change>, events: Array<ObjectEvent>): void {
    const running: Array<Pod> = []
    for (const pod of pods) {
      if (isTerminating(pod)) continue
      if (!isTerminal(pod)) running.push(pod)
      else {
        events.push(ended(this.#set, pod, node))
        changes.push(this.#deletion(pod))
      }
    }
    if (running.length > 1) changes.push(...this.#surplus(running).map((pod) => this.#deletion(pod)))
  }

  /** The eldest stays; in a surge the eldest of each revision, the old one until the new one serves. */
  #surplus(running: ReadonlyArray<Pod>): ReadonlyArray<Pod> {
    if (!this.#surges) return running.slice(1)
    const fresh = running.find((pod) => hashOf(pod) === this.#hash)
    const stale = running.find((pod) => hashOf(pod) !== this.#hash)
    const replaced = fresh !== undefined && stale !== undefined && (!isReady(stale) || this.#isUp(fresh))
    return running.filter((pod) => (pod !== fresh && pod !== stale) || (replaced && pod === stale))
  }

  get #surges(): boolean {
    return scaled(this.#set.spec.updateStrategy?.rollingUpdate?.maxSurge ?? 0, this.#places.length, true) > 0
  }

  #replace(maxUnavailable: number): ReadonlyArray<Change> {
    const broken: Array<Pod> = []
    const candidates: Array<Pod> = []
    let unavailable = 0
    for (const { runs, pods } of this.#places) {
      if (!runs) continue
      const [fresh, stale] = this.#split(pods)
      if (fresh === undefined && stale !== undefined) {
        if (this.#isUp(stale)) candidates.push(stale)
        else broken.push(stale)
      }
      const up = fresh ?? stale
      if ((fresh !== undefined && stale !== undefined) || up === undefined || !this.#isUp(up)) unavailable++
    }
    return [
      ...broken, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))
    ].map((pod) => this.#deletion(pod))
  }

  #surge(maxSurge: number): ReadonlyArray<Change> {
    const changes: Array<Change> = []
    const broken: Array<string> = []
    const candidates: Array<string> = []
    let surging = 0
    for (const { node, runs, pods } of this.#places) {
      if (!runs) continue
      const [fresh, stale] = this.#split(pods)
      if (stale === undefined) continue
      if (fresh === undefined) (this.#isUp(stale) ? candidates : broken).push(node.metadata.name!)
      else if (this.#isUp(fresh)) changes.push(this.#deletion(stale))
      else surging++
    }
    const names = [...broken, ...candidates.slice(0, Math.max(0, maxSurge - surging))]
    return [...changes, ...names.map((name) => this.#creation(name))]
  }

  #split(pods: ReadonlyArray<Pod>): readonly [fresh: Pod | undefined, stale: Pod | undefined] {
    const there = pods.filter((pod) => !isTerminating(pod))
    return [there.find((pod) => hashOf(pod) === this.#hash), there.find((pod) => hashOf(pod) !== this.#hash)]
  }

  #creation(nodeName: string): Change {
    const { template } = this.#set.spec
    const pod = podOf(this.#set, template)
    const generation = this.#set.metadata.annotations?.[GENERATION_ANNOTATION]
    const labels = {
      ...template.metadata.labels, [HASH]: this.#hash,
      ...generation === undefined ? {} : { [GENERATION]: generation }
    }
    const spec = {
      ...template.spec, affinity: affinityFor(nodeName, template), tolerations: this.#tolerations
    }
    return {
      _tag: "Create", object: { ...pod, metadata: { ...pod.metadata, labels }, spec },
      event: created(this.#set)
    }
  }

  #deletion(pod: Pod): Change {
    return removal(pod, deleted(this.#set))
  }
}

/** util/daemonset_util.go, AddOrUpdateDaemonPodTolerations. */
function daemonTolerations({ spec }: PodTemplateSpec): ReadonlyArray<Toleration> {
  const tolerations = [...spec.tolerations ?? []]
  const add = (key: string, effect: string) => {
    const has = tolerations.some((toleration) =>
      toleration.key === key && tolerates(toleration, { key, effect }))
    if (!has) tolerations.push({ key, operator: "Exists", effect })
  }
  add(NOT_READY, "NoExecute")
  add(UNREACHABLE, "NoExecute")
  for (const pressure of ["disk", "memory", "pid"]) {
    add(`node.kubernetes.io/${pressure}-pressure`, "NoSchedule")
  }
  add(UNSCHEDULABLE, "NoSchedule")
  if (spec.hostNetwork === true) add("node.kubernetes.io/network-unavailable", "NoSchedule")
  return tolerations
}

/** The template's own node affinity has been asked already; what is left is the one node. */
function affinityFor(nodeName: string, { spec }: PodTemplateSpec) {
  const term = { matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] }
  const required = { nodeSelectorTerms: [term] }
  return {
    ...spec.affinity,
    nodeAffinity: { ...spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required }
  }
}

/** Where a daemon's pod is, or will be. */
function nodeOf({ spec }: Pod): string {
  if (spec.nodeName !== undefined && spec.nodeName !== "") return spec.nodeName
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return terms.flatMap(({ matchFields = [] }) => matchFields)
    .find(({ key }) => key === "metadata.name")?.values?.[0] ?? ""
}

function hashOf(pod: Pod): string | undefined {
  return pod.metadata.labels?.[HASH]
}

function ended(set: DaemonSet, pod: Pod, node: Node): ObjectEvent {
  const { namespace, name } = pod.metadata
  const failed = pod.status?.phase === "Failed"
  const what = `${failed ? "failed" : "succeeded"} daemon pod ${namespace!}/${name!}`
  const message = `Found ${what} on node ${node.metadata.name!}, ` +
    `will try to ${failed ? "kill" : "delete"} it`
  return failed ? warning(set, "FailedDaemonPod", message) : normal(set, "SucceededDaemonPod", message)
}
