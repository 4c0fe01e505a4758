/**
 * The settings that the data plane reads, as plain numbers under their Linux names: one record for each
 * device and family (struct ipv4_devconf, ipv6_devconf, neigh_parms), one for a namespace.
 *
 * Invariant: a record is never changed, only replaced. So thousands of namespaces share the defaults,
 * and a device costs nothing until somebody writes one of its sysctls.
 */

/** net/ipv4/conf/DEV */
export class Conf4 {
  readonly forwarding: number = 0
  readonly rp_filter: number = 0
  readonly accept_redirects: number = 1
  readonly secure_redirects: number = 1
  readonly send_redirects: number = 1
  readonly shared_media: number = 1
  readonly accept_source_route: number = 1
  readonly route_localnet: number = 0
  readonly accept_local: number = 0
  readonly arp_ignore: number = 0
  readonly arp_announce: number = 0
  readonly arp_accept: number = 0
  readonly arp_filter: number = 0
  readonly arp_notify: number = 0
  readonly drop_gratuitous_arp: number = 0
  readonly proxy_arp: number = 0
  readonly promote_secondaries: number = 0
  readonly log_martians: number = 0
}

/** net/ipv6/conf/DEV */
export class Conf6 {
  readonly forwarding: number = 0
  readonly disable_ipv6: number = 0
  readonly accept_dad: number = 1
  readonly dad_transmits: number = 1
  readonly accept_ra: number = 1
  readonly accept_ra_defrtr: number = 1
  readonly accept_ra_pinfo: number = 1
  readonly accept_ra_mtu: number = 1
  readonly autoconf: number = 1
  readonly accept_redirects: number = 1
  readonly hop_limit: number = 64
  /** What somebody wrote or a router advertised; 0 is the device's. */
  readonly mtu: number = 0
  readonly router_solicitations: number = -1
  readonly router_solicitation_interval: number = 4
  readonly router_solicitation_max_interval: number = 3600
  readonly addr_gen_mode: number = 0
  readonly ndisc_notify: number = 0
  readonly drop_unsolicited_na: number = 0
  readonly use_tempaddr: number = 0
  readonly keep_addr_on_down: number = 0
}

/** net/ipv4/neigh/DEV and net/ipv6/neigh/DEV */
export class NeighConf {
  readonly retrans_time_ms: number = 1000
  readonly base_reachable_time_ms: number = 30_000
  readonly delay_first_probe_time: number = 5
  readonly gc_stale_time: number = 60
  readonly unres_qlen_bytes: number = 212_992
  readonly mcast_solicit: number = 3
  readonly ucast_solicit: number = 3
  /** Hundredths of a second, as USER_HZ counts. */
  readonly locktime: number = 100
  readonly proxy_delay: number = 80
}

/** What a namespace has once, with the path of each below. */
export class Globals {
  readonly ip_default_ttl: number = 64
  readonly port_low: number = 32_768
  readonly port_high: number = 60_999
  readonly ipfrag_time: number = 30
  readonly ipfrag_high_thresh: number = 4_194_304
  readonly icmp_ratelimit: number = 1000
  readonly icmp_ratemask: number = 6168
  readonly icmp_msgs_per_sec: number = 1000
  readonly icmp_msgs_burst: number = 50
  readonly icmp_echo_ignore_all: number = 0
  readonly icmp_echo_ignore_broadcasts: number = 1
  readonly ping_group_low: number = 0
  readonly ping_group_high: number = 2_147_483_647
  readonly ip_unprivileged_port_start: number = 1024
  readonly ip_nonlocal_bind: number = 0
  readonly ip_no_pmtu_disc: number = 0
  readonly ip_forward_use_pmtu: number = 0
  readonly min_pmtu: number = 552
  readonly mtu_expires: number = 600
  readonly gc_thresh1_4: number = 128
  readonly gc_thresh2_4: number = 512
  readonly gc_thresh3_4: number = 1024
  readonly gc_thresh1_6: number = 128
  readonly gc_thresh2_6: number = 512
  readonly gc_thresh3_6: number = 1024
  readonly ip6frag_time: number = 60
  readonly ip6frag_high_thresh: number = 4_194_304
  readonly icmp6_ratelimit: number = 100
  readonly icmp6_echo_ignore_all: number = 0
  readonly icmp6_echo_ignore_multicast: number = 0
  readonly mtu_expires_6: number = 600
  readonly bindv6only: number = 0
  readonly rmem_default: number = 212_992
}

export type GlobalKey = keyof Globals

