/**
 * The shape of every controller: key and view in, changes out, level triggered and pure. Queue, back-off,
 * conflicts and watch lag live in `runner.ts`; failure is a condition or an event on an object, as in
 * Kubernetes.
 */
import type { Informer, KubeObject, Ref } from "@podwire/api"
import type { Ns } from "@podwire/engine"

/** `event` is recorded when the write has succeeded: the server may have made up the name. */
interface Announced {
  readonly event?: (written: KubeObject) => ObjectEvent
}

export type Change = Announced & (
  | { readonly _tag: "Create"; readonly object: KubeObject }
  | { readonly _tag: "Update"; readonly object: KubeObject }
  | { readonly _tag: "UpdateStatus"; readonly object: KubeObject }
  /** The scheduler's verb: the pod's node and its PodScheduled condition. */
  | { readonly _tag: "Bind"; readonly ref: Ref; readonly nodeName: string }
  /** `graceSeconds` above zero only marks (pods on a node). */
  | { readonly _tag: "Delete"; readonly ref: Ref; readonly graceSeconds: number }
)

/** What `kubectl describe` lists under Events. */
export interface ObjectEvent {
  readonly about: Ref
  readonly type: "Normal" | "Warning"
  readonly reason: string
  readonly message: string
}

export interface Outcome {
  readonly changes: ReadonlyArray<Change>
  readonly events?: ReadonlyArray<ObjectEvent>
  /**
   * Look again after so long, whether or not anything changes: a deadline, after which all may be as it is.
   */
  readonly requeueNs?: Ns
  /** Look again after so long, because there is work that must wait till then: nothing is settled before. */
  readonly dueNs?: Ns
}

/** What a controller may ask: it reads, and does not listen. */
export type View = Pick<Informer,
  "get" | "each" | "eachPodOn" | "eachOwnedBy" | "eachOrphan" | "podCount" | "kinds">

export interface Controller {
  readonly name: string
  /** Kinds, or EVERY_KIND. */
  readonly watches: ReadonlyArray<string>
  /** Which keys a change of this object touches; `before` is null for a new object. */
  keysOf(object: KubeObject, before: KubeObject | null, view: View): ReadonlyArray<string>
  reconcile(key: string, view: View, nowNs: Ns): Outcome
}

export const NOTHING: Outcome = { changes: [] }
