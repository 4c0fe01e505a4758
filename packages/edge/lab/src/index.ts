export { CaptureFolder } from "./captures/folder.ts"
export { type Manifests, type PodManifest, readManifests } from "./manifest.ts"
export { type Report, run, type RunOptions } from "./run.ts"
