/**
 * A view of the store that is `lagNs` behind it: what a controller, a scheduler or a node's agent knows.
 * Those with the same lag share one (client-go's shared informer factory). Handlers run in the order of
 * versions; objects are in the view before anybody is told of them.
 *
 * Indexes exist for the questions that would otherwise scan every pod of the cluster: by node and by owner.
 * What iterates does not copy: its order is that of creation, which is the same in every run. Don't write
 * while iterating.
 */
import { type Engine, type Ns, Timer } from "@podwire/engine"
import { controllerOf, keyOf, type KubeObject, type OwnerReference } from "./object.ts"
import type { ApiStore, WatchEvent, WriteObserver } from "./store.ts"

export type EventHandler = (event: WatchEvent) => void

/** Instead of a kind: every kind. */
export const EVERY_KIND = "*"
const NO_OWNERS: ReadonlyArray<OwnerReference> = []
const NO_OBJECTS: ReadonlyMap<string, KubeObject> = new Map()

export class Informer extends Timer implements WriteObserver {
  readonly #engine: Engine
  readonly #lagNs: Ns
  readonly #kinds = new Map<string, Map<string, KubeObject>>()
  readonly #byNode = new Map<string, Map<string, KubeObject>>()
  readonly #byOwner = new Map<string, Map<string, KubeObject>>()
  readonly #orphans = new Map<string, Map<string, KubeObject>>()
  readonly #handlers = new Map<string, Array<EventHandler>>()
  readonly #nodeHandlers = new Map<string, EventHandler>()
  readonly #caughtUp: Array<() => void> = []
  /** News on its way, oldest first, with the time it arrives. */
  #queue: Array<{ readonly atNs: Ns; readonly event: WatchEvent }> = []
  #head = 0
  /** The version that this view has reached. */
  version = 0

  constructor(engine: Engine, store: ApiStore, lagNs: Ns) {
    super()
    this.#engine = engine
    this.#lagNs = lagNs
    store.observe(this)
  }

  get(kind: string, namespace: string, name: string): KubeObject | null {
    return this.#kinds.get(kind)?.get(namespace === "" ? name : `${namespace}/${name}`) ?? null
  }

  /** How many pods are bound to a node, without looking at them. */
  podCount(node: string): number {
    return this.#byNode.get(node)?.size ?? 0
  }

  /** Kinds that have objects, sorted. */
  kinds(): ReadonlyArray<string> {
    return [...this.#kinds.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  }

  each(kind: string): Iterable<KubeObject> {
    return (this.#kinds.get(kind) ?? NO_OBJECTS).values()
  }

  /** "" for the pods that are bound to none. */
  eachPodOn(node: string): Iterable<KubeObject> {
    return (this.#byNode.get(node) ?? NO_OBJECTS).values()
  }

  eachOwnedBy(uid: string): Iterable<KubeObject> {
    return (this.#byOwner.get(uid) ?? NO_OBJECTS).values()
  }

  /** What nobody manages. */
  eachOrphan(kind: string, namespace: string): Iterable<KubeObject> {
    return (this.#orphans.get(`${kind}/${namespace}`) ?? NO_OBJECTS).values()
  }

  /** News is on its way: this view is behind the store. */
  get behind(): boolean {
    return this.#head < this.#queue.length
  }

  on(kind: string, handler: EventHandler): void {
    const handlers = this.#handlers.get(kind)
    if (handlers === undefined) this.#handlers.set(kind, [handler])
    else handlers.push(handler)
  }

  /** The pods of one node only, as a kubelet watches them. */
  onPodsOf(node: string, handler: EventHandler): void {
    this.#nodeHandlers.set(node, handler)
  }

  /** After each batch of news. */
  onCaughtUp(handler: () => void): void {
    this.#caughtUp.push(handler)
  }

  wrote(event: WatchEvent): void {
    this.#queue.push({ atNs: this.#engine.nowNs + this.#lagNs, event })
    if (!this.armed) this.#engine.arm(this, this.#lagNs)
  }

  override fire(nowNs: Ns): void {
    while (this.#head < this.#queue.length && this.#queue[this.#head]!.atNs <= nowNs) {
      const { event } = this.#queue[this.#head++]!
      this.#store(event)
      this.version = event.version
      for (const handler of this.#handlers.get(event.kind) ?? []) handler(event)
      for (const handler of this.#handlers.get(EVERY_KIND) ?? []) handler(event)
      if (event.kind === "Pod") {
        const node = nodeOf(event.object)
        if (node !== "") this.#nodeHandlers.get(node)?.(event)
      }
    }
    if (this.#head > 1024 || this.#head === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    for (const handler of this.#caughtUp) handler()
    if (this.#head < this.#queue.length) this.#engine.arm(this, this.#queue[this.#head]!.atNs - nowNs)
  }

  #store({ type, kind, object, before }: WatchEvent): void {
    const key = keyOf(object)
    const gone = type === "DELETED"
    put(this.#kinds, kind, key, gone ? null : object)
    const now = gone ? null : object
    const owners = object.metadata.ownerReferences ?? NO_OWNERS
    for (const owner of owners) put(this.#byOwner, owner.uid, `${kind}/${key}`, now)
    for (const former of before?.metadata.ownerReferences ?? NO_OWNERS) {
      if (!owners.some((owner) => owner.uid === former.uid)) {
        put(this.#byOwner, former.uid, `${kind}/${key}`, null)
      }
    }
    const managed = controllerOf(object) !== null
    if (!managed || (before !== null && controllerOf(before) === null)) {
      put(this.#orphans, `${kind}/${object.metadata.namespace ?? ""}`, key, managed ? null : now)
    }
    if (kind === "Pod") {
      const node = nodeOf(object)
      if (node !== "" && before !== null && nodeOf(before) === "") put(this.#byNode, "", key, null)
      put(this.#byNode, node, key, now)
    }
  }
}

function nodeOf(pod: KubeObject): string {
  return (pod.spec as { readonly nodeName?: string } | undefined)?.nodeName ?? ""
}

/** Empty maps go, so that churn leaves nothing behind. */
function put(
  maps: Map<string, Map<string, KubeObject>>, name: string, key: string, object: KubeObject | null
): void {
  const map = maps.get(name)
  if (object !== null) {
    if (map === undefined) maps.set(name, new Map([[key, object]]))
    else map.set(key, object)
  } else if (map !== undefined) {
    map.delete(key)
    if (map.size === 0) maps.delete(name)
  }
}
