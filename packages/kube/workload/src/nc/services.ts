/**
 * Names of ports as /etc/services of Debian has them: the host's own file first, else those that clusters
 * meet.
 */
import type { Host } from "../process.ts"

const KNOWN = "ftp 21/tcp ssh 22/tcp telnet 23/tcp smtp 25/tcp domain 53/tcp domain 53/udp tftp " +
  "69/udp http 80/tcp pop3 110/tcp sunrpc 111/tcp sunrpc 111/udp ntp 123/udp imap2 " +
  "143/tcp snmp 161/udp ldap 389/tcp https 443/tcp https 443/udp submissions 465/tcp " +
  "syslog 514/udp submission 587/tcp ldaps 636/tcp domain-s 853/tcp imaps 993/tcp " +
  "ms-sql-s 1433/tcp nfs 2049/tcp mysql 3306/tcp postgresql 5432/tcp amqp 5672/tcp x11 " +
  "6000/tcp redis 6379/tcp http-alt 8080/tcp"

export function serviceName(host: Host, port: number, protocol: "tcp" | "udp"): string | null {
  return entries(host).find((entry) => entry.port === port && entry.protocol === protocol)?.names[0] ?? null
}

export function servicePort(host: Host, name: string, protocol: "tcp" | "udp"): number | null {
  return entries(host).find((one) => one.names.includes(name) && one.protocol === protocol)?.port ?? null
}

interface Entry {
  readonly names: ReadonlyArray<string>
  readonly port: number
  readonly protocol: string
}

function entries(host: Host): ReadonlyArray<Entry> {
  const lines = host.files.get("/etc/services")?.split("\n") ?? KNOWN.match(/\S+ \S+/g)!
  return lines.flatMap((line) => {
    const [, name, port, protocol, aliases = ""] = /^(\S+)\s+(\d+)\/(\w+)([^#]*)/.exec(line) ?? []
    if (name === undefined) return []
    const names = [name, ...aliases.split(/\s+/).filter((word) => word !== "")]
    return [{ names, port: Number(port), protocol: protocol! }]
  })
}
