/**
 * Pods from a template. Everything of the template is shared, never copied: ten thousand pods of one
 * ReplicaSet have one spec.
 */
import type { KubeObject } from "@podwire/api"
import type { OwnerReference } from "@podwire/api/schema/meta"
import type { Pod, PodSpec, PodTemplateSpec } from "@podwire/api/schema/pod"
import type { PodStatus } from "@podwire/api/schema/pod-status"

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
  return { phase: "Pending", qosClass: qosClass(spec) }
}

/** apis/core/v1/helper/qos, ComputePodQOS; only cpu and memory count. */
function qosClass(spec: PodSpec): string {
  const containers = [...spec.initContainers ?? [], ...spec.containers]
  const set = (of: Readonly<Record<string, number | string>> | undefined) =>
    ["cpu", "memory"].filter((name) => of?.[name] !== undefined && Number.parseFloat(String(of[name])) !== 0)
  if (containers.every(({ resources }) => set(resources?.requests).length + set(resources?.limits).length === 0)) {
    return "BestEffort"
  }
  const guaranteed = containers.every(({ resources }) => set(resources?.limits).length === 2 &&
    set(resources?.requests).every((name) =>
      String(resources!.requests![name]) === String(resources!.limits![name])))
  return guaranteed ? "Guaranteed" : "Burstable"
}
