/**
 * The basics of a Service that a user can meet (pkg/apis/core/validation/validation.go, ValidateService).
 * Not supported: allocation (addresses and node ports in range and free), load balancer fields, topology.
 */
import type { Service } from "../schema/service.ts"
import type { Field } from "./field.ts"
import { dnsLabel, dnsSubdomain, ipFamily, NOT_AN_IP, portNumber } from "./format.ts"
import { validatePort } from "./container.ts"
import { validateLabels } from "./meta.ts"
import { oneOf } from "./pod.ts"

const PROTOCOLS = ["SCTP", "TCP", "UDP"]
const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]

export function validateService({ spec }: Service, root: Field): void {
  const field = root.child("spec")
  const { type = "ClusterIP", ports = [] } = spec
  const isHeadless = spec.clusterIP === "None"
  if (type === "ExternalName") {
    const { externalName = "" } = spec
    if (externalName === "") field.child("externalName").required()
    else field.child("externalName").invalidEach(externalName, dnsSubdomain(externalName.replace(/\.$/, "")))
    if (spec.clusterIP !== undefined && spec.clusterIP !== "") {
      field.child("clusterIP").forbidden("may not be set when `type` is 'ExternalName'")
    }
  } else if (ports.length === 0 && !isHeadless) field.child("ports").required()
  if (isHeadless && type !== "ClusterIP" && type !== "ExternalName") {
    field.child("clusterIP").invalid("None", `may not be set to 'None' for ${type} services`)
  }
  validateServicePorts(spec, field.child("ports"))
  validateLabels(spec.selector, field.child("selector"))
  oneOf(field.child("sessionAffinity"), spec.sessionAffinity, ["ClientIP", "None"])
  oneOf(field.child("type"), type, TYPES)
  const { clusterIPs = [], clusterIP = "" } = spec
  if (clusterIP !== "" && clusterIP !== "None" && ipFamily(clusterIP) === null) {
    field.child("clusterIP").invalid(clusterIP, NOT_AN_IP)
  }
  if (clusterIPs.length > 0 && clusterIPs[0] !== clusterIP) {
    field.child("clusterIPs").invalid(clusterIPs, "first value must match `clusterIP`")
  }
  if (clusterIPs.length > 2) field.child("clusterIPs").invalid(clusterIPs, "may only hold up to 2 values")
  oneOf(field.child("ipFamilyPolicy"), spec.ipFamilyPolicy,
    ["SingleStack", "PreferDualStack", "RequireDualStack"])
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    oneOf(field.child("ipFamilies", i), family, ["IPv4", "IPv6"])
    if (spec.ipFamilies!.indexOf(family) < i) field.child("ipFamilies", i).duplicate(family)
  }
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) {
    if (ipFamily(ip) === null) field.child("externalIPs", i).invalid(ip, NOT_AN_IP)
  }
  oneOf(field.child("internalTrafficPolicy"), spec.internalTrafficPolicy, ["Cluster", "Local"])
  oneOf(field.child("externalTrafficPolicy"), spec.externalTrafficPolicy, ["Cluster", "Local"])
}

function validateServicePorts({ ports = [], type = "ClusterIP" }: Service["spec"], field: Field): void {
  const names = new Set<string>()
  const seen = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const at = field.child(i)
    const { name = "", protocol = "TCP", nodePort = 0, targetPort } = port
    if (name === "") {
      if (ports.length > 1) at.child("name").required()
    } else {
      at.child("name").invalidEach(name, dnsLabel(name))
      if (names.has(name)) at.child("name").duplicate(name)
      names.add(name)
    }
    at.child("port").invalidEach(port.port, portNumber(port.port))
    if (!PROTOCOLS.includes(protocol)) at.child("protocol").notSupported(protocol, PROTOCOLS)
    if (targetPort !== undefined) validatePort(targetPort, at.child("targetPort"))
    if (nodePort !== 0 && (type === "ClusterIP" || type === "ExternalName")) {
      at.child("nodePort").forbidden(`may not be used when \`type\` is '${type}'`)
    }
    const key = `${protocol}/${port.port}`
    if (seen.has(key)) at.duplicate({ protocol, port: port.port })
    seen.add(key)
  }
}
