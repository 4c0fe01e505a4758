/**
 * Pods from a template. Everything of the template is shared, never copied: ten thousand pods of one
 * ReplicaSet have one spec.
 */
import { type KubeObject, qosClass } from "@podwire/api"
import type { OwnerReference } from "@podwire/api/schema/meta"
import type { Pod, PodSpec, PodTemplateSpec } from "@podwire/api/schema/pod"
import type { PodStatus } from "@podwire/api/schema/pod-status"

/** Pods of one template have one class: it is worked out once. */
const QOS_CLASSES = new WeakMap<PodSpec, ReturnType<typeof qosClass>>()

export function controllerRef(owner: KubeObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner
  return {
    apiVersion, kind, name: metadata.name!, uid: metadata.uid!, controller: true, blockOwnerDeletion: true
  }
}

/** With a name that the server makes up; `name` replaces it for who has names of its own. */
export function podOf(owner: KubeObject, template: PodTemplateSpec): Pod {
  const { labels, annotations } = template.metadata
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${owner.metadata.name!}-`,
      namespace: owner.metadata.namespace!,
      ...labels === undefined ? {} : { labels },
      ...annotations === undefined ? {} : { annotations },
      ownerReferences: [controllerRef(owner)]
    },
    spec: template.spec,
    status: newStatus(template.spec)
  }
}

/** What the server gives every new pod (registry/core/pod/strategy.go, PrepareForCreate). */
export function newStatus(spec: PodSpec): PodStatus {
  let known = QOS_CLASSES.get(spec)
  if (known === undefined) {
    known = qosClass(spec)
    QOS_CLASSES.set(spec, known)
  }
  return { phase: "Pending", qosClass: known }
}
