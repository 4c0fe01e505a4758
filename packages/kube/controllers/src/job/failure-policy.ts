/**
 * What a failed pod means (pkg/controller/job/pod_failure_policy.go): the first rule that matches decides.
 */
import type { Job } from "@podwire/api/schema/job"
import type { Pod } from "@podwire/api/schema/pod"

export interface Verdict {
  /** Count, Ignore, FailJob; FailIndex counts. */
  readonly action: string
  readonly message: string
}

type Rule = NonNullable<Job["spec"]["podFailurePolicy"]>["rules"][number]

const COUNT: Verdict = { action: "Count", message: "" }

export function judge(job: Job, pod: Pod): Verdict {
  for (const [index, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const message = exitMessage(rule, index, pod) ?? conditionMessage(rule, index, pod)
    if (message !== null) return { action: rule.action, message }
  }
  return COUNT
}

function exitMessage({ action, onExitCodes }: Rule, index: number, pod: Pod): string | null {
  if (onExitCodes === undefined) return null
  const { containerName = "", operator, values } = onExitCodes
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {}
  for (const { name, state } of [...initContainerStatuses, ...containerStatuses]) {
    const code = state?.terminated?.exitCode ?? 0
    if (code === 0 || (containerName !== "" && containerName !== name)) continue
    if (values.includes(code) !== (operator === "In")) continue
    return `Container ${name} for pod ${nameOf(pod)} failed with exit code ${code} ` +
      `matching ${action} rule at index ${index}`
  }
  return null
}

function conditionMessage({ action, onPodConditions }: Rule, index: number, pod: Pod): string | null {
  for (const { type, status = "True" } of onPodConditions ?? []) {
    const holds = pod.status?.conditions?.some((its) => its.type === type && its.status === status) ?? false
    if (!holds) continue
    return `Pod ${nameOf(pod)} has condition ${type} matching ${action} rule at index ${index}`
  }
  return null
}

function nameOf({ metadata }: Pod): string {
  return `${metadata.namespace!}/${metadata.name!}`
}
