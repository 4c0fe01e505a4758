/**
 * Deleting a Namespace deletes what is in it (pkg/controller/namespace). A namespace that is marked for
 * deletion stands as Terminating until it is empty, and then goes; of one that is gone already, what is left
 * goes.
 *
 * Not supported: `spec.finalizers`, and refusing to create in a namespace that is terminating (that is
 * admission): what somebody makes meanwhile is deleted like the rest.
 */
import { EVERY_KIND, type KubeObject, refOf } from "@podwire/api"
import type { Namespace } from "@podwire/api/schema/namespace"
import type { Pod } from "@podwire/api/schema/pod"
import { type Change, type Controller, NOTHING, type Outcome, type View } from "./controller.ts"
import { equal } from "./equal.ts"
import { removal } from "./pod.ts"

const TERMINATING = { phase: "Terminating" }

export const namespace: Controller = {
  name: "namespace-controller",
  watches: [EVERY_KIND],

  keysOf(object, before, view) {
    if (object.kind === "Namespace") {
      const goes = object === before || object.metadata.deletionTimestamp !== undefined
      return goes ? [object.metadata.name!] : []
    }
    const { namespace: name } = object.metadata
    if (name === undefined) return []
    const within = view.get("Namespace", "", name)
    return within?.metadata.deletionTimestamp === undefined ? [] : [name]
  },

  reconcile(key, view): Outcome {
    const object = view.get("Namespace", "", key) as Namespace | null
    if (object !== null && object.metadata.deletionTimestamp === undefined) return NOTHING
    const changes: Array<Change> = []
    let empty = true
    for (const content of contents(key, view)) {
      empty = false
      if (content.metadata.deletionTimestamp !== undefined) continue
      if (content.kind === "Pod") changes.push(removal(content as Pod))
      else changes.push({ _tag: "Delete", ref: refOf(content), graceSeconds: 0 })
    }
    if (object !== null && empty) changes.push({ _tag: "Delete", ref: refOf(object), graceSeconds: 0 })
    else if (object !== null && !equal(object.status, TERMINATING)) {
      changes.push({ _tag: "UpdateStatus", object: { ...object, status: TERMINATING } })
    }
    return { changes }
  }
}

/** Those that make others first, or they would make them again. */
function contents(key: string, view: View): ReadonlyArray<KubeObject> {
  const kinds = [...view.kinds()].sort((a, b) => Number(a === "Pod") - Number(b === "Pod"))
  return kinds.flatMap((kind) => [...view.each(kind)].filter(({ metadata }) => metadata.namespace === key))
}
