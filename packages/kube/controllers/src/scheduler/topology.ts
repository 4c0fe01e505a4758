/**
 * Who must be near whom and who mustn't: required pod affinity and anti-affinity, and hard topology spread
 * (pkg/scheduler/framework/plugins/{interpodaffinity,podtopologyspread}). Counts are made once per kind of
 * pod and kept up with what has been placed since.
 *
 * Not supported: `namespaceSelector` other than the empty one (every namespace), preferred terms,
 * ScheduleAnyway, `nodeTaintsPolicy: Honor`.
 */
import { matchesLabels, matchesNode } from "@podwire/api"
import type { LabelSelector } from "@podwire/api/schema/meta"
import type { Pod } from "@podwire/api/schema/pod"
import type { PodAffinityTerm, TopologySpreadConstraint } from "@podwire/api/schema/scheduling"
import { isTerminating } from "../pod.ts"
import type { NodeInfo } from "./node-info.ts"

export interface Placement {
  readonly pod: Pod
  readonly info: NodeInfo
}

interface Term {
  readonly key: string
  readonly selector: LabelSelector | undefined
  readonly namespaces: ReadonlyArray<string> | null
}

/** A term, and how many pods match it by the value of its topology key. */
interface Counted<T extends Term> {
  readonly term: T
  readonly counts: Map<string, number>
}

interface Spread extends Term {
  readonly maxSkew: number
  readonly minDomains: number
  readonly matchesSelf: boolean
}

const AFFINITY = "node(s) didn't match pod affinity rules"
const ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
const OTHERS = "node(s) didn't satisfy existing pods anti-affinity rules"
const SPREAD = "node(s) didn't match pod topology spread constraints"
const MISSING_LABEL = `${SPREAD} (missing required label)`
/** Reasons that no other pod's going away would remove. */
export const HOPELESS: ReadonlyArray<string> = [MISSING_LABEL, AFFINITY]

export class Topology {
  readonly #pod: Pod
  readonly #affinity: ReadonlyArray<Counted<Term>>
  readonly #aversion: ReadonlyArray<Counted<Term>>
  readonly #spread: ReadonlyArray<Counted<Spread>>
  /** Places that pods which are there keep us from: `key=value`. */
  readonly #forbidden = new Set<string>()
  readonly #matchesOwnAffinity: boolean
  #placed = 0

