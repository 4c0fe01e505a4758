/**
 * The line of a pod (printPod): ready containers, the most telling reason, restarts and when the last one
 * was.
 */
import { type ContainerStatus, type Pod, type PodStatus, timeNs } from "@podwire/api"
import { age, printer, since, type View } from "./columns.ts"

interface Summary {
  readonly ready: number
  readonly total: number
  readonly reason: string
  readonly restarts: number
  readonly lastRestart: string | undefined
}

const NONE = "<none>"

export const pods = printer<Pod>(
  "Name,Ready,Status,Restarts,Age|IP,Node,Nominated Node,Readiness Gates",
  (pod, view) => {
    const { ready, total, reason } = summary(pod)
    const { status, spec } = pod
    const or = (text: string | undefined) => (text === undefined || text === "" ? NONE : text)
    return [
      pod.metadata.name!, `${ready}/${total}`, reason, restartsText(pod, view), age(pod, view),
      or(status?.podIPs?.[0]?.ip), or(spec?.nodeName), or(status?.nominatedNodeName), gates(pod)
    ]
  }
)

/** READY's two numbers, STATUS and RESTARTS. */
export function summary(pod: Pod): Summary {
  const { status } = pod
  const init = initializing(pod)
  const sidecars = (pod.spec?.initContainers ?? [])
    .filter((container) => container.restartPolicy === "Always").length
  const total = (pod.spec?.containers.length ?? 0) + sidecars
  let { reason, restarts, ready, ended } = init
  if (!init.busy || hasTrue(status, "Initialized")) {
    ;({ restarts, ended } = init.sidecars)
    let running = false
    for (const container of [...status?.containerStatuses ?? []].reverse()) {
      restarts += container.restartCount
      ended = later(ended, container)
      const { waiting, terminated } = container.state ?? {}
      if ((waiting?.reason ?? "") !== "") reason = waiting!.reason!
      else if (terminated !== undefined) reason = endText(terminated)
      else if (container.ready && container.state?.running !== undefined) {
        running = true
        ready++
      }
    }
    if (reason === "Completed" && running) reason = hasTrue(status, "Ready") ? "Running" : "NotReady"
  }
  const over = status?.phase === "Succeeded" || status?.phase === "Failed"
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status?.reason === "NodeLost") reason = "Unknown"
    else if (!over) reason = "Terminating"
  }
  return { ready, total, reason, restarts, lastRestart: ended }
}

function initializing({ spec, status }: Pod) {
  const gated = status?.conditions?.some((condition) =>
    condition.type === "PodScheduled" && condition.reason === "SchedulingGated")
  let reason = gated === true ? "SchedulingGated" : status?.reason ?? status?.phase ?? ""
  let restarts = 0
  let ready = 0
  let busy = false
  let ended: string | undefined
  const sidecars: { restarts: number; ended: string | undefined } = { restarts: 0, ended: undefined }
  const all = status?.initContainerStatuses ?? []
  for (const [i, container] of all.entries()) {
    const sidecar = spec?.initContainers?.find(
      ({ name }) => name === container.name
    )?.restartPolicy === "Always"
    restarts += container.restartCount
    ended = later(ended, container)
    if (sidecar) {
      sidecars.restarts += container.restartCount
      sidecars.ended = later(sidecars.ended, container)
    }
    const { terminated, waiting } = container.state ?? {}
    if (terminated?.exitCode === 0) continue
    if (sidecar && container.started === true) {
      if (container.ready) ready++
      continue
    }
    busy = true
    if (terminated !== undefined) reason = `Init:${endText(terminated)}`
    else if ((waiting?.reason ?? "") !== "" && waiting!.reason !== "PodInitializing") reason = `Init:${waiting!.reason}`
    else reason = `Init:${i}/${spec?.initContainers?.length ?? all.length}`
    break
  }
  return { reason, restarts, ready, busy, ended, sidecars }
}

function endText(
  { reason, signal, exitCode }: {
    readonly reason?: string; readonly signal?: number; readonly exitCode: number
  }
): string {
  if (reason !== undefined && reason !== "") return reason
  return signal === undefined || signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`
}

function later(ended: string | undefined, { lastState }: ContainerStatus): string | undefined {
  const at = lastState?.terminated?.finishedAt
  if (at === undefined) return ended
  return ended === undefined || (timeNs(ended) ?? 0) < (timeNs(at) ?? 0) ? at : ended
}

function hasTrue(status: PodStatus | undefined, type: string): boolean {
  return status?.conditions?.some((condition) =>
    condition.type === type && condition.status === "True") === true
}

function restartsText(pod: Pod, view: View): string {
  const { restarts, lastRestart } = summary(pod)
  return restarts === 0 || lastRestart === undefined ? String(restarts)
    : `${restarts} (${since(lastRestart, view)} ago)`
}

function gates({ spec, status }: Pod): string {
  const wanted = (
    spec as { readonly readinessGates?: ReadonlyArray<{ readonly conditionType: string }> } | undefined
  )?.readinessGates ?? []
  if (wanted.length === 0) return NONE
  return `${wanted.filter(({ conditionType }) => hasTrue(status, conditionType)).length}/${wanted.length}`
}
