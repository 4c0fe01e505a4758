/**
 * Addresses with masks, as rules write them: any mask is allowed, one that is a prefix is printed by its
 * length, and the host bits are lost (xtables_ipparse_multiple, xtables_ipmask_to_cidr). IPv4 may leave out
 * its last octets. Not supported: names of hosts and of networks, which a machine without a resolver
 * refuses in the same words.
 */
import { ip } from "@podwire/wire"
import type { Ip } from "@podwire/wire"
import { mask4 } from "@podwire/wire/cidr"
import type { Family } from "./extension.ts"
import { RuleError } from "./rule-error.ts"

export interface Network {
  readonly address: Ip
  readonly mask: Ip
}

export function words(family: Family): number {
  return family === 4 ? 1 : 4
}

/** IPv4 may be short: `10.1` is 10.1.0.0. */
export function parseAddress(text: string, family: Family): Ip | null {
  const full = family === 4 && /^\d+(\.\d+){0,2}$/.test(text)
    ? `${text}${".0".repeat(4 - text.split(".").length)}`
    : text
  const address = ip.parse(full)
  return address !== null && address.length === words(family) ? address : null
}

export function prefixMask(bits: number, family: Family): Ip {
  return new Int32Array(words(family)).map((_, i) => mask4(bits - 32 * i))
}

/** A mask by its length or written out; null if it is neither. */
export function parseMask(text: string, family: Family): Ip | null {
  if (/^\d+$/.test(text)) {
    return Number(text) <= 32 * words(family) ? prefixMask(Number(text), family) : null
  }
  const mask = ip.parse(text)
  return mask !== null && mask.length === words(family) ? mask : null
}

/** How many leading bits are set, or -1 if that is not all that is set. */
export function prefixLength(mask: Ip): number {
  let bits = 0
  for (const word of mask) bits += Math.clz32(~word)
  return ip.equal(mask, prefixMask(bits, mask.length === 1 ? 4 : 6)) ? bits : -1
}

export function and(address: Ip, mask: Ip): Ip {
  return address.map((word, i) => word & mask[i]!)
}

export function parseNetwork(text: string, family: Family): Network {
  const slash = text.indexOf("/")
  const name = slash < 0 ? text : text.slice(0, slash)
  const mask = parseMask(slash < 0 ? `${32 * words(family)}` : text.slice(slash + 1), family)
  if (mask === null) throw new RuleError(`invalid mask \`${text.slice(slash + 1)}' specified`)
  const address = parseAddress(name, family)
  if (address === null) throw new RuleError(`host/network \`${name}' not found`)
  return { address: and(address, mask), mask }
}

export function isAny(network: Network): boolean {
  return ip.isUnspecified(network.mask) && ip.isUnspecified(network.address)
}

/** With its length even where that is all of the address. */
export function format(network: Network): string {
  const bits = prefixLength(network.mask)
  return `${formatAddress(network.address)}/${bits < 0 ? formatAddress(network.mask) : bits}`
}

/**
 * As inet_ntop(3) writes it, which also shows the old compatible addresses with their last words as IPv4.
 */
export function formatAddress(address: Ip): string {
  if (address.length === 4 && address[0] === 0 && address[1] === 0 && address[2] === 0 &&
    address[3]! >>> 16 !== 0) {
    return `::${ip.format4(address[3]!)}`
  }
  return ip.format(address)
}
