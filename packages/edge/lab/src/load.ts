/**
 * Documents → what a cluster is built from: Kubernetes objects that the API server would take, the plan, the
 * scenario, and everything that is wrong, with its place. Each object remembers the document it came from, so
 * that whatever happens to it later can be told with file and line.
 */
import {
  admit, fieldPath, keyOf, kindOf, type KubeObject, lookup, nearest, type Node
} from "@podwire/api"
import { problemsOf } from "@podwire/api/schema-problem"
import { checkPlan, makePlan, type NodePlan, type Plan } from "@podwire/cluster"
import * as Schema from "effect/Schema"
import type { Conflist } from "./conflist.ts"
import { ClusterDocument, planOf } from "./document/cluster.ts"
import { ScenarioDocument, stepProblems } from "./document/scenario.ts"
import type { Document } from "./input/documents.ts"
import type { Problem } from "./input/problem.ts"
import { warningsOf } from "./not-modelled.ts"

export interface SourcedObject {
  readonly object: KubeObject
  readonly document: Document
}

export interface Loaded {
  readonly objects: ReadonlyArray<SourcedObject>
  readonly cluster: { readonly document: Document; readonly value: ClusterDocument } | null
  readonly scenario: { readonly document: Document; readonly value: ScenarioDocument } | null
  readonly problems: ReadonlyArray<Problem>
  /** Sentences about what is kept and not carried out. */
  readonly warnings: ReadonlyArray<string>
}

const OPTIONS = { errors: "all", onExcessProperty: "error" } as const
const decodeCluster = Schema.decodeUnknownResult(ClusterDocument, OPTIONS)
const decodeScenario = Schema.decodeUnknownResult(ScenarioDocument, OPTIONS)
/** Of nodes, in a message. */
const NAMES_SHOWN = 8
const OWN_KINDS = ["Cluster", "Scenario"]
/** Where the plan's CNI configuration stands in a Cluster's spec. */
const CONFLIST_PATH = ["cni", "conflist"]
const OWN_GROUP = "podwire.dev"

export function load(documents: ReadonlyArray<Document>): Loaded {
  const objects: Array<SourcedObject> = []
  const problems: Array<Problem> = []
  const seen = new Map<string, Document>()
  let cluster: Loaded["cluster"] = null
  let scenario: Loaded["scenario"] = null
  const once = (document: Document, other: { readonly document: Document } | null) => {
    if (other === null) return
    const { line } = other.document.place()
    problems.push(document.problem(["kind"], {
      what: `a second ${document.kind}`, expected: "one",
      remedy: `the first stands at ${other.document.file}:${line}`
    }))
  }
  for (const document of documents) {
    if (document.apiVersion.split("/")[0] === OWN_GROUP) {
      const own = readOwn(document, problems)
      if (own?.kind === "Cluster") {
        once(document, cluster)
        cluster = { document, value: own }
      } else if (own?.kind === "Scenario") {
        once(document, scenario)
        scenario = { document, value: own }
      }
      continue
    }
    const object = readObject(document, problems)
    if (object === null) continue
    const key = `${kindOf(object)} ${keyOf(object)}`
    const before = object.metadata.name === undefined ? undefined : seen.get(key)
    if (before === undefined) {
      seen.set(key, document)
      objects.push({ object, document })
    } else problems.push(duplicate(document, object, before))
  }
  return { objects, cluster, scenario, problems, warnings: warningsOf(objects) }
}

/** One Kubernetes object as the API server would store it, or null and what is wrong. */
export function readObject(document: Document, problems: Array<Problem>): KubeObject | null {
  const { object, problems: wrong } = admit(document.value)
  for (const { path, atKey, message } of wrong ?? []) {
    problems.push(document.problem(path, { what: message }, atKey))
  }
  return object ?? null
}

