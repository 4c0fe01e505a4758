/**
 * A view of the store that is `lagNs` behind it: what a controller, a scheduler or a node's agent knows.
 * Those with the same lag share one (client-go's shared informer factory). Handlers run in the order of
 * versions; objects are in the view before anybody is told of them.
 *
 * Indexes exist for the questions that would otherwise scan every pod of the cluster: by node and by owner.
 */
import { type Engine, type Ns, Timer } from "@podwire/engine"
import { byName, controllerOf, keyOf, type KubeObject } from "./object.ts"
import type { ApiStore, WatchEvent, WriteObserver } from "./store.ts"

export type EventHandler = (event: WatchEvent) => void

export class Informer extends Timer implements WriteObserver {
  readonly #engine: Engine
  readonly #lagNs: Ns
  readonly #kinds = new Map<string, Map<string, KubeObject>>()
  readonly #byNode = new Map<string, Map<string, KubeObject>>()
  readonly #byOwner = new Map<string, Map<string, KubeObject>>()
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

  /** Sorted by namespace, then name. */
  list(kind: string, namespace?: string): ReadonlyArray<KubeObject> {
    const all = [...this.#kinds.get(kind)?.values() ?? []]
    return (namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace)).sort(byName)
  }

  /** Pods bound to a node, sorted. */
  podsOn(node: string): ReadonlyArray<KubeObject> {
    return [...this.#byNode.get(node)?.values() ?? []].sort(byName)
  }

  /** How many pods are bound to a node, without looking at them. */
  podCount(node: string): number {
    return this.#byNode.get(node)?.size ?? 0
  }

  /** What the owner with that uid manages, of whatever kind, sorted. */
  ownedBy(uid: string): ReadonlyArray<KubeObject> {
    return [...this.#byOwner.get(uid)?.values() ?? []].sort(byName)
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
    if (this.#head < this.#queue.length && !this.armed) {
      this.#engine.arm(this, this.#queue[this.#head]!.atNs - nowNs)
    }
  }

  #store({ type, kind, object, before }: WatchEvent): void {
    const key = keyOf(object)
    const gone = type === "DELETED"
    put(this.#kinds, kind, key, gone ? null : object)
    const owner = controllerOf(object)
    if (owner !== null) put(this.#byOwner, owner.uid, `${kind}/${key}`, gone ? null : object)
    const formerOwner = before === null ? null : controllerOf(before)
    if (formerOwner !== null && formerOwner.uid !== owner?.uid) put(this.#byOwner, formerOwner.uid, `${kind}/${key}`, null)
    if (kind === "Pod") {
      const node = nodeOf(object)
      if (node !== "") put(this.#byNode, node, key, gone ? null : object)
    }
  }
}

function nodeOf(pod: KubeObject): string {
  return (pod.spec as { readonly nodeName?: string } | undefined)?.nodeName ?? ""
}

/** Empty maps go, so that churn leaves nothing behind. */
function put(maps: Map<string, Map<string, KubeObject>>, name: string, key: string, object: KubeObject | null): void {
  const map = maps.get(name)
  if (object !== null) {
    if (map === undefined) maps.set(name, new Map([[key, object]]))
    else map.set(key, object)
  } else if (map !== undefined) {
    map.delete(key)
    if (map.size === 0) maps.delete(name)
  }
}
