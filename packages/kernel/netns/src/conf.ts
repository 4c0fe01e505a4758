/**
 * The settings that the data plane reads, as plain numbers (congestion control is a name) under their Linux
 * names: one record for each device and family (struct ipv4_devconf, ipv6_devconf, neigh_parms), one for a
 * namespace.
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

/** Congestion control by name: what a stock Linux has built in; a module that is not loaded does not exist. */
export type CongestionName = "cubic" | "reno"

/**
 * What a namespace has once, with the path of each below. What Linux sizes by a host's memory is what a host of
 * 4 GiB and more has (tcp_init, sock_mem): 131,072 connections at rest; the receive
 * buffer at most is the 6 MiB that kernels before 6.16 have, so that the window scale is the 7 that readers know.
 */
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
  readonly rmem_max: number = 4_194_304
  readonly wmem_default: number = 212_992
  readonly wmem_max: number = 4_194_304
  readonly somaxconn: number = 4096
  readonly tcp_rmem_min: number = 4096
  readonly tcp_rmem_default: number = 131_072
  readonly tcp_rmem_max: number = 6_291_456
  readonly tcp_wmem_min: number = 4096
  readonly tcp_wmem_default: number = 16_384
  readonly tcp_wmem_max: number = 4_194_304
  readonly tcp_abort_on_overflow: number = 0
  readonly tcp_adv_win_scale: number = 1
  readonly tcp_app_win: number = 31
  readonly tcp_autocorking: number = 1
  readonly tcp_base_mss: number = 1024
  readonly tcp_challenge_ack_limit: number = 2_147_483_647
  readonly tcp_comp_sack_delay_ns: number = 1_000_000
  readonly tcp_comp_sack_nr: number = 44
  readonly tcp_comp_sack_slack_ns: number = 100_000
  readonly tcp_congestion_control: CongestionName = "cubic"
  readonly tcp_dsack: number = 1
  readonly tcp_early_retrans: number = 3
  readonly tcp_ecn: number = 2
  readonly tcp_fin_timeout: number = 60
  readonly tcp_frto: number = 2
  readonly tcp_invalid_ratelimit: number = 500
  readonly tcp_keepalive_intvl: number = 75
  readonly tcp_keepalive_probes: number = 9
  readonly tcp_keepalive_time: number = 7200
  readonly tcp_limit_output_bytes: number = 4_194_304
  readonly tcp_max_orphans: number = 131_072
  readonly tcp_max_reordering: number = 300
  readonly tcp_max_syn_backlog: number = 2048
  readonly tcp_max_tw_buckets: number = 131_072
  readonly tcp_min_rtt_wlen: number = 300
  readonly tcp_min_snd_mss: number = 48
  readonly tcp_moderate_rcvbuf: number = 1
  readonly tcp_mtu_probing: number = 0
  readonly tcp_no_metrics_save: number = 0
  /** UINT_MAX: no limit. */
  readonly tcp_notsent_lowat: number = 4_294_967_295
  readonly tcp_orphan_retries: number = 0
  readonly tcp_pingpong_thresh: number = 1
  readonly tcp_recovery: number = 1
  readonly tcp_reordering: number = 3
  readonly tcp_retries1: number = 3
  readonly tcp_retries2: number = 15
  readonly tcp_rfc1337: number = 0
  readonly tcp_rto_max_ms: number = 120_000
  readonly tcp_rto_min_us: number = 200_000
  readonly tcp_sack: number = 1
  readonly tcp_shrink_window: number = 0
  readonly tcp_slow_start_after_idle: number = 1
  readonly tcp_syn_linear_timeouts: number = 4
  readonly tcp_syn_retries: number = 6
  readonly tcp_synack_retries: number = 5
  readonly tcp_syncookies: number = 1
  readonly tcp_timestamps: number = 1
  readonly tcp_tw_reuse: number = 2
  readonly tcp_tw_reuse_delay: number = 1000
  readonly tcp_window_scaling: number = 1
  readonly tcp_workaround_signed_windows: number = 0
}

export type GlobalKey = keyof Globals

/** One text of three numbers each: least, at first, most. */
const TCP_TRIPLES: ReadonlyArray<readonly [string, ReadonlyArray<GlobalKey>]> = [
  ["net/ipv4/tcp_rmem", ["tcp_rmem_min", "tcp_rmem_default", "tcp_rmem_max"]],
  ["net/ipv4/tcp_wmem", ["tcp_wmem_min", "tcp_wmem_default", "tcp_wmem_max"]]
]

/** TCP's other settings have their field's name as path. */
const TCP_SINGLE: ReadonlyArray<readonly [string, ReadonlyArray<GlobalKey>]> = (() => {
  const inTriples = new Set<string>(TCP_TRIPLES.flatMap(([, keys]) => keys))
  const keys = Object.keys(new Globals()) as ReadonlyArray<GlobalKey>
  return keys.filter((key) => key.startsWith("tcp_") && !inTriples.has(key))
    .map((key) => [`net/ipv4/${key}`, [key]] as const)
})()

