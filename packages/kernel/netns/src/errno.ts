/** What an ICMP error means to a socket (icmp_err_convert, icmpv6_err_convert), and what a route without a way does. */
import { Errno } from "@podwire/netdev"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import type { Dst } from "./dst.ts"

/** Number and whether it is fatal: a connected socket hears of those only, unless it asks for all. */
type Meaning = readonly [Errno, boolean]

const NOTHING: Meaning = [Errno.OK, false]
const EPROTO = 71
const ENONET = 64

const UNREACHABLE4: ReadonlyArray<Meaning> = [
  [Errno.ENETUNREACH, false], [Errno.EHOSTUNREACH, false], [Errno.ENOPROTOOPT, true],
  [Errno.ECONNREFUSED, true], [Errno.EMSGSIZE, true], [Errno.EOPNOTSUPP, false],
  [Errno.ENETUNREACH, true], [Errno.EHOSTDOWN, true], [ENONET, true], [Errno.ENETUNREACH, true],
  [Errno.EHOSTUNREACH, true], [Errno.ENETUNREACH, false], [Errno.EHOSTUNREACH, false],
  [Errno.EHOSTUNREACH, true], [Errno.EHOSTUNREACH, true], [Errno.EHOSTUNREACH, true]
]

const UNREACHABLE6: ReadonlyArray<Meaning> = [
  [Errno.ENETUNREACH, false], [Errno.EACCES, true], [Errno.EHOSTUNREACH, false],
  [Errno.EHOSTUNREACH, false], [Errno.ECONNREFUSED, true], [Errno.EACCES, true], [Errno.EACCES, true]
]

export function meaning4(type: number, code: number): Meaning {
  switch (type) {
    case icmp.TIME_EXCEEDED:
      return [Errno.EHOSTUNREACH, false]
    case icmp.PARAMETER_PROBLEM:
      return [EPROTO, true]
    case icmp.DEST_UNREACH:
      return UNREACHABLE4[code] ?? [Errno.EHOSTUNREACH, false]
    default:
      return NOTHING
  }
}

export function meaning6(type: number, code: number): Meaning {
  switch (type) {
    case icmp6.PACKET_TOO_BIG:
      return [Errno.EMSGSIZE, true]
    case icmp6.TIME_EXCEEDED:
      return [Errno.EHOSTUNREACH, false]
    case icmp6.PARAMETER_PROBLEM:
      return [EPROTO, true]
    case icmp6.DEST_UNREACH:
      return UNREACHABLE6[code] ?? [EPROTO, true]
    default:
      return NOTHING
  }
}

/** Errno of a route that leads nowhere (ip_route_output_key). */
export function refusal(way: Dst): Errno {
  switch (way.type) {
    case "none":
    case "throw":
      return Errno.ENETUNREACH
    case "unreachable":
      return Errno.EHOSTUNREACH
    case "prohibit":
      return Errno.EACCES
    case "blackhole":
      return Errno.EINVAL
    default:
      return way.dev === null ? Errno.ENETUNREACH : Errno.OK
  }
}
