/** Lines of Service, Endpoints, EndpointSlice, Ingress, IngressClass and NetworkPolicy. */
import type { KindTypes } from "@podwire/api"
import { age, atMost, printer, type View } from "./columns.ts"
import { labelsText, selectorText } from "./labels.ts"

const LIST_MAX = 3
/** A load balancer's addresses are cut to this many characters without -o wide. */
const BALANCER_CHARS = 16

type Service = KindTypes["Service"]
type Balanced = {
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: ReadonlyArray<{ readonly ip?: string; readonly hostname?: string }>
    }
  }
}

export const services = printer<Service>("Name,Type,Cluster-IP,External-IP,Port(s),Age|Selector", (service, view) => {
  const { spec } = service
  return [
    service.metadata.name!, spec.type ?? "ClusterIP", spec.clusterIPs?.[0] ?? spec.clusterIP ?? "<none>",
    externalIp(service, view), ports(service), age(service, view), labelsText(spec.selector)
  ]
})

export const endpoints = printer<KindTypes["Endpoints"]>("Name,Endpoints,Age", (object, view) => {
  const list = (object.subsets ?? []).flatMap((subset) => {
    const addresses = subset.addresses ?? []
    if ((subset.ports ?? []).length === 0) return addresses.map(({ ip }) => ip)
    return subset.ports!.flatMap(
      ({ port }) => addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`))
    )
  })
  return [object.metadata.name!, atMost(list, LIST_MAX, "<none>"), age(object, view)]
})

export const endpointSlices = printer<KindTypes["EndpointSlice"]>("Name,AddressType,Ports,Endpoints,Age", (object, view) => {
  const numbers = (object.ports ?? []).map(({ port }) => (port === undefined ? "*" : String(port)))
  const addresses = (object.endpoints ?? []).flatMap((endpoint) => endpoint.addresses)
  return [
    object.metadata.name!, object.addressType, atMost(numbers, LIST_MAX, "<unset>"),
    atMost(addresses, LIST_MAX, "<unset>"),
    age(object, view)
  ]
})

export const ingresses = printer<KindTypes["Ingress"]>("Name,Class,Hosts,Address,Ports,Age", (ingress, view) => {
  const spec = ingress.spec
  const hosts = (spec?.rules ?? []).map(({ host }) => host ?? "").filter((host) => host !== "")
  return [
    ingress.metadata.name!, spec?.ingressClassName ?? "<none>", atMost(hosts, LIST_MAX, "*"),
    balancer(ingress as Balanced, view.wide),
    (spec?.tls ?? []).length > 0 ? "80, 443" : "80", age(ingress, view)
  ]
})

export const ingressClasses = printer<KindTypes["IngressClass"]>("Name,Controller,Parameters,Age", (object, view) => {
  const parameters = object.spec?.parameters
  const group = parameters?.apiGroup === undefined ? "" : `.${parameters.apiGroup}`
  return [
    object.metadata.name!, object.spec?.controller ?? "",
    parameters === undefined ? "<none>" : `${parameters.kind}${group}/${parameters.name}`, age(object, view)
  ]
})

export const networkPolicies = printer<KindTypes["NetworkPolicy"]>("Name,Pod-Selector,Age", (object, view) => [
  object.metadata.name!, selectorText(object.spec?.podSelector), age(object, view)
])

function ports({ spec }: Service): string {
  const list = (spec.ports ?? []).map(({ port, nodePort, protocol }) =>
    `${port}${nodePort === undefined || nodePort === 0 ? "" : `:${nodePort}`}/${protocol ?? "TCP"}`)
  return list.length === 0 ? "<none>" : list.join(",")
}

/** getServiceExternalIP. */
function externalIp(service: Service, { wide }: View): string {
  const { type, externalIPs = [], externalName } = service.spec
  if (type === "ExternalName") return externalName ?? ""
  if (type !== "LoadBalancer") return externalIPs.length === 0 ? "<none>" : externalIPs.join(",")
  const balanced = balancer(service as Balanced, wide)
  const all = [...balanced === "" ? [] : balanced.split(","), ...externalIPs]
  return all.length === 0 ? "<pending>" : all.join(",")
}

function balancer({ status }: Balanced, wide: boolean): string {
  const text = [
    ...new Set((status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? ""))
  ]
    .filter((one) => one !== "").sort((a, b) => (a < b ? -1 : 1)).join(",")
  return !wide && text.length > BALANCER_CHARS ? `${text.slice(0, BALANCER_CHARS - 3)}...` : text
}
