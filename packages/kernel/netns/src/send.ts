/** What the sending halves of sockets share: IPv4's header by path MTU discovery, IPv6's way out. */
import { completeChecksum, DropReason, Errno, type Frame } from "@podwire/netdev"
import { type Ip, isLinkLocal, isMulticast } from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import type { Dst } from "./dst.ts"
import type { Netns } from "./netns.ts"
import type { SendOptions } from "./socket.ts"

export function sendIp4(
  ns: Netns, frame: Frame, way: Dst, src: number, dst: number, protocol: number, numbered: boolean,
  options: SendOptions
): Errno {
  const { ip4, pool, sysctl } = ns
  const { bytes, l3, tail } = frame
  const fits = tail - l3 <= ip4.mtu(way)
  if (!fits && options.df === true) {
    pool.drop(frame, DropReason.PKT_TOO_BIG, way.dev)
    return Errno.EMSGSIZE
  }
  const df = options.df === null ? fits && !ip4.mtuLocked(way) : options.df
  // What may not be fragmented needs no number, unless its socket counts its packets.
  const id = df && !numbered ? 0 : ip4.nextId()
  // IP_MULTICAST_TTL is 1.
  const ttl = options.ttl || (way.type === "multicast" ? 1 : sysctl.globals.ip_default_ttl)
  ipv4.writeHeader(bytes, l3, 0, tail - l3, id, df ? ipv4.DF : 0, ttl, protocol, src, dst)
  // A datagram that is cut never had it open (ip_append_data).
  if (!fits) completeChecksum(frame)
  return ip4.output(frame, way)
}

export function way6(ns: Netns, ip: Ip, from: Ip | null): Dst {
  const { ip6 } = ns
  if (!isLinkLocal(ip) && !isMulticast(ip)) return ip6.route(ip)
  // Without a scope the device is the source's, or the only one that has link-local addresses.
  const owner = from === null ? null : ns.findAddress(from)
  const dev = owner?.dev ?? ns.links.list().find((link) => !link.loopback && link.up) ?? null
  return dev === null ? ip6.route(ip) : ip6.routeVia(ip, dev)
}

/** IPV6_MULTICAST_HOPS is 1; everything else starts with the device's hop limit. */
export function hops6(ns: Netns, way: Dst, options: SendOptions): number {
  if (options.ttl > 0) return options.ttl
  return way.type === "multicast" ? 1 : ns.ip6.conf(way.dev!).hop_limit
}
