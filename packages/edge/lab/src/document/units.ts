/**
 * The scalars of podwire.dev documents as people write them: `250ms`, `1.5%`, `10Mbit`, `10.0.0.0/8`. Each is
 * checked while the document is decoded, and read to a number by the function beside it.
 */
import * as Schema from "effect/Schema"
import { type Cidr, parse as parseCidr } from "@podwire/wire/cidr"
import { type Ip, parse as parseIp } from "@podwire/wire/ip"

const leaf = <T>(
  is: (u: unknown) => boolean, expected: string
) => Schema.declare<T>(is as (u: unknown) => u is T, { expected })

const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9,
  nanosecond: 1, microsecond: 1e3, millisecond: 1e6, second: 1e9, minute: 60e9, hour: 3600e9
}

/** Nanoseconds of `5s`, `1m30s`, `250ms`, `10 seconds`; null when it is no duration. */
export function durationNs(text: string): number | null {
  const [, sole, word] = /^(\d+(?:\.\d+)?) ?([a-z]+?)s?$/.exec(text) ?? []
  if (word !== undefined && word.length > 2 && UNIT_NS[word] !== undefined) {
    return Math.round(Number(sole) * UNIT_NS[word])
  }
  let total = 0
  let at = 0
  for (const part of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    if (part.index !== at) return null
    total += Number(part[1]) * UNIT_NS[part[2]!]!
    at += part[0].length
  }
  if (text === "0") return 0
  return at === text.length && at > 0 && Number.isSafeInteger(Math.round(total)) ? Math.round(total) : null
}

export const Duration = leaf<string>(
  (u) => typeof u === "string" && durationNs(u) !== null || u === 0,
  "a duration such as 5s, 1m30s or 250ms"
)

/** Parts per million of `1%`, `0.5%` or `20ppm`; null when it is no such part. */
export function partsPerMillion(text: string | number): number | null {
  if (text === 0) return 0
  const [, number, unit] = /^(\d+(?:\.\d+)?)(%|ppm)$/.exec(String(text)) ?? []
  if (number === undefined) return null
  const ppm = Math.round(Number(number) * (unit === "%" ? 10_000 : 1))
  return ppm <= 1_000_000 ? ppm : null
}

export const Part = leaf<string | number>(
  (u) => (typeof u === "string" || typeof u === "number") && partsPerMillion(u) !== null,
  "a part of the frames such as 1%, 0.5% or 200ppm"
)

const RATE_UNITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 }

/** Bits per second of `10Mbit`, `512kbit`, `1Gbit` (tc's units). */
export function bitsPerSecond(text: string): number | null {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([kmg]?bit)$/i.exec(text) ?? []
  const bps = number === undefined ? 0 : Math.round(Number(number) * RATE_UNITS[unit!.toLowerCase()]!)
  return bps > 0 && bps <= 1e12 ? bps : null
}

export const Rate = leaf<string>(
  (u) => typeof u === "string" && bitsPerSecond(u) !== null, "a rate such as 10Mbit, 512kbit or 1Gbit"
)

export const CidrText = leaf<string>(
  (u) => typeof u === "string" && parseCidr(u) !== null,
  "an address range such as 10.244.0.0/16 or fd00:10:244::/56"
)

export function cidrOf(text: string): Cidr {
  return parseCidr(text)!
}

export const AddressText = leaf<string>((u) => typeof u === "string" && parseIp(u) !== null, "an IP address")

export function ipOf(text: string): Ip {
  return parseIp(text)!
}

export const Count = leaf<number>(
  (u) => Number.isSafeInteger(u) && (u as number) >= 0, "a whole number, zero or more"
)
