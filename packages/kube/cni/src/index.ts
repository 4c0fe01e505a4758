export {
  decodeNetwork, LOOPBACK_NETWORK, type NetworkConfig, type NotModelled, type PluginConfig
} from "./config.ts"
export { chooseConfig, type ChosenConfig, type ConfigFile } from "./config-dir.ts"
export { formatPath, formatProblem, type Path, type Problem } from "./decode.ts"
export { CniError, ErrorCode } from "./error.ts"
export { type Allocation, type Attachment, HostLocal } from "./ipam/host-local.ts"
export { formatLeases, type Lease, type LeaseStore, MemoryStore } from "./ipam/lease-store.ts"
export { canonicalize, formatSet, type Range, type RangeConfig, type RangeSet } from "./ipam/range.ts"
export type { Stores } from "./plugin.ts"
export { type Output, runPlugin } from "./protocol.ts"
export {
  type Dns, type Interface, type IpConfig, type Result, resultJson, type ResultRoute
} from "./result.ts"
export {
  type AddArgs, type CachedAttachment, CniRuntime, type DelArgs, MemoryStores, type RuntimeOptions
} from "./runtime.ts"
