/** Addresses and prefixes as iproute2 reads them, and the words it refuses them with (lib/utils.c). */
import { type Cidr, parse as parseCidr } from "@podwire/wire/cidr"
import { ANY4, ANY6, family, type Ip, parse } from "@podwire/wire/ip"
import { fail } from "./failure.ts"

const ANY = ["default", "any", "all"]

/** `default`, an address or a prefix of the family; null takes either and `default` is IPv4's then. */
export function readPrefix(word: string, version: 4 | 6 | null): Cidr {
  if (ANY.includes(word)) return { ip: version === 6 ? ANY6 : ANY4, bits: 0 }
  const ip = parse(word)
  const cidr = ip === null ? parseCidr(word) : { ip, bits: 32 * ip.length }
  if (cidr === null || (version !== null && family(cidr.ip) !== version)) refuse(word, version, "prefix")
  return cidr
}

export function readAddress(word: string, version: 4 | 6 | null): Ip {
  const ip = ANY.includes(word) ? (version === 6 ? ANY6 : ANY4) : parse(word)
  if (ip === null || (version !== null && family(ip) !== version)) refuse(word, version, "address")
  return ip
}

function refuse(word: string, version: 4 | 6 | null, what: string): never {
  const name = version === null ? "any valid" : version === 4 ? "inet" : "inet6"
  fail(`Error: ${name} ${what} is expected rather than "${word}".`, 1)
}
