/**
 * Everything that a namespace holds, as the Linux tools print it, and what CNI holds for it: two pictures are
 * equal if nothing was left behind. FDB entries age, so the caller waits until they are gone. Nodes know one
 * another on `eth0` for good (below gc_thresh1 nobody is forgotten), so those neighbours are left out.
 */
import { type Cluster, inspect, type NodeHost } from "@podwire/cluster"
import { formatLeases } from "@podwire/cni"
import type { Netns } from "@podwire/netns"

const TOOLS = [
  "ip -d link", "ip addr", "ip route show table all", "ip -6 route show table all", "ip -4 neigh", "ip -6 neigh", "bridge fdb",
  "ss -uan", "ip rule"
]

export function namespacePicture(netns: Netns): string {
  return TOOLS.map((tool) => {
    const { stdout, stderr } = inspect(netns, tool.split(" "))
    const known = /neigh$/.test(tool) ? stdout.replaceAll(/^\S+ dev eth0 .*\n/gm, "") : stdout
    return `$ ${tool}\n${known}${stderr}`
  }).join("")
}

export function nodePicture(node: NodeHost): string {
  const leases = node.cni.leases("cbr0")
  const held = typeof leases === "string" ? leases : formatLeases(leases)
  const attached = node.cni.attachments().map(({ containerId, ifName }) => `${containerId} ${ifName}\n`).join("")
  return `# ${node.name}\n${namespacePicture(node.netns)}$ leases\n${held}$ attachments\n${attached}`
}

export function picture(cluster: Cluster): string {
  return cluster.nodes.map(nodePicture).join("")
}
