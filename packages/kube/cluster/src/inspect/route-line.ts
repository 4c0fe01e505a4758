/** One route as text and JSON (iproute2's iproute.c: print_route), for tables and for single answers. */
import type { NetDevice } from "@podwire/netdev"
import { type Route, TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN } from "@podwire/netns"
import type { Cidr } from "@podwire/wire/cidr"
import { family, format, type Ip } from "@podwire/wire/ip"
import { carrier } from "./device-state.ts"
import type { Json, Printer } from "./printer.ts"

const TABLES: ReadonlyArray<readonly [number, string]> = [
  [TABLE_DEFAULT, "default"], [TABLE_MAIN, "main"], [TABLE_LOCAL, "local"], [0, "unspec"]
]

function tableName(id: number): string {
  return TABLES.find(([other]) => other === id)?.[1] ?? String(id)
}

export function tableNumber(word: string): number | null {
  const known = TABLES.find(([, name]) => name === word)
  if (known !== undefined) return known[0]
  return /^\d+$/.test(word) && Number(word) <= 0xffffffff ? Number(word) : null
}

/** What a filter has fixed is not said again. */
interface Silence {
  readonly type: boolean
  readonly via: boolean
  readonly dev: boolean
  readonly table: boolean
  readonly protocol: boolean
  readonly scope: boolean
  readonly src: boolean
  readonly metric: boolean
}

export const SAY_ALL: Silence = {
  type: false, via: false, dev: false, table: false, protocol: false, scope: false, src: false, metric: false
}

/** With the line's end. */
export function printRoute(out: Printer, route: Route, details: boolean, silent: Silence): void {
  const four = family(route.dst.ip) === 4
  out.object("", () => {
    if ((route.type !== "unicast" || details) && !silent.type) out.put("type", route.type, `${route.type} `)
    const dst = destination(route.dst)
    out.put("dst", dst, `${dst} `)
    if (route.via !== null && !silent.via) gateway(out, route.via)
    if (route.dev !== null && !silent.dev) device(out, route.dev)
    if (!silent.table) table(out, route.table, details)
    if ((route.protocol !== "boot" || details) && !silent.protocol) {
      out.put("protocol", route.protocol, `proto ${route.protocol} `)
    }
    // IPv6 has no scopes of routes: the kernel reports all of them as global.
    const scope = four ? route.scope : "global"
    if ((scope !== "global" || details) && !silent.scope) out.put("scope", scope, `scope ${scope} `)
    if (route.src !== null && !silent.src) source(out, route.src)
    const { metric } = route
    if ((!four || metric !== 0) && !silent.metric) out.put("metric", metric, `metric ${metric} `)
    const flags = routeFlags(route)
    out.note("flags", flags).say(flags.map((flag) => `${flag} `).join(""))
    if (route.mtu > 0) metrics(out, route.mtu)
    if (!four) out.put("pref", "medium", "pref medium")
    out.say("\n")
  })
}

/** RTNH_F_*: a route over a link without carrier is kept and marked, an own address's is not. */
function routeFlags({ dev, onlink, type }: Route): ReadonlyArray<string> {
  const flags: Array<string> = []
  if (dev !== null && !dev.up && type !== "local") flags.push("dead")
  if (onlink) flags.push("onlink")
  if (dev !== null && type !== "local" && !(dev.up && carrier(dev))) flags.push("linkdown")
  return flags
}

export function destination({ ip, bits }: Cidr): string {
  if (bits === 0) return "default"
  return bits === 32 * ip.length ? format(ip) : `${format(ip)}/${bits}`
}

export function gateway(out: Printer, via: Ip): void {
  out.put("gateway", format(via), `via ${format(via)} `)
}

export function device(out: Printer, { name }: NetDevice): void {
  out.put("dev", name, `dev ${name} `)
}

export function table(out: Printer, id: number, details: boolean): void {
  if (id !== TABLE_MAIN || details) out.put("table", tableName(id), `table ${tableName(id)} `)
}

export function source(out: Printer, src: Ip): void {
  out.put("prefsrc", format(src), `src ${format(src)} `)
}

export function metrics(out: Printer, mtu: number): void {
  const list: ReadonlyArray<Json> = [{ mtu }]
  out.put("metrics", list, `mtu ${mtu} `)
}
