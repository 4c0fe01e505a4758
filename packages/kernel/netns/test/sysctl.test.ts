/** Sysctls: names, defaults of a fresh 6.18 namespace, what `all` and `default` reach, what is refused. */
import { errnoName } from "@podwire/netdev"
import { expect, it } from "vitest"
import { Rig } from "./rig.ts"

const bench = () => {
  const rig = new Rig()
  return { rig, eth0: rig.card("eth0", "02:00:00:00:00:01"), get: (name: string) => rig.ns.sysctl.get(name), set: (name: string, value: string | number) => errnoName(rig.ns.sysctl.set(name, String(value))) }
}

it("a fresh namespace has these", () => {
  const { rig } = bench()
  const text = rig.ns.sysctl.list().filter(([name]) => !/\.(eth0|default)\./.test(name) || /conf\.eth0|neigh\.eth0/.test(name))
    .filter(([name]) => !/conf\.lo|neigh\.lo/.test(name)).map(([name, value]) => `${name} = ${value}`).join("\n")
  expect(text).toMatchInlineSnapshot(`
    "net.core.rmem_default = 212992
    net.core.rmem_max = 4194304
    net.core.somaxconn = 4096
    net.core.wmem_default = 212992
    net.core.wmem_max = 4194304
    net.ipv4.conf.all.accept_local = 0
    net.ipv4.conf.all.accept_redirects = 1
    net.ipv4.conf.all.accept_source_route = 0
    net.ipv4.conf.all.arp_accept = 0
    net.ipv4.conf.all.arp_announce = 0
    net.ipv4.conf.all.arp_filter = 0
    net.ipv4.conf.all.arp_ignore = 0
    net.ipv4.conf.all.arp_notify = 0
    net.ipv4.conf.all.drop_gratuitous_arp = 0
    net.ipv4.conf.all.forwarding = 0
    net.ipv4.conf.all.log_martians = 0
    net.ipv4.conf.all.promote_secondaries = 0
    net.ipv4.conf.all.proxy_arp = 0
    net.ipv4.conf.all.route_localnet = 0
    net.ipv4.conf.all.rp_filter = 0
    net.ipv4.conf.all.secure_redirects = 1
    net.ipv4.conf.all.send_redirects = 1
    net.ipv4.conf.all.shared_media = 1
    net.ipv4.conf.eth0.accept_local = 0
    net.ipv4.conf.eth0.accept_redirects = 1
    net.ipv4.conf.eth0.accept_source_route = 1
    net.ipv4.conf.eth0.arp_accept = 0
    net.ipv4.conf.eth0.arp_announce = 0
    net.ipv4.conf.eth0.arp_filter = 0
    net.ipv4.conf.eth0.arp_ignore = 0
    net.ipv4.conf.eth0.arp_notify = 0
    net.ipv4.conf.eth0.drop_gratuitous_arp = 0
    net.ipv4.conf.eth0.forwarding = 0
    net.ipv4.conf.eth0.log_martians = 0
    net.ipv4.conf.eth0.promote_secondaries = 0
    net.ipv4.conf.eth0.proxy_arp = 0
    net.ipv4.conf.eth0.route_localnet = 0
    net.ipv4.conf.eth0.rp_filter = 0
    net.ipv4.conf.eth0.secure_redirects = 1
    net.ipv4.conf.eth0.send_redirects = 1
    net.ipv4.conf.eth0.shared_media = 1
    net.ipv4.icmp_echo_ignore_all = 0
    net.ipv4.icmp_echo_ignore_broadcasts = 1
    net.ipv4.icmp_msgs_burst = 50
    net.ipv4.icmp_msgs_per_sec = 1000
    net.ipv4.icmp_ratelimit = 1000
    net.ipv4.icmp_ratemask = 6168
    net.ipv4.ip_default_ttl = 64
    net.ipv4.ip_forward = 0
    net.ipv4.ip_forward_use_pmtu = 0
    net.ipv4.ip_local_port_range = 32768	60999
    net.ipv4.ip_no_pmtu_disc = 0
    net.ipv4.ip_nonlocal_bind = 0
    net.ipv4.ip_unprivileged_port_start = 1024
    net.ipv4.ipfrag_high_thresh = 4194304
    net.ipv4.ipfrag_time = 30
    net.ipv4.neigh.eth0.base_reachable_time_ms = 30000
    net.ipv4.neigh.eth0.delay_first_probe_time = 5
    net.ipv4.neigh.eth0.gc_stale_time = 60
    net.ipv4.neigh.eth0.locktime = 100
    net.ipv4.neigh.eth0.mcast_solicit = 3
    net.ipv4.neigh.eth0.proxy_delay = 80
    net.ipv4.neigh.eth0.retrans_time_ms = 1000
    net.ipv4.neigh.eth0.ucast_solicit = 3
    net.ipv4.neigh.eth0.unres_qlen_bytes = 212992
    net.ipv4.ping_group_range = 0	2147483647
    net.ipv4.route.min_pmtu = 552
    net.ipv4.route.mtu_expires = 600
    net.ipv4.tcp_abort_on_overflow = 0
    net.ipv4.tcp_adv_win_scale = 1
    net.ipv4.tcp_app_win = 31
    net.ipv4.tcp_autocorking = 1
    net.ipv4.tcp_base_mss = 1024
    net.ipv4.tcp_challenge_ack_limit = 2147483647
    net.ipv4.tcp_comp_sack_delay_ns = 1000000
    net.ipv4.tcp_comp_sack_nr = 44
    net.ipv4.tcp_comp_sack_slack_ns = 100000
    net.ipv4.tcp_congestion_control = cubic
    net.ipv4.tcp_dsack = 1
    net.ipv4.tcp_early_retrans = 3
    net.ipv4.tcp_ecn = 2
    net.ipv4.tcp_fin_timeout = 60
    net.ipv4.tcp_frto = 2
    net.ipv4.tcp_invalid_ratelimit = 500
    net.ipv4.tcp_keepalive_intvl = 75
    net.ipv4.tcp_keepalive_probes = 9
    net.ipv4.tcp_keepalive_time = 7200
    net.ipv4.tcp_limit_output_bytes = 4194304
    net.ipv4.tcp_max_orphans = 131072
    net.ipv4.tcp_max_reordering = 300
    net.ipv4.tcp_max_syn_backlog = 2048
    net.ipv4.tcp_max_tw_buckets = 131072
    net.ipv4.tcp_min_rtt_wlen = 300
    net.ipv4.tcp_min_snd_mss = 48
    net.ipv4.tcp_moderate_rcvbuf = 1
    net.ipv4.tcp_mtu_probing = 0
    net.ipv4.tcp_no_metrics_save = 0
    net.ipv4.tcp_notsent_lowat = 4294967295
    net.ipv4.tcp_orphan_retries = 0
    net.ipv4.tcp_pingpong_thresh = 1
    net.ipv4.tcp_recovery = 1
    net.ipv4.tcp_reordering = 3
    net.ipv4.tcp_retries1 = 3
    net.ipv4.tcp_retries2 = 15
    net.ipv4.tcp_rfc1337 = 0
    net.ipv4.tcp_rmem = 4096	131072	6291456
    net.ipv4.tcp_rto_max_ms = 120000
    net.ipv4.tcp_rto_min_us = 200000
    net.ipv4.tcp_sack = 1
    net.ipv4.tcp_shrink_window = 0
    net.ipv4.tcp_slow_start_after_idle = 1
    net.ipv4.tcp_syn_linear_timeouts = 4
    net.ipv4.tcp_syn_retries = 6
    net.ipv4.tcp_synack_retries = 5
    net.ipv4.tcp_syncookies = 1
    net.ipv4.tcp_timestamps = 1
    net.ipv4.tcp_tw_reuse = 2
    net.ipv4.tcp_tw_reuse_delay = 1000
    net.ipv4.tcp_window_scaling = 1
    net.ipv4.tcp_wmem = 4096	16384	4194304
    net.ipv4.tcp_workaround_signed_windows = 0
    net.ipv6.bindv6only = 0
    net.ipv6.conf.all.accept_dad = 0
    net.ipv6.conf.all.accept_ra = 1
    net.ipv6.conf.all.accept_ra_defrtr = 1
    net.ipv6.conf.all.accept_ra_mtu = 1
    net.ipv6.conf.all.accept_ra_pinfo = 1
    net.ipv6.conf.all.accept_redirects = 1
    net.ipv6.conf.all.addr_gen_mode = 0
    net.ipv6.conf.all.autoconf = 1
    net.ipv6.conf.all.dad_transmits = 1
    net.ipv6.conf.all.disable_ipv6 = 0
    net.ipv6.conf.all.drop_unsolicited_na = 0
    net.ipv6.conf.all.forwarding = 0
    net.ipv6.conf.all.hop_limit = 64
    net.ipv6.conf.all.keep_addr_on_down = 0
    net.ipv6.conf.all.mtu = 1280
    net.ipv6.conf.all.ndisc_notify = 0
    net.ipv6.conf.all.router_solicitation_interval = 4
    net.ipv6.conf.all.router_solicitation_max_interval = 3600
    net.ipv6.conf.all.router_solicitations = -1
    net.ipv6.conf.all.use_tempaddr = 0
    net.ipv6.conf.eth0.accept_dad = 1
    net.ipv6.conf.eth0.accept_ra = 1
    net.ipv6.conf.eth0.accept_ra_defrtr = 1
    net.ipv6.conf.eth0.accept_ra_mtu = 1
    net.ipv6.conf.eth0.accept_ra_pinfo = 1
    net.ipv6.conf.eth0.accept_redirects = 1
    net.ipv6.conf.eth0.addr_gen_mode = 0
    net.ipv6.conf.eth0.autoconf = 1
    net.ipv6.conf.eth0.dad_transmits = 1
    net.ipv6.conf.eth0.disable_ipv6 = 0
    net.ipv6.conf.eth0.drop_unsolicited_na = 0
    net.ipv6.conf.eth0.forwarding = 0
    net.ipv6.conf.eth0.hop_limit = 64
    net.ipv6.conf.eth0.keep_addr_on_down = 0
    net.ipv6.conf.eth0.mtu = 1500
    net.ipv6.conf.eth0.ndisc_notify = 0
    net.ipv6.conf.eth0.router_solicitation_interval = 4
    net.ipv6.conf.eth0.router_solicitation_max_interval = 3600
    net.ipv6.conf.eth0.router_solicitations = -1
    net.ipv6.conf.eth0.use_tempaddr = 0
    net.ipv6.icmp.echo_ignore_all = 0
    net.ipv6.icmp.echo_ignore_multicast = 0
    net.ipv6.icmp.ratelimit = 100
    net.ipv6.ip6frag_high_thresh = 4194304
    net.ipv6.ip6frag_time = 60
    net.ipv6.neigh.eth0.base_reachable_time_ms = 30000
    net.ipv6.neigh.eth0.delay_first_probe_time = 5
    net.ipv6.neigh.eth0.gc_stale_time = 60
    net.ipv6.neigh.eth0.locktime = 0
    net.ipv6.neigh.eth0.mcast_solicit = 3
    net.ipv6.neigh.eth0.proxy_delay = 80
    net.ipv6.neigh.eth0.retrans_time_ms = 1000
    net.ipv6.neigh.eth0.ucast_solicit = 3
    net.ipv6.neigh.eth0.unres_qlen_bytes = 212992
    net.ipv6.route.mtu_expires = 600"
  `)
})

