/** Events as controllers record them. */
import { type KubeObject, refOf } from "@podwire/api"
import type { ObjectEvent } from "./controller.ts"

/** On the owner, once a dependent has been made: `Created pod: web-x2v7q`. */
export function created(owner: KubeObject): (written: KubeObject) => ObjectEvent {
  return (written) => normal(owner, "SuccessfulCreate", `Created pod: ${written.metadata.name!}`)
}

export function deleted(owner: KubeObject): (written: KubeObject) => ObjectEvent {
  return (written) => normal(owner, "SuccessfulDelete", `Deleted pod: ${written.metadata.name!}`)
}

export function normal(about: KubeObject, reason: string, message: string): ObjectEvent {
  return { about: refOf(about), type: "Normal", reason, message }
}

export function warning(about: KubeObject, reason: string, message: string): ObjectEvent {
  return { about: refOf(about), type: "Warning", reason, message }
}
