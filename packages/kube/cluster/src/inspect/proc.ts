/**
 * `cat` of files that tell about the network: /proc/net/{arp,dev,if_inet6,netstat,route,snmp,snmp6,
 * sockstat,sockstat6,tcp,tcp6} and /proc/sys/net/... Not supported: options of cat.
 */
import { type DeviceStats, type NetDevice } from "@podwire/netdev"
import { type Netns, NudState, type Route } from "@podwire/netns"
import { mask4 } from "@podwire/wire/cidr"
import { family, format, type Ip } from "@podwire/wire/ip"
import * as mac from "@podwire/wire/mac"
import { arpEntries } from "./arp.ts"
import { Failure, notModelled } from "./failure.ts"
import { ordered } from "./ip-addr.ts"
import { compare4 } from "./ip-route.ts"
import { netstat, snmp, snmp6 } from "./proc-snmp.ts"
import { tcp, tcp6 } from "./proc-tcp.ts"
import { sockstat, sockstat6 } from "./ss-summary.ts"

const FILES: Readonly<Record<string, (netns: Netns) => string>> = {
  arp, dev, if_inet6: ifInet6, netstat, route, snmp, snmp6, sockstat, sockstat6, tcp, tcp6
}

export function cat(netns: Netns, args: ReadonlyArray<string>): string {
  let [stdout, stderr] = ["", ""]
  for (const path of args) {
    if (path.startsWith("-")) notModelled(`cat ${path}`)
    const text = read(netns, path)
    if (text === null) stderr += `cat: ${path}: No such file or directory\n`
    else stdout += text
  }
  if (stderr !== "") throw new Failure(stderr, 1, stdout)
  return stdout
}

function read(netns: Netns, path: string): string | null {
  const sys = /^\/proc\/sys\/(.+)$/.exec(path)
  if (sys !== null) {
    const value = netns.sysctl.get(sys[1]!)
    return value === null ? null : `${value}\n`
  }
  const net = /^\/proc\/(?:self\/)?net\/([a-z0-9_]+)$/.exec(path)
  if (net === null) return null
  const file = Object.hasOwn(FILES, net[1]!) ? FILES[net[1]!] : undefined
  return file === undefined ? notModelled(`cat ${path}`) : file(netns)
}

/** net/core/net-procfs.c */
function dev(netns: Netns): string {
  return `Inter-|   Receive${" ".repeat(48)}|  Transmit\n` +
    " face |bytes    packets errs drop fifo frame compressed multicast" +
    "|bytes    packets errs drop fifo colls carrier compressed\n" +
    netns.links.list().map(({ name, stats }) => `${name.padStart(6)}: ${counters(stats)}\n`).join("")
}

function counters(stats: DeviceStats): string {
  const { rxBytes, rxPackets, rxDropped, txBytes, txPackets, txDropped } = stats
  const widths = [7, 7, 4, 4, 4, 5, 10, 9, 8, 7, 4, 4, 4, 5, 7, 10]
  const numbers = [
    rxBytes, rxPackets, 0, rxDropped, 0, 0, 0, 0, txBytes, txPackets, 0, txDropped, 0, 0, 0, 0
  ]
  return numbers.map((number, i) => String(number).padStart(widths[i]!)).join(" ")
}

/** net/ipv4/arp.c */
function arp(netns: Netns): string {
  const lines = arpEntries(netns).map((neigh) => {
    const flags = !neigh.valid ? "0x0" : neigh.state === NudState.PERMANENT ? "0x6" : "0x2"
    const hardware = mac.format(neigh.valid ? neigh.mac : 0)
    const start = `${format(neigh.ip).padEnd(16)} ${"0x1".padEnd(12)}${flags.padEnd(12)}`
    return `${start}${hardware}     *        ${neigh.dev.name}\n`
  })
  return `IP address       HW type     Flags       HW address            Mask     Device\n${lines.join("")}`
}

const IFA_FLAGS = [["nodad", 0x02], ["dadFailed", 0x08], ["deprecated", 0x20], ["tentative", 0x40]] as const
const IFA_F_PERMANENT = 0x80
const IPV6_SCOPES = { global: 0, host: 0x10, link: 0x20 } as const

/** net/ipv6/addrconf.c */
function ifInet6(netns: Netns): string {
  const lines: Array<string> = []
  for (const device of netns.links.list()) {
    for (const one of ordered(netns, device)) {
      if (family(one.cidr.ip) !== 6) continue
      const flags = IFA_FLAGS.reduce((sum, [flag, bit]) => one[flag] ? sum | bit : sum, IFA_F_PERMANENT)
      const cells = [device.ifindex, one.cidr.bits, IPV6_SCOPES[one.scope], flags]
      const text = cells.map((value) => hex(value, 2)).join(" ")
      lines.push(`${words(one.cidr.ip)} ${text} ${device.name.padStart(8)}\n`)
    }
  }
  return lines.join("")
}

function words(ip: Ip): string {
  return [...ip].map((word) => hex(word >>> 0, 8)).join("")
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0")
}

const RTF_UP = 0x1
const RTF_GATEWAY = 0x2
const RTF_HOST = 0x4
const RTF_REJECT = 0x200
const ROUTE_LINE = 127

/** net/ipv4/fib_trie.c: fib_route_seq_show; lines are padded to a fixed width. */
function route(netns: Netns): string {
  const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
  const lines = [...netns.routes(4)].sort(compare4)
    .filter(({ type }) => type !== "broadcast" && type !== "multicast")
    .map((one) => `${routeCells(one, one.dev).join("\t")}`)
  return [head, ...lines].map((line) => `${line.padEnd(ROUTE_LINE)}\n`).join("")
}

function routeCells(one: Route, device: NetDevice | null): ReadonlyArray<string | number> {
  const reject = one.type === "unreachable" || one.type === "prohibit" ? RTF_REJECT : 0
  const flags = RTF_UP | (one.via === null ? 0 : RTF_GATEWAY) | (one.dst.bits === 32 ? RTF_HOST : 0) | reject
  return [
    device?.name ?? "*", little(one.dst.ip[0]!), little(one.via?.[0] ?? 0), hex(flags, 4).toUpperCase(), 0, 0,
    one.metric, little(mask4(one.dst.bits)), 0, 0, 0
  ]
}

/** A word as a little-endian machine prints one in network order. */
function little(word: number): string {
  const swapped = (word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24)
  return hex(swapped >>> 0, 8).toUpperCase()
}
