/**
 * Routes of one family (net/ipv4/fib_trie.c, net/ipv6/ip6_fib.c): tables `local`, `main`, `default`
 * asked in that order, longest prefix first, then lowest metric, then oldest.
 *
 * A lookup scans prefix lengths that occur, longest first; a length with few routes is a list, one with
 * many a hash of networks. Results are remembered by the caller (`dst.ts`), so this is the cold path.
 * Not supported: policy rules beyond the three, multipath, TOS and source routing.
 */
import { Errno, type NetDevice } from "@podwire/netdev"
import { type Cidr, contains, mask4 } from "@podwire/wire/cidr"
import { equal, type Ip } from "@podwire/wire/ip"
import type { Scope } from "./address.ts"

export const TABLE_LOCAL = 255
export const TABLE_MAIN = 254
export const TABLE_DEFAULT = 253
/** A prefix length with more routes than this is hashed. */
const SCAN_MAX = 8

/** More local routes than this are not worth a list of their own. */
const LOCALS_MAX = 16

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

/** Whom a table tells that what lookups found is old. */
export interface FibOwner {
  changed(): void
}

/** The routes of one prefix length: a list while it is short, by network beyond that. */
class Level {
  readonly bits: number
  #few: Array<Route> | null = []
  #byNetwork: Map<number, Array<Route>> | null = null

  constructor(bits: number) {
    this.bits = bits
  }

  /** Candidates for an address; which of them contain it is the caller's to check. */
  near(ip: Ip): ReadonlyArray<Route> | undefined {
    return this.#few ?? this.#byNetwork!.get(keyAt(ip, this.bits))
  }

  /** In order of metric, then age. */
  insert(route: Route): void {
    if (this.#few !== null && this.#few.length >= SCAN_MAX) {
      this.#byNetwork = new Map()
      const few = this.#few
      this.#few = null
      for (const old of few) this.insert(old)
    }
    let routes = this.#few
    if (routes === null) {
      const key = keyAt(route.dst.ip, this.bits)
      const others = this.#byNetwork!.get(key)
      if (others === undefined) {
        // As large as it needs to be: a node of a large cluster has thousands of them.
        this.#byNetwork!.set(key, [route])
        return
      }
      routes = others
    }
    let at = routes.length
    while (at > 0 && routes[at - 1]!.metric > route.metric) at--
    routes.splice(at, 0, route)
  }

  remove(route: Route): void {
    if (this.#few !== null) {
      this.#few.splice(this.#few.indexOf(route), 1)
      return
    }
    const key = keyAt(route.dst.ip, this.bits)
    const routes = this.#byNetwork!.get(key)!
    routes.splice(routes.indexOf(route), 1)
    if (routes.length === 0) this.#byNetwork!.delete(key)
  }

  all(): ReadonlyArray<Route> {
    return this.#few ?? [...this.#byNetwork!.values()].flat()
  }
}

/** One routing table: its prefix lengths, longest first. */
interface Table {
  readonly id: number
  readonly levels: Array<Level>
}

export class Fib {
  readonly family: 4 | 6
  count = 0
  readonly #owner: FibOwner
  /** In the order in which they are asked: local, main, default, then the ones no rule names. */
  readonly #tables: Array<Table> = []
  /** Network and mask of each local route; null when one came or went since they were listed. */
  #locals: ReadonlyArray<number> | null = null

  constructor(family: 4 | 6, owner: FibOwner) {
    this.family = family
    this.#owner = owner
  }

  /**
   * EEXIST when a route with that destination, metric and table is there (`ip route add`, NLM_F_EXCL). The
   * kernel's own routes stand beside others (fib_magic appends): only the very same is refused.
   */
  add(route: Route, append = false): Errno {
    const level = this.#level(route.table, route.dst.bits)
    for (const other of level.near(route.dst.ip) ?? []) {
      if (append && other.dev !== route.dev) continue
      if (other.metric !== route.metric || !equal(other.dst.ip, route.dst.ip)) continue
      if (!append || same(other, route)) return Errno.EEXIST
    }
    level.insert(route)
    if (route.type === "local") this.#locals = null
    this.count++
    this.#owner.changed()
    return Errno.OK
  }

  /** The first route that fits what is named; ESRCH when none does. */
  remove(wanted: (route: Route) => boolean, dst: Cidr, table: number): Errno {
    const level = this.#find(table)?.levels.find((other) => other.bits === dst.bits)
    const route = level?.near(dst.ip)?.find((other) => equal(other.dst.ip, dst.ip) && wanted(other))
    if (level === undefined || route === undefined) return Errno.ESRCH
    level.remove(route)
    if (route.type === "local") this.#locals = null
    this.count--
    this.#owner.changed()
    return Errno.OK
  }

