/**
 * What Linux tells about a device, worked out from the emulated one: flags, operational state, the name of
 * its other end (net/core/rtnetlink.c, net/core/link_watch.c, iproute2's print_name_and_link).
 *
 * Approximated: identifiers of peers' namespaces count up in order of devices (Linux hands out the lowest
 * free one when a peer is first seen); a card has no queueing discipline, so it says `noqueue`; the length of
 * the transmit queue is always 1000.
 */
import { Bridge, type NetDevice, Veth } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"

/** How the other end of a device is named: by its index there, or by the device that has the index here. */
export type LinkNaming = "by-netnsid" | "by-index"

/** IFF_LOWER_UP: a veth pair needs both ends, a bridge a port that runs. */
export function carrier(dev: NetDevice): boolean {
  if (dev instanceof Veth) return dev.up && dev.peer !== null && dev.peer.up
  if (dev instanceof Bridge) return dev.ports().some((port) => port.dev.up && carrier(port.dev))
  return dev.carrier
}

/** The index of the device at the other end, in its own namespace; its own index when there is none. */
export function iflink(dev: NetDevice): number {
  return dev instanceof Veth && dev.peer !== null ? dev.peer.ifindex : dev.ifindex
}

/** The other end is in another namespace. */
export function abroad(dev: NetDevice): boolean {
  return dev instanceof Veth && dev.peer !== null && dev.peer.ns !== dev.ns
}

/** -1 when the other end is here, or there is none. */
export function netnsid(netns: Netns, dev: NetDevice): number {
  if (!(dev instanceof Veth) || dev.peer === null || !abroad(dev)) return -1
  const seen: Array<string> = []
  for (const other of netns.links.list()) {
    if (!(other instanceof Veth) || other.peer === null || !abroad(other)) continue
    if (!seen.includes(other.peer.ns)) seen.push(other.peer.ns)
    if (other === dev) break
  }
  return seen.indexOf(dev.peer.ns)
}

/** The device that `@` names when its namespace is not told or is this one; null for a mere index. */
export function linkedDevice(netns: Netns, dev: NetDevice, naming: LinkNaming): NetDevice | null {
  if (!hasLink(dev, naming) || (naming === "by-netnsid" && abroad(dev))) return null
  return netns.links.byIndex(iflink(dev))
}

/** IFLA_LINK is there: always for a foreign peer, unless only differing indexes are told. */
export function hasLink(dev: NetDevice, naming: LinkNaming): boolean {
  return iflink(dev) !== dev.ifindex || (naming === "by-netnsid" && abroad(dev))
}

/** `eth0`, `eth0@if7`, `veth0@veth1` */
export function nameAndLink(netns: Netns, dev: NetDevice, naming: LinkNaming): string {
  if (!hasLink(dev, naming)) return dev.name
  return `${dev.name}@${linkedDevice(netns, dev, naming)?.name ?? `if${iflink(dev)}`}`
}

/** In the order of print_link_flags. */
export function flags(netns: Netns, dev: NetDevice, naming: LinkNaming): ReadonlyArray<string> {
  const lower = dev.up && carrier(dev)
  const linked = linkedDevice(netns, dev, naming)
  const names: Array<string> = []
  if (dev.up && !lower) names.push("NO-CARRIER")
  if (dev.loopback) names.push("LOOPBACK")
  else if (dev.kind === "dummy") names.push("BROADCAST", "NOARP")
  else names.push("BROADCAST", "MULTICAST")
  if (dev.up) names.push("UP")
  if (lower) names.push("LOWER_UP")
  if (linked !== null && !linked.up) names.push("M-DOWN")
  return names
}

/** RFC 2863's ifOperStatus as default_operstate finds it. */
export function operState(netns: Netns, dev: NetDevice): string {
  if (!dev.up) return "DOWN"
  if (dev.loopback || dev.kind === "dummy") return "UNKNOWN"
  if (carrier(dev)) return "UP"
  // The kernel looks the peer's index up in this namespace, whichever namespace the peer is in.
  const lower = iflink(dev) === dev.ifindex ? null : netns.links.byIndex(iflink(dev))
  return lower === null || carrier(lower) ? "DOWN" : "LOWERLAYERDOWN"
}

export function linkType(dev: NetDevice): string {
  return dev.loopback ? "loopback" : "ether"
}

/** What scheduler the device has: `noop` before it was ever up. */
export function qdisc(dev: NetDevice): string {
  return dev.up ? "noqueue" : "noop"
}