  constructor(pod: Pod, nodes: ReadonlyArray<NodeInfo>, podsOf: (info: NodeInfo) => Iterable<Pod>) {
    this.#pod = pod
    const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
    const hard = (pod.spec.topologySpreadConstraints ?? [])
      .filter((c) => c.whenUnsatisfiable === "DoNotSchedule")
    this.#affinity = (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
      .map((term) => counted(termOf(term, pod)))
    this.#aversion = (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
      .map((term) => counted(termOf(term, pod)))
    this.#spread = hard.map((constraint) => counted(spreadOf(constraint, pod)))
    this.#matchesOwnAffinity = this.#affinity.every(({ term }) => selects(term, pod))
    if (this.#spread.length > 0) this.#findDomains(nodes)
    const counts = this.#affinity.length + this.#aversion.length + this.#spread.length > 0
    for (const info of nodes) {
      if (counts) for (const other of podsOf(info)) this.#count(other, info)
      for (const averse of info.averse) this.#heed(averse, info)
    }
  }

  /** A place that is refused now may be had after another pod was placed. */
  get movesOn(): boolean {
    return this.#affinity.length + this.#spread.length > 0
  }

  /** Takes note of what was placed since. */
  catchUp(log: ReadonlyArray<Placement>): void {
    for (; this.#placed < log.length; this.#placed++) {
      const { pod, info } = log[this.#placed]!
      this.#count(pod, info)
      if (pod.spec.affinity?.podAntiAffinity !== undefined) this.#heed(pod, info)
    }
  }

  /** Why not on this node; null when it may be. Spread before affinity, as the plugins run. */
  refusal(info: NodeInfo): string | null {
    const labels = info.node.metadata.labels ?? {}
    for (const { term, counts } of this.#spread) {
      const value = labels[term.key]
      if (value === undefined) return MISSING_LABEL
      const least = counts.size < term.minDomains ? 0 : minimum(counts)
      if ((counts.get(value) ?? 0) + (term.matchesSelf ? 1 : 0) - least > term.maxSkew) return SPREAD
    }
    if (!this.#isNearOthers(labels)) return AFFINITY
    for (const { term, counts } of this.#aversion) {
      const value = labels[term.key]
      if (value !== undefined && (counts.get(value) ?? 0) > 0) return ANTI_AFFINITY
    }
    if (this.#forbidden.size > 0) {
      for (const key in labels) if (this.#forbidden.has(`${key}=${labels[key]!}`)) return OTHERS
    }
    return null
  }

  /** The first of a group that wants to be together may go anywhere. */
  #isNearOthers(labels: Readonly<Record<string, string>>): boolean {
    if (this.#affinity.length === 0) return true
    if (this.#affinity.some(({ term }) => labels[term.key] === undefined)) return false
    if (this.#affinity.every(({ term, counts }) => (counts.get(labels[term.key]!) ?? 0) > 0)) return true
    return this.#matchesOwnAffinity && this.#affinity.every(({ counts }) => counts.size === 0)
  }

  /** Empty domains count too, or the first of them would never be filled. */
  #findDomains(nodes: ReadonlyArray<NodeInfo>): void {
    for (const { node } of nodes) {
      const labels = node.metadata.labels ?? {}
      if (!matchesNode(this.#pod.spec, node) ||
        this.#spread.some(({ term }) => labels[term.key] === undefined)) {
        continue
      }
      for (const { term, counts } of this.#spread) counts.set(labels[term.key]!, 0)
    }
  }

  #count(other: Pod, { node }: NodeInfo): void {
    const labels = node.metadata.labels ?? {}
    if (this.#affinity.length > 0 && this.#affinity.every(({ term }) => selects(term, other))) {
      for (const { term, counts } of this.#affinity) increase(counts, labels[term.key])
    }
    for (const { term, counts } of this.#aversion) {
      if (selects(term, other)) increase(counts, labels[term.key])
    }
    for (const { term, counts } of this.#spread) {
      const value = labels[term.key]
      if (value !== undefined && counts.has(value) && selects(term, other) && !isTerminating(other)) {
        increase(counts, value)
      }
    }
  }

  #heed(averse: Pod, { node }: NodeInfo): void {
    const { podAntiAffinity } = averse.spec.affinity ?? {}
    for (const given of podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      const term = termOf(given, averse)
      const value = node.metadata.labels?.[term.key]
      if (value !== undefined && selects(term, this.#pod)) this.#forbidden.add(`${term.key}=${value}`)
    }
  }
}

function counted<T extends Term>(term: T): Counted<T> {
  return { term, counts: new Map() }
}

function increase(counts: Map<string, number>, value: string | undefined): void {
  if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
}

function minimum(counts: ReadonlyMap<string, number>): number {
  let least = Infinity
  for (const count of counts.values()) least = Math.min(least, count)
  return least
}

function selects({ selector, namespaces }: Term, { metadata }: Pod): boolean {
  return (namespaces === null || namespaces.includes(metadata.namespace!)) &&
    matchesLabels(selector, metadata.labels)
}

function termOf(term: PodAffinityTerm, pod: Pod): Term {
  const {
    labelSelector, topologyKey, namespaces = [], namespaceSelector, matchLabelKeys = [],
    mismatchLabelKeys = []
  } = term
  const own = namespaces.length === 0 && namespaceSelector === undefined ? [pod.metadata.namespace!]
    : namespaces
  const selector = withKeys(
    withKeys(labelSelector, matchLabelKeys, "In", pod), mismatchLabelKeys, "NotIn", pod
  )
  return { key: topologyKey, selector, namespaces: namespaceSelector === undefined ? own : null }
}

function spreadOf(
  { labelSelector, matchLabelKeys = [], maxSkew, minDomains = 1, topologyKey }: TopologySpreadConstraint,
  pod: Pod
): Spread {
  const term = {
    key: topologyKey, selector: withKeys(labelSelector, matchLabelKeys, "In", pod),
    namespaces: [pod.metadata.namespace!]
  }
  return { ...term, maxSkew, minDomains, matchesSelf: selects(term, pod) }
}

/** The pod's own values of these labels become part of the selector. */
function withKeys(
  selector: LabelSelector | undefined, keys: ReadonlyArray<string>, operator: string, { metadata }: Pod
): LabelSelector | undefined {
  const known = keys.filter((key) => metadata.labels?.[key] !== undefined)
  if (selector === undefined || known.length === 0) return selector
  const added = known.map((key) => ({ key, operator, values: [metadata.labels![key]!] }))
  return { ...selector, matchExpressions: [...selector.matchExpressions ?? [], ...added] }
}
