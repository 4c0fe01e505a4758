/** Conditions of a Deployment while one look decides them (deployment/util, SetDeploymentCondition). */
import { timeText } from "@podwire/api"
import type { DeploymentCondition } from "@podwire/api/schema/deployment"
import type { Ns } from "@podwire/engine"

export class Conditions {
  list: ReadonlyArray<DeploymentCondition>
  readonly #now: string

  constructor(list: ReadonlyArray<DeploymentCondition>, nowNs: Ns) {
    this.list = list
    this.#now = timeText(nowNs)
  }

  get(type: string): DeploymentCondition | undefined {
    return this.list.find((condition) => condition.type === type)
  }

  /** Same status and reason: nothing new, whatever the message. Same status: no transition. */
  set(type: string, status: string, reason: string, message: string): void {
    const before = this.get(type)
    if (before?.status === status && before.reason === reason) return
    this.renew(type, status, reason, message)
  }

  /** Notes the time even when nothing but progress was made. */
  renew(type: string, status: string, reason: string, message: string): void {
    const before = this.get(type)
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime ?? this.#now : this.#now
    this.remove(type)
    this.list = [
      ...this.list, { type, status, lastUpdateTime: this.#now, lastTransitionTime, reason, message }
    ]
  }

  remove(type: string): void {
    if (this.get(type) !== undefined) this.list = this.list.filter((condition) => condition.type !== type)
  }
}
