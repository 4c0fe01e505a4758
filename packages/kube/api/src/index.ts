export { type EventHandler, Informer } from "./informer.ts"
export { byName, controllerOf, keyOf, kindOf, type KubeObject, type Meta, type OwnerReference, type Ref, refOf } from "./object.ts"
export { ApiError, type ApiReason, ApiStore, type EventType, type WatchEvent, type WriteObserver } from "./store.ts"
export { ageText, EPOCH_SECONDS, timeNs, timeText } from "./time.ts"
