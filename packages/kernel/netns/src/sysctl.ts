/**
 * The namespace's sysctls under their Linux names (Documentation/networking/ip-sysctl.rst), as text
 * in and text out; what the data plane reads on every packet is mirrored in plain fields.
 *
 * `conf/all` and `conf/default` exist from the start; a device gets a copy of `default` when it comes.
 * As in Linux, `net.ipv4.ip_forward` is `conf.all.forwarding` by another name and writes through to
 * every device. Not supported: sysctls that no code here reads; they answer ENOENT.
 */
import { Errno } from "@podwire/netdev"

/** Per-device settings of IPv4, as numbers. */
export class Conf4 {
  forwarding = 0
  rp_filter = 0
  accept_redirects = 1
  send_redirects = 1
  accept_source_route = 0
  route_localnet = 0
  accept_local = 0
  arp_ignore = 0
  arp_announce = 0
  arp_accept = 0
  arp_notify = 0
  proxy_arp = 0
  log_martians = 0
}

/** Per-device settings of IPv6. */
export class Conf6 {
  forwarding = 0
  disable_ipv6 = 0
  accept_dad = 1
  dad_transmits = 1
  accept_ra = 1
  accept_redirects = 1
  hop_limit = 64
  router_solicitations = 3
  addr_gen_mode = 0
}

/** Namespace-wide settings and their defaults. */
const GLOBALS: Readonly<Record<string, string>> = {
  "net/ipv4/ip_default_ttl": "64",
  "net/ipv4/ip_local_port_range": "32768\t60999",
  "net/ipv4/ipfrag_time": "30",
  "net/ipv4/ipfrag_high_thresh": "4194304",
  "net/ipv4/icmp_ratelimit": "1000",
  "net/ipv4/icmp_ratemask": "6168",
  "net/ipv4/icmp_echo_ignore_all": "0",
  "net/ipv4/icmp_echo_ignore_broadcasts": "1",
  "net/ipv4/ping_group_range": "0\t2147483647",
  "net/ipv4/ip_unprivileged_port_start": "1024",
  "net/ipv4/route/min_pmtu": "552",
  "net/ipv4/route/mtu_expires": "600",
  "net/ipv4/neigh/default/retrans_time_ms": "1000",
  "net/ipv4/neigh/default/base_reachable_time_ms": "30000",
  "net/ipv4/neigh/default/delay_first_probe_time": "5",
  "net/ipv4/neigh/default/unres_qlen_bytes": "212992",
  "net/ipv4/neigh/default/gc_thresh3": "1024",
  "net/ipv6/neigh/default/retrans_time_ms": "1000",
  "net/ipv6/neigh/default/base_reachable_time_ms": "30000",
  "net/ipv6/neigh/default/delay_first_probe_time": "5",
  "net/ipv6/neigh/default/unres_qlen_bytes": "212992",
  "net/ipv6/neigh/default/gc_thresh3": "1024",
  "net/ipv6/ip6frag_time": "60",
  "net/ipv6/ip6frag_high_thresh": "4194304",
  "net/ipv6/icmp/ratelimit": "1000",
  "net/ipv6/route/mtu_expires": "600",
  "net/ipv6/bindv6only": "0"
}

export class SysctlTable {
  readonly all4 = new Conf4()
  readonly default4 = new Conf4()
  readonly all6 = new Conf6()
  readonly default6 = new Conf6()
  defaultTtl = 64
  readonly #globals = new Map(Object.entries(GLOBALS))
  readonly #devices4 = new Map<string, Conf4>()
  readonly #devices6 = new Map<string, Conf6>()
  /** Told when `disable_ipv6` of a device was written. */
  onDisable6: ((device: string, disabled: boolean) => void) | null = null

  /** A device has come: it starts with what `default` says. */
  addDevice(name: string): { readonly conf4: Conf4; readonly conf6: Conf6 } {
    const conf4 = Object.assign(new Conf4(), this.default4)
    const conf6 = Object.assign(new Conf6(), this.default6)
    this.#devices4.set(name, conf4)
    this.#devices6.set(name, conf6)
    return { conf4, conf6 }
  }

