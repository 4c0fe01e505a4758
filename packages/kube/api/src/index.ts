export { admit, admitUpdate } from "./admit.ts"
export { threeWayMerge } from "./apply.ts"
export { decode, items } from "./decode.ts"
export { imageTag, withDefaults } from "./defaults.ts"
export { EVERY_KIND, Informer } from "./informer.ts"
export {
  apiVersionOf, type Kind, kindIn, kindOfObject, KINDS, kindsIn, lookup, notModelled, resourceOf,
  unknownWord
} from "./kinds.ts"
export { templateHash } from "./name.ts"
export {
  byName, controllerOf, keyOf, kindOf, type KubeObject, type Meta, type OwnerReference, type Ref,
  refOf
} from "./object.ts"
export { matchesNode, matchesTerms, tolerates, untolerated } from "./placement.ts"
export { prepareForCreate, qosClass, withJobSelector } from "./prepare.ts"
export { fieldPath, nearest, type Path, type Problem, problemText } from "./problem.ts"
export * as quantity from "./quantity.ts"
export {
  badSelector, matchesFields, matchesQuery, parseFieldQuery, parseLabelQuery
} from "./query.ts"
export type { Container, Probe } from "./schema/container.ts"
export type { DaemonSet } from "./schema/daemon-set.ts"
export type { Deployment } from "./schema/deployment.ts"
export type { Job } from "./schema/job.ts"
export type { Namespace } from "./schema/namespace.ts"
export type { Node } from "./schema/node.ts"
export type { ContainerStatus, PodStatus } from "./schema/pod-status.ts"
export type { Pod, PodSpec, PodTemplateSpec } from "./schema/pod.ts"
export type { ReplicaSet } from "./schema/replica-set.ts"
export type { Taint, Toleration } from "./schema/scheduling.ts"
export type { StatefulSet } from "./schema/stateful-set.ts"
export { type Labels, matchesLabels } from "./selector.ts"
export { invalidText, refusalText } from "./status.ts"
export { ApiError, ApiStore, type WatchEvent } from "./store.ts"
export { ageText, EPOCH_SECONDS, timeNs, timeText } from "./time.ts"
export { is, type KindTypes } from "./typed.ts"
export { validate } from "./validate.ts"
