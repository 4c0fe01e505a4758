/**
 * `ip link show` (iproute2's ipaddress.c: print_linkinfo), and the part of a device that `ip addr` shows too.
 *
 * Approximated: sizes of segments and counts of queues are those that Linux 6 gives the kind of device; a
 * bridge's and port's timers stand still and show zero, and snooping is off, because groups are flooded.
 * Errors that Podwire does not count are zero. Not supported: groups other than `default`, `vf`, `vrf`.
 */
import { Bridge, type NetDevice } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import * as mac from "@podwire/wire/mac"
import { bridgeDetails, portDetails } from "./bridge-details.ts"
import {
  abroad, flags, hasLink, iflink, linkedDevice, type LinkNaming, linkType, nameAndLink, netnsid, operState,
  qdisc
} from "./device-state.ts"
import { fail, notModelled } from "./failure.ts"
import { command, type IpCall } from "./ip-call.ts"
import type { Printer } from "./printer.ts"
import { duplicate, invalid } from "./words.ts"

export interface LinkFilter {
  /** As it was given; "" is every device. */
  name: string
  dev: NetDevice | null
  up: boolean
  master: NetDevice | null
  nomaster: boolean
  kind: string | null
}

const COMMANDS = [
  "add", "set", "change", "replace", "delete", "show", "lst", "list", "xstats", "afstats", "property", "help"
]

export function link(call: IpCall): void {
  const { netns, options, words, out } = call
  command(call, "link", COMMANDS)
  const filter = anyLink()
  while (!words.done) readLinkFilter(call, filter)
  findDevice(call, filter)
  for (const dev of netns.links.list()) {
    if (!fits(dev, filter)) continue
    out.object("", () => {
      if (options.brief) printBrief(call, dev)
      else {
        printLink(call, dev, { mode: true, physical: true, naming: "by-netnsid" })
        if (options.stats > 0) printStats(call, dev, true)
      }
      out.say("\n")
    })
  }
}

export function anyLink(): LinkFilter {
  return { name: "", dev: null, up: false, master: null, nomaster: false, kind: null }
}

/** One keyword, and its value, of `ip link show` and `ip addr show`. */
export function readLinkFilter({ netns, words }: IpCall, filter: LinkFilter): void {
  const word = words.take()
  if (word === "up") filter.up = true
  else if (word === "master") {
    const name = words.argument()
    filter.master = netns.links.byName(name)
    if (filter.master === null) invalid(name, "Device does not exist\n")
  } else if (word === "nomaster") filter.nomaster = true
  else if (word === "type") filter.kind = words.argument()
  else if (["group", "vrf", "proto", "novf", "help"].includes(word)) notModelled(`ip ... ${word}`)
  else {
    const name = word === "dev" ? words.argument() : word
    if (filter.name !== "") duplicate("dev", name)
    filter.name = name
  }
}

/** All words are read before the device is looked for. */
export function findDevice({ netns }: IpCall, filter: LinkFilter): void {
  if (filter.name === "") return
  filter.dev = netns.links.byName(filter.name) ?? fail(`Device "${filter.name}" does not exist.`, 1)
}

export function fits(dev: NetDevice, filter: LinkFilter): boolean {
  return (filter.dev === null || dev === filter.dev) && (!filter.up || dev.up) &&
    (filter.master === null || dev.master === filter.master) && (!filter.nomaster || dev.master === null) &&
    (filter.kind === null || dev.kind === filter.kind || isSlave(dev, filter.kind))
}

function isSlave(dev: NetDevice, kind: string): boolean {
  return dev.master !== null && kind === `${dev.master.kind}_slave`
}

interface LinkForm {
  /** `mode DEFAULT`: `ip link` says it, `ip addr` does not. */
  readonly mode: boolean
  /** The line with the MAC address. */
  readonly physical: boolean
  readonly naming: LinkNaming
}

