/** Lines of nodes, namespaces, events and of what is only kept. */
import type { KindTypes, KubeObject, Node } from "@podwire/api"
import { age, type Printer, printer, since } from "./columns.ts"

export interface EventObject extends KubeObject {
  readonly involvedObject: {
    readonly kind: string; readonly namespace?: string; readonly name: string; readonly fieldPath?: string
  }
  readonly source: { readonly component?: string; readonly host?: string }
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly firstTimestamp: string
  readonly lastTimestamp: string
  readonly count: number
}

const ROLE = "node-role.kubernetes.io/"

export const nodes = printer<Node>(
  "Name,Status,Roles,Age,Version|Internal-IP,External-IP,OS-Image,Kernel-Version,Container-Runtime", (node, view) => {
    const { status } = node
    const ready = status?.conditions?.find(({ type }) => type === "Ready")
    const state = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady"
    const address = (type: string) => status?.addresses?.find((other) => other.type === type)?.address ??
      "<none>"
    const info = status?.nodeInfo
    const known = (text: string | undefined) => (text === undefined || text === "" ? "<unknown>" : text)
    return [
      node.metadata.name!, node.spec?.unschedulable === true ? `${state},SchedulingDisabled` : state,
      rolesOf(node), age(node, view),
      info?.kubeletVersion ?? "", address("InternalIP"), address("ExternalIP"), known(info?.osImage),
      known(info?.kernelVersion),
      known(info?.containerRuntimeVersion)
    ]
  }
)

export function rolesOf({ metadata }: KubeObject): string {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    const role = key.startsWith(ROLE) ? key.slice(ROLE.length) : key === "kubernetes.io/role" ? value : ""
    return role === "" ? [] : [role]
  })
  return roles.length === 0 ? "<none>" : [...new Set(roles)].sort((a, b) => (a < b ? -1 : 1)).join(",")
}

export const events = printer<EventObject>(
  "Last Seen,Type,Reason,Object,Message|Subobject,Source,First Seen,Count,Name", (event, view) => {
    const { involvedObject: about, source } = event
    return [
      since(event.lastTimestamp, view), event.type, event.reason, `${about.kind.toLowerCase()}/${about.name}`,
      event.message.trim(),
      about.fieldPath ?? "", [source.component, source.host].filter((word) => (word ?? "") !== "").join(", "),
      since(event.firstTimestamp, view), event.count, event.metadata.name!
    ]
  }
)
/** The server's order of an event's columns has wide ones in the middle. */
export const EVENT_ORDER = [0, 1, 2, 3, 5, 6, 4, 7, 8, 9]

const size = (map: object | undefined) => Object.keys(map ?? {}).length

type Bound = KubeObject & { readonly roleRef?: { readonly kind: string; readonly name: string } }

export const namespaces = printer<KindTypes["Namespace"]>("Name,Status,Age", (object, view) => [
  object.metadata.name!, object.status?.phase ?? "Active", age(object, view)
])

const bindings = printer<Bound>("Name,Role,Age", (object, view) => [
  object.metadata.name!, `${object.roleRef?.kind ?? ""}/${object.roleRef?.name ?? ""}`, age(object, view)
])
const created = printer(
  "Name,Created At", ({ metadata }) => [metadata.name!, metadata.creationTimestamp ?? ""]
)

export const OTHER: Readonly<Record<string, Printer>> = {
  Node: nodes, Namespace: namespaces, RoleBinding: bindings, ClusterRoleBinding: bindings, Role: created,
  ClusterRole: created,
  CustomResourceDefinition: created,
  ConfigMap: printer<KindTypes["ConfigMap"]>("Name,Data,Age", (object, view) => [
    object.metadata.name!, size(object.data) + size(object.binaryData), age(object, view)
  ]),
  Secret: printer<KindTypes["Secret"]>("Name,Type,Data,Age", (object, view) => [
    object.metadata.name!, object.type ?? "Opaque", size({ ...object.data, ...object.stringData }),
    age(object, view)
  ]),
  ServiceAccount: printer<KindTypes["ServiceAccount"]>("Name,Secrets,Age", (object, view) => [
    object.metadata.name!, object.secrets?.length ?? 0, age(object, view)
  ])
}

export const nameAndAge = printer("Name,Age", (object, view) => [object.metadata.name!, age(object, view)])
