/**
 * The API server as far as a network needs it: objects by kind, a version for every write, and whoever
 * watches is told through the engine, so that news has a time and an order.
 *
 * Objects are immutable: a write replaces one. Invariants: versions only rise; watchers see every write
 * once, in the order of versions, `lagNs` after it.
 * Not supported: patches and server-side apply (the edge merges), finalizers, subresources beyond status,
 * admission webhooks, watch bookmarks. Validation is the caller's (`validate/`), before the write.
 */
import type { Engine, Prng } from "@podwire/engine"
import { generateName, uuid } from "./name.ts"
import { byName, keyOf, kindOf, type KubeObject, type Ref } from "./object.ts"
import { timeText } from "./time.ts"

export type EventType = "ADDED" | "MODIFIED" | "DELETED"

export interface WatchEvent {
  readonly type: EventType
  readonly kind: string
  readonly version: number
  /** What is there now; of a deletion, what was there last. */
  readonly object: KubeObject
  /** What was there before; null when it is new. */
  readonly before: KubeObject | null
}

/** Told of every write at the moment it happens; an informer delays it. */
export interface WriteObserver {
  wrote(event: WatchEvent): void
}

export type ApiReason = "AlreadyExists" | "NotFound" | "Conflict"

/** A write that the server refuses; `status.ts` renders it as kubectl does. */
export class ApiError {
  readonly reason: ApiReason
  readonly ref: Ref

  constructor(reason: ApiReason, ref: Ref) {
    this.reason = reason
    this.ref = ref
  }
}

export class ApiStore {
  readonly #engine: Engine
  readonly #names: Prng
  readonly #uids: Prng
  readonly #kinds = new Map<string, Map<string, KubeObject>>()
  readonly #observers: Array<WriteObserver> = []
  #version = 0

  constructor(engine: Engine) {
    this.#engine = engine
    this.#names = engine.prng("api:names")
    this.#uids = engine.prng("api:uids")
  }

  /** Of the last write. */
  get version(): number {
    return this.#version
  }

  observe(observer: WriteObserver): void {
    this.#observers.push(observer)
  }

  get(kind: string, namespace: string, name: string): KubeObject | null {
    return this.#kinds.get(kind)?.get(namespace === "" ? name : `${namespace}/${name}`) ?? null
  }

  /** Sorted by namespace, then name. */
  list(kind: string, namespace?: string): ReadonlyArray<KubeObject> {
    const all = [...this.#kinds.get(kind)?.values() ?? []]
    return (namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace))
      .sort(byName)
  }

  count(kind: string): number {
    return this.#kinds.get(kind)?.size ?? 0
  }

  /** Kinds that have objects, sorted. */
  kinds(): ReadonlyArray<string> {
    return [...this.#kinds].filter(([, objects]) => objects.size > 0).map(([kind]) => kind)
      .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  }

  /** `metadata.generateName` is completed here, as the server does it. */
  create<T extends KubeObject>(object: T): T | ApiError {
    const name = object.metadata.name ?? this.#generateName(object)
    const kind = kindOf(object)
    const made: T = {
      ...object,
      metadata: {
        ...object.metadata, name, uid: uuid(this.#uids), resourceVersion: "", generation: 1,
        creationTimestamp: timeText(this.#engine.nowNs)
      }
    }
    const key = keyOf(made)
    const objects = this.#objects(kind)
    if (objects.has(key)) {
      return new ApiError("AlreadyExists", { kind, namespace: made.metadata.namespace ?? "", name })
    }
    return this.#write("ADDED", kind, key, made, null)
  }

  /** The whole object; a `resourceVersion` that is not the current one is a conflict. The status stays. */
  update<T extends KubeObject>(object: T): T | ApiError {
    return this.#replace(object, (before) => ({
      ...object,
      metadata: {
        ...object.metadata, uid: before.metadata.uid!, creationTimestamp: before.metadata.creationTimestamp!,
        generation: before.metadata.generation! + (object.spec === before.spec ? 0 : 1)
      },
      ...before.status === undefined ? {} : { status: before.status }
    }))
  }