/** The plan that the documents and the command line make together; the command line wins. */
export function planFrom(
  loaded: Loaded, given: Partial<Plan>, problems: Array<Problem>, conflist: Conflist | null = null
): Plan {
  const { cluster, objects } = loaded
  const nodes = objects.filter(({ object }) => object.kind === "Node")
    .map(({ object }) => nodePlan(object as Node))
  const plan = makePlan({
    seed: loaded.scenario?.value.spec.seed ?? 7,
    ...cluster === null ? {} : planOf(cluster.value),
    ...nodes.length === 0 ? {} : { nodes },
    ...conflist === null ? {} : { conflist: conflist.value },
    ...given
  })
  for (const { path, message } of checkPlan(plan)) {
    if (conflist !== null && path[0] === "cni") {
      problems.push(conflist.problem(path.slice(CONFLIST_PATH.length), message))
    } else if (cluster !== null) problems.push(cluster.document.problem(["spec", ...path], { what: message }))
    else problems.push({ file: "the cluster", line: null, column: null, path: fieldPath(path), message })
  }
  problems.push(...unknownNodes(objects, plan))
  return plan
}

/**
 * Pods bound to a node that is not there would be collected in silence (pod-garbage-collector): nobody means
 * that.
 */
function unknownNodes(objects: ReadonlyArray<SourcedObject>, { nodes }: Plan): ReadonlyArray<Problem> {
  const names = nodes.map(({ name }) => name)
  return objects.flatMap(({ object, document }) => {
    for (const path of [["spec"], ["spec", "template", "spec"], ["spec", "jobTemplate", "spec", "template", "spec"]]) {
      const spec = path.reduce<unknown>(
        (at, key) => (at as Readonly<Record<string, unknown>> | undefined)?.[key], object
      )
      const { nodeName, containers } = (spec ?? {}) as {
        readonly nodeName?: unknown; readonly containers?: unknown
      }
      if (typeof nodeName !== "string" || nodeName === "" || !Array.isArray(containers) ||
        names.includes(nodeName)) {
        continue
      }
      const shown = names.length > NAMES_SHOWN ? `${names.slice(0, NAMES_SHOWN).join(", ")}, …`
        : names.join(", ")
      return [
        document.problem(
          [...path, "nodeName"], { what: `no node is called "${nodeName}"`, remedy: `there are ${shown}` }
        )
      ]
    }
    return []
  })
}

function nodePlan({ metadata, spec, status }: Node): NodePlan {
  const { labels } = metadata
  return {
    name: metadata.name!,
    ...labels === undefined ? {} : { labels },
    ...spec?.taints === undefined ? {} : { taints: spec.taints },
    ...spec?.unschedulable === undefined ? {} : { unschedulable: spec.unschedulable },
    ...status?.allocatable === undefined
      ? {}
      : {
        allocatable: Object.fromEntries(
          Object.entries(status.allocatable).map(([key, value]) => [key, String(value)])
        )
      }
  }
}

function readOwn(document: Document, problems: Array<Problem>): ClusterDocument | ScenarioDocument | null {
  const { kind } = document
  if (document.apiVersion !== `${OWN_GROUP}/v1`) {
    problems.push(
      document.problem(["apiVersion"], { found: document.apiVersion, expected: `${OWN_GROUP}/v1` })
    )
    return null
  }
  if (!OWN_KINDS.includes(kind)) {
    const meant = nearest(kind, OWN_KINDS)
    problems.push(
      document.problem(
        ["kind"],
        {
          found: kind, expected: OWN_KINDS.join(" or "),
          ...meant === null ? {} : { remedy: `did you mean ${meant}?` }
        }
      )
    )
    return null
  }
  const result = kind === "Cluster" ? decodeCluster(document.value) : decodeScenario(document.value)
  if (result._tag === "Success") {
    const value = result.success
    if (value.kind === "Scenario") checkSteps(document, value, problems)
    return value
  }
  for (const { path, atKey, message } of problemsOf(result.failure.issue, kind, document.value)) {
    problems.push(document.problem(path, { what: message }, atKey))
  }
  return null
}

function checkSteps(document: Document, { spec }: ScenarioDocument, problems: Array<Problem>): void {
  for (const { path, what } of stepProblems(spec.steps ?? [])) {
    problems.push(document.problem(["spec", "steps", ...path], { what }))
  }
}

function duplicate(document: Document, object: KubeObject, before: Document): Problem {
  const { line } = before.place(["metadata", "name"])
  const kind = lookup(object.kind)
  return document.problem(["metadata", "name"], {
    what: `${kind?.plural ?? object.kind} "${object.metadata.name}" already exists`,
    remedy: `it stands at ${before.file}:${line} already; rename or remove one`
  })
}
