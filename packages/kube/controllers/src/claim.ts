/**
 * Who manages what (controller_ref_manager.go): an owner adopts what matches its selector and nobody
 * manages, and releases what it manages but no longer matches.
 */
import { controllerOf, type KubeObject, kindOf, matchesLabels, type Meta } from "@podwire/api"
import type { LabelSelector } from "@podwire/api/schema/meta"
import type { Change, View } from "./controller.ts"
import { controllerRef } from "./template.ts"

interface Claimed<T> {
  /** What is the owner's after `changes`. */
  readonly objects: Array<T>
  readonly changes: Array<Change>
}

/** Objects of `kind` in the order of their creation. `adoptable` says which orphans may be taken. */
export function claim<T extends KubeObject>(
  owner: KubeObject, kind: string, selector: LabelSelector | undefined, view: View,
  adoptable: (object: T) => boolean
): Claimed<T> {
  const objects: Array<T> = []
  const changes: Array<Change> = []
  const uid = owner.metadata.uid!
  // Most have the labels of one template, the same record: it is asked once.
  let labels: Meta["labels"]
  let matching = matchesLabels(selector, labels)
  for (const object of view.eachOwnedBy(uid)) {
    if (object.kind !== kind || !isManagedBy(uid, object)) continue
    if (object.metadata.labels !== labels) {
      labels = object.metadata.labels
      matching = matchesLabels(selector, labels)
    }
    if (matching) objects.push(object as T)
    else if (object.metadata.deletionTimestamp === undefined &&
      owner.metadata.deletionTimestamp === undefined) {
      const ownerReferences = object.metadata.ownerReferences!.filter((reference) => reference.uid !== uid)
      changes.push({
        _tag: "Update", object: { ...object, metadata: { ...object.metadata, ownerReferences } }
      })
    }
  }
  if (owner.metadata.deletionTimestamp !== undefined) return { objects, changes }
  for (const object of view.eachOrphan(kind, owner.metadata.namespace!)) {
    if (object.metadata.deletionTimestamp !== undefined || !matchesLabels(selector, object.metadata.labels)) {
      continue
    }
    if (!adoptable(object as T)) continue
    const ownerReferences = [...object.metadata.ownerReferences ?? [], controllerRef(owner)]
    changes.push({ _tag: "Update", object: { ...object, metadata: { ...object.metadata, ownerReferences } } })
    objects.push(object as T)
  }
  return { objects, changes }
}

function isManagedBy(uid: string, { metadata }: KubeObject): boolean {
  for (const owner of metadata.ownerReferences!) {
    if (owner.uid === uid && owner.controller === true) return true
  }
  return false
}

/**
 * The keys of owners of `ownerKind` that a change of a dependent touches: whoever manages it or did; of an
 * orphan that is new or has new labels, whoever would adopt it.
 */
export function ownerKeys(
  ownerKind: string, object: KubeObject, before: KubeObject | null, view: View
): ReadonlyArray<string> {
  const namespace = object.metadata.namespace ?? ""
  const owner = controllerOf(object)
  const former = before === null || before === object ? owner : controllerOf(before)
  const keys: Array<string> = []
  if (owner !== null && kindOf(owner) === ownerKind) keys.push(`${namespace}/${owner.name}`)
  if (former !== null && former.uid !== owner?.uid && kindOf(former) === ownerKind) {
    keys.push(`${namespace}/${former.name}`)
  }
  if (owner !== null ||
    (before !== null && former === null && before.metadata.labels === object.metadata.labels)) {
    return keys
  }
  for (const candidate of view.each(ownerKind)) {
    const { selector } = candidate.spec as { readonly selector?: LabelSelector }
    if (candidate.metadata.namespace === namespace && matchesLabels(selector, object.metadata.labels)) {
      keys.push(`${namespace}/${candidate.metadata.name!}`)
    }
  }
  return keys
}
