/**
 * `ip route get` (iproute2's iproute.c: iproute_get; inet_rtm_getroute, inet6_rtm_getroute): which way a
 * packet would take that this host sends, or that it receives on `iif`. Not supported: `mark`, `tos`,
 * `vrf`, `uid`, ports and protocols; the check of sources that come in on `iif` is the one for martians,
 * not rp_filter's.
 */
import { SECOND } from "@podwire/engine"
import { Errno, type NetDevice, strerror } from "@podwire/netdev"
import { type Netns, type Route, TABLE_LOCAL } from "@podwire/netns"
import type { Dst } from "@podwire/netns/dst"
import { ANY6, equal, family, format, type Ip, isUnspecified } from "@podwire/wire/ip"
import { fail, notModelled } from "./failure.ts"
import type { IpCall } from "./ip-call.ts"
import { deviceNamed } from "./ip-neigh.ts"
import { readPrefix } from "./prefix.ts"
import type { Printer } from "./printer.ts"
import { device, gateway, metrics, printRoute, SAY_ALL, source, table } from "./route-line.ts"
import { begins } from "./words.ts"

interface Question {
  family: 4 | 6 | null
  to: Ip | null
  from: Ip | null
  iif: NetDevice | null
  oif: NetDevice | null
  fibMatch: boolean
}

const UNSUPPORTED = [
  "dsfield", "mark", "notify", "connected", "vrf", "uid", "sport", "dport", "ipproto", "help"
]

export function getRoute(call: IpCall): void {
  const question: Question = {
    family: call.options.family, to: null, from: null, iif: null, oif: null, fibMatch: false
  }
  while (!call.words.done) readQuestion(call, question)
  const { to } = question
  if (to === null) return fail("need at least a destination address", 1)
  if (question.fibMatch) fibMatch(call, question, to)
  else if (family(to) === 4) get4(call, question, to)
  else get6(call, question, to)
}

function readQuestion({ netns, words }: IpCall, question: Question): void {
  const word = words.take()
  if (word === "tos" || UNSUPPORTED.some((name) => begins(word, name))) notModelled(`ip route get ${word}`)
  else if (begins(word, "from")) {
    const { ip } = readPrefix(words.argument(), question.family)
    question.family ??= family(ip)
    question.from = isUnspecified(ip) ? null : ip
  } else if (begins(word, "iif")) question.iif = deviceNamed(netns, words.argument())
  else if (begins(word, "oif") || word === "dev") question.oif = deviceNamed(netns, words.argument())
  else if (begins(word, "fibmatch")) question.fibMatch = true
  else {
    const { ip } = readPrefix(word === "to" ? words.argument() : word, question.family)
    question.family ??= family(ip)
    question.to = ip
  }
}

function refuse(errno: Errno): never {
  return fail(`RTNETLINK answers: ${strerror(errno)}`, 2)
}

function fibMatch({ netns, options, out }: IpCall, { oif }: Question, to: Ip): void {
  const fib = family(to) === 4 ? netns.fib4 : netns.fib6
  const route = fib.lookup(to, oif)
  if (route === null) refuse(Errno.ENETUNREACH)
  printRoute(out, route, options.details, SAY_ALL)
}

function refusal(type: string): Errno {
  return type === "blackhole" ? Errno.EINVAL : type === "unreachable" ? Errno.EHOSTUNREACH
    : type === "prohibit" ? Errno.EACCES : type === "none" || type === "throw" ? Errno.ENETUNREACH : Errno.OK
}

interface Way4 {
  readonly type: string
  readonly dev: NetDevice
  readonly via: Ip | null
  readonly src: Ip | null
  /** What the tables say; null when the kernel only assumes that the destination is on the link. */
  readonly found: Dst | null
}

function get4({ netns, options, out }: IpCall, question: Question, to: Ip): void {
  const { from, iif } = question
  const way = iif === null ? outgoing4(netns, question, to) : incoming4(netns, iif, from, to)
  out.object("", () => {
    if (way.type !== "unicast" || options.details) out.put("type", way.type, `${way.type} `)
    out.put("dst", format(to), `${format(to)} `)
    if (from !== null) out.put("from", format(from), `from ${format(from)} `)
    if (way.via !== null) gateway(out, way.via)
    device(out, way.dev)
    if (options.details && way.found !== null) out.put("table", "main", "table main ")
    if (way.src !== null && from === null && iif === null) source(out, way.src)
    // The flag of a multicast route has the number of another that the tool knows (RTM_F_OFFLOAD_FAILED).
    const flags = way.type === "multicast" ? ["rt_offload_failed"] : []
    out.note("flags", flags).say(flags.map((flag) => `${flag} `).join(""))
    if (iif === null) out.put("uid", 0, "uid 0 ")
    const cache = way.type === "local" ? ["local"] : way.type === "broadcast" ? ["local", "brd"]
      : way.type === "multicast" ? ["mc"] : []
    out.nl().put("cache", cache, `    cache ${cache.length === 0 ? "" : `<${cache.join(",")}> `}`)
    if (way.type === "unicast" && way.found !== null) printMtu(netns, out, way.found)
    if (iif !== null) out.put("iif", iif.name, `iif ${iif.name} `)
    out.say("\n")
  })
}

