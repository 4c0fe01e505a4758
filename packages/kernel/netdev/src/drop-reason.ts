/**
 * Why a frame ended without being delivered. Names follow the kernel's `enum skb_drop_reason`
 * (include/net/dropreason-core.h) where it has one; ours are below the line.
 */
export const DropReason = {
  NOT_SPECIFIED: 0,
  NO_SOCKET: 1,
  PKT_TOO_SMALL: 2,
  TCP_CSUM: 3,
  UDP_CSUM: 4,
  ICMP_CSUM: 5,
  SOCKET_FILTER: 6,
  NETFILTER_DROP: 7,
  OTHERHOST: 8,
  IP_CSUM: 9,
  IP_INHDR: 10,
  IP_RPFILTER: 11,
  UNICAST_IN_L2_MULTICAST: 12,
  IP_NOPROTO: 13,
  SOCKET_RCVBUFF: 14,
  IP_OUTNOROUTES: 15,
  IP_INNOROUTES: 16,
  PKT_TOO_BIG: 17,
  DUP_FRAG: 18,
  FRAG_REASM_TIMEOUT: 19,
  FRAG_TOO_FAR: 20,
  IP_INVALID_SOURCE: 21,
  IP_LOCALNET: 22,
  IP_INVALID_DEST: 23,
  NEIGH_CREATEFAIL: 24,
  NEIGH_FAILED: 25,
  NEIGH_QUEUEFULL: 26,
  NEIGH_DEAD: 27,
  QDISC_DROP: 28,
  DEV_READY: 29,
  FULL_RING: 30,
  NOMEM: 31,
  TAP_FILTER: 32,
  UNHANDLED_PROTO: 33,
  INVALID_PROTO: 34,
  IPV6DISABLED: 35,
  IPV6_BAD_EXTHDR: 36,
  IPV6_NDISC_BAD_OPTIONS: 37,
  IPV6_NDISC_BAD_CODE: 38,
  IPV6_NDISC_HOP_LIMIT: 39,
  IPV6_NDISC_NS_OTHERHOST: 40,
  NET_TTL_EXPIRED: 41,
  ARP_IGNORED: 42,
  BRIDGE_INGRESS_STP_STATE: 43,
  BRIDGE_SAME_PORT: 44,
  BRIDGE_NO_EGRESS: 45,
  BRIDGE_LINK_LOCAL: 46,
  MAC_INVALID_SOURCE: 47,
  VLAN_UNKNOWN: 48,
  NETNS_GONE: 49,
  TCP_FLAGS: 63,
  TCP_ZEROWINDOW: 64,
  TCP_OLD_DATA: 65,
  TCP_OVERWINDOW: 66,
  TCP_OFOMERGE: 67,
  TCP_RFC7323_PAWS: 68,
  TCP_OLD_SEQUENCE: 69,
  TCP_INVALID_SEQUENCE: 70,
  TCP_INVALID_END_SEQUENCE: 71,
  TCP_INVALID_ACK_SEQUENCE: 72,
  TCP_RESET: 73,
  TCP_INVALID_SYN: 74,
  TCP_CLOSE: 75,
  TCP_OLD_ACK: 76,
  TCP_TOO_OLD_ACK: 77,
  TCP_ACK_UNSENT_DATA: 78,
  TCP_OFO_QUEUE_PRUNE: 79,
  TCP_OFO_DROP: 80,
  TCP_LISTEN_OVERFLOW: 81,
  TCP_REQQ_FULL: 82,
  TCP_ABORT_ON_DATA: 83,
  TCP_TIMEWAIT: 84,
  PROTO_MEM: 85,
  // Podwire's own: chance on a link, and what the kernel has no name for.
  LINK_LOSS: 50,
  LINK_DOWN: 51,
  LINK_QUEUE_FULL: 52,
  DEV_DETACHED: 53,
  ICMP_RATE_LIMIT: 54,
  FORWARDING_DISABLED: 55,
  MARTIAN: 56,
  FRAG_LIMIT: 57,
  TCP_NO_LISTENER: 58,
  IP_BLACKHOLE: 59,
  IP_UNREACHABLE: 60,
  DAD_CONFLICT: 61,
  BRIDGE_ISOLATED: 62
} as const

export type DropReason = (typeof DropReason)[keyof typeof DropReason]

export const DROP_REASON_COUNT = 96

const NAMES: ReadonlyArray<string> = (() => {
  const names: Array<string> = []
  for (const [name, reason] of Object.entries(DropReason)) names[reason] = name
  return names
})()

export function dropReasonName(reason: number): string {
  return NAMES[reason] ?? `DROP_REASON_${reason}`
}
