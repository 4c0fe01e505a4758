/**
 * The shape of every controller: key and view in, changes out, level triggered and pure. Queue, back-off,
 * conflicts and watch lag live in `runner.ts`; failure is a condition or an event on an object, as in
 * Kubernetes.
 */
import type { Informer, KubeObject, Ref } from "@podwire/api"
import type { Ns } from "@podwire/engine"

export type Change =
  | { readonly _tag: "Create"; readonly object: KubeObject }
  | { readonly _tag: "Update"; readonly object: KubeObject }
  | { readonly _tag: "UpdateStatus"; readonly object: KubeObject }
  /** `graceSeconds` above zero only marks (pods on a node). */
  | { readonly _tag: "Delete"; readonly ref: Ref; readonly graceSeconds: number }

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
  /** Look again after so long, whether or not anything changes. */
  readonly requeueNs?: Ns
}

export type View = Pick<Informer, "get" | "list" | "podsOn" | "podCount" | "ownedBy">

export interface Controller {
  readonly name: string
  readonly watches: ReadonlyArray<string>
  /** Which keys a change of this object touches; `before` is null for a new object. */
  keysOf(object: KubeObject, before: KubeObject | null, view: View): ReadonlyArray<string>
  reconcile(key: string, view: View, nowNs: Ns): Outcome
}

export const NOTHING: Outcome = { changes: [] }