/** Path to one field, or to two that are written as one text. */
export const GLOBAL_PATHS: ReadonlyMap<string, ReadonlyArray<GlobalKey>> = new Map<string, ReadonlyArray<GlobalKey>>([
  ["net/core/rmem_default", ["rmem_default"]],
  ["net/ipv4/ip_default_ttl", ["ip_default_ttl"]],
  ["net/ipv4/ip_local_port_range", ["port_low", "port_high"]],
  ["net/ipv4/ipfrag_time", ["ipfrag_time"]],
  ["net/ipv4/ipfrag_high_thresh", ["ipfrag_high_thresh"]],
  ["net/ipv4/icmp_ratelimit", ["icmp_ratelimit"]],
  ["net/ipv4/icmp_ratemask", ["icmp_ratemask"]],
  ["net/ipv4/icmp_msgs_per_sec", ["icmp_msgs_per_sec"]],
  ["net/ipv4/icmp_msgs_burst", ["icmp_msgs_burst"]],
  ["net/ipv4/icmp_echo_ignore_all", ["icmp_echo_ignore_all"]],
  ["net/ipv4/icmp_echo_ignore_broadcasts", ["icmp_echo_ignore_broadcasts"]],
  ["net/ipv4/ping_group_range", ["ping_group_low", "ping_group_high"]],
  ["net/ipv4/ip_unprivileged_port_start", ["ip_unprivileged_port_start"]],
  ["net/ipv4/ip_nonlocal_bind", ["ip_nonlocal_bind"]],
  ["net/ipv4/ip_no_pmtu_disc", ["ip_no_pmtu_disc"]],
  ["net/ipv4/ip_forward_use_pmtu", ["ip_forward_use_pmtu"]],
  ["net/ipv4/route/min_pmtu", ["min_pmtu"]],
  ["net/ipv4/route/mtu_expires", ["mtu_expires"]],
  ["net/ipv4/neigh/default/gc_thresh1", ["gc_thresh1_4"]],
  ["net/ipv4/neigh/default/gc_thresh2", ["gc_thresh2_4"]],
  ["net/ipv4/neigh/default/gc_thresh3", ["gc_thresh3_4"]],
  ["net/ipv6/neigh/default/gc_thresh1", ["gc_thresh1_6"]],
  ["net/ipv6/neigh/default/gc_thresh2", ["gc_thresh2_6"]],
  ["net/ipv6/neigh/default/gc_thresh3", ["gc_thresh3_6"]],
  ["net/ipv6/ip6frag_time", ["ip6frag_time"]],
  ["net/ipv6/ip6frag_high_thresh", ["ip6frag_high_thresh"]],
  ["net/ipv6/icmp/ratelimit", ["icmp6_ratelimit"]],
  ["net/ipv6/icmp/echo_ignore_all", ["icmp6_echo_ignore_all"]],
  ["net/ipv6/icmp/echo_ignore_multicast", ["icmp6_echo_ignore_multicast"]],
  ["net/ipv6/route/mtu_expires", ["mtu_expires_6"]],
  ["net/ipv6/bindv6only", ["bindv6only"]]
])

/** What Linux refuses with EINVAL (extra1, extra2 of the ctl_table). */
export const BOUNDS: ReadonlyMap<string, readonly [number, number]> = new Map<string, readonly [number, number]>([
  ["ip_default_ttl", [1, 255]],
  ["port_low", [1, 65_535]],
  ["port_high", [1, 65_535]],
  ["ip_unprivileged_port_start", [0, 65_535]],
  ["icmp_msgs_per_sec", [0, 2_147_483_647]],
  ["icmp_msgs_burst", [0, 2_147_483_647]],
  ["icmp_echo_ignore_all", [0, 255]],
  ["icmp_echo_ignore_broadcasts", [0, 255]],
  ["gc_thresh1_4", [0, 2_147_483_647]],
  ["gc_thresh2_4", [0, 2_147_483_647]],
  ["gc_thresh3_4", [0, 2_147_483_647]],
  ["hop_limit", [1, 255]],
  ["mtu", [1280, 2_147_483_647]],
  ["addr_gen_mode", [0, 1]]
])

/** Records by their content: the same writes in thousands of namespaces make one record, which nobody changes. */
const KNOWN = new Map<string, object>()
const KNOWN_MAX = 4096

/** The defaults, shared by all. */
export const CONF4 = new Conf4()
export const CONF6 = new Conf6()
export const NEIGH_CONF = new NeighConf()
export const GLOBALS = new Globals()
/** IPv6 believes a rival at once, if its flags say so (nd_tbl has no locktime). */
export const NEIGH_CONF6 = replaced(NEIGH_CONF, "locktime", 0)
/** `conf/all` of a fresh namespace differs: source routes are refused there, for everybody. */
export const ALL4 = replaced(CONF4, "accept_source_route", 0)
/** Whether addresses are tested is each device's affair, unless `conf/all` asks for it of everybody. */
export const ALL6 = replaced(CONF6, "accept_dad", 0)

/** A record that differs in one field; the same hidden class as its origin. */
export function replaced<C extends object>(conf: C, key: string, value: number): C {
  const copy = new (conf.constructor as new () => C)()
  Object.assign(copy, conf)
  ;(copy as Record<string, number>)[key] = value
  const content = `${copy.constructor.name} ${Object.values(copy).join(" ")}`
  const known = KNOWN.get(content)
  if (known !== undefined) return known as C
  if (KNOWN.size >= KNOWN_MAX) KNOWN.clear()
  KNOWN.set(content, copy)
  return copy
}

/** The value of every device of one kind: the default's until somebody writes one. */
export class PerDevice<C extends object> {
  default: C
  #own: Array<C | undefined> | null = null

  constructor(initial: C) {
    this.default = initial
  }

  of(ifindex: number): C {
    const own = this.#own
    return own === null ? this.default : own[ifindex] ?? this.default
  }

  set(ifindex: number, conf: C): void {
    this.#own ??= []
    this.#own[ifindex] = conf
  }

  forget(ifindex: number): void {
    if (this.#own !== null) this.#own[ifindex] = undefined
  }

  /** Devices that are there keep what they have: a new default is for those to come. */
  setDefault(conf: C, present: ReadonlyArray<{ readonly ifindex: number }>): void {
    for (const { ifindex } of present) this.set(ifindex, this.of(ifindex))
    this.default = conf
  }
}
