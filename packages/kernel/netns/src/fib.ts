/**
 * Routes of one family (net/ipv4/fib_trie.c, net/ipv6/ip6_fib.c): tables `local`, `main`, `default`
 * asked in that order, longest prefix first, then lowest metric, then oldest.
 *
 * A lookup scans prefix lengths that occur, longest first, each a hash of networks; results are
 * remembered by the caller (`dst.ts`), so this is the cold path.
 * Not supported: policy rules beyond the three, multipath, TOS and source routing.
 */
import { Errno, type NetDevice } from "@podwire/netdev"
import { type Cidr, mask4, network } from "@podwire/wire/cidr"
import { format, type Ip } from "@podwire/wire/ip"
import type { Scope } from "./address.ts"

export const TABLE_LOCAL = 255
export const TABLE_MAIN = 254
export const TABLE_DEFAULT = 253
const TABLES: ReadonlyArray<number> = [TABLE_LOCAL, TABLE_MAIN, TABLE_DEFAULT]

export type RouteType =
  | "unicast" | "local" | "broadcast" | "multicast" | "blackhole" | "unreachable" | "prohibit" | "throw"
export type RouteProtocol = "kernel" | "boot" | "static" | "ra"

export interface Route {
  readonly dst: Cidr
  readonly type: RouteType
  readonly table: number
  readonly via: Ip | null
  readonly dev: NetDevice | null
  readonly src: Ip | null
  readonly metric: number
  readonly scope: Scope | "nowhere"
  readonly protocol: RouteProtocol
  readonly onlink: boolean
  readonly mtu: number
}

/** The routes of one table and prefix length, by network. */
interface Level {
  readonly bits: number
  readonly byNetwork: Map<string | number, Array<Route>>
}

export class Fib {
  readonly family: 4 | 6
  count = 0
  readonly #changed: () => void
  readonly #tables = new Map<number, Array<Level>>()

  /** `changed` is told of every change: what lookups found is old then. */
  constructor(family: 4 | 6, changed: () => void) {
    this.family = family
    this.#changed = changed
  }

  /** EEXIST when a route with that destination, metric and table is there (`ip route add`). */
  add(route: Route): Errno {
    const level = this.#level(route.table, route.dst.bits, true)!
    const key = keyOf(network(route.dst))
    const routes = level.byNetwork.get(key)
    if (routes === undefined) level.byNetwork.set(key, [route])
    else {
      const clash = routes.some((other) =>
        other.metric === route.metric && (this.family === 4 || other.dev === route.dev)
      )
      if (clash) return Errno.EEXIST
      let at = routes.length
      while (at > 0 && routes[at - 1]!.metric > route.metric) at--
      routes.splice(at, 0, route)
    }
    this.count++
    this.#changed()
    return Errno.OK
  }

  /** The first route that fits what is named; ESRCH when none does. */
  remove(wanted: (route: Route) => boolean, dst: Cidr, table: number): Errno {
    const level = this.#level(table, dst.bits, false)
    const key = keyOf(network(dst))
    const routes = level?.byNetwork.get(key)
    const at = routes?.findIndex(wanted) ?? -1
    if (routes === undefined || at < 0) return Errno.ESRCH
    routes.splice(at, 1)
    if (routes.length === 0) level!.byNetwork.delete(key)
    this.count--
    this.#changed()
    return Errno.OK
  }

  /** Everything that uses a device, or that `wanted` picks otherwise. */
  flush(wanted: (route: Route) => boolean): void {
    for (const levels of this.#tables.values()) {
      for (const level of levels) {
        for (const [key, routes] of level.byNetwork) {
          const rest = routes.filter((route) => !wanted(route))
          if (rest.length === routes.length) continue
          this.count -= routes.length - rest.length
          if (rest.length === 0) level.byNetwork.delete(key)
          else level.byNetwork.set(key, rest)
        }
      }
    }
    this.#changed()
  }

  /** The route for an address; `oif` limits it to one device. Unreachable kinds are results too. */
  lookup(ip: Ip, oif: NetDevice | null): Route | null {
    for (const table of TABLES) {
      const levels = this.#tables.get(table)
      if (levels === undefined) continue
      for (const level of levels) {
        if (level.byNetwork.size === 0) continue
        const routes = level.byNetwork.get(keyAt(ip, level.bits))
        if (routes === undefined) continue
        for (const route of routes) {
          if (oif !== null && route.dev !== null && route.dev !== oif && route.type !== "local") continue
          if (route.dev !== null && !(route.dev.up && route.dev.carrier)) {
            if (route.type !== "local" && route.type !== "broadcast") continue
          }
          if (route.type === "throw") return null
          return route
        }
      }
    }
    return null
  }

  /** Sorted as `ip route` prints: main's default first, then by network. */
  list(table = TABLE_MAIN): ReadonlyArray<Route> {
    const routes: Array<Route> = []
    for (const level of this.#tables.get(table) ?? []) {
      for (const some of level.byNetwork.values()) routes.push(...some)
    }
    return routes.sort((a, b) => {
      for (let i = 0; i < a.dst.ip.length; i++) {
        const difference = (a.dst.ip[i]! >>> 0) - (b.dst.ip[i]! >>> 0)
        if (difference !== 0) return difference
      }
      return a.dst.bits - b.dst.bits || a.metric - b.metric
    })
  }

  #level(table: number, bits: number, make: boolean): Level | null {
    let levels = this.#tables.get(table)
    if (levels === undefined) {
      if (!make) return null
      levels = []
      this.#tables.set(table, levels)
    }
    let level = levels.find((other) => other.bits === bits)
    if (level === undefined && make) {
      level = { bits, byNetwork: new Map() }
      let at = levels.length
      while (at > 0 && levels[at - 1]!.bits < bits) at--
      levels.splice(at, 0, level)
    }
    return level ?? null
  }
}

/** IPv4 networks are numbers; IPv6's are text, looked up on misses of the cache only. */
function keyOf(ip: Ip): string | number {
  return ip.length === 1 ? ip[0]! : format(ip)
}

function keyAt(ip: Ip, bits: number): string | number {
  return ip.length === 1 ? ip[0]! & mask4(bits) : format(network({ ip, bits }))
}
