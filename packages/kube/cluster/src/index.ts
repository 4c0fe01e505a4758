export { Capture, type CaptureFormat, type CaptureOptions } from "./capture.ts"
export { Cluster, type FaultSpec, type Machine, type Observer } from "./cluster.ts"
export { Container, type ContainerState } from "./container.ts"
export type { LoggedEvent } from "./event-log.ts"
export { ExternalHost } from "./external-host.ts"
export { dropReasonName } from "@podwire/netdev"
export { FrameLog, type LoggedFrame } from "./frame-log.ts"
export { FrameWatch, type PacketType, type WatchedFrame } from "./frame-watch.ts"
export { inspect } from "./inspect/inspect.ts"
export type { Host, Piece, Process } from "@podwire/workload"
export { Finished, findProgram, PROGRAMS } from "@podwire/workload"
export { EXEC_NS_MAX, SETTLE_NS_MAX, SLICE_STEPS } from "./limits.ts"
export { NodeHost } from "./node.ts"
export {
  checkPlan, DEFAULT_POD_CIDRS, DEFAULT_SERVICE_CIDRS, DEFAULT_UNDERLAY, type HostPlan, type LinkPlan,
  makePlan, nodeNames,
  type NodePlan, type Plan, type PlanIssue, type ProgramPlan
} from "./plan.ts"
export { type PortClash, PodSandbox } from "./pod.ts"
export { type Reach, reach, type ReachCell } from "./reach.ts"