  /** Everything that `wanted` picks. */
  flush(wanted: (route: Route) => boolean): void {
    let flushed = false
    for (const { levels } of this.#tables) {
      for (const level of levels) {
        const gone = level.all().filter(wanted)
        for (const route of gone) level.remove(route)
        this.count -= gone.length
        if (gone.length > 0) flushed = true
        if (gone.some((route) => route.type === "local")) this.#locals = null
      }
    }
    if (flushed) this.#owner.changed()
  }

  /**
   * No route of type `local` contains that IPv4 address. A broadcast asks thousands of namespaces whether an address
   * is theirs: this answers from one short list.
   */
  isForeign4(word: number): boolean {
    const locals = this.#locals ?? this.#listLocals()
    if (locals.length > 2 * LOCALS_MAX) return false
    for (let i = 0; i < locals.length; i += 2) if (((locals[i]! ^ word) & locals[i + 1]!) === 0) return false
    return true
  }

  #listLocals(): ReadonlyArray<number> {
    const locals: Array<number> = []
    for (const { levels } of this.#tables) {
      for (const level of levels) {
        for (const { type, dst } of level.all()) if (type === "local") locals.push(dst.ip[0]!, mask4(dst.bits))
      }
    }
    return this.#locals = locals
  }

  /** The route for an address; `oif` limits it to one device. Unreachable kinds are results too. */
  lookup(ip: Ip, oif: NetDevice | null): Route | null {
    for (let t = 0; t < this.#tables.length; t++) {
      const { id, levels } = this.#tables[t]!
      if (id < TABLE_DEFAULT) return null
      let thrown = false
      for (let i = 0; i < levels.length && !thrown; i++) {
        const routes = levels[i]!.near(ip)
        if (routes === undefined) continue
        for (let k = 0; k < routes.length; k++) {
          const route = routes[k]!
          if (!contains(route.dst, ip) || !usable(route, oif)) continue
          // A thrown packet goes on to the next table (RTN_THROW).
          thrown = route.type === "throw"
          if (!thrown) return route
          break
        }
      }
    }
    return null
  }

  /** Sorted as `ip route` prints: main's default first, then by network. */
  list(table = TABLE_MAIN): ReadonlyArray<Route> {
    const routes = (this.#find(table)?.levels ?? []).flatMap((level) => level.all())
    return routes.sort((a, b) => {
      for (let i = 0; i < a.dst.ip.length; i++) {
        const difference = (a.dst.ip[i]! >>> 0) - (b.dst.ip[i]! >>> 0)
        if (difference !== 0) return difference
      }
      return a.dst.bits - b.dst.bits || a.metric - b.metric
    })
  }

  #find(id: number): Table | undefined {
    return this.#tables.find((table) => table.id === id)
  }

  #level(id: number, bits: number): Level {
    let table = this.#find(id)
    if (table === undefined) {
      table = { id, levels: [] }
      let at = this.#tables.length
      while (at > 0 && this.#tables[at - 1]!.id < id) at--
      this.#tables.splice(at, 0, table)
    }
    const { levels } = table
    let at = 0
    while (at < levels.length && levels[at]!.bits > bits) at++
    if (at < levels.length && levels[at]!.bits === bits) return levels[at]!
    const level = new Level(bits)
    levels.splice(at, 0, level)
    return level
  }
}

/**
 * A route over a device that is down is skipped, unless it is about an address of ours. One without a
 * carrier is used all the same, and its packets are lost (ignore_routes_with_linkdown=0).
 */
function usable(route: Route, oif: NetDevice | null): boolean {
  const dev = route.dev
  if (dev === null || route.type === "local") return true
  if (oif !== null && dev !== oif) return false
  return route.type === "broadcast" || dev.up
}

function same(a: Route, b: Route): boolean {
  return a.dev === b.dev && a.type === b.type && sameIp(a.via, b.via) && sameIp(a.src, b.src)
}

function sameIp(a: Ip | null, b: Ip | null): boolean {
  return a === null ? b === null : b !== null && equal(a, b)
}

/** A number for the network of an address; two networks may have the same, as candidates are checked. */
function keyAt(ip: Ip, bits: number): number {
  if (ip.length === 1) return ip[0]! & mask4(bits)
  let h = 0
  for (let i = 0; i < 4; i++) h = Math.imul(h ^ (ip[i]! & mask4(bits - 32 * i)), 0x9e3779b1) ^ (h >>> 15)
  return h ^ (h >>> 13)
}
