/**
 * Giving an interface what IPAM said (pkg/ipam, ConfigureIface), and seeing whether it still has it
 * (pkg/ip, ValidateExpectedInterfaceIPs and ValidateExpectedRoute): addresses first, then up, then routes.
 *
 * Approximated: ADD does not wait until IPv6 addresses have proved to be unique (SettleAddresses), it is one
 * instant. A route's mtu and advmss are handed on and not set, as the real code does it.
 * Not supported: two IPv4 routes to one destination (ECMP) are the second one's error.
 */
import { Errno, type NetDevice, strerror } from "@podwire/netdev"
import { type Netns, type RouteSpec, type Scope } from "@podwire/netns"
import * as cidr from "@podwire/wire/cidr"
import { equal, family, format, type Ip } from "@podwire/wire/ip"
import { CniError } from "../error.ts"
import { goQuote } from "../json.ts"
import type { Result, ResultRoute } from "../result.ts"

/** rtnetlink's scopes; what lies between is nearest the narrower. */
const SCOPES: ReadonlyArray<readonly [number, Scope | "nowhere"]> =
  [[255, "nowhere"], [254, "host"], [253, "link"], [0, "global"]]

/** Go's syscall.Errno says it in lower case. */
export function errorText(errno: Errno): string {
  const text = strerror(errno)
  return text.charAt(0).toLowerCase() + text.slice(1)
}

/** What opening a namespace that is gone is answered with. */
export function noNetns(path: string): CniError {
  return CniError.internal(`failed to Statfs ${goQuote(path)}: no such file or directory`)
}

export function configure(netns: Netns, dev: NetDevice, result: Result, quiet: boolean): CniError | null {
  const { name } = dev
  let gw4: Ip | null = null
  let gw6: Ip | null = null
  let enabled6 = false
  for (const { address, gateway, interface: index } of result.ips) {
    if (index === null) continue
    const text = cidr.format(address)
    if (result.interfaces[index]?.name !== name) {
      return CniError.internal(`failed to add IP addr ${text} to ${goQuote(name)}: invalid interface index`)
    }
    if (family(address.ip) === 6 && !enabled6) {
      for (const one of ["lo", name]) {
        const key = `net/ipv6/conf/${one}/disable_ipv6`
        if (netns.sysctl.get(key) !== "0") netns.sysctl.set(key, "0")
      }
      netns.sysctl.set(`net/ipv6/conf/${name}/keep_addr_on_down`, "1")
      enabled6 = true
    }
    const errno = netns.addAddress(dev, address, { nodad: quiet })
    if (errno !== Errno.OK) {
      return CniError.internal(`failed to add IP addr ${text} to ${goQuote(name)}: ${errorText(errno)}`)
    }
    if (gateway !== null && family(gateway) === 4) gw4 ??= gateway
    else if (gateway !== null) gw6 ??= gateway
  }
  const errno = netns.setUp(dev)
  if (errno !== Errno.OK) return CniError.internal(`failed to set ${goQuote(name)} UP: ${errorText(errno)}`)
  for (const route of result.routes) {
    const via = route.gw ?? (family(route.dst.ip) === 4 ? gw4 : gw6)
    const errno = netns.addRoute(routeSpec(route, via, dev))
    if (errno !== Errno.OK) {
      const what = `'${cidr.format(route.dst)} via ${via === null ? "<nil>" : format(via)} dev ${name}`
      const scope = scopeName(route.scope ?? 0)
      const where = `metric ${route.priority} (Scope: ${scope}, Table: ${route.table ?? 0})'`
      return CniError.internal(`failed to add route ${what} ${where}: ${errorText(errno)}`)
    }
  }
  return null
}

function routeSpec(route: ResultRoute, via: Ip | null, dev: NetDevice): RouteSpec {
  const scope = SCOPES.find(([number]) => number <= (route.scope ?? 0))![1]
  return {
    dst: route.dst, dev, scope, ...(via === null ? {} : { via }),
    ...(route.priority === 0 ? {} : { metric: route.priority }),
    ...(route.table === null || route.table === 0 ? {} : { table: route.table })
  }
}

/** netlink.Scope.String */
function scopeName(scope: number): string {
  return scope === 0 ? "universe" : scope === 200 ? "site" : scope === 253 ? "link" : scope === 254 ? "host"
    : scope === 255 ? "nowhere" : "unknown"
}

/** CHECK: every address of the result, and a route to its network. */
export function validateIps(netns: Netns, ifName: string, result: Result): CniError | null {
  const dev = netns.links.byName(ifName)
  for (const { address, gateway } of result.ips) {
    if (dev === null) return CniError.internal(`Cannot find container link ${ifName}`)
    const there = netns.addresses(dev).some(({ cidr: { ip, bits } }) =>
      bits === address.bits && equal(ip, address.ip))
    if (!there) {
      return CniError.internal(`Failed to match addr ${cidr.format(address)} on interface ${ifName}`)
    }
    const network = { ip: cidr.network(address), bits: address.bits }
    if (address.bits < 32 * address.ip.length && !hasRoute(netns, network, null)) {
      const text = gateway === null ? "<nil>" : format(gateway)
      return CniError.internal(`Failed to find Gateway ${text} for interface ${ifName}`)
    }
  }
  return null
}

/** CHECK: every route of the result. */
export function validateRoutes(netns: Netns, result: Result): CniError | null {
  for (const { dst, gw } of result.routes) {
    // The real code asks for a default route by whatever gateway.
    if (hasRoute(netns, dst, dst.bits === 0 ? null : gw)) continue
    const text = `{Dst:${cidr.format(dst)} GW:${gw === null ? "<nil>" : format(gw)}}`
    return CniError.internal(`Expected Route ${text} not found in routing table`)
  }
  return null
}

function hasRoute(netns: Netns, dst: cidr.Cidr, via: Ip | null): boolean {
  return netns.routes(family(dst.ip)).some((route) =>
    route.dst.bits === dst.bits && equal(route.dst.ip, dst.ip) &&
    (via === null || (route.via !== null && equal(route.via, via))))
}
