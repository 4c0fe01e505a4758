export { DiskStore } from "./disk-store.ts"
export { runCniPlugin } from "./plugin.ts"