it("paths with slashes, and interface names with dots", () => {
  const { rig, get, set } = bench()
  rig.card("eth0.5", "02:00:00:00:00:05")
  expect(set("net/ipv4/conf/eth0.5/rp_filter", 2)).toBe("OK")
  expect([get("net/ipv4/conf/eth0.5/rp_filter"), get("/proc/sys/net/ipv4/conf/eth0.5/rp_filter"), get("net.ipv4.conf.eth0.rp_filter")])
    .toEqual(["2", "2", "0"])
})

it("default is for devices to come; all reaches none, but for forwarding and disable_ipv6", () => {
  const { rig, get, set } = bench()
  set("net.ipv4.conf.default.rp_filter", 1)
  set("net.ipv4.conf.all.rp_filter", 2)
  rig.card("eth1", "02:00:00:00:01:01")
  expect(["all", "default", "eth0", "eth1"].map((dev) => get(`net.ipv4.conf.${dev}.rp_filter`))).toEqual(["2", "1", "0", "1"])
  set("net.ipv6.conf.all.forwarding", 1)
  expect(["all", "default", "eth0", "lo"].map((dev) => get(`net.ipv6.conf.${dev}.forwarding`))).toEqual(["1", "1", "1", "1"])
  set("net.ipv6.conf.all.disable_ipv6", 1)
  expect(rig.ns.addresses().every(({ cidr }) => cidr.ip.length === 1)).toBe(true)
  set("net.ipv6.conf.all.disable_ipv6", 0)
  expect(rig.ns.addresses().filter(({ cidr }) => cidr.ip.length === 4).length).toBe(3)
})