  /** Only the status is taken. */
  updateStatus<T extends KubeObject>(object: T): T | ApiError {
    return this.#replace(object, (before) => ({ ...before, status: object.status }) as T)
  }

  /**
   * A pod's Binding (registry/core/pod/storage, assignPod): its node and its PodScheduled condition in one
   * write. Who is bound or going already is a conflict.
   */
  bind(ref: Ref, nodeName: string): KubeObject | ApiError {
    const before = this.get(ref.kind, ref.namespace, ref.name)
    if (before === null) return new ApiError("NotFound", ref)
    const spec = before.spec as { readonly nodeName?: string }
    if ((spec.nodeName ?? "") !== "" || before.metadata.deletionTimestamp !== undefined) {
      return new ApiError("Conflict", ref)
    }
    const status = (before.status ?? { phase: "Pending" }) as {
      readonly conditions?: ReadonlyArray<{ readonly type: string }>
    }
    const scheduled = {
      type: "PodScheduled", status: "True", lastTransitionTime: timeText(this.#engine.nowNs)
    }
    const others = (status.conditions ?? []).filter(({ type }) => type !== scheduled.type)
    const bound = {
      ...before, spec: { ...spec, nodeName }, status: { ...status, conditions: [...others, scheduled] }
    }
    return this.#write("MODIFIED", ref.kind, keyOf(before), bound, before)
  }

  /**
   * Gone at once; or with `graceSeconds` above zero (pods on a node) marked, and deleted for good by whoever
   * ends it. The object as it was or as it is marked.
   */
  delete(ref: Ref, graceSeconds = 0): KubeObject | ApiError {
    const key = ref.namespace === "" ? ref.name : `${ref.namespace}/${ref.name}`
    const before = this.get(ref.kind, ref.namespace, ref.name)
    if (before === null) return new ApiError("NotFound", ref)
    if (graceSeconds > 0) {
      if (before.metadata.deletionTimestamp !== undefined) return before
      const deletionTimestamp = timeText(this.#engine.nowNs + graceSeconds * 1e9)
      const metadata = { ...before.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds }
      return this.#write("MODIFIED", ref.kind, key, { ...before, metadata }, before)
    }
    this.#kinds.get(ref.kind)!.delete(key)
    this.#tell({ type: "DELETED", kind: ref.kind, version: ++this.#version, object: before, before })
    return before
  }

  #replace<T extends KubeObject>(object: T, next: (before: KubeObject) => T): T | ApiError {
    const kind = kindOf(object)
    const key = keyOf(object)
    const before = this.#kinds.get(kind)?.get(key)
    const ref = { kind, namespace: object.metadata.namespace ?? "", name: object.metadata.name! }
    if (before === undefined) return new ApiError("NotFound", ref)
    const wanted = object.metadata.resourceVersion
    if (wanted !== undefined && wanted !== before.metadata.resourceVersion) {
      return new ApiError("Conflict", ref)
    }
    return this.#write("MODIFIED", kind, key, next(before), before)
  }

  #write<T extends KubeObject>(
    type: EventType, kind: string, key: string, object: T, before: KubeObject | null
  ): T {
    const version = ++this.#version
    const stored: T = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
    this.#objects(kind).set(key, stored)
    this.#tell({ type, kind, version, object: stored, before })
    return stored
  }

  #tell(event: WatchEvent): void {
    for (const observer of this.#observers) observer.wrote(event)
  }

  #objects(kind: string): Map<string, KubeObject> {
    let objects = this.#kinds.get(kind)
    if (objects === undefined) {
      objects = new Map()
      this.#kinds.set(kind, objects)
    }
    return objects
  }

  #generateName(object: KubeObject): string {
    const prefix = object.metadata.generateName ?? ""
    const taken = this.#kinds.get(kindOf(object))
    const { namespace } = object.metadata
    // The server itself draws once and answers AlreadyExists; its clients try again, so we do.
    for (;;) {
      const name = generateName(prefix, this.#names)
      if (taken?.has(namespace === undefined ? name : `${namespace}/${name}`) !== true) return name
    }
  }
}
