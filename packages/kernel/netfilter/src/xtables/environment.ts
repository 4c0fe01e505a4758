/**
 * What rules need and frames do not have: connections, routes, chance, time, lists and counters that
 * outlive a packet, and the parts of the stack that carry out REJECT, NAT and LOG. Each is a small
 * interface that its owner fills; a rule that needs one which is not there is refused when it is committed,
 * as by a kernel without the module.
 */
import type { Frame, NetDevice } from "@podwire/netdev"
import type { Ip } from "@podwire/wire"
import type { Family } from "./extension.ts"
import type { Packet } from "./packet.ts"
import type { Verdict } from "../verdict.ts"

/** Connections as rules ask of them; `dir` 0 is the original direction, 1 the reply. */
export interface ConntrackView {
  /** False: no connection (INVALID, or UNTRACKED if `untracked`). */
  tracked(frame: Frame): boolean
  untracked(frame: Frame): boolean
  /** IP_CT_ESTABLISHED 0, RELATED 1, NEW 2 without the direction. */
  info(frame: Frame): number
  dir(frame: Frame): 0 | 1
  /** IPS_* bits: SEEN_REPLY 2, ASSURED 4, CONFIRMED 8, SRC_NAT 16, DST_NAT 32, EXPECTED 1. */
  status(frame: Frame): number
  protocol(frame: Frame): number
  /** Word `i` of an address of one of its tuples, and a port. */
  src(frame: Frame, dir: 0 | 1, i: number): number
  dst(frame: Frame, dir: 0 | 1, i: number): number
  srcPort(frame: Frame, dir: 0 | 1): number
  dstPort(frame: Frame, dir: 0 | 1): number
  expiresSec(frame: Frame): number
  mark(frame: Frame): number
  setMark(frame: Frame, mark: number): void
  /** CT --notrack: before conntrack has seen it. */
  untrack(frame: Frame): void
  /** CT --zone: before conntrack has seen it. Without this a rule that asks for a zone is refused. */
  zone?(frame: Frame, zone: number, direction: ZoneDirection, fromMark: boolean): void
}
export const ZoneDirection = { Original: 1, Reply: 2, Both: 3 } as const
export type ZoneDirection = (typeof ZoneDirection)[keyof typeof ZoneDirection]

/** enum rt_type numbers, RTN_UNICAST 1 to RTN_PROHIBIT 8. */
export interface RoutingView {
  addressType(family: Family, bytes: Uint8Array, at: number, dev: NetDevice | null): number
  /** rpfilter: is there a way back to the packet's source, by the device that it came from unless `loose`? */
  reversePath(packet: Packet, loose: boolean, validMark: boolean, acceptLocal: boolean): boolean
  /** MTU of the way out and of the way back, for TCPMSS --clamp-mss-to-pmtu. */
  mtuBytes(packet: Packet): number
}

export interface LimitSpec {
  /** Packets per `periodMs`, as XT_LIMIT_SCALE rounds it: cost of one in 1/10000 s. */
  readonly avg: number
  readonly burst: number
}
/** A bucket: true takes a token, false had none. */
export interface Limiter {
  take(): boolean
}
export interface HashLimitSpec {
  readonly family: Family
  readonly name: string
  readonly mode: number
  readonly avg: number
  readonly burst: number
  readonly bytes: boolean
  readonly srcMask: number
  readonly dstMask: number
  readonly size: number
  readonly max: number
  readonly gcIntervalMs: number
  readonly expireMs: number
}
/** True while the packet's flow is within its rate. */
export interface HashLimiter {
  take(packet: Packet): boolean
}

/**
 * A list of `recent`, shared by every rule that names it. An entry is a number that is good until the list
 * is next asked to change; -1 is none. `at` is where the address starts in `bytes`.
 */
export interface RecentList {
  /** `ttl` must agree unless it is -1. */
  find(bytes: Uint8Array, at: number, mask: Ip, ttl: number): number
  /** Enter it with its first stamp; the oldest entry goes when the list is full. */
  add(bytes: Uint8Array, at: number, mask: Ip, ttl: number): void
  /** One more stamp. */
  touch(entry: number, ttl: number): void
  remove(entry: number): void
  /** At least `hits` stamps (1 if 0) within the last `seconds` (ever if 0). */
  seen(entry: number, seconds: number, hits: number): boolean
  /** Forget entries whose last stamp is older than `seconds`, but `keep`. */
  reap(seconds: number, keep: number): void
}
export interface AddressSet {
  readonly dimensions: number
  /** Bit i of `flags`: source (1) or destination (0) for dimension i. */
  contains(packet: Packet, flags: number): boolean
}
/** An nfacct object. */
export interface Account {
  add(bytes: number): void
}

/** What a NAT rule asks for (struct nf_nat_range2); flags are NF_NAT_RANGE_*. */
export interface NatRange {
  readonly flags: number
  readonly min: Ip
  readonly max: Ip
  readonly minPort: number
  readonly maxPort: number
  readonly basePort: number
}
export const NatFlag = {
  Ips: 1, Ports: 2, Random: 4, Persistent: 8, RandomFully: 16, Offset: 32, Netmap: 64
} as const
export const Manip = { Src: 0, Dst: 1 } as const
export type Manip = (typeof Manip)[keyof typeof Manip]
export interface NatSetup {
  nat(packet: Packet, range: NatRange, manip: Manip): Verdict
  masquerade(packet: Packet, range: NatRange): Verdict
  redirect(packet: Packet, range: NatRange): Verdict
}

export interface LogSpec {
  readonly level: number
  readonly prefix: string
  readonly flags: number
}

/** br_netfilter: the ports that a bridged packet came by and leaves by (nf_bridge_info). */
export interface BridgeView {
  bridged(frame: Frame): boolean
  physIn(frame: Frame): NetDevice | null
  physOut(frame: Frame): NetDevice | null
}

export interface Environment {
  readonly bridge?: BridgeView
  readonly conntrack?: ConntrackView
  readonly routing?: RoutingView
  readonly nat?: NatSetup
  /** A uniform 31-bit number (get_random_u32() & 0x7fffffff). */
  random31?(): number
  limit?(spec: LimitSpec): Limiter
  hashLimit?(spec: HashLimitSpec): HashLimiter
  recent?(name: string, family: Family): RecentList
  /** Null: no such set, or no such object. */
  set?(name: string): AddressSet | null
  account?(name: string): Account | null
  /** Answer the packet, which is then dropped; `reject` is a word of --reject-with. */
  reject?(packet: Packet, reject: string): void
  log?(packet: Packet, spec: LogSpec): void
}