it("the MTU of IPv6 is the device's until it is written, and again when that changes", () => {
  const { rig, eth0, get, set } = bench()
  const mtu = () => get("net.ipv6.conf.eth0.mtu")
  const seen = [mtu(), get("net.ipv6.conf.all.mtu"), get("net.ipv6.conf.default.mtu"), get("net.ipv6.conf.lo.mtu")]
  seen.push(set("net.ipv6.conf.eth0.mtu", 1400), mtu(), set("net.ipv6.conf.eth0.mtu", 1200), set("net.ipv6.conf.eth0.mtu", 1600), mtu())
  rig.ns.setMtu(eth0, 1300)
  seen.push(mtu())
  rig.ns.setMtu(eth0, 1500)
  seen.push(mtu())
  expect(seen).toEqual(["1500", "1280", "1280", "65536", "OK", "1400", "EINVAL", "EINVAL", "1400", "1300", "1500"])
})

it.each([
  ["net.ipv4.ip_default_ttl", "0", "EINVAL"], ["net.ipv4.ip_default_ttl", "256", "EINVAL"], ["net.ipv4.ip_default_ttl", "x", "EINVAL"],
  ["net.ipv4.ip_local_port_range", "60000 1000", "EINVAL"], ["net.ipv4.ip_local_port_range", "1000", "EINVAL"],
  ["net.ipv4.ip_local_port_range", "1000\t2000", "OK"], ["net.ipv4.nothing", "1", "ENOENT"],
  ["net.ipv4.conf.eth9.rp_filter", "1", "ENOENT"], ["net.ipv6.conf.eth0.hop_limit", "0", "EINVAL"],
  ["net.ipv4.ip_forward", " 1\n", "OK"], ["net.ipv4.tcp_rmem", "4096 65536\t6291456\n", "OK"],
  ["net.ipv4.tcp_rmem", "0 1 2", "EINVAL"], ["net.ipv4.tcp_congestion_control", "reno\n", "OK"],
  ["net.ipv4.tcp_congestion_control", "nosuch", "ENOENT"], ["net.ipv4.tcp_congestion_control", "1", "ENOENT"],
  ["net.ipv4.tcp_syn_retries", "0", "EINVAL"], ["net.ipv4.tcp_syn_retries", "127", "OK"], ["net.ipv4.tcp_syn_retries", "128", "EINVAL"],
  ["net.ipv4.tcp_retries2", "256", "EINVAL"], ["net.ipv4.tcp_notsent_lowat", "4294967295", "OK"],
  ["net.ipv4.tcp_max_syn_backlog", "2147483648", "EINVAL"], ["net.ipv4.tcp_fin_timeout", "8589935", "EINVAL"],
  ["net.ipv4.tcp_reordering", "301", "EINVAL"], ["net.core.rmem_max", "2303", "EINVAL"]
])("%s = %j: %s", (name, value, expected) => {
  expect(bench().set(name, value)).toBe(expected)
})

it("three numbers are one text, a choice is a word, and a namespace's writes are its own", () => {
  const [{ rig, get, set }, other] = [bench(), bench()]
  set("net.ipv4.tcp_rmem", "4096 65536 6291456")
  set("net.ipv4.tcp_congestion_control", "reno")
  expect([get("net.ipv4.tcp_rmem"), get("net.ipv4.tcp_wmem"), get("net.ipv4.tcp_congestion_control")])
    .toEqual(["4096\t65536\t6291456", "4096\t16384\t4194304", "reno"])
  const { tcp_rmem_default, tcp_rmem_max, tcp_congestion_control } = rig.ns.sysctl.globals
  expect([tcp_rmem_default, tcp_rmem_max, tcp_congestion_control]).toEqual([65_536, 6_291_456, "reno"])
  expect([other.get("net.ipv4.tcp_rmem"), other.get("net.ipv4.tcp_congestion_control")])
    .toEqual(["4096\t131072\t6291456", "cubic"])
  other.set("net.ipv4.tcp_congestion_control", "reno")
  other.set("net.ipv4.tcp_rmem", "4096 65536 6291456")
  expect(other.rig.ns.sysctl.globals).toBe(rig.ns.sysctl.globals)
})