/** Without the line's end. */
export function printLink(call: IpCall, dev: NetDevice, form: LinkForm): void {
  const { netns, options, out } = call
  const short = form.naming === "by-index"
  out.put("ifindex", dev.ifindex, `${dev.ifindex}: `)
  noteName(netns, out, dev, form.naming)
  out.say(`${nameAndLink(netns, dev, form.naming)}: `)
  printFlags(netns, out, dev, form.naming)
  out.put("mtu", dev.mtu, `mtu ${dev.mtu} `)
  if (!short) out.put("qdisc", qdisc(dev), `qdisc ${qdisc(dev)} `)
  if (dev.master !== null && !short) out.put("master", dev.master.name, `master ${dev.master.name} `)
  const state = operState(netns, dev)
  out.put("operstate", state, `state ${state} `)
  if (form.mode) out.put("linkmode", "DEFAULT", "mode DEFAULT ")
  if (!short) out.put("group", "default", "group default ")
  out.put("txqlen", 1000, "qlen 1000")
  if (form.physical || options.details) {
    const type = linkType(dev)
    const broadcast = dev.loopback ? mac.format(0) : mac.format(mac.BROADCAST)
    out.nl().put("link_type", type, `    link/${type} `)
    out.put("address", mac.format(dev.mac), mac.format(dev.mac))
    out.put("broadcast", broadcast, ` brd ${broadcast}`)
  }
  if (!short && abroad(dev)) {
    const id = netnsid(netns, dev)
    out.put("link_netnsid", id, ` link-netnsid ${id}`)
  }
  if (options.details && !short) printDetails(netns, out, dev, form.mode)
}

export function noteName(netns: Netns, out: Printer, dev: NetDevice, naming: LinkNaming): void {
  if (hasLink(dev, naming)) {
    const linked = linkedDevice(netns, dev, naming)
    if (linked !== null) out.note("link", linked.name)
    else out.note("link_index", iflink(dev))
  }
  out.note("ifname", dev.name)
}

export function printFlags(netns: Netns, out: Printer, dev: NetDevice, naming: LinkNaming): void {
  const names = flags(netns, dev, naming)
  out.put("flags", names, `<${names.join(",")}> `)
}

function printDetails(netns: Netns, out: Printer, dev: NetDevice, withFamily: boolean): void {
  const port = dev.master === null ? 0 : 1
  const [least, most] = dev.loopback ? [0, 0] : [68, 65_535]
  out.put("promiscuity", port, ` promiscuity ${port} `).put("allmulti", port, ` allmulti ${port} `)
  out.put("min_mtu", least, `minmtu ${least} `).put("max_mtu", most, `maxmtu ${most} `)
  const named = dev.kind !== "" && !dev.loopback
  if (named || port !== 0) {
    out.object("linkinfo", () => {
      if (named) out.nl().put("info_kind", dev.kind, `    ${dev.kind} `)
      bridgeDetails(out, dev)
      portDetails(out, dev)
    })
  }
  if (withFamily) {
    const mode = Number(netns.sysctl.get(`net/ipv6/conf/${dev.name}/addr_gen_mode`) ?? 0)
    const name = ["eui64", "none", "stable_secret", "random"][mode] ?? "eui64"
    out.put("inet6_addr_gen_mode", name, `addrgenmode ${name} `)
  }
  const queues = dev.kind === "veth" ? 2 : 1
  out.put("num_tx_queues", queues, `numtxqueues ${queues} `)
  out.put("num_rx_queues", queues, `numrxqueues ${queues} `)
  out.put("gso_max_size", 65_536, "gso_max_size 65536 ").put("gso_max_segs", 65_535, "gso_max_segs 65535 ")
  const tso = tsoMaxSize(dev)
  out.put("tso_max_size", tso, `tso_max_size ${tso} `).put("tso_max_segs", 65_535, "tso_max_segs 65535 ")
  out.put("gro_max_size", 65_536, "gro_max_size 65536 ")
}

