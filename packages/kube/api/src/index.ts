export { EVERY_KIND, type EventHandler, Informer } from "./informer.ts"
export {
  byName, controllerOf, keyOf, kindOf, type KubeObject, type Meta, type OwnerReference, type Ref, refOf
} from "./object.ts"
export {
  ApiError, type ApiReason, ApiStore, type EventType, type WatchEvent, type WriteObserver
} from "./store.ts"
export { ageText, EPOCH_SECONDS, timeNs, timeText } from "./time.ts"
export {
  apiVersionOf, type Kind, kindIn, kindOfObject, KINDS, kindsIn, lookup, notModelled, resourceOf, unknownWord
} from "./kinds.ts"
export { fieldPath, nearest, type Path, type Problem, problemText } from "./problem.ts"
export type { DaemonSet } from "./schema/daemon-set.ts"
export type { Deployment } from "./schema/deployment.ts"
export type { Job } from "./schema/job.ts"
export type { Namespace } from "./schema/namespace.ts"
export type { Node } from "./schema/node.ts"
export type { Container, ContainerPort, Probe } from "./schema/container.ts"
export type { Pod, PodSpec, PodTemplateSpec } from "./schema/pod.ts"
export type { ContainerStatus, PodStatus } from "./schema/pod-status.ts"
export type { ReplicaSet } from "./schema/replica-set.ts"
export type { Taint, Toleration } from "./schema/scheduling.ts"
export type { StatefulSet } from "./schema/stateful-set.ts"
export { is, isTyped, type KindName, type KindTypes } from "./typed.ts"
export { decode, type Decoded, items } from "./decode.ts"
export { admit, admitUpdate } from "./admit.ts"
export { imageTag, withDefaults } from "./defaults.ts"
export { canonical, generateName, safeEncode, suffix, templateHash } from "./name.ts"
export { matchesNode, matchesTerm, matchesTerms, tolerates, untolerated } from "./placement.ts"
export { prepareForCreate, qosClass, withJobSelector } from "./prepare.ts"
export * as quantity from "./quantity.ts"
export {
  badSelector, type FieldQuery, type LabelQuery, matchesFields, matchesQuery, parseFieldQuery, parseLabelQuery
} from "./query.ts"
export { type Labels, matchesLabels } from "./selector.ts"
export { invalidText, type Refusal, refusalText, resourceName } from "./status.ts"
export { validate, validateUpdate } from "./validate.ts"
export { threeWayMerge } from "./apply.ts"
