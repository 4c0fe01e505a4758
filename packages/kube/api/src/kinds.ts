/**
 * The kinds that a Kubernetes 1.36 cluster knows before anybody adds one, with the words that kubectl takes
 * for them and what becomes of them here. "carried out": the cluster acts on it. "stored": kept, listed and
 * said, and the network is as if it were not there.
 * Not supported: kinds that are only requests (Binding, TokenReview, SubjectAccessReview, Eviction),
 * ComponentStatus, and alpha and beta versions: what they offer is stored under the stable version or
 * refused.
 */
import { nearest } from "./problem.ts"

export interface Kind {
  readonly kind: string
  /** "" for core. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: ReadonlyArray<string>
  readonly namespaced: boolean
  readonly categories: ReadonlyArray<string>
  readonly modelled: "carried out" | "stored"
}

const CORE = ""
const RBAC = "rbac.authorization.k8s.io"
const ADMISSION = "admissionregistration.k8s.io"
const NETWORKING = "networking.k8s.io"
const STORAGE = "storage.k8s.io"
const FLOW = "flowcontrol.apiserver.k8s.io"
const RESOURCE = "resource.k8s.io"

/** kind, group, plural, short names, then flags: n(amespaced), a(ll), c(arried out). */
type Row = readonly [
  kind: string, group: string, plural: string, shortNames: string, flags: string, version?: string
]

const ROWS: ReadonlyArray<Row> = [
  ["Pod", CORE, "pods", "po", "nac"],
  ["Namespace", CORE, "namespaces", "ns", "c"],
  ["Node", CORE, "nodes", "no", "c"],
  ["Service", CORE, "services", "svc", "na"],
  ["Endpoints", CORE, "endpoints", "ep", "n"],
  ["ConfigMap", CORE, "configmaps", "cm", "n"],
  ["Secret", CORE, "secrets", "", "n"],
  ["ServiceAccount", CORE, "serviceaccounts", "sa", "n"],
  ["PersistentVolumeClaim", CORE, "persistentvolumeclaims", "pvc", "n"],
  ["PersistentVolume", CORE, "persistentvolumes", "pv", ""],
  ["Event", CORE, "events", "ev", "n"],
  ["LimitRange", CORE, "limitranges", "limits", "n"],
  ["PodTemplate", CORE, "podtemplates", "", "n"],
  ["ReplicationController", CORE, "replicationcontrollers", "rc", "na"],
  ["ResourceQuota", CORE, "resourcequotas", "quota", "n"],
  ["Deployment", "apps", "deployments", "deploy", "nac"],
  ["ReplicaSet", "apps", "replicasets", "rs", "nac"],
  ["StatefulSet", "apps", "statefulsets", "sts", "nac"],
  ["DaemonSet", "apps", "daemonsets", "ds", "nac"],
  ["ControllerRevision", "apps", "controllerrevisions", "", "n"],
  ["Job", "batch", "jobs", "", "nac"],
  ["CronJob", "batch", "cronjobs", "cj", "na"],
  ["HorizontalPodAutoscaler", "autoscaling", "horizontalpodautoscalers", "hpa", "na", "v2"],
  ["EndpointSlice", "discovery.k8s.io", "endpointslices", "", "n"],
  ["Ingress", NETWORKING, "ingresses", "ing", "n"],
  ["IngressClass", NETWORKING, "ingressclasses", "", ""],
  ["NetworkPolicy", NETWORKING, "networkpolicies", "netpol", "n"],
  ["IPAddress", NETWORKING, "ipaddresses", "ip", ""],
  ["ServiceCIDR", NETWORKING, "servicecidrs", "", ""],
  ["PodDisruptionBudget", "policy", "poddisruptionbudgets", "pdb", "n"],
  ["Role", RBAC, "roles", "", "n"],
  ["RoleBinding", RBAC, "rolebindings", "", "n"],
  ["ClusterRole", RBAC, "clusterroles", "", ""],
  ["ClusterRoleBinding", RBAC, "clusterrolebindings", "", ""],
  ["CustomResourceDefinition", "apiextensions.k8s.io", "customresourcedefinitions", "crd crds", ""],
  ["APIService", "apiregistration.k8s.io", "apiservices", "", ""],
  ["MutatingWebhookConfiguration", ADMISSION, "mutatingwebhookconfigurations", "", ""],
  ["ValidatingWebhookConfiguration", ADMISSION, "validatingwebhookconfigurations", "", ""],
  ["ValidatingAdmissionPolicy", ADMISSION, "validatingadmissionpolicies", "", ""],
  ["ValidatingAdmissionPolicyBinding", ADMISSION, "validatingadmissionpolicybindings", "", ""],
  ["MutatingAdmissionPolicy", ADMISSION, "mutatingadmissionpolicies", "", ""],
  ["MutatingAdmissionPolicyBinding", ADMISSION, "mutatingadmissionpolicybindings", "", ""],
  ["CertificateSigningRequest", "certificates.k8s.io", "certificatesigningrequests", "csr", ""],
  ["Lease", "coordination.k8s.io", "leases", "", "n"],
  ["Event", "events.k8s.io", "events", "ev", "n"],
  ["FlowSchema", FLOW, "flowschemas", "", ""],
  ["PriorityLevelConfiguration", FLOW, "prioritylevelconfigurations", "", ""],
  ["RuntimeClass", "node.k8s.io", "runtimeclasses", "", ""],
  ["PriorityClass", "scheduling.k8s.io", "priorityclasses", "pc", ""],
  ["DeviceClass", RESOURCE, "deviceclasses", "", ""],
  ["ResourceClaim", RESOURCE, "resourceclaims", "", "n"],
  ["ResourceClaimTemplate", RESOURCE, "resourceclaimtemplates", "", "n"],
  ["ResourceSlice", RESOURCE, "resourceslices", "", ""],
  ["CSIDriver", STORAGE, "csidrivers", "", ""],
  ["CSINode", STORAGE, "csinodes", "", ""],
  ["CSIStorageCapacity", STORAGE, "csistoragecapacities", "", "n"],
  ["StorageClass", STORAGE, "storageclasses", "sc", ""],
  ["VolumeAttachment", STORAGE, "volumeattachments", "", ""],
  ["VolumeAttributesClass", STORAGE, "volumeattributesclasses", "vac", ""]
]

export const KINDS: ReadonlyArray<Kind> = ROWS.map(([kind, group, plural, short, flags, version]) => ({
  kind, group, version: version ?? "v1", plural, singular: kind.toLowerCase(),
  shortNames: short === "" ? [] : short.split(" "),
  namespaced: flags.includes("n"),
  categories: flags.includes("a") ? ["all"] : [],
  modelled: flags.includes("c") ? "carried out" as const : "stored" as const
}))

const BY_GROUP_KIND = new Map(KINDS.map((kind) => [`${kind.group}/${kind.kind}`, kind]))
const GROUPS: ReadonlySet<string> = new Set(KINDS.map((kind) => kind.group))

/** First come, first served, as kubectl prefers core over other groups. */
const BY_WORD = new Map<string, Kind>()
for (const kind of KINDS) {
  for (const word of [kind.plural, kind.singular, ...kind.shortNames]) {
    const names = kind.group === "" ? [word]
      : [word, `${word}.${kind.group}`, `${word}.${kind.version}.${kind.group}`]
    for (const name of names) {
      if (!BY_WORD.has(name)) BY_WORD.set(name, kind)
    }
  }
}

export function apiVersionOf(kind: Kind): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`
}

export function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf("/")
  return { group: slash < 0 ? "" : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

export function isBuiltinGroup(group: string): boolean {
  return GROUPS.has(group)
}

export function groups(): Iterable<string> {
  return GROUPS
}

/** By group and kind, spelt exactly. */
export function kindIn(group: string, kind: string): Kind | null {
  return BY_GROUP_KIND.get(`${group}/${kind}`) ?? null
}

/** The built-in kind of an object, or null when it is a custom resource. */
export function kindOfObject(object: { readonly apiVersion: string; readonly kind: string }): Kind | null {
  return kindIn(splitApiVersion(object.apiVersion).group, object.kind)
}

/** Built-in kinds of that name, in whatever group. */
export function kindsNamed(kind: string): ReadonlyArray<Kind> {
  return KINDS.filter((candidate) => candidate.kind === kind)
}

/** What a user types after `get`: `po`, `Pods`, `deployments.apps`; null when nobody is called so. */
export function lookup(word: string): Kind | null {
  return BY_WORD.get(word.toLowerCase()) ?? null
}

/** kubectl's words for an unknown one, with what may have been meant. */
export function unknownWord(word: string): string {
  const meant = nearest(word, BY_WORD.keys())
  return `error: the server doesn't have a resource type ${JSON.stringify(word)}` +
    (meant === null ? "" : `; did you mean ${JSON.stringify(meant)}?`)
}

/** What `get all` lists, in kubectl's order: by group, then by resource. */
export function kindsIn(category: string): ReadonlyArray<Kind> {
  const place = (kind: Kind) => `${kind.group}/${kind.plural}`
  return KINDS.filter((kind) => kind.categories.includes(category))
    .sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0))
}

/** What is said of a kind that is kept but not acted on; null when it is carried out. */
export function notModelled(object: { readonly apiVersion: string; readonly kind: string }): string | null {
  const kind = kindOfObject(object)
  if (kind === null) return `${object.kind} (${object.apiVersion}): custom resource, stored and not acted on`
  return kind.modelled === "carried out" ? null : `${kind.kind}: stored, not modelled yet`
}

/** `pods`, `deployments.apps`: the resource as kubectl and the server name it in messages. */
export function resourceOf(kind: Kind): string {
  return kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`
}