/** A device of software takes the most there is; a bridge, the least of its ports' (netdev_stacked). */
function tsoMaxSize(dev: NetDevice): number {
  if (dev.kind === "") return 65_536
  return dev instanceof Bridge && dev.ports().length === 0 ? 65_536 : 524_280
}

function printBrief(call: IpCall, dev: NetDevice): void {
  const { netns, out } = call
  printBriefName(call, dev)
  out.put("address", mac.format(dev.mac), `${mac.format(dev.mac)} `)
  printFlags(netns, out, dev, "by-netnsid")
}

export function printBriefName({ netns, out }: IpCall, dev: NetDevice): void {
  noteName(netns, out, dev, "by-netnsid")
  const state = operState(netns, dev)
  out.say(`${nameAndLink(netns, dev, "by-netnsid").padEnd(16)} `)
  out.put("operstate", state, `${state.padEnd(14)} `)
}

/** Columns as wide as the widest number in them (size_columns); `after` a line that has not ended. */
export function printStats({ options, out }: IpCall, dev: NetDevice, after: boolean): void {
  const { rxBytes, rxPackets, rxDropped, txBytes, txPackets, txDropped } = dev.stats
  const more = options.stats > 1
  const changes = dev.up ? 2 : 1
  const rx = [rxBytes, rxPackets, 0, rxDropped, 0, 0]
  const tx = [txBytes, txPackets, 0, txDropped, 0, 0]
  const wide = [10, 7, 6, 7, 7, 7].map((least, i) =>
    Math.max(least, String(rx[i]).length, String(tx[i]).length))
  const row = (cells: ReadonlyArray<string | number>, from = 0) =>
    cells.map((cell, i) => String(cell).padStart(wide[i + from]!)).join(" ")
  const lines: Array<string> = []
  const table = (what: string, names: ReadonlyArray<string>, values: ReadonlyArray<number>) => {
    const first = names[0]!.padStart(wide[0]! - 4)
    lines.push(`    ${what}: ${first} ${row(names.slice(1), 1)}${" ".repeat(11)}`, `    ${row(values)} `)
  }
  const errors = (what: string, names: ReadonlyArray<string>, values: ReadonlyArray<number>) => {
    if (!more) return
    lines.push(`    ${what} errors:${" ".repeat(wide[0]! - 10)} ${row(names, 1)}`)
    lines.push(`    ${" ".repeat(wide[0]!)} ${row(values, 1)} `)
  }
  table("RX", ["bytes", "packets", "errors", "dropped", "missed", "mcast"], rx)
  errors("RX", ["length", "crc", "frame", "fifo", "overrun"], [0, 0, 0, 0, 0])
  table("TX", ["bytes", "packets", "errors", "dropped", "carrier", "collsns"], tx)
  errors("TX", ["aborted", "fifo", "window", "heartbt", "transns"], [0, 0, 0, 0, changes])
  out.say(`${after ? out.newline : ""}${lines.join(out.newline)}`)
  noteStats(out, rx, tx, more, changes)
}

function noteStats(
  out: Printer, rx: ReadonlyArray<number>, tx: ReadonlyArray<number>, more: boolean, changes: number
): void {
  const zeros = (names: string) => Object.fromEntries(names.split(" ").map((name) => [name, 0]))
  const [rxBytes, rxPackets, rxErrors, rxDropped] = rx as [number, number, number, number]
  const [txBytes, txPackets, txErrors, txDropped] = tx as [number, number, number, number]
  out.note("stats64", {
    rx: {
      bytes: rxBytes, packets: rxPackets, errors: rxErrors, dropped: rxDropped, over_errors: 0, multicast: 0,
      ...(more ? zeros("length_errors crc_errors frame_errors fifo_errors missed_errors") : {})
    },
    tx: {
      bytes: txBytes, packets: txPackets, errors: txErrors, dropped: txDropped, carrier_errors: 0,
      collisions: 0,
      ...(more ? zeros("aborted_errors fifo_errors window_errors heartbeat_errors") : {}),
      ...(more ? { carrier_changes: changes } : {})
    }
  })
}
