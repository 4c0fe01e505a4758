/**
 * ControllerRevisions: the templates that a StatefulSet or DaemonSet has had (pkg/controller/history). Their
 * names hash the template, so equal templates are one revision, and going back makes an old one the newest.
 */
import { type KubeObject, templateHash } from "@podwire/api"
import type { LabelSelector } from "@podwire/api/schema/meta"
import type { PodTemplateSpec } from "@podwire/api/schema/pod"
import { claim } from "./claim.ts"
import type { Change, View } from "./controller.ts"
import { equal } from "./equal.ts"
import { controllerRef } from "./template.ts"

export interface ControllerRevision extends KubeObject {
  readonly data: { readonly spec: { readonly template: PodTemplateSpec } }
  readonly revision: number
}

interface Templated extends KubeObject {
  readonly spec: {
    readonly selector: LabelSelector
    readonly template: PodTemplateSpec
    readonly revisionHistoryLimit?: number
  }
  readonly status?: { readonly collisionCount?: number }
}

export interface History {
  /** The lowest revision first; the last one has the template as it is now. */
  readonly revisions: ReadonlyArray<ControllerRevision>
  readonly newest: ControllerRevision
  readonly collisionCount: number
  readonly changes: Array<Change>
}

const HISTORY_LIMIT = 10

/** `hashLabel` is the label that a revision's hash goes by. */
export function historyOf(owner: Templated, hashLabel: string, view: View): History {
  const { objects, changes } = claim<ControllerRevision>(
    owner, "ControllerRevision", owner.spec.selector, view, () => true
  )
  const revisions = objects.sort((a, b) =>
    a.revision - b.revision || (a.metadata.name! < b.metadata.name! ? -1 : 1))
  const { template } = owner.spec
  const collisionCount = owner.status?.collisionCount ?? 0
  const last = revisions.at(-1)
  const same = revisions.findLast(({ data }) => equal(data.spec.template, template))
  if (same !== undefined && same === last) return { revisions, newest: same, collisionCount, changes }
  const number = (last?.revision ?? 0) + 1
  if (same !== undefined) {
    const newest = { ...same, revision: number }
    changes.push({ _tag: "Update", object: newest })
    return {
      revisions: [...revisions.filter((revision) => revision !== same), newest], newest, collisionCount,
      changes
    }
  }
  const [newest, collisions] = made(owner, hashLabel, number, collisionCount, view)
  changes.push({ _tag: "Create", object: newest })
  return { revisions: [...revisions, newest], newest, collisionCount: collisions, changes }
}

/** Those beyond the limit that nothing runs with. */
export function truncation(
  owner: Templated, { revisions, newest }: History, isLive: (revision: ControllerRevision) => boolean
): ReadonlyArray<Change> {
  const idle = revisions.filter((revision) => revision !== newest && !isLive(revision))
  const surplus = idle.length - (owner.spec.revisionHistoryLimit ?? HISTORY_LIMIT)
  return idle.slice(0, Math.max(0, surplus)).map(({ metadata }) => ({
    _tag: "Delete", ref: { kind: "ControllerRevision", namespace: metadata.namespace!, name: metadata.name! },
    graceSeconds: 0
  }))
}

/** A name that another template has already is hashed anew. */
function made(
  owner: Templated, hashLabel: string, revision: number, collisionCount: number, view: View
): readonly [ControllerRevision, number] {
  const { template } = owner.spec
  const namespace = owner.metadata.namespace!
  for (let collisions = collisionCount; ; collisions++) {
    const hash = templateHash(template, collisions)
    const name = `${owner.metadata.name!}-${hash}`
    if (view.get("ControllerRevision", namespace, name) !== null) continue
    const labels = { ...template.metadata.labels, [hashLabel]: hash }
    return [{
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: { name, namespace, labels, ownerReferences: [controllerRef(owner)] },
      data: { spec: { template } },
      revision
    }, collisions]
  }
}
