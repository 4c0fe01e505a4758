export { type Allocation, HostLocal, type RangeSet } from "./ipam/host-local.ts"
export { type LeaseStore, MemoryStore } from "./ipam/lease-store.ts"
export { canonicalize, formatSet, type Range, type RangeConfig } from "./ipam/range.ts"
