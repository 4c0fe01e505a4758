/** What the plan says runs in a container, by the pod's name or by the name of what manages it. */
import { controllerOf, type Pod } from "@podwire/api"
import type { ProgramOverride } from "./pod.ts"
import type { ProgramPlan } from "./plan.ts"

export function programOverride(programs: ReadonlyArray<ProgramPlan>): ProgramOverride {
  if (programs.length === 0) return () => null
  return (pod, container) =>
    programs.find((program) =>
      program.namespace === pod.metadata.namespace &&
        (program.container === null || program.container === container) &&
      managedBy(pod, program.pod)
    )?.argv ?? null
}

/** The pod itself, its ReplicaSet, StatefulSet, …, or the Deployment that its ReplicaSet is named after. */
function managedBy(pod: Pod, name: string): boolean {
  const owner = controllerOf(pod)
  if (pod.metadata.name === name || owner?.name === name) return true
  const hash = pod.metadata.labels?.["pod-template-hash"]
  return owner?.kind === "ReplicaSet" && hash !== undefined && owner.name === `${name}-${hash}`
}
