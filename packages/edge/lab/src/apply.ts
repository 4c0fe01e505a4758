/**
 * `kubectl apply` against the store: create what is not there, merge what is (live object, last manifest,
 * this manifest), and remember which document an object came from.
 */
import {
  admitUpdate, ApiError, controllerOf, keyOf, kindOf, type KubeObject, kindOfObject, refusalText,
  threeWayMerge
} from "@podwire/api"
import type { Cluster } from "@podwire/cluster"
import type { Document, Path, Problem } from "./input/index.ts"
import type { SourcedObject } from "./load.ts"
import { nameOf } from "./object-name.ts"

/**
 * A manifest, and the path in it that the object asked for corresponds to: `spec` of a pod is
 * `spec.template.spec` of its Deployment.
 */
export interface Source {
  readonly document: Document
  readonly prefix: Path
}

export interface Applied {
  readonly lines: ReadonlyArray<string>
  readonly problems: ReadonlyArray<Problem>
}

export class Applier {
  readonly #cluster: Cluster
  readonly #last = new Map<string, SourcedObject>()
  readonly #warnings: Array<string> = []

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  get warnings(): ReadonlyArray<string> {
    return this.#warnings
  }

  /** Namespaces first: nothing can be created in one that is not there yet. */
  applyAll(objects: ReadonlyArray<SourcedObject>): Applied {
    const lines: Array<string> = []
    const problems: Array<Problem> = []
    const ordered = [...objects.filter(isNamespace), ...objects.filter((sourced) => !isNamespace(sourced))]
    for (const sourced of ordered) {
      const said = this.#apply(sourced)
      if (typeof said === "string") lines.push(said)
      else problems.push(...said)
    }
    return { lines, problems }
  }

  sourceOf(object: KubeObject): Source | null {
    let at = object
    let prefix: Path = []
    for (;;) {
      const found = this.#last.get(`${kindOf(at)} ${keyOf(at)}`)
      if (found !== undefined) return { document: found.document, prefix }
      const owner = controllerOf(at)
      if (owner === null) return null
      if (at.kind === "Pod") prefix = ["spec", "template"]
      const next = this.#cluster.store.get(
        kindOf({ apiVersion: owner.apiVersion, kind: owner.kind }), at.metadata.namespace ?? "", owner.name
      )
      if (next === null) return null
      at = next
    }
  }

  #apply(sourced: SourcedObject): string | ReadonlyArray<Problem> {
    const { object, document } = sourced
    const { store } = this.#cluster
    this.#makeNamespace(object)
    const key = `${kindOf(object)} ${keyOf(object)}`
    const live = object.metadata.name === undefined ? null
      : store.get(kindOf(object), object.metadata.namespace ?? "", object.metadata.name)
    const before = this.#last.get(key) ?? null
    const result = live === null ? store.create(object) : this.#update(live, before, sourced)
    if (Array.isArray(result)) return result
    if (result instanceof ApiError) {
      return [document.problem(["metadata", "name"], { what: refusalText(result) })]
    }
    const stored = result as KubeObject
    this.#last.set(`${kindOf(stored)} ${keyOf(stored)}`, sourced)
    return `${nameOf(stored)} ${live === null ? "created" : stored === live ? "unchanged" : "configured"}`
  }

  #update(
    live: KubeObject, before: SourcedObject | null, { document }: SourcedObject
  ): KubeObject | ApiError | ReadonlyArray<Problem> {
    const merged = threeWayMerge(live, before?.document.value ?? null, document.value)
    if (merged === live) return live
    const { object, problems } = admitUpdate(live, merged)
    if (problems !== undefined) {
      return problems.map(({ path, message, atKey }) => document.problem(path, { what: message }, atKey))
    }
    return this.#cluster.store.update(object)
  }

  /** `helm template` prints no Namespace for `--namespace`; a cluster would refuse, we say it. */
  #makeNamespace(object: KubeObject): void {
    const name = object.metadata.namespace
    const { store } = this.#cluster
    if (name === undefined || store.get("Namespace", "", name) !== null) return
    store.create({
      apiVersion: "v1", kind: "Namespace",
      metadata: { name, labels: { "kubernetes.io/metadata.name": name } }
    })
    this.#warnings.push(
      `namespace ${name} is in no manifest: made, as \`kubectl create namespace ${name}\` would`
    )
  }
}

function isNamespace({ object }: SourcedObject): boolean {
  return object.kind === "Namespace" && kindOfObject(object) !== null
}
