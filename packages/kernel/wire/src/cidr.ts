/** An address with a prefix length. Host bits are kept: `10.0.0.5/24` says both who and where. */
import * as ip from "./ip.ts"
import type { Ip } from "./ip.ts"

export interface Cidr {
  readonly ip: Ip
  readonly bits: number
}

export function parse(text: string): Cidr | null {
  const slash = text.indexOf("/")
  if (slash < 0) return null
  const address = ip.parse(text.slice(0, slash))
  const bits = text.slice(slash + 1)
  if (address === null || !/^(0|[1-9]\d{0,2})$/.test(bits)) return null
  return Number(bits) > 32 * address.length ? null : { ip: address, bits: Number(bits) }
}

export function format(cidr: Cidr): string {
  return `${ip.format(cidr.ip)}/${cidr.bits}`
}

/** The mask of one word: `bits` of it set from the left; 0 for none, all for 32 and more. */
export function mask4(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits)
}

export function network(cidr: Cidr): Ip {
  return cidr.ip.map((word, i) => word & mask4(cidr.bits - 32 * i))
}

/** The last address of the range: IPv4's broadcast address. */
export function broadcast(cidr: Cidr): Ip {
  return cidr.ip.map((word, i) => word | ~mask4(cidr.bits - 32 * i))
}

export function contains(cidr: Cidr, address: Ip): boolean {
  if (cidr.ip.length !== address.length) return false
  for (let i = 0; i < address.length; i++) {
    if (((cidr.ip[i]! ^ address[i]!) & mask4(cidr.bits - 32 * i)) !== 0) return false
  }
  return true
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.bits <= b.bits ? contains(a, b.ip) : contains(b, a.ip)
}

export function hostBitsSet(cidr: Cidr): boolean {
  return !ip.equal(network(cidr), cidr.ip)
}
