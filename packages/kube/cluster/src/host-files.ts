/** The files that the kubelet and the runtime put into every container (kubelet/kubelet_pods.go). */
import type { PodSpec } from "@podwire/api"
import { format, type Ip } from "@podwire/wire/ip"

const LOCAL_HOSTS = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters"
]

export function podFiles(
  spec: PodSpec, hostname: string, domain: string, ips: ReadonlyArray<Ip>
): ReadonlyMap<string, string> {
  const own = domain === "" ? hostname : `${hostname}.${domain}\t${hostname}`
  const hosts = [
    "# Kubernetes-managed hosts file.", ...LOCAL_HOSTS, ...ips.map((ip) => `${format(ip)}\t${own}`)
  ]
  const aliases = (spec.hostAliases ?? []).map(({ ip, hostnames }) => [ip, ...hostnames ?? []].join("\t"))
  if (aliases.length > 0) hosts.push("", "# Entries added by HostAliases.", ...aliases)
  return new Map([["/etc/hosts", `${hosts.join("\n")}\n`], ["/etc/hostname", `${hostname}\n`]])
}

export function hostFiles(
  hostname: string, hosts: ReadonlyArray<readonly [string, ReadonlyArray<Ip>]>
): ReadonlyMap<string, string> {
  const lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost"]
  for (const [name, ips] of hosts) for (const ip of ips) lines.push(`${format(ip)}\t${name}`)
  return new Map([["/etc/hosts", `${lines.join("\n")}\n`], ["/etc/hostname", `${hostname}\n`]])
}
