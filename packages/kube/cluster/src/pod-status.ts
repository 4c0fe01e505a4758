/**
 * `status` of a pod as the kubelet writes it (kubelet/status, kubelet_pods.go: generateAPIPodStatus,
 * getPhase).
 */
import { type Pod, type PodStatus, timeText } from "@podwire/api"
import type { Ns } from "@podwire/engine"
import { format, type Ip } from "@podwire/wire/ip"
import type { Container, ContainerState } from "./container.ts"
import type { PodSandbox } from "./pod.ts"

type Phase = "Pending" | "Running" | "Succeeded" | "Failed"
type Condition = NonNullable<PodStatus["conditions"]>[number]

export function phaseOf(sandbox: PodSandbox): Phase {
  const { init, containers } = sandbox
  const policy = sandbox.pod.spec!.restartPolicy ?? "Always"
  if (init.some((container) => container.state._tag === "Terminated" && !container.succeeded)) return "Failed"
  if (!sandbox.initialized) return "Pending"
  if (containers.every((container) => container.state._tag === "Terminated") && policy !== "Always") {
    return containers.every((container) => container.succeeded) ? "Succeeded" : "Failed"
  }
  return "Running"
}

export function podStatus(
  sandbox: PodSandbox, hostIps: ReadonlyArray<Ip>, before: PodStatus | undefined, nowNs: Ns
): PodStatus {
  const phase = phaseOf(sandbox)
  const ready = phase === "Running" && !sandbox.stopping &&
    sandbox.containers.every((container) => container.running)
  const unready = sandbox.containers.filter((container) => !container.running)
    .map((container) => container.spec.name)
  const reason = ready
    ? undefined
    : phase === "Succeeded" ? "PodCompleted" : phase === "Failed" ? "PodFailed" : "ContainersNotReady"
  const message = ready || phase === "Succeeded" || phase === "Failed"
    ? undefined
    : `containers with unready status: [${unready.join(" ")}]`
  const condition = (type: string, holds: boolean, why?: string, text?: string): Condition =>
    transition(before, nowNs, {
      type, status: holds ? "True" : "False",
      ...why === undefined || holds ? {} : { reason: why },
      ...text === undefined || holds ? {} : { message: text }
    })
  const addresses = sandbox.ips.map(format)
  const unfinished = sandbox.init.filter((container) => !container.succeeded)
    .map((container) => container.spec.name)
  return {
    phase,
    conditions: [
      condition("PodReadyToStartContainers", !sandbox.stopping),
      condition("Initialized", sandbox.initialized, "ContainersNotInitialized",
        `containers with incomplete status: [${unfinished.join(" ")}]`),
      condition("Ready", ready, reason, message),
      condition("ContainersReady", ready, reason, message),
      before?.conditions?.find((other) => other.type === "PodScheduled") ?? condition("PodScheduled", true)
    ],
    hostIP: format(hostIps[0]!),
    hostIPs: hostIps.map((ip) => ({ ip: format(ip) })),
    ...addresses.length === 0 ? {} : { podIP: addresses[0]!, podIPs: addresses.map((ip) => ({ ip })) },
    startTime: timeText(sandbox.startNs),
    ...sandbox.init.length === 0
      ? {}
      : { initContainerStatuses: sandbox.init.map((container) => containerStatus(sandbox, container)) },
    containerStatuses: sandbox.containers.map((container) => containerStatus(sandbox, container)),
    qosClass: "BestEffort"
  }
}

/** A pod whose sandbox could not be made. */
export function waitingStatus(pod: Pod, hostIps: ReadonlyArray<Ip>, nowNs: Ns): PodStatus {
  const before = pod.status
  const names = pod.spec!.containers.map((container) => container.name)
  const message = `containers with unready status: [${names.join(" ")}]`
  const condition = (type: string, status: "True" | "False"): Condition =>
    transition(
      before, nowNs, { type, status, ...status === "True" ? {} : { reason: "ContainersNotReady", message } }
    )
  return {
    phase: "Pending",
    conditions: [
      condition("Initialized", "True"), condition("Ready", "False"), condition("ContainersReady", "False"),
      before?.conditions?.find((other) => other.type === "PodScheduled") ?? condition("PodScheduled", "True")
    ],
    hostIP: format(hostIps[0]!),
    hostIPs: hostIps.map((ip) => ({ ip: format(ip) })),
    containerStatuses: pod.spec!.containers.map((container) => ({
      name: container.name, image: container.image ?? "", imageID: "", ready: false, started: false,
      restartCount: 0,
      state: { waiting: { reason: "ContainerCreating" } }
    })),
    qosClass: "BestEffort"
  }
}

/** lastTransitionTime moves only when the status does. */
function transition(
  before: PodStatus | undefined, nowNs: Ns, condition: Omit<Condition, "lastTransitionTime">
): Condition {
  const former = before?.conditions?.find((other) => other.type === condition.type)
  const same = former !== undefined && former.status === condition.status
  return { ...condition, lastTransitionTime: same ? former.lastTransitionTime! : timeText(nowNs) }
}

function containerStatus(
  sandbox: PodSandbox, container: Container
): NonNullable<PodStatus["containerStatuses"]>[number] {
  const { spec, state, last } = container
  const id = `podwire://${sandbox.pod.metadata.uid}/${spec.name}`
  return {
    name: spec.name,
    image: spec.image ?? "",
    imageID: "",
    ready: container.policy === "Always" || !sandbox.init.includes(container) ? container.running
      : container.succeeded,
    started: container.running,
    restartCount: container.restarts,
    ...state._tag === "Waiting" && last === null ? {} : { containerID: id },
    state: stateOf(state, id),
    ...last === null ? {} : { lastState: stateOf(last, id) }
  }
}

function stateOf(state: ContainerState, containerID: string) {
  switch (state._tag) {
    case "Waiting":
      return { waiting: { reason: state.reason, ...state.message === "" ? {} : { message: state.message } } }
    case "Running":
      return { running: { startedAt: timeText(state.sinceNs) } }
    case "Terminated":
      return {
        terminated: {
          exitCode: state.exitCode, reason: state.reason,
          ...state.message === "" ? {} : { message: state.message },
          startedAt: timeText(state.startedNs), finishedAt: timeText(state.atNs), containerID
        }
      }
  }
}
