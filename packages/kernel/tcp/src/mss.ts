/**
 * How long segments may be: what we announce, what the peer takes, what the path carries (tcp_sync_mss,
 * tcp_current_mss).
 */
import type { Dst } from "@podwire/netns/dst"
import type { Netns } from "@podwire/netns"
import * as tcp from "@podwire/wire/tcp"
import type { Connection } from "./connection.ts"
import { optionBytes, route } from "./emit.ts"

/** What a peer takes that does not say (RFC 9293, section 3.7.1). */
export const MSS_DEFAULT = { 4: 536, 6: 1220 } as const
/** TCP_MIN_MSS. */
export const MSS_MIN = 88
const HEADERS_BYTES = { 4: 40, 6: 60 } as const
/** tcp_options_write never leaves less than 8 octets of payload: 68 - 40 - 20. */
const WINDOW_LEAST = 68

export function pathMtu(ns: Netns, way: Dst): number {
  if (way.dev === null) return 0
  return way.ip.length === 1 ? ns.ip4.mtu(way) : Math.max(ns.ip6.mtu(way), 1280)
}

/** ipv4_default_advmss, ip6_default_advmss: by the device, never by what was learnt of the path. */
export function advertised(way: Dst, version: 4 | 6, most: number): number {
  const mtu = way.routeMtu > 0 ? way.routeMtu : way.dev === null ? 1500 : way.dev.mtu
  const headers = HEADERS_BYTES[version]
  const mss = Math.min(Math.max(mtu - headers, version === 4 ? 256 : 1220), 65_535 - headers)
  return most > 0 && most < mss ? most : mss
}

/**
 * Octets of payload in a segment for that path, with the options every segment has; remembers the path's
 * size.
 */
export function sync(c: Connection, pmtu: number): number {
  const mss = boundToHalfWindow(c, forMtu(c, pmtu))
  c.pmtuCookie = pmtu
  c.mssCache = mss
  return mss
}

/** tcp_mtu_to_mss. */
export function forMtu(c: Connection, pmtu: number): number {
  const mss = Math.min(pmtu - HEADERS_BYTES[c.version], c.mssClamp)
  return Math.max(mss, c.tcp.ns.sysctl.globals.tcp_min_snd_mss) - (c.headerBytes - tcp.HEADER_BYTES_MIN)
}

/** What goes into the next segment: fewer octets where it reports SACK blocks. */
export function current(c: Connection): number {
  const way = route(c.tcp.ns, c.remote, c.dev)
  const mtu = pathMtu(c.tcp.ns, way)
  const mss = mtu !== 0 && mtu !== c.pmtuCookie ? sync(c, mtu) : c.mssCache
  return mss - (optionBytes(c) + tcp.HEADER_BYTES_MIN - c.headerBytes)
}

/** A peer with a tiny window gets segments of half of it (tcp_bound_to_half_wnd). */
function boundToHalfWindow(c: Connection, bytes: number): number {
  const most = c.maxWindow > MSS_DEFAULT[4] ? c.maxWindow >>> 1 : c.maxWindow
  return most > 0 && bytes > most ? Math.max(most, WINDOW_LEAST - c.headerBytes) : bytes
}