  removeDevice(name: string): void {
    this.#devices4.delete(name)
    this.#devices6.delete(name)
  }

  number(path: string): number {
    return Number(this.#globals.get(path))
  }

  get(path: string): string | null {
    const name = normalise(path)
    if (name === "net/ipv4/ip_forward") return String(this.all4.forwarding)
    const found = this.#conf(name)
    if (found !== null) return String(found.conf[found.key])
    return this.#globals.get(name) ?? null
  }

  /** ENOENT for a name that does not exist, EINVAL for a value that is no number. */
  set(path: string, value: string): Errno {
    const name = normalise(path)
    const numeric = /^\s*-?\d+\s*$/.test(value)
    const found = name === "net/ipv4/ip_forward" ? this.#conf("net/ipv4/conf/all/forwarding") : this.#conf(name)
    if (found !== null) {
      if (!numeric) return Errno.EINVAL
      found.conf[found.key] = Number(value)
      this.#propagate(found.device, found.key, found.family, Number(value))
      return Errno.OK
    }
    if (!this.#globals.has(name)) return Errno.ENOENT
    if (!/^\s*-?\d+(\s+-?\d+)*\s*$/.test(value)) return Errno.EINVAL
    this.#globals.set(name, value.trim().replace(/\s+/g, "\t"))
    if (name === "net/ipv4/ip_default_ttl") this.defaultTtl = Number(value)
    return Errno.OK
  }

  /** Every name, sorted, as `sysctl -a` lists them. */
  list(): ReadonlyArray<readonly [string, string]> {
    const names = [...this.#globals.keys(), "net/ipv4/ip_forward"]
    for (const key of Object.keys(this.all4)) {
      for (const device of ["all", "default", ...this.#devices4.keys()]) {
        names.push(`net/ipv4/conf/${device}/${key}`)
      }
    }
    for (const key of Object.keys(this.all6)) {
      for (const device of ["all", "default", ...this.#devices6.keys()]) {
        names.push(`net/ipv6/conf/${device}/${key}`)
      }
    }
    return names.sort((a, b) => (a < b ? -1 : 1))
      .map((name) => [name.replaceAll("/", "."), this.get(name)!] as const)
  }

  #conf(name: string): {
    readonly conf: Record<string, number>; readonly key: string; readonly device: string
    readonly family: 4 | 6
  } | null {
    const match = /^net\/ipv([46])\/conf\/(.+)\/([a-z0-9_]+)$/.exec(name)
    if (match === null) return null
    const [, version, device, key] = match as unknown as [string, string, string, string]
    const conf = version === "4"
      ? device === "all" ? this.all4 : device === "default" ? this.default4 : this.#devices4.get(device)
      : device === "all" ? this.all6 : device === "default" ? this.default6 : this.#devices6.get(device)
    if (conf === undefined || !(key in conf)) return null
    const record = conf as unknown as Record<string, number>
    return { conf: record, key, device, family: version === "4" ? 4 : 6 }
  }

  /** Which writes to `all` reach every device (inet_forward_change, addrconf_forward_change). */
  #propagate(device: string, key: string, family: 4 | 6, value: number): void {
    if (device === "all" && (key === "forwarding" || key === "disable_ipv6")) {
      if (family === 4) {
        this.default4.forwarding = value
        for (const conf of this.#devices4.values()) conf.forwarding = value
      } else {
        const at = key as "forwarding" | "disable_ipv6"
        this.default6[at] = value
        for (const [name, conf] of this.#devices6) {
          conf[at] = value
          if (key === "disable_ipv6") this.onDisable6?.(name, value !== 0)
        }
      }
    } else if (key === "disable_ipv6") this.onDisable6?.(device, value !== 0)
  }
}

/** `net.ipv4.conf.eth0.rp_filter` and `net/ipv4/conf/eth0/rp_filter` are one name. */
function normalise(path: string): string {
  const bare = path.replace(/^\/proc\/sys\//, "")
  return bare.includes("/") ? bare : bare.replaceAll(".", "/")
}
