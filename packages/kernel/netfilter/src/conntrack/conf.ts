/**
 * net/netfilter/nf_conntrack_*: the settings of one namespace's connection tracking, as plain numbers under
 * their Linux names, timeouts in seconds. Defaults are those that a host of 4 GiB and more has.
 *
 * Invariant: a record is never changed, only replaced, so namespaces share the defaults.
 * Not supported: buckets (the index sizes itself), expect_max (no helpers), log_invalid, timestamp,
 * frag6_*, and the timeouts of SCTP's states (an association is tracked as any other protocol with ports).
 */
export class ConntrackConf {
  readonly nf_conntrack_max: number = 262_144
  readonly nf_conntrack_acct: number = 0
  readonly nf_conntrack_checksum: number = 1
  readonly nf_conntrack_generic_timeout: number = 600
  readonly nf_conntrack_icmp_timeout: number = 30
  readonly nf_conntrack_icmpv6_timeout: number = 30
  readonly nf_conntrack_udp_timeout: number = 30
  readonly nf_conntrack_udp_timeout_stream: number = 120
  readonly nf_conntrack_gre_timeout: number = 30
  readonly nf_conntrack_gre_timeout_stream: number = 180
  readonly nf_conntrack_tcp_be_liberal: number = 0
  readonly nf_conntrack_tcp_loose: number = 1
  readonly nf_conntrack_tcp_max_retrans: number = 3
  readonly nf_conntrack_tcp_ignore_invalid_rst: number = 0
  readonly nf_conntrack_tcp_timeout_syn_sent: number = 120
  readonly nf_conntrack_tcp_timeout_syn_recv: number = 60
  readonly nf_conntrack_tcp_timeout_established: number = 432_000
  readonly nf_conntrack_tcp_timeout_fin_wait: number = 120
  readonly nf_conntrack_tcp_timeout_close_wait: number = 60
  readonly nf_conntrack_tcp_timeout_last_ack: number = 30
  readonly nf_conntrack_tcp_timeout_time_wait: number = 120
  readonly nf_conntrack_tcp_timeout_close: number = 10
  readonly nf_conntrack_tcp_timeout_max_retrans: number = 300
  readonly nf_conntrack_tcp_timeout_unacknowledged: number = 300
}

export const DEFAULT_CONF = new ConntrackConf()
