/** The numbers that keep a run bounded, each with its reason. */
import { SECOND } from "@podwire/engine"

/** Kubernetes' own supported maximum (large clusters page): 5,000 nodes. */
export const NODES_MAX = 5_000
/** The same page: 110 pods a node by default, 150,000 in all. */
export const PODS_PER_NODE_MAX = 110
/** One slice of `advance`; between slices the edge may interrupt, paint or flush. */
export const SLICE_STEPS = 65_536
/** A cluster that has not come to rest after this much virtual time never will. */
export const SETTLE_NS_MAX = 600 * SECOND
/** How far `settle` looks between two questions whether it is over. */
export const SETTLE_STEPS = 4_096
/** An `exec` without a limit of its own ends here, as a CI job would. */
export const EXEC_NS_MAX = 3_600 * SECOND
/** Restart back-off of the kubelet: 10 s, doubled up to 5 minutes, reset after 10 minutes of running. */
export const BACKOFF_NS_MIN = 10 * SECOND
export const BACKOFF_NS_MAX = 300 * SECOND
/** The API server keeps events for an hour; a run keeps the last so many. */
export const EVENTS_MAX = 10_000
/** What a run remembers of its frames when nobody writes them to a file. */
export const FRAME_LOG_BYTES_MAX = 256 * 1024 * 1024
/** Echo requests that a reachability matrix sends; 70 pods on dual stack stay below it. */
export const REACH_PROBES_MAX = 10_000
