import type { KubeObject } from "@podwire/api"

/** `deployment.apps/web`, as kubectl's `-o name` has it. */
export function nameOf(object: KubeObject): string {
  const group = object.apiVersion.includes("/") ? `.${object.apiVersion.split("/")[0]}` : ""
  return `${object.kind.toLowerCase()}${group}/${object.metadata.name}`
}
