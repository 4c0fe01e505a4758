/**
 * Names to addresses without DNS: literals and /etc/hosts, in the order of its lines (glibc's "files").
 * Not supported: resolv.conf and DNS queries.
 */
import { family, type Ip, parse } from "@podwire/wire/ip"
import type { Host } from "./process.ts"

export function resolve(host: Host, name: string, only: 4 | 6 | null): Ip | null {
  const literal = parse(name)
  if (literal !== null) return only === null || family(literal) === only ? literal : null
  for (const line of (host.files.get("/etc/hosts") ?? "").split("\n")) {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/)
    if (address === undefined || !names.includes(name)) continue
    const ip = parse(address)
    if (ip !== null && (only === null || family(ip) === only)) return ip
  }
  return null
}
