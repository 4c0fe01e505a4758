/**
 * Names to addresses without DNS: literals and /etc/hosts, in the order of its lines (glibc's "files").
 * Not supported: resolv.conf and DNS queries.
 */
import { Errno } from "@podwire/netdev"
import { family, type Ip, parse } from "@podwire/wire/ip"
import type { Host } from "./process.ts"

export function resolve(host: Host, name: string, only: 4 | 6 | null): Ip | null {
  return addressesOf(host, name, only)[0] ?? null
}

/**
 * All addresses in the order in which getaddrinfo has them; none is an unknown name. The answer comes by a
 * call, since a name may have to be asked for: for literals and /etc/hosts before this returns. The function
 * that is returned takes the question back.
 */
export function lookup(
  host: Host, name: string, only: 4 | 6 | null, answer: (addresses: ReadonlyArray<Ip>) => void
): () => void {
  answer(sorted(host, addressesOf(host, name, only)))
  return () => {}
}

function addressesOf(host: Host, name: string, only: 4 | 6 | null): Array<Ip> {
  const literal = parse(name)
  if (literal !== null) return only === null || family(literal) === only ? [literal] : []
  const found: Array<Ip> = []
  const wanted = name.toLowerCase()
  for (const line of (host.files.get("/etc/hosts") ?? "").split("\n")) {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/)
    if (address === undefined || !names.some((one) => one.toLowerCase() === wanted)) continue
    const ip = parse(address)
    if (ip !== null && (only === null || family(ip) === only)) found.push(ip)
  }
  return found
}

/** RFC 6724 as far as it matters: what there is no way to comes last (rule 1), IPv6 before IPv4 (rule 6). */
function sorted(host: Host, addresses: ReadonlyArray<Ip>): ReadonlyArray<Ip> {
  if (addresses.length < 2) return addresses
  const rank = (ip: Ip) => (hasWay(host, ip) ? 0 : 2) + (family(ip) === 6 ? 0 : 1)
  return addresses.map((ip, i) => ({ ip, i, rank: rank(ip) }))
    .sort((a, b) => a.rank - b.rank || a.i - b.i).map(({ ip }) => ip)
}

/** As glibc asks: by connecting a datagram socket. */
function hasWay(host: Host, ip: Ip): boolean {
  const socket = host.netns.udp(family(ip))
  const errno = socket.connect(ip, 1)
  socket.close()
  return errno === Errno.OK
}
