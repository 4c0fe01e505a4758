/** The schema of each kind whose fields are known here, and its type by name. */
import type * as Schema from "effect/Schema"
import type { KubeObject } from "./object.ts"
import { ConfigMap, Secret, ServiceAccount } from "./schema/config.ts"
import { CronJob } from "./schema/cron-job.ts"
import { DaemonSet } from "./schema/daemon-set.ts"
import { Deployment } from "./schema/deployment.ts"
import { EndpointSlice } from "./schema/endpoint-slice.ts"
import { Endpoints } from "./schema/endpoints.ts"
import { HorizontalPodAutoscaler } from "./schema/horizontal-pod-autoscaler.ts"
import { Ingress, IngressClass } from "./schema/ingress.ts"
import { Job } from "./schema/job.ts"
import { Namespace } from "./schema/namespace.ts"
import { NetworkPolicy } from "./schema/network-policy.ts"
import { Node } from "./schema/node.ts"
import { Pod } from "./schema/pod.ts"
import { ReplicaSet } from "./schema/replica-set.ts"
import { Service } from "./schema/service.ts"
import { StatefulSet } from "./schema/stateful-set.ts"
import { PersistentVolumeClaim } from "./schema/volume-claim.ts"

export interface KindTypes {
  readonly Pod: Pod
  readonly Namespace: Namespace
  readonly Node: Node
  readonly Service: Service
  readonly Endpoints: Endpoints
  readonly ConfigMap: ConfigMap
  readonly Secret: Secret
  readonly ServiceAccount: ServiceAccount
  readonly PersistentVolumeClaim: PersistentVolumeClaim
  readonly Deployment: Deployment
  readonly ReplicaSet: ReplicaSet
  readonly StatefulSet: StatefulSet
  readonly DaemonSet: DaemonSet
  readonly Job: Job
  readonly CronJob: CronJob
  readonly HorizontalPodAutoscaler: HorizontalPodAutoscaler
  readonly EndpointSlice: EndpointSlice
  readonly Ingress: Ingress
  readonly IngressClass: IngressClass
  readonly NetworkPolicy: NetworkPolicy
}

export type KindName = keyof KindTypes

export const SCHEMAS: { readonly [K in KindName]: Schema.Codec<KindTypes[K], unknown> } = {
  Pod, Namespace, Node, Service, Endpoints, ConfigMap, Secret, ServiceAccount, PersistentVolumeClaim,
  Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob, HorizontalPodAutoscaler, EndpointSlice,
  Ingress, IngressClass, NetworkPolicy
}

export function isTyped(kind: string): kind is KindName {
  return Object.hasOwn(SCHEMAS, kind)
}

/** Narrows an object that has been decoded or made here; its group is taken to be Kubernetes' own. */
export function is<K extends KindName>(kind: K, object: KubeObject): object is KindTypes[K] & KubeObject {
  return object.kind === kind
}
