export { CaptureFolder } from "./files.ts"
export { type Manifests, type PodManifest, readManifests } from "./manifest.ts"
export { type Report, run, type RunOptions } from "./run.ts"
