/**
 * Everything that the API server would refuse in an object, in its words (pkg/apis/core, apps and batch,
 * validation). Expects defaults to be set (`defaults.ts`), as the server does. Kinds that are only stored
 * are checked in their metadata; a Service also in its basics.
 * Paths are those of the document; where the server shortens one (`template.labels`), ours is longer.
 */
import { kindOfObject } from "./kinds.ts"
import type { KubeObject } from "./object.ts"
import type { Problem } from "./problem.ts"
import { is } from "./typed.ts"
import { Field } from "./validate/field.ts"
import { validateMeta } from "./validate/meta.ts"
import { validateNode } from "./validate/node.ts"
import { validatePod } from "./validate/pod.ts"
import { validateService } from "./validate/service.ts"
import { validateImmutable } from "./validate/update.ts"
import {
  validateDaemonSet, validateDeployment, validateJob, validateReplicaSet, validateStatefulSet
} from "./validate/workload.ts"

export function validate(object: KubeObject): ReadonlyArray<Problem> {
  const problems: Array<Problem> = []
  const root = new Field(problems)
  const kind = kindOfObject(object)
  validateMeta(object.metadata, kind, root.child("metadata"))
  if (kind === null) return problems
  if (is("Pod", object)) validatePod(object, root)
  else if (is("Deployment", object)) validateDeployment(object, root)
  else if (is("ReplicaSet", object)) validateReplicaSet(object, root)
  else if (is("StatefulSet", object)) validateStatefulSet(object, root)
  else if (is("DaemonSet", object)) validateDaemonSet(object, root)
  else if (is("Job", object)) validateJob(object, root)
  else if (is("Node", object)) validateNode(object, root)
  else if (is("Service", object)) validateService(object, root)
  return problems
}

/** The new object by itself, and what it may not change. */
export function validateUpdate(before: KubeObject, after: KubeObject): ReadonlyArray<Problem> {
  const problems = [...validate(after)]
  validateImmutable(before, after, new Field(problems))
  return problems
}
