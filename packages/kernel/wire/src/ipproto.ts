/** What follows an IP header (IANA protocol numbers). */
export const HOPOPTS = 0
export const ICMP = 1
export const IGMP = 2
/** IPv4 in IP. */
export const IPIP = 4
export const TCP = 6
export const UDP = 17
export const IPV6 = 41
export const ROUTING = 43
export const FRAGMENT = 44
export const ESP = 50
export const AH = 51
export const ICMPV6 = 58
export const NONE = 59
export const DSTOPTS = 60
export const SCTP = 132