function outgoing4(netns: Netns, { from, oif }: Question, to: Ip): Way4 {
  if (from !== null && netns.findAddress(from) === null) refuse(Errno.ENETUNREACH)
  const way = oif === null ? netns.ip4.route(to[0]!) : netns.ip4.routeVia(to[0]!, oif)
  if (oif !== null && refusal(way.type) !== Errno.OK) {
    // The destination is taken to be on the device's link then (ip_route_output_key_hash_rcu).
    const src = Int32Array.of(netns.ip4.selectSource(oif, to[0]!))
    return { type: "unicast", dev: oif, via: null, src, found: null }
  }
  const errno = refusal(way.type)
  if (errno !== Errno.OK || way.dev === null) refuse(errno === Errno.OK ? Errno.ENETUNREACH : errno)
  return { type: way.type, dev: way.dev, via: way.gatewayed ? way.nextHop : null, src: way.src, found: way }
}

/** ip_route_input_slow: martians first, then the table, then whether this host forwards. */
function incoming4(netns: Netns, iif: NetDevice, from: Ip | null, to: Ip): Way4 {
  const local = from !== null && netns.ip4.isLocal(from[0]!)
  if (from === null || from[0]! >>> 28 === 14 || local) refuse(Errno.EINVAL)
  const way = netns.ip4.route(to[0]!)
  const forwards = netns.ip4.conf(iif).forwarding !== 0
  const errno = way.type === "none" && !forwards ? Errno.EHOSTUNREACH : refusal(way.type)
  if (errno !== Errno.OK || way.dev === null) refuse(errno === Errno.OK ? Errno.ENETUNREACH : errno)
  if (way.type === "unicast" && !forwards) refuse(Errno.EHOSTUNREACH)
  const dev = way.type === "broadcast" ? netns.lo : way.dev
  return { type: way.type, dev, via: way.gatewayed ? way.nextHop : null, src: null, found: way }
}

/** What path MTU discovery has learnt is told with the time it has left. */
function printMtu(netns: Netns, out: Printer, way: Dst): void {
  const mtu = family(way.ip) === 4 ? netns.ip4.mtu(way) : netns.ip6.mtu(way)
  const own = way.routeMtu > 0 ? way.routeMtu : way.dev!.mtu
  const { learntUntilNs } = way as Dst & { readonly learntUntilNs?: number }
  if (mtu < own && learntUntilNs !== undefined) {
    const seconds = Math.floor((learntUntilNs - netns.engine.nowNs) / SECOND)
    out.put("expires", seconds, `expires ${seconds}sec `)
  }
  if (mtu < own || way.routeMtu > 0) metrics(out, mtu)
}

function get6({ netns, options, out }: IpCall, question: Question, to: Ip): void {
  const { from, iif } = question
  if (isUnspecified(to)) refuse(Errno.ENETUNREACH)
  const route = netns.fib6.lookup(to, question.oif)
  if (route === null) refuse(Errno.ENETUNREACH)
  const errno = refusal(route.type)
  if (errno !== Errno.OK) refuse(errno)
  const local = route.type === "local"
  out.object("", () => {
    if (route.type !== "unicast" || options.details) out.put("type", route.type, `${route.type} `)
    out.put("dst", format(to), `${format(to)} `)
    const src = from ?? ANY6
    out.put("from", format(src), `from ${format(src)} `)
    if (route.via !== null) gateway(out, route.via)
    device(out, local ? netns.lo : route.dev!)
    table(out, local ? TABLE_LOCAL : route.table, options.details)
    const { protocol } = route
    if (protocol !== "boot" || options.details) out.put("protocol", protocol, `proto ${protocol} `)
    if (options.details) out.put("scope", "global", "scope global ")
    const chosen = source6(netns, route, to)
    if (chosen !== null && iif === null) source(out, chosen)
    out.put("metric", route.metric, `metric ${route.metric} `).note("flags", [])
    if (route.type === "unicast") printMtu(netns, out, netns.ip6.routeVia(to, question.oif ?? route.dev!))
    if (iif !== null) out.put("iif", iif.name, `iif ${iif.name} `)
    out.put("pref", "medium", "pref medium").say("\n")
  })
}

function source6(netns: Netns, route: Route, to: Ip): Ip | null {
  if (route.src !== null) return route.src
  return route.type === "local" && equal(route.dst.ip, to) ? to : netns.ip6.selectSource(route.dev, to)
}
