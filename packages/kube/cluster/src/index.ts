export { Capture, type CaptureOptions } from "./capture.ts"
export { Cluster } from "./cluster.ts"
export { Container, type ContainerState } from "./container.ts"
export type { LoggedEvent } from "./event-log.ts"
export { ExternalHost } from "./external-host.ts"
export { LinkFault } from "./fault.ts"
export { EXEC_NS_MAX, SETTLE_NS_MAX, SLICE_STEPS } from "./limits.ts"
export { NodeHost } from "./node.ts"
export {
  checkPlan, DEFAULT_POD_CIDRS, DEFAULT_SERVICE_CIDRS, DEFAULT_UNDERLAY, type HostPlan, type LinkPlan, makePlan, nodeNames,
  type NodePlan, type Plan, type PlanIssue, type ProgramPlan
} from "./plan.ts"
export { type PortClash, PodSandbox } from "./pod.ts"
export { reach, type ReachCell } from "./reach.ts"
