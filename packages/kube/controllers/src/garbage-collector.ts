/**
 * What belongs to nobody any more goes (pkg/controller/garbagecollector, background propagation). The key
 * is an owner as a reference names it; every kind is looked at, those of CRDs too.
 *
 * Invariant: an object goes only when none of the owners that it names is there.
 * Not supported: foreground deletion and orphaning (`propagationPolicy`), `blockOwnerDeletion`.
 */
import { EVERY_KIND, type KubeObject, kindOf, type OwnerReference, refOf } from "@podwire/api"
import type { Pod } from "@podwire/api/schema/pod"
import { type Change, type Controller, NOTHING, type Outcome, type View } from "./controller.ts"
import { removal } from "./pod.ts"

const NO_OWNERS: ReadonlyArray<OwnerReference> = []

export const garbageCollector: Controller = {
  name: "garbage-collector",
  watches: [EVERY_KIND],

  keysOf(object, before, view) {
    const keys: Array<string> = []
    if (object === before) {
      const { uid, name, namespace } = object.metadata
      for (const dependent of view.eachOwnedBy(uid!)) {
        // A cluster-wide owner may have dependents in many namespaces; a reference doesn't name its own.
        if (namespace !== undefined && dependent.metadata.namespace !== namespace) continue
        keys.push(`${kindOf(object)}/${namespace ?? ""}/${name!}/${uid!}`)
        break
      }
    } else if (before === null || before.metadata.ownerReferences !== object.metadata.ownerReferences) {
      for (const owner of object.metadata.ownerReferences ?? NO_OWNERS) {
        if (!exists(owner, object, view)) {
          keys.push(`${kindOf(owner)}/${object.metadata.namespace ?? ""}/${owner.name}/${owner.uid}`)
        }
      }
    }
    return keys
  },

  reconcile(key, view): Outcome {
    const uid = key.slice(key.lastIndexOf("/") + 1)
    const changes: Array<Change> = []
    for (const dependent of view.eachOwnedBy(uid)) {
      if (dependent.metadata.deletionTimestamp !== undefined) continue
      const owners = dependent.metadata.ownerReferences!
      const there = owners.filter((owner) => exists(owner, dependent, view))
      if (there.length === owners.length) continue
      changes.push(there.length === 0 ? end(dependent) : {
        _tag: "Update", object: { ...dependent, metadata: { ...dependent.metadata, ownerReferences: there } }
      })
    }
    return changes.length === 0 ? NOTHING : { changes }
  }
}

/** In the dependent's namespace, or cluster-wide; one of the same name that was made anew is another. */
function exists(owner: OwnerReference, dependent: KubeObject, view: View): boolean {
  const kind = kindOf(owner)
  const namespace = dependent.metadata.namespace ?? ""
  return view.get(kind, namespace, owner.name)?.metadata.uid === owner.uid ||
    (namespace !== "" && view.get(kind, "", owner.name)?.metadata.uid === owner.uid)
}

function end(object: KubeObject): Change {
  return object.kind === "Pod"
    ? removal(object as Pod)
    : { _tag: "Delete", ref: refOf(object), graceSeconds: 0 }
}
