/** What every object of the API has, whatever its kind; the schemas say more of each. */

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface Meta {
  readonly name?: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: ReadonlyArray<OwnerReference>
}

export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Meta
  readonly spec?: unknown
  readonly status?: unknown
}

/** `namespace` is "" for what has none. */
export interface Ref {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/**
 * How the store names a kind: `Pod`, `Deployment`; with its group where that is not one of Kubernetes'
 * own (`VirtualService.networking.istio.io`), so that two CRDs may share a word.
 */
export function kindOf(object: { readonly apiVersion: string; readonly kind: string }): string {
  const slash = object.apiVersion.indexOf("/")
  const group = slash < 0 ? "" : object.apiVersion.slice(0, slash)
  return !group.includes(".") || group.endsWith(".k8s.io") ? object.kind : `${object.kind}.${group}`
}

export function refOf(object: KubeObject): Ref {
  return { kind: kindOf(object), namespace: object.metadata.namespace ?? "", name: object.metadata.name! }
}

/** `namespace/name`, or the name alone. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata
  return namespace === undefined ? name! : `${namespace}/${name}`
}

/** The owner that manages this object, if one does. */
export function controllerOf(object: KubeObject): OwnerReference | null {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true) ?? null
}

/** Lists are printed and compared by namespace, then name. */
export function byName(a: KubeObject, b: KubeObject): number {
  const x = a.metadata
  const y = b.metadata
  const [p, q] = x.namespace === y.namespace ? [x.name!, y.name!] : [x.namespace ?? "", y.namespace ?? ""]
  return p < q ? -1 : p > q ? 1 : 0
}
