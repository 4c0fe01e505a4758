/** STATUS, READY and RESTARTS of `kubectl get pods` (kubernetes/pkg/printers/internalversion, printPod). */
import type { Pod } from "@podwire/api"

export function podState(pod: Pod): string {
  const { status } = pod
  if (pod.metadata.deletionTimestamp !== undefined) return "Terminating"
  for (const [i, container] of (status?.initContainerStatuses ?? []).entries()) {
    const { terminated, waiting } = container.state ?? {}
    if (terminated !== undefined && terminated.exitCode === 0) continue
    if (container.started === true) continue
    if (terminated !== undefined) return `Init:${terminated.reason ?? `ExitCode:${terminated.exitCode}`}`
    if (waiting?.reason !== undefined && waiting.reason !== "PodInitializing" &&
      waiting.reason !== "ContainerCreating") {
      return `Init:${waiting.reason}`
    }
    return `Init:${i}/${status!.initContainerStatuses!.length}`
  }
  let reason = status?.reason ?? status?.phase ?? "Pending"
  let running = false
  for (const container of [...status?.containerStatuses ?? []].reverse()) {
    const { terminated, waiting } = container.state ?? {}
    if (waiting?.reason !== undefined) reason = waiting.reason
    else if (terminated !== undefined) reason = terminated.reason ?? `ExitCode:${terminated.exitCode}`
    else if (container.ready) running = true
  }
  if (reason === "Completed" && running) {
    return status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ? "Running" : "NotReady"
  }
  return reason
}
