/**
 * `ip route show` and `ip route get` (iproute2's iproute.c), in the order of the kernel's dumps.
 * Not supported: `cache`, `vrf`, `iif`, `mark`, `realms`, `from` as filters; tables above 255.
 */
import type { NetDevice } from "@podwire/netdev"
import { type Netns, type Route, TABLE_MAIN } from "@podwire/netns"
import { type Cidr, contains } from "@podwire/wire/cidr"
import { compare, equal, family, type Ip } from "@podwire/wire/ip"
import { Failure, notModelled } from "./failure.ts"
import { command, type IpCall } from "./ip-call.ts"
import { deviceNamed } from "./ip-neigh.ts"
import { getRoute } from "./ip-route-get.ts"
import { readAddress, readPrefix } from "./prefix.ts"
import { printRoute, tableNumber } from "./route-line.ts"
import { begins, invalid, type Words } from "./words.ts"

const COMMANDS = [
  "add", "change", "chg", "replace", "prepend", "append", "test", "delete", "list", "show", "lst", "get",
  "flush", "save", "restore", "showdump", "help"
]
const TABLE_LAST = 255
const TYPES = [
  "local", "nat", "broadcast", "brd", "anycast", "multicast", "prohibit", "unreachable", "blackhole",
  "xresolve", "unicast", "throw"
] as const
const PROTOCOLS = ["kernel", "boot", "static", "ra", "redirect", "dhcp", "zebra", "bird"]
const SCOPES = ["global", "nowhere", "host", "link", "site"]

interface RouteFilter {
  family: 4 | 6 | null
  /** 0 is every table. */
  table: number
  tableNamed: boolean
  dev: NetDevice | null
  via: Ip | null
  src: Ip | null
  protocol: string | null
  scope: string | null
  type: string | null
  metric: number | null
  /** At least, and at most, as long as these prefixes. */
  root: Cidr | null
  match: Cidr | null
}

export function route(call: IpCall): void {
  const { netns, options, words, out } = call
  if (command(call, "route", COMMANDS) === "get") return getRoute(call)
  const filter: RouteFilter = {
    family: options.family, table: TABLE_MAIN, tableNamed: false, dev: null, via: null, src: null,
    protocol: null, scope: null, type: null, metric: null, root: null, match: null
  }
  while (!words.done) readFilter(call, filter)
  const unasked = filter.table === 0 ? [4, 6] as const : [4] as const
  const versions = filter.family !== null ? [filter.family] : unasked
  const silent = {
    type: false, via: filter.via !== null, dev: filter.dev !== null, table: filter.table !== 0,
    protocol: filter.protocol !== null, scope: filter.scope !== null, src: filter.src !== null,
    metric: filter.metric !== null
  }
  for (const version of versions) {
    for (const one of dump(netns, version, filter)) {
      if (fits(one, filter)) printRoute(out, one, options.details, silent)
    }
  }
}

function readFilter({ netns, words }: IpCall, filter: RouteFilter): void {
  const word = words.take()
  if (begins(word, "table")) readTable(words.argument(), filter)
  else if (begins(word, "vrf") || begins(word, "realms") || begins(word, "from") || begins(word, "dsfield")) {
    notModelled(`ip route show ${word}`)
  } else if (begins(word, "cached") || begins(word, "cloned")) readTable("cache", filter)
  else if (begins(word, "protocol")) filter.protocol = oneOf(words.argument(), PROTOCOLS, "protocol")
  else if (begins(word, "scope")) filter.scope = oneOf(words.argument(), SCOPES, "scope")
  else if (begins(word, "type")) filter.type = typeOf(words.argument())
  else if (word === "dev" || word === "oif") filter.dev = deviceNamed(netns, words.argument())
  else if (["iif", "mark", "tos"].includes(word)) notModelled(`ip route show ${word}`)
  else if (begins(word, "metric") || begins(word, "priority") || word === "preference") {
    const metric = words.argument()
    if (!/^\d+$/.test(metric)) invalid(metric, '"metric" value is invalid\n')
    filter.metric = Number(metric)
  } else if (word === "via") filter.via = readAddress(words.argument(), filter.family)
  else if (word === "src") filter.src = readAddress(words.argument(), filter.family)
  else readDestination(begins(word, "to") ? words.argument() : word, words, filter)
}

function readTable(word: string, filter: RouteFilter): void {
  if (word === "cache") notModelled("ip route show cache")
  const table = word === "all" ? 0 : tableNumber(word)
  filter.table = table ?? invalid(word, "table id value is invalid\n")
  filter.tableNamed = true
}

function readDestination(word: string, words: Words, filter: RouteFilter): void {
  const root = begins(word, "root")
  const match = begins(word, "match")
  const cidr = readPrefix(root || match || begins(word, "exact") ? words.argument() : word, filter.family)
  filter.family ??= family(cidr.ip)
  if (!match) filter.root = cidr
  if (!root) filter.match = cidr
}

function oneOf(word: string, names: ReadonlyArray<string>, what: string): string | null {
  if (word === "all") return null
  return names.includes(word) ? word : invalid(word, `invalid "${what}"\n`)
}

function typeOf(word: string): string {
  const type = TYPES.find((name) => begins(word, name)) ?? invalid(word, "node type value is invalid\n")
  return type === "brd" ? "broadcast" : type
}

function fits(one: Route, filter: RouteFilter): boolean {
  const { dst, via, src } = one
  return (filter.dev === null || one.dev === filter.dev) &&
    (filter.via === null || (via !== null && equal(via, filter.via))) &&
    (filter.src === null || (src !== null && equal(src, filter.src))) &&
    (filter.protocol === null || one.protocol === filter.protocol) &&
    (filter.scope === null || (dst.ip.length === 1 ? one.scope : "global") === filter.scope) &&
    (filter.type === null || one.type === filter.type) &&
    (filter.metric === null || one.metric === filter.metric) &&
    (filter.root === null || (dst.bits >= filter.root.bits && contains(filter.root, dst.ip))) &&
    (filter.match === null || (dst.bits <= filter.match.bits && contains(dst, filter.match.ip)))
}

/** Tables count up. Asking for one that was never used is an error, except for local and main. */
function dump(netns: Netns, version: 4 | 6, { table, tableNamed }: RouteFilter): ReadonlyArray<Route> {
  const order = version === 4 ? compare4 : compare6
  const routes: Array<Route> = []
  const [from, to] = table === 0 ? [1, TABLE_LAST] : [table, table]
  for (let id = from; id <= to; id++) routes.push(...[...netns.routes(version, id)].sort(order))
  if (tableNamed && routes.length === 0 && table !== 0 && (table < TABLE_MAIN || table > TABLE_LAST)) {
    throw new Failure(`Error: ipv${version}: FIB table does not exist.\nDump terminated\n`, 2)
  }
  return routes
}

/** By network, then longest prefix, then metric: leaves of the trie and their aliases (fib_table_dump). */
export function compare4(a: Route, b: Route): number {
  return compare(a.dst.ip, b.dst.ip) || b.dst.bits - a.dst.bits || a.metric - b.metric
}

/** Left, right, then the node itself: what is inside a network comes before it (fib6_walk). */
function compare6(a: Route, b: Route): number {
  if (a.dst.bits > b.dst.bits && contains(b.dst, a.dst.ip)) return -1
  if (b.dst.bits > a.dst.bits && contains(a.dst, b.dst.ip)) return 1
  return compare(a.dst.ip, b.dst.ip) || a.metric - b.metric
}
