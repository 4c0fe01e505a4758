/**
 * Plugins that are known and do nothing here. Chained behind another they hand its result on, and the report
 * says so; alone they have no result to hand on, and ADD is refused rather than a pod left without network.
 */
import { CniError, ErrorCode } from "../error.ts"
import { goQuote } from "../json.ts"
import type { Loaded } from "../plugin.ts"

/** Why, by type: the plugins of the CNI project, then others that clusters have. */
export const NOT_MODELLED: ReadonlyMap<string, string> = new Map([
  ["portmap", "hostPort is not forwarded"],
  ["bandwidth", "traffic is not shaped"],
  ["firewall", "no rules of its own are written"],
  ["tuning", "sysctls, MAC and MTU stay as the plugin before it left them"],
  ["sbr", "there are no routing rules by source"],
  ["vrf", "there are no VRF devices"],
  ["flannel", "it delegates to bridge: write that plugin with the node's subnet"],
  ["macvlan", "there are no macvlan devices"],
  ["ipvlan", "there are no ipvlan devices"],
  ["vlan", "there are no VLAN devices"],
  ["dummy", "it gives pods an interface that goes nowhere"],
  ["tap", "there are no tap devices"],
  ["host-device", "no device is moved from the host into a pod"],
  ["calico", "its agent on the node is not there"],
  ["cilium-cni", "its agent on the node is not there"],
  ["istio-cni", "its rules for redirection are not written"],
  ["linkerd-cni", "its rules for redirection are not written"],
  ["multus", "a pod has the interfaces of one network"],
  ["route-override", "routes stay as the plugin before it left them"],
  ["weave-net", "its agent on the node is not there"],
  ["antrea", "its agent on the node is not there"],
  ["kube-ovn", "its agent on the node is not there"],
  ["aws-cni", "it needs the cloud that it is for"],
  ["azure-vnet", "it needs the cloud that it is for"]
])

export function passThrough(type: string): Loaded {
  return {
    notModelled: [],
    add: ({ prevResult }) => prevResult ?? new CniError(
      ErrorCode.INVALID_NETWORK_CONFIG, `${goQuote(type)} is not modelled and cannot make an interface`,
      `put "bridge" or "ptp" before it: ${NOT_MODELLED.get(type)}`
    ),
    del: () => null,
    check: () => null,
    gc: () => null,
    status: () => null
  }
}
