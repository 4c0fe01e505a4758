/**
 * The CNI configuration of a node: the plan's `.conflist`, or a bridge with host-local as flannel's host-gw
 * backend writes it. Where a subnet reads `usePodCidr`, or the list declares the capability `ipRanges`, the
 * node's own share of the pod ranges is filled in, as the node's CNI daemon or the runtime does it.
 */
import { decodeNetwork, type NetworkConfig } from "@podwire/cni"
import { type Cidr, format } from "@podwire/wire/cidr"
import { family } from "@podwire/wire/ip"
import type { Plan, PlanIssue } from "./plan.ts"

const USE_POD_CIDR = "usePodCidr"
const USE_POD_CIDR_6 = "usePodCidrIPv6"

export function networkOf(
  plan: Plan, podCidrs: ReadonlyArray<Cidr>
): NetworkConfig | ReadonlyArray<PlanIssue> {
  const raw = plan.conflist === null ? defaultNetwork(plan, podCidrs) : fill(plan.conflist, podCidrs)
  const network = decodeNetwork(raw)
  if ("plugins" in network) return network
  return network.map(({ path, message }) => ({ path: ["cni", "conflist", ...path], message }))
}

/** runtimeConfig for plugins that declare `ipRanges` (containerd fills it in from the node's podCIDRs). */
export function capabilityArgs(podCidrs: ReadonlyArray<Cidr>) {
  return { ipRanges: ranges(podCidrs) }
}

function defaultNetwork(plan: Plan, podCidrs: ReadonlyArray<Cidr>): unknown {
  return {
    cniVersion: "1.0.0",
    name: "cbr0",
    plugins: [{
      type: "bridge", bridge: "cni0", isDefaultGateway: true, mtu: plan.mtu, ipam: {
        type: "host-local", ranges: ranges(podCidrs)
      }
    }]
  }
}

function ranges(podCidrs: ReadonlyArray<Cidr>) {
  return podCidrs.map((cidr) => [{ subnet: format(cidr) }])
}

function fill(value: unknown, podCidrs: ReadonlyArray<Cidr>): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => fill(item, podCidrs))
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, podCidrs)]))
  }
  if (value !== USE_POD_CIDR && value !== USE_POD_CIDR_6) return value
  const cidr = podCidrs.find(({ ip }) => value === USE_POD_CIDR || family(ip) === 6)
  return cidr === undefined ? value : format(cidr)
}