/** Path to one field, or to several that are written as one text. */
export const GLOBAL_PATHS: ReadonlyMap<string, ReadonlyArray<GlobalKey>> = new Map<string, ReadonlyArray<GlobalKey>>([
  ["net/core/rmem_default", ["rmem_default"]],
  ["net/core/rmem_max", ["rmem_max"]],
  ["net/core/wmem_default", ["wmem_default"]],
  ["net/core/wmem_max", ["wmem_max"]],
  ["net/core/somaxconn", ["somaxconn"]],
  ...TCP_TRIPLES,
  ...TCP_SINGLE,
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

/** Texts: any other is ENOENT, a module that cannot be had (tcp_set_default_congestion_control). */
export const CHOICES: ReadonlyMap<string, ReadonlyArray<string>> = new Map<string, ReadonlyArray<CongestionName>>([
  ["tcp_congestion_control", ["cubic", "reno"]]
])

const INT_MAX = 2_147_483_647
/** Seconds that are kept as ticks of 4 ms (proc_dointvec_jiffies with HZ=250). */
const SECONDS: readonly [number, number] = [-8_589_934, 8_589_934]
/** proc_dou8vec_minmax without limits of its own. */
const U8_KEYS: ReadonlyArray<GlobalKey> = [
  "tcp_abort_on_overflow", "tcp_comp_sack_nr", "tcp_dsack", "tcp_frto", "tcp_keepalive_probes",
  "tcp_moderate_rcvbuf", "tcp_mtu_probing", "tcp_no_metrics_save", "tcp_orphan_retries", "tcp_recovery",
  "tcp_retries1", "tcp_retries2", "tcp_rfc1337", "tcp_sack", "tcp_slow_start_after_idle", "tcp_synack_retries",
  "tcp_syncookies", "tcp_timestamps", "tcp_window_scaling", "tcp_workaround_signed_windows"
]

/** What Linux refuses with EINVAL (extra1, extra2 of the ctl_table). */
export const BOUNDS: ReadonlyMap<string, readonly [number, number]> = new Map<string, readonly [number, number]>([
  ...U8_KEYS.map((key) => [key, [0, 255]] as const),
  // SOCK_MIN_RCVBUF and SOCK_MIN_SNDBUF: one and two of the least segments, with their sk_buff.
  ["rmem_default", [2304, INT_MAX]],
  ["rmem_max", [2304, INT_MAX]],
  ["wmem_default", [4608, INT_MAX]],
  ["wmem_max", [4608, INT_MAX]],
  ["somaxconn", [0, INT_MAX]],
  ["tcp_rmem_min", [1, INT_MAX]],
  ["tcp_rmem_default", [1, INT_MAX]],
  ["tcp_rmem_max", [1, INT_MAX]],
  ["tcp_wmem_min", [1, INT_MAX]],
  ["tcp_wmem_default", [1, INT_MAX]],
  ["tcp_wmem_max", [1, INT_MAX]],
  ["tcp_adv_win_scale", [-31, 31]],
  ["tcp_app_win", [0, 31]],
  ["tcp_autocorking", [0, 1]],
  ["tcp_comp_sack_delay_ns", [0, Number.MAX_SAFE_INTEGER]],
  ["tcp_comp_sack_slack_ns", [0, Number.MAX_SAFE_INTEGER]],
  ["tcp_early_retrans", [0, 4]],
  ["tcp_ecn", [0, 2]],
  ["tcp_fin_timeout", SECONDS],
  ["tcp_keepalive_intvl", SECONDS],
  ["tcp_keepalive_time", SECONDS],
  ["tcp_invalid_ratelimit", [0, INT_MAX]],
  ["tcp_max_reordering", [1, INT_MAX]],
  ["tcp_min_rtt_wlen", [0, 86_400]],
  ["tcp_min_snd_mss", [48, 65_535]],
  ["tcp_notsent_lowat", [0, 4_294_967_295]],
  ["tcp_pingpong_thresh", [1, 255]],
  ["tcp_reordering", [1, INT_MAX]],
  ["tcp_rto_max_ms", [1000, 120_000]],
  ["tcp_rto_min_us", [1, INT_MAX]],
  ["tcp_shrink_window", [0, 1]],
  ["tcp_syn_linear_timeouts", [0, 127]],
  ["tcp_syn_retries", [1, 127]],
  ["tcp_tw_reuse", [0, 2]],
  ["tcp_tw_reuse_delay", [1, 60_000]],
  ["ip_default_ttl", [1, 255]],
  ["port_low", [1, 65_535]],
  ["port_high", [1, 65_535]],
  ["ip_unprivileged_port_start", [0, 65_535]],
  ["icmp_msgs_per_sec", [0, INT_MAX]],
  ["icmp_msgs_burst", [0, INT_MAX]],
  ["icmp_echo_ignore_all", [0, 255]],
  ["icmp_echo_ignore_broadcasts", [0, 255]],
  ["gc_thresh1_4", [0, INT_MAX]],
  ["gc_thresh2_4", [0, INT_MAX]],
  ["gc_thresh3_4", [0, INT_MAX]],
  ["hop_limit", [1, 255]],
  ["mtu", [1280, INT_MAX]],
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
export function replaced<C extends object>(conf: C, key: string, value: number | string): C {
  const copy = new (conf.constructor as new () => C)()
  Object.assign(copy, conf)
  ;(copy as Record<string, number | string>)[key] = value
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
