/** Which controllers run, with what the plan says of the cluster. */
import type { Controller } from "@podwire/controllers"
import type { Plan } from "./plan.ts"

export function controllersFor(_plan: Plan): ReadonlyArray<Controller> {
  return []
}
